//! Components as they were once built, linked and called by today's host: what a clinic has uploaded keeps
//! working. See the README beside this for what may be changed here (nothing) and added (much).

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use anteroom_model::{
    hooks::{HistoryMessage, Hook, HookInput},
    ids::OrganizationId,
};
use anteroom_policy::{Call, HostConfig, Limits, Outcome, PolicyHost};
use anteroom_test_support::corpus::{Kept, corpus};
use serde::Deserialize;

/// One line of a component's `.jsonl`, as `anteroom policy test --record` wrote it.
#[derive(Deserialize)]
struct Recorded {
    name: String,
    settings: String,
    now: i64,
    seed: u64,
    history: Vec<HistoryMessage>,
    patient: BTreeMap<String, String>,
    input: HookInput,
    outcome: Outcome,
}

fn host() -> Arc<PolicyHost> {
    let limits = Limits {
        component_bytes: Limits::CEILING.component_bytes,
        compiled_bytes: Limits::CEILING.compiled_bytes,
        // A busy machine changes no decision into a fault.
        cpu_ms: Limits::CEILING.cpu_ms,
        wall_ms: Limits::CEILING.wall_ms,
        ..Limits::default()
    };
    // Compiled again only for another Wasmtime; CPython takes it a while.
    let cache_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compat"));
    let config = HostConfig { limits, cache_dir, global_concurrency: 1, ..HostConfig::new([7; 32]) };
    PolicyHost::new(config).expect("a policy host")
}

/// Of a fault the kind counts: its words are for people.
fn same(then: &Outcome, now: &Outcome) -> bool {
    match (then.fault(), now.fault()) {
        (Some(then), Some(now)) => then.kind == now.kind,
        _ => then == now,
    }
}

#[test]
fn every_component_of_the_corpus_still_decides_as_it_did() {
    let host = host();
    let mut hooks: Vec<Hook> = Vec::new();
    let files = corpus();
    assert!(files.len() >= 6, "{}", files.len());
    for Kept { name: shown, component, records } in files {
        let policy = host.load(&component).unwrap_or_else(|refusal| panic!("{shown}: {refusal}"));
        let records = fs::read_to_string(&records).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert!(!records.trim().is_empty(), "{shown}: no record");
        for line in records.lines() {
            let recorded: Recorded =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{shown}: {error} in {line}"));
            hooks.push(recorded.input.hook());
            let call = Call {
                organization: OrganizationId::from(uuid::Uuid::from_u128(1)),
                settings: recorded.settings.as_str().into(),
                now: recorded.now,
                seed: recorded.seed,
                history: recorded.history,
                patient: recorded.patient,
                input: recorded.input,
            };
            let now = host.call_blocking(&policy, call).outcome;
            let (name, then) = (recorded.name, recorded.outcome);
            assert!(same(&then, &now), "{shown}, {name}: then {then:?}, now {now:?}");
        }
    }
    for hook in Hook::ALL {
        assert!(hooks.contains(&hook), "no component of the corpus serves {hook}");
    }
}
