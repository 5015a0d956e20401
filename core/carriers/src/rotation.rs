//! Secrets that are being changed: the new one and, until a moment that is named, the old one.
//!
//! Every secret that a carrier signs its webhooks with is read as one of
//!
//! ```json
//! "the-secret"
//! { "current": "the-new-secret",
//!   "previous": [ { "secret": "the-old-secret", "until": "2026-12-01T00:00:00Z" } ] }
//! ```
//!
//! so that deliveries signed before the carrier switches are still taken, and none signed with the old
//! secret are after the overlap. What Anteroom itself sends is always signed with the current one.

use std::{fmt, marker::PhantomData, ops::Deref};

use anteroom_model::time::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value},
};

use crate::Rejection;

/// A secret with those that it replaces. Dereferences to the current one.
#[derive(Clone, Debug)]
pub struct Rotating<T> {
    current: T,
    previous: Vec<Previous<T>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Previous<T> {
    secret: T,
    until: Timestamp,
}

impl<T> Rotating<T> {
    /// One that replaces none.
    pub const fn new(current: T) -> Self {
        Self { current, previous: Vec::new() }
    }

    /// What a delivery received at `at` may be signed with, likeliest first.
    pub fn accepted(&self, at: Timestamp) -> impl Iterator<Item = &T> {
        let previous = self.previous.iter().filter(move |previous| at < previous.until);
        std::iter::once(&self.current).chain(previous.map(|previous| &previous.secret))
    }

    /// Whether `check` holds for one of the accepted secrets; if not, the signature is invalid.
    pub(crate) fn verify(&self, at: Timestamp, check: impl FnMut(&T) -> bool) -> Result<(), Rejection> {
        if self.accepted(at).any(check) { Ok(()) } else { Err(Rejection::SignatureInvalid) }
    }
}

impl<T> Deref for Rotating<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.current
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rotating<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms(PhantomData))
    }
}

/// Reads both forms; unlike serde's untagged enums it keeps the reason why one can't be read.
struct Forms<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Forms<T> {
    type Value = Rotating<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret, or an object with `current` and `previous`")
    }

    fn visit_str<E: de::Error>(self, secret: &str) -> Result<Self::Value, E> {
        T::deserialize(value::StrDeserializer::new(secret)).map(Rotating::new)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, bound = "T: Deserialize<'de>")]
        struct Both<T> {
            current: T,
            previous: Vec<Previous<T>>,
        }
        let Both { current, previous } = Both::deserialize(value::MapAccessDeserializer::new(map))?;
        Ok(Rotating { current, previous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn at(text: &str) -> Timestamp {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn the_old_secret_ends_when_it_says() {
        let json = r#"{"current":"new","previous":[{"secret":"old","until":"2026-12-01T00:00:00Z"}]}"#;
        let secret: Rotating<Secret> = serde_json::from_str(json).unwrap();
        let accepted = |at| secret.accepted(at).map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(accepted(at("2026-11-30T23:59:59.999999Z")), ["new", "old"]);
        assert_eq!(accepted(at("2026-12-01T00:00:00Z")), ["new"]);
        assert_eq!(secret.expose(), "new");
    }

    #[test]
    fn one_secret_is_just_a_text() {
        let secret: Rotating<Secret> = serde_json::from_str(r#""only""#).unwrap();
        assert_eq!(secret.accepted(Timestamp::from_micros(0)).count(), 1);
    }

    #[test]
    fn an_overlap_without_an_end_is_none() {
        for (json, reason) in [
            (r#"{"current":"n","previous":[{"secret":"o"}]}"#, "missing field `until`"),
            (r#"{"current":"n"}"#, "missing field `previous`"),
            (r#"{"current":"","previous":[]}"#, "not empty"),
            (r#""""#, "not empty"),
            (r#"{"current":"n","previous":[],"next":"x"}"#, "unknown field `next`"),
        ] {
            let error = serde_json::from_str::<Rotating<Secret>>(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
