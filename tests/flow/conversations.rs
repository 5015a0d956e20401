//! A conversation's life between the patient and staff.

use std::time::Duration;

use anteroom_model::{
    ids::ConversationId,
    states::{MessageState, Role},
};
use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, eventually, run};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

/// Texts of a conversation as staff read them: who wrote what.
async fn read(clinic: &Clinic, id: ConversationId) -> Vec<(String, String)> {
    let messages = clinic.list(&format!("conversations/{id}/messages")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    messages.iter().map(|message| (text(&message["author"]), text(&message["body"]))).collect()
}

#[tokio::test]
async fn a_closed_one_comes_back_to_unassigned_with_its_history() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        assert_eq!((clinic.queue("unassigned").await, clinic.queue("mine").await), (vec![], vec![id]));
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "It is ready." })).await.ok();
        clinic.act(&clinic.maya, id, "notes", json!({ "body": "Called the pharmacy." })).await.ok();
        clinic.app.settled().await;
        let closed = clinic.act(&clinic.maya, id, "close", Value::Null).await.ok();
        assert_eq!((&closed["state"], &closed["waiting_since"]), (&json!("closed"), &Value::Null));
        assert_eq!((clinic.queue("closed").await, clinic.queue("all").await), (vec![id], vec![]));

        clinic.app.advance(Duration::from_hours(24));
        clinic.text(ANA, FRONT_DESK, "Thanks! And about my bill?").await;
        assert_eq!(clinic.queue("unassigned").await, [id], "the same conversation");
        let conversation = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!((&conversation["assignee"], &conversation["state"]), (&Value::Null, &json!("open")));
        assert!(conversation["waiting_since"].is_string());
        assert_eq!(conversation["team"]["name"], "Billing", "another matter, routed anew");
        let texts = read(&clinic, id).await;
        let texts: Vec<_> = texts.iter().map(|(author, body)| (author.as_str(), body.as_str())).collect();
        assert_eq!(texts[0], ("patient", "I need a refill"));
        assert_eq!(texts[1].0, "policy");
        assert_eq!(texts[2..], [("staff", "It is ready."), ("patient", "Thanks! And about my bill?")]);
        let notes = clinic.list(&format!("conversations/{id}/notes")).await;
        assert_eq!(notes[0]["body"], "Called the pharmacy.");
    })
    .await;
}

#[tokio::test]
async fn a_snooze_ends_at_its_time() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        let past = json!({ "until": "2026-11-23T09:00:00-06:00" });
        assert_eq!(clinic.act(&clinic.maya, id, "snooze", past).await.problem(), "invalid");
        let until = json!({ "until": "2026-11-24T08:00:00-06:00" });
        let snoozed = clinic.act(&clinic.maya, id, "snooze", until).await.ok();
        assert_eq!(snoozed["state"], "snoozed");

        clinic.app.advance_to("2026-11-24T08:00:00-06:00");
        let open = async || clinic.conversation(ANA, FRONT_DESK).await["state"] == "open";
        eventually("the conversation is back", open).await;
        let back = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!(
            (&back["assignee"]["name"], &back["snoozed_until"]),
            (&json!("Maya Torres"), &Value::Null)
        );
        let reopened = clinic.told(id, "conversation.reopened").await;
        assert_eq!(reopened[0]["summary"], "Back from snooze");
    })
    .await;
}

#[tokio::test]
async fn a_snooze_ends_with_a_text() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        let until = json!({ "until": "2026-12-24T08:00:00-06:00" });
        clinic.act(&clinic.maya, id, "snooze", until).await.ok();
        clinic.text(ANA, FRONT_DESK, "Any news?").await;
        let back = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!((&back["state"], &back["snoozed_until"]), (&json!("open"), &Value::Null));
        assert_eq!(back["assignee"]["name"], "Maya Torres", "still hers");
        let reopened = clinic.told(id, "conversation.reopened").await;
        assert_eq!(reopened[0]["summary"], "Reopened by a new text");
    })
    .await;
}

#[tokio::test]
async fn of_fifty_who_accept_at_once_one_wins_and_the_others_learn_who() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let names: Vec<&'static str> = (0..50).map(|number| &*format!("Colleague {number}").leak()).collect();
        let mut colleagues = Vec::new();
        for name in names {
            colleagues.push(clinic.colleague(Role::Agent, name).await);
        }
        let accepts = colleagues.iter().map(|who| clinic.act(who, id, "accept", Value::Null));
        let answers = join_all(accepts).await;
        let winners: Vec<_> =
            colleagues.iter().zip(&answers).filter(|(_, answer)| answer.status == StatusCode::OK).collect();
        let [(winner, answer)] = winners[..] else { panic!("{} won", winners.len()) };
        assert_eq!(answer.body["assignee"]["name"], winner.name);
        let expected = json!({ "id": winner.id, "name": winner.name });
        let losers: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).collect();
        assert_eq!(losers.len(), 49);
        for loser in losers {
            assert_eq!((loser.problem(), &loser.body["winner"]), ("held", &expected));
        }
        assert_eq!(clinic.told(id, "conversation.accepted").await.len(), 1);
        let refused = clinic.act(&clinic.sam, id, "messages", json!({ "body": "Me too" })).await;
        assert_eq!((refused.status, &refused.body["winner"]), (StatusCode::CONFLICT, &expected));
    })
    .await;
}

