use anteroom_sdk::routing::run;
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
        identity: "verified".into(),
        teams: ["Front desk", "Nurses", "Pharmacy", "Billing"].map(Into::into).into(),
        facilities: ["Riverside Main", "Riverside North"].map(Into::into).into(),
        current: None,
    }
}

fn route_with(settings: &str, turn: &Turn) -> Option<Placement> {
    let host = Host { settings: settings.into(), ..Host::default() };
    testing::with(host, || run::<KeywordRouting>(turn)).0.unwrap()
}

fn route(turn: &Turn) -> Option<Placement> {
    route_with(&default_settings(), turn)
}

#[test]
fn the_demo_clinic_sorts_its_texts() {
    let cases = [
        (
            "I need a refill of lisinopril",
            "Pharmacy",
            Some("refill"),
            Some("normal"),
            "rule 'Refills', keyword 'refill'",
        ),
        ("REFILLS!!", "Pharmacy", Some("refill"), Some("normal"), "rule 'Refills', keyword 'refill'"),
        (
            "necesito mi receta",
            "Pharmacy",
            Some("refill"),
            Some("normal"),
            "rule 'Refills', keyword 'receta'",
        ),
        (
            "question about my bill",
            "Billing",
            Some("billing"),
            Some("normal"),
            "rule 'Billing', keyword 'bill'",
        ),
        (
            "are my lab results in",
            "Nurses",
            Some("results"),
            Some("normal"),
            "rule 'Test results', keyword 'lab result'",
        ),
        (
            "I've had a fever since Monday",
            "Nurses",
            Some("symptoms"),
            Some("high"),
            "rule 'Symptoms', keyword 'fever'",
        ),
        (
            "can I reschedule my appointment?",
            "Front desk",
            Some("appointment"),
            Some("normal"),
            "rule 'Appointments', keyword 'appointment'",
        ),
        ("bad chest pains", "Nurses", Some("emergency"), Some("urgent"), "emergency keyword 'chest pain'"),
        (
            "refill please, I can’t breathe",
            "Nurses",
            Some("emergency"),
            Some("urgent"),
            "emergency keyword 'can't breathe'",
        ),
        ("hello", "Front desk", None, None, "no rule matched; open"),
        ("", "Front desk", None, None, "no rule matched; open"),
    ];
    for (text, team, category, priority, reason) in cases {
        let placement = route(&turn(text)).unwrap();
        assert_eq!(placement.team.as_deref(), Some(team), "{text}");
        assert_eq!(placement.category.as_deref(), category, "{text}");
        assert_eq!(placement.priority.as_deref(), priority, "{text}");
        assert_eq!(placement.reason, reason, "{text}");
    }
}

#[test]
fn every_team_of_the_default_settings_is_the_demo_clinics() {
    let known = turn("").teams;
    let settings: Settings = serde_json::from_str(&default_settings()).unwrap();
    let teams = settings
        .rules
        .iter()
        .map(|r| &r.team)
        .chain([&settings.default.team, &settings.default.when_closed_team]);
    for team in teams.flatten().chain(settings.emergency.as_ref().and_then(|e| e.team.as_ref())) {
        assert!(known.contains(team), "{team}");
    }
}

#[test]
fn rules_heed_the_hours_and_their_order() {
    let settings = r#"{
        "rules": [
            {"name": "Night nurse", "any_keywords": ["pain"], "when": "closed", "team": "Nurses", "priority": "high"},
            {"name": "Day pain", "any_keywords": ["pain"], "when": "open", "team": "Front desk"},
            {"name": "Any pain", "any_keywords": ["pain"], "team": "Billing"},
            {"name": "Night", "when": "closed", "team": "Nurses", "category": "night"}
        ],
        "default": {"team": "Front desk", "when_closed_team": "Billing"}
    }"#;
    let cases = [
        ("pain", true, "Front desk", "rule 'Day pain', keyword 'pain'"),
        ("pain", false, "Nurses", "rule 'Night nurse', keyword 'pain'"),
        ("hi", true, "Front desk", "no rule matched; open"),
        ("hi", false, "Nurses", "rule 'Night'"),
    ];
    for (text, open, team, reason) in cases {
        let mut turn = turn(text);
        turn.hours = if open { testing::open_hours() } else { testing::closed_hours() };
        let placement = route_with(settings, &turn).unwrap();
        assert_eq!((placement.team.as_deref(), placement.reason.as_str()), (Some(team), reason));
    }
}

