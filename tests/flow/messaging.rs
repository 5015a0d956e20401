//! When texts go out: the pace of numbers, quiet hours, texts sent later; and what a text costs.

use std::{collections::HashMap, time::Duration};

use anteroom_model::{
    ids::ConversationId,
    quiet::{QuietHours, QuietReplies},
    states::MessageState,
};
use anteroom_store::OrganizationSettings;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, eventually, run, run_without_outbox};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

/// The front desk may send that many texts a minute.
async fn pace(clinic: &Clinic, per_minute: u32) {
    let number = clinic.number(FRONT_DESK).await;
    let mut rules = clinic.get("messaging-rules").await;
    rules["numbers"] = json!({ number.to_string(): { "per_minute": per_minute } });
    clinic.app_api(Method::PUT, "messaging-rules", &rules).await;
}

impl Clinic {
    async fn app_api(&self, method: Method, path: &str, body: &Value) -> Value {
        self.api(&self.alex, method, path, body).await.ok()
    }
}

async fn delivered(clinic: &Clinic, phones: &[String]) -> Vec<String> {
    let mut texts = Vec::new();
    for phone in phones {
        for message in clinic.messages_with(phone, FRONT_DESK).await {
            if message.state == MessageState::Delivered {
                texts.push((message.sent_at, message.body));
            }
        }
    }
    texts.sort();
    texts.into_iter().map(|(_, body)| body).collect()
}

