//! Each way to take too much ends as its own fault, and the host goes on.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]

mod support;

use std::{sync::Arc, time::Instant};

use anteroom_model::hooks::{HookOutput, Step};
use anteroom_policy::{CUT_MARK, FaultKind, HostAnswer, HostConfig, Limits, LogLevel, Outcome, PolicyHost};
use support::{
    FIELD, HISTORY, LOG, NOW, SETTINGS, asking, call, config, fault, guest, host, identity, load, module,
    replies, routing,
};

const SPIN: &str = "(loop $again (br $again)) (unreachable)";

fn host_with(limits: Limits) -> Arc<PolicyHost> {
    PolicyHost::new(HostConfig { limits, ..config() }).unwrap()
}

#[test]
fn no_opinion_leaves_a_full_record() {
    let policy = load(&guest("identity-policy", "", "(i32.const 1024)"));
    let record = call(&policy, identity("hello"));
    assert_eq!(record.outcome, Outcome::NoOpinion);
    assert_eq!(record.policy, policy.digest);
    assert_eq!(record.memory_peak, 4 * 65536);
    assert!(record.fuel > 0 && record.fuel < 10_000, "{}", record.fuel);
    assert!(record.engine.contains("wasmtime 48"));
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<anteroom_policy::CallRecord>(&json).unwrap(), record);
}

#[test]
fn an_endless_loop_uses_up_its_fuel() {
    let policy = load(&guest("identity-policy", "", SPIN));
    let record = call(&policy, identity("hello"));
    let fault = fault(&record);
    assert_eq!(fault.kind, FaultKind::Fuel);
    assert!(fault.is_authors());
    assert_eq!(fault.backtrace, ["run"]);
    assert_eq!(record.fuel, Limits::default().fuel);
}

#[test]
fn an_endless_loop_with_fuel_to_burn_runs_out_of_cpu_time() {
    let host =
        host_with(Limits { fuel: Limits::CEILING.fuel, cpu_ms: 20, wall_ms: 1_000, ..Limits::default() });
    let policy = host.load(&guest("identity-policy", "", SPIN)).unwrap();
    let started = Instant::now();
    let record = host.call_blocking(&policy, asking(identity("hello")));
    assert_eq!(fault(&record).kind, FaultKind::CpuTime);
    assert!(fault(&record).is_authors());
    assert!(record.micros >= 20_000, "stopped early: {} µs", record.micros);
    assert!(started.elapsed().as_millis() < 2_000);
}

#[test]
fn a_busy_machine_is_not_the_authors_fault() {
    // A wall so near that it is passed while CPU time is left.
    let limits = Limits { fuel: Limits::CEILING.fuel, cpu_ms: 250, wall_ms: 1, ..Limits::default() };
    let host = host_with(limits);
    let policy = host.load(&guest("identity-policy", "", SPIN)).unwrap();
    let record = host.call_blocking(&policy, asking(identity("hello")));
    assert_eq!(fault(&record).kind, FaultKind::WallTime);
    assert!(!fault(&record).is_authors());
}

#[test]
fn memory_is_summed_over_memories() {
    // Two memories of 17 MiB each are 34 MiB; neither alone is over 32.
    let body = r#"(memory (export "memory") 1) (memory $second 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func $grow_first (drop (memory.grow 0 (i32.const 271))))
        (func $grow_second (drop (memory.grow 1 (i32.const 271))))
        (func (export "anteroom:policy/identity@1.0.0#next") (param i32) (result i32)
            (call $grow_first) (call $grow_second) (i32.const 1024))"#;
    let record = call(&load(&module("identity-policy", body)), identity("hello"));
    let fault = fault(&record);
    assert_eq!(fault.kind, FaultKind::Memory);
    assert_eq!(fault.backtrace[0], "grow_second");
    assert!(record.memory_peak > 17 << 20 && record.memory_peak <= 32 << 20, "{}", record.memory_peak);
}

#[test]
fn tables_count_as_memory() {
    let body = r#"(memory (export "memory") 1) (table $t 1 funcref)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "anteroom:policy/identity@1.0.0#next") (param i32) (result i32)
            (drop (table.grow $t (ref.null func) (i32.const 10000000))) (i32.const 1024))"#;
    let record = call(&load(&module("identity-policy", body)), identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Memory);
}

