//! Looking at a picture: how large it is, and a smaller one of it that says nothing but what is seen. Pure: what it
//! may cost is limited by its own checks, and again by the process that it runs in ([`super::preview`]).

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageEncoder, ImageReader, Limits, RgbImage,
    RgbaImage, codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use zune_png::{
    PngDecoder,
    zune_core::{
        bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions, result::DecodingResult,
    },
};

use super::kind::Kind;

/// Pixels of a picture that is decoded. Telephones have up to 50 megapixels where nobody asks for more.
const MOST_PIXELS: u64 = 50_000_000;
/// Pixels of a side.
const LONGEST_SIDE: u32 = 20_000;
/// What a decoder may allocate: 8 bytes a pixel.
const MOST_BYTES: u64 = 8 * MOST_PIXELS;
/// Pixels of all frames of an animation together: what a browser may have to hold.
const MOST_PIXELS_OF_FRAMES: u64 = 8 * MOST_PIXELS;
/// Frames of an animation.
const MOST_FRAMES: u32 = 2_000;
/// Longest side of a preview.
const PREVIEW: u32 = 1_280;
/// Of a preview, from 0 to 100.
const QUALITY: u8 = 82;

/// What staff see before they fetch the original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preview {
    /// JPEG, without metadata.
    pub(super) jpeg: Vec<u8>,
    /// Of the original, as it is looked at.
    pub(super) width: u32,
    /// Likewise.
    pub(super) height: u32,
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is no picture of this kind, or a broken one.
    Broken,
    /// It would be far larger than its file.
    Bomb,
}

/// A preview of the picture in `bytes`, which are of the kind `kind`.
pub(super) fn preview(kind: Kind, bytes: &[u8]) -> Result<Preview, Unusable> {
    let format = match kind {
        Kind::Png => {
            let picture = png(bytes)?;
            let (width, height) = (picture.width(), picture.height());
            let (small, _) = smaller(picture, width, height, image::metadata::Orientation::NoTransforms);
            return Ok(Preview { jpeg: encode(small)?, width, height });
        }
        Kind::Jpeg => image::ImageFormat::Jpeg,
        Kind::Gif => {
            frames(bytes)?;
            image::ImageFormat::Gif
        }
        Kind::WebP => image::ImageFormat::WebP,
        _ => return Err(Unusable::Broken),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| unusable(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_BYTES {
        return Err(Unusable::Bomb);
    }
    if width == 0 || height == 0 {
        return Err(Unusable::Broken);
    }
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| unusable(&error))?;
    let (small, turned) = smaller(picture, width, height, orientation);
    Ok(Preview { jpeg: encode(small)?, width: turned.0, height: turned.1 })
}

/// A PNG, of 8 bits a colour. (By another decoder than the others': that of `image` would change the features of a
/// crate that the policies' engine is built with.)
fn png(bytes: &[u8]) -> Result<DynamicImage, Unusable> {
    let side = usize::try_from(LONGEST_SIDE).unwrap_or(usize::MAX);
    let options = DecoderOptions::new_safe()
        .set_max_width(side)
        .set_max_height(side)
        .inflate_set_limit(usize::try_from(MOST_BYTES).unwrap_or(usize::MAX))
        .png_set_confirm_crc(true)
        .png_set_strip_to_8bit(true)
        .png_set_decode_animated(false);
    let mut decoder = PngDecoder::new_with_options(ZCursor::new(bytes), options);
    let headers = decoder.decode_headers();
    // Its error for what is too large is a text like others; the head says it as well.
    let side = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
    let (Some(width), Some(height)) = (side(16), side(20)) else { return Err(Unusable::Broken) };
    if width.max(height) > LONGEST_SIDE || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Unusable::Bomb);
    }
    headers.map_err(|_| Unusable::Broken)?;
    let Ok(DecodingResult::U8(pixels)) = decoder.decode() else { return Err(Unusable::Broken) };
    let picture = match decoder.colorspace() {
        Some(ColorSpace::Luma) => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::LumaA) => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::RGB) => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        Some(ColorSpace::RGBA) => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => None,
    };
    picture.ok_or(Unusable::Broken)
}

