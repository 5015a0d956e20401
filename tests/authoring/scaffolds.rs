//! `anteroom policy new`: whatever the language and the hook, what it writes builds and passes its own cases.

use std::{fs, path::Path};

use crate::Bench;

const HOOKS: [&str; 4] = ["identity", "routing", "replies", "shortcuts"];

/// Text of every file under a folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            texts.extend(self::texts(&path));
        } else {
            texts.push(fs::read_to_string(&path).expect("a text"));
        }
    }
    texts
}

#[test]
fn a_project_is_written_once() {
    let bench = Bench::new();
    for language in ["rust", "js", "python"] {
        for hook in HOOKS {
            let name = format!("{language}-{hook}");
            let said = bench.policy(&["new", "--lang", language, "--hook", hook, &name]).ok();
            assert!(said.contains(&format!("anteroom policy build {name}")), "{said}");
            let folder = bench.path(&name);
            for file in ["manifest.json", "cases.toml", "README.md", ".gitignore", "wit/routing.wit"] {
                assert!(folder.join(file).is_file(), "{name}/{file}");
            }
            assert!(texts(&folder).iter().all(|text| !text.contains("NAME")), "{name}");
        }
    }
    let again = bench.policy(&["new", "--lang", "js", "--hook", "routing", "js-routing"]).failed();
    assert!(again.contains("holds files"), "{again}");
    let bad = bench.policy(&["new", "--lang", "js", "--hook", "routing", "../x"]).failed();
    assert!(bad.contains("can't be a policy's name"), "{bad}");
    let none = bench.policy(&["new", "--lang", "c", "--hook", "identity", "c-identity"]).failed();
    assert!(none.contains("no beginning for identity in c"), "{none}");
}

fn builds_and_passes(language: &str, hooks: &[&str]) {
    let bench = Bench::new();
    for hook in hooks {
        bench.policy(&["new", "--lang", language, "--hook", hook, hook]).ok();
        let said = bench.script(&format!("anteroom policy build {hook}\nanteroom policy test {hook}\n")).ok();
        assert!(said.contains("all passed"), "{said}");
        let wasm = format!("{hook}/build/{hook}.wasm");
        let judged: serde_json::Value =
            serde_json::from_str(&bench.policy(&["check", "--json", &wasm]).ok()).expect("JSON");
        assert_eq!(judged["hooks"], serde_json::json!([hook]));
        assert_eq!(judged["manifest"]["name"], *hook);
    }
}

#[test]
fn rust_projects_build_and_pass() {
    builds_and_passes("rust", &HOOKS);
}

#[test]
fn javascript_projects_build_and_pass() {
    builds_and_passes("js", &HOOKS);
}

#[test]
fn c_projects_build_and_pass() {
    builds_and_passes("c", &["routing", "replies"]);
}

#[test]
#[ignore = "two minutes: every Python component is CPython, compiled. The guide's test has one of them"]
fn python_projects_build_and_pass() {
    builds_and_passes("python", &HOOKS);
}

#[test]
fn a_policy_of_two_hooks_is_one_component() {
    let bench = Bench::new();
    for hook in ["routing", "replies"] {
        bench.policy(&["new", "--lang", "js", "--hook", hook, hook]).ok();
    }
    let read = |name: &str| fs::read_to_string(bench.path(name)).expect("a file");
    let replies = read("replies/policy.js").replace("import { settings }", "import { settings as given }");
    let replies = replies.replace("settings()", "given()");
    bench.write("routing/policy.js", &(read("routing/policy.js") + &replies));
    let manifest = read("routing/manifest.json").replace("[\"routing\"]", "[\"routing\", \"replies\"]");
    bench.write("routing/manifest.json", &manifest);
    bench.script("anteroom policy build routing").ok();
    let said = bench.policy(&["check", "routing/build/routing.wasm"]).ok();
    assert!(said.contains("routing, replies"), "{said}");
}

#[test]
fn a_missing_toolchain_is_named_with_how_to_get_it() {
    let bench = Bench::new();
    for (language, remedy) in [("js", "npm install"), ("python", "pip install"), ("c", "pip install")] {
        bench.policy(&["new", "--lang", language, "--hook", "routing", language]).ok();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command.args(["policy", "build", language]).current_dir(bench.path("")).env("PATH", "/nowhere");
        let output = command.output().expect("anteroom");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("missing") && said.contains(remedy), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
}
