//! What people type when they are asked who they are: the table in `tests/identity/answers.jsonl`, answered by the
//! default policy as the component that ships, in the real host.
//!
//! A row: `say` is what the texter sends, the first being the reason for texting; `step` is what the policy does
//! after the last; `claims` is what it knows by then; `lang` is the language of what it sends; `for_another`:
//! it asks for the patient, not for the texter. `date_order` stands for the clinic's where it isn't the default.

#![expect(clippy::unwrap_used, reason = "a broken table should stop the test at once")]

mod support;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anteroom_model::hooks::{Claim, Exchange, HookInput, HookOutput, IdentityTurn, Step};
use anteroom_policy::{Outcome, Policy};
use serde::Deserialize;
use serde_json::Value;
use support::{asking, host, identity, load};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    lang: String,
    say: Vec<String>,
    step: String,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    #[serde(default)]
    for_another: bool,
    date_order: Option<String>,
}

/// What the policy did.
#[derive(Debug, PartialEq, Eq)]
struct Did {
    step: String,
    claims: BTreeMap<String, String>,
    lang: String,
    for_another: bool,
}

fn file(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run `make plugins`", path.display()))
}

fn policy() -> Arc<Policy> {
    load(&file("target/guests/identity.wasm"))
}

fn call(policy: &Arc<Policy>, settings: &Value, text: &str, asked: &[Exchange]) -> Step {
    let HookInput::Identity(turn) = identity(text) else { unreachable!("support makes an identity turn") };
    let mut call = asking(HookInput::Identity(IdentityTurn { asked: asked.to_vec(), ..turn }));
    call.settings = settings.to_string().into();
    match host().call_blocking(policy, call).outcome {
        Outcome::Decided(HookOutput::Identity(step)) => step,
        other => panic!("{text}: {other:?}"),
    }
}

/// Sends the row's texts one after the other. Where the policy still asks after the last, what it knows is read
/// from how it takes leave when the texter wants no more.
fn talk(policy: &Arc<Policy>, settings: &Value, say: &[String]) -> Did {
    let mut asked: Vec<Exchange> = Vec::new();
    for (index, text) in say.iter().enumerate() {
        let step = call(policy, settings, text, &asked);
        if let Some(open) = asked.last_mut() {
            open.answer = Some(text.clone());
        }
        let ended = |step: String, claims: &[Claim], words: &str| {
            assert_eq!(index + 1, say.len(), "{say:?} ended early: {step}");
            did(settings, step, claims, words)
        };
        match step {
            Step::Ask(prompt) => {
                asked.push(Exchange { question: prompt.question, prompt: prompt.text, answer: None });
            }
            Step::Match(request) => return ended("match".into(), &request.claims, &request.acknowledgement),
            Step::GiveUp(farewell) => {
                let step = format!("give up: {}", farewell.reason);
                return ended(step, &farewell.claims, &farewell.acknowledgement);
            }
        }
    }
    let Step::GiveUp(farewell) = call(policy, settings, "EXIT", &asked) else {
        panic!("EXIT doesn't end it")
    };
    let last = asked.pop().unwrap();
    did(settings, format!("ask: {}", last.question), &farewell.claims, &last.prompt)
}

fn did(settings: &Value, step: String, claims: &[Claim], words: &str) -> Did {
    let (lang, wording) = wording(settings, words);
    let claims = claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect();
    Did { step, claims, lang, for_another: wording == "for_another" }
}

