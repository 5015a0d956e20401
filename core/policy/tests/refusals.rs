//! What can't be a policy is refused at upload, with what to do about it.

mod support;

use anteroom_model::hooks::Hook;
use anteroom_policy::{HostConfig, Limits, MANIFEST_SECTION, PolicyHost, Refusal};
use support::{HISTORY, SETTINGS, component, config, guest, host, load, module, with_section};

fn refused(bytes: &[u8]) -> Refusal {
    match host().load(bytes) {
        Ok(policy) => panic!("accepted {policy:?}"),
        Err(refusal) => refusal,
    }
}

fn plain() -> Vec<u8> {
    guest("identity-policy", "", "(i32.const 1024)")
}

#[test]
fn what_is_no_component_is_named() {
    let module = wat::parse_str("(module)").unwrap();
    for (bytes, code, found) in [
        (module.as_slice(), "core_module", "a core module"),
        (b"  (component)".as_slice(), "text_format", "WebAssembly text"),
        (b"\x7fELF\x02\x01\x01".as_slice(), "precompiled", "compiled code"),
        (b"MZ".as_slice(), "not_a_component", "something else"),
        (b"".as_slice(), "empty", "no bytes at all"),
    ] {
        let refusal = refused(bytes);
        assert_eq!((refusal.code.as_str(), refusal.found.as_str()), (code, found));
        assert!(!refusal.fix.is_empty());
    }
    assert!(refused(&module).fix.contains("wasm-tools component new"));
}

#[test]
fn precompiled_code_is_never_taken() {
    let directory = tempfile::tempdir().unwrap();
    let cache_dir = Some(directory.path().to_owned());
    let caching = PolicyHost::new(HostConfig { cache_dir, ..config() }).unwrap();
    caching.load(&plain()).unwrap();
    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let sealed = std::fs::read(file).unwrap();
    // Behind the signature lies what Wasmtime calls a precompiled component.
    assert_eq!(refused(&sealed[32..]).found, "compiled code");
}

#[test]
fn a_component_cut_short_anywhere_says_so() {
    let bytes = plain();
    let code =
        |length: usize| host().load(&bytes[..length]).map_or_else(|refusal| refusal.code, |_| String::new());
    let codes: Vec<_> = (1..bytes.len()).map(code).collect();
    // Cut between two sections it is whole, and lacks what came after: the last ones only hold names.
    let between = codes.iter().filter(|code| *code != "truncated");
    assert!(between.clone().all(|code| ["", "no_hook", "invalid"].contains(&code.as_str())), "{codes:?}");
    assert!(between.count() * 20 < codes.len());
}

#[test]
fn features_outside_the_fixed_set_are_named_with_the_flag() {
    for (module, name, flag) in [
        ("(module (memory i64 1))", "64-bit", "wasm32"),
        ("(module (memory 1 1 shared))", "threads", "-atomics"),
        ("(module (type (struct)))", "garbage", "WasmGC"),
        ("(module (tag))", "exceptions", "-fno-exceptions"),
        (
            "(module (func (param v128 v128 v128) (result v128) \
                (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))",
            "relaxed SIMD",
            "-relaxed-simd",
        ),
    ] {
        let bytes = component(&format!("(core {}", &module[1..]));
        let refusal = refused(&bytes);
        assert_eq!(refusal.code, "feature", "{module}");
        assert!(refusal.expected.contains(name), "{refusal}");
        assert!(refusal.fix.contains(flag), "{refusal}");
    }
}

#[test]
fn an_import_of_wasi_names_the_function_and_the_flag() {
    let bytes = component(
        r#"(import "wasi:cli/environment@0.2.0" (instance
            (export "get-arguments" (func (result (list string))))))"#,
    );
    let refusal = refused(&bytes);
    assert_eq!(refusal.code, "import");
    assert_eq!(refusal.path, "wasi:cli/environment@0.2.0#get-arguments");
    for flag in ["wasm32-unknown-unknown", "--stub-wasi"] {
        assert!(refusal.fix.contains(flag), "{}", refusal.fix);
    }
    assert!(refusal.to_string().starts_with("import at wasi:cli/environment@0.2.0#get-arguments"));
}

#[test]
fn a_resource_counts_as_an_import_and_a_plain_type_does_not() {
    let resource =
        component(r#"(import "wasi:io/error@0.2.0" (instance (export "error" (type (sub resource)))))"#);
    assert_eq!(refused(&resource).path, "wasi:io/error@0.2.0#error");
    // Refused for its missing hook only: the import was fine.
    let types = component(
        r#"(import "wasi:clocks/wall-clock@0.2.0" (instance
            (type $t (record (field "seconds" u64)))
            (export "datetime" (type (eq $t)))))"#,
    );
    assert_eq!(refused(&types).code, "no_hook");
}

