//! Answers a text that has one of the keywords.

wit_bindgen::generate!({ path: "wit", world: "replies-policy" });

use anteroom::policy::{host, types::PolicyError};
use exports::anteroom::policy::replies::{AutomaticReply, Guest, Turn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    keywords: Vec<String>,
    body: String,
}

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn reply(turn: Turn) -> Result<Option<Vec<AutomaticReply>>, PolicyError> {
        let settings: Settings =
            serde_json::from_str(&host::settings()).map_err(|error| PolicyError {
                code: "settings".into(),
                message: error.to_string(),
            })?;
        let text = turn.text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let found = words.find_map(|word| {
            settings
                .keywords
                .iter()
                .find(|keyword| keyword.to_lowercase() == word)
        });
        Ok(found.map(|keyword| {
            vec![AutomaticReply {
                body: settings.body.clone(),
                throttle_key: "NAME".into(), // sent once within the throttle time
                reason: format!("keyword '{keyword}'"),
            }]
        }))
    }
}