#[tokio::test]
async fn staff_come_first_and_conversations_take_turns() {
    run_without_outbox(async |clinic| {
        pace(&clinic, 60).await;
        let phones: Vec<String> = (0..4).map(|n| format!("+1512600000{n}")).collect();
        let mut ids = Vec::new();
        for phone in &phones {
            clinic.deliver(phone, FRONT_DESK, "Hello").await;
            clinic.app.worked().await;
            ids.push(clinic.conversation_id(phone, FRONT_DESK).await);
        }
        // Four welcomes wait; then staff write five times to the first, and once to the last.
        for n in 0..5 {
            clinic.act(&clinic.maya, ids[0], "messages", json!({ "body": format!("first {n}") })).await.ok();
        }
        clinic.act(&clinic.maya, ids[3], "messages", json!({ "body": "last" })).await.ok();
        clinic.app.start_outbox();
        let mut seen = Vec::new();
        for sent in 1..=10 {
            let so_far = || async { delivered(&clinic, &phones).await.len() == sent };
            eventually(&format!("{sent} are sent"), so_far).await;
            // No more within the same second.
            tokio::time::sleep(Duration::from_millis(250)).await;
            let now = delivered(&clinic, &phones).await;
            assert_eq!(now.len(), sent, "{now:?}");
            seen = now;
            clinic.app.advance(Duration::from_secs(1));
        }
        let place = |text: &str| seen.iter().position(|body| body == text).unwrap();
        // A conversation keeps its order: its welcome goes before what staff wrote to it.
        assert!(
            (0..4).all(|n| place(&format!("first {n}")) < place(&format!("first {}", n + 1))),
            "{seen:?}"
        );
        // The last conversation doesn't wait for all of the first one's.
        assert!(place("last") < place("first 1"), "{seen:?}");
        // Nor do replies of staff wait for welcomes of others, but for what was being sent already.
        let last = seen.iter().rposition(|body| !body.starts_with("Thanks"));
        assert!(last <= Some(8), "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn after_a_pause_a_seconds_worth_may_go_at_once() {
    run_without_outbox(async |clinic| {
        pace(&clinic, 180).await;
        let phones: Vec<String> = (0..7).map(|n| format!("+1512600001{n}")).collect();
        for phone in &phones {
            clinic.deliver(phone, FRONT_DESK, "Hello").await;
        }
        clinic.app.worked().await;
        clinic.app.start_outbox();
        for wanted in [3, 6, 7] {
            let so_far = || async { delivered(&clinic, &phones).await.len() == wanted };
            eventually(&format!("{wanted} are sent"), so_far).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
            assert_eq!(delivered(&clinic, &phones).await.len(), wanted);
            clinic.app.advance(Duration::from_secs(1));
        }
    })
    .await;
}

async fn quiet(clinic: &Clinic, replies: QuietReplies) {
    let hours = QuietHours { from: "21:00".into(), until: "08:00".into(), replies };
    clinic.set(OrganizationSettings { quiet_hours: Some(hours), ..OrganizationSettings::default() }).await;
}

#[tokio::test]
async fn quiet_hours_silence_policies_and_not_the_host() {
    run(async |clinic| {
        quiet(&clinic, QuietReplies::Skip).await;
        clinic.app.advance_to("2026-11-23T22:00:00-06:00");
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        assert!(clinic.received(STRANGER, FRONT_DESK).await.is_empty());
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        let decision = clinic.decisions_of(id, "replies").await.pop().unwrap();
        assert_eq!(decision["effect"], "quiet");
        let told = clinic.told(id, "replies.quiet").await;
        assert_eq!(told[0]["summary"], "Quiet hours until 2026-11-24T14:00:00.000000Z: no automatic reply");
        // What answers the patient's own words is said at any hour.
        clinic.text(STRANGER, FRONT_DESK, "HELP").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 1);
        clinic.text(STRANGER, NEW_PATIENTS, "Hello").await;
        assert_eq!(clinic.received(STRANGER, NEW_PATIENTS).await.len(), 1, "the question who it is");
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Up late, too." })).await.ok();
        clinic.app.settled().await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 2);
        clinic.app.advance_to("2026-11-24T08:00:00-06:00");
        clinic.text("+15125550178", FRONT_DESK, "Hello").await;
        assert_eq!(clinic.received("+15125550178", FRONT_DESK).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn put_off_replies_are_said_once_in_the_morning_unless_staff_were_faster() {
    run(async |clinic| {
        quiet(&clinic, QuietReplies::Defer).await;
        clinic.app.advance_to("2026-11-23T22:00:00-06:00");
        for phone in [ANA, STRANGER] {
            clinic.text(phone, FRONT_DESK, "Hello").await;
            clinic.text(phone, FRONT_DESK, "Anybody there?").await;
        }
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let waiting = clinic.list(&format!("conversations/{id}/scheduled")).await;
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert_eq!(waiting[0]["author"], "policy");
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Good evening, Ana." })).await.ok();
        assert!(clinic.list(&format!("conversations/{id}/scheduled")).await.is_empty());
        clinic.app.advance_to("2026-11-24T08:00:01-06:00");
        let said = || async { clinic.received(STRANGER, FRONT_DESK).await.len() == 1 };
        eventually("the put off reply is sent", said).await;
        clinic.app.settled().await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await, ["Good evening, Ana."]);
        let stranger = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert_eq!(clinic.queue("unassigned").await, [stranger], "an automatic reply answers nobody");
    })
    .await;
}

#[tokio::test]
async fn a_reply_of_staff_ends_the_throttle() {
    run(async |clinic| {
        for expected in [1, 1] {
            clinic.text(STRANGER, FRONT_DESK, "chest pain").await;
            assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), expected);
        }
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Please call 911." })).await.ok();
        clinic.text(STRANGER, FRONT_DESK, "chest pain").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 3);
    })
    .await;
}

async fn schedule(clinic: &Clinic, id: ConversationId, body: &str, send_at: &str) -> Value {
    let body = json!({ "body": body, "send_at": send_at });
    clinic.act(&clinic.maya, id, "scheduled", body).await.ok()
}

#[tokio::test]
async fn a_text_for_later_can_be_changed_and_given_up_and_is_sent_once() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let at = "2026-11-24T15:00:00Z";
        let first = schedule(&clinic, id, "See you at nin", at).await;
        let second = schedule(&clinic, id, "Never mind", at).await;
        let path = |text: &Value| format!("scheduled/{}", text["id"].as_str().unwrap());
        let changed = clinic
            .api(&clinic.sam, Method::PATCH, &path(&first), &json!({ "body": "See you at nine" }))
            .await
            .ok();
        assert_eq!((&changed["body"], &changed["version"]), (&json!("See you at nine"), &json!(2)));
        let gone = clinic.api(&clinic.maya, Method::DELETE, &path(&second), &Value::Null).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        let again = clinic.api(&clinic.maya, Method::DELETE, &path(&second), &Value::Null).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "canceled"));
        for wrong in
            [json!({ "body": "x", "send_at": "2026-11-23T10:00:00Z" }), json!({ "body": " ", "send_at": at })]
        {
            let refused = clinic.act(&clinic.maya, id, "scheduled", wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        }
        assert_eq!(clinic.queue("unassigned").await, [id], "nobody has answered yet");
        clinic.app.advance_to("2026-11-24T09:00:01-06:00");
        let sent = || async { clinic.received(ANA, FRONT_DESK).await.len() == 2 };
        eventually("it is sent", sent).await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[1..], ["See you at nine"]);
        clinic.app.advance(Duration::from_hours(1));
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await.len(), 2, "once");
        let sent = clinic.get(&format!("conversations/{id}/messages")).await;
        let sent = sent["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&sent["author"], &sent["author_name"]), (&json!("staff"), &json!("Maya Torres")));
        let late = clinic.api(&clinic.maya, Method::PATCH, &path(&first), &json!({ "body": "x" })).await;
        assert_eq!(late.problem(), "sent");
        assert!(clinic.conversation(ANA, FRONT_DESK).await["waiting_since"].is_null(), "answered now");
    })
    .await;
}

