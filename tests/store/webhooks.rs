//! Webhooks as queues: one node at a time, a position that only its holder moves, and nothing readable on disk.

use std::time::Duration;

use anteroom_model::{
    ids::{WebhookAttemptId, WebhookId},
    states::WebhookState,
};
use anteroom_store::{NewWebhookAttempt, Webhook, WebhookSetup};
use serde_json::json;

use crate::harness::{Clinic, Fresh, commit, node};

const LEASE: Duration = Duration::from_mins(1);
const URL: &str = "https://hooks.example.com/in?key=unguessable-key-of-the-address";
const ABOUT: &str = "What Doctor Quirke reads in the evening";

async fn made(db: &Fresh, clinic: &Clinic) -> WebhookId {
    let by = clinic.staff;
    commit!(db, clinic.organization, |org| {
        let secret = b"a secret of thirty-two bytes....".to_vec();
        let setup = WebhookSetup { url: URL.into(), description: ABOUT.into(), secret, previous: None };
        let (id, (_, last)) = (org.new_id(), org.event_bounds().await?);
        org.insert_webhook(id, &setup, &["message.*".into()], last, by).await?;
        Ok(id)
    })
    .unwrap()
}

async fn happens(db: &Fresh, clinic: &Clinic) {
    // Which tells one event.
    commit!(db, clinic.organization, |org| org.insert_notice("test.notice", &json!({})).await).unwrap();
}

async fn claimed(db: &Fresh, clinic: &Clinic, id: WebhookId, by: u128) -> bool {
    let until = db.now().plus(LEASE);
    commit!(db, clinic.organization, |org| org.claim_webhook(id, node(by), until).await).unwrap()
}

async fn read(db: &Fresh, clinic: &Clinic, id: WebhookId) -> Webhook {
    db.read(clinic.organization).await.unwrap().webhook(id).await.unwrap().unwrap()
}

async fn put(db: &Fresh, clinic: &Clinic, webhook: Webhook, by: u128) -> bool {
    let until = db.now().plus(LEASE);
    commit!(db, clinic.organization, |org| org.put_webhook_progress(&webhook, node(by), until).await).unwrap()
}

pub(crate) async fn one_node_tells_it_and_another_goes_on(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = made(db, &clinic).await;
    let from = read(db, &clinic, id).await.position;
    assert!(db.due_webhooks(node(1)).await.unwrap().is_empty(), "nothing has happened");
    happens(db, &clinic).await;
    assert_eq!(db.due_webhooks(node(1)).await.unwrap(), [(clinic.organization, id)]);
    assert!(claimed(db, &clinic, id, 1).await);
    assert!(claimed(db, &clinic, id, 1).await, "it keeps it");
    assert!(!claimed(db, &clinic, id, 2).await);
    assert!(db.due_webhooks(node(2)).await.unwrap().is_empty());

    let told = Webhook { position: from + 1, told_at: Some(db.now()), ..read(db, &clinic, id).await };
    assert!(!put(db, &clinic, told.clone(), 2).await, "who doesn't have it moves nothing");
    assert!(put(db, &clinic, told, 1).await);
    assert_eq!(read(db, &clinic, id).await.position, from + 1);
    happens(db, &clinic).await;
    db.clock.advance(LEASE + Duration::from_secs(1));
    assert!(claimed(db, &clinic, id, 2).await, "the first one wasn't heard of");
    let late = Webhook { position: from + 2, ..read(db, &clinic, id).await };
    assert!(!put(db, &clinic, late, 1).await);
    commit!(db, clinic.organization, |org| org.release_webhook(id, node(2)).await).unwrap();
    assert_eq!(db.due_webhooks(node(3)).await.unwrap(), [(clinic.organization, id)]);
    let backlog = db.webhook_backlog().await.unwrap();
    assert_eq!((backlog[0].state, backlog[0].count, backlog[0].behind), (WebhookState::Active, 1, 1));
}

pub(crate) async fn what_an_admin_changes_counts_before_what_was_under_way(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = made(db, &clinic).await;
    happens(db, &clinic).await;
    assert!(claimed(db, &clinic, id, 1).await);
    let before = read(db, &clinic, id).await;
    let paused = Webhook { state: WebhookState::Paused, ..before.clone() };
    assert!(commit!(db, clinic.organization, |org| org.update_webhook(&paused).await).unwrap());
    assert!(!put(db, &clinic, Webhook { position: before.position + 1, ..before.clone() }, 1).await);
    let after = read(db, &clinic, id).await;
    assert_eq!((after.position, after.state), (before.position, WebhookState::Paused));
    assert_eq!(after.version, before.version + 1);
    assert!(db.due_webhooks(node(1)).await.unwrap().is_empty(), "a paused one waits");
    let outdated = Webhook { state: WebhookState::Active, ..before };
    assert!(!commit!(db, clinic.organization, |org| org.update_webhook(&outdated).await).unwrap());
}

pub(crate) async fn nothing_of_one_is_readable_on_disk_or_by_others(db: &Fresh) {
    let (clinic, other) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let id = made(db, &clinic).await;
    let attempt = |seq| NewWebhookAttempt {
        seq: Some(seq),
        kind: "test.event",
        outcome: "delivered",
        status: Some(204),
        millis: 7,
    };
    commit!(db, clinic.organization, |org| {
        for seq in 1..=210 {
            org.insert_webhook_attempt(id, attempt(seq)).await?;
        }
        org.release_webhook(id, node(1)).await
    })
    .unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    let kept = org.webhook_attempts(id, WebhookAttemptId::GREATEST, 500).await.unwrap();
    assert_eq!((kept.len(), kept[0].seq, kept[199].seq), (200, Some(210), Some(11)));
    assert_eq!(org.webhook(id).await.unwrap().unwrap().setup.url, URL);
    drop(org);

    let mut theirs = db.read(other.organization).await.unwrap();
    assert!(theirs.webhook(id).await.unwrap().is_none() && theirs.webhooks().await.unwrap().is_empty());
    assert!(theirs.webhook_attempts(id, WebhookAttemptId::GREATEST, 9).await.unwrap().is_empty());
    drop(theirs);
    let foreign = Webhook { state: WebhookState::Paused, ..read(db, &clinic, id).await };
    assert!(!commit!(db, other.organization, |org| org.update_webhook(&foreign).await).unwrap());
    assert!(!commit!(db, other.organization, |org| org.delete_webhook(id).await).unwrap());

    let disk = db.bytes_on_disk();
    let holds = |needle: &str| disk.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("test.event"), "this search finds nothing at all");
    for secret in ["unguessable-key-of-the-address", "Doctor Quirke", "a secret of thirty-two"] {
        assert!(!holds(secret), "{secret:?} is on disk in the clear");
    }
    assert!(commit!(db, clinic.organization, |org| org.delete_webhook(id).await).unwrap());
}
