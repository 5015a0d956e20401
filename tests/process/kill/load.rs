//! Patients, staff and a carrier that go on whatever happens to the server.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use anteroom_test_support::fresh_sid;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Clinic, Dice, Server};

/// A reply that the server has acknowledged.
#[derive(Clone, Debug)]
pub(super) struct AcknowledgedReply {
    pub(super) message: String,
    pub(super) body: String,
}

/// What the server has acknowledged, and counts.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) lanes: Vec<(String, &'static str)>,
    /// By lane, in order: a text is only sent when the one before is acknowledged.
    texts: Mutex<BTreeMap<usize, Vec<String>>>,
    replies: Mutex<BTreeMap<usize, Vec<AcknowledgedReply>>>,
    stopped: AtomicBool,
    pub(super) kills: AtomicU64,
    /// Deliveries and requests that got no 2xx and were made again.
    pub(super) retried: AtomicU64,
    /// Acknowledged deliveries and requests that were made once more.
    pub(super) repeated: AtomicU64,
}

impl Ledger {
    pub(super) fn new(lanes: Vec<(String, &'static str)>) -> Self {
        Self {
            lanes,
            texts: Mutex::default(),
            replies: Mutex::default(),
            stopped: AtomicBool::new(false),
            kills: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(super) fn killed(&self) {
        self.kills.fetch_add(1, Relaxed);
    }

    pub(super) fn texts(&self, lane: usize) -> Vec<String> {
        locked(&self.texts).get(&lane).cloned().unwrap_or_default()
    }

    pub(super) fn replies(&self, lane: usize) -> Vec<AcknowledgedReply> {
        locked(&self.replies).get(&lane).cloned().unwrap_or_default()
    }

    async fn again(&self, dice: &mut Dice) {
        self.retried.fetch_add(1, Relaxed);
        dice.pause(40).await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lanes that the worker `which` of `of` has to itself.
fn share(ledger: &Ledger, which: usize, of: usize) -> Vec<usize> {
    (0..ledger.lanes.len()).filter(|lane| lane % of == which).collect()
}

/// Texts as a carrier delivers them: the same `MessageSid` until it is acknowledged, and now and then once
/// more although it was.
pub(super) async fn patients(
    ledger: Arc<Ledger>,
    server: watch::Receiver<Server>,
    which: u64,
    of: u64,
    mut dice: Dice,
) {
    let (which, of) = (usize::try_from(which).expect("small"), usize::try_from(of).expect("small"));
    let lanes = share(&ledger, which, of);
    let mut delivered: Vec<(String, usize, String)> = Vec::new();
    let deliver = async |sid: &str, lane: usize, body: &str| {
        let (phone, number) = &ledger.lanes[lane];
        let now = server.borrow().clone();
        let reply = now.account.text_as(sid, phone, number, body).send(&now.client).await;
        reply.is_ok_and(|reply| match reply.status.as_u16() {
            200 => true,
            503 => false,
            other => panic!("a text was answered with {other}: {}", reply.text),
        })
    };
    for number in 0.. {
        if ledger.stopped.load(Relaxed) {
            return;
        }
        let lane = lanes[usize::try_from(dice.below(lanes.len() as u64)).expect("small")];
        let (sid, body) = (fresh_sid(), format!("Text {number} of sender {which} in lane {lane}"));
        while !deliver(&sid, lane, &body).await {
            ledger.again(&mut dice).await;
        }
        locked(&ledger.texts).entry(lane).or_default().push(body.clone());
        delivered.push((sid, lane, body));
        if dice.below(5) == 0 {
            let at = usize::try_from(dice.below(delivered.len() as u64)).expect("small");
            let (sid, lane, body) = &delivered[at];
            deliver(sid, *lane, body).await;
            ledger.repeated.fetch_add(1, Relaxed);
        }
        dice.pause(50).await;
    }
}

/// Replies as a careful program makes them: the same `Idempotency-Key` until it is acknowledged, and now and
/// then once more although it was.
pub(super) async fn staff(
    ledger: Arc<Ledger>,
    server: watch::Receiver<Server>,
    token: String,
    which: usize,
    of: usize,
    mut dice: Dice,
) {
    let lanes = share(&ledger, which, of);
    let mut conversations = BTreeMap::new();
    for number in 0.. {
        if ledger.stopped.load(Relaxed) {
            return;
        }
        let lane = lanes[usize::try_from(dice.below(lanes.len() as u64)).expect("small")];
        if !conversations.contains_key(&lane) {
            conversations.extend(known(&ledger, &server, &token).await);
        }
        let Some(conversation) = conversations.get(&lane) else {
            dice.pause(50).await;
            continue;
        };
        let (key, body) = (format!("{which}-{number}"), format!("Reply {number} of {which} in lane {lane}"));
        let message = loop {
            if let Some(message) = reply(&server, &token, conversation, &key, &body).await {
                break message;
            }
            ledger.again(&mut dice).await;
        };
        if dice.below(3) == 0 {
            let again = reply(&server, &token, conversation, &key, &body).await;
            assert!(again.is_none_or(|again| again == message), "one key, two messages");
            ledger.repeated.fetch_add(1, Relaxed);
        }
        locked(&ledger.replies).entry(lane).or_default().push(AcknowledgedReply { message, body });
        dice.pause(80).await;
    }
}

/// Conversations by lane, as far as there are any.
async fn known(ledger: &Ledger, server: &watch::Receiver<Server>, token: &str) -> BTreeMap<usize, String> {
    let path = "/api/v1/conversations?queue=all&limit=200";
    let api = server.borrow().api(token);
    let Ok(answer) = api.request(http::Method::GET, path).send().await else { return BTreeMap::new() };
    let Ok(text) = answer.text().await else { return BTreeMap::new() };
    let Ok(page) = serde_json::from_str::<Value>(&text) else { return BTreeMap::new() };
    let lane_of = |c: &Value| {
        let lane = ledger.lanes.iter();
        let mut lane = lane.map(|(phone, number)| c["peer"] == *phone && c["number"]["address"] == *number);
        Some((lane.position(|fits| fits)?, c["id"].as_str()?.to_owned()))
    };
    page["items"].as_array().into_iter().flatten().filter_map(lane_of).collect()
}

/// The message's id once it is acknowledged.
async fn reply(
    server: &watch::Receiver<Server>,
    token: &str,
    conversation: &str,
    key: &str,
    body: &str,
) -> Option<String> {
    let api = server.borrow().api(token);
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let reply = api.try_post(&path, &[("idempotency-key", key)], &json!({ "body": body })).await.ok()?;
    match reply.status.as_u16() {
        201 => reply.json()["id"].as_str().map(str::to_owned),
        503 => None,
        other => panic!("a reply was answered with {other}: {}", reply.text),
    }
}

/// Status callbacks for half of what the carrier has taken since `seen`, in good and in bad moments.
pub(super) async fn receipts(
    clinic: &Clinic,
    server: &watch::Receiver<Server>,
    seen: &mut usize,
    dice: &mut Dice,
) {
    let attempts = clinic.twilio.attempts();
    let now = server.borrow().clone();
    for attempt in &attempts[*seen..] {
        if let Some(sid) = attempt.sid.as_deref().filter(|_| dice.below(2) == 0) {
            let receipt = now.account.receipt(attempt.param("StatusCallback"), sid, "delivered", None);
            // Lost if the server is gone; Twilio doesn't try again either.
            drop(receipt.send(&now.client).await);
        }
    }
    *seen = attempts.len();
}
