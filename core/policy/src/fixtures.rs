//! Turns that never happened, for every hook: what an upload is tried on before a patient's text.

use std::collections::BTreeMap;

use anteroom_model::hooks::{
    ClinicNumber, Exchange, HistoryMessage, Hook, HookInput, HookOutput, Hours, IdentityTurn, LocalTime,
    Placement, RepliesTurn, RoutingTurn, Shortcut, ShortcutContext, Step, Told,
};

/// 2026-03-02T16:00:00Z, a Monday morning in Chicago.
pub(crate) const NOW: i64 = 1_772_467_200_000_000;
pub(crate) const SEED: u64 = 0x0123_4567_89ab_cdef;

/// What a made-up patient answers to a policy's questions, one after the other.
const ANSWERS: [&str; 5] = ["John Smith", "02/29/1984", "yes", "I don't understand", "EXIT"];
/// Shortcuts expanded of those listed.
const EXPANDED: usize = 5;
/// Longest text that carriers deliver, in characters.
const LONG: usize = 1_600;

/// A turn and what makes it one of its own.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) input: HookInput,
}

fn fixture(name: &str, input: HookInput) -> Fixture {
    Fixture { name: name.to_owned(), input }
}

/// The turns that `hook` begins with; [`next`] says which follow from its answers.
pub(crate) fn first(hook: Hook) -> Vec<Fixture> {
    let long = long_text();
    match hook {
        Hook::Identity => vec![
            fixture("first text", identity("Hi, I need to reschedule my appointment", open(), vec![])),
            fixture("first text while closed", identity("are you open tomorrow?", closed(), vec![])),
            fixture("empty text", identity("", open(), vec![])),
            fixture("long text", identity(&long, open(), vec![])),
        ],
        Hook::Routing => {
            let turn = |text: &str, hours| RoutingTurn {
                text: text.to_owned(),
                media_count: 0,
                number: number(),
                hours,
                turn_number: 1,
                identity: "placeholder".to_owned(),
                teams: ["Front desk", "Nurses", "Pharmacy", "Billing"].map(Into::into).into(),
                facilities: ["Main Street", "North"].map(Into::into).into(),
                current: None,
            };
            let first = turn("I need a refill of my prescription please", open());
            let placement = Placement {
                team: Some("Pharmacy".to_owned()),
                category: Some("refill".to_owned()),
                priority: Some("normal".to_owned()),
                reason: "keyword 'refill'".to_owned(),
                ..Placement::default()
            };
            let later = RoutingTurn {
                turn_number: 4,
                identity: "verified".to_owned(),
                current: Some(placement),
                ..turn("and I have chest pain", open())
            };
            let media = RoutingTurn { media_count: 2, ..turn("", open()) };
            let none = RoutingTurn { teams: vec![], facilities: vec![], ..first.clone() };
            [
                ("first text", first),
                ("later text", later),
                ("empty text", turn("", open())),
                ("long text", turn(&long, open())),
                ("media only", media),
                ("first text while closed", turn("is the pharmacy open?", closed())),
                ("an organization without teams", none),
            ]
            .map(|(name, turn)| fixture(name, HookInput::Routing(turn)))
            .into()
        }
        Hook::Replies => [
            ("first text", replies("Hello, do you take new patients?", 0, open(), 1)),
            ("later text", replies("thanks", 0, open(), 3)),
            ("empty text", replies("", 0, open(), 1)),
            ("long text", replies(&long, 0, open(), 1)),
            ("media only", replies("", 3, open(), 1)),
            ("first text while closed", replies("I can't breathe well", 0, closed(), 1)),
            ("later text while closed", replies("anyone there?", 0, closed(), 2)),
        ]
        .map(|(name, turn)| fixture(name, HookInput::Replies(turn)))
        .into(),
        Hook::Shortcuts => {
            let nobody = ShortcutContext { teams: vec![], hours: closed(), ..context() };
            let expand = |name: &str| HookInput::ShortcutExpand { name: name.to_owned(), context: context() };
            vec![
                fixture("list", HookInput::ShortcutList(context())),
                fixture("list of nobody's team while closed", HookInput::ShortcutList(nobody)),
                fixture("expand an unknown name", expand("no-such-shortcut")),
                fixture("expand an empty name", expand("")),
                fixture("expand a long name", expand(&long)),
            ]
        }
    }
}

