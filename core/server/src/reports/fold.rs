//! From events to spans and counts. Pure: what must be looked up is handed in before.

use std::collections::{BTreeMap, HashMap};

use anteroom_model::{
    hours::Schedule,
    ids::{ConversationId, FacilityId, MessageId, NumberId, StaffId, TeamId},
    states::Author,
    time::Timestamp,
};
use anteroom_store::{CountKey, Drawn, Event, Place, Span};
use serde_json::Value;

use crate::directory::Entry;

/// Counts are kept by this much time: every zone's days and hours begin with one.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// What is counted; the names stand in the database.
pub(crate) mod kinds {
    /// A patient's text.
    pub(crate) const IN: &str = "in";
    /// A text by staff.
    pub(crate) const STAFF: &str = "staff";
    /// A text by a policy.
    pub(crate) const POLICY: &str = "policy";
    /// A text by Anteroom itself: answers to STOP, START and HELP.
    pub(crate) const HOST: &str = "host";
    /// A conversation was opened for the first time.
    pub(crate) const OPENED: &str = "opened";
    /// A closed conversation was opened again.
    pub(crate) const REOPENED: &str = "reopened";
    /// A conversation was closed.
    pub(crate) const CLOSED: &str = "closed";
    /// Events that are counted as they are, by their own kind.
    pub(crate) const TOLD: [&str; 16] = [
        "replies.loop",
        "replies.quiet",
        "policy.fault",
        "policy.skipped",
        "opt_out.recorded",
        "opt_out.cleared",
        "opt_out.suggested",
        "opt_out.dismissed",
        "identity.linked",
        "identity.matched",
        "identity.unmatched",
        "identity.gave_up",
        "identity.timed_out",
        "identity.locked",
        "identity.verified",
        "identity.created",
    ];
    /// A text that did not get there, or of which nobody can tell.
    pub(crate) const FAILED: &str = "failed";
}

/// What a conversation is, as far as the events have told.
#[derive(Clone, Copy, Debug)]
struct Known {
    span: Option<Span>,
    place: Place,
    changed: bool,
}

