//! Stand-ins for tests on your own machine; not part of a component.
//!
//! ```
//! use anteroom_sdk::testing::{self, Host};
//! use anteroom_sdk::host;
//!
//! let host = Host { now: 42, ..Host::default() };
//! let (seen, _log) = testing::with(host, host::now);
//! assert_eq!(seen, 42);
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::{ClinicNumber, Hours, LocalTime, Message, Timestamp};

/// What the host answers inside [`with`].
#[derive(Clone, Debug)]
pub struct Host {
    /// The time of the turn, in microseconds since 1970.
    pub now: Timestamp,
    /// The seed of the turn.
    pub seed: u64,
    /// The settings, as JSON.
    pub settings: String,
    /// All earlier messages, oldest first.
    pub history: Vec<Message>,
    /// The linked patient's fields, by the names of `wit/host.wit`.
    pub patient: BTreeMap<String, String>,
}

impl Default for Host {
    fn default() -> Self {
        Self { now: 0, seed: 0, settings: "{}".into(), history: Vec::new(), patient: BTreeMap::new() }
    }
}

thread_local! {
    static HOST: RefCell<(Host, Vec<(String, String)>)> = RefCell::default();
}

/// Runs `call` against `host`; returns what it returned and the log lines as (level, line).
pub fn with<R>(host: Host, call: impl FnOnce() -> R) -> (R, Vec<(String, String)>) {
    let before = HOST.replace((host, Vec::new()));
    let result = call();
    let (_, log) = HOST.replace(before);
    (result, log)
}

/// The functions of the imports, answered from [`Host`].
pub(crate) mod stand_in {
    use super::HOST;
    use crate::{Message, Timestamp};

    pub(crate) fn log(level: &str, line: &str) {
        HOST.with_borrow_mut(|(_, log)| log.push((level.to_owned(), line.to_owned())));
    }

    pub(crate) fn now() -> Timestamp {
        HOST.with_borrow(|(host, _)| host.now)
    }

    pub(crate) fn seed() -> u64 {
        HOST.with_borrow(|(host, _)| host.seed)
    }

    pub(crate) fn settings() -> String {
        HOST.with_borrow(|(host, _)| host.settings.clone())
    }

    pub(crate) fn history(limit: u32) -> Vec<Message> {
        HOST.with_borrow(|(host, _)| {
            let limit = usize::try_from(limit.min(50)).unwrap_or(50);
            host.history[host.history.len().saturating_sub(limit)..].to_vec()
        })
    }

    pub(crate) fn field(name: &str) -> Option<String> {
        HOST.with_borrow(|(host, _)| host.patient.get(name).cloned())
    }
}

/// Wednesday 2026-03-04, 10:00 in Chicago; open until 17:00.
pub fn open_hours() -> Hours {
    Hours {
        open: true,
        time_zone: "America/Chicago".into(),
        local: local("2026-03-04", "wednesday", 600),
        holiday: None,
        opens: None,
        closes: Some(local("2026-03-04", "wednesday", 1020)),
    }
}

/// Friday 2026-03-06, 20:00 in Chicago; opens on Monday at 8:00.
pub fn closed_hours() -> Hours {
    Hours {
        open: false,
        time_zone: "America/Chicago".into(),
        local: local("2026-03-06", "friday", 1200),
        holiday: None,
        opens: Some(local("2026-03-09", "monday", 480)),
        closes: None,
    }
}

/// A wall-clock moment: `date` as `YYYY-MM-DD`, `minute` since midnight.
pub fn local(date: &str, weekday: &str, minute: u16) -> LocalTime {
    LocalTime { date: date.into(), weekday: weekday.into(), minute }
}

/// A toll-free number of Riverside Family Clinic, at Riverside Main.
pub fn number() -> ClinicNumber {
    ClinicNumber {
        address: "+18005550100".into(),
        kind: "toll_free".into(),
        label: "Front desk".into(),
        facility: Some("Riverside Main".into()),
        organization: "Riverside Family Clinic".into(),
    }
}