/// The turns that follow from an answer: the patient answers a question, a listed shortcut is expanded, a
/// reply has been told.
pub(crate) fn next(input: &HookInput, output: &HookOutput) -> Vec<Fixture> {
    match (input, output) {
        (HookInput::Identity(turn), HookOutput::Identity(Step::Ask(prompt))) => {
            let mut asked = turn.asked.clone();
            if let Some(last) = asked.last_mut() {
                last.answer = Some(turn.text.clone());
            }
            let Some(answer) = ANSWERS.get(asked.len()) else { return vec![] };
            // One dialogue is enough: that of the first turn, and not of the empty or the long one.
            if asked.is_empty() && (turn.text.is_empty() || turn.text.len() > 100) {
                return vec![];
            }
            let (question, text) = (prompt.question.clone(), prompt.text.clone());
            asked.push(Exchange { question, prompt: text, answer: None });
            let name = format!("answer {} ({answer:?})", asked.len());
            vec![Fixture { name, input: identity(answer, turn.hours.clone(), asked) }]
        }
        (HookInput::Replies(turn), HookOutput::Replies(given)) if turn.told.is_empty() => {
            let told = |reply: &anteroom_model::hooks::Reply| Told {
                throttle_key: reply.throttle_key.clone(),
                at: NOW - 60_000_000,
            };
            let told: Vec<_> = given.iter().map(told).collect();
            let again = RepliesTurn { told, turn_number: turn.turn_number + 1, ..turn.clone() };
            vec![fixture("the same again a minute later", HookInput::Replies(again))]
        }
        (HookInput::ShortcutList(context), HookOutput::ShortcutList(list)) => {
            let expand = |Shortcut { name, .. }: &Shortcut| {
                let input = HookInput::ShortcutExpand { name: name.clone(), context: context.clone() };
                Fixture { name: format!("expand {name:?}"), input }
            };
            list.iter().take(EXPANDED).map(expand).collect()
        }
        _ => vec![],
    }
}

/// Messages before each of the turns, oldest first.
pub(crate) fn history() -> Vec<HistoryMessage> {
    let message = |direction: &str, author: &str, minutes: i64, body: &str| HistoryMessage {
        direction: direction.to_owned(),
        author: author.to_owned(),
        at: NOW - minutes * 60_000_000,
        body: body.to_owned(),
    };
    vec![
        message("inbound", "patient", 90, "Hello"),
        message("outbound", "automatic", 90, "Thanks for texting Example Clinic."),
        message("outbound", "staff", 70, "How can we help?"),
        message("inbound", "patient", 65, ""),
    ]
}

/// The made-up patient's fields of those names.
pub(crate) fn patient(fields: &[String]) -> BTreeMap<String, String> {
    let known = [
        ("first-name", "John"),
        ("last-name", "Smith"),
        ("preferred-name", "Johnny"),
        ("date-of-birth", "1984-02-29"),
        ("language", "en"),
        ("facility", "Main Street"),
    ];
    let known = known.into_iter().filter(|(name, _)| fields.iter().any(|field| field == name));
    known.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn identity(text: &str, hours: Hours, asked: Vec<Exchange>) -> HookInput {
    HookInput::Identity(IdentityTurn { text: text.to_owned(), number: number(), hours, asked })
}

fn replies(text: &str, media_count: u32, hours: Hours, turn_number: u32) -> RepliesTurn {
    RepliesTurn { text: text.to_owned(), media_count, number: number(), hours, turn_number, told: vec![] }
}

fn context() -> ShortcutContext {
    ShortcutContext {
        staff_name: "Sam Poole".to_owned(),
        teams: vec!["Front desk".to_owned()],
        number: number(),
        hours: open(),
    }
}

fn number() -> ClinicNumber {
    ClinicNumber {
        address: "+18005550100".to_owned(),
        kind: "toll_free".to_owned(),
        label: "Front desk".to_owned(),
        facility: Some("Main Street".to_owned()),
        organization: "Example Clinic".to_owned(),
    }
}

fn local(date: &str, weekday: &str, minute: u16) -> LocalTime {
    LocalTime { date: date.to_owned(), weekday: weekday.to_owned(), minute }
}

fn open() -> Hours {
    Hours {
        open: true,
        time_zone: "America/Chicago".to_owned(),
        local: local("2026-03-02", "monday", 600),
        holiday: None,
        opens: None,
        closes: Some(local("2026-03-02", "monday", 1_020)),
    }
}

fn closed() -> Hours {
    Hours {
        open: false,
        time_zone: "America/Chicago".to_owned(),
        local: local("2026-12-25", "friday", 1_439),
        holiday: Some("Christmas Day".to_owned()),
        opens: Some(local("2026-12-28", "monday", 480)),
        closes: None,
    }
}

/// As long as texts get, of what breaks code that counts bytes as characters: accents that combine, letters
/// from right to left, faces of several code points, a zero.
fn long_text() -> String {
    "Ünïcödé e\u{301} مرحبا 你好 👩‍👩‍👧‍👦 {{x}} %s \u{0} \u{202e} \u{feff}\n".chars().cycle().take(LONG).collect()
}
