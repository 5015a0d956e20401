//! Executes `unreachable` when asked for automatic replies.

use anteroom_sdk::replies::{AutomaticReply, Replies, Turn};
use anteroom_sdk::{PolicyError, export_replies};

struct Guest;

impl Replies for Guest {
    type Settings = serde::de::IgnoredAny;

    fn reply(_: &Self::Settings, _: &Turn) -> Result<Option<Vec<AutomaticReply>>, PolicyError> {
        std::process::abort()
    }
}

export_replies!(Guest);
