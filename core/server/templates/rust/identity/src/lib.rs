//! Asks for the medical record number.

wit_bindgen::generate!({ path: "wit", world: "identity-policy" });

use anteroom::policy::{host, types::PolicyError};
use exports::anteroom::policy::identity::{
    Claim, Farewell, Guest, MatchRequest, Prompt, Step, Turn,
};
use serde::Deserialize;

const ATTEMPTS: usize = 3;

#[derive(Deserialize)]
struct Settings {
    question: String,
    thanks: String,
}

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn next(turn: Turn) -> Result<Option<Step>, PolicyError> {
        let Settings { question, thanks } =
            serde_json::from_str(&host::settings()).map_err(|error| PolicyError {
                code: "settings".into(),
                message: error.to_string(),
            })?;
        let ask = Step::Ask(Prompt {
            question: "mrn".into(),
            text: question,
        });
        let give_up = |reason: &str| {
            Step::GiveUp(Farewell {
                reason: reason.into(),
                acknowledgement: thanks.clone(),
                claims: Vec::new(),
            })
        };
        if turn.asked.is_empty() {
            return Ok(Some(ask)); // the text is the reason for texting, not an answer
        }
        if turn.text.trim().eq_ignore_ascii_case("exit") {
            return Ok(Some(give_up("exit")));
        }
        let digits: String = turn.text.chars().filter(char::is_ascii_digit).collect();
        Ok(Some(match digits.len() {
            4.. => Step::Match(MatchRequest {
                claims: vec![Claim {
                    field: "mrn".into(),
                    value: digits,
                }],
                acknowledgement: thanks,
                required: Vec::new(),
            }),
            _ if turn.asked.len() >= ATTEMPTS => give_up("attempts"),
            _ => ask,
        }))
    }
}
