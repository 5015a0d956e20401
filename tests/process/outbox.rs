//! Sending exactly once through a carrier that misbehaves.

use std::time::Duration;

use anteroom_test_support::Plan;
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::{STRANGER, TEN_DLC, TOLL_FREE},
};

/// A phone for each of the texts that are in doubt side by side.
fn phone(number: usize) -> String {
    format!("+1512555{:04}", 200 + number)
}

/// Replies in a new conversation with `phone`; the ids of conversation and message.
async fn reply_to(clinic: &Clinic, phone: &str, body: &str) -> (String, String) {
    let conversation = clinic.begin(phone, TOLL_FREE).await;
    let message = clinic.reply("Maya", &conversation, body).await;
    (conversation, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_says_slow_down_is_obeyed() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    clinic.twilio.plan("Slowly", &[Plan::SlowDown(3), Plan::SlowDown(2)]);
    let first = clinic.reply("Maya", &conversation, "Slowly").await;
    let second = clinic.reply("Maya", &conversation, "And then this").await;
    clinic.message_in(&conversation, &second, "sent").await;
    let attempts = clinic.twilio.attempts_of("Slowly");
    assert_eq!(attempts.len(), 3);
    let waits: Vec<_> = attempts.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&waits[0]), "{waits:?}");
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&waits[1]), "{waits:?}");
    assert!(attempts.iter().all(|attempt| attempt.our_id() == first));
    // 429 says that nothing was taken: no need to look.
    assert_eq!(clinic.twilio.listings_of(STRANGER).len(), 0);
    // The order within a conversation is kept.
    let after = &clinic.twilio.attempts_of("And then this")[0];
    assert!(after.at > attempts[2].at);
    assert_eq!(clinic.message(&conversation, &first).await["state"], "sent");
}

/// 500 may come before or after the carrier has taken the text: it is looked up, then sent again or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_is_looked_up_before_another_try() {
    let clinic = Clinic::open().await;
    for (number, (body, plan, sends)) in [
        ("Not taken", &[Plan::Fail(500)][..], 2),
        ("Not taken twice", &[Plan::Fail(503), Plan::Fail(500)], 3),
        ("Taken all the same", &[Plan::TakeAndFail(500)], 1),
        ("Taken the second time", &[Plan::Fail(502), Plan::TakeAndFail(500)], 2),
    ]
    .into_iter()
    .enumerate()
    {
        clinic.twilio.plan(body, plan);
        let (conversation, message) = reply_to(&clinic, &phone(number), body).await;
        clinic.message_in(&conversation, &message, "sent").await;
        clinic.idle().await;
        let attempts = clinic.twilio.attempts_of(body);
        assert_eq!(attempts.len(), sends, "{body}");
        let taken: Vec<_> = attempts.iter().filter(|attempt| attempt.sid.is_some()).collect();
        assert_eq!(taken.len(), 1, "{body}");
        assert_eq!(clinic.twilio.listings_of(&phone(number)).len(), plan.len(), "{body}");
        // The right id was learnt, whichever way: a receipt without ours finds the message.
        let account = clinic.account();
        let sid = taken[0].sid.as_deref().expect("taken");
        clinic
            .deliver(&account.receipt(&format!("{}/status", account.public_url), sid, "delivered", None))
            .await;
        assert_eq!(clinic.message(&conversation, &message).await["state"], "delivered", "{body}");
    }
}

/// No answer at all: the text may be there or not, and is never sent again unasked.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_the_list_or_left_to_people() {
    let clinic = Clinic::open().await;
    let cases = [
        ("Reset", Plan::TakeAndReset, "sent"),
        ("Cut off", Plan::TakeAndCut, "sent"),
        ("Gateway time-out", Plan::TakeAndFail(504), "sent"),
        ("Lost", Plan::Lose, "unknown"),
        ("Lost and found", Plan::Lose, "unknown"),
        ("Nobody knows", Plan::Fail(504), "unknown"),
    ];
    let mut replies = Vec::new();
    for (number, (body, plan, _)) in cases.iter().enumerate() {
        clinic.twilio.plan(body, &[*plan]);
        replies.push(reply_to(&clinic, &phone(number), body).await);
    }
    for ((conversation, message), (body, _, state)) in replies.iter().zip(&cases) {
        let settled = clinic.message_in(conversation, message, state).await;
        assert_eq!(settled["error_text"].is_string(), *state == "unknown", "{body}: {settled}");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    clinic.idle().await;
    for (number, (body, ..)) in cases.iter().enumerate() {
        assert_eq!(clinic.twilio.attempts_of(body).len(), 1, "{body}");
        assert!(!clinic.twilio.listings_of(&phone(number)).is_empty(), "{body}");
    }

    // A receipt that comes after all says more than the list.
    let (conversation, message) = &replies[4];
    let account = clinic.account();
    let callback = format!("{}/status?m={message}", account.public_url);
    clinic.deliver(&account.receipt(&callback, "SM-late", "delivered", None)).await;
    assert_eq!(clinic.message(conversation, message).await["state"], "delivered");

    // On a person's word it is sent again.
    let (conversation, message) = &replies[3];
    clinic.api("Maya").post(&format!("/api/v1/messages/{message}/retry"), &Value::Null).await.expect(200);
    clinic.message_in(conversation, message, "sent").await;
    assert_eq!(clinic.twilio.attempts_of("Lost").len(), 2);
    let again = clinic.api("Maya").post(&format!("/api/v1/messages/{message}/retry"), &Value::Null).await;
    again.problem(409, "not-failed");
}

