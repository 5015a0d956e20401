//! Logs lines of 4 KiB without end.

use anteroom_sdk::host::{Level, log};
use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        let line = "x".repeat(4 << 10);
        loop {
            log(Level::Warn, &line);
        }
    }
}

export_routing!(Guest);
