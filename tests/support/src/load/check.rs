//! Comparing what was acknowledged with what is stored, shown, and sent at the carrier.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Door, Lane, Load, Shown, StaffReply, Text};
use crate::{Attempt, Event, FakeTwilio, Sse};

/// Everything that must not be, in the order of the table.
const WRONG: [&str; 12] = [
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
    "events shown differently",
    "answers that must not be",
];

/// An acknowledged text on its way.
#[derive(Clone, Copy, Debug)]
struct Turn {
    lane: usize,
    acknowledged: Instant,
    shown: Instant,
}

/// What was done, and what went wrong: each with an example.
#[derive(Debug, Default)]
pub struct Findings {
    done: Vec<(&'static str, usize)>,
    wrong: BTreeMap<&'static str, Vec<String>>,
    turns: Vec<Turn>,
    /// From the acknowledgement of a reply until the carrier took it.
    waits: Vec<Duration>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.done {
            writeln!(f, "  {what:<34}{count:>7}")?;
        }
        writeln!(f, "  {}", "-".repeat(41))?;
        for what in WRONG {
            writeln!(f, "  {what:<34}{:>7}", self.count_wrong(what))?;
        }
        Ok(())
    }
}

impl Findings {
    fn wrong(&mut self, what: &'static str, example: impl Into<String>) {
        assert!(WRONG.contains(&what));
        self.wrong.entry(what).or_default().push(example.into());
    }

    fn count_wrong(&self, what: &str) -> usize {
        self.wrong.get(what).map_or(0, Vec::len)
    }

    /// How often this was done.
    #[track_caller]
    pub fn done(&self, what: &str) -> usize {
        let found = self.done.iter().find(|(name, _)| *name == what);
        found.unwrap_or_else(|| panic!("{what} is not among {:?}", self.done)).1
    }

    /// Two lines: the load, and the promises.
    pub fn summary(&self) -> String {
        let load = ["texts acknowledged", "replies acknowledged", "requests made again", "attempts to send"];
        let load = load.map(|what| format!("{what} {}", self.done(what))).join(", ");
        let sum = |what: &[&str]| what.iter().map(|what| self.count_wrong(what)).sum::<usize>();
        let promises = [
            ("acknowledged and lost", sum(&["acknowledged texts lost", "acknowledged replies lost"])),
            ("stored twice", sum(&["texts stored twice", "replies stored twice"])),
            ("processed twice", sum(&["texts processed twice", "automatic replies doubled"])),
            ("sent twice", sum(&["messages sent twice"])),
            ("not sent", sum(&["messages not sent"])),
            ("out of order", sum(&["conversations out of order"])),
            ("events missing", sum(&["gaps in the events", "events shown differently"])),
            ("wrong answers", sum(&["answers that must not be"])),
        ];
        let promises = promises.map(|(what, count)| format!("{what} {count}")).join(", ");
        format!("  {load}\n  {promises}")
    }

    /// Fails with the examples if anything went wrong, or hardly anything was done.
    #[track_caller]
    pub fn assert_good(&self, least_texts: usize, least_replies: usize) {
        let few = |examples: &Vec<String>| examples.iter().take(5).cloned().collect::<Vec<_>>();
        let examples: BTreeMap<_, _> = self.wrong.iter().map(|(what, all)| (what, few(all))).collect();
        assert!(examples.is_empty(), "{self}{examples:#?}");
        let least = [("texts acknowledged", least_texts), ("replies acknowledged", least_replies)];
        for (what, least) in least {
            assert!(self.done(what) >= least, "hardly any load: {:?}", self.done);
        }
    }

    /// How long after `instant` the last of the texts was processed that had been acknowledged by then; none
    /// waited: no time.
    pub fn drained_after(&self, instant: Instant) -> Duration {
        let waiting = self.turns.iter().filter(|turn| turn.acknowledged <= instant && turn.shown > instant);
        waiting.map(|turn| turn.shown - instant).max().unwrap_or_default()
    }

    /// In how many conversations a text waited at `instant` that had been acknowledged so long before.
    pub fn stuck_at(&self, instant: Instant, age: Duration) -> usize {
        let waits = |turn: &&Turn| turn.shown > instant && turn.acknowledged + age < instant;
        self.turns.iter().filter(waits).map(|turn| turn.lane).collect::<BTreeSet<_>>().len()
    }

    /// From acknowledgement until processed and shown, of the slowest text.
    pub fn slowest_turn(&self) -> Duration {
        let times = self.turns.iter().map(|turn| turn.shown.saturating_duration_since(turn.acknowledged));
        times.max().unwrap_or_default()
    }

