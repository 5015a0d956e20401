use anteroom_sdk::identity::{Claim, Exchange, run};
use anteroom_sdk::testing::{self, Host};

use super::*;

const MANIFEST: &str = include_str!("../manifest.json");

fn default_settings() -> serde_json::Value {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    manifest["default_settings"].clone()
}

fn turn(text: &str, asked: Vec<Exchange>) -> Turn {
    Turn { text: text.into(), number: testing::number(), hours: testing::open_hours(), asked }
}

fn next(settings: &serde_json::Value, turn: &Turn) -> Result<Step, PolicyError> {
    let host = Host { settings: settings.to_string(), ..Host::default() };
    Ok(testing::with(host, || run::<Questions>(turn)).0?.unwrap())
}

/// Texts in turn, the first being the reason; returns the last step and all prompts, as the host would see them.
fn talk_with(settings: &serde_json::Value, texts: &[&str]) -> (Step, Vec<Prompt>) {
    let (mut asked, mut prompts): (Vec<Exchange>, Vec<Prompt>) = (vec![], vec![]);
    for (index, text) in texts.iter().enumerate() {
        let step = next(settings, &turn(text, asked.clone())).unwrap();
        if let Some(last) = asked.last_mut() {
            last.answer = Some((*text).into());
        }
        match step {
            Step::Ask(prompt) => {
                asked.push(Exchange {
                    question: prompt.question.clone(),
                    prompt: prompt.text.clone(),
                    answer: None,
                });
                prompts.push(prompt);
            }
            end => {
                assert_eq!(index + 1, texts.len(), "it ended early: {end:?}");
                return (end, prompts);
            }
        }
    }
    let last = prompts.pop().unwrap();
    (Step::Ask(last), prompts)
}

fn talk(texts: &[&str]) -> Step {
    talk_with(&default_settings(), texts).0
}

fn pairs(claims: &[Claim]) -> Vec<(&str, &str)> {
    claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect()
}

const JOHN: [(&str, &str); 3] =
    [("first-name", "John"), ("last-name", "Smith"), ("date-of-birth", "1985-03-04")];

#[test]
fn name_and_date_of_birth_are_asked_and_matched() {
    let conversations: [&[&str]; 12] = [
        &["hello", "john smith 3/4/85"],
        &["hello", "John Smith", "March 4th 1985"],
        &["hello", "Smith, John", "03041985"],
        &["hello", "Smith, John, 3/4/85"],
        &["hello", "3/4/1985 john smith"],
        &["hello", "I'm John Smith, born on March 4, 1985. Thanks!"],
        &["hello", "My name is John Smith and my date of birth is 3/4/85"],
        &["hello", "JOHN SMITH\nDOB 03-04-1985"],
        &["hello", "why?", "John Smith", "no idea", "4 mar 85"],
        &["hello", "john", "smith", "3/4/85"],
        &["hello", "John Smith", "John Smith 3/4/85"],
        &["hello", "3/4/85", "John Smith"],
    ];
    for texts in conversations {
        let Step::Match(request) = talk(texts) else { panic!("{texts:?}: {:?}", talk(texts)) };
        let mut claims = pairs(&request.claims);
        claims.sort_by_key(|(field, _)| {
            ["first-name", "last-name", "date-of-birth"].iter().position(|f| f == field)
        });
        assert_eq!(claims, JOHN, "{texts:?}");
        assert!(request.acknowledgement.starts_with("Thank you"), "{}", request.acknowledgement);
        assert!(request.required.is_empty());
    }
}

#[test]
fn the_first_text_is_never_an_answer() {
    for text in ["hello", "John Smith 3/4/85", "EXIT", "no", ""] {
        let Step::Ask(prompt) = talk(&[text]) else { panic!("{text}") };
        assert_eq!(prompt.question, "full-name");
        assert!(
            prompt.text.contains("Riverside Family Clinic") && prompt.text.contains("EXIT"),
            "{}",
            prompt.text
        );
    }
}

