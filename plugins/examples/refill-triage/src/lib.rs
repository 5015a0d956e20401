//! Refill requests to one team, by how long they can wait and who has to look at them.

wit_bindgen::generate!({ path: "../../../wit", world: "routing-policy" });

use anteroom::policy::{host, types::PolicyError};
use exports::anteroom::policy::routing::{Guest, Placement, Turn};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    team: String,
    request_words: Vec<String>,
    #[serde(default)]
    urgent_words: Vec<String>,
    #[serde(default)]
    reviewed_medicines: Vec<String>,
    #[serde(default = "review")]
    review_tag: String,
}

fn review() -> String {
    "prescriber-review".to_owned()
}

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn route(turn: Turn) -> Result<Option<Placement>, PolicyError> {
        let settings: Settings = serde_json::from_str(&host::settings())
            .map_err(|error| PolicyError { code: "settings".into(), message: error.to_string() })?;
        let words = words(&turn.text);
        let current = turn.current.as_ref();
        let already = current.is_some_and(|placement| placement.category.as_deref() == Some("refill"));
        if current.is_some_and(|placement| placement.category.is_some()) && !already {
            return Ok(None); // about something else, says whoever placed it
        }
        let medicine = find(&settings.reviewed_medicines, &words);
        let urgent = find(&settings.urgent_words, &words);
        let asked = find(&settings.request_words, &words);
        // "I'm out of oxycodone" names no refill, and is one.
        let Some(reason) = asked.or(medicine).or(urgent.filter(|_| already)) else { return Ok(None) };
        let raised = urgent.map(|word| format!(", '{word}' can't wait")).unwrap_or_default();
        let tagged = medicine.map(|word| format!(", '{word}' needs a look")).unwrap_or_default();
        if already && urgent.is_none() && medicine.is_none() {
            return Ok(None);
        }
        Ok(Some(Placement {
            team: Some(settings.team),
            facility: None,
            category: Some("refill".into()),
            // A later text may raise it, and doesn't lower it.
            priority: match (urgent, already) {
                (Some(_), _) => Some("high".into()),
                (None, false) => Some("normal".into()),
                (None, true) => None,
            },
            tags: medicine.map(|_| settings.review_tag).into_iter().collect(),
            reason: format!("refill: '{reason}'{raised}{tagged}"),
        }))
    }
}

/// Lower case, without the accents of Spanish.
fn words(text: &str) -> Vec<String> {
    let plain = |c: char| match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    };
    let text: String = text.to_lowercase().chars().filter(|&c| c != '\'' && c != '’').map(plain).collect();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The first of the list that is in the text, a phrase as its words in a row.
fn find<'a>(list: &'a [String], text: &[String]) -> Option<&'a String> {
    list.iter().find(|phrase| {
        let phrase = words(phrase);
        !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase.as_slice())
    })
}
