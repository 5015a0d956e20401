//! JSON bodies: read once they are known to be genuine.

use anteroom_model::time::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::inbound::{self, Malformed};

/// Reads a body of UTF-8 JSON. Unknown fields are ignored: carriers add them without notice.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    let json = std::str::from_utf8(body).map_err(|_| Malformed::Encoding)?;
    serde_json::from_str(json).map_err(|_| Malformed::Json)
}

/// The field `name`, which must be there and not be empty.
pub(crate) fn required(name: &'static str, value: Option<String>) -> Result<String, Malformed> {
    inbound::text(value.filter(|value| !value.is_empty()).ok_or(Malformed::Missing(name))?)
}

/// An RFC 3339 moment that is only told, never relied on: what can't be read is none.
pub(crate) fn moment(text: Option<&str>) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text?.trim().parse().ok()?;
    Some(Timestamp::from_micros(moment.as_microsecond()))
}

/// A code that carriers write as number or as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Text(String),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Number(number) => number.to_string(),
            Either::Text(text) => text,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbers_or_texts() {
        let codes: Vec<Code> = serde_json::from_str(r#"[40300, "40300", "THROTTLED", -1]"#).unwrap();
        let codes: Vec<_> = codes.iter().map(|code| code.0.as_str()).collect();
        assert_eq!(codes, ["40300", "40300", "THROTTLED", "-1"]);
    }

    #[test]
    fn moments_may_be_missing() {
        assert_eq!(
            moment(Some("2026-11-22T10:00:00+02:00")).unwrap().to_string(),
            "2026-11-22T08:00:00.000000Z"
        );
        assert_eq!(moment(Some("yesterday")), None);
        assert_eq!(moment(None), None);
    }
}
