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
use serde_json::{Value, json};

use crate::{CarrierKind, Rejection};

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

/// Fields of an account's credentials that webhooks are signed with: those that may overlap.
const SIGNING: &[(CarrierKind, &str)] = &[
    (CarrierKind::Twilio, "auth_token"),
    (CarrierKind::SignalWire, "signing_key"),
    (CarrierKind::Telnyx, "public_key"),
    (CarrierKind::Bandwidth, "callback_password"),
    (CarrierKind::Plivo, "auth_token"),
    (CarrierKind::Vonage, "signature_secret"),
    (CarrierKind::Sinch, "webhook_secret"),
    (CarrierKind::Infobip, "webhook_password"),
    (CarrierKind::Sandbox, "secret"),
];

/// The field of a carrier's credentials that webhooks are signed with. AWS signs with keys of its own, and a link
/// has none.
pub fn signing_field(carrier: CarrierKind) -> Option<&'static str> {
    SIGNING.iter().find(|(kind, _)| *kind == carrier).map(|(_, field)| *field)
}

/// `new` in the place of `old`, both as stored: what webhooks were signed with until `now` is taken until `until`
/// besides, and so is what was still taken before. Twilio's subaccounts overlap one by one.
pub fn overlap(carrier: CarrierKind, old: &Value, mut new: Value, now: Timestamp, until: Timestamp) -> Value {
    let Some(field) = signing_field(carrier) else { return new };
    overlap_field(field, old, &mut new, now, until);
    if let Some(Value::Array(subaccounts)) = new.get_mut("subaccounts") {
        for subaccount in subaccounts {
            let same = |other: &&Value| other["account_sid"] == subaccount["account_sid"];
            let before = old["subaccounts"].as_array().into_iter().flatten().find(same);
            if let Some(before) = before {
                overlap_field(field, before, subaccount, now, until);
            }
        }
    }
    new
}

fn overlap_field(field: &str, old: &Value, new: &mut Value, now: Timestamp, until: Timestamp) {
    let (current, previous) = forms(&old[field]);
    let (wanted, mut kept) = forms(&new[field]);
    let (Some(current), Some(wanted)) = (current, wanted) else { return };
    let still = |item: &Value| {
        let end: Option<Timestamp> = serde_json::from_value(item["until"].clone()).ok();
        end.is_some_and(|end| now < end)
    };
    kept.extend(previous.into_iter().filter(still));
    if current != wanted && now < until {
        kept.push(json!({ "secret": current, "until": until }));
    }
    kept.retain(|item| item["secret"].as_str() != Some(&wanted));
    let mut seen = Vec::new();
    kept.retain(|item| {
        let is_new = !seen.contains(&item["secret"]);
        seen.push(item["secret"].clone());
        is_new
    });
    if let Some(object) = new.as_object_mut() {
        let both = json!({ "current": wanted, "previous": kept });
        let value = if kept.is_empty() { Value::String(wanted) } else { both };
        object.insert(field.to_owned(), value);
    }
}

/// The current secret and those before it, of either form.
fn forms(value: &Value) -> (Option<String>, Vec<Value>) {
    match value {
        Value::String(current) => (Some(current.clone()), Vec::new()),
        Value::Object(both) => {
            let current = both.get("current").and_then(Value::as_str).map(str::to_owned);
            let previous = both.get("previous").and_then(Value::as_array).cloned().unwrap_or_default();
            (current, previous)
        }
        _ => (None, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn what_was_taken_is_taken_until_the_overlap_ends() {
        let (now, until) = (at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"));
        let overlap = |old: &Value, new: Value| super::overlap(CarrierKind::Twilio, old, new, now, until);
        let old = json!({ "account_sid": "AC1", "auth_token": "a" });
        let new = overlap(&old, json!({ "account_sid": "AC1", "auth_token": "b" }));
        let token: Rotating<Secret> = serde_json::from_value(new["auth_token"].clone()).unwrap();
        let accepted = |secret: &Rotating<Secret>, at| {
            secret.accepted(at).map(|secret| secret.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(accepted(&token, now), ["b", "a"]);
        assert_eq!(accepted(&token, until), ["b"]);
        // Once more within the overlap: both old ones are taken, each for as long as it was said.
        let again = overlap(&new, json!({ "account_sid": "AC1", "auth_token": "c" }));
        let token: Rotating<Secret> = serde_json::from_value(again["auth_token"].clone()).unwrap();
        let mut all = accepted(&token, now);
        all.sort();
        assert_eq!(all, ["a", "b", "c"]);
        // The same one again is no rotation, and one taken back is not its own predecessor.
        assert_eq!(overlap(&old, old.clone()), old);
        let back = overlap(&new, json!({ "account_sid": "AC1", "auth_token": "a" }));
        assert_eq!(back["auth_token"]["current"], "a");
        assert_eq!(back["auth_token"]["previous"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn subaccounts_overlap_one_by_one() {
        let (now, until) = (at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"));
        let account = |one: &str, two: &str| {
            json!({ "account_sid": "AC1", "auth_token": "m", "subaccounts": [
                { "account_sid": "AC2", "auth_token": one }, { "account_sid": "AC3", "auth_token": two } ] })
        };
        let new = super::overlap(CarrierKind::Twilio, &account("x", "y"), account("x", "z"), now, until);
        assert_eq!(new["subaccounts"][0]["auth_token"], "x");
        assert_eq!(new["subaccounts"][1]["auth_token"]["previous"][0]["secret"], "y");
    }

    #[test]
    fn every_signing_field_is_one_of_its_carrier() {
        for (carrier, field) in SIGNING {
            assert_eq!(signing_field(*carrier), Some(*field));
        }
        assert_eq!(signing_field(CarrierKind::Aws), None);
        assert_eq!(signing_field(CarrierKind::Smpp), None);
    }

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
