//! Counts and traces of calls: hook, outcome, kind of fault, cost. Never what was said.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::{CallRecord, FaultKind};

const CALLS: &str = "anteroom_policy_calls_total";
const SECONDS: &str = "anteroom_policy_call_seconds";
const FAULTS: &str = "anteroom_policy_faults_total";
const IN_FLIGHT: &str = "anteroom_policy_calls_in_flight";

pub(crate) fn describe() {
    describe_counter!(CALLS, "Calls of policies, by hook and outcome");
    describe_histogram!(
        SECONDS,
        metrics::Unit::Seconds,
        "Time of a policy call without waiting for its place"
    );
    describe_counter!(FAULTS, "Policy calls that ended in a fault, by hook and kind");
    describe_gauge!(IN_FLIGHT, "Policy calls running now");
}

/// Counts a call as running until dropped.
pub(crate) struct InFlight;

pub(crate) fn in_flight() -> InFlight {
    gauge!(IN_FLIGHT).increment(1);
    InFlight
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1);
    }
}

/// Counts and traces a call that ended.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a call are far below 2^52")]
pub(crate) fn called(record: &CallRecord) {
    let (hook, outcome) = (record.hook.as_str(), record.outcome.as_str());
    counter!(CALLS, "hook" => hook, "outcome" => outcome).increment(1);
    histogram!(SECONDS, "hook" => hook).record(record.micros as f64 / 1e6);
    let kind = record.outcome.fault().map(|fault| fault.kind);
    if let Some(kind) = kind {
        counter!(FAULTS, "hook" => hook, "kind" => kind.as_str()).increment(1);
    }
    let (policy, fuel, micros) = (record.policy, record.fuel, record.micros);
    let fault = kind.map(FaultKind::as_str);
    if kind == Some(FaultKind::Host) {
        tracing::error!(hook, %policy, outcome, fault, fuel, micros, "policy call");
    } else {
        tracing::debug!(hook, %policy, outcome, fault, fuel, micros, "policy call");
    }
}
