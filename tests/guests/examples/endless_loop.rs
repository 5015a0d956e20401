//! Never returns: ends by fuel, or by wall time where fuel is plenty.

use std::hint::black_box;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError> {
        loop {
            black_box(turn);
        }
    }
}

export_routing!(Guest);
