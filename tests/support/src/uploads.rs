//! What somebody who means harm, or whose build went wrong, uploads as a policy; with the code of the refusal
//! that must come.

use std::fmt::Write as _;

use super::guests::{FIELD, LOG, NOW, component, guest, inline, leb, module, with_raw_section, with_section};

/// Bytes as they are uploaded.
pub struct Upload {
    /// What it is.
    pub name: &'static str,
    /// The upload.
    pub bytes: Vec<u8>,
    /// The code that it is refused with; empty for one that is accepted.
    pub code: &'static str,
}

/// CPU time, in seconds, and memory, in bytes, of a compiler that the compile bombs here are too much for:
/// for larger ones they only take longer, or are refused for the size that they have once compiled.
pub const BOMB_CPU_SECONDS: u64 = 6;
/// See [`BOMB_CPU_SECONDS`].
pub const BOMB_MEMORY_BYTES: u64 = 384 * 1024 * 1024;

/// The section of a policy's manifest.
const MANIFEST: &str = "anteroom:manifest";
const MIB: usize = 1024 * 1024;

/// An identity policy without an opinion.
const QUIET: &str = "(i32.const 1024)";
/// Exports the interface of a hook, without its function: what is refused before that is looked at.
const HOOK: &str = r#"(instance $hook) (export "anteroom:policy/identity@1.0.0" (instance $hook))"#;
/// A whole identity policy but for its memory.
const REST: &str = r#"
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "anteroom:policy/identity@1.0.0#next") (param i32) (result i32) (i32.const 1024))"#;

/// Every one of them; each is refused.
pub fn hostile() -> Vec<Upload> {
    [bytes(), shapes(), imports(), features(), resources(), bombs(), manifests(), behaviour()].concat()
}

/// What looks hostile and is not.
pub fn harmless() -> Vec<Upload> {
    // Traps at its second call in one instance: every call has its own.
    let forgetful = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (unreachable))) (i32.const 1024))
        (global $calls (mut i32) (i32.const 0)) (func";
    let extra = inline(
        "package test:extra; world w { export init: func(); export anteroom:policy/identity@1.0.0; }",
        &format!(r#"(memory (export "memory") 1) (func (export "init") (unreachable)) {REST}"#),
    );
    // A result of 1 is `err`: a code and a message, both empty here.
    let unable = "(i32.store8 offset=1024 (i32.const 0) (i32.const 1)) (i32.const 1024)";
    let grows = "(drop (memory.grow (i32.const 300))) (i32.const 1024)";
    let deep = format!("{} {} (i32.const 1024)", "(block ".repeat(2_000), ")".repeat(2_000));
    let sections = (0..200).fold(quiet(), |bytes, _| with_section(bytes, "noise", &[0; 1_000]));
    let cases = [
        ("a counter that traps at the second call", guest("identity-policy", "", forgetful)),
        ("an export that the host has no use for", extra),
        ("an error of its own", guest("identity-policy", "", unable)),
        ("memory just within the limit", guest("identity-policy", "", grows)),
        ("two thousand nested blocks", guest("identity-policy", "", &deep)),
        ("two hundred custom sections", sections),
    ];
    cases.map(|(name, bytes)| Upload { name, bytes, code: "" }).into()
}

fn quiet() -> Vec<u8> {
    guest("identity-policy", "", QUIET)
}

fn coded<const N: usize>(code: &'static str, cases: [(&'static str, Vec<u8>); N]) -> Vec<Upload> {
    cases.map(|(name, bytes)| Upload { name, bytes, code }).into()
}

impl Clone for Upload {
    fn clone(&self) -> Self {
        Self { name: self.name, bytes: self.bytes.clone(), code: self.code }
    }
}

