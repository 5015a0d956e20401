//! What the servers have acknowledged, and how they answered.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::Lane;

/// How long a request that was begun is tried again after the load was told to stop.
const LAST_TRIES: Duration = Duration::from_mins(2);

/// A patient's text that was answered with 200.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its words, which no other text has.
    pub body: String,
    /// When the answer came.
    pub at: Instant,
}

/// A reply of staff that was answered with 201.
#[derive(Clone, Debug)]
pub struct StaffReply {
    /// The id that the answer gave.
    pub message: String,
    /// Its words, which no other reply has.
    pub body: String,
    /// When the answer came.
    pub at: Instant,
}

/// How requests ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Acknowledged.
    pub taken: usize,
    /// Refused with 503 and `Retry-After`.
    pub refused: usize,
    /// Without an answer: the connection failed or the caller's patience ended.
    pub unanswered: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Taken,
    Refused,
    Unanswered,
}

#[derive(Debug, Default)]
struct Book {
    /// By lane, in order: a text is only sent when the one before is acknowledged.
    texts: BTreeMap<usize, Vec<Text>>,
    replies: BTreeMap<usize, Vec<StaffReply>>,
    ends: Vec<(Instant, End)>,
    /// Acknowledged requests that were made once more.
    repeated: usize,
    /// Answers that must not be.
    wrong: Vec<String>,
    stopped: Option<Instant>,
}

/// Of one load.
#[derive(Debug)]
pub struct Ledger {
    lanes: Vec<Lane>,
    book: Mutex<Book>,
    stopped: AtomicBool,
}

impl Ledger {
    pub(super) fn new(lanes: Vec<Lane>) -> Self {
        Self { lanes, book: Mutex::default(), stopped: AtomicBool::new(false) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The conversations.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The acknowledged texts of a lane, in order.
    pub fn texts(&self, lane: usize) -> Vec<Text> {
        self.book().texts.get(&lane).cloned().unwrap_or_default()
    }

    /// The acknowledged replies in a lane, in order.
    pub fn replies(&self, lane: usize) -> Vec<StaffReply> {
        self.book().replies.get(&lane).cloned().unwrap_or_default()
    }

    /// How many replies were acknowledged.
    pub fn replied(&self) -> usize {
        self.book().replies.values().map(Vec::len).sum()
    }

    /// How the requests ended whose end came in between.
    pub fn answers(&self, from: Instant, to: Instant) -> Answers {
        self.count(|at| (from..to).contains(&at))
    }

    /// How all requests ended.
    pub fn all_answers(&self) -> Answers {
        self.count(|_| true)
    }

    fn count(&self, when: impl Fn(Instant) -> bool) -> Answers {
        let mut answers = Answers::default();
        for (_, end) in self.book().ends.iter().filter(|(at, _)| when(*at)) {
            match end {
                End::Taken => answers.taken += 1,
                End::Refused => answers.refused += 1,
                End::Unanswered => answers.unanswered += 1,
            }
        }
        answers
    }

    /// When the first request after `from` was acknowledged.
    pub fn first_taken(&self, from: Instant) -> Option<Instant> {
        let book = self.book();
        book.ends.iter().find(|(at, end)| *at > from && matches!(end, End::Taken)).map(|(at, _)| *at)
    }

    /// How many acknowledged requests were made once more.
    pub fn repeated(&self) -> usize {
        self.book().repeated
    }

    /// Answers that must not be.
    pub fn wrong(&self) -> Vec<String> {
        self.book().wrong.clone()
    }

    pub(super) fn stop(&self) {
        self.book().stopped.get_or_insert_with(Instant::now);
        self.stopped.store(true, Relaxed);
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Whether something that was begun may be tried again.
    pub(super) fn may_retry(&self, what: &str) -> bool {
        let mut book = self.book();
        let may = book.stopped.is_none_or(|at| at.elapsed() < LAST_TRIES);
        if !may {
            book.wrong.push(format!("never acknowledged: {what}"));
        }
        may
    }

    pub(super) fn ended(&self, end: End) {
        self.book().ends.push((Instant::now(), end));
    }

    pub(super) fn took_text(&self, lane: usize, body: String) {
        self.book().texts.entry(lane).or_default().push(Text { body, at: Instant::now() });
    }

    pub(super) fn took_reply(&self, lane: usize, message: String, body: String) {
        let reply = StaffReply { message, body, at: Instant::now() };
        self.book().replies.entry(lane).or_default().push(reply);
    }

    pub(super) fn made_again(&self) {
        self.book().repeated += 1;
    }

    pub(super) fn saw_wrong(&self, what: String) {
        self.book().wrong.push(what);
    }
}
