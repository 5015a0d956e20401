//! Fills its own stack, which lies in its linear memory: the first write below address 0 traps.

use std::hint::black_box;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

#[inline(never)]
fn descend(depth: u32) -> u32 {
    let frame = black_box([depth; 4096]);
    if depth == 0 { 0 } else { descend(depth - 1).wrapping_add(frame[7]) }
}

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        let reason = descend(black_box(1_000)).to_string();
        Ok(Some(Placement { reason, ..Placement::default() }))
    }
}

export_routing!(Guest);