#[tokio::test]
async fn a_text_for_later_to_somebody_who_opted_out_is_blocked_in_sight() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        schedule(&clinic, id, "See you at nine", "2026-11-24T15:00:00Z").await;
        clinic.text(ANA, FRONT_DESK, "STOP").await;
        clinic.app.advance_to("2026-11-24T09:00:01-06:00");
        let blocked = || async {
            let messages = clinic.list(&format!("conversations/{id}/messages")).await;
            messages.iter().any(|m| m["body"] == "See you at nine" && m["state"] == "blocked")
        };
        eventually("it is blocked", blocked).await;
    })
    .await;
}

#[tokio::test]
async fn a_text_is_counted_by_the_server() {
    run(async |clinic| {
        let count =
            async |body: &str| clinic.post(&clinic.maya, "segments", json!({ "body": body })).await.ok();
        let plain = count(&"a".repeat(161)).await;
        assert_eq!(
            (&plain["encoding"], &plain["segments"], &plain["remaining"]),
            (&json!("gsm7"), &json!(2), &json!(145))
        );
        assert_eq!(plain["plainer"], Value::Null);
        let curly = count(&format!("It\u{2019}s {}", "a".repeat(100))).await;
        assert_eq!((&curly["encoding"], &curly["segments"]), (&json!("ucs2"), &json!(2)));
        assert_eq!(curly["beyond_gsm7"], json!(["\u{2019}"]));
        assert_eq!(
            (&curly["plainer"]["encoding"], &curly["plainer"]["segments"]),
            (&json!("gsm7"), &json!(1))
        );
        assert!(curly["plainer"]["body"].as_str().unwrap().starts_with("It's a"));
        let empty = count("").await;
        assert_eq!((&empty["segments"], &empty["texts"]), (&json!(0), &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn rules_that_make_no_sense_are_named() {
    run(async |clinic| {
        let good = clinic.get("messaging-rules").await;
        let usual: HashMap<String, Value> = serde_json::from_value(good["numbers"].clone()).unwrap();
        assert!(usual.values().all(|number| number["per_minute"].is_null() && number["usual"] == 0));
        for (field, value, detail) in [
            ("throttle_minutes", json!(20_000), "throttle_minutes is 0 to 10,080."),
            ("help_text", json!(" "), "help_text has 1 to 1,600 characters, and no NUL."),
            (
                "quiet_hours",
                json!({ "from": "25:00", "until": "08:00", "replies": "skip" }),
                "quiet_hours: `25:00` is not a time of day: HH:MM, from 00:00 to 23:59.",
            ),
        ] {
            let mut rules = good.clone();
            rules[field] = value;
            let refused = clinic.api(&clinic.alex, Method::PUT, "messaging-rules", &rules).await;
            assert_eq!(
                (refused.status, &refused.body["detail"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!(detail))
            );
        }
        let refused = clinic.api(&clinic.maya, Method::PUT, "messaging-rules", &good).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(clinic.get("messaging-rules").await, good);
    })
    .await;
}