#[test]
fn a_date_follows_the_configured_order() {
    let mut settings = default_settings();
    let born = |settings: &_| match talk_with(settings, &["hi", "John Smith", "4.3.1985"]).0 {
        Step::Match(request) => pairs(&request.claims)[2].1.to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(born(&settings), "1985-04-03");
    settings["date_order"] = "dmy".into();
    assert_eq!(born(&settings), "1985-03-04");
    let (Step::Ask(again), _) = talk_with(&settings, &["hi", "John Smith", "when I was born"]) else {
        panic!()
    };
    assert!(again.text.contains("DD/MM/YYYY") && again.text.contains("25/03/1985"), "{}", again.text);
}

#[test]
fn an_answer_that_cannot_be_read_is_asked_again_politely() {
    let (Step::Ask(again), before) = talk_with(&default_settings(), &["hi", "why do you ask?"]) else {
        panic!()
    };
    assert_eq!(again.question, "full-name");
    assert!(again.text.starts_with("Sorry"), "{}", again.text);
    assert_ne!(again.text, before[0].text);
}

#[test]
fn after_the_last_attempt_staff_take_over_with_what_is_known() {
    let Step::GiveUp(farewell) = talk(&["hi", "why?", "who?", "what?"]) else { panic!() };
    assert_eq!((farewell.reason.as_str(), farewell.claims.len()), ("attempts", 0));

    let Step::GiveUp(farewell) = talk(&["hi", "what?", "John Smith", "?", "??", "???"]) else { panic!() };
    assert_eq!(farewell.reason, "attempts");
    assert_eq!(pairs(&farewell.claims), JOHN[..2]);
}

#[test]
fn exit_and_no_end_the_questions() {
    for text in ["EXIT", "exit", " Exit. "] {
        let Step::GiveUp(farewell) = talk(&["hi", "John Smith", text]) else { panic!("{text}") };
        assert_eq!(farewell.reason, "exit");
        assert_eq!(pairs(&farewell.claims), JOHN[..2]);
    }
    for text in ["No", "no thanks!", "New patient", "I'm new"] {
        let Step::GiveUp(farewell) = talk(&["hi", text]) else { panic!("{text}") };
        assert_eq!(farewell.reason, "declined", "{text}");
    }
    assert!(matches!(talk(&["hi", "where is the exit"]), Step::Ask(_)));
}

#[test]
fn the_step_depends_on_the_turn_alone() {
    let exchange = |question: &str, answer: Option<&str>| Exchange {
        question: question.into(),
        prompt: String::new(),
        answer: answer.map(Into::into),
    };
    let asked = vec![exchange("full-name", Some("Jane Roe")), exchange("date-of-birth", None)];
    let settings = default_settings();
    let once = next(&settings, &turn("1/2/90", asked.clone())).unwrap();
    assert_eq!(once, next(&settings, &turn("1/2/90", asked)).unwrap());
    let Step::Match(request) = once else { panic!() };
    assert_eq!(pairs(&request.claims)[2], ("date-of-birth", "1990-01-02"));

    // A question that the settings have lost meanwhile is passed over.
    let asked = vec![exchange("shoe-size", Some("42")), exchange("full-name", None)];
    let Step::Ask(prompt) = next(&settings, &turn("Jane Roe", asked)).unwrap() else { panic!() };
    assert_eq!(prompt.question, "date-of-birth");
}

#[test]
fn questions_and_required_claims_can_be_chosen() {
    let settings = serde_json::json!({
        "questions": [
            { "name": "first", "kind": "first-name", "ask": "First name?", "again": "?" },
            { "name": "last", "kind": "last-name", "ask": "Last name?", "again": "?" },
            { "name": "mrn", "kind": "mrn", "ask": "Chart number?", "again": "?" },
            { "name": "town", "kind": "text", "field": "town", "ask": "Town?", "again": "?" }
        ],
        "required": ["mrn"],
        "acknowledgement": "a", "exit_acknowledgement": "b", "attempts_acknowledgement": "c"
    });
    let (end, prompts) = talk_with(&settings, &["hi", "ana", "de la cruz", "MRN 00123", " Springfield "]);
    let asked: Vec<_> = prompts.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(asked, ["First name?", "Last name?", "Chart number?", "Town?"]);
    let Step::Match(request) = end else { panic!("{end:?}") };
    assert_eq!(
        pairs(&request.claims),
        [("first-name", "Ana"), ("last-name", "de la Cruz"), ("mrn", "00123"), ("town", "Springfield")]
    );
    assert_eq!(request.required, ["mrn"]);

    let (end, _) = talk_with(&settings, &["hi", "ana", "Ana Ruiz", "12345", "x"]);
    let Step::Match(request) = end else { panic!("{end:?}") };
    assert_eq!(pairs(&request.claims)[1], ("last-name", "Ruiz"));
}

#[test]
fn settings_from_before_there_were_phrases_get_the_manifests() {
    let mut settings = default_settings();
    let phrases: Vec<String> = serde_json::from_value(settings["decline_phrases"].take()).unwrap();
    assert_eq!(phrases, crate::settings::DECLINE_PHRASES);
    for new in ["decline_phrases", "exit_words", "languages"] {
        settings.as_object_mut().unwrap().remove(new);
    }
    for question in settings["questions"].as_array_mut().unwrap() {
        question.as_object_mut().unwrap().remove("for_another");
    }
    let (end, _) = talk_with(&settings, &["hola", "quiero salir"]);
    let Step::GiveUp(farewell) = end else { panic!("{end:?}") };
    assert_eq!(farewell.reason, "exit");
    assert!(farewell.acknowledgement.starts_with("No problem"), "there is one language");
    let (end, _) = talk_with(&settings, &["hi", "I'd rather not say"]);
    assert!(matches!(end, Step::GiveUp(farewell) if farewell.reason == "declined"));
}

#[test]
fn another_language_is_told_by_its_words() {
    let mut settings = default_settings();
    let mut portuguese = settings["languages"][0].clone();
    portuguese["language"] = "pt".into();
    portuguese["words"] = serde_json::json!(["olá", "obrigado", "preciso", "nome"]);
    portuguese["questions"][0]["ask"] = "Qual é o seu nome?".into();
    settings["languages"].as_array_mut().unwrap().push(portuguese);
    let first = |text: &str| match talk_with(&settings, &[text]).0 {
        Step::Ask(prompt) => prompt.text,
        other => panic!("{other:?}"),
    };
    assert_eq!(first("Olá, preciso de ajuda"), "Qual é o seu nome?");
    assert!(first("Hola, necesito una cita").starts_with("Gracias por escribir"));
    assert!(first("hello").starts_with("Thanks for texting"));
}

#[test]
fn wrong_settings_are_named() {
    let mut cases = vec![(serde_json::json!({}), "missing field `questions`".to_owned())];
    let mut with = |pointer: &str, value: serde_json::Value, problem: &str| {
        let mut settings = default_settings();
        *settings.pointer_mut(pointer).unwrap() = value;
        cases.push((settings, problem.to_owned()));
    };
    with("/questions", serde_json::json!([]), "questions: expected at least one");
    with("/questions/1/name", "full-name".into(), "two are named \"full-name\"");
    with("/questions/0/kind", "shoe-size".into(), "questions[0].kind");
    with("/questions/0/kind", "text".into(), "`field` belongs to the kind `text`");
    with("/questions/0/ask", "Hi {{patient.first_name}}".into(), "unknown variable {{patient.first_name}}");
    with("/max_attempts", 0.into(), "max_attempts: expected 1 to 10");
    with("/date_order", "ydm".into(), "date_order");
    with("/exit_word", " ".into(), "exit_word");
    with("/languages/0/questions/1/name", "other".into(), "\"es\" has no wording of \"date-of-birth\"");
    with("/languages/0/acknowledgement", "{{name}}".into(), "unknown variable {{name}}");
    for (settings, problem) in cases {
        let error = next(&settings, &turn("hi", vec![])).unwrap_err();
        assert_eq!(error.code, "settings");
        assert!(error.message.contains(&problem), "{problem}: {}", error.message);
    }
}

#[test]
fn any_text_gets_a_step() {
    let odd = [
        "",
        " ",
        "\u{0}",
        "🙃🙃",
        "𝔍𝔬𝔥𝔫",
        "\u{202e}nhoJ",
        "3/4/85/6/7",
        "''''",
        "----",
        ",,,,",
        "first name last name",
        "4th",
        "th",
        "March",
        "of of of",
        "\u{301}\u{301}",
        "name name name",
        "İstanbul ß",
        "1st 2nd 3rd",
    ];
    for text in odd {
        let long = text.repeat(200);
        for text in [text, long.as_str()] {
            assert!(matches!(talk(&["hi", text]), Step::Ask(_) | Step::Match(_)), "{text}");
            talk(&["hi", "John Smith", text]);
        }
    }
}