/// Scaled down, and turned as it is looked at; with the original's size, turned likewise.
fn smaller(
    picture: DynamicImage,
    width: u32,
    height: u32,
    orientation: image::metadata::Orientation,
) -> (DynamicImage, (u32, u32)) {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    // The filter works on whole copies: a very large picture is first made smaller by a cheaper one.
    let mut small = picture;
    if width.max(height) > 4 * PREVIEW {
        small = small.thumbnail(2 * PREVIEW, 2 * PREVIEW);
    }
    if width.max(height) > PREVIEW {
        small = small.resize(PREVIEW, PREVIEW, FilterType::Triangle);
    }
    small.apply_orientation(orientation);
    let sideways = matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH);
    (small, if sideways { (height, width) } else { (width, height) })
}

/// JPEG, of 8 bits; what is transparent is white.
fn encode(picture: DynamicImage) -> Result<Vec<u8>, Unusable> {
    let flat = if picture.color().has_alpha() {
        let with_alpha = picture.to_rgba8();
        let mut flat = RgbImage::new(with_alpha.width(), with_alpha.height());
        for (to, from) in flat.pixels_mut().zip(with_alpha.pixels()) {
            let [r, g, b, alpha] = from.0.map(u16::from);
            let over_white =
                |colour: u16| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
            to.0 = [r, g, b].map(over_white);
        }
        flat
    } else {
        picture.into_rgb8()
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(&flat, flat.width(), flat.height(), image::ExtendedColorType::Rgb8)
        .map_err(|_| Unusable::Broken)?;
    Ok(jpeg)
}

fn unusable(error: &image::ImageError) -> Unusable {
    if matches!(error, image::ImageError::Limits(_)) { Unusable::Bomb } else { Unusable::Broken }
}

/// Walks through the blocks of a GIF without decoding one: how many frames there are, and how large together.
/// <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>.
fn frames(bytes: &[u8]) -> Result<u32, Unusable> {
    let mut rest = Blocks(bytes);
    let [width, height] = rest.screen().ok_or(Unusable::Broken)?;
    let (mut count, mut pixels) = (0_u32, u64::from(width) * u64::from(height));
    if pixels > MOST_PIXELS {
        return Err(Unusable::Bomb);
    }
    // A file that ends without its end is shown by browsers as far as it goes.
    while let Some(block) = rest.byte() {
        match block {
            0x2c => {
                let [width, height] = rest.frame().ok_or(Unusable::Broken)?;
                count += 1;
                pixels += u64::from(width) * u64::from(height);
                if count > MOST_FRAMES || pixels > MOST_PIXELS_OF_FRAMES {
                    return Err(Unusable::Bomb);
                }
            }
            0x21 => {
                rest.byte();
                rest.skip_parts();
            }
            0x3b => break,
            _ => return Err(Unusable::Broken),
        }
    }
    if count == 0 { Err(Unusable::Broken) } else { Ok(count) }
}

struct Blocks<'a>(&'a [u8]);

impl Blocks<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    /// Signature, width and height, and the colours that all frames share.
    fn screen(&mut self) -> Option<[u16; 2]> {
        self.skip(6);
        let size = self.size()?;
        let flags = self.byte()?;
        self.skip(2);
        self.skip_colours(flags);
        Some(size)
    }

    /// A frame's place, size and colours, and then its data.
    fn frame(&mut self) -> Option<[u16; 2]> {
        self.skip(4);
        let size = self.size()?;
        let flags = self.byte()?;
        self.skip_colours(flags);
        self.byte()?;
        self.skip_parts();
        Some(size)
    }

    fn size(&mut self) -> Option<[u16; 2]> {
        let [a, b, c, d] = [self.byte()?, self.byte()?, self.byte()?, self.byte()?];
        Some([u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])])
    }

    fn skip_colours(&mut self, flags: u8) {
        if flags & 0x80 != 0 {
            self.skip(3 << ((flags & 7) + 1));
        }
    }

    /// Parts with their length before them, up to one of length 0.
    fn skip_parts(&mut self) {
        while let Some(length) = self.byte().filter(|length| *length > 0) {
            self.skip(usize::from(length));
        }
    }
}

#[cfg(test)]
mod tests;
