//! Gives a reason of 4 MiB.

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        Ok(Some(Placement { reason: "x".repeat(4 << 20), ..Placement::default() }))
    }
}

export_routing!(Guest);
