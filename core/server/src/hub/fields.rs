//! Fields that forms of the set-up share, and what is wrong with them: `field` of the problem names the one.

use anteroom_store::StoreError;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

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

/// What policies' settings call by its name.
#[derive(Clone, Copy, Debug)]
pub(super) enum NamedThing {
    Team,
    Facility,
}

impl NamedThing {
    /// How the names of settings begin that hold such a name: `team`, `night_team`, `facilities`.
    fn word(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Facility => "facilit",
        }
    }
}

/// The hooks whose policies' settings name it: they go by names, so a new name has to be entered there too.
pub(super) fn named_by(entry: &Entry, thing: NamedThing, name: &str) -> Vec<String> {
    let settings = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let mut hooks: Vec<String> = entry
        .bindings
        .iter()
        .filter(|binding| names(&settings(&binding.settings), thing.word(), name))
        .map(|binding| binding.hook.clone())
        .collect();
    hooks.sort();
    hooks.dedup();
    hooks
}

fn names(settings: &Value, word: &str, name: &str) -> bool {
    match settings {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            (key.to_lowercase().contains(word) && holds(value, name)) || names(value, word, name)
        }),
        Value::Array(items) => items.iter().any(|item| names(item, word, name)),
        _ => false,
    }
}

fn holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| holds(item, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_called_so_counts() {
        let settings = json!({
            "rules": [{ "name": "Refills", "team": "Pharmacy" }, { "night_team": "Nurses" }],
            "shown_to": { "teams": ["Billing"] },
        });
        for (name, found) in [("Pharmacy", true), ("Nurses", true), ("Billing", true), ("Refills", false)] {
            assert_eq!(names(&settings, NamedThing::Team.word(), name), found, "{name}");
        }
        assert!(!names(&settings, NamedThing::Facility.word(), "Pharmacy"));
    }
}