/// No components at all, or not whole ones.
fn bytes() -> Vec<Upload> {
    let quiet = quiet();
    let start = |length: usize| quiet[..length].to_vec();
    // As Wasmtime writes it: an ELF file for its own system, whose flags say "component".
    let mut cwasm = b"\x7fELF\x02\x01\x01\xc8".to_vec();
    cwasm.resize(64, 0);
    cwasm[48] = 2;
    let mut junk = quiet[..8].to_vec();
    junk.extend_from_slice(&[0x7f, 3, 1, 2, 3]);
    let mut damaged = quiet.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    [
        coded("empty", [("nothing", vec![])]),
        coded(
            "truncated",
            [
                ("one byte", start(1)),
                ("half a header", start(6)),
                ("a quarter", start(quiet.len() / 4)),
                ("a half", start(quiet.len() / 2)),
                ("all but the last byte", start(quiet.len() - 1)),
            ],
        ),
        coded("invalid", [("an unknown section", junk), ("a damaged copy", damaged)]),
        coded("core_module", [("a core module", wat::parse_str("(module)").expect("a module"))]),
        coded(
            "text_format",
            [("a component's text", b"(component)".to_vec()), ("a module's text", b"\n (module)".to_vec())],
        ),
        coded("precompiled", [("a program", b"\x7fELF\x02\x01\x01".to_vec()), ("compiled code", cwasm)]),
        coded(
            "not_a_component",
            [
                ("a web page", b"<!doctype html><title>404</title>".to_vec()),
                ("an archive", b"PK\x03\x04policy.wasm".to_vec()),
                ("source code", b"fn main() {}".to_vec()),
                ("zeros", vec![0; 4096]),
            ],
        ),
        coded("too_large", [("twenty megabytes and more", with_section(quiet, "noise", &vec![0; 20 * MIB]))]),
    ]
    .concat()
}

