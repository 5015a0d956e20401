//! Sends a conversation to a team when its first text has one of the keywords.

wit_bindgen::generate!({ path: "wit", world: "routing-policy" });

use anteroom::policy::{host, types::PolicyError};
use exports::anteroom::policy::routing::{Guest, Placement, Turn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    keywords: Vec<String>,
    team: String,
}

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn route(turn: Turn) -> Result<Option<Placement>, PolicyError> {
        let settings: Settings =
            serde_json::from_str(&host::settings()).map_err(|error| PolicyError {
                code: "settings".into(),
                message: error.to_string(),
            })?;
        if turn
            .current
            .is_some_and(|placement| placement.team.is_some())
        {
            return Ok(None); // no opinion: it stays where it is
        }
        let text = turn.text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let found = words.find_map(|word| {
            settings
                .keywords
                .iter()
                .find(|keyword| keyword.to_lowercase() == word)
        });
        Ok(found.map(|keyword| Placement {
            team: Some(settings.team.clone()),
            facility: None,
            category: None,
            priority: None,
            tags: Vec::new(),
            reason: format!("keyword '{keyword}'"),
        }))
    }
}
