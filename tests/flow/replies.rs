//! Automatic replies: what the policy says when, and what the host doesn't let through.

use std::time::Duration;

use anteroom_store::OrganizationSettings;
use serde_json::json;

use crate::support::{FRONT_DESK, run};

const STRANGER: &str = "+15125550177";

const WELCOME: &str = "Thanks for texting Riverside Clinic. A member of our team will answer here soon. Texting \
                       isn't for emergencies: in one, call 911. Reply STOP to opt out.";
const EMERGENCY: &str = "If this is an emergency, call 911 or go to the nearest emergency room now.";

#[tokio::test]
async fn a_first_text_is_welcomed_once() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        clinic.text(STRANGER, FRONT_DESK, "Anybody there?").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await, [WELCOME]);
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        let queued = clinic.told(id, "message.queued").await;
        let why = "Automatic reply by the policy “replies”: first text while open";
        assert_eq!(queued[0]["summary"], why);
    })
    .await;
}

#[tokio::test]
async fn after_hours_says_when_the_clinic_opens() {
    run(async |clinic| {
        // Monday at lunch, in the evening, and on the holiday.
        for (moment, opens) in [
            (
                "2026-11-23T12:30:00-06:00",
                "We are closed now and will read your message when we open: Monday 1:00 PM.",
            ),
            (
                "2026-11-23T21:00:00-06:00",
                "We are closed now and will read your message when we open: Tuesday 8:00 AM.",
            ),
            (
                "2026-11-26T10:00:00-06:00",
                "We are closed for Thanksgiving and will read your message when we open: Friday 8:00 AM.",
            ),
        ] {
            clinic.app.advance_to(moment);
            clinic.text(STRANGER, FRONT_DESK, "Hello").await;
            let last = clinic.received(STRANGER, FRONT_DESK).await.pop().unwrap();
            assert_eq!(
                last,
                format!("Thanks for texting Riverside Clinic. {opens} If this is an emergency, call 911.")
            );
            let texts = clinic.received(STRANGER, FRONT_DESK).await.len();
            clinic.text(STRANGER, FRONT_DESK, "Hello?").await;
            assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), texts, "once in each closed time");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_reply_comes_again_only_after_a_quarter_of_an_hour() {
    run(async |clinic| {
        let received = async || {
            let received = clinic.received(STRANGER, FRONT_DESK).await;
            assert!(received.iter().all(|text| text.starts_with(EMERGENCY)), "{received:?}");
            received.len()
        };
        clinic.text(STRANGER, FRONT_DESK, "I have chest pain").await;
        assert_eq!(received().await, 1);
        clinic.app.advance(Duration::from_secs(15 * 60 - 2));
        clinic.text(STRANGER, FRONT_DESK, "chest pain!").await;
        assert_eq!(received().await, 1);
        clinic.app.advance(Duration::from_secs(2));
        clinic.text(STRANGER, FRONT_DESK, "chest pain!!").await;
        assert_eq!(received().await, 2);
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        let decisions = clinic.decisions_of(id, "replies").await;
        let effects: Vec<_> = decisions.iter().map(|decision| decision["effect"].as_str().unwrap()).collect();
        assert_eq!(effects, ["applied", "throttled", "applied"]);
        // Each conversation for itself.
        clinic.text("+15125550178", FRONT_DESK, "chest pain").await;
        assert_eq!(clinic.received("+15125550178", FRONT_DESK).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_machines_do_not_talk_to_each_other_for_ever() {
    run(async |clinic| {
        clinic.set(OrganizationSettings { throttle_minutes: 0, ..OrganizationSettings::default() }).await;
        // The other machine answers each of our texts with the same words.
        for _ in 0..9 {
            clinic.text(STRANGER, FRONT_DESK, "This is an automatic answer. In an emergency call 911.").await;
        }
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 6);
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        let stopped = clinic.told(id, "replies.loop").await;
        assert_eq!(stopped.len(), 3);
        let summary = "Automatic replies stopped: another machine seems to be answering";
        assert_eq!(stopped[0]["summary"], summary);
        let decision = clinic.decisions_of(id, "replies").await.pop().unwrap();
        assert_eq!(decision["effect"], json!("loop"));
        assert_eq!(clinic.queue("unassigned").await, [id], "a person still sees it");

        clinic.app.advance(Duration::from_mins(10));
        clinic.text(STRANGER, FRONT_DESK, "I mean it: emergency").await;
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 7);
    })
    .await;
}
