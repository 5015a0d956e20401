//! Routes to a team that no organization has.

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::{PolicyError, export_routing};

struct Guest;

impl Routing for Guest {
    type Settings = serde::de::IgnoredAny;

    fn route(_: &Self::Settings, _: &Turn) -> Result<Option<Placement>, PolicyError> {
        Ok(Some(Placement {
            team: Some("Department of Nonexistence".into()),
            reason: "always".into(),
            ..Placement::default()
        }))
    }
}

export_routing!(Guest);
