//! The machine's clock and randomness: the one place that reads them.

use std::time::{SystemTime, UNIX_EPOCH};

use anteroom_model::{
    ids::Ids,
    time::{Clock, Timestamp},
};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in everywhere else")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A source of ids and secrets seeded by the operating system.
#[expect(clippy::disallowed_methods, reason = "this is the randomness that is passed in everywhere else")]
pub fn system_ids() -> Ids {
    Ids::from_seed(rand::random())
}
