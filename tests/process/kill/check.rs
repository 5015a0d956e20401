//! Comparing what the server has with what it acknowledged and with what the carrier took.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};

use anteroom_test_support::{Attempt, Sse};
use serde_json::Value;

use super::{Clinic, load::Ledger};

/// What was done, and what went wrong: each with an example.
#[derive(Debug, Default)]
pub(super) struct Findings {
    done: Vec<(&'static str, u64)>,
    wrong: BTreeMap<&'static str, Vec<String>>,
}

/// Everything that must not be, in the order of the table.
const WRONG: [&str; 10] = [
    "acknowledged texts lost",
    "texts stored twice",
    "texts processed twice",
    "automatic replies doubled",
    "acknowledged replies lost",
    "replies stored twice",
    "messages sent twice",
    "messages not sent",
    "conversations out of order",
    "gaps in the events",
];

impl Findings {
    fn wrong(&mut self, what: &'static str, example: impl Into<String>) {
        assert!(WRONG.contains(&what));
        self.wrong.entry(what).or_default().push(example.into());
    }

    /// Fails with the examples.
    pub(super) fn assert_good(&self, kills: u64) {
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        let done: HashMap<_, _> = self.done.iter().copied().collect();
        assert_eq!(done["kills"], kills);
        for what in ["texts acknowledged", "replies acknowledged"] {
            assert!(done[what] >= kills * 2, "hardly any load: {:?}", self.done);
        }
        if kills >= 20 {
            for what in ["requests made again", "look-ups at the carrier", "acknowledged requests repeated"] {
                assert!(done[what] > 0, "the kills met nothing under way: {:?}", self.done);
            }
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.done {
            writeln!(f, "  {what:<34}{count:>7}")?;
        }
        writeln!(f, "  {}", "-".repeat(41))?;
        for what in WRONG {
            let count = self.wrong.get(what).map_or(0, Vec::len);
            writeln!(f, "  {what:<34}{count:>7}")?;
        }
        Ok(())
    }
}

pub(super) async fn everything(clinic: &Clinic, ledger: &Ledger) -> Findings {
    let mut findings = Findings::default();
    let mut received = events(&mut findings, clinic).await;
    let attempts = clinic.twilio.attempts();
    let conversations = clinic.api("lead").items("/api/v1/conversations?queue=all&limit=200").await;
    let (mut texts, mut replies) = (0, 0);
    for (lane, (phone, number)) in ledger.lanes.iter().enumerate() {
        let of_lane = |c: &&Value| c["peer"] == *phone && c["number"]["address"] == *number;
        let Some(conversation) = conversations.iter().find(of_lane) else {
            for body in ledger.texts(lane) {
                findings.wrong("acknowledged texts lost", body);
            }
            continue;
        };
        let id = conversation["id"].as_str().expect("an id");
        let messages = clinic.api("auditor").messages(id).await;
        texts += inbound(&mut findings, &ledger.texts(lane), &messages);
        processed(&mut findings, &messages, &mut received);
        replies += outbound(&mut findings, ledger, lane, &messages);
        sent(&mut findings, &messages, &attempts, phone, number);
    }
    let same: u64 = conversations.len().abs_diff(ledger.lanes.len()).try_into().expect("few");
    assert_eq!(same, 0, "one conversation for each lane: {}", conversations.len());
    for id in received.keys() {
        findings.wrong("texts processed twice", format!("an event of a text that isn't there: {id}"));
    }
    let count = |list: usize| u64::try_from(list).expect("a count");
    let listings: usize = ledger
        .lanes
        .iter()
        .map(|(phone, _)| phone)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|phone| clinic.twilio.listings_of(phone).len())
        .sum();
    findings.done = vec![
        ("kills", ledger.kills.load(Relaxed)),
        ("texts acknowledged", texts),
        ("replies acknowledged", replies),
        ("requests made again", ledger.retried.load(Relaxed)),
        ("acknowledged requests repeated", ledger.repeated.load(Relaxed)),
        ("attempts to send", count(attempts.len())),
        ("look-ups at the carrier", count(listings)),
    ];
    findings
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or_default()
}

/// Patients' texts: each once, in the order in which they were acknowledged.
fn inbound(findings: &mut Findings, acknowledged: &[String], messages: &[Value]) -> u64 {
    let stored: Vec<&str> =
        messages.iter().filter(|m| m["direction"] == "inbound").map(|m| text(m, "body")).collect();
    let mut seen = BTreeSet::new();
    for body in &stored {
        if !seen.insert(*body) {
            findings.wrong("texts stored twice", *body);
        }
    }
    for body in acknowledged {
        if !seen.contains(body.as_str()) {
            findings.wrong("acknowledged texts lost", body);
        }
    }
    if stored != acknowledged {
        findings.wrong("conversations out of order", format!("stored {stored:?}"));
    }
    u64::try_from(acknowledged.len()).expect("a count")
}

/// One event for each text; `received` keeps those of no text so far.
fn processed(findings: &mut Findings, messages: &[Value], received: &mut BTreeMap<String, usize>) {
    for message in messages.iter().filter(|m| m["direction"] == "inbound") {
        match received.remove(text(message, "id")) {
            Some(1) if message["state"] == "processed" => {}
            other => findings.wrong("texts processed twice", format!("{other:?} events of {message}")),
        }
    }
}

/// Staff's replies: each once. Policies' replies: the same words once in a conversation.
fn outbound(findings: &mut Findings, ledger: &Ledger, lane: usize, messages: &[Value]) -> u64 {
    let by = |author: &'static str| {
        messages.iter().filter(move |m| m["direction"] == "outbound" && m["author"] == author)
    };
    let mut words = BTreeSet::new();
    for message in by("policy") {
        if !words.insert(text(message, "body")) {
            findings.wrong("automatic replies doubled", message.to_string());
        }
    }
    if words.is_empty() && !ledger.texts(lane).is_empty() {
        findings.wrong("messages not sent", format!("no automatic reply in lane {lane}"));
    }
    let acknowledged = ledger.replies(lane);
    let stored: BTreeMap<&str, &str> = by("staff").map(|m| (text(m, "id"), text(m, "body"))).collect();
    for reply in &acknowledged {
        if stored.get(reply.message.as_str()) != Some(&reply.body.as_str()) {
            findings.wrong("acknowledged replies lost", &reply.body);
        }
    }
    for (id, body) in &stored {
        if !acknowledged.iter().any(|reply| reply.message == *id) {
            findings.wrong("replies stored twice", *body);
        }
    }
    u64::try_from(acknowledged.len()).expect("a count")
}

