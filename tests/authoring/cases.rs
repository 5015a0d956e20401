//! What `policy check` and `policy test` say when something is wrong.

use std::fs;

use serde_json::Value;

use crate::{Bench, bench::root};

/// A project whose component is the default routing policy's.
fn routing() -> Bench {
    let bench = Bench::new();
    bench.policy(&["new", "--lang", "js", "--hook", "routing", "routing"]).ok();
    fs::create_dir(bench.path("routing/build")).expect("a folder");
    let built = root().join("target/guests/routing.wasm");
    fs::copy(built, bench.path("routing/build/routing.wasm")).expect("the default policy");
    bench
}

#[test]
fn a_failed_case_is_told_by_field() {
    let bench = routing();
    let cases = "[[case]]\nname = \"a bill\"\ntext = \"about my bill\"\n\
                 expect = { team = \"Billing\", priority = \"high\", teem = \"x\" }\n\n\
                 [[case]]\nname = \"a refill\"\ntext = \"refill\"\nexpect = { team = \"Pharmacy\" }\n";
    bench.write("routing/cases.toml", cases);
    let said = bench.policy(&["test", "routing"]).failed();
    let lines: Vec<_> = said.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("FAIL  a bill"), "{said}");
    let at = |field: &str| lines.iter().position(|line| *line == field).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(lines[at("priority") + 1..][..2], ["expected  \"high\"", "got       \"normal\""]);
    assert!(lines[at("teem") + 2].starts_with("got       no such field"), "{said}");
    assert!(said.contains("ok    a refill"), "{said}");
    assert!(said.contains("2 cases, 1 failed"), "{said}");
    let said = bench.policy(&["test", "routing", "--only", "refill"]).ok();
    assert!(said.contains("1 case, all passed"), "{said}");
}

#[test]
fn a_mistake_in_the_cases_names_file_line_and_field() {
    let bench = routing();
    bench.write("routing/cases.toml", "[[case]]\nname = \"a\"\ntext = 7\nexpect = \"no_opinion\"\n");
    let said = bench.policy(&["test", "routing"]).failed();
    assert!(said.contains("routing/cases.toml: line 3, text: invalid type"), "{said}");
}

#[test]
fn a_project_that_is_not_built_says_so() {
    let bench = Bench::new();
    bench.policy(&["new", "--lang", "c", "--hook", "replies", "r"]).ok();
    let said = bench.policy(&["test", "r"]).failed();
    assert!(said.contains("Build it first: anteroom policy build r"), "{said}");
}

#[test]
fn a_refusal_has_its_five_parts() {
    let bench = Bench::new();
    bench.write("a.wasm", "(module)");
    let said = bench.policy(&["check", "a.wasm"]).failed();
    assert!(said.starts_with("a.wasm: refused: text_format\n"), "{said}");
    assert!(said.contains("  fix       Assemble it"), "{said}");
    let json: Value =
        serde_json::from_str(&bench.policy(&["check", "--json", "a.wasm"]).failed()).expect("JSON");
    assert_eq!(json["accepted"], false);
    for part in ["code", "path", "expected", "found", "fix"] {
        assert!(json["refusal"][part].is_string(), "{json}");
    }
}
