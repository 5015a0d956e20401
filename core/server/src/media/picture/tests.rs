use image::{GenericImageView, Rgb, Rgba};

use super::*;

fn encoded(picture: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    if format == image::ImageFormat::Png {
        let (width, height) = picture.dimensions();
        let (colours, channels, pixels) = if picture.color().has_alpha() {
            (6, 4, picture.to_rgba8().into_raw())
        } else {
            (2, 3, picture.to_rgb8().into_raw())
        };
        return png_of(width, height, colours, channels, &pixels);
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Red on its left, blue on its right.
fn two_colours(width: u32, height: u32) -> DynamicImage {
    let colour = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    RgbImage::from_fn(width, height, colour).into()
}

fn decoded(preview: &Preview) -> DynamicImage {
    image::load_from_memory_with_format(&preview.jpeg, image::ImageFormat::Jpeg).unwrap()
}

#[test]
fn a_preview_is_small_and_keeps_its_shape() {
    for (kind, format) in [
        (Kind::Jpeg, image::ImageFormat::Jpeg),
        (Kind::Png, image::ImageFormat::Png),
        (Kind::Gif, image::ImageFormat::Gif),
        (Kind::WebP, image::ImageFormat::WebP),
    ] {
        let preview = preview(kind, &encoded(&two_colours(2_560, 640), format)).unwrap();
        assert_eq!((preview.width, preview.height), (2_560, 640), "{kind:?}");
        assert_eq!(decoded(&preview).dimensions(), (1_280, 320), "{kind:?}");
    }
    let small = preview(Kind::Png, &encoded(&two_colours(64, 32), image::ImageFormat::Png)).unwrap();
    assert_eq!(decoded(&small).dimensions(), (64, 32), "it is not made larger");
    let huge = preview(Kind::Jpeg, &encoded(&two_colours(8_000, 6_000), image::ImageFormat::Jpeg)).unwrap();
    assert_eq!(decoded(&huge).dimensions(), (1_280, 960), "a telephone's 48 megapixels");
}

/// An `Exif` segment with an orientation, a place and a maker.
fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    // Maker: 12 letters, after the directory.
    tiff.extend_from_slice(&[0x01, 0x0f, 0, 2, 0, 0, 0, 12, 0, 0, 0, 38]);
    tiff.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1]);
    tiff.extend_from_slice(&orientation.to_be_bytes());
    tiff.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
    tiff.extend_from_slice(b"GPS-51.5N-0W");
    let body = [b"Exif\0\0", tiff.as_slice()].concat();
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, 0xe1], length.as_slice(), &body].concat()
}

#[test]
fn it_is_turned_as_it_is_looked_at_and_tells_nothing_else() {
    let jpeg = encoded(&two_colours(400, 200), image::ImageFormat::Jpeg);
    let [start, rest] = [&jpeg[..2], &jpeg[2..]];
    let photo = [start, &exif(6), rest].concat();
    let preview = preview(Kind::Jpeg, &photo).unwrap();
    assert_eq!((preview.width, preview.height), (200, 400));
    let shown = decoded(&preview);
    assert_eq!(shown.dimensions(), (200, 400));
    // Turned clockwise: what was left is above.
    let [above, below] = [shown.get_pixel(100, 20), shown.get_pixel(100, 380)];
    assert!(above[0] > 200 && above[2] < 60, "{above:?}");
    assert!(below[2] > 200 && below[0] < 60, "{below:?}");
    let holds = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    assert!(holds(&photo, b"GPS-51.5N") && holds(&photo, b"Exif"));
    assert!(!holds(&preview.jpeg, b"GPS") && !holds(&preview.jpeg, b"Exif"));
}

#[test]
fn what_is_transparent_is_white() {
    let clear: DynamicImage = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0])).into();
    let preview = preview(Kind::Png, &encoded(&clear, image::ImageFormat::Png)).unwrap();
    assert!(decoded(&preview).get_pixel(4, 4).0[..3].iter().all(|colour| *colour > 250));
}

/// A PNG of these pixels, not compressed. `colours` is PNG's colour type.
fn png_of(width: u32, height: u32, colours: u8, channels: usize, pixels: &[u8]) -> Vec<u8> {
    let mut rows = Vec::new();
    for row in pixels.chunks(usize::try_from(width).unwrap() * channels) {
        rows.push(0);
        rows.extend_from_slice(row);
    }
    let mut data = vec![0x78, 0x01];
    let count = rows.chunks(65_535).count();
    for (at, part) in rows.chunks(65_535).enumerate() {
        let length = u16::try_from(part.len()).unwrap();
        data.push(u8::from(at + 1 == count));
        data.extend_from_slice(&length.to_le_bytes());
        data.extend_from_slice(&(!length).to_le_bytes());
        data.extend_from_slice(part);
    }
    let (a, b) = rows.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    data.extend_from_slice(&(b << 16 | a).to_be_bytes());
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, colours, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in [(b"IHDR", head.as_slice()), (b"IDAT", &data), (b"IEND", &[])] {
        let chunk = [name.as_slice(), body].concat();
        png.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
        png.extend_from_slice(&chunk);
        png.extend_from_slice(&crc(&chunk).to_be_bytes());
    }
    png
}

/// A PNG that says it is of that size, in a few bytes.
fn flat_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png_of(1, 1, 0, 1, &[0]);
    // The header says otherwise, with its own checksum.
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A GIF of `count` frames of that size, each a few bytes long.
pub(crate) fn gif(count: usize, width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width.to_le_bytes(), height.to_le_bytes()].map(|size| size.to_vec());
    let mut bytes = [b"GIF89a".as_slice(), &w, &h, &[0x80, 0, 0], &[0, 0, 0, 255, 255, 255]].concat();
    for _ in 0..count {
        bytes.extend([&[0x2c, 0, 0, 0, 0], w.as_slice(), &h, &[0, 2, 2, 0x44, 1, 0]].concat());
    }
    bytes.push(0x3b);
    bytes
}

#[test]
fn a_bomb_is_known_by_its_head() {
    assert_eq!(preview(Kind::Png, &flat_png(50_000, 50_000)), Err(Unusable::Bomb));
    assert_eq!(preview(Kind::Png, &flat_png(19_999, 19_999)), Err(Unusable::Bomb));
    assert_eq!(preview(Kind::Gif, &gif(1, 65_535, 65_535)), Err(Unusable::Bomb));
    assert_eq!(preview(Kind::Gif, &gif(3_000, 1, 1)), Err(Unusable::Bomb), "frames");
    assert_eq!(preview(Kind::Gif, &gif(100, 5_000, 5_000)), Err(Unusable::Bomb), "pixels of all frames");
    assert_eq!(frames(&gif(100, 10, 10)), Ok(100));
}

#[test]
fn what_is_no_picture_is_broken() {
    let png = encoded(&two_colours(64, 64), image::ImageFormat::Png);
    for (kind, bytes) in [
        (Kind::Jpeg, b"\xff\xd8\xff\xe0 and then a program".to_vec()),
        (Kind::Jpeg, png.clone()),
        (Kind::Png, png[..png.len() / 2].to_vec()),
        (Kind::Gif, b"GIF89a".to_vec()),
        (Kind::Gif, gif(0, 8, 8)),
        (Kind::WebP, b"RIFF\x24\0\0\0WEBPVP8 \0\0".to_vec()),
        (Kind::Pdf, b"%PDF-1.7".to_vec()),
    ] {
        assert_eq!(preview(kind, &bytes), Err(Unusable::Broken), "{kind:?}");
    }
}
