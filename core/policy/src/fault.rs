//! What can go wrong in a call, by name, and how Wasmtime's errors become those names.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::text::cut;

/// Longest message kept of a fault, in bytes.
const MESSAGE_BYTES: usize = 1024;

/// A call that ended without a decision. `message` may quote what the policy said, and so a patient: it is
/// sealed with the record and shown to staff and the author; `kind` is for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which limit or rule.
    pub kind: FaultKind,
    /// What happened, for the author.
    pub message: String,
    /// Names of the guest's functions, innermost first, where it was stopped while running.
    pub backtrace: Vec<String>,
}

/// The names of faults. Stable: they are recorded, counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Used up its fuel.
    Fuel,
    /// Over its CPU time.
    CpuTime,
    /// Over its time on the wall while within its CPU time: the machine was busy, so not the author's.
    WallTime,
    /// Asked for more memory than it may have.
    Memory,
    /// Recursed too deep.
    Stack,
    /// Trapped: a panic, an access out of bounds, a division by zero.
    Trap,
    /// Returned more than the host takes.
    OutputTooLarge,
    /// Would have been given more than fits: nothing ran. Not the author's.
    InputTooLarge,
    /// Called the host too often.
    HostCalls,
    /// Called `log` too often, or with too long a line.
    Log,
    /// Said that its settings are not what it needs.
    Settings,
    /// Said that it can't do its work.
    PolicyError,
    /// Returned something that the hook doesn't allow.
    InvalidOutput,
    /// Something of ours failed. Never the author's.
    Host,
}

impl FaultKind {
    /// The one spelling for records, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::CpuTime => "cpu_time",
            Self::WallTime => "wall_time",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Trap => "trap",
            Self::OutputTooLarge => "output_too_large",
            Self::InputTooLarge => "input_too_large",
            Self::HostCalls => "host_calls",
            Self::Log => "log",
            Self::Settings => "settings",
            Self::PolicyError => "policy_error",
            Self::InvalidOutput => "invalid_output",
            Self::Host => "host",
        }
    }

    /// What the author can do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Fuel => {
                "It ran for too many instructions. Look for a loop that grows with the text or with a list of the \
                 settings; the log shows how far it came."
            }
            Self::CpuTime => {
                "It ran for too long. The cost of a call should not grow with the text or the settings."
            }
            Self::WallTime => "The machine was busy: nothing is wrong with the policy. Try again.",
            Self::Memory => {
                "It asked for more memory than a call may have. Don't keep copies of large texts."
            }
            Self::Stack => "It called itself too often. Turn the recursion into a loop, or bound its depth.",
            Self::Trap => {
                "It panicked, read beyond an end or divided by nothing. The functions are named innermost first; a build \
                 with debug names says more."
            }
            Self::OutputTooLarge => "Its answer is too large. Answer with less text.",
            Self::InputTooLarge => "The turn is larger than a policy is given: nothing ran.",
            Self::HostCalls => "It asked the host too often. Ask once and keep the answer.",
            Self::Log => "It logged too much. Log less, or shorter lines.",
            Self::Settings => {
                "It can't work with these settings though they fit its schema. Make the schema say what it needs, or \
                 change the settings."
            }
            Self::PolicyError => "It says itself that it can't answer this. Its message says why.",
            Self::InvalidOutput => {
                "Its answer can't be carried out. Names of teams and facilities are those of the clinic, letter by letter."
            }
            Self::Host => "Something of Anteroom's failed: nothing is wrong with the policy.",
        }
    }

    /// Those that don't count against the policy's author, in their one spelling.
    pub const OURS: [&'static str; 3] = ["host", "input_too_large", "wall_time"];

    /// Does it count against the policy's author (and its breaker)?
    pub const fn is_authors(self) -> bool {
        !matches!(self, Self::Host | Self::InputTooLarge | Self::WallTime)
    }

    /// Ends at a moment that the machine decides, so that a replay can't end at the same instruction.
    pub(crate) const fn is_timed(self) -> bool {
        matches!(self, Self::CpuTime | Self::WallTime)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: cut(message.as_ref(), MESSAGE_BYTES).into_owned(), backtrace: Vec::new() }
    }

    /// Does it count against the policy's author?
    pub const fn is_authors(&self) -> bool {
        self.kind.is_authors()
    }
}

/// Why the host itself stopped a guest; travels through Wasmtime as its error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Stop {
    pub(crate) kind: FaultKind,
    pub(crate) message: String,
}

/// A [`Stop`] as Wasmtime's error.
pub(crate) fn stop(kind: FaultKind, message: impl Into<String>) -> wasmtime::Error {
    wasmtime::Error::from(Stop { kind, message: message.into() })
}

/// What an error of Wasmtime means.
pub(crate) enum Ending {
    Fault(Fault),
    /// The pool had no room: nobody's fault, and nothing ran.
    Overload,
}

/// Names the error that ended a call.
pub(crate) fn classify(error: &wasmtime::Error) -> Ending {
    if error.is::<PoolConcurrencyLimitError>() {
        return Ending::Overload;
    }
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(function_names).unwrap_or_default();
    let in_guest = !backtrace.is_empty();
    let (kind, message) = if let Some(stop) = error.downcast_ref::<Stop>() {
        (stop.kind, stop.message.clone())
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        (trap_kind(*trap, &backtrace), trap.to_string())
    } else {
        let root = error.root_cause().to_string();
        // Wasmtime's error for this is private, so its words are all there is. `log` and `field` are the
        // only imports that take a text, and only `log` has a reason to take a long one.
        let too_much = root.contains("fuel allocated for hostcalls has been exhausted");
        let kind = match (too_much, in_guest) {
            (true, true) => FaultKind::Log,
            (true, false) => FaultKind::OutputTooLarge,
            (false, true) => FaultKind::Trap,
            (false, false) => FaultKind::InvalidOutput,
        };
        (kind, root)
    };
    Ending::Fault(Fault { backtrace, ..Fault::new(kind, message) })
}

fn trap_kind(trap: Trap, backtrace: &[String]) -> FaultKind {
    match trap {
        Trap::OutOfFuel => FaultKind::Fuel,
        Trap::StackOverflow => FaultKind::Stack,
        Trap::Interrupt => FaultKind::CpuTime,
        Trap::MemoryOutOfBounds if recursed(backtrace) => FaultKind::Stack,
        _ => FaultKind::Trap,
    }
}

/// Did the guest run over the end of the stack that it keeps in its own memory? LLVM's guests do before
/// they reach Wasmtime's limit when their frames hold arrays, and all there is to see of it is an access
/// below address zero under many frames of one function.
fn recursed(backtrace: &[String]) -> bool {
    let mut counts = HashMap::new();
    for name in backtrace {
        *counts.entry(name).or_insert(0_usize) += 1;
    }
    backtrace.len() >= 16 && counts.into_values().max().is_some_and(|most| most * 3 >= backtrace.len())
}

fn function_names(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
        None => format!("function {}", frame.func_index()),
    };
    backtrace.frames().iter().map(|frame| cut(&name(frame), 256).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_for_faults_of_ours_are_those_of_the_kinds() {
        for word in FaultKind::OURS {
            let kind: FaultKind = serde_json::from_value(word.into()).expect("a kind");
            assert!(!kind.is_authors() && kind.as_str() == word);
        }
    }
}
