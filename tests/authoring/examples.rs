//! The examples build from the registries, pass their cases, and stay well under the limits.

use std::process::Command;

use serde_json::Value;

use crate::{Bench, bench::root};

#[test]
fn the_examples_build_and_pass_their_cases() {
    let script = Command::new(root().join("scripts/build-examples"))
        .env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .expect("scripts/build-examples");
    let said = String::from_utf8_lossy(&script.stderr).into_owned();
    assert!(script.status.success(), "{said}");
    assert_eq!(said.matches("all passed").count(), 4, "{said}");
    let bench = Bench::new();
    for (example, hook) in [
        ("appointment-keywords", "routing"),
        ("insurance-card", "replies"),
        ("language-routing", "routing"),
        ("refill-triage", "routing"),
    ] {
        let wasm = root().join("target/guests/examples").join(format!("{example}.wasm"));
        let said = bench.policy(&["check", "--json", &wasm.to_string_lossy()]).ok();
        let judged: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(judged["accepted"], true, "{example}");
        assert_eq!(judged["hooks"], serde_json::json!([hook]), "{example}");
        assert_eq!(judged["manifest"]["name"], example);
        assert!(judged["compiled_bytes"].as_u64().is_some_and(|bytes| bytes <= 64 << 20), "{example}");
    }
}
