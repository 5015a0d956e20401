//! Well-behaved: calls every import once and says in its placement what it was told.
//!
//! `category` is `echo`; `reason` is the turn's text; the tags are `now=…`, `seed=…`, `settings=…`, `history=…`
//! (how many of the three asked for came, and the bodies) and `first-name=…` (`-` where the host says none).

use anteroom_sdk::host::{self, Level, PatientField};
use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError> {
        host::log(Level::Info, "echo was called");
        let history = host::history(3);
        let bodies: Vec<_> = history.iter().map(|m| m.body.as_str()).collect();
        let first_name = host::patient(PatientField::FirstName);
        Ok(Some(Placement {
            category: Some("echo".into()),
            tags: vec![
                format!("now={}", host::now()),
                format!("seed={}", host::seed()),
                format!("settings={}", host::settings()),
                format!("history={}:{}", history.len(), bodies.join("|")),
                format!("first-name={}", first_name.as_deref().unwrap_or("-")),
            ],
            reason: turn.text.clone(),
            ..Placement::default()
        }))
    }
}

export_routing!(Guest);
