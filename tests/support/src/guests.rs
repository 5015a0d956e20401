//! Policies written as core WebAssembly text, for one of the worlds of `wit/`.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{PackageId, Resolve};

/// What every guest here begins with: a bump allocator above 4 KiB; below it is room for answers.
const PRELUDE: &str = r#"
    (global $heap (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
"#;

/// Imports `host.log`, as a guest's core module sees it.
pub const LOG: &str = r#"(import "anteroom:policy/host@1.0.0" "log" (func $log (param i32 i32 i32 i32)))"#;
/// Imports `host.now`.
pub const NOW: &str = r#"(import "anteroom:policy/host@1.0.0" "now" (func $now (result i64)))"#;
/// Imports `host.seed`.
pub const SEED: &str = r#"(import "anteroom:policy/host@1.0.0" "seed" (func $seed (result i64)))"#;
/// Imports `host.settings`.
pub const SETTINGS: &str = r#"(import "anteroom:policy/host@1.0.0" "settings" (func $settings (param i32)))"#;
/// Imports `host.history`.
pub const HISTORY: &str =
    r#"(import "anteroom:policy/host@1.0.0" "history" (func $history (param i32 i32)))"#;
/// Imports `patient.field`.
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
    let (package, _) = resolve.push_path(wit()).expect("wit/");
    encode(&resolve, package, Some(world), fields)
}

/// A component of the one world in `text`, which may use the package of `wit/` or stand in for it.
pub fn inline(text: &str, fields: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    if !text.starts_with("package anteroom:policy@") {
        resolve.push_path(wit()).expect("wit/");
    }
    let package = resolve.push_str("inline.wit", text).expect("WIT");
    encode(&resolve, package, None, fields)
}

/// A component written as text, without its outermost parentheses.
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).expect("a component's text")
}

/// Appends a custom section to a binary.
pub fn with_section(binary: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    with_raw_section(binary, 0, &[leb(name.len()), name.into(), data.to_vec()].concat())
}

/// Appends a section of any kind.
pub fn with_raw_section(mut binary: Vec<u8>, id: u8, body: &[u8]) -> Vec<u8> {
    binary.push(id);
    binary.extend(leb(body.len()));
    binary.extend_from_slice(body);
    binary
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn encode(resolve: &Resolve, package: PackageId, world: Option<&str>, fields: &str) -> Vec<u8> {
    let mut module = wat::parse_str(format!("(module {fields})")).expect("a module's text");
    let world = resolve.select_world(&[package], world).expect("a world");
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .expect("a module to embed in");
    // Not all of these are valid: that is for the host to find out.
    let mut encoder = ComponentEncoder::default();
    encoder.validate(false).module(&module).expect("a module of the world");
    encoder.encode().expect("a module of the world")
}

/// A number as WebAssembly writes sizes.
pub(crate) fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7f).expect("seven bits");
        value >>= 7;
        bytes.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}
