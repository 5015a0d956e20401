use anteroom_sdk::replies::{Told, run};
use anteroom_sdk::testing::{self, Host};

use super::*;

const MANIFEST: &str = include_str!("../manifest.json");

fn default_settings() -> String {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    manifest["default_settings"].to_string()
}

fn turn(text: &str) -> Turn {
    Turn {
        text: text.into(),
        media_count: 0,
        number: testing::number(),
        hours: testing::open_hours(),
        turn_number: 1,
        told: vec![],
    }
}

fn closed(text: &str) -> Turn {
    Turn { hours: testing::closed_hours(), ..turn(text) }
}

fn told(keys: &[&str]) -> Vec<Told> {
    keys.iter().map(|key| Told { throttle_key: (*key).into(), at: 0 }).collect()
}

fn reply_with(settings: &str, turn: &Turn) -> Result<Option<AutomaticReply>, PolicyError> {
    let host = Host { settings: settings.into(), ..Host::default() };
    let replies = testing::with(host, || run::<ClinicReplies>(turn)).0?;
    Ok(replies.map(|mut list| {
        assert_eq!(list.len(), 1);
        list.remove(0)
    }))
}

fn reply(turn: &Turn) -> Option<AutomaticReply> {
    reply_with(&default_settings(), turn).unwrap()
}

#[test]
fn the_first_text_while_open_is_welcomed_once() {
    let welcome = reply(&turn("hello")).unwrap();
    assert_eq!(welcome.throttle_key, "welcome");
    assert_eq!(welcome.reason, "first text while open");
    assert!(welcome.body.contains("Riverside Family Clinic"), "{}", welcome.body);

    assert_eq!(reply(&Turn { turn_number: 2, ..turn("hello") }), None);
    assert_eq!(reply(&Turn { told: told(&["emergency", "welcome"]), ..turn("hello") }), None);
}

#[test]
fn a_closed_clinic_says_when_it_opens_once_in_each_closed_time() {
    let first = reply(&closed("hello")).unwrap();
    assert_eq!(first.throttle_key, "after-hours:2026-03-09:480");
    assert_eq!(first.reason, "closed");
    assert!(first.body.contains("Monday 8:00 AM"), "{}", first.body);

    let again = Turn { turn_number: 4, told: told(&[&first.throttle_key]), ..closed("hello?") };
    assert_eq!(reply(&again), None);
    let next_night = Turn { turn_number: 9, told: told(&["after-hours:2026-03-06:480"]), ..closed("hello?") };
    assert!(reply(&next_night).is_some());
}

#[test]
fn holidays_and_unknown_openings_have_their_own_words() {
    let mut holiday = closed("hello");
    holiday.hours.holiday = Some("Memorial Day".into());
    let sent = reply(&holiday).unwrap();
    assert!(sent.body.contains("for Memorial Day") && sent.body.contains("Monday 8:00 AM"), "{}", sent.body);
    assert_eq!(sent.reason, "closed for Memorial Day");

    holiday.hours.opens = None;
    let sent = reply(&holiday).unwrap();
    assert_eq!(
        (sent.throttle_key.as_str(), sent.reason.as_str()),
        ("after-hours", "closed; no opening is known")
    );
    assert!(!sent.body.contains("{{") && !sent.body.contains("open "), "{}", sent.body);
}

#[test]
fn emergency_words_come_before_all_else() {
    for turn in
        [turn("bad chest pains"), closed("I can’t breathe"), Turn { turn_number: 5, ..turn("suicidal") }]
    {
        let sent = reply(&turn).unwrap();
        assert_eq!(sent.throttle_key, "emergency");
        assert!(sent.body.contains("call 911"), "{}", sent.body);
        assert!(sent.reason.starts_with("emergency keyword '"), "{}", sent.reason);
    }
    let again = Turn { told: told(&["emergency"]), ..turn("chest pain") };
    assert!(reply(&again).is_some(), "the host throttles; an hour later it must be said again");
}

#[test]
fn a_number_without_facility_speaks_for_the_organization() {
    let settings = r#"{"welcome": {"body": "This is {{facility}}."}}"#;
    let mut turn = turn("hi");
    assert_eq!(reply_with(settings, &turn).unwrap().unwrap().body, "This is Riverside Main.");
    turn.number.facility = None;
    assert_eq!(reply_with(settings, &turn).unwrap().unwrap().body, "This is Riverside Family Clinic.");
}

#[test]
fn nothing_with_braces_is_sent() {
    let error = reply_with(r#"{"welcome": {"body": "Happy {{holiday}}!"}}"#, &turn("hi")).unwrap_err();
    assert_eq!(error.code, "variable");
    assert!(error.message.contains("holiday"), "{}", error.message);
    let sent = reply_with(r#"{"welcome": {"body": "Happy {{holiday|day}}!"}}"#, &turn("hi")).unwrap();
    assert_eq!(sent.unwrap().body, "Happy day!");
}

#[test]
fn a_policy_without_settings_is_silent() {
    assert_eq!(reply_with("{}", &turn("chest pain")).unwrap(), None);
    assert_eq!(reply_with("{}", &closed("hi")).unwrap(), None);
}

#[test]
fn wrong_settings_are_named() {
    let cases = [
        (r#"{"welcome": {"body": "{{opnes}}"}}"#, "welcome.body: unknown variable {{opnes}}"),
        (r#"{"welcome": {"body": "{{opens"}}"#, "welcome.body: `{{` without `}}`"),
        (r#"{"welcome": {}}"#, "missing field `body`"),
        (
            r#"{"after_hours": {"body": "a", "unknown_opening_body": "b", "holiday_body": "{{x}}"}}"#,
            "after_hours.holiday_body",
        ),
        (r#"{"emergency": {"keywords": [""], "body": "a"}}"#, "emergency.keywords"),
    ];
    for (settings, problem) in cases {
        let error = reply_with(settings, &turn("hi")).unwrap_err();
        assert_eq!(error.code, "settings");
        assert!(error.message.contains(problem), "{problem}: {}", error.message);
    }
}

#[test]
fn the_defaults_fit_into_two_segments() {
    // 306 GSM characters are two concatenated segments; longer automatic texts cost the clinic and the reader.
    let mut holiday = closed("hi");
    holiday.hours.holiday = Some("Independence Day".into());
    for turn in [turn("hi"), closed("hi"), closed("chest pain"), holiday] {
        let body = reply(&turn).unwrap().body;
        assert!(body.is_ascii() && body.len() <= 306, "{} characters: {body}", body.len());
    }
}
