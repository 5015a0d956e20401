//! Well-behaved until a text holds a word of its settings (`kaboom` unless they say otherwise): then it executes
//! `unreachable`. Else its category is `moody`.

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

#[derive(serde::Deserialize)]
struct Settings {
    word: Option<String>,
}

struct Guest;

impl Routing for Guest {
    type Settings = Settings;

    fn route(settings: &Self::Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError> {
        if turn.text.contains(settings.word.as_deref().unwrap_or("kaboom")) {
            std::process::abort()
        }
        let reason = "the policy under trial".into();
        Ok(Some(Placement { category: Some("moody".into()), reason, ..Placement::default() }))
    }
}

export_routing!(Guest);
