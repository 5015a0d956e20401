//! Slowing down whoever guesses passwords, or tries policies without end.

use std::num::NonZeroU32;

use anteroom_model::ids::StaffId;
use governor::{Quota, RateLimiter, clock::Clock, state::keyed::DefaultKeyedStateStore};

const BURST: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");

/// Ten tries at once, then five a minute, for each e-mail address.
#[derive(Debug)]
pub struct SignInLimits(RateLimiter<String, DefaultKeyedStateStore<String>, governor::clock::DefaultClock>);

const TRIES: NonZeroU32 = NonZeroU32::new(40).expect("forty is not zero");
const TRIES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("a hundred and twenty is not zero");

/// Forty tries of a policy at once, then two a second, for each member of staff: as fast as one can type.
#[derive(Debug)]
pub struct TryLimits(RateLimiter<StaffId, DefaultKeyedStateStore<StaffId>, governor::clock::DefaultClock>);

impl Default for TryLimits {
    fn default() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(TRIES_PER_MINUTE).allow_burst(TRIES)))
    }
}

impl TryLimits {
    /// Takes one try of `staff`; otherwise the seconds to wait.
    pub fn take(&self, staff: StaffId) -> Result<(), u64> {
        self.0.check_key(&staff).map_err(|not_yet| {
            not_yet.wait_time_from(governor::clock::DefaultClock::default().now()).as_secs() + 1
        })
    }

    /// Forgets who has not tried anything for long.
    pub fn tidy(&self) {
        self.0.retain_recent();
    }
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(PER_MINUTE).allow_burst(BURST)))
    }
}

impl SignInLimits {
    /// Takes one try of `email`; otherwise the seconds to wait.
    pub fn take(&self, email: &str) -> Result<(), u64> {
        self.0.check_key(&email.to_lowercase()).map_err(|not_yet| {
            not_yet.wait_time_from(governor::clock::DefaultClock::default().now()).as_secs() + 1
        })
    }

    /// Forgets addresses that have not been tried for long.
    pub fn tidy(&self) {
        self.0.retain_recent();
    }
}
