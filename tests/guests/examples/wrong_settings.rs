//! Wants a setting that no test gives it: ends as a policy error with the code `settings`.

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

#[derive(serde::Deserialize)]
struct Settings {
    a_number_nobody_sets: u32,
}

struct Guest;

impl Routing for Guest {
    type Settings = Settings;

    fn route(settings: &Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        Ok(Some(Placement { reason: settings.a_number_nobody_sets.to_string(), ..Placement::default() }))
    }
}

export_routing!(Guest);
