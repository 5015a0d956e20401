//! A clock that stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anteroom_model::time::{Clock, Timestamp};

/// Microseconds since 1970. What sleeps in real time (polls, housekeeping) goes on sleeping in real time;
/// leases, throttles, snoozes and opening hours follow this.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// Stands at `moment`, RFC 3339 with any offset.
    pub(crate) fn at(moment: &str) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(read(moment).micros())))
    }

    /// Moves on by `duration`; the new moment.
    pub(crate) fn advance(&self, duration: Duration) -> Timestamp {
        let micros = i64::try_from(duration.as_micros()).unwrap();
        Timestamp::from_micros(self.0.fetch_add(micros, Ordering::SeqCst) + micros)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A moment from its RFC 3339 text.
pub(crate) fn read(moment: &str) -> Timestamp {
    serde_json::from_value(moment.into()).unwrap()
}
