//! Executes `unreachable` when asked who is texting.

use anteroom_sdk::identity::{Identity, Step, Turn};
use anteroom_sdk::{PolicyError, export_identity};

struct Guest;

impl Identity for Guest {
    type Settings = serde::de::IgnoredAny;

    fn next(_: &Self::Settings, _: &Turn) -> Result<Option<Step>, PolicyError> {
        std::process::abort()
    }
}

export_identity!(Guest);
