//! Takes memory until it is refused, then dies of it, as a leaking policy would.

use std::hint::black_box;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        let mut taken = Vec::new();
        loop {
            // One byte touched in each MiB: filling them all would run out of fuel before memory.
            let mut chunk = Vec::<u8>::with_capacity(1 << 20);
            chunk.push(1);
            taken.push(black_box(chunk));
        }
    }
}

export_routing!(Guest);