#[test]
fn endless_recursion_is_a_stack_fault() {
    let policy = load(&guest("identity-policy", "", "(call $run (local.get $turn))"));
    let record = call(&policy, identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Stack);
    assert!(fault(&record).backtrace.iter().all(|name| name == "run"));
}

#[test]
fn a_trap_has_a_backtrace() {
    let policy = load(&guest("routing-policy", "", "(unreachable)"));
    let record = call(&policy, routing("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Trap);
    assert_eq!(fault(&record).backtrace, ["run"]);
}

/// Answers with one reply whose body is `length` bytes of zeros from address 65536 on.
fn long_reply(length: u32) -> Vec<u8> {
    let body = format!(
        "(i32.store offset=1024 (i32.const 0) (i32.const 0))
         (i32.store8 offset=1028 (i32.const 0) (i32.const 1))
         (i32.store offset=1032 (i32.const 0) (i32.const 2048))
         (i32.store offset=1036 (i32.const 0) (i32.const 1))
         (i32.store offset=2048 (i32.const 0) (i32.const 65536))
         (i32.store offset=2052 (i32.const 0) (i32.const {length}))
         (drop (memory.grow (i32.const 40)))
         (i32.const 1024)"
    );
    guest("replies-policy", "", &body)
}

#[test]
fn output_is_measured_and_huge_output_is_not_even_lifted() {
    for length in [70_000, 2_000_000] {
        let record = call(&load(&long_reply(length)), replies("hello"));
        assert_eq!(fault(&record).kind, FaultKind::OutputTooLarge, "{length}");
    }
}

#[test]
fn output_must_keep_the_hooks_rules() {
    // A body of 10 bytes, but neither throttle key nor reason.
    let record = call(&load(&long_reply(10)), replies("hello"));
    assert_eq!(fault(&record).kind, FaultKind::InvalidOutput);
}

#[test]
fn a_text_that_is_no_utf_8_is_invalid_output() {
    let body = "(i32.store8 offset=65536 (i32.const 0) (i32.const 255))
         (i32.store8 offset=1028 (i32.const 0) (i32.const 1))
         (i32.store offset=1036 (i32.const 0) (i32.const 65536))
         (i32.store offset=1040 (i32.const 0) (i32.const 1))
         (i32.const 1024)";
    let record = call(&load(&guest("identity-policy", "", body)), identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::InvalidOutput);
}

#[test]
fn a_decision_is_read_back() {
    // ask(question = "dob", text = "When were you born?")
    let body = "(i32.store8 offset=1028 (i32.const 0) (i32.const 1))
         (i32.store offset=1036 (i32.const 0) (i32.const 2048))
         (i32.store offset=1040 (i32.const 0) (i32.const 3))
         (i32.store offset=1044 (i32.const 0) (i32.const 2064))
         (i32.store offset=1048 (i32.const 0) (i32.const 19))
         (i32.const 1024)";
    let data = r#"(data (i32.const 2048) "dob") (data (i32.const 2064) "When were you born?")"#;
    let component = guest("identity-policy", "", &format!("{body}) {data} (func"));
    let record = call(&load(&component), identity("hello"));
    let Outcome::Decided(HookOutput::Identity(Step::Ask(prompt))) = &record.outcome else {
        panic!("{:?}", record.outcome)
    };
    assert_eq!((prompt.question.as_str(), prompt.text.as_str()), ("dob", "When were you born?"));
}

#[test]
fn input_over_its_limit_does_not_run_and_is_not_the_authors() {
    let policy = load(&guest("identity-policy", "", "(unreachable)"));
    let record = call(&policy, identity(&"x".repeat(300_000)));
    assert_eq!(fault(&record).kind, FaultKind::InputTooLarge);
    assert!(!fault(&record).is_authors());
    assert_eq!(record.fuel, 0);
}

#[test]
fn a_flood_of_host_calls_ends_at_its_budget() {
    let policy =
        load(&guest("identity-policy", NOW, "(loop $again (drop (call $now)) (br $again)) (i32.const 0)"));
    let record = call(&policy, identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::HostCalls);
    assert_eq!(record.answers.len(), 200);
    assert_eq!(record.answers[0], HostAnswer::Now { value: 1_795_000_000_000_000 });
}

const LOGS: &str = r#"(data (i32.const 2048) "warn")"#;

fn logs(length: u32, times: u32) -> Vec<u8> {
    let body = format!(
        "(local $left i32) (local.set $left (i32.const {times}))
         (memory.fill (i32.const 65536) (i32.const 97) (i32.const {length}))
         (loop $again
            (call $log (i32.const 2048) (i32.const 4) (i32.const 65536) (i32.const {length}))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
         (i32.const 1024)) {LOGS} (func"
    );
    guest("identity-policy", LOG, &body)
}

#[test]
fn long_lines_and_many_lines_are_cut_and_marked() {
    let record = call(&load(&logs(5_000, 30)), identity("hello"));
    assert_eq!(record.outcome, Outcome::NoOpinion);
    let bytes: usize = record.log.iter().map(|line| line.line.len()).sum();
    assert!(bytes <= 16 * 1024, "{bytes}");
    assert_eq!(record.log[0].level, LogLevel::Warn);
    assert_eq!(record.log[0].line.len(), 1024);
    assert!(record.log[0].line.ends_with(CUT_MARK));
    assert_eq!(record.log.last().unwrap().line, CUT_MARK);
    assert_eq!(record.log.iter().filter(|line| line.line == CUT_MARK).count(), 1);
}

#[test]
fn a_flood_of_log_calls_is_a_log_fault() {
    let record = call(&load(&logs(1, 100_000)), identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Log);
    assert_eq!(record.log.len(), 1_000);
}

#[test]
fn a_line_beyond_what_one_crossing_may_copy_is_a_log_fault() {
    let body = format!(
        "(drop (memory.grow (i32.const 40)))
         (call $log (i32.const 2048) (i32.const 4) (i32.const 65536) (i32.const 2000000))
         (i32.const 1024)) {LOGS} (func"
    );
    let record = call(&load(&guest("identity-policy", LOG, &body)), identity("hello"));
    assert_eq!(fault(&record).kind, FaultKind::Log);
}

#[test]
fn history_is_the_newest_fifty_and_recorded_once() {
    let body = "(call $history (i32.const 1000) (i32.const 2048))
        (call $history (i32.const 3) (i32.const 2048)) (i32.const 1024)";
    let record = call(&load(&guest("identity-policy", HISTORY, body)), identity("hello"));
    assert_eq!(record.outcome, Outcome::NoOpinion);
    let given = |limit, given| HostAnswer::History { limit, given };
    assert_eq!(record.answers, [given(1000, 50), given(3, 3)]);
    assert_eq!(record.history.len(), 50);
    assert_eq!(record.history[49].body, "message 59");
}

#[test]
fn settings_are_recorded_by_digest() {
    let body = "(call $settings (i32.const 2048)) (i32.const 1024)";
    let record = call(&load(&guest("identity-policy", SETTINGS, body)), identity("hello"));
    assert_eq!(record.answers, [HostAnswer::Settings { digest: record.settings }]);
}

#[test]
fn a_patients_field_is_answered_only_where_a_person_reads_the_output() {
    let body = r#"(call $field (i32.const 2048) (i32.const 10) (i32.const 3072)) (i32.const 1024))
        (data (i32.const 2048) "first-name") (func"#;
    let record = call(&load(&guest("routing-policy", FIELD, body)), routing("hello"));
    let answer = |value: Option<&str>| HostAnswer::Field {
        name: "first-name".into(),
        value: value.map(str::to_owned),
    };
    assert_eq!(record.answers, [answer(Some("Ada"))]);

    // The same import under a world that has none: one component for two hooks looks like this to the host.
    let two = two_hooks(body);
    let policy = load(&two);
    assert!(policy.uses_patient);
    assert_eq!(host().call_blocking(&policy, asking(routing("hello"))).answers, [answer(Some("Ada"))]);
    assert_eq!(host().call_blocking(&policy, asking(identity("hello"))).answers, [answer(None)]);
}

/// A component that serves routing and identity with the same function, which reads a patient's field.
fn two_hooks(body: &str) -> Vec<u8> {
    let wit = "package test:two; world two {
        import anteroom:policy/patient@1.0.0;
        export anteroom:policy/routing@1.0.0;
        export anteroom:policy/identity@1.0.0;
    }";
    support::inline(
        wit,
        &format!(
            r#"{FIELD} (memory (export "memory") 4)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (export "anteroom:policy/identity@1.0.0#next" (func $run))
            (export "anteroom:policy/routing@1.0.0#route" (func $run))
            (func $run (param i32) (result i32) {body})"#
        ),
    )
}
