//! What is kept of a call: enough to explain it, and to run it again to the bit.
//!
//! Everything here may quote a patient. It belongs into sealed columns, never into a log line.

use std::sync::Arc;

use anteroom_model::hooks::{HistoryMessage, Hook, HookInput, HookOutput};
use serde::{Deserialize, Serialize};

use crate::{Digest, Fault, FaultKind};

/// One call of a hook, from its input to its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which hook.
    pub hook: Hook,
    /// SHA-256 of the component.
    pub policy: Digest,
    /// SHA-256 of the settings' text.
    pub settings: Digest,
    /// The host and the Wasmtime that ran it; another engine may count fuel differently.
    pub engine: Arc<str>,
    /// What the hook was given.
    pub input: HookInput,
    /// The time of the turn, in microseconds since 1970-01-01T00:00:00Z; 0 in records older than the field.
    #[serde(default)]
    pub now: i64,
    /// The seed of the event; 0 in records older than the field.
    #[serde(default)]
    pub seed: u64,
    /// Every import called, in order, with its arguments and its answer. `log` is in `log`.
    pub answers: Vec<HostAnswer>,
    /// The longest history handed out, oldest first; answers point into its end.
    pub history: Vec<HistoryMessage>,
    /// What the policy logged, within its budget.
    pub log: Vec<LogLine>,
    /// What came of it.
    pub outcome: Outcome,
    /// Fuel used.
    pub fuel: u64,
    /// Most memory held at once, in bytes, over all memories and tables.
    pub memory_peak: u64,
    /// Microseconds the call took, without waiting for its place.
    pub micros: u64,
}

/// An import's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum HostAnswer {
    /// `host.now`
    Now {
        /// Microseconds since 1970-01-01T00:00:00Z.
        value: i64,
    },
    /// `host.seed`
    Seed {
        /// The number derived from the event.
        value: u64,
    },
    /// `host.settings`, by digest: the text is the binding's.
    Settings {
        /// SHA-256 of the text.
        digest: Digest,
    },
    /// `host.history`
    History {
        /// What was asked for.
        limit: u32,
        /// How many messages were given: the last ones of the record's `history`.
        given: u32,
    },
    /// `patient.field`
    Field {
        /// What was asked for, cut to 64 bytes (no field's name is longer).
        name: String,
        /// The field, or nothing.
        value: Option<String>,
    },
}

impl HostAnswer {
    /// The import's name in `wit/`.
    pub const fn function(&self) -> &'static str {
        match self {
            Self::Now { .. } => "now",
            Self::Seed { .. } => "seed",
            Self::Settings { .. } => "settings",
            Self::History { .. } => "history",
            Self::Field { .. } => "field",
        }
    }
}

/// One line of a policy's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters, as the policy sees it.
    pub level: LogLevel,
    /// The text; ends in [`CUT_MARK`] where it was cut.
    pub line: String,
}

/// Stands at the end of a cut line, and alone as the last line where whole lines were left out.
pub const CUT_MARK: &str = "… [cut]";

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the author at work.
    Debug,
    /// What happened. Any unknown level is this.
    Info,
    /// Something to look into.
    Warn,
    /// Something that went wrong.
    Error,
}

impl LogLevel {
    /// The level of that name.
    pub fn parse(text: &str) -> Self {
        match text {
            "debug" => Self::Debug,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::Info,
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The hook decided.
    Decided(HookOutput),
    /// The hook has no opinion: ask the next binding in the chain.
    NoOpinion,
    /// The hook failed.
    Fault(Fault),
    /// No place was free in time: nothing ran, and nobody's policy is to blame.
    Overload,
}

impl Outcome {
    /// `decided`, `no_opinion`, `fault` or `overload`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Decided(_) => "decided",
            Self::NoOpinion => "no_opinion",
            Self::Fault(_) => "fault",
            Self::Overload => "overload",
        }
    }

    /// Whether the policy decided how the call ended. Where the machine did (no place was free, time was up,
    /// something of ours failed), it ended at no instruction in particular, and can't be repeated.
    pub const fn is_repeatable(&self) -> bool {
        match self {
            Self::Overload => false,
            Self::Fault(fault) => !matches!(fault.kind, FaultKind::Host) && !fault.kind.is_timed(),
            Self::Decided(_) | Self::NoOpinion => true,
        }
    }

    /// The fault, if it was one.
    pub const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}
