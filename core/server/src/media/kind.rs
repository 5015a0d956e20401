//! What a file is, by its bytes. What the carrier or a browser calls it counts for nothing: a file of a kind that
//! is not in this list is not taken, and one that is is checked for being just that.

use std::str;

/// A kind of file that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Pictures with a preview.
    Jpeg,
    /// Likewise.
    Png,
    /// Likewise, of its first frame.
    Gif,
    /// Likewise.
    WebP,
    /// What iPhones take pictures in; kept as it is.
    Heic,
    /// Documents.
    Pdf,
    /// Sound.
    Amr,
    /// Sound.
    Mp3,
    /// Sound.
    M4a,
    /// Sound.
    Ogg,
    /// Sound.
    Wav,
    /// Film.
    ThreeGp,
    /// Film.
    Mp4,
    /// Contact cards.
    VCard,
    /// Text.
    Text,
}

impl Kind {
    /// Its MIME type, as it is stored and served.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Heic => "image/heic",
            Self::Pdf => "application/pdf",
            Self::Amr => "audio/amr",
            Self::Mp3 => "audio/mpeg",
            Self::M4a => "audio/mp4",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::ThreeGp => "video/3gpp",
            Self::Mp4 => "video/mp4",
            Self::VCard => "text/vcard",
            Self::Text => "text/plain",
        }
    }

    /// The end of a file's name, with its dot, for a MIME type of this list.
    pub fn extension(mime: &str) -> &'static str {
        match mime {
            "image/jpeg" => ".jpg",
            "image/png" => ".png",
            "image/gif" => ".gif",
            "image/webp" => ".webp",
            "image/heic" => ".heic",
            "application/pdf" => ".pdf",
            "audio/amr" => ".amr",
            "audio/mpeg" => ".mp3",
            "audio/mp4" => ".m4a",
            "audio/ogg" => ".ogg",
            "audio/wav" => ".wav",
            "video/3gpp" => ".3gp",
            "video/mp4" => ".mp4",
            "text/vcard" => ".vcf",
            "text/plain" => ".txt",
            _ => "",
        }
    }

    /// Whether it is decoded for a preview, and not taken where that fails.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Gif | Self::WebP)
    }

    /// What `bytes` are, if that is taken.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        binary(bytes).or_else(|| written(bytes))
    }
}

fn binary(bytes: &[u8]) -> Option<Kind> {
    let begins = |signature: &[u8]| bytes.starts_with(signature);
    let at_8 = |word: &[u8]| bytes.get(8..8 + word.len()) == Some(word);
    if begins(b"\xff\xd8\xff") {
        return Some(Kind::Jpeg);
    }
    if begins(b"\x89PNG\r\n\x1a\n") {
        return Some(Kind::Png);
    }
    if begins(b"GIF87a") || begins(b"GIF89a") {
        return Some(Kind::Gif);
    }
    if begins(b"RIFF") && at_8(b"WEBPVP8") {
        return Some(Kind::WebP);
    }
    if begins(b"RIFF") && at_8(b"WAVEfmt ") {
        return Some(Kind::Wav);
    }
    if begins(b"%PDF-1.") || begins(b"%PDF-2.") {
        return Some(Kind::Pdf);
    }
    if begins(b"#!AMR\n") || begins(b"#!AMR-WB\n") {
        return Some(Kind::Amr);
    }
    // Version 0, and the page that a stream begins with.
    if begins(b"OggS\0\x02") {
        return Some(Kind::Ogg);
    }
    if is_mp3(bytes) {
        return Some(Kind::Mp3);
    }
    iso_media(bytes)
}

/// A tag of the second version of ID3, or two frames of MPEG audio, layer III, one after the other.
fn is_mp3(bytes: &[u8]) -> bool {
    if let [b'I', b'D', b'3', 2..=4, _, _, a, b, c, d, ..] = bytes {
        return [a, b, c, d].iter().all(|size| **size < 0x80);
    }
    let Some(length) = mp3_frame(bytes) else { return false };
    bytes.get(length..).and_then(mp3_frame).is_some()
}

/// The length of the frame that `bytes` begin with (ISO 11172-3, 2.4.2.3).
fn mp3_frame(bytes: &[u8]) -> Option<usize> {
    const V1: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [0xff, second, third, ..] = *bytes else { return None };
    // Synchronisation, a version that isn't reserved, layer III.
    let version = (second >> 3) & 3;
    if second & 0xe0 != 0xe0 || version == 1 || (second >> 1) & 3 != 1 {
        return None;
    }
    let (rates, per_frame, divisor) = if version == 3 { (V1, 144, 1) } else { (V2, 72, 2) };
    let rate = rates.get(usize::from(third >> 4)).copied().filter(|rate| *rate > 0)?;
    let sampling = [44_100, 48_000, 32_000].get(usize::from((third >> 2) & 3))? / divisor;
    // MPEG 2.5 halves it once more.
    let sampling = if version == 0 { sampling / 2 } else { sampling };
    Some(per_frame * rate * 1000 / sampling + usize::from((third >> 1) & 1))
}