/// Twilio takes the text and is silent for longer than anybody waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_is_settled_by_the_list() {
    let clinic = Clinic::open().await;
    clinic.twilio.plan("Patience", &[Plan::TakeSlowly(Duration::from_mins(2))]);
    let (conversation, message) = reply_to(&clinic, STRANGER, "Patience").await;
    // The same words again, which must not be mistaken for the first.
    let same = clinic.reply("Maya", &conversation, "Patience").await;
    clinic.message_in(&conversation, &message, "sent").await;
    clinic.message_in(&conversation, &same, "sent").await;
    let ids: Vec<_> =
        clinic.twilio.attempts_of("Patience").iter().map(|attempt| attempt.our_id().to_owned()).collect();
    assert_eq!(ids, [message, same]);
    assert_eq!(clinic.twilio.listings_of(STRANGER).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_final_and_teach() {
    let clinic = Clinic::open().await;
    let maya = clinic.api("Maya");
    clinic.twilio.plan("Opted out there", &[Plan::Refuse(21610)]);
    let (conversation, message) = reply_to(&clinic, STRANGER, "Opted out there").await;
    let failed = clinic.message_in(&conversation, &message, "failed").await;
    assert_eq!(failed["error_code"], "21610");
    assert!(failed["error_text"].as_str().expect("staff's words").contains("STOP"), "{failed}");
    let opt_outs = maya.items("/api/v1/opt-outs").await;
    assert_eq!((&opt_outs[0]["peer"], &opt_outs[0]["source"]), (&json!(STRANGER), &json!("carrier")));
    let messages = format!("/api/v1/conversations/{conversation}/messages");
    maya.post(&messages, &json!({ "body": "Once more" })).await.problem(409, "opted-out");
    // Sending it again doesn't get round it.
    maya.post(&format!("/api/v1/messages/{message}/retry"), &Value::Null).await.expect(200);
    clinic.message_in(&conversation, &message, "blocked").await;
    assert_eq!(clinic.twilio.attempts_of("Opted out there").len(), 1);

    // Any other refusal can be tried again by hand, and is not by itself.
    clinic.twilio.plan("Second thoughts", &[Plan::Refuse(30003)]);
    let (conversation, message) = reply_to(&clinic, &phone(1), "Second thoughts").await;
    clinic.message_in(&conversation, &message, "failed").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(clinic.twilio.attempts_of("Second thoughts").len(), 1);
    let retried = maya.post(&format!("/api/v1/messages/{message}/retry"), &Value::Null).await.expect(200);
    assert!(retried["error_text"].is_null(), "{retried}");
    clinic.message_in(&conversation, &message, "sent").await;
    let attempts = clinic.twilio.attempts_of("Second thoughts");
    assert_eq!(attempts.len(), 2);

    // And a failure may come as a receipt, later.
    clinic.receipt(&attempts[1], "undelivered", Some(30006)).await;
    let failed = clinic.message(&conversation, &message).await;
    assert_eq!((&failed["state"], &failed["error_code"]), (&json!("failed"), &json!("30006")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unregistered_senders_gate_closes() {
    let clinic = Clinic::open().await;
    let maya = clinic.api("Maya");
    clinic.twilio.plan("Not registered", &[Plan::Refuse(30034)]);
    let conversation = clinic.begin(STRANGER, TEN_DLC).await;
    let message = clinic.reply("Maya", &conversation, "Not registered").await;
    let failed = clinic.message_in(&conversation, &message, "failed").await;
    assert_eq!(failed["error_code"], "30034");

    let before = clinic.twilio.attempts().len();
    let messages = format!("/api/v1/conversations/{conversation}/messages");
    maya.post(&messages, &json!({ "body": "Again" })).await.problem(409, "not-registered");
    clinic.text("+15125550178", TEN_DLC, "Hello").await;
    clinic.conversation_with("+15125550178", TEN_DLC, "Hello").await;
    clinic.idle().await;
    assert_eq!(clinic.twilio.attempts().len(), before, "not even automatic answers go out");
    let numbers = maya.items("/api/v1/numbers").await;
    let number = numbers.iter().find(|number| number["address"] == TEN_DLC).expect("the number");
    assert_eq!(number["registration"], "rejected");
    assert!(number["blocked"].is_string() && number["registration_note"].to_string().contains("30034"));
    // The clinic's other numbers go on; so they do when the same comes as a receipt.
    let (other, sent) = reply_to(&clinic, STRANGER, "From the other").await;
    clinic.message_in(&other, &sent, "sent").await;
    let attempt = &clinic.twilio.attempts_of("From the other")[0];
    clinic.receipt(attempt, "undelivered", Some(30032)).await;
    let messages = format!("/api/v1/conversations/{other}/messages");
    maya.post(&messages, &json!({ "body": "Again" })).await.problem(409, "not-registered");
}

/// The patient's STOP comes while nobody knows yet whether the text went out.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_hide_that_a_text_went_out() {
    let clinic = Clinic::open().await;
    for (number, (body, plan, state)) in
        [("Gone already", Plan::TakeAndReset, "sent"), ("Never left", Plan::Fail(500), "blocked")]
            .into_iter()
            .enumerate()
    {
        clinic.twilio.plan(body, &[plan]);
        let (conversation, message) = reply_to(&clinic, &phone(number), body).await;
        clinic.twilio.wait_for(body, 1).await;
        clinic.text(&phone(number), TOLL_FREE, "STOP").await;
        clinic.idle().await;
        assert_eq!(clinic.message(&conversation, &message).await["state"], state, "{body}");
        assert_eq!(clinic.twilio.attempts_of(body).len(), 1, "{body}");
    }
}
