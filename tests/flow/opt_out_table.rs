//! What every keyword does, in every writing, at every place of a flow, on every kind of number.

use anteroom_model::states::{NumberKind, Registration};
use anteroom_store::NewNumber;
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Clinic, run};

const STOPPED: &str = "You will get no more texts from Riverside Clinic. Reply START to get them again.";
const STARTED: &str = "You will get texts from Riverside Clinic again. Reply STOP to end them.";
const HELP: &str = "Riverside Clinic: text us and our staff will answer. In an emergency call 911. Message and data \
                    rates may apply. Reply STOP to end texts.";

/// What a text must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Stops,
    Helps,
    /// Only for somebody who had opted out.
    Starts,
    /// An ordinary text.
    Nothing,
}
use Effect::{Helps, Nothing, Starts, Stops};

/// The union of the carriers' keywords (`shared/CARRIERS.md`), each in the writings people use.
const STOP_WORDS: [&str; 13] = [
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "OPT-OUT",
    "REMOVE",
    "TD",
    "ARRET",
];
const START_WORDS: [&str; 3] = ["START", "UNSTOP", "YES"];
const HELP_WORDS: [&str; 2] = ["HELP", "INFO"];
/// Not keywords: a keyword among other words is none, whatever the language.
const ORDINARY: [&str; 8] = [
    "I need help",
    "stop by at noon?",
    "yes please",
    "cancel my appointment",
    "the end",
    "gracias",
    "ayuda con mi cita",
    "info about parking",
];

/// A word as people write it.
fn writings(word: &str) -> Vec<String> {
    let lower = word.to_lowercase();
    let mut title = lower.clone();
    title[..1].make_ascii_uppercase();
    vec![
        word.to_owned(),
        lower.clone(),
        title.clone(),
        format!("  {word} "),
        format!("{word}."),
        format!("{lower}!!"),
        format!("\u{201c}{title}\u{201d}"),
        format!("{lower}\n"),
    ]
}

/// Where in a flow the text comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The first text of somebody never seen.
    First,
    /// In the middle of the questions of identity.
    Asked,
    /// Staff have the conversation and have answered.
    Answered,
    /// After the conversation was closed.
    Closed,
    /// By somebody who has opted out.
    OptedOut,
}
const PLACES: [Place; 5] = [Place::First, Place::Asked, Place::Answered, Place::Closed, Place::OptedOut];

const KINDS: [(&str, NumberKind); 3] = [
    ("+18005550100", NumberKind::TollFree),
    ("+15005550110", NumberKind::TenDlc),
    ("55501", NumberKind::ShortCode),
];

fn expected(word: Effect, place: Place) -> Vec<&'static str> {
    match (word, place) {
        (Stops, Place::OptedOut) | (Nothing, _) => Vec::new(),
        (Stops, _) => vec![STOPPED],
        (Helps, _) => vec![HELP],
        (Starts, Place::OptedOut) => vec![STARTED],
        (Starts, _) => Vec::new(),
    }
}

async fn add_numbers(clinic: &Clinic) {
    let account = clinic.account;
    clinic
        .change(move |mut org| {
            async move {
                let facility = org.facilities().await?.first().map(|facility| facility.id);
                for (address, kind) in KINDS {
                    let new = NewNumber {
                        carrier_account_id: account,
                        facility_id: facility,
                        address: address.into(),
                        kind,
                        label: kind.to_string(),
                        texting_enabled: true,
                        verification: Some(true),
                        registration: Registration::Approved,
                        registration_note: String::new(),
                    };
                    let number = org.insert_number(&new).await?;
                    // What is looked at here is what is sent, and not when.
                    org.set_pace(number, Some(0)).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await;
}

/// A line of the table.
struct Line {
    text: String,
    effect: Effect,
    phone: String,
    number: &'static str,
    kind: NumberKind,
    /// Texts on the phone before.
    before: usize,
}

/// Brings all of them to that place.
async fn lead_to(clinic: &Clinic, place: Place, lines: &[Line]) {
    let first = match place {
        Place::First => return,
        Place::OptedOut => "STOP",
        Place::Asked | Place::Answered | Place::Closed => "Hello",
    };
    for line in lines {
        clinic.deliver(&line.phone, line.number, first).await;
    }
    clinic.app.settled().await;
    if !matches!(place, Place::Answered | Place::Closed) {
        return;
    }
    for line in lines {
        let id = clinic.conversation_id(&line.phone, line.number).await;
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hello, Maya here." })).await.ok();
        if place == Place::Closed {
            clinic.act(&clinic.maya, id, "close", Value::Null).await.ok();
        }
    }
    clinic.app.settled().await;
}

/// What is wrong with what became of a line.
async fn judge(clinic: &Clinic, place: Place, line: &Line) -> Option<String> {
    let Line { text, effect, phone, number, kind, before } = line;
    let got: Vec<String> = clinic.received(phone, number).await.split_off(*before);
    // What the host says; an ordinary text may be answered by policies besides.
    let of_host = |text: &&str| [STOPPED, STARTED, HELP].contains(text);
    let host: Vec<&str> = got.iter().map(String::as_str).filter(of_host).collect();
    let expected = expected(*effect, place);
    let is_keyword = matches!(effect, Stops | Helps) || !expected.is_empty();
    let opted_out = clinic.conversation(phone, number).await["opted_out"] == true;
    let must_be_out = match effect {
        Stops => true,
        Starts => false,
        Helps | Nothing => place == Place::OptedOut,
    };
    let right = host == expected && (!is_keyword || host.len() == got.len()) && opted_out == must_be_out;
    (!right).then(|| format!("{text:?} {place:?} {kind}: sent {got:?}, opted out {opted_out}"))
}

#[tokio::test]
async fn every_keyword_in_every_writing_at_every_place_on_every_kind_of_number() {
    run(async |clinic| {
        add_numbers(&clinic).await;
        let words = STOP_WORDS.map(|word| (word, Stops)).into_iter();
        let words =
            words.chain(START_WORDS.map(|word| (word, Starts))).chain(HELP_WORDS.map(|word| (word, Helps)));
        let mut texts: Vec<(String, Effect)> = words
            .flat_map(|(word, effect)| writings(word).into_iter().map(move |text| (text, effect)))
            .collect();
        texts.extend(ORDINARY.map(|text| (text.to_owned(), Nothing)));
        let (mut rows, mut wrong) = (0, Vec::new());
        for (turn, place) in PLACES.into_iter().enumerate() {
            // Every writing comes up at every place, and on every kind of number.
            let mut lines: Vec<Line> = Vec::new();
            for (at, (text, effect)) in texts.iter().enumerate() {
                let (number, kind) = KINDS[(at + turn) % KINDS.len()];
                let phone = format!("+1512{:07}", 6_000_000 + rows);
                lines.push(Line { text: text.clone(), effect: *effect, phone, number, kind, before: 0 });
                rows += 1;
            }
            lead_to(&clinic, place, &lines).await;
            for line in &mut lines {
                line.before = clinic.received(&line.phone, line.number).await.len();
                clinic.deliver(&line.phone, line.number, &line.text).await;
            }
            clinic.app.settled().await;
            for line in &lines {
                wrong.extend(judge(&clinic, place, line).await);
            }
        }
        assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(rows, 760);
    })
    .await;
}
