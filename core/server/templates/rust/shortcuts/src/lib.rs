//! One saved reply: who is writing.

wit_bindgen::generate!({ path: "wit", world: "shortcuts-policy" });

use anteroom::policy::{host, patient, types::PolicyError};
use exports::anteroom::policy::shortcuts::{Context, Expansion, Guest, Shortcut};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    greeting: String,
}

fn settings() -> Result<Settings, PolicyError> {
    serde_json::from_str(&host::settings()).map_err(|error| PolicyError {
        code: "settings".into(),
        message: error.to_string(),
    })
}

struct Policy;
export!(Policy);

impl Guest for Policy {
    fn list(_context: Context) -> Result<Option<Vec<Shortcut>>, PolicyError> {
        let template = settings()?.greeting;
        Ok(Some(vec![Shortcut {
            name: "hello".into(),
            title: "Say hello".into(),
            template,
        }]))
    }

    fn expand(name: String, context: Context) -> Result<Option<Expansion>, PolicyError> {
        if name != "hello" {
            return Ok(None);
        }
        let mut body = settings()?
            .greeting
            .replace("{{staff}}", &context.staff_name);
        let mut missing = Vec::new();
        if body.contains("{{patient}}") {
            match patient::field("first-name") {
                Some(name) => body = body.replace("{{patient}}", &name),
                None => missing.push("patient".into()),
            }
        }
        Ok(Some(Expansion { body, missing }))
    }
}
