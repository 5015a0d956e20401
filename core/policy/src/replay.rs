//! Running a record again, and saying what came out otherwise.

use serde_json::Value;
use wasmtime::Engine;

use crate::{
    CallRecord, Digest, HostAnswer, Limits, Outcome, Policy, Settings,
    run::{Ran, run},
    state::Facts,
};

/// Differences named before the rest is only counted.
const NAMED: usize = 20;

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Did everything come out as recorded, to the bit?
    pub same: bool,
    /// What did not, in words; quotes the outputs, so keep it as sealed as the record.
    pub differences: Vec<String>,
}

impl Replay {
    fn of(differences: Vec<String>) -> Self {
        Self { same: differences.is_empty(), differences }
    }
}

/// Runs `record` again with its recorded answers, on this thread.
pub(crate) fn replay(
    engine: &Engine,
    name: &str,
    policy: &Policy,
    limits: Limits,
    settings: &Settings,
    record: &CallRecord,
) -> Replay {
    if let Some(reason) = unrepeatable(&record.outcome) {
        return Replay::of(vec![reason]);
    }
    let mut differences = Vec::new();
    digest("component", record.policy, policy.digest, &mut differences);
    digest("settings", record.settings, settings.digest(), &mut differences);
    if record.settings != settings.digest() {
        // Recorded by digest: served in order, another text would be another call.
        return Replay::of(differences);
    }
    let facts = Facts {
        history: record.history.clone(),
        script: Some(record.answers.clone()),
        ..Facts::bare(settings.clone())
    };
    let ran = run(engine, policy, limits, &record.input, facts);
    compare(record, &ran, &mut differences);
    if !differences.is_empty() && *record.engine != *name {
        differences.push(format!("recorded by {}, replayed by {name}", record.engine));
    }
    Replay::of(differences)
}

/// Why an outcome can't be repeated, if it can't.
fn unrepeatable(outcome: &Outcome) -> Option<String> {
    if outcome.is_repeatable() {
        return None;
    }
    Some(match outcome.fault() {
        Some(fault) => {
            format!("recorded as `{}`: ended by the machine, at no instruction in particular", fault.kind)
        }
        None => "recorded as overload: nothing ran".to_owned(),
    })
}

fn digest(what: &str, recorded: Digest, given: Digest, differences: &mut Vec<String>) {
    if recorded != given {
        differences.push(format!("{what}: the record is of {recorded}, this is {given}"));
    }
}

fn compare(record: &CallRecord, ran: &Ran, differences: &mut Vec<String>) {
    differences.extend(ran.divergence.clone());
    if ran.divergence.is_none() && ran.unasked > 0 {
        let first = record.answers.len() - ran.unasked;
        let call = record.answers.get(first).map_or("call", HostAnswer::function);
        let number = first + 1;
        differences
            .push(format!("host call {number}: the record has {call}, the replay called nothing more"));
    }
    let mut values = Vec::new();
    walk("outcome", &json(&record.outcome), &json(&ran.outcome), &mut values);
    walk("log", &json(&record.log), &json(&ran.log), &mut values);
    if values.len() > NAMED {
        let more = values.len() - NAMED;
        values.truncate(NAMED);
        values.push(format!("… and {more} more"));
    }
    differences.append(&mut values);
    if record.fuel != ran.fuel {
        differences.push(format!("fuel: recorded {}, replayed {}", record.fuel, ran.fuel));
    }
    if record.memory_peak != ran.memory_peak {
        let (recorded, replayed) = (record.memory_peak, ran.memory_peak);
        differences.push(format!("memory peak: recorded {recorded}, replayed {replayed}"));
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    // Records are plain structs with text keys, which always serialize.
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Names the places where two JSON values differ.
fn walk(path: &str, recorded: &Value, replayed: &Value, differences: &mut Vec<String>) {
    match (recorded, replayed) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                walk(&format!("{path}.{key}"), value, &b[key], differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}[{index}]"), a, b, differences);
            }
        }
        _ if recorded == replayed => {}
        _ => differences.push(format!("{path}: recorded {recorded}, replayed {replayed}")),
    }
}
