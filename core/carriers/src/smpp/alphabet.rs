//! The alphabets of short messages: GSM 03.38 (3GPP TS 23.038, 6.2.1), ISO-8859-1, UCS-2.

use super::DefaultAlphabet;
use crate::Malformed;

/// The default alphabet by its values; 0x1B is the way to the extension.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension: values and characters.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

const ESCAPE: u8 = 0x1b;

/// A septet in each octet; `None` if a character is in neither table.
pub(super) fn to_gsm7(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for wanted in text.chars() {
        if let Some(value) = BASIC.chars().position(|c| c == wanted && c != '\u{1b}') {
            octets.push(u8::try_from(value).ok()?);
        } else {
            let (value, _) = EXTENSION.into_iter().find(|(_, c)| *c == wanted)?;
            octets.extend([ESCAPE, value]);
        }
    }
    Some(octets)
}

fn from_gsm7(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut escaped = false;
    for octet in octets {
        let basic = BASIC.chars().nth(usize::from(octet & 0x7f)).unwrap_or(' ');
        if escaped {
            // An unknown one is shown as its basic character, as the specification wants.
            let extension = EXTENSION.into_iter().find(|(value, _)| value == octet);
            text.push(extension.map_or(basic, |(_, c)| c));
            escaped = false;
        } else if *octet == ESCAPE {
            escaped = true;
        } else {
            text.push(basic);
        }
    }
    text
}

/// `None` if a character is beyond U+00FF.
pub(super) fn to_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// UTF-16, high octet first: what phones make of UCS-2.
pub(super) fn to_ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Reads octets by their data coding. A piece of a text may end in the middle of a surrogate pair, which no
/// sender should do: the half is then shown as unknown.
pub(super) fn decode(coding: u8, octets: &[u8], default: DefaultAlphabet) -> Result<String, Malformed> {
    // GSM 03.38 data coding groups (3GPP TS 23.038, 4) with their alphabet in bits 2 and 3.
    let coding = match coding {
        0x10..=0x1f | 0xf0..=0xff if coding & 0x0c == 0 => 0,
        0x10..=0x1f if coding & 0x0c == 8 => 8,
        other => other,
    };
    match (coding, default) {
        (0, DefaultAlphabet::Gsm7) => Ok(from_gsm7(octets)),
        (0, DefaultAlphabet::Latin1) | (1 | 3, _) => Ok(octets.iter().copied().map(char::from).collect()),
        (8, _) if octets.len().is_multiple_of(2) => {
            let units: Vec<_> =
                octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            Ok(String::from_utf16_lossy(&units))
        }
        _ => Err(Malformed::Field("data_coding")),
    }
}

#[cfg(test)]
mod tests {
    use anteroom_model::segments;

    use super::*;

    #[test]
    fn the_table_is_whole_and_agrees_with_how_segments_are_counted() {
        assert_eq!(BASIC.chars().count(), 128);
        for c in BASIC.chars().filter(|c| *c != '\u{1b}').chain(EXTENSION.map(|(_, c)| c)) {
            let octets = to_gsm7(&c.to_string()).unwrap();
            assert_eq!(segments::septets(c), Some(octets.len()), "{c:?}");
            assert_eq!(decode(0, &octets, DefaultAlphabet::Gsm7).unwrap(), c.to_string());
        }
        for c in ['ç', '`', '😀', '\u{1b}'] {
            assert_eq!(to_gsm7(&c.to_string()), None);
        }
        assert_eq!(to_gsm7("@[é").unwrap(), [0x00, 0x1b, 0x3c, 0x05]);
    }

    #[test]
    fn other_alphabets() {
        let text = "é😀";
        assert_eq!(to_ucs2(text), [0x00, 0xe9, 0xd8, 0x3d, 0xde, 0x00]);
        assert_eq!(decode(8, &to_ucs2(text), DefaultAlphabet::Gsm7).unwrap(), text);
        assert_eq!(decode(0x18, &to_ucs2(text), DefaultAlphabet::Gsm7).unwrap(), text);
        assert_eq!(decode(3, &[0xe9, b'@'], DefaultAlphabet::Gsm7).unwrap(), "é@");
        assert_eq!(decode(0, &to_latin1("é@").unwrap(), DefaultAlphabet::Latin1).unwrap(), "é@");
        assert_eq!(decode(0xf0, &[0x05], DefaultAlphabet::Gsm7).unwrap(), "é");
        for (coding, octets) in [(8, &[0_u8][..]), (4, b"x"), (2, b"x")] {
            assert_eq!(decode(coding, octets, DefaultAlphabet::Gsm7), Err(Malformed::Field("data_coding")));
        }
    }
}