/// Spans and counts of a stretch of events.
pub(super) struct Fold<'a> {
    entry: &'a Entry,
    known: HashMap<ConversationId, Known>,
    arrival: Option<Timestamp>,
    ended: Vec<Span>,
    counts: BTreeMap<CountKey, i64>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(entry: &'a Entry) -> Self {
        let (known, ended, counts) = Default::default();
        Self { entry, known, arrival: None, ended, counts }
    }

    pub(super) fn knows(&self, conversation: ConversationId) -> bool {
        self.known.contains_key(&conversation)
    }

    /// Its latest span, and where it is.
    pub(super) fn learn(&mut self, conversation: ConversationId, span: Option<Span>, place: Place) {
        self.known.insert(conversation, Known { span, place, changed: false });
    }

    /// Where a conversation on that number begins.
    pub(super) fn start_on(&self, number_id: NumberId) -> Place {
        let facility = self.entry.numbers.get(&number_id).and_then(|number| number.facility_id);
        Place { number_id, facility_id: facility.unwrap_or(FacilityId::LEAST), team_id: TeamId::LEAST }
    }

    /// The text whose arrival the fold must know to take this event: the first of a span.
    pub(super) fn wants_arrival(&self, event: &Event) -> Option<MessageId> {
        if event.kind != "message.received" {
            return None;
        }
        let span = self.running_span(event.conversation_id?)?;
        if span.waiting_from.is_some() {
            return None;
        }
        event.data["message_id"].as_str()?.parse().ok()
    }

    /// When that text arrived.
    pub(super) fn arrived(&mut self, at: Timestamp) {
        self.arrival = Some(at);
    }

    /// Conversations that are open after these events and were met in them.
    pub(super) fn running(&self) -> Vec<ConversationId> {
        let all = self.known.keys().copied();
        all.filter(|conversation| self.running_span(*conversation).is_some()).collect()
    }

    pub(super) fn move_to(&mut self, conversation: ConversationId, place: Place) {
        let Some(known) = self.known.get_mut(&conversation) else { return };
        known.place = place;
        if let Some(span) = known.span.as_mut().filter(|span| span.place != place) {
            span.place = place;
            known.changed = true;
        }
    }

    pub(super) fn drawn(self) -> Drawn {
        let changed = self.known.into_values().filter(|known| known.changed);
        let mut spans = self.ended;
        spans.extend(changed.filter_map(|known| known.span));
        Drawn { spans, counts: self.counts.into_iter().collect() }
    }

    /// `routed` is the step by which the text that led to this event was routed: it counts where it went.
    pub(super) fn take(&mut self, event: &Event, routed: Option<&Event>) {
        match event.kind.as_str() {
            "conversation.opened" | "conversation.reopened" => self.open(event, routed),
            "conversation.routed" => self.route(event),
            "conversation.assigned" => self.place(event, |_, place, data| {
                if let Some(team) = data.get("team_id") {
                    place.team_id = team.as_str().and_then(|id| id.parse().ok()).unwrap_or(TeamId::LEAST);
                }
            }),
            "conversation.closed" => self.close(event),
            "message.received" => self.receive(event, routed),
            "message.queued" => self.answer(event),
            "message.state" => {
                if matches!(event.data["state"].as_str(), Some("failed" | "unknown")) {
                    self.count(event, kinds::FAILED);
                }
            }
            kind => {
                if let Some(kind) = kinds::TOLD.into_iter().find(|told| *told == kind) {
                    self.count(event, kind);
                }
            }
        }
    }

    fn running_span(&self, conversation: ConversationId) -> Option<&Span> {
        self.known.get(&conversation)?.span.as_ref().filter(|span| span.closed_at.is_none())
    }

    /// Waking from a snooze opens nothing: the conversation was not closed. One that a keyword began is closed, and
    /// opened for the first time when the patient writes more.
    fn open(&mut self, event: &Event, routed: Option<&Event>) {
        let Some(conversation_id) = event.conversation_id else { return };
        if self.running_span(conversation_id).is_some() {
            return;
        }
        let Some(known) = self.known.get_mut(&conversation_id) else { return };
        if known.changed {
            self.ended.extend(known.span);
        }
        if event.actor == Author::Patient {
            // A new matter: where the last one belonged says nothing about it.
            known.place.team_id = TeamId::LEAST;
        }
        let kind = if known.span.is_none() { kinds::OPENED } else { kinds::REOPENED };
        known.changed = true;
        known.span = Some(Span {
            opened_at: event.created_at,
            opened_seq: event.seq,
            conversation_id,
            place: known.place,
            waiting_from: None,
            first_reply_at: None,
            first_reply_by: None,
            reply_micros: None,
            reply_open_micros: None,
            closed_at: None,
            closed_by: None,
            close_micros: None,
            close_open_micros: None,
        });
        if let Some(routed) = routed {
            self.route(routed);
        }
        self.count(event, kind);
    }

    fn route(&mut self, event: &Event) {
        self.place(event, |entry, place, data| {
            let team = data["team"].as_str();
            let team = team.and_then(|name| entry.teams.iter().find(|team| team.name == name));
            place.team_id = team.map_or(place.team_id, |team| team.id);
            let facility = data["facility"].as_str();
            let facility =
                facility.and_then(|name| entry.facilities.iter().find(|(facility, _)| facility.name == name));
            place.facility_id = facility.map_or(place.facility_id, |(facility, _)| facility.id);
        });
    }

    fn place(&mut self, event: &Event, change: impl Fn(&Entry, &mut Place, &Value)) {
        let Some(known) = event.conversation_id.and_then(|id| self.known.get_mut(&id)) else { return };
        change(self.entry, &mut known.place, &event.data);
        let place = known.place;
        if let Some(span) = known.span.as_mut().filter(|span| span.closed_at.is_none()) {
            span.place = place;
            known.changed = true;
        }
    }

    fn close(&mut self, event: &Event) {
        self.change(event, |span, open_micros| {
            span.closed_at = Some(event.created_at);
            span.closed_by = event.actor_id;
            span.close_micros = Some(event.created_at.micros() - span.opened_at.micros());
            span.close_open_micros = Some(open_micros(span.opened_at));
        });
        self.count(event, kinds::CLOSED);
    }

    fn receive(&mut self, event: &Event, routed: Option<&Event>) {
        if let Some(routed) = routed {
            self.route(routed);
        }
        let arrival = self.arrival.take();
        self.change(event, |span, _| {
            span.waiting_from.get_or_insert(arrival.unwrap_or(event.created_at));
        });
        self.count(event, kinds::IN);
    }

    fn answer(&mut self, event: &Event) {
        let kind = match event.actor {
            Author::Staff => kinds::STAFF,
            Author::Policy => kinds::POLICY,
            _ => kinds::HOST,
        };
        if kind == kinds::STAFF {
            self.change(event, |span, open_micros| {
                let Some(from) = span.waiting_from.filter(|_| span.first_reply_at.is_none()) else { return };
                span.first_reply_at = Some(event.created_at);
                span.first_reply_by = event.actor_id;
                span.reply_micros = Some((event.created_at.micros() - from.micros()).max(0));
                span.reply_open_micros = Some(open_micros(from));
            });
        }
        self.count(event, kind);
    }

    /// Changes the running span; `open_micros` says how much of the time since a moment lay in opening hours.
    fn change(&mut self, event: &Event, change: impl FnOnce(&mut Span, &dyn Fn(Timestamp) -> i64)) {
        let Some(known) = event.conversation_id.and_then(|id| self.known.get_mut(&id)) else { return };
        let Some(span) = known.span.as_mut().filter(|span| span.closed_at.is_none()) else { return };
        let schedule = schedule_of(self.entry, span.place);
        let until = event.created_at;
        let open_micros = |from: Timestamp| match schedule {
            Some(schedule) => schedule.open_micros(from, until),
            None => (until.micros() - from.micros()).max(0),
        };
        let before = *span;
        change(span, &open_micros);
        known.changed |= before != *span;
    }

    fn count(&mut self, event: &Event, kind: &'static str) {
        let known = event.conversation_id.and_then(|id| self.known.get(&id));
        let key = CountKey {
            quarter: Timestamp::from_micros(event.created_at.micros().div_euclid(QUARTER) * QUARTER),
            kind,
            place: known.map_or(Place::NONE, |known| known.place),
            staff_id: event.actor_id.unwrap_or(StaffId::LEAST),
        };
        *self.counts.entry(key).or_default() += 1;
    }
}

/// The hours that count for a conversation: its facility's, else those of the only one there is; else it is always
/// open (as policies are told, `gather::hours_of`).
fn schedule_of(entry: &Entry, place: Place) -> Option<&Schedule> {
    let own = entry.facility(place.facility_id);
    let only = || match entry.facilities.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    own.or_else(only).map(|(_, schedule)| schedule)
}
