//! Where a conversation belongs.

pub use crate::bindings::routing::exports::anteroom::policy::routing::{Placement, Turn};

use serde::de::DeserializeOwned;

use crate::{PolicyError, settings};

/// Says where a conversation in the Unassigned queue belongs. Nothing it returns is sent to a patient.
pub trait Routing {
    /// What an admin can set; described by the manifest's `settings_schema`.
    type Settings: DeserializeOwned;

    /// `Ok(None)` leaves everything as it is and lets the next policy decide.
    fn route(settings: &Self::Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError>;
}

/// Parses the settings and asks the policy: what an exported component does, for tests.
pub fn run<P: Routing>(turn: &Turn) -> Result<Option<Placement>, PolicyError> {
    P::route(&settings::load()?, turn)
}

/// Exports a [`Routing`] policy from the component.
#[macro_export]
macro_rules! export_routing {
    ($policy:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;
            impl $crate::bindings::routing::exports::anteroom::policy::routing::Guest for Component {
                fn route(
                    turn: $crate::routing::Turn,
                ) -> ::core::result::Result<Option<$crate::routing::Placement>, $crate::PolicyError> {
                    $crate::routing::run::<$policy>(&turn)
                }
            }
    $crate::bindings::routing::export_routing!(Component with_types_in $crate::bindings::routing);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn(
            &$crate::routing::Turn,
        ) -> ::core::result::Result<Option<$crate::routing::Placement>, $crate::PolicyError> =
            $crate::routing::run::<$policy>;
    };
}
