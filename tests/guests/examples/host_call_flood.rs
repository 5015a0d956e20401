//! Asks the host without end, cheap questions and dear ones.

use std::hint::black_box;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing, host};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        loop {
            black_box(host::now());
            black_box(host::history(50));
        }
    }
}

export_routing!(Guest);