/// The carrier took each outbound text once, in the order of the conversation, and never saw it afterwards.
fn sent(findings: &mut Findings, messages: &[Value], attempts: &[Attempt], phone: &str, number: &str) {
    let of_lane: Vec<&Attempt> = attempts
        .iter()
        .filter(|attempt| attempt.param("To") == phone && attempt.param("From") == number)
        .collect();
    for message in messages.iter().filter(|m| m["direction"] == "outbound") {
        let of_message: Vec<_> =
            of_lane.iter().filter(|attempt| attempt.our_id() == text(message, "id")).collect();
        let taken = of_message.iter().filter(|attempt| attempt.sid.is_some()).count();
        if taken > 1 || of_message.len() > taken {
            findings.wrong("messages sent twice", format!("{} attempts: {message}", of_message.len()));
        }
        if taken == 0 || !["sent", "delivered"].contains(&text(message, "state")) {
            findings.wrong("messages not sent", format!("taken {taken} times: {message}"));
        }
        if of_message.iter().any(|attempt| attempt.param("Body") != text(message, "body")) {
            findings.wrong("messages not sent", format!("with another body: {message}"));
        }
    }
    let stored: Vec<&str> =
        messages.iter().filter(|m| m["direction"] == "outbound").map(|m| text(m, "id")).collect();
    let taken: Vec<&str> = of_lane.iter().map(|attempt| attempt.our_id()).collect();
    if stored != taken {
        findings.wrong("conversations out of order", format!("stored {stored:?}, sent {taken:?}"));
    }
}

/// The whole sequence from its beginning; how often each text is told of as received, by its id.
async fn events(findings: &mut Findings, clinic: &Clinic) -> BTreeMap<String, usize> {
    let token = &clinic.anteroom.demo().staff("agent").token;
    let mut stream = Sse::open(clinic.anteroom.client(), clinic.anteroom.base(), token, Some(0)).await;
    let all = stream.drain(Duration::from_secs(2)).await;
    let mut received = BTreeMap::new();
    for (expected, event) in (1..).zip(all.iter().filter(|event| event.kind != "ready")) {
        if event.id != Some(expected) {
            findings.wrong("gaps in the events", format!("{:?} instead of {expected}", event.id));
            break;
        }
        if event.kind == "message.received" {
            *received.entry(text(&event.data["data"], "message_id").to_owned()).or_default() += 1;
        }
    }
    received
}
