//! Patients, staff and a carrier that go on whatever happens to the servers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::header;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Dice, Door, Ledger, ledger::End};
use crate::{FakeTwilio, Reply, fresh_sid};

type Doors = watch::Receiver<Vec<Door>>;

fn any(doors: &Doors, dice: &mut Dice) -> Door {
    dice.one(&doors.borrow()).clone()
}

/// The answer where it is `wanted`; books how the request ended.
fn book(ledger: &Ledger, what: &str, wanted: u16, reply: reqwest::Result<Reply>) -> Option<Reply> {
    let Ok(reply) = reply else {
        ledger.ended(End::Unanswered);
        return None;
    };
    match reply.status.as_u16() {
        status if status == wanted => {
            ledger.ended(End::Taken);
            return Some(reply);
        }
        503 if !reply.header(header::RETRY_AFTER.as_str()).is_empty() => ledger.ended(End::Refused),
        other => {
            ledger.ended(End::Refused);
            ledger.saw_wrong(format!("{what} was answered with {other}: {}", reply.text));
        }
    }
    None
}

/// Texts as a carrier delivers them: the same `MessageSid` until it is acknowledged, and now and then once
/// more although it was.
pub(super) async fn patients(
    ledger: Arc<Ledger>,
    doors: Doors,
    lanes: Vec<usize>,
    which: usize,
    mut dice: Dice,
) {
    let mut delivered: Vec<(String, usize, String)> = Vec::new();
    let deliver = async |dice: &mut Dice, sid: &str, lane: usize, body: &str| {
        let door = any(&doors, dice);
        let place = &ledger.lanes()[lane];
        let reply = door.account().text_as(sid, &place.phone, &place.number, body).send(door.client()).await;
        book(&ledger, "a text", 200, reply).is_some()
    };
    for number in 0.. {
        if ledger.stopped() {
            return;
        }
        let lane = *dice.one(&lanes);
        let (sid, body) = (fresh_sid(), format!("Text {number} of sender {which} in lane {lane}"));
        while !deliver(&mut dice, &sid, lane, &body).await {
            if !ledger.may_retry(&body) {
                return;
            }
            dice.pause(40).await;
        }
        ledger.took_text(lane, body.clone());
        delivered.push((sid, lane, body));
        if dice.below(5) == 0 {
            let (sid, lane, body) = dice.one(&delivered).clone();
            deliver(&mut dice, &sid, lane, &body).await;
            ledger.made_again();
        }
        dice.pause(50).await;
    }
}

/// Replies as a careful program makes them: the same `Idempotency-Key` until it is acknowledged, and now and
/// then once more although it was.
pub(super) async fn staff(
    ledger: Arc<Ledger>,
    doors: Doors,
    token: String,
    lanes: Vec<usize>,
    which: usize,
    mut dice: Dice,
) {
    let mut conversations = BTreeMap::new();
    for number in 0.. {
        if ledger.stopped() {
            return;
        }
        let lane = *dice.one(&lanes);
        if !conversations.contains_key(&lane) {
            conversations.extend(known(&ledger, &any(&doors, &mut dice), &token).await);
        }
        let Some(conversation) = conversations.get(&lane) else {
            dice.pause(50).await;
            continue;
        };
        let (key, body) = (format!("{which}-{number}"), format!("Reply {number} of {which} in lane {lane}"));
        let path = format!("/api/v1/conversations/{conversation}/messages");
        let reply = async |dice: &mut Dice| {
            let api = any(&doors, dice).api(&token);
            let reply = api.try_post(&path, &[("idempotency-key", &key)], &json!({ "body": body })).await;
            let reply = book(&ledger, "a reply", 201, reply)?;
            reply.json()["id"].as_str().map(str::to_owned)
        };
        let message = loop {
            if let Some(message) = reply(&mut dice).await {
                break message;
            }
            if !ledger.may_retry(&body) {
                return;
            }
            dice.pause(40).await;
        };
        if dice.below(3) == 0 {
            let again = reply(&mut dice).await;
            if again.is_some_and(|again| again != message) {
                ledger.saw_wrong(format!("one key, two messages: {body}"));
            }
            ledger.made_again();
        }
        ledger.took_reply(lane, message, body);
        dice.pause(80).await;
    }
}

/// Conversations by lane, as far as there are any.
async fn known(ledger: &Ledger, door: &Door, token: &str) -> BTreeMap<usize, String> {
    let path = "/api/v1/conversations?queue=all&limit=200";
    let answer = Reply::of(door.api(token).request(http::Method::GET, path)).await;
    let Some(answer) = answer.ok().filter(|answer| answer.status == 200) else { return BTreeMap::new() };
    let lane_of = |c: &Value| {
        let mut lanes = ledger.lanes().iter();
        let lane = lanes.position(|lane| c["peer"] == lane.phone && c["number"]["address"] == lane.number);
        Some((lane?, c["id"].as_str()?.to_owned()))
    };
    answer.json()["items"].as_array().into_iter().flatten().filter_map(lane_of).collect()
}

/// Status callbacks for half of what the carrier takes, in good and in bad moments.
pub(super) async fn receipts(ledger: Arc<Ledger>, doors: Doors, twilio: Arc<FakeTwilio>, mut dice: Dice) {
    let mut seen = 0;
    while !ledger.stopped() {
        let attempts = twilio.attempts_from(seen);
        seen += attempts.len();
        for attempt in attempts {
            if let Some(sid) = attempt.sid.as_deref().filter(|_| dice.below(2) == 0) {
                let door = any(&doors, &mut dice);
                let callback = attempt.param("StatusCallback");
                let receipt = door.account().receipt(callback, sid, "delivered", None);
                // Lost if the server is gone; Twilio doesn't try again either.
                drop(receipt.send(door.client()).await);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
