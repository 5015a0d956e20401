//! The WebAssembly policy host: what a clinic uploads runs here, within limits, recorded.
//!
//! A policy is a component that exports one or more of the hooks in `wit/`. [`PolicyHost::judge`] takes an
//! upload through every check, [`PolicyHost::load`] readies one that was accepted, and [`PolicyHost::call`]
//! runs a hook in a fresh instance and returns a [`CallRecord`]. [`PolicyHost::replay`] runs a record again,
//! [`PolicyHost::rerun`] another policy on it. The host only answers: applying a decision, binding policies
//! to hooks and breaking the circuit of a faulty one are the server's.
//!
//! What a policy can't do, and where that is enforced:
//!
//! - Reach anything: the linker has the six functions of `wit/host.wit` and nothing else (`imports`), and an
//!   upload that wants more is refused with the flag that fixes it (`inspect`).
//! - Run for long: fuel, and the thread's CPU time and the wall's checked at each epoch (`state`), which a
//!   thread of its own ticks (`engine`).
//! - Take much: memories and tables are summed (`state`), texts measured (`hooks::size`), calls counted.
//! - Take others' places: calls at once are bounded per organization and in all (`admission`).
//! - See a patient where its words go out unread: `patient.field` answers by hook (`state`).
//! - Hurt the host while it is compiled: a process of its own inspects and compiles it (`child`), within the
//!   memory and time that the host gives it, and is killed when they are over (`compile`).
//! - Fail on a patient's text before it failed on a made-up one: an upload answers sample turns (`probe`).
//! - Be what it is not: compiled forms are run only with our signature (`cache`, `trusted`).
//!
//! # To add a hook
//!
//! 1. `wit/<hook>.wit`: its interface, and a world that imports `host` and exports it.
//! 2. `anteroom_model::hooks`: its records, a variant of `Hook`, `HookInput` and `HookOutput`.
//! 3. `bindings.rs`: a line with its world. `hooks/<hook>.rs`: conversions, the call, and a `check` of what
//!    can be told from the answer alone. `hooks/size.rs`: its sizes. The compiler then asks for the rest.
//! 4. `state::sees_patient`: may it read the linked patient? Not if its output is sent unread.
//! 5. `fixtures.rs`: the turns that an upload is tried on.
//! 6. A guest for it in `plugins/`, and its caller in the server's pipeline.

mod admission;
mod bindings;
mod cache;
mod child;
mod compile;
mod digest;
mod engine;
mod fault;
mod features;
mod fixtures;
mod hooks;
mod host;
mod imports;
mod inspect;
mod limits;
mod load;
mod manifest;
mod policy;
mod probe;
mod record;
mod refusal;
mod replay;
mod rerun;
mod run;
pub mod settings_schema;
mod state;
mod step;
mod telemetry;
mod text;
mod trusted;
mod wire;

pub use self::{
    child::compile_policy,
    compile::Compiler,
    digest::{BadDigest, Digest, Settings},
    fault::{Fault, FaultKind},
    host::{Call, HostConfig, HostError, PolicyHost},
    limits::{BadLimit, Limits},
    manifest::{MANIFEST_SECTION, Manifest, PATIENT_FIELDS},
    policy::Policy,
    probe::Probe,
    record::{CUT_MARK, CallRecord, HostAnswer, LogLevel, LogLine, Outcome},
    refusal::Refusal,
    replay::Replay,
    rerun::Rerun,
    step::Step,
};
