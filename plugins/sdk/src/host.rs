//! What the host answers. Reading only, recorded, and the same at every replay.
//!
//! A component imports only the functions it calls. On your own machine (`cargo test`) the answers come from
//! [`crate::testing`].

use crate::{Message, Timestamp};

#[cfg(not(target_family = "wasm"))]
use crate::testing::stand_in as provider;
#[cfg(target_family = "wasm")]
mod provider {
    pub(super) use crate::bindings::shared::anteroom::policy::host::{history, log, now, seed, settings};
    pub(super) use crate::bindings::shared::anteroom::policy::patient::field;
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the author while trying things out.
    Debug,
    /// What the policy did.
    Info,
    /// Something the author should look at.
    Warn,
    /// Something that kept the policy from doing its work.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Writes a line to the call's log, which authors see. Over 1 KiB a line or 16 KiB a call, it is cut and marked.
///
/// The log is stored with the decision, sealed; still, don't copy a patient's words into it without need.
pub fn log(level: Level, line: &str) {
    provider::log(level.name(), line);
}

/// The time of the turn, in microseconds since 1970; the same at every call within one turn.
pub fn now() -> Timestamp {
    provider::now()
}

/// A number derived from the event, for choices that should look random yet replay the same.
pub fn seed() -> u64 {
    provider::seed()
}

/// The newest messages of this conversation before this turn, oldest first; `limit` is cut to 50.
pub fn history(limit: u32) -> Vec<Message> {
    provider::history(limit)
}

/// The settings as JSON. Hooks get them parsed; this is for what a type can't say.
pub fn settings() -> String {
    provider::settings()
}

/// A field of the linked patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientField {
    /// Given name.
    FirstName,
    /// Family name.
    LastName,
    /// What they like to be called.
    PreferredName,
    /// `YYYY-MM-DD`.
    DateOfBirth,
    /// Language of their profile.
    Language,
    /// Name of their facility.
    Facility,
}

impl PatientField {
    /// The name that the manifest's `patient_fields` and the host use.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first-name",
            Self::LastName => "last-name",
            Self::PreferredName => "preferred-name",
            Self::DateOfBirth => "date-of-birth",
            Self::Language => "language",
            Self::Facility => "facility",
        }
    }
}

/// A field of the linked patient: `None` where it is empty, not granted, or nobody is linked.
///
/// Only for `routing` and `shortcuts`; the manifest must list the field in `patient_fields`.
pub fn patient(field: PatientField) -> Option<String> {
    provider::field(field.name())
}
