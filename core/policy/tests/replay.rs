//! A record runs again to the bit, and whatever is not the same is named.

mod support;

use std::sync::Arc;

use anteroom_model::hooks::HistoryMessage;
use anteroom_policy::{
    CallRecord, Digest, FaultKind, HostAnswer, LogLevel, Outcome, Policy, Replay, Rerun, Settings,
};
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

fn history() -> Vec<HistoryMessage> {
    asking(identity("hello")).history
}

fn rerun(policy: &Policy, record: &CallRecord) -> Rerun {
    host().rerun(policy, &settings(), record, &history())
}

#[test]
fn a_record_keeps_time_and_seed_and_older_ones_replay_without() {
    let (policy, record) = recorded();
    assert_eq!((record.now, record.seed), (1_795_000_000_000_000, 0xfeed_face_cafe_beef));
    let mut json = serde_json::to_value(&record).expect("a record");
    let fields = json.as_object_mut().expect("an object");
    assert!(fields.remove("now").is_some() && fields.remove("seed").is_some());
    let old: CallRecord = serde_json::from_value(json).expect("a record without them");
    assert_eq!((old.now, old.seed), (0, 0));
    assert!(replay(&policy, &old).same);
    // What the policy was told stands in its answers.
    let again = rerun(&policy, &old).record;
    assert_eq!((again.now, again.seed), (record.now, record.seed));
    assert_eq!(again.outcome, record.outcome);
}

#[test]
fn the_same_policy_run_again_makes_the_same_record() {
    let (policy, record) = recorded();
    for _ in 0..3 {
        let Rerun { record: again, unknown_fields } = rerun(&policy, &record);
        assert_eq!(CallRecord { micros: record.micros, ..again }, record);
        assert!(unknown_fields.is_empty());
    }
}

#[test]
fn a_candidate_is_told_what_was_recorded() {
    // It asks for what the recorded policy never asked for: time, seed and history.
    let quiet = load(&guest("identity-policy", "", "(i32.const 1024)"));
    let record = call(&quiet, identity("hello"));
    let Rerun { record: candidates, .. } = rerun(&curious(), &record);
    assert_eq!(candidates.input, record.input);
    assert_eq!(candidates.answers[0], HostAnswer::Seed { value: record.seed });
    assert_eq!(candidates.answers[3], HostAnswer::Now { value: record.now });
    assert_eq!(candidates.history, history()[55..]);
    // Its record is one like any other.
    assert!(replay(&curious(), &candidates).same);
}

#[test]
fn fields_that_were_not_recorded_are_none_and_named() {
    let asks = |field: &str| {
        let body = format!(
            r#"(call $field (i32.const 2048) (i32.const {length}) (i32.const 3072))
               (if (i32.load8_u (i32.const 3072)) (then (call $log (i32.const 2048) (i32.const {length})
                   (i32.load offset=3076 (i32.const 0)) (i32.load offset=3080 (i32.const 0)))))
               (i32.const 1024)) (data (i32.const 2048) "{field}") (func"#,
            length = field.len(),
        );
        load(&guest("routing-policy", &[FIELD, LOG].concat(), &body))
    };
    let first = asks("first-name");
    let record = call(&first, routing("hello"));
    assert_eq!(record.log[0].line, "Ada");
    assert_eq!(record.log[0].level, LogLevel::Info);
    let same = rerun(&first, &record);
    assert_eq!((same.record.log, same.unknown_fields), (record.log.clone(), vec![]));
    let other = rerun(&asks("last-name"), &record);
    assert_eq!((other.record.log, other.unknown_fields), (vec![], vec!["last-name".to_owned()]));
    // Known to be empty is known.
    let empty = call(&asks("language"), routing("hello"));
    assert!(rerun(&asks("language"), &empty).unknown_fields.is_empty());
}

#[test]
fn a_rerun_of_a_hook_that_the_candidate_does_not_serve_is_the_hosts_fault() {
    let (_, record) = recorded();
    let routes = load(&guest("routing-policy", "", "(i32.const 1024)"));
    let again = rerun(&routes, &record).record;
    assert_eq!(fault(&again).kind, FaultKind::Host);
}
