//! A record runs again to the bit, and whatever is not the same is named.

mod support;

use std::sync::Arc;

use anteroom_policy::{CallRecord, Digest, FaultKind, HostAnswer, Outcome, Policy, Replay, Settings};
use support::{
    FIELD, HISTORY, LOG, NOW, SEED, SETTINGS, asking, call, fault, guest, host, identity, load, routing,
};

/// Asks the host for everything, logs, and asks "even" or "odd_" by whether the time is.
fn curious() -> Arc<Policy> {
    let imports = [NOW, SEED, SETTINGS, HISTORY, LOG].concat();
    let body = r#"
        (drop (call $seed))
        (call $settings (i32.const 2048))
        (call $history (i32.const 5) (i32.const 2048))
        (call $log (i32.const 2064) (i32.const 4) (i32.const 2064) (i32.const 4))
        (i32.store8 offset=1028 (i32.const 0) (i32.const 1))
        (i32.store offset=1036 (i32.const 0) (i32.const 2064))
        (i32.store offset=1040 (i32.const 0) (i32.const 4))
        (i32.store offset=1044 (i32.const 0) (i32.add (i32.const 2064)
            (i32.mul (i32.const 8) (i32.and (i32.wrap_i64 (call $now)) (i32.const 1)))))
        (i32.store offset=1048 (i32.const 0) (i32.const 4))
        (i32.const 1024))
        (data (i32.const 2064) "even") (data (i32.const 2072) "odd_") (func"#;
    load(&guest("identity-policy", &imports, body))
}

fn settings() -> Settings {
    r#"{"a":1}"#.into()
}

fn replay(policy: &Policy, record: &CallRecord) -> Replay {
    host().replay(policy, &settings(), record)
}

fn recorded() -> (Arc<Policy>, CallRecord) {
    let policy = curious();
    let record = call(&policy, identity("hello"));
    assert!(matches!(record.outcome, Outcome::Decided(_)), "{:?}", record.outcome);
    assert_eq!(record.answers.len(), 4);
    (policy, record)
}

#[track_caller]
fn differs(replay: &Replay, words: &[&str]) {
    assert!(!replay.same);
    let said = replay.differences.join("\n");
    for word in words {
        assert!(said.contains(word), "no {word:?} in:\n{said}");
    }
}

#[test]
fn a_record_replays_to_the_bit_also_after_json() {
    let (policy, record) = recorded();
    assert_eq!(replay(&policy, &record), Replay { same: true, differences: vec![] });
    let json = serde_json::to_string(&record).unwrap();
    let read: CallRecord = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record);
    assert!(replay(&policy, &read).same);
    // Settings are there by digest, the history once.
    assert!(!json.contains(r#"{\"a\":1}"#));
    assert_eq!(json.matches("message 59").count(), 1);
}

#[test]
fn a_fault_and_a_patients_field_replay_too() {
    let body = r#"(call $field (i32.const 2048) (i32.const 10) (i32.const 3072)) (unreachable))
        (data (i32.const 2048) "first-name") (func"#;
    let policy = load(&guest("routing-policy", FIELD, body));
    let record = call(&policy, routing("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Trap);
    assert!(replay(&policy, &record).same);
}

#[test]
fn answers_are_served_from_the_record() {
    let (policy, mut record) = recorded();
    record.answers[3] = HostAnswer::Now { value: 1 };
    differs(&replay(&policy, &record), &["outcome.decided.identity.ask.text", "even", "odd_"]);
}

#[test]
fn another_outcome_log_or_cost_is_named() {
    let (policy, record) = recorded();
    let mut fuel = record.clone();
    fuel.fuel += 1;
    differs(&replay(&policy, &fuel), &["fuel: recorded"]);
    let mut log = record.clone();
    log.log[0].line.push('!');
    differs(&replay(&policy, &log), &["log[0].line"]);
    let mut outcome = record.clone();
    outcome.outcome = Outcome::NoOpinion;
    outcome.engine = "another engine".into();
    differs(&replay(&policy, &outcome), &["outcome: recorded \"no_opinion\"", "another engine"]);
    let mut memory = record;
    memory.memory_peak = 1;
    differs(&replay(&policy, &memory), &["memory peak: recorded 1,"]);
}

#[test]
fn a_host_call_off_the_record_is_named() {
    let (policy, record) = recorded();
    let mut other = record.clone();
    other.answers[0] = HostAnswer::Now { value: 1 };
    differs(&replay(&policy, &other), &["host call 1: the record has now(), the replay called seed()"]);
    let mut argument = record.clone();
    argument.answers[2] = HostAnswer::History { limit: 6, given: 5 };
    let words = "host call 3: the record has history(6), the replay called history(5)";
    differs(&replay(&policy, &argument), &[words]);
    let mut fewer = record.clone();
    fewer.answers.pop();
    differs(&replay(&policy, &fewer), &["host call 4: the record has nothing more"]);
    let mut more = record;
    more.answers.push(HostAnswer::Seed { value: 1 });
    differs(&replay(&policy, &more), &["host call 5: the record has seed, the replay called nothing more"]);
}

#[test]
fn another_component_or_other_settings_are_named() {
    let (policy, mut record) = recorded();
    differs(&host().replay(&policy, &"{}".into(), &record), &["settings: the record is of"]);
    let other = load(&guest("identity-policy", "", "(i32.const 1024)"));
    differs(&replay(&other, &record), &["component: the record is of", "outcome"]);
    record.policy = Digest::of(b"something else");
    assert_eq!(replay(&policy, &record).differences.len(), 1);
}

#[test]
fn what_the_machine_ended_can_not_be_replayed() {
    let (policy, mut record) = recorded();
    record.outcome = Outcome::Overload;
    differs(&replay(&policy, &record), &["nothing ran"]);
}

#[test]
fn the_same_call_costs_the_same_in_every_instance() {
    let policy = curious();
    let first = call(&policy, identity("hello"));
    for _ in 0..50 {
        let again = host().call_blocking(&policy, asking(identity("hello")));
        assert_eq!(CallRecord { micros: first.micros, ..again }, first);
    }
}
