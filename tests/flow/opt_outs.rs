//! STOP, START and HELP: before any policy, whoever texts them, whatever state things are in.

use anteroom_model::states::MessageState;
use anteroom_store::OrganizationSettings;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{FRONT_DESK, NEW_PATIENTS, REMINDERS, run, run_without_outbox};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

const STOPPED: &str = "You will get no more texts from Riverside Clinic. Reply START to get them again.";
const STARTED: &str = "You will get texts from Riverside Clinic again. Reply STOP to end them.";
const HELP: &str = "Riverside Clinic: text us and our staff will answer. In an emergency call 911. Message and data \
                    rates may apply. Reply STOP to end texts.";

#[tokio::test]
async fn stop_is_confirmed_once_and_start_takes_it_back() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.text(ANA, FRONT_DESK, "Stop!").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[1..], [STOPPED]);
        clinic.text(ANA, FRONT_DESK, "STOP").await;
        clinic.text(ANA, FRONT_DESK, "unsubscribe").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await.len(), 2, "one confirmation");
        assert_eq!(clinic.told(id, "opt_out.recorded").await.len(), 1);
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["opted_out"], true);
        assert_eq!(clinic.list("opt-outs").await[0]["peer"], ANA);

        let refused = clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hello Ana" })).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "opted-out"));
        // Staff still read what she texts; she hears nothing, not even in an emergency, unless she asks for help.
        for text in ["Can I still reach you?", "chest pain"] {
            clinic.text(ANA, FRONT_DESK, text).await;
        }
        assert_eq!(clinic.received(ANA, FRONT_DESK).await.len(), 2);
        assert_eq!(clinic.queue("unassigned").await, [id]);
        clinic.text(ANA, FRONT_DESK, "HELP").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[2..], [HELP]);

        clinic.text(ANA, FRONT_DESK, "start").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[3..], [STARTED]);
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["opted_out"], false);
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hello Ana" })).await.ok();
        clinic.app.settled().await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[4..], ["Hello Ana"]);
        clinic.text(ANA, FRONT_DESK, "stop").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await[5..], [STOPPED], "a new one is confirmed again");
    })
    .await;
}

#[tokio::test]
async fn stop_blocks_the_replies_that_wait() {
    run_without_outbox(async |clinic| {
        clinic.deliver(ANA, FRONT_DESK, "Hello").await;
        clinic.app.worked().await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hello Ana" })).await.ok();
        clinic.deliver(ANA, FRONT_DESK, "STOP").await;
        clinic.app.worked().await;
        let (blocked, queued) = (MessageState::Blocked, MessageState::Queued);
        assert_eq!(clinic.sent_states(ANA, FRONT_DESK).await, [blocked, blocked, queued]);

        clinic.app.start_outbox();
        clinic.app.settled().await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await, [STOPPED]);
        let messages = clinic.list(&format!("conversations/{id}/messages")).await;
        let reply = messages.iter().find(|message| message["body"] == "Hello Ana").unwrap();
        let why = "This patient has opted out of texts. They can text START to get them again.";
        assert_eq!((&reply["state"], &reply["error_text"]), (&json!("blocked"), &json!(why)));
        let told = clinic.told(id, "message.state").await;
        assert_eq!(told[0]["summary"], format!("A text is blocked: {why}"));
    })
    .await;
}

#[tokio::test]
async fn a_reply_that_waited_through_a_stop_is_not_sent_when_tried_again() {
    run_without_outbox(async |clinic| {
        clinic.deliver(ANA, FRONT_DESK, "Hello").await;
        clinic.app.worked().await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let reply = clinic.act(&clinic.maya, id, "messages", json!({ "body": "Hello Ana" })).await.ok();
        clinic.deliver(ANA, FRONT_DESK, "STOP").await;
        clinic.app.worked().await;
        let again = format!("messages/{}/retry", reply["id"].as_str().unwrap());
        clinic.post(&clinic.maya, &again, Value::Null).await.ok();
        clinic.app.start_outbox();
        clinic.app.settled().await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await, [STOPPED]);
    })
    .await;
}

