//! `application/x-www-form-urlencoded`, decoded without forgiving anything.
//!
//! Signatures are computed over what was sent, so values are bytes first: kept whole, never trimmed, and
//! turned into text only once the signature is known to be good.

use std::borrow::Cow;

use crate::inbound::{self, Malformed};

/// Borrowed where nothing was escaped.
type Bytes<'a> = Cow<'a, [u8]>;

/// Decoded pairs in the order received.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    pub(crate) pairs: Vec<(Bytes<'a>, Bytes<'a>)>,
    /// A `%` was not followed by two hexadecimal digits; it then stands for itself.
    broken_escape: bool,
}

impl<'a> Form<'a> {
    pub(crate) fn decode(raw: &'a [u8]) -> Self {
        let mut broken_escape = false;
        let pairs = raw
            .split(|b| *b == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let equals = pair.iter().position(|b| *b == b'=');
                let (name, value) = equals.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
                (unescape(name, &mut broken_escape), unescape(value, &mut broken_escape))
            })
            .collect();
        Self { pairs, broken_escape }
    }

    /// The first value of `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&[u8]> {
        self.pairs.iter().find(|(key, _)| **key == *name.as_bytes()).map(|(_, value)| &**value)
    }

    /// The pairs as text, or why they are none.
    pub(crate) fn into_text(self) -> Result<Params, Malformed> {
        if self.broken_escape {
            return Err(Malformed::Encoding);
        }
        let read = |bytes: Bytes<'_>| {
            inbound::text(String::from_utf8(bytes.into_owned()).map_err(|_| Malformed::Encoding)?)
        };
        let pairs = self.pairs.into_iter().map(|(name, value)| Ok((read(name)?, read(value)?)));
        Ok(Params(pairs.collect::<Result<_, Malformed>>()?))
    }
}

/// A carrier's parameters as clean text.
#[derive(Default)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    /// The first value of `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of `name`, if it is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.first(name).filter(|value| !value.is_empty())
    }

    /// The first value of `name`, which must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Malformed> {
        self.filled(name).ok_or(Malformed::Missing(name))
    }
}

fn unescape<'a>(raw: &'a [u8], broken: &mut bool) -> Bytes<'a> {
    if !raw.iter().any(|b| matches!(b, b'+' | b'%')) {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(nibble(*high) << 4 | nibble(*low));
                rest = after;
            }
            (b'%', _) => {
                *broken = true;
                out.push(b'%');
            }
            (byte, _) => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

/// The value of a hexadecimal digit.
fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(raw: &str) -> Result<Vec<(String, String)>, Malformed> {
        Form::decode(raw.as_bytes()).into_text().map(|params| params.0)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn values_are_kept_whole() {
        let pairs =
            decode("Body=+a%20b+%0A&From=%2B1555&Empty=&Flag&a=b=c&&%C3%A9=%F0%9F%98%80&Body=2").unwrap();
        assert_eq!(
            pairs,
            [
                pair("Body", " a b \n"),
                pair("From", "+1555"),
                pair("Empty", ""),
                pair("Flag", ""),
                pair("a", "b=c"),
                pair("é", "😀"),
                pair("Body", "2"),
            ]
        );
    }

    #[test]
    fn what_is_broken_is_refused() {
        for raw in ["a=%", "a=%4", "a=%zz", "%=1", "a=%e9", "a=%C3", "a=%ED%A0%80"] {
            assert_eq!(decode(raw), Err(Malformed::Encoding), "{raw}");
        }
        for raw in ["a=%00", "%00=a", "a=b\0"] {
            assert_eq!(decode(raw), Err(Malformed::Nul), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_url_crate(pairs in proptest::collection::vec(("[^\0]{1,8}", "[^\0]{0,20}"), 0..6)) {
            let raw = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            prop_assert_eq!(decode(&raw).unwrap(), pairs);
        }

        #[test]
        fn never_panics(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Form::decode(&raw).into_text();
        }
    }
}
