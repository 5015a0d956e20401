//! The guests built by `make plugins`: each hostile one ends as its fault, and the defaults load.

mod support;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anteroom_model::hooks::{Hook, HookInput};
use anteroom_policy::{CallRecord, FaultKind, Limits, Outcome, Policy};
use support::{asking, fault, guest, host, identity, load, replies, routing, shortcuts};

fn built(name: &str) -> Arc<Policy> {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests").join(name).with_extension("wasm");
    let Ok(bytes) = std::fs::read(&path) else { panic!("{} is missing: run `make plugins`", path.display()) };
    load(&bytes)
}

fn input(hook: Hook) -> HookInput {
    match hook {
        Hook::Identity => identity("I need a refill"),
        Hook::Routing => routing("I need a refill"),
        Hook::Replies => replies("I need a refill"),
        Hook::Shortcuts => HookInput::ShortcutList(shortcuts()),
    }
}

/// Calls every hook that a guest serves.
fn calls(policy: &Arc<Policy>) -> Vec<CallRecord> {
    policy.hooks.iter().map(|&hook| host().call_blocking(policy, asking(input(hook)))).collect()
}

/// The guest ends as this fault, within its limits, and the same in a replay; a neighbour still runs.
#[track_caller]
fn ends_as(name: &str, kind: FaultKind) {
    let policy = built(&format!("test/{name}"));
    let limits = Limits::default();
    for record in calls(&policy) {
        let fault = fault(&record);
        assert_eq!(fault.kind, kind, "{name}: {} {:?}", fault.message, fault.backtrace);
        assert!(fault.is_authors());
        assert!(record.fuel <= limits.fuel);
        assert!(record.memory_peak <= limits.memory_bytes as u64);
        assert!(record.log.iter().map(|line| line.line.len()).sum::<usize>() <= limits.log_bytes);
        assert!(record.answers.len() <= limits.host_calls as usize);
        let replay = host().replay(&policy, &asking(input(record.hook)).settings, &record);
        assert!(replay.same, "{name}: {:?}", replay.differences);
    }
    let neighbour = load(&guest("identity-policy", "", "(i32.const 1024)"));
    let record = host().call_blocking(&neighbour, asking(identity("hello")));
    assert_eq!(record.outcome, Outcome::NoOpinion);
}

#[test]
fn endless_loop() {
    ends_as("endless_loop", FaultKind::Fuel);
}

#[test]
fn memory_bomb() {
    ends_as("memory_bomb", FaultKind::Memory);
}

#[test]
fn memory_bomb_over_several_memories() {
    ends_as("memory_bomb_many", FaultKind::Memory);
}

#[test]
fn deep_recursion() {
    ends_as("deep_recursion", FaultKind::Stack);
    ends_as("stack_overflow", FaultKind::Stack);
}

#[test]
fn huge_output() {
    ends_as("huge_output", FaultKind::OutputTooLarge);
}

#[test]
fn host_call_flood() {
    ends_as("host_call_flood", FaultKind::HostCalls);
}

#[test]
fn log_flood() {
    ends_as("log_flood", FaultKind::Log);
}

#[test]
fn trap() {
    ends_as("trap", FaultKind::Trap);
    ends_as("trap_identity", FaultKind::Trap);
    ends_as("trap_replies", FaultKind::Trap);
    ends_as("trap_shortcuts", FaultKind::Trap);
}

#[test]
fn wrong_settings() {
    ends_as("wrong_settings", FaultKind::Settings);
}

#[test]
fn names_that_the_organization_does_not_have() {
    ends_as("bad_names", FaultKind::InvalidOutput);
}

#[test]
fn echo_answers() {
    for record in calls(&built("test/echo")) {
        assert!(matches!(record.outcome, Outcome::Decided(_)), "{:?}", record.outcome);
    }
}

#[test]
fn the_default_policies_load_and_answer_by_their_default_settings() {
    for hook in Hook::ALL {
        let policy = built(hook.as_str());
        assert_eq!(policy.hooks, [hook]);
        assert_eq!(policy.manifest.hooks, [hook]);
        let mut call = asking(input(hook));
        call.settings = policy.manifest.default_settings.to_string().into();
        let settings = call.settings.clone();
        let record = host().call_blocking(&policy, call);
        assert!(record.outcome.fault().is_none(), "{hook}: {:?}", record.outcome);
        let replay = host().replay(&policy, &settings, &record);
        assert!(replay.same, "{hook}: {:?}", replay.differences);
    }
}
