use anteroom_sdk::shortcuts::{run_expand, run_list};
use anteroom_sdk::testing::{self, Host};

use super::*;

const MANIFEST: &str = include_str!("../manifest.json");

fn default_settings() -> String {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    manifest["default_settings"].to_string()
}

fn context(teams: &[&str]) -> Context {
    Context {
        staff_name: "Dana".into(),
        teams: teams.iter().map(|team| (*team).into()).collect(),
        number: testing::number(),
        hours: testing::closed_hours(),
    }
}

fn host(settings: &str, patient: &[(&str, &str)]) -> Host {
    let patient = patient.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Host { settings: settings.into(), patient, ..Host::default() }
}

fn names(teams: &[&str]) -> Vec<String> {
    let list = testing::with(host(&default_settings(), &[]), || run_list::<SavedReplies>(&context(teams))).0;
    list.unwrap().unwrap().into_iter().map(|s| s.name).collect()
}

/// Expands a lone shortcut with this template.
fn expand(template: &str, context: &Context, patient: &[(&str, &str)]) -> Expansion {
    let settings = serde_json::json!({ "shortcuts": [{ "name": "x", "title": "X", "template": template }] });
    let host = host(&settings.to_string(), patient);
    testing::with(host, || run_expand::<SavedReplies>("x", context)).0.unwrap().unwrap()
}

#[test]
fn each_team_sees_its_own_and_the_common_ones_in_order() {
    assert_eq!(names(&[]), ["hello", "call-us", "thanks", "opening"]);
    assert_eq!(names(&["Billing"]), ["hello", "call-us", "thanks", "opening", "bill-copy"]);
    let nurses = names(&["Nurses"]);
    assert_eq!(nurses[4..], ["refill-sent", "refill-visit", "results-call"]);
    assert_eq!(names(&["Front desk", "Pharmacy"]).len(), 8);
}

#[test]
fn a_shortcut_of_another_team_is_not_expanded() {
    let call = |name: &str, teams: &[&str]| {
        let host = host(&default_settings(), &[]);
        testing::with(host, || run_expand::<SavedReplies>(name, &context(teams))).0.unwrap()
    };
    assert!(call("bill-copy", &["Billing"]).is_some());
    assert!(call("bill-copy", &["Nurses"]).is_none());
    assert!(call("no-such", &["Billing"]).is_none());
}

#[test]
fn variables_are_filled_from_patient_staff_number_and_hours() {
    // Template, patient, body, missing.
    type Case =
        (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);
    let cases: [Case; 10] = [
        ("Hi {{patient.first_name}}", &[("first-name", "Ana")], "Hi Ana", &[]),
        (
            "Hi {{patient.preferred_name}}",
            &[("first-name", "Ana"), ("preferred-name", "Annie")],
            "Hi Annie",
            &[],
        ),
        ("Hi {{patient.preferred_name}}", &[("first-name", "Ana")], "Hi Ana", &[]),
        ("Hi {{patient.first_name|there}}", &[], "Hi there", &[]),
        ("Hi {{patient.first_name}}", &[], "Hi {{patient.first_name}}", &["patient.first_name"]),
        ("{{staff.name}}, {{facility}}", &[], "Dana, Riverside Main", &[]),
        ("{{organization}} {{number}}", &[], "Riverside Family Clinic +18005550100", &[]),
        ("We open {{hours.opens}}", &[], "We open Monday 8:00 AM", &[]),
        ("{{hours.open}}", &[], "{{hours.open}}", &["hours.open"]),
        (
            "{{patient.last_name}}",
            &[("first-name", "Ana"), ("preferred-name", "Annie")],
            "{{patient.last_name}}",
            &["patient.last_name"],
        ),
    ];
    for (template, patient, body, missing) in cases {
        let expansion = expand(template, &context(&[]), patient);
        assert_eq!(expansion.body, body);
        assert_eq!(expansion.missing, missing, "{template}");
    }
}

#[test]
fn the_opening_is_missing_while_open() {
    let open = Context { hours: testing::open_hours(), ..context(&[]) };
    assert_eq!(expand("{{hours.opens}}", &open, &[]).missing, ["hours.opens"]);
    assert_eq!(expand("{{hours.opens|soon}}", &open, &[]).body, "soon");
}

#[test]
fn a_broken_template_is_named_and_spares_the_others() {
    let settings = r#"{"shortcuts": [
        {"name": "broken", "title": "B", "template": "Hi {{staff.name"},
        {"name": "fine", "title": "F", "template": "Hi"}
    ]}"#;
    let call =
        |name: &str| testing::with(host(settings, &[]), || run_expand::<SavedReplies>(name, &context(&[]))).0;
    let error = call("broken").unwrap_err();
    assert_eq!(error.code, "template");
    assert!(error.message.contains("'broken'"), "{}", error.message);
    assert_eq!(call("fine").unwrap().unwrap().body, "Hi");
}

#[test]
fn every_default_expands_for_an_unknown_texter() {
    let settings: Settings = serde_json::from_str(&default_settings()).unwrap();
    for saved in &settings.shortcuts {
        let expansion = expand(&saved.template, &context(&[]), &[]);
        assert_eq!(expansion.missing, [""; 0], "{}", saved.name);
    }
}

#[test]
fn wrong_settings_are_named() {
    let call =
        |settings: &str| testing::with(host(settings, &[]), || run_list::<SavedReplies>(&context(&[]))).0;
    let error = call(r#"{"shortcuts": [{"name": "a", "title": "A"}]}"#).unwrap_err();
    assert_eq!(error.code, "settings");
    assert!(error.message.contains("shortcuts[0]: missing field `template`"), "{}", error.message);
}