#[tokio::test]
async fn texts_are_worked_in_the_order_in_which_they_came() {
    run(async |clinic| {
        let phones: Vec<_> = (0..8).map(|number| format!("+1512556000{number}")).collect();
        for text in 0..10 {
            for phone in &phones {
                clinic.deliver(phone, FRONT_DESK, &format!("text {text}")).await;
            }
        }
        clinic.app.settled().await;
        for phone in &phones {
            let conversation = clinic.stored(phone, FRONT_DESK).await.unwrap();
            assert_eq!(conversation.turn_number, 10);
            let received = clinic.told(conversation.id, "message.received").await;
            let worked: Vec<_> = received
                .iter()
                .map(|entry| entry["data"]["message_id"].as_str().unwrap().to_owned())
                .collect();
            let texts = clinic.list(&format!("conversations/{}/messages", conversation.id)).await;
            let texts: Vec<_> = texts.iter().filter(|message| message["author"] == "patient").collect();
            let bodies: Vec<_> = texts.iter().map(|message| message["body"].as_str().unwrap()).collect();
            assert_eq!(bodies, (0..10).map(|text| format!("text {text}")).collect::<Vec<_>>());
            let ids: Vec<_> =
                texts.iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(worked, ids);
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_delivered_twice_is_one_text() {
    run(async |clinic| {
        for _ in 0..3 {
            let status = clinic.deliver_as("SM1", ANA, FRONT_DESK, "I need a refill").await;
            assert_eq!(status, StatusCode::OK, "the carrier must not try again");
            clinic.app.settled().await;
        }
        let messages = clinic.messages_with(ANA, FRONT_DESK).await;
        assert_eq!(messages.len(), 2, "the text and the welcome");
        assert_eq!(messages[0].state, MessageState::Processed);
    })
    .await;
}

#[tokio::test]
async fn the_timeline_tells_the_whole_story() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Which one?" })).await.ok();
        clinic.app.settled().await;
        clinic.act(&clinic.maya, id, "notes", json!({ "body": "No profile yet." })).await.ok();
        clinic.act(&clinic.maya, id, "assign", json!({ "assignee_id": clinic.sam.id })).await.ok();
        let stolen = clinic.act(&clinic.maya, id, "assign", json!({ "assignee_id": clinic.maya.id })).await;
        assert_eq!(stolen.problem(), "held", "an agent doesn't take it from a colleague");
        clinic.act(&clinic.alex, id, "assign", json!({ "assignee_id": null })).await.ok();
        let teams = clinic.list("teams").await;
        let billing = teams.iter().find(|team| team["name"] == "Billing").unwrap();
        let to_sam = json!({ "team_id": billing["id"], "assignee_id": clinic.sam.id });
        clinic.act(&clinic.alex, id, "assign", to_sam).await.ok();
        clinic.act(&clinic.sam, id, "assign", json!({ "assignee_id": null, "team_id": null })).await.ok();
        clinic.act(&clinic.sam, id, "messages", json!({ "body": "Anything else?" })).await.ok();
        clinic.app.settled().await;
        clinic.act(&clinic.sam, id, "close", Value::Null).await.ok();
        clinic.act(&clinic.sam, id, "reopen", Value::Null).await.ok();
        clinic.text(STRANGER, FRONT_DESK, "STOP").await;

        let timeline = clinic.timeline(id).await;
        let told: Vec<_> =
            timeline.iter().map(|entry| (entry["actor"].as_str().unwrap(), entry["summary"].as_str().unwrap())).collect();
        assert_eq!(
            told,
            [
                ("patient", "A first text to Front desk"),
                ("patient", "The patient texted"),
                (
                    "policy",
                    "Routed to team Pharmacy, refill, priority normal by the policy “routing” 1.0.0: rule 'Refills', \
                     keyword 'refill'"
                ),
                ("policy", "Automatic reply by the policy “replies”: first text while open"),
                ("host", "A text is delivered"),
                ("staff", "Maya Torres accepted it"),
                ("staff", "Maya Torres answered"),
                ("host", "A text is delivered"),
                ("staff", "Maya Torres added a note"),
                ("staff", "Maya Torres assigned it to Sam Okafor"),
                ("staff", "Alex Kim put it back into Unassigned"),
                ("staff", "Alex Kim assigned it to Sam Okafor and gave it to Billing"),
                ("staff", "Sam Okafor put it back into Unassigned and took it from its team"),
                ("staff", "Sam Okafor answered and has it now"),
                ("staff", "Sam Okafor answered"),
                ("host", "A text is delivered"),
                ("staff", "Sam Okafor closed it"),
                ("staff", "Sam Okafor reopened it"),
                ("patient", "The patient texted"),
                ("patient", "The patient opted out of texts"),
                ("host", "Answered STOP automatically"),
                ("host", "A text is delivered"),
            ]
        );
        let order: Vec<_> = timeline.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
        assert!(order.is_sorted());
    })
    .await;
}