/// Components that are no policies.
fn shapes() -> Vec<Upload> {
    let inner = format!("(component $inner {HOOK})");
    let typed = |turn: &str, answer: &str| {
        let interface = format!("interface identity {{ next: func(turn: {turn}) -> {answer}; }}");
        inline(
            &format!("package anteroom:policy@1.0.0; {interface} world w {{ export identity; }}"),
            r#"(memory (export "memory") 1)
               (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
               (func (export "anteroom:policy/identity@1.0.0#next") (param i32 i32) (result i32) (i32.const 0))"#,
        )
    };
    let mut list = "(type $t0 (list u8))".to_owned();
    for level in 1..300 {
        write!(list, "(type $t{level} (list $t{}))", level - 1).expect("a string");
    }
    [
        coded(
            "no_hook",
            [
                ("no export", component("")),
                ("another world", component(r#"(instance $i) (export "wasi:cli/run@0.2.0" (instance $i))"#)),
                (
                    "a hook of another version",
                    component(r#"(instance $i) (export "anteroom:policy/identity@2.0.0" (instance $i))"#),
                ),
                ("a hook of a component within", component(&inner)),
            ],
        ),
        coded(
            "signature",
            [
                ("a hook without its function", component(HOOK)),
                ("a hook of other types", typed("string", "u8")),
            ],
        ),
        coded("invalid", [("types nested 300 deep", component(&list))]),
    ]
    .concat()
}

/// A component within a component, and so on; no text is parsed that deep.
fn nested(depth: usize) -> Vec<u8> {
    let header = component("");
    let outer = |inner: Vec<u8>| with_raw_section(header.clone(), 4, &inner);
    let inner = (1..depth).fold(header.clone(), |inner, _| outer(inner));
    with_raw_section(component(HOOK), 4, &inner)
}

/// Components that want more than policies are given.
fn imports() -> Vec<Upload> {
    let wants = |interface: &str, member: &str| {
        component(&format!(r#"(import "{interface}" (instance (export {member}))) {HOOK}"#))
    };
    let now = inline(
        "package anteroom:policy@1.0.0; interface host { now: func() -> string; }
         interface identity { next: func(turn: string) -> u8; }
         world w { import host; export identity; }",
        r#"(import "anteroom:policy/host@1.0.0" "now" (func (param i32)))
           (memory (export "memory") 1)
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
           (func (export "anteroom:policy/identity@1.0.0#next") (param i32 i32) (result i32) (i32.const 0))"#,
    );
    [
        coded(
            "import",
            [
                (
                    "the environment",
                    wants("wasi:cli/environment@0.2.0", r#""get-arguments" (func (result (list string)))"#),
                ),
                ("randomness", wants("wasi:random/random@0.2.0", r#""get-random-u64" (func (result u64))"#)),
                ("a clock", wants("wasi:clocks/monotonic-clock@0.2.0", r#""now" (func (result u64))"#)),
                ("a socket", wants("wasi:sockets/tcp@0.2.0", r#""tcp-socket" (type (sub resource))"#)),
                (
                    "a function that the host doesn't have",
                    wants("anteroom:policy/host@1.0.0", r#""send" (func (param "text" string))"#),
                ),
                (
                    "a host of another version",
                    wants("anteroom:policy/host@2.0.0", r#""now" (func (result s64))"#),
                ),
                ("a module of the host's", component(&format!(r#"(import "code" (core module)) {HOOK}"#))),
                ("a component of the host's", component(&format!(r#"(import "more" (component)) {HOOK}"#))),
            ],
        ),
        coded("signature", [("a function of the host with other types", now)]),
    ]
    .concat()
}

/// Components made with features that policies don't have.
fn features() -> Vec<Upload> {
    let core = |fields: &str| component(&format!("(core module {fields}) {HOOK}"));
    coded(
        "feature",
        [
            (
                "relaxed SIMD",
                core(
                    "(func (param v128 v128 v128) (result v128)
                        (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))",
                ),
            ),
            ("shared memory", core("(memory 1 1 shared)")),
            ("atomics", core("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))")),
            ("64-bit memory", core("(memory i64 1)")),
            ("exceptions", core("(tag) (func (throw 0))")),
            ("garbage collection", core("(type (struct (field i32)))")),
            (
                "references to functions",
                core("(type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0)))"),
            ),
            ("a stream", component(&format!("(type (stream u8)) {HOOK}"))),
            ("an async function", component(&format!("(type (func async)) {HOOK}"))),
        ],
    )
}

/// Components that declare more than a place holds, or take it when they start.
fn resources() -> Vec<Upload> {
    let with = |fields: &str| module("identity-policy", &format!("{fields} {REST}"));
    let one = r#"(memory (export "memory") 1)"#;
    let start = |body: &str| with(&format!("{one} (func $begin {body}) (start $begin)"));
    let instances = "(core instance (instantiate $m))".repeat(65);
    [
        coded(
            "resources",
            [
                ("nine memories", with(&format!("{one} {}", "(memory 1)".repeat(8)))),
                ("seventeen tables", with(&format!("{one} {}", "(table 1 funcref)".repeat(17)))),
                ("a table of a million", with(&format!("{one} (table 1000000 funcref)"))),
                ("65 instances", component(&format!("(core module $m) {instances} {HOOK}"))),
                ("80 MiB of memory", with(r#"(memory (export "memory") 1280)"#)),
                ("4 GiB of memory", with(r#"(memory (export "memory") 65536)"#)),
            ],
        ),
        coded(
            "instantiate",
            [
                ("40 MiB of memory", with(r#"(memory (export "memory") 640)"#)),
                ("a start that traps", start("(unreachable)")),
                ("a start that doesn't end", start("(loop $again (br $again))")),
                ("a start that recurses", start("(call $begin)")),
                ("a start that takes memory", start("(drop (memory.grow (i32.const 600)))")),
                ("data beyond the memory", with(&format!(r#"{one} (data (i32.const 65536) "x")"#))),
            ],
        ),
    ]
    .concat()
}

/// Components that are small and make the compiler large, or slow.
fn bombs() -> Vec<Upload> {
    // Two bytes at the ends of 15 MiB: kept as one image, in each of a few modules.
    let gap = format!(
        r#"(core module (memory 240) (data (i32.const 0) "x") (data (i32.const {}) "x"))"#,
        15 * MIB - 8
    );
    let gaps = format!("{} {HOOK}", gap.repeat(5));
    // One function, whose values all live to its end: loads, and then their sum.
    let wide = [[0x20, 0, 0x28, 2, 0].repeat(1_000_000), vec![0x6a; 999_999]].concat();
    // Many functions, each a chain of arithmetic.
    let chain = [vec![0x20, 0], [0x22, 0, 0x41, 3, 0x73, 0x20, 0, 0x6c].repeat(300)].concat();
    [
        coded("compiled_too_large", [("wide gaps between data segments", component(&gaps))]),
        coded(
            "compile_memory",
            [
                ("a function of a million values", functions(1, &wide)),
                ("components nested 10,000 deep", nested(10_000)),
            ],
        ),
        coded("compile_time", [("thousands of functions", functions(7_000, &chain))]),
    ]
    .concat()
}

/// A component with a module of so many functions of one number to another, all with this body. As bytes: to
/// parse the text would take longer than to judge it.
fn functions(count: usize, body: &[u8]) -> Vec<u8> {
    let body = [&[0], body, &[0x0b]].concat();
    let body = [leb(body.len()), body].concat();
    let sections = [
        (1, vec![1, 0x60, 1, 0x7f, 1, 0x7f]),
        (3, [leb(count), vec![0; count]].concat()),
        (5, vec![1, 0, 1]),
        (10, [leb(count), body.repeat(count)].concat()),
    ];
    let empty = b"\0asm\x01\0\0\0".to_vec();
    let module = sections.iter().fold(empty, |module, (id, body)| with_raw_section(module, *id, body));
    with_raw_section(component(HOOK), 1, &module)
}

/// Manifests that say something else than the component, or nothing.
fn manifests() -> Vec<Upload> {
    let manifest = |json: &str| with_section(quiet(), MANIFEST, json.as_bytes());
    let long = format!(r#"{{"name":"long","version":"1","description":"{}"}}"#, "x".repeat(200_000));
    let deep = format!(
        r#"{{"name":"deep","version":"1","default_settings":{{"a":{}{}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    coded(
        "manifest",
        [
            ("a manifest that is no JSON", manifest("name: ask")),
            ("a manifest without a name", manifest("{}")),
            (
                "a manifest of a hook not exported",
                manifest(r#"{"name":"a","version":"1","hooks":["routing"]}"#),
            ),
            ("a manifest of an unknown hook", manifest(r#"{"name":"a","version":"1","hooks":["sending"]}"#)),
            (
                "a manifest that wants the diagnosis",
                manifest(r#"{"name":"a","version":"1","patient_fields":["diagnosis"]}"#),
            ),
            (
                "a schema that is none",
                manifest(r#"{"name":"a","version":"1","settings_schema":{"properties":{"a":"text"}}}"#),
            ),
            ("settings that are no object", manifest(r#"{"name":"a","version":"1","default_settings":[1]}"#)),
            ("a manifest of 200 kB", manifest(&long)),
            ("settings nested 10,000 deep", manifest(&deep)),
        ],
    )
}

/// Policies that misbehave once they are called.
fn behaviour() -> Vec<Upload> {
    let calls = |imports: &str, body: &str| guest("replies-policy", imports, body);
    let plain = |body: &str| calls("", body);
    // The turn begins with its text: an address and a length.
    let when = |test: &str| plain(&format!("(if {test} (then (unreachable))) (i32.const 1024)"));
    let length = "(i32.load offset=4 (local.get $turn))";
    // One reply whose body is so many bytes of zeros, without a key and a reason.
    let reply = |length: u32| {
        plain(&format!(
            "(i32.store8 offset=1028 (i32.const 0) (i32.const 1))
             (i32.store offset=1032 (i32.const 0) (i32.const 2048))
             (i32.store offset=1036 (i32.const 0) (i32.const 1))
             (i32.store offset=2048 (i32.const 0) (i32.const 65536))
             (i32.store offset=2052 (i32.const 0) (i32.const {length}))
             (drop (memory.grow (i32.const 40))) (i32.const 1024)"
        ))
    };
    coded(
        "probe_fault",
        [
            ("a trap", plain("(unreachable)")),
            ("a trap at a long text", when(&format!("(i32.gt_u {length} (i32.const 1000))"))),
            ("a trap at no text", when(&format!("(i32.eqz {length})"))),
            ("a loop without end", plain("(loop $again (br $again)) (unreachable)")),
            ("a recursion without end", plain("(call $run (local.get $turn))")),
            (
                "memory without end",
                plain("(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (unreachable)"),
            ),
            ("an answer of 2 MB", reply(2_000_000)),
            ("an answer of 70 kB", reply(70_000)),
            ("an answer without a key", reply(10)),
            ("an answer from nowhere", plain("(i32.const -8)")),
            ("calls without end", calls(NOW, "(loop $again (drop (call $now)) (br $again)) (unreachable)")),
            (
                "log lines without end",
                calls(
                    LOG,
                    "(loop $again (call $log (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 9)) (br $again))
                     (unreachable)",
                ),
            ),
            (
                "names of fields without end",
                guest(
                    "routing-policy",
                    FIELD,
                    "(loop $again (call $field (i32.const 0) (i32.const 64) (i32.const 2048)) (br $again))
                     (unreachable)",
                ),
            ),
        ],
    )
}