#[test]
fn another_version_of_the_host_is_not_offered() {
    let bytes =
        component(r#"(import "anteroom:policy/host@2.0.0" (instance (export "now" (func (result s64)))))"#);
    let refusal = refused(&bytes);
    assert_eq!(refusal.path, "anteroom:policy/host@2.0.0#now");
    assert!(refusal.fix.contains("wit/"));
}

#[test]
fn a_function_that_the_host_does_not_have_is_refused_by_name() {
    let bytes = component(
        r#"(import "anteroom:policy/host@1.0.0" (instance (export "send" (func (param "text" string)))))"#,
    );
    assert_eq!(refused(&bytes).path, "anteroom:policy/host@1.0.0#send");
}

#[test]
fn an_import_of_another_type_is_a_signature() {
    let bytes = support::inline(
        "package anteroom:policy@1.0.0; interface host { now: func() -> string; }
         interface identity { next: func(turn: string) -> u8; }
         world w { import host; export identity; }",
        r#"(import "anteroom:policy/host@1.0.0" "now" (func (param i32)))
           (memory (export "memory") 1)
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
           (func (export "anteroom:policy/identity@1.0.0#next") (param i32 i32) (result i32) (i32.const 0))"#,
    );
    let refusal = refused(&bytes);
    assert_eq!((refusal.code.as_str(), refusal.path.as_str()), ("signature", "imports"));
}

#[test]
fn an_export_of_another_type_is_a_signature() {
    let bytes = support::inline(
        "package anteroom:policy@1.0.0; interface identity { next: func(turn: string) -> u8; }
         world w { export identity; }",
        r#"(memory (export "memory") 1)
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
           (func (export "anteroom:policy/identity@1.0.0#next") (param i32 i32) (result i32) (i32.const 0))"#,
    );
    let refusal = refused(&bytes);
    assert_eq!(refusal.code, "signature");
    assert_eq!(refusal.path, "anteroom:policy/identity@1.0.0");
}

#[test]
fn a_component_without_a_hook_is_told_the_worlds() {
    let refusal = refused(&component(""));
    assert_eq!(refusal.code, "no_hook");
    assert_eq!(refusal.found, "no exports");
    assert!(refusal.expected.contains("anteroom:policy/shortcuts@1.0.0"));
}

#[test]
fn extra_exports_are_ignored() {
    let bytes = support::inline(
        "package test:extra; world w { export init: func(); export anteroom:policy/identity@1.0.0; }",
        r#"(memory (export "memory") 1)
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
           (func (export "init") (unreachable))
           (func (export "anteroom:policy/identity@1.0.0#next") (param i32) (result i32) (i32.const 1024))"#,
    );
    assert_eq!(load(&bytes).hooks, [Hook::Identity]);
}

#[test]
fn the_manifest_is_read_and_checked() {
    let manifest = |json: &str| with_section(plain(), MANIFEST_SECTION, json.as_bytes());
    let policy = load(&manifest(
        r#"{"name":"ask","version":"1.2.0","title":"Ask","description":"Asks.","hooks":["identity"],
            "patient_fields":["language"],"settings_schema":{"type":"object"},"default_settings":{"a":1}}"#,
    ));
    assert_eq!((policy.manifest.name.as_str(), policy.manifest.version.as_str()), ("ask", "1.2.0"));
    assert_eq!(policy.manifest.default_settings["a"], 1);
    assert_eq!(load(&plain()).manifest.name, "unnamed");

    for (json, found) in [
        ("{", "EOF"),
        (r#"{"name":"ask","version":"1","hooks":["routing"]}"#, "none"),
        (r#"{"name":"ask","version":"1","patient_fields":["diagnosis"]}"#, "diagnosis"),
        (r#"{"name":" ","version":"1"}"#, "empty"),
        (r#"{"name":"ask","version":"1","default_settings":[]}"#, "something else"),
        (r#"{"name":"ask","version":"1","hooks":["sending"]}"#, "sending"),
    ] {
        let refusal = refused(&manifest(json));
        assert_eq!(refusal.code, "manifest", "{json}");
        assert!(refusal.found.contains(found), "{json}: {refusal}");
    }
}

#[test]
fn imports_tell_what_a_policy_uses() {
    let plain = load(&plain());
    assert!(plain.imports.is_empty() && !plain.uses_history && !plain.uses_patient);
    let reads = load(&guest("identity-policy", HISTORY, "(i32.const 1024)"));
    assert_eq!(reads.imports, ["host.history"]);
    assert!(reads.uses_history);
    assert!(!load(&guest("identity-policy", SETTINGS, "(i32.const 1024)")).uses_history);
}

#[test]
fn size_is_limited_before_and_after_compiling() {
    let small = |limits| PolicyHost::new(HostConfig { limits, ..config() }).unwrap();
    let too_large = small(Limits { component_bytes: 100, ..Limits::default() }).load(&plain()).unwrap_err();
    assert_eq!(too_large.code, "too_large");
    assert_eq!(too_large.expected, "at most 100 bytes");
    let compiled = small(Limits { compiled_bytes: 100, ..Limits::default() }).load(&plain()).unwrap_err();
    assert_eq!(compiled.code, "compiled_too_large");
}

const REST: &str = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "anteroom:policy/identity@1.0.0#next") (param i32) (result i32) (i32.const 0))"#;

#[test]
fn a_component_that_can_not_start_is_refused() {
    let trap = format!(r#"(memory (export "memory") 1) (func $begin (unreachable)) (start $begin) {REST}"#);
    let refusal = refused(&module("identity-policy", &trap));
    assert_eq!((refusal.code.as_str(), refusal.path.as_str()), ("instantiate", "begin"));

    let spin = format!(
        r#"(memory (export "memory") 1) (func $begin (loop $again (br $again))) (start $begin) {REST}"#
    );
    assert!(refused(&module("identity-policy", &spin)).found.starts_with("fuel"));
}

#[test]
fn initial_memory_counts() {
    // 40 MiB: over the default, under the ceiling, so it compiles and is refused when it starts.
    let over = format!(r#"(memory (export "memory") 640) {REST}"#);
    let refusal = refused(&module("identity-policy", &over));
    assert_eq!(refusal.code, "instantiate");
    assert!(refusal.found.starts_with("memory"), "{refusal}");
    assert!(refusal.fix.contains("stack-size"));
    // 80 MiB: over what any slot of the pool can hold.
    let beyond = format!(r#"(memory (export "memory") 1280) {REST}"#);
    assert_eq!(refused(&module("identity-policy", &beyond)).code, "resources");
}