#[tokio::test]
async fn help_is_answered_to_strangers_and_troubles_nobody() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Help?").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await, [HELP]);
        assert!(clinic.queue("unassigned").await.is_empty());
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert_eq!(clinic.queue("closed").await, [id]);
        assert!(clinic.decisions(id).await.is_empty(), "no policy is asked");

        clinic.text(STRANGER, FRONT_DESK, "I need a refill").await;
        assert_eq!(clinic.queue("unassigned").await, [id]);
    })
    .await;
}

#[tokio::test]
async fn stop_from_a_stranger_is_honoured() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "STOP").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await, [STOPPED]);
        assert!(clinic.queue("unassigned").await.is_empty());
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 1);
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert_eq!(clinic.queue("unassigned").await, [id]);
    })
    .await;
}

#[tokio::test]
async fn start_and_yes_are_ordinary_words_to_who_has_not_opted_out() {
    run(async |clinic| {
        for (phone, word) in [(ANA, "START"), (STRANGER, "yes")] {
            clinic.text(phone, FRONT_DESK, word).await;
            assert_eq!(clinic.received(phone, FRONT_DESK).await.len(), 1, "the welcome");
            let id = clinic.conversation_id(phone, FRONT_DESK).await;
            assert!(clinic.queue("unassigned").await.contains(&id));
            assert!(clinic.told(id, "opt_out.cleared").await.is_empty());
        }
        clinic.text(STRANGER, FRONT_DESK, "STOP").await;
        clinic.text(STRANGER, FRONT_DESK, "yes").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await[1..], [STOPPED, STARTED]);
    })
    .await;
}

#[tokio::test]
async fn where_texting_is_off_texts_are_held_and_keywords_honoured() {
    run(async |clinic| {
        clinic.text(ANA, REMINDERS, "Can I move my appointment?").await;
        assert!(clinic.stored(ANA, REMINDERS).await.is_none());
        let held = clinic.messages_with(ANA, REMINDERS).await;
        assert_eq!(held.len(), 1, "kept, and not answered");
        assert_eq!(
            (held[0].state, held[0].body.as_str()),
            (MessageState::Held, "Can I move my appointment?")
        );

        clinic.text(ANA, REMINDERS, "HELP").await;
        clinic.text(ANA, REMINDERS, "STOP").await;
        clinic.text(ANA, REMINDERS, "STOP").await;
        clinic.text(ANA, REMINDERS, "START").await;
        assert_eq!(clinic.received(ANA, REMINDERS).await, [HELP, STOPPED, STARTED]);
        clinic.text(ANA, REMINDERS, "STOP").await;
        assert_eq!(clinic.list("opt-outs").await.len(), 2);
        assert!(clinic.stored(ANA, REMINDERS).await.is_none());
        assert!(clinic.queue("all").await.is_empty() && clinic.queue("closed").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn stop_counts_for_every_number_or_for_one_as_the_clinic_says() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        let (ana, stranger) = (
            clinic.conversation_id(ANA, FRONT_DESK).await,
            clinic.conversation_id(STRANGER, FRONT_DESK).await,
        );
        clinic.text(ANA, NEW_PATIENTS, "STOP").await;
        let refused = clinic.act(&clinic.maya, ana, "messages", json!({ "body": "Hello" })).await;
        assert_eq!(refused.problem(), "opted-out");

        clinic
            .set(OrganizationSettings { opt_out_everywhere: false, ..OrganizationSettings::default() })
            .await;
        clinic.text(STRANGER, NEW_PATIENTS, "STOP").await;
        clinic.act(&clinic.maya, stranger, "messages", json!({ "body": "Hello" })).await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_stop_in_other_words_is_pointed_out_to_staff() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Please stop texting me").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let told = clinic.told(id, "opt_out.suggested").await;
        assert_eq!(told[0]["summary"], "The patient may want no more texts: read this one with care");
        assert_eq!(clinic.queue("unassigned").await, [id]);
    })
    .await;
}