    /// From the acknowledgement of a reply until the carrier took it, of the oldest.
    pub fn oldest_send(&self) -> Duration {
        self.waits.iter().max().copied().unwrap_or_default()
    }
}

/// The smallest of `times` that is no less than this share of them.
pub fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    #[expect(clippy::cast_precision_loss, reason = "the list is short")]
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

impl Load {
    /// Compares; the load must have been stopped and everything must be at rest. `lead` and `auditor` are
    /// tokens, `agent` follows the events of every one of `doors` once more from the beginning.
    pub async fn check(
        &mut self,
        doors: &[Door],
        [lead, auditor, agent]: [&str; 3],
        twilio: &FakeTwilio,
    ) -> Findings {
        let mut findings = Findings::default();
        let shown = self.shown().await;
        for door in doors {
            all_events(&mut findings, door, agent, &shown).await;
        }
        let mut received = received(&shown);
        let attempts = twilio.attempts();
        let conversations = doors[0].api(lead).items("/api/v1/conversations?queue=all&limit=200").await;
        let ledger = self.ledger.clone();
        let (mut texts, mut replies) = (0, 0);
        for (lane, place) in ledger.lanes().iter().enumerate() {
            let (lane_texts, lane_replies) = (ledger.texts(lane), ledger.replies(lane));
            let here: Vec<_> = conversations.iter().filter(|c| is_of(c, place)).collect();
            let [conversation] = here[..] else {
                assert!(here.is_empty(), "one conversation for each lane: {here:#?}");
                for text in lane_texts {
                    findings.wrong("acknowledged texts lost", text.body);
                }
                continue;
            };
            let id = conversation["id"].as_str().expect("an id");
            let messages = doors[0].api(auditor).messages(id).await;
            texts += lane_texts.len();
            replies += lane_replies.len();
            inbound(&mut findings, &lane_texts, &messages);
            processed(&mut findings, lane, &lane_texts, &messages, &mut received);
            outbound(&mut findings, &lane_texts, &lane_replies, &messages);
            let taken = sent(&mut findings, &messages, &attempts, place);
            findings.waits.extend(lane_replies.iter().filter_map(|reply| {
                Some(taken.get(reply.message.as_str())?.saturating_duration_since(reply.at))
            }));
        }
        for id in received.keys() {
            findings.wrong("texts processed twice", format!("an event of a text that isn't there: {id}"));
        }
        for answer in ledger.wrong() {
            findings.wrong("answers that must not be", answer);
        }
        let answers = ledger.all_answers();
        let phones: BTreeSet<_> = ledger.lanes().iter().map(|lane| &lane.phone).collect();
        findings.done = vec![
            ("texts acknowledged", texts),
            ("replies acknowledged", replies),
            ("requests made again", answers.refused + answers.unanswered),
            ("acknowledged requests repeated", ledger.repeated()),
            ("attempts to send", attempts.len()),
            ("look-ups at the carrier", phones.iter().map(|phone| twilio.listings_of(phone).len()).sum()),
            ("events", shown.len()),
        ];
        findings
    }
}

fn is_of(conversation: &Value, place: &Lane) -> bool {
    conversation["peer"] == place.phone && conversation["number"]["address"] == place.number
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or_default()
}

fn going<'a>(messages: &'a [Value], direction: &'static str) -> impl Iterator<Item = &'a Value> {
    messages.iter().filter(move |message| message["direction"] == direction)
}

/// Patients' texts: each once, in the order in which they were acknowledged.
fn inbound(findings: &mut Findings, acknowledged: &[Text], messages: &[Value]) {
    let stored: Vec<&str> = going(messages, "inbound").map(|message| text(message, "body")).collect();
    let mut seen = BTreeSet::new();
    for body in &stored {
        if !seen.insert(*body) {
            findings.wrong("texts stored twice", *body);
        }
    }
    for text in acknowledged {
        if !seen.contains(text.body.as_str()) {
            findings.wrong("acknowledged texts lost", &text.body);
        }
    }
    if !stored.iter().eq(acknowledged.iter().map(|text| &text.body)) {
        findings.wrong("conversations out of order", format!("stored {stored:?}"));
    }
}

/// One event for each text, in the conversation's order; `received` keeps those of no text so far.
fn processed(
    findings: &mut Findings,
    lane: usize,
    acknowledged: &[Text],
    messages: &[Value],
    received: &mut BTreeMap<String, Vec<Instant>>,
) {
    let mut before = None;
    for (place, message) in going(messages, "inbound").enumerate() {
        let events = received.remove(text(message, "id")).unwrap_or_default();
        let [shown] = events[..] else {
            findings.wrong("texts processed twice", format!("{} events of {message}", events.len()));
            continue;
        };
        if message["state"] != "processed" {
            findings.wrong("acknowledged texts lost", format!("not processed: {message}"));
        }
        if before.is_some_and(|before| before > shown) {
            findings.wrong("conversations out of order", format!("processed too early: {message}"));
        }
        before = Some(shown);
        if let Some(text) = acknowledged.get(place) {
            findings.turns.push(Turn { lane, acknowledged: text.at, shown });
        }
    }
}

