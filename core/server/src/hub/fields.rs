//! Fields that forms of the set-up share, and what is wrong with them: `field` of the problem names the one.

use anteroom_store::StoreError;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};

use crate::{directory::Entry, problem::Problem};

/// Characters of a name.
const LONGEST_NAME: usize = 100;

/// A name that people read: 1 to 100 characters in one line.
pub(super) fn name(field: &str, text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(Problem::field(field, format!("{field} has 1 to 100 characters.")));
    }
    Ok(name.to_owned())
}

/// Tells null from absent.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// 409 where what was to be unique is there already.
pub(super) fn taken(error: StoreError, field: &str, detail: &'static str) -> Problem {
    match error {
        StoreError::Conflict => {
            Problem::new(StatusCode::CONFLICT, "conflict", "It is there already", detail).with("field", field)
        }
        other => other.into(),
    }
}

/// 409 where a change would be stored over somebody else's.
pub(super) fn unchanged(expected: Option<i64>, version: i64, what: &str) -> Result<(), Problem> {
    match expected {
        Some(expected) if expected != version => Err(Problem::changed(what, version)),
        _ => Ok(()),
    }
}

/// 409: something still needs it. `because` says what.
pub(super) fn in_use(because: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::CONFLICT, "in-use", "It is in use", because)
}

/// The hooks whose policies' settings name it: they go by names, so a new name has to be entered there too.
pub(super) fn named_by(entry: &Entry, name: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(name).to_string();
    let mut hooks: Vec<String> = entry
        .bindings
        .iter()
        .filter(|binding| binding.settings.contains(&quoted))
        .map(|binding| binding.hook.clone())
        .collect();
    hooks.sort();
    hooks.dedup();
    hooks
}
