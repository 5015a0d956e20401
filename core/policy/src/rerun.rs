//! Another policy on a recorded turn: what would it have answered?

use std::collections::{BTreeMap, BTreeSet};

use anteroom_model::hooks::HistoryMessage;
use wasmtime::Engine;

use crate::{
    CallRecord, HostAnswer, Limits, Policy, Settings,
    run::{Ran, run},
    state::{Facts, sees_patient},
};

/// What a candidate made of a recorded turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// Its call. All but `micros` is the same every time.
    pub record: CallRecord,
    /// Fields of the patient that it asked for and the recorded policy had not, each once, sorted: it was
    /// answered `none`, so that it may decide otherwise on a live turn.
    pub unknown_fields: Vec<String>,
}

/// Runs `policy` on this thread with what `recorded` knew; and the fields that it didn't.
pub(crate) fn rerun(
    engine: &Engine,
    policy: &Policy,
    limits: Limits,
    settings: &Settings,
    recorded: &CallRecord,
    history: &[HistoryMessage],
) -> (Ran, Vec<String>) {
    let known = fields(recorded);
    let (now, seed) = moment(recorded);
    let patient = known.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
    let facts = Facts {
        now,
        seed,
        history: history.to_vec(),
        patient: patient.collect(),
        ..Facts::bare(settings.clone())
    };
    let ran = run(engine, policy, limits, &recorded.input, facts);
    let asked = ran.answers.iter().filter_map(|answer| match answer {
        HostAnswer::Field { name, .. } if !known.contains_key(name.as_str()) => Some(name.clone()),
        _ => None,
    });
    // Where no hook sees the patient, `none` is the answer of live turns too.
    let unknown: BTreeSet<String> =
        if sees_patient(recorded.input.hook()) { asked.collect() } else { BTreeSet::new() };
    (ran, unknown.into_iter().collect())
}

/// The patient's fields that the record holds, present or known to be absent.
fn fields(record: &CallRecord) -> BTreeMap<&str, Option<&str>> {
    let fields = record.answers.iter().filter_map(|answer| match answer {
        HostAnswer::Field { name, value } => Some((name.as_str(), value.as_deref())),
        _ => None,
    });
    fields.collect()
}

/// Time and seed of the turn: where the policy asked, what it was told. Older records have nothing else.
pub(crate) fn moment(record: &CallRecord) -> (i64, u64) {
    let now = record.answers.iter().find_map(|answer| match answer {
        HostAnswer::Now { value } => Some(*value),
        _ => None,
    });
    let seed = record.answers.iter().find_map(|answer| match answer {
        HostAnswer::Seed { value } => Some(*value),
        _ => None,
    });
    (now.unwrap_or(record.now), seed.unwrap_or(record.seed))
}