#[test]
fn the_closed_team_takes_over_when_closed() {
    let settings = r#"{"default": {"team": "Front desk", "when_closed_team": "Nurses"}}"#;
    let mut turn = turn("hi");
    assert_eq!(route_with(settings, &turn).unwrap().team.as_deref(), Some("Front desk"));
    turn.hours = testing::closed_hours();
    assert_eq!(route_with(settings, &turn).unwrap().team.as_deref(), Some("Nurses"));
    assert_eq!(
        route_with(r#"{"default": {"team": "Front desk"}}"#, &turn).unwrap().team.as_deref(),
        Some("Front desk")
    );
}

#[test]
fn a_policy_without_settings_has_no_opinion() {
    assert_eq!(route_with("{}", &turn("refill")), None);
}

#[test]
fn a_placed_conversation_moves_only_by_a_keyword() {
    let placed = |team: &str, category: &str, priority: &str| Placement {
        team: Some(team.into()),
        category: Some(category.into()),
        priority: Some(priority.into()),
        reason: "earlier".into(),
        ..Placement::default()
    };
    let later = |text: &str, current: Placement| {
        route(&Turn { turn_number: 2, current: Some(current), ..turn(text) })
    };

    assert_eq!(later("thanks", placed("Pharmacy", "refill", "normal")), None);
    assert_eq!(later("another refill", placed("Pharmacy", "refill", "normal")), None, "it is there already");

    let moved = later("and my bill?", placed("Pharmacy", "refill", "normal")).unwrap();
    assert_eq!(moved.team.as_deref(), Some("Billing"));

    let moved = later("and my bill?", placed("Nurses", "symptoms", "high")).unwrap();
    assert_eq!(
        (moved.team.as_deref(), moved.priority),
        (Some("Billing"), None),
        "the priority is not lowered"
    );

    assert_eq!(later("and my bill?", placed("Nurses", "emergency", "urgent")), None, "urgent stays");
    assert_eq!(
        later("chest pain", placed("Pharmacy", "refill", "normal")).unwrap().priority.as_deref(),
        Some("urgent")
    );
}

#[test]
fn a_facility_from_the_number_is_no_placement_yet() {
    let current = Placement { facility: Some("Riverside Main".into()), ..Placement::default() };
    let placement = route(&Turn { current: Some(current), ..turn("hello") }).unwrap();
    assert_eq!(placement.team.as_deref(), Some("Front desk"));
}

#[test]
fn the_reason_holds_none_of_the_patients_words() {
    let placement = route(&turn("Refill for Zebedee Quagmire, pain in my zygoma")).unwrap();
    assert_eq!(placement.reason, "rule 'Refills', keyword 'refill'");
}

#[test]
fn wrong_settings_are_named() {
    let cases = [
        (r#"{"rules": [{"name": "A", "when": "noon"}]}"#, "rules[0].when"),
        (r#"{"rules": [{"any_keywords": ["a"]}]}"#, "rules[0]: missing field `name`"),
        (r#"{"rules": [{"name": "A", "any_keywords": ["?"]}]}"#, "rules[0].any_keywords"),
        (r#"{"default": {"priority": "soon"}}"#, "default.priority"),
        (r#"{"rulez": []}"#, "rulez"),
        (r#"{"emergency": {"keywords": "chest pain"}}"#, "emergency.keywords"),
    ];
    for (settings, path) in cases {
        let host = Host { settings: settings.into(), ..Host::default() };
        let error = testing::with(host, || run::<KeywordRouting>(&turn("a"))).0.unwrap_err();
        assert_eq!(error.code, "settings");
        assert!(error.message.contains(path), "{path}: {}", error.message);
    }
}
