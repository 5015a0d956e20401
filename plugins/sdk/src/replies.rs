//! Automatic replies.

pub use crate::bindings::replies::exports::anteroom::policy::replies::{AutomaticReply, Told, Turn};

use serde::de::DeserializeOwned;

use crate::{PolicyError, settings};

/// Writes automatic replies. They are sent with no person in between, so the turn holds only what is known of
/// any texter.
pub trait Replies {
    /// What an admin can set; described by the manifest's `settings_schema`.
    type Settings: DeserializeOwned;

    /// `Ok(None)` lets the next policy decide; an empty list says that nothing is to be sent.
    fn reply(settings: &Self::Settings, turn: &Turn) -> Result<Option<Vec<AutomaticReply>>, PolicyError>;
}

/// Parses the settings and asks the policy: what an exported component does, for tests.
pub fn run<P: Replies>(turn: &Turn) -> Result<Option<Vec<AutomaticReply>>, PolicyError> {
    P::reply(&settings::load()?, turn)
}

/// Exports a [`Replies`] policy from the component.
#[macro_export]
macro_rules! export_replies {
    ($policy:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;
            impl $crate::bindings::replies::exports::anteroom::policy::replies::Guest for Component {
                fn reply(
                    turn: $crate::replies::Turn,
                ) -> ::core::result::Result<Option<Vec<$crate::replies::AutomaticReply>>, $crate::PolicyError>
                {
                    $crate::replies::run::<$policy>(&turn)
                }
            }
    $crate::bindings::replies::export_replies!(Component with_types_in $crate::bindings::replies);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn(
            &$crate::replies::Turn,
        ) -> ::core::result::Result<
            Option<Vec<$crate::replies::AutomaticReply>>,
            $crate::PolicyError,
        > = $crate::replies::run::<$policy>;
    };
}