/// In which language, and as which of the settings' wordings, `words` were sent.
fn wording(settings: &Value, words: &str) -> (String, String) {
    let spanish = &settings["languages"][0];
    for (lang, all) in [("en", settings), ("es", spanish)] {
        let date = if lang == "es" { "MM/DD/AAAA" } else { "MM/DD/YYYY" };
        let orders = [(date, "03/25/1985"), ("DD/MM/YYYY", "25/03/1985"), ("YYYY-MM-DD", "1985-03-25")];
        let questions = all["questions"].as_array().unwrap();
        for (name, template) in questions.iter().chain([all]).flat_map(|one| one.as_object().unwrap()) {
            let Some(template) = template.as_str() else { continue };
            for (format, example) in orders {
                let filled = template
                    .replace("{{organization}}", "Example Clinic")
                    .replace("{{exit_word}}", "EXIT")
                    .replace("{{date_format}}", format)
                    .replace("{{date_example}}", example);
                if filled == words {
                    return (lang.to_owned(), name.clone());
                }
            }
        }
    }
    panic!("no wording of the settings: {words}");
}

#[test]
fn what_people_type_is_understood() {
    let policy = policy();
    let table = String::from_utf8(file("tests/identity/answers.jsonl")).unwrap();
    let rows: Vec<Row> = table.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spanish = rows.iter().filter(|row| row.lang == "es").count();
    assert!(rows.len() >= 250 && spanish >= 60, "{} rows, {spanish} of them Spanish", rows.len());

    let mut wrong = Vec::new();
    for row in &rows {
        let mut settings = policy.manifest.default_settings.clone();
        if let Some(order) = &row.date_order {
            settings["date_order"] = order.as_str().into();
        }
        let did = talk(&policy, &settings, &row.say);
        let expected = Did {
            step: row.step.clone(),
            claims: row.claims.clone(),
            lang: row.lang.clone(),
            for_another: row.for_another,
        };
        // A question may be put for another where the row doesn't say; never for the texter where it does.
        let wording_fits = did.for_another || !expected.for_another;
        if (&did.step, &did.claims, &did.lang) != (&expected.step, &expected.claims, &expected.lang)
            || !wording_fits
        {
            wrong.push(format!("{:?}\n  expected {expected:?}\n  did      {did:?}", row.say));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The longest texts there are, as often as the default settings ask, stay within the fuel.
#[test]
fn stories_instead_of_answers_end_with_a_person() {
    let policy = policy();
    let settings = policy.manifest.default_settings.clone();
    for story in [
        "my son said march maybe of septembre he needs the ",
        "mi hijo febrero y marzo de la mamá de ",
        "a b c d ",
    ] {
        let story: String = story.chars().cycle().take(1_600).collect();
        let question = |answer: Option<&String>| Exchange {
            question: "full-name".into(),
            prompt: "Who are you?".into(),
            answer: answer.cloned(),
        };
        let mut asked = vec![question(Some(&story)); 2];
        asked.push(question(None));
        assert!(matches!(call(&policy, &settings, &story, &asked), Step::GiveUp(_)), "{story}");
    }
}

/// What is bound keeps working: settings as they were before there were languages and phrases.
#[test]
fn settings_of_version_1_0_still_serve() {
    let policy = policy();
    let mut settings = policy.manifest.default_settings.clone();
    for new in ["languages", "decline_phrases", "exit_words"] {
        settings.as_object_mut().unwrap().remove(new);
    }
    for question in settings["questions"].as_array_mut().unwrap() {
        question.as_object_mut().unwrap().remove("for_another");
    }
    let asked = |text: &str| match call(&policy, &settings, text, &[]) {
        Step::Ask(prompt) => prompt.text,
        other => panic!("{other:?}"),
    };
    assert_eq!(asked("hola, necesito una cita"), asked("hello"), "there is one language");
    let say = ["hi", "it's for my son Luis", "Luis Garcia", "5/6/2018"].map(String::from);
    let mut known: Vec<Exchange> = Vec::new();
    for text in &say[..3] {
        let Step::Ask(prompt) = call(&policy, &settings, text, &known) else { panic!("{text}") };
        if let Some(open) = known.last_mut() {
            open.answer = Some(text.clone());
        }
        known.push(Exchange { question: prompt.question, prompt: prompt.text, answer: None });
    }
    let Step::Match(request) = call(&policy, &settings, &say[3], &known) else { panic!("{known:?}") };
    assert_eq!(request.claims.len(), 3);
}