/// Staff's replies: each once. Policies' replies: the same words once in a conversation.
fn outbound(findings: &mut Findings, texts: &[Text], acknowledged: &[StaffReply], messages: &[Value]) {
    let by = |author: &'static str| going(messages, "outbound").filter(move |m| m["author"] == author);
    let mut words = BTreeSet::new();
    for message in by("policy") {
        if !words.insert(text(message, "body")) {
            findings.wrong("automatic replies doubled", message.to_string());
        }
    }
    if words.is_empty() && !texts.is_empty() {
        findings.wrong("messages not sent", format!("no automatic reply to {:?}", texts[0]));
    }
    let stored: BTreeMap<&str, &str> = by("staff").map(|m| (text(m, "id"), text(m, "body"))).collect();
    for reply in acknowledged {
        if stored.get(reply.message.as_str()) != Some(&reply.body.as_str()) {
            findings.wrong("acknowledged replies lost", &reply.body);
        }
    }
    for (id, body) in &stored {
        if !acknowledged.iter().any(|reply| reply.message == *id) {
            findings.wrong("replies stored twice", *body);
        }
    }
}

/// The carrier took each outbound text once, in the order of the conversation, and never saw it afterwards;
/// when it took which.
fn sent<'a>(
    findings: &mut Findings,
    messages: &[Value],
    attempts: &'a [Attempt],
    place: &Lane,
) -> BTreeMap<&'a str, Instant> {
    let of_lane =
        |attempt: &&Attempt| attempt.param("To") == place.phone && attempt.param("From") == place.number;
    let of_lane: Vec<&Attempt> = attempts.iter().filter(of_lane).collect();
    for message in going(messages, "outbound") {
        let id = text(message, "id");
        let of_message: Vec<_> = of_lane.iter().filter(|attempt| attempt.our_id() == id).collect();
        let taken = of_message.iter().position(|attempt| attempt.sid.is_some());
        if taken.is_some_and(|taken| taken + 1 < of_message.len()) {
            findings.wrong("messages sent twice", format!("{} attempts: {message}", of_message.len()));
        }
        if taken.is_none() || !["sent", "delivered"].contains(&text(message, "state")) {
            findings.wrong("messages not sent", format!("taken by attempt {taken:?}: {message}"));
        }
        if of_message.iter().any(|attempt| attempt.param("Body") != text(message, "body")) {
            findings.wrong("messages not sent", format!("with another body: {message}"));
        }
    }
    let stored: Vec<&str> = going(messages, "outbound").map(|message| text(message, "id")).collect();
    let taken = of_lane.iter().filter(|attempt| attempt.sid.is_some());
    let taken: Vec<(&str, Instant)> = taken.map(|attempt| (attempt.our_id(), attempt.at)).collect();
    if !stored.iter().eq(taken.iter().map(|(id, _)| id)) {
        findings.wrong("conversations out of order", format!("stored {stored:?}, sent {taken:?}"));
    }
    taken.into_iter().collect()
}

/// When each text was told of as received, by its id.
fn received(shown: &[Shown]) -> BTreeMap<String, Vec<Instant>> {
    let mut received: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for event in shown.iter().filter(|event| event.kind == "message.received") {
        received.entry(text(&event.data["data"], "message_id").to_owned()).or_default().push(event.at);
    }
    received
}

/// The whole sequence of one server from its beginning, which must be what was followed live.
async fn all_events(findings: &mut Findings, door: &Door, agent: &str, shown: &[Shown]) {
    let mut stream = Sse::open(&door.client, &door.base, agent, Some(0)).await;
    let all = stream.drain(Duration::from_secs(2)).await;
    let all: Vec<&Event> = all.iter().filter(|event| event.kind != "ready").collect();
    for (expected, event) in (1..).zip(&all) {
        if event.id != Some(expected) {
            findings.wrong("gaps in the events", format!("{:?} instead of {expected}", event.id));
            break;
        }
    }
    let same = |(event, shown): (&&Event, &Shown)| event.kind == shown.kind && event.data == shown.data;
    if all.len() != shown.len() || !all.iter().zip(shown).all(same) {
        let lengths = format!("{} of {}, {} followed live", all.len(), door.base, shown.len());
        findings.wrong("events shown differently", lengths);
    }
}
