//! Who is texting.

pub use crate::bindings::identity::exports::anteroom::policy::identity::{
    Claim, Exchange, Farewell, MatchRequest, Prompt, Step, Turn,
};

use serde::de::DeserializeOwned;

use crate::{PolicyError, settings};

/// Asks a texter who they are and reads the answers.
///
/// The host matches the claims against the directory and never tells the policy the outcome. What a policy
/// sends must therefore read the same whether or not the texter is a patient.
pub trait Identity {
    /// What an admin can set; described by the manifest's `settings_schema`.
    type Settings: DeserializeOwned;

    /// The next step of the verification, from everything asked and answered so far; `Ok(None)` lets the next
    /// policy decide.
    fn next(settings: &Self::Settings, turn: &Turn) -> Result<Option<Step>, PolicyError>;
}

/// Parses the settings and asks the policy: what an exported component does, for tests.
pub fn run<P: Identity>(turn: &Turn) -> Result<Option<Step>, PolicyError> {
    P::next(&settings::load()?, turn)
}

/// Exports an [`Identity`] policy from the component.
#[macro_export]
macro_rules! export_identity {
    ($policy:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;
            impl $crate::bindings::identity::exports::anteroom::policy::identity::Guest for Component {
                fn next(
                    turn: $crate::identity::Turn,
                ) -> ::core::result::Result<Option<$crate::identity::Step>, $crate::PolicyError> {
                    $crate::identity::run::<$policy>(&turn)
                }
            }
    $crate::bindings::identity::export_identity!(Component with_types_in $crate::bindings::identity);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn(
            &$crate::identity::Turn,
        ) -> ::core::result::Result<Option<$crate::identity::Step>, $crate::PolicyError> =
            $crate::identity::run::<$policy>;
    };
}