/// ISO base media (`ftyp`): what its major brand says, or the first of the compatible ones that says something.
fn iso_media(bytes: &[u8]) -> Option<Kind> {
    let [a, b, c, d, b'f', b't', b'y', b'p', ..] = *bytes else { return None };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    if !(16..=512).contains(&length) || length % 4 != 0 {
        return None;
    }
    let brands = bytes.get(8..length)?.chunks_exact(4);
    // The second is a version and no brand.
    brands.enumerate().filter(|(at, _)| *at != 1).find_map(|(_, brand)| match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => Some(Kind::Heic),
        b"M4A " | b"M4B " => Some(Kind::M4a),
        [b'3', b'g', b'p' | b'2' | b'g' | b'r' | b's' | b'e', _] => Some(Kind::ThreeGp),
        b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" | b"M4V " | b"M4VH"
        | b"M4VP" | b"MSNV" | b"dash" => Some(Kind::Mp4),
        _ => None,
    })
}

/// Text of people's: UTF-8 (or UTF-8 with its mark), no control characters, nothing that a browser would take for
/// a page or a drawing, nothing that a shell would run.
fn written(bytes: &[u8]) -> Option<Kind> {
    let text = str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.trim_start();
    let plain = |c: char| matches!(c, '\t' | '\n' | '\r') || !c.is_control();
    if start.is_empty() || !text.chars().all(plain) || start.starts_with("#!") {
        return None;
    }
    if start.get(..11).is_some_and(|word| word.eq_ignore_ascii_case("BEGIN:VCARD")) {
        let ends = text.trim_end();
        let end = ends.len().checked_sub(9).and_then(|at| ends.get(at..));
        return end.is_some_and(|end| end.eq_ignore_ascii_case("END:VCARD")).then_some(Kind::VCard);
    }
    (!looks_like_markup(start)).then_some(Kind::Text)
}

/// The beginnings that browsers look for (<https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type>),
/// and scripts anywhere.
fn looks_like_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with('<')
        || ["<script", "<html", "<!doctype", "<svg", "<iframe", "<body", "javascript:"]
            .iter()
            .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ftyp(major: &str, compatible: &[&str]) -> Vec<u8> {
        let length = u32::try_from(16 + 4 * compatible.len()).unwrap();
        let mut bytes = [&length.to_be_bytes()[..], b"ftyp", major.as_bytes(), &[0, 0, 2, 0]].concat();
        bytes.extend_from_slice(compatible.concat().as_bytes());
        bytes.extend_from_slice(b"\0\0\0\x08mdat");
        bytes
    }

    #[test]
    fn what_is_taken_is_known_by_its_bytes() {
        // MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame.
        let mut mp3 = vec![0_u8; 900];
        for at in [0, 417] {
            mp3[at..at + 4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
        }
        let cases: Vec<(Vec<u8>, Kind)> = vec![
            (b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), Kind::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Kind::Png),
            (b"GIF89a\x01\0\x01\0".to_vec(), Kind::Gif),
            (b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(), Kind::WebP),
            (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0".to_vec(), Kind::Wav),
            (b"%PDF-1.7\n%\xe2\xe3".to_vec(), Kind::Pdf),
            (b"#!AMR\n\x3c".to_vec(), Kind::Amr),
            (b"OggS\0\x02\0\0".to_vec(), Kind::Ogg),
            (b"ID3\x04\0\0\0\0\x01\x7f".to_vec(), Kind::Mp3),
            (mp3, Kind::Mp3),
            (ftyp("heic", &["mif1", "heic"]), Kind::Heic),
            (ftyp("mif1", &["mif1", "heic"]), Kind::Heic),
            (ftyp("M4A ", &["mp42", "isom"]), Kind::M4a),
            (ftyp("3gp5", &["isom", "3gp4"]), Kind::ThreeGp),
            (ftyp("mp42", &["isom", "mp41"]), Kind::Mp4),
            (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana\r\nEND:VCARD\r\n".to_vec(), Kind::VCard),
            ("Grüße\n".as_bytes().to_vec(), Kind::Text),
            (b"2 < 3 and 4 > 3".to_vec(), Kind::Text),
        ];
        for (bytes, kind) in cases {
            assert_eq!(Kind::of(&bytes), Some(kind));
            assert!(!Kind::extension(kind.mime()).is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        let cases: &[&[u8]] = &[
            b"",
            b" \n",
            b"\x7fELF\x02\x01\x01",
            b"MZ\x90\0\x03",
            b"PK\x03\x04\x14\0",
            b"\x1f\x8b\x08\0",
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a\x07",
            b"\xca\xfe\xba\xbe",
            b"\0asm\x01\0\0\0",
            b"#!/bin/sh\nrm -rf /",
            b"<!DOCTYPE html><html>",
            b"  <svg xmlns='http://www.w3.org/2000/svg'>",
            b"<?xml version='1.0'?><svg/>",
            b"hello <SCRIPT>alert(1)</SCRIPT>",
            b"BEGIN:VCARD\r\nFN:Ana\r\n",
            b"II*\0\x08\0",
            b"BM\x36\0",
            b"RIFF\x24\0\0\0AVI LIST",
            b"\x1aE\xdf\xa3",
            b"text with\0 a NUL",
            b"\xff\xfe<\0s\0",
            b"\x89PNG\n",
            b"\xff\xfb\x90\0 one frame and then nothing",
            b"\0\0\0\x14ftypevil\0\0\0\0evil",
            b"\0\0\0\x10ftyp",
            b"{\\rtf1 \x01}",
        ];
        for bytes in cases {
            assert_eq!(Kind::of(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
