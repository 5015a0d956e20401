//! Turns to call policies with, and hosts to run them in.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]
#![expect(dead_code, reason = "each test file uses its own part")]
#![expect(unreachable_pub, reason = "compiled into every test file")]

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use anteroom_model::{
    hooks::{
        ClinicNumber, HistoryMessage, HookInput, Hours, IdentityTurn, LocalTime, RepliesTurn, RoutingTurn,
        ShortcutContext,
    },
    ids::OrganizationId,
};
use anteroom_policy::{Call, CallRecord, Fault, HostConfig, Limits, Outcome, Policy, PolicyHost};

// As files: with the package would come its HTTP client, and the features that Wasmtime then is built with.
#[path = "../../../../tests/support/src/guests.rs"]
mod guests;
#[path = "../../../../tests/support/src/uploads.rs"]
pub mod uploads;

#[expect(unused_imports, reason = "each test file uses its own part")]
pub use guests::{FIELD, HISTORY, LOG, NOW, SEED, SETTINGS, component, guest, inline, module, with_section};

/// A host shared by the tests of one file.
pub fn host() -> &'static Arc<PolicyHost> {
    static HOST: OnceLock<Arc<PolicyHost>> = OnceLock::new();
    HOST.get_or_init(|| PolicyHost::new(config()).unwrap())
}

/// Few places, so that many tests can have hosts at once; and all the time there is, so that a slow or busy
/// machine changes no fault into another.
pub fn config() -> HostConfig {
    let limits =
        Limits { cpu_ms: Limits::CEILING.cpu_ms, wall_ms: Limits::CEILING.wall_ms, ..Limits::default() };
    HostConfig { limits, global_concurrency: 16, ..HostConfig::new([7; 32]) }
}

/// Loads a policy that is expected to be accepted.
pub fn load(component: &[u8]) -> Arc<Policy> {
    host().load(component).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Calls with `input` and nothing else of interest.
pub fn call(policy: &Arc<Policy>, input: HookInput) -> CallRecord {
    host().call_blocking(policy, asking(input))
}

/// A call with a fixed time, seed, history and patient.
pub fn asking(input: HookInput) -> Call {
    Call {
        organization: organization(1),
        settings: r#"{"a":1}"#.into(),
        now: 1_795_000_000_000_000,
        seed: 0xfeed_face_cafe_beef,
        history: (0..60).map(message).collect(),
        patient: BTreeMap::from([("first-name".to_owned(), "Ada".to_owned())]),
        input,
    }
}

pub fn organization(number: u128) -> OrganizationId {
    uuid::Uuid::from_u128(number).into()
}

fn message(number: i64) -> HistoryMessage {
    HistoryMessage {
        direction: "inbound".into(),
        author: "patient".into(),
        at: number,
        body: format!("message {number}"),
    }
}

/// The fault that a call must have ended in.
pub fn fault(record: &CallRecord) -> &Fault {
    match &record.outcome {
        Outcome::Fault(fault) => fault,
        other => panic!("expected a fault, got {other:?}"),
    }
}

pub fn identity(text: &str) -> HookInput {
    HookInput::Identity(IdentityTurn { text: text.into(), number: number(), hours: hours(), asked: vec![] })
}

pub fn routing(text: &str) -> HookInput {
    HookInput::Routing(RoutingTurn {
        text: text.into(),
        media_count: 0,
        number: number(),
        hours: hours(),
        turn_number: 1,
        identity: "unasked".into(),
        teams: vec!["Front Desk".into(), "Pharmacy".into()],
        facilities: vec!["North".into()],
        current: None,
    })
}

pub fn replies(text: &str) -> HookInput {
    HookInput::Replies(RepliesTurn {
        text: text.into(),
        media_count: 0,
        number: number(),
        hours: hours(),
        turn_number: 1,
        told: vec![],
    })
}

pub fn shortcuts() -> ShortcutContext {
    ShortcutContext {
        staff_name: "Sam Poole".into(),
        teams: vec!["Front Desk".into()],
        number: number(),
        hours: hours(),
    }
}

fn number() -> ClinicNumber {
    ClinicNumber {
        address: "+18005550100".into(),
        kind: "sandbox".into(),
        label: "Front desk".into(),
        facility: Some("North".into()),
        organization: "Example Clinic".into(),
    }
}

fn hours() -> Hours {
    let local = LocalTime { date: "2026-11-23".into(), weekday: "monday".into(), minute: 600 };
    let closes = LocalTime { minute: 1020, ..local.clone() };
    Hours {
        open: true,
        time_zone: "America/Chicago".into(),
        local,
        holiday: None,
        opens: None,
        closes: Some(closes),
    }
}
