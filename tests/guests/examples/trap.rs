//! Executes `unreachable`.

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        std::process::abort()
    }
}

export_routing!(Guest);
