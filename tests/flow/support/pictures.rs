//! Pictures, harmless and otherwise, made where they are needed.

use std::io::Cursor;

use image::{DynamicImage, Rgb, RgbImage};

/// A photograph's noise, of about so many bytes.
pub(crate) fn photo() -> Vec<u8> {
    let mut seed = 7_u32;
    let noise = RgbImage::from_fn(2_400, 1_800, |x, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [grain, ..] = (seed >> 8).to_le_bytes();
        Rgb([grain, grain / 2, u8::try_from(x % 256).unwrap()])
    });
    let mut bytes = Cursor::new(Vec::new());
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 88);
    DynamicImage::from(noise).write_with_encoder(encoder).unwrap();
    bytes.into_inner()
}

/// A picture of one colour, as a PNG that is not compressed.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let row = [&[0_u8][..], &[9, 99, 199].repeat(usize::try_from(width).unwrap())].concat();
    let rows = row.repeat(usize::try_from(height).unwrap());
    let mut data = vec![0x78, 0x01];
    let count = rows.chunks(65_535).count();
    for (at, part) in rows.chunks(65_535).enumerate() {
        let length = u16::try_from(part.len()).unwrap();
        data.push(u8::from(at + 1 == count));
        data.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        data.extend_from_slice(part);
    }
    let (a, b) = rows.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    data.extend_from_slice(&(b << 16 | a).to_be_bytes());
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in [(b"IHDR", head.as_slice()), (b"IDAT", &data), (b"IEND", &[])] {
        let chunk = [name.as_slice(), body].concat();
        png.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
        png.extend_from_slice(&chunk);
        png.extend_from_slice(&crc(&chunk).to_be_bytes());
    }
    png
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A PNG of 50,000 × 50,000 pixels in a few hundred bytes.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    let crc = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// A GIF of 500 frames of 5,000 × 5,000 pixels in 10 KB.
pub(crate) fn gif() -> Vec<u8> {
    let size = [5_000_u16.to_le_bytes(), 5_000_u16.to_le_bytes()].concat();
    let mut bytes = [b"GIF89a".as_slice(), &size, &[0x80, 0, 0], &[0, 0, 0, 255, 255, 255]].concat();
    for _ in 0..500 {
        bytes.extend([&[0x2c, 0, 0, 0, 0], size.as_slice(), &[0, 2, 2, 0x44, 1, 0]].concat());
    }
    bytes.push(0x3b);
    bytes
}
