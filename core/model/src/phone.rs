//! Addresses that can be texted: E.164 numbers and short codes, parsed at the edge.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest text [`Address::parse_lenient`] looks at: a number with every separator people use is
/// far shorter.
const MAX_INPUT: usize = 40;

/// NANP area codes of toll-free numbers (FCC, 47 CFR 52.101).
const TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];

/// Who a text comes from or goes to: an E.164 number (`+15558675310`) or a short code (`24733`).
///
/// Holding one means that it is well-formed; there is one spelling per number, so equality is textual.
/// `Display` and serde give the whole number, `Debug` only its ends, so that a stray `{:?}` leaks nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Box<str>);

/// The two kinds of [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// `+` and 2 to 15 digits, the first not 0 (ITU-T E.164).
    E164,
    /// 5 or 6 digits without `+`, leased from a national registry.
    ShortCode,
}

/// Text that is no address. Does not repeat the text: it may be somebody's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: expected E.164 such as +18005550100, or a short code of 5 or 6 digits")]
pub struct AddressError;

impl Address {
    /// Reads the canonical form: `^\+[1-9]\d{1,14}$`, or 5–6 digits for a short code.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let well_formed = match text.strip_prefix('+') {
            Some(number) => is_international(number),
            None => is_digits(text) && matches!(text.len(), 5 | 6) && !text.starts_with('0'),
        };
        if well_formed { Ok(Self(text.into())) } else { Err(AddressError) }
    }

    /// Reads what carriers, imports and people write: also with spaces, hyphens, dots or parentheses, with
    /// `00` or nothing instead of `+`.
    ///
    /// Without `+`, ten digits are a North American number, as are eleven that begin with 1; 8 to 15 others
    /// are taken to begin with their country code.
    pub fn parse_lenient(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_INPUT {
            return Err(AddressError);
        }
        let text = text.trim();
        let (plus, rest) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits: String = rest.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        if !is_digits(&digits) {
            return Err(AddressError);
        }
        if plus {
            return Self::parse(&format!("+{digits}"));
        }
        match digits.len() {
            // Separators inside five digits are no short code but part of something else.
            5 | 6 if digits.len() == rest.len() => Self::parse(&digits),
            10 if is_nanp(&digits) => Self::parse(&format!("+1{digits}")),
            11.. if digits.starts_with("00") => Self::parse(&format!("+{}", &digits[2..])),
            8..=15 => Self::parse(&format!("+{digits}")),
            _ => Err(AddressError),
        }
    }

    /// The canonical text: `+15558675310` or `24733`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which of the two it is.
    pub fn kind(&self) -> AddressKind {
        if self.0.starts_with('+') { AddressKind::E164 } else { AddressKind::ShortCode }
    }

    /// Whether this is a short code.
    pub fn is_short_code(&self) -> bool {
        self.kind() == AddressKind::ShortCode
    }

    /// Whether this is a North American number (`+1` and ten digits): the 10DLC and toll-free
    /// registration rules apply to texts to these.
    pub fn is_north_american(&self) -> bool {
        self.0.strip_prefix("+1").is_some_and(is_nanp)
    }

    /// Whether this is a North American toll-free number: 800, 833, 844, 855, 866, 877 or 888.
    pub fn is_toll_free(&self) -> bool {
        self.is_north_american() && TOLL_FREE.contains(&&self.0[2..5])
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_international(digits: &str) -> bool {
    is_digits(digits) && (2..=15).contains(&digits.len()) && !digits.starts_with('0')
}

/// Ten digits whose area code does not begin with 0 or 1. The exchange code is left alone: fictional and
/// test numbers (555-0100) use codes that real subscribers never get.
fn is_nanp(digits: &str) -> bool {
    digits.len() == 10 && is_digits(digits) && digits.as_bytes()[0] >= b'2'
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    /// The first and the last digits: `Address(+1…10)`. A short code keeps only its last two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = if self.is_short_code() { "" } else { &self.0[..2] };
        // A number of a few digits has no room to hide any.
        let tail = if self.0.len() >= 5 { &self.0[self.0.len() - 2..] } else { "" };
        write!(f, "Address({head}…{tail})")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl AsRef<str> for Address {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    /// Strict: [`Address::parse`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn strict_form_is_e164_or_a_short_code() {
        for text in ["+15558675310", "+12", "+491701234567", "+123456789012345", "24733", "892046"] {
            assert_eq!(address(text).to_string(), text);
        }
        let bad = [
            "",
            "+",
            "+1",
            "+0123456",
            "+1234567890123456",
            "15558675310",
            "+1 5558675310",
            "+1555867531O",
            "1234",
            "1234567",
            "024733",
            "+1５５５８６７５３１０",
            "+15558675310\0",
            "++15558675310",
            "-24733",
        ];
        for text in bad {
            assert_eq!(Address::parse(text), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn lenient_form_supplies_what_is_left_out() {
        let cases = [
            ("5558675310", "+15558675310"),
            ("15558675310", "+15558675310"),
            (" 15558675310", "+15558675310"), // a form's `+` that was not escaped arrives as a space
            ("(555) 867-5310", "+15558675310"),
            ("+1 (555) 867-5310", "+15558675310"),
            ("1.555.867.5310", "+15558675310"),
            ("491701234567", "+491701234567"),
            ("00491701234567", "+491701234567"),
            ("+44 20 7946 0958", "+442079460958"),
            ("24733", "24733"),
        ];
        for (text, expected) in cases {
            assert_eq!(Address::parse_lenient(text).map(|a| a.to_string()), Ok(expected.into()), "{text:?}");
        }
        let bad = [
            "",
            "anonymous",
            "whatsapp:+15558675310",
            "867-5310",
            "24 733",
            "0123456789",
            "1234567890123456",
            "+1555867531x",
            "555867\u{0}5310",
            "1555867531012345678901234567890123456789012345",
        ];
        for text in bad {
            assert_eq!(Address::parse_lenient(text), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn toll_free_and_north_american() {
        for code in TOLL_FREE {
            assert!(address(&format!("+1{code}5550100")).is_toll_free());
        }
        for text in ["+18225550100", "+15558675310", "+448001234567", "+1800555010", "80055", "+18005550"] {
            assert!(!address(text).is_toll_free(), "{text}");
        }
        assert!(address("+15558675310").is_north_american());
        assert!(!address("+11234567890").is_north_american());
        assert!(!address("24733").is_north_american());
    }

    #[test]
    fn debug_hides_the_middle() {
        assert_eq!(format!("{:?}", address("+15558675342")), "Address(+1…42)");
        assert_eq!(format!("{:?}", address("24733")), "Address(…33)");
        assert_eq!(format!("{:?}", address("+12")), "Address(+1…)");
        let error = serde_json::from_str::<Address>("\"555-867-5342\"").unwrap_err().to_string();
        assert!(!error.contains("5342"), "{error}");
    }

    #[test]
    fn serde_is_the_text() {
        let json = serde_json::to_string(&address("+15558675310")).unwrap();
        assert_eq!(json, "\"+15558675310\"");
        assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address("+15558675310"));
    }

    proptest! {
        #[test]
        fn lenient_never_panics_and_gives_canonical_text(text in ".{0,30}") {
            if let Ok(address) = Address::parse_lenient(&text) {
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address.clone()));
                let shown = format!("{address:?}");
                prop_assert!(!shown.contains(&address.as_str()[2..]));
            }
        }

        #[test]
        fn canonical_text_survives_lenient(text in r"\+[1-9][0-9]{6,14}|[1-9][0-9]{4,5}") {
            prop_assert_eq!(Address::parse_lenient(&text).unwrap().to_string(), text);
        }
    }
}
