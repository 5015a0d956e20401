//! Policies written as core WebAssembly text, turns to call them with, and hosts to run them in.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]
#![expect(dead_code, reason = "each test file uses its own part")]
#![expect(unreachable_pub, reason = "compiled into every test file")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
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
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{PackageId, Resolve};

/// What every guest here begins with: memory, a bump allocator above 4 KiB, and room for answers below it.
const PRELUDE: &str = r#"
    (global $heap (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
"#;

/// Imports of the host, as a guest's core module sees them.
pub const LOG: &str = r#"(import "anteroom:policy/host@1.0.0" "log" (func $log (param i32 i32 i32 i32)))"#;
pub const NOW: &str = r#"(import "anteroom:policy/host@1.0.0" "now" (func $now (result i64)))"#;
pub const SEED: &str = r#"(import "anteroom:policy/host@1.0.0" "seed" (func $seed (result i64)))"#;
pub const SETTINGS: &str = r#"(import "anteroom:policy/host@1.0.0" "settings" (func $settings (param i32)))"#;
pub const HISTORY: &str =
    r#"(import "anteroom:policy/host@1.0.0" "history" (func $history (param i32 i32)))"#;
pub const FIELD: &str =
    r#"(import "anteroom:policy/patient@1.0.0" "field" (func $field (param i32 i32 i32)))"#;

/// The function of a world with only one.
pub fn function(world: &str) -> &'static str {
    match world {
        "identity-policy" => "anteroom:policy/identity@1.0.0#next",
        "routing-policy" => "anteroom:policy/routing@1.0.0#route",
        "replies-policy" => "anteroom:policy/replies@1.0.0#reply",
        other => panic!("{other} has several"),
    }
}

/// A component of `world` whose one function has this body: it gets its turn's address as `$turn` and
/// returns its answer's address (1024 holds zeros, which is `ok(none)`).
pub fn guest(world: &str, imports: &str, body: &str) -> Vec<u8> {
    let name = function(world);
    module(
        world,
        &format!(
            r#"{imports} (memory (export "memory") 4) {PRELUDE}
            (func $run (export "{name}") (param $turn i32) (result i32) {body})"#
        ),
    )
}

/// A component of `world` from the fields of a core module.
pub fn module(world: &str, fields: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit()).unwrap();
    encode(&resolve, package, Some(world), fields)
}

/// A component of the one world in `text`, which may use the package of `wit/` or stand in for it.
pub fn inline(text: &str, fields: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    if !text.starts_with("package anteroom:policy@") {
        resolve.push_path(wit()).unwrap();
    }
    let package = resolve.push_str("inline.wit", text).unwrap();
    encode(&resolve, package, None, fields)
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn encode(resolve: &Resolve, package: PackageId, world: Option<&str>, fields: &str) -> Vec<u8> {
    let mut module = wat::parse_str(format!("(module {fields})")).unwrap();
    let world = resolve.select_world(&[package], world).unwrap();
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// Appends a custom section to a binary.
pub fn with_section(mut binary: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = leb(name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    binary.push(0);
    binary.extend(leb(body.len()));
    binary.extend(body);
    binary
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        bytes.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

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
