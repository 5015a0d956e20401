//! Saved replies with variables.

pub use crate::bindings::shortcuts::exports::anteroom::policy::shortcuts::{Context, Expansion, Shortcut};

use serde::de::DeserializeOwned;

use crate::{PolicyError, settings};

/// Offers saved replies to staff, who see the text before it is sent.
pub trait Shortcuts {
    /// What an admin can set; described by the manifest's `settings_schema`.
    type Settings: DeserializeOwned;

    /// What there is, in the order to show it; `Ok(None)` lets the next policy decide.
    fn list(settings: &Self::Settings, context: &Context) -> Result<Option<Vec<Shortcut>>, PolicyError>;

    /// The text of one; `Ok(None)` for a name this policy doesn't have.
    fn expand(
        settings: &Self::Settings,
        name: &str,
        context: &Context,
    ) -> Result<Option<Expansion>, PolicyError>;
}

/// Parses the settings and lists: what an exported component does, for tests.
pub fn run_list<P: Shortcuts>(context: &Context) -> Result<Option<Vec<Shortcut>>, PolicyError> {
    P::list(&settings::load()?, context)
}

/// Parses the settings and expands: what an exported component does, for tests.
pub fn run_expand<P: Shortcuts>(name: &str, context: &Context) -> Result<Option<Expansion>, PolicyError> {
    P::expand(&settings::load()?, name, context)
}

/// Exports a [`Shortcuts`] policy from the component.
#[macro_export]
macro_rules! export_shortcuts {
    ($policy:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::PolicyError;
            use $crate::shortcuts::{Context, Expansion, Shortcut};
            struct Component;
            impl $crate::bindings::shortcuts::exports::anteroom::policy::shortcuts::Guest for Component {
                fn list(context: Context) -> ::core::result::Result<Option<Vec<Shortcut>>, PolicyError> {
                    $crate::shortcuts::run_list::<$policy>(&context)
                }
                fn expand(
                    name: String,
                    context: Context,
                ) -> ::core::result::Result<Option<Expansion>, PolicyError> {
                    $crate::shortcuts::run_expand::<$policy>(&name, &context)
                }
            }
            $crate::bindings::shortcuts::export_shortcuts!(Component with_types_in $crate::bindings::shortcuts);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            use $crate::PolicyError;
            use $crate::shortcuts::{Context, Expansion, Shortcut};
            const _: fn(&Context) -> ::core::result::Result<Option<Vec<Shortcut>>, PolicyError> =
                $crate::shortcuts::run_list::<$policy>;
        };
    };
}
