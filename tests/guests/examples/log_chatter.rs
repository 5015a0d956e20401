//! Logs more than it may (100 lines of 2 KiB), then answers: its log is cut and marked, its decision stands.

use anteroom_sdk::host::{Level, log};
use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        let line = "x".repeat(2 << 10);
        for _ in 0..100 {
            log(Level::Debug, &line);
        }
        Ok(Some(Placement {
            category: Some("chatter".into()),
            reason: "chatter".into(),
            ..Placement::default()
        }))
    }
}

export_routing!(Guest);
