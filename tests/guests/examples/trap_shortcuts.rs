//! Executes `unreachable` when asked for shortcuts.

use anteroom_sdk::shortcuts::{Context, Expansion, Shortcut, Shortcuts};
use anteroom_sdk::{PolicyError, export_shortcuts};

struct Guest;

impl Shortcuts for Guest {
    type Settings = serde::de::IgnoredAny;

    fn list(_: &Self::Settings, _: &Context) -> Result<Option<Vec<Shortcut>>, PolicyError> {
        std::process::abort()
    }

    fn expand(_: &Self::Settings, _: &str, _: &Context) -> Result<Option<Expansion>, PolicyError> {
        std::process::abort()
    }
}

export_shortcuts!(Guest);
