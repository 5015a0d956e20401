//! Calls itself ten million deep without touching memory: what it exhausts is the host's call stack.

use std::hint::black_box;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

/// Not a tail call, and no sum that a compiler could turn into a loop.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 { 1 } else { descend(depth - 1).wrapping_mul(3) ^ descend(depth / 7) }
}

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        let reason = descend(black_box(10_000_000)).to_string();
        Ok(Some(Placement { reason, ..Placement::default() }))
    }
}

export_routing!(Guest);
