//! Modules become components with their manifest; the guests that `make plugins` builds import what they use.

use std::path::{Path, PathBuf};

use anteroom_componentize::{
    Error, attach_manifest, componentize, embed_world, exported_hooks, imported_functions, read_manifest,
};
use serde_json::{Value, json};

/// A routing policy that always answers `none`, after asking for the time.
const ROUTING: &str = r#"(module
    (import "anteroom:policy/host@1.0.0" "now" (func $now (result i64)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "anteroom:policy/routing@1.0.0#route") (param i32) (result i32)
        (drop (call $now))
        (i32.const 0)))"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest() -> Value {
    json!({
        "name": "sample", "version": "1.2.3", "title": "Sample", "description": "For tests.",
        "hooks": ["routing"], "patient_fields": ["first-name"],
        "settings_schema": { "type": "object" }, "default_settings": { "a": 1 }
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut manifest = manifest();
    manifest[field] = value;
    manifest
}

fn module() -> Vec<u8> {
    embed_world(ROUTING.as_bytes(), &root().join("wit"), "routing-policy").expect("a policy")
}

#[test]
fn a_module_becomes_a_component_with_its_manifest() {
    let component = componentize(&module(), &manifest()).unwrap();
    assert_eq!(read_manifest(&component).unwrap(), Some(manifest()));
    assert_eq!(exported_hooks(&component).unwrap(), ["routing"]);
    assert_eq!(imported_functions(&component).unwrap(), ["anteroom:policy/host@1.0.0#now"]);
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let cases = [
        (json!(7), "invalid type"),
        (with("name", json!("Two words")), "manifest/name"),
        (with("version", json!("1.0")), "manifest/version"),
        (with("title", json!(" ")), "manifest/title"),
        (with("hooks", json!([])), "manifest/hooks"),
        (with("hooks", json!(["routing", "triage"])), "manifest/hooks/1: found \"triage\""),
        (with("hooks", json!(["routing", "routing"])), "manifest/hooks/1: \"routing\" is listed twice"),
        (with("hooks", json!(["replies"])), "the component exports [\"routing\"]"),
        (with("hooks", json!(["replies", "routing"])), "the component exports [\"routing\"]"),
        (with("patient_fields", json!(["shoe-size"])), "manifest/patient_fields/0"),
        (with("settings_schema", json!("any")), "manifest/settings_schema"),
        (with("default_settings", json!([])), "manifest/default_settings"),
        (with("colour", json!("red")), "unknown field `colour`"),
    ];
    for (manifest, problem) in cases {
        let error = componentize(&module(), &manifest).unwrap_err().to_string();
        assert!(error.contains(problem), "{problem}: {error}");
    }
}

#[test]
fn a_component_has_one_manifest() {
    let component = componentize(&module(), &manifest()).unwrap();
    assert!(matches!(attach_manifest(component, &manifest()), Err(Error::SecondManifest)));
}

#[test]
fn what_is_no_policy_is_refused() {
    let wit = root().join("wit");
    let componentize = |wat: &str| {
        embed_world(wat.as_bytes(), &wit, "routing-policy").and_then(|m| componentize(&m, &manifest()))
    };
    assert!(matches!(componentize("(module)"), Err(Error::Encode(_))), "nothing is exported");
    let wrong = ROUTING.replace("(param i32) (result i32)\n", "(param i64) (result i32)\n");
    assert!(matches!(componentize(&wrong), Err(Error::Encode(_))), "the signature is another");
    let unknown = ROUTING.replace("\"now\" (func $now", "\"tomorrow\" (func $now");
    assert!(matches!(componentize(&unknown), Err(Error::Encode(_))), "the host has no such function");
    assert!(matches!(componentize("(module"), Err(Error::Encode(_))), "the text is broken");
    assert!(matches!(embed_world(ROUTING.as_bytes(), &wit, "triage-policy"), Err(Error::Wit(_))));
    assert!(matches!(read_manifest(b"no wasm"), Err(Error::NotAComponent(_))));
    assert!(matches!(exported_hooks(&module()), Err(Error::NotAComponent(_))), "a core module");
}

#[test]
fn the_built_guests_carry_manifests_and_import_only_what_they_use() {
    let expected: [(&str, &str, &[&str]); 6] = [
        ("identity", "identity", &["host@1.0.0#settings"]),
        ("routing", "routing", &["host@1.0.0#settings"]),
        ("replies", "replies", &["host@1.0.0#settings"]),
        ("shortcuts", "shortcuts", &["host@1.0.0#settings", "patient@1.0.0#field"]),
        (
            "test/echo",
            "routing",
            &[
                "host@1.0.0#history",
                "host@1.0.0#log",
                "host@1.0.0#now",
                "host@1.0.0#seed",
                "host@1.0.0#settings",
                "patient@1.0.0#field",
            ],
        ),
        ("test/memory_bomb_many", "routing", &[]),
    ];
    for (guest, hook, imports) in expected {
        let path = root().join(format!("target/guests/{guest}.wasm"));
        let component = std::fs::read(&path).expect("run `make plugins` first");
        assert_eq!(exported_hooks(&component).unwrap(), [hook], "{guest}");
        assert_eq!(read_manifest(&component).unwrap().unwrap()["hooks"], json!([hook]), "{guest}");
        let found = imported_functions(&component).unwrap();
        let imports: Vec<_> = imports.iter().map(|f| format!("anteroom:policy/{f}")).collect();
        assert_eq!(found, imports, "{guest}");
    }
}

#[test]
fn c_bindings_are_made_for_every_world() {
    let wit = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    for hook in anteroom_componentize::HOOKS {
        let files = anteroom_componentize::c_bindings(&wit, &format!("{hook}-policy")).expect("bindings");
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        for ending in [".c", ".h", "_component_type.c"] {
            assert!(names.contains(&format!("{hook}_policy{ending}").as_str()), "{names:?}");
        }
    }
    assert!(anteroom_componentize::c_bindings(&wit, "no-policy").is_err());
}
