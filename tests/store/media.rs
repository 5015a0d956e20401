//! Files of texts: noted once, leased to one node, ended by whoever holds the lease; and looks into carriers' lists.

use std::{collections::HashSet, time::Duration};

use anteroom_model::{ids::MediaId, states::MediaState};
use anteroom_store::{MediaContent, MediaEnd, MediaItem, ReconcileEnd, Store};

use crate::harness::{Clinic, Fresh, all_at_once, commit, node};

const ANA: &str = "+15125550101";
const LINK: &str = "https://files.example/a-link-that-opens-a-picture";

fn items(count: usize) -> Vec<MediaItem> {
    let item = |at| MediaItem { url: format!("{LINK}/{at}"), content_type: Some("image/png".into()) };
    (0..count).map(item).collect()
}

fn content() -> MediaContent {
    MediaContent { kind: "image/png".into(), bytes: 7, preview_bytes: Some(3), size: Some((2, 1)) }
}

/// A text with so many files.
async fn text_with(db: &Store, clinic: &Clinic, count: usize) -> anteroom_model::ids::MessageId {
    let (message, account, items) = (clinic.receive(db, ANA, "look").await, clinic.account, items(count));
    commit!(db, clinic.organization, |org| org.insert_media(message, account, &items).await).unwrap();
    message
}

pub(crate) async fn a_texts_files_are_noted_once(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let message = text_with(db, &clinic, 3).await;
    let (account, again) = (clinic.account, items(3));
    commit!(db, clinic.organization, |org| org.insert_media(message, account, &again).await).unwrap();
    let noted = db.read(clinic.organization).await.unwrap().media_of(message).await.unwrap();
    assert_eq!(noted.iter().map(|media| media.position).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(noted.iter().all(|media| media.state == MediaState::Fetching));
    let due = db.claim_media(node(1), db.now().plus(Duration::from_secs(1)), 9).await.unwrap();
    let links: HashSet<_> = due.iter().map(|work| work.source.url.clone()).collect();
    assert_eq!(links, items(3).into_iter().map(|item| item.url).collect());
    for bytes in [LINK.as_bytes(), b"image/png"] {
        assert!(!db.bytes_on_disk().windows(bytes.len()).any(|window| window == bytes), "in the clear");
    }
}

pub(crate) async fn each_file_is_leased_to_one_node(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    text_with(db, &clinic, 40).await;
    let until = db.now().plus(Duration::from_mins(1));
    let claims = (1..=8).map(|number| {
        let store: Store = (**db).clone();
        async move { store.claim_media(node(number), until, 5).await.unwrap() }
    });
    let claimed: Vec<_> = all_at_once(claims).await.into_iter().flatten().map(|work| work.id).collect();
    let different: HashSet<_> = claimed.iter().collect();
    assert_eq!(different.len(), claimed.len(), "two nodes have the same file");
    let mut left = claimed.len();
    loop {
        let more = db.claim_media(node(9), until, 5).await.unwrap().len();
        left += more;
        if more == 0 {
            break;
        }
    }
    assert_eq!(left, 40);
    // Those of a node that is gone come back when its lease is over, or when it comes back itself.
    assert!(db.release_media(node(9)).await.unwrap() <= 40);
    db.clock.advance(Duration::from_secs(61));
    let mut again = 0;
    while let more @ 1.. =
        db.claim_media(node(10), db.now().plus(Duration::from_mins(1)), 9).await.unwrap().len()
    {
        again += more;
    }
    assert_eq!(again, 40);
}

pub(crate) async fn a_lost_lease_ends_nothing(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let message = text_with(db, &clinic, 1).await;
    let until = db.now().plus(Duration::from_mins(1));
    let [first] = &db.claim_media(node(1), until, 4).await.unwrap()[..] else { panic!("one") };
    db.clock.advance(Duration::from_secs(61));
    let until = db.now().plus(Duration::from_mins(1));
    let [second] = &db.claim_media(node(2), until, 4).await.unwrap()[..] else { panic!("one") };
    assert_eq!((first.id, first.attempt, second.attempt), (second.id, 1, 2));
    let id = first.id;
    let now = db.now();
    assert!(!commit!(db, clinic.organization, |org| org.postpone_media(id, node(1), now).await).unwrap());
    let gone = MediaEnd::Gone("expired");
    assert!(!commit!(db, clinic.organization, |org| org.finish_media(id, node(1), &gone).await).unwrap());
    let ready = MediaEnd::Ready(content());
    assert!(commit!(db, clinic.organization, |org| org.finish_media(id, node(2), &ready).await).unwrap());
    let refused = MediaEnd::Refused("kind");
    assert!(!commit!(db, clinic.organization, |org| org.finish_media(id, node(2), &refused).await).unwrap());
    let [media] = &db.read(clinic.organization).await.unwrap().media_of(message).await.unwrap()[..] else {
        panic!("one")
    };
    assert_eq!(
        (media.state, media.attempt, media.bytes, media.width),
        (MediaState::Ready, 2, Some(7), Some(2))
    );
    db.clock.advance(Duration::from_mins(10));
    assert!(db.claim_media(node(3), db.now().plus(Duration::from_secs(1)), 4).await.unwrap().is_empty());
}

pub(crate) async fn an_upload_goes_with_one_text(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (staff, colleague) = (clinic.staff, clinic.colleague);
    let ids: [MediaId; 2] = [db.ids().next(db.now()), db.ids().next(db.now())];
    for id in ids {
        commit!(db, clinic.organization, |org| org.insert_media_upload(id, staff, &content()).await).unwrap();
    }
    let [message, other] = [clinic.queue(db, ANA, "one").await, clinic.queue(db, ANA, "two").await];
    let [sent, unsent] = ids;
    let attach = async |id, message, who| {
        commit!(db, clinic.organization, |org| org.attach_media(id, message, 0, who).await).unwrap()
    };
    assert!(!attach(sent, message, colleague).await, "another's");
    assert!(attach(sent, message, staff).await);
    assert!(!attach(sent, other, staff).await, "it went with another");
    // The first send says until when its link is good.
    let (first, later) = (db.now().plus(Duration::from_secs(5)), db.now().plus(Duration::from_secs(9)));
    for until in [first, later] {
        commit!(db, clinic.organization, |org| org.link_media(message, until).await).unwrap();
    }
    commit!(db, clinic.organization, |org| org.media_fetched(sent).await).unwrap();
    let media = db.read(clinic.organization).await.unwrap().media(sent).await.unwrap().unwrap();
    assert_eq!(media.link_until, Some(first));

    assert_eq!(db.unsent_media(db.now()).await.unwrap(), []);
    db.clock.advance(Duration::from_secs(1));
    assert_eq!(db.unsent_media(db.now()).await.unwrap(), [(clinic.organization, unsent)]);
    assert!(!commit!(db, clinic.organization, |org| org.forget_media(sent).await).unwrap(), "it was sent");
    assert!(commit!(db, clinic.organization, |org| org.forget_media(unsent).await).unwrap());
    assert!(db.read(clinic.organization).await.unwrap().media(unsent).await.unwrap().is_none());
}

pub(crate) async fn a_list_is_looked_into_by_one_node_from_where_it_was(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (organization, account, start) = (clinic.organization, clinic.account, db.now());
    for _ in 0..2 {
        commit!(db, organization, |org| org.expect_reconciliation(account, start).await).unwrap();
    }
    let lease = || db.now().plus(Duration::from_mins(1));
    let work = db.claim_reconciliation(node(1), lease()).await.unwrap().unwrap();
    assert_eq!((work.account, work.listed_until, work.page), (account, None, None));
    assert!(db.claim_reconciliation(node(2), lease()).await.unwrap().is_none());
    let until = lease();
    let kept = commit!(db, organization, |org| {
        org.keep_reconciliation(account, node(1), Some("page 2 of +15125550101"), until, (3, 1)).await
    });
    assert!(kept.unwrap());
    assert!(!db.bytes_on_disk().windows(12).any(|window| window == b"+15125550101"), "in the clear");
    // The node is killed; another goes on from there.
    db.clock.advance(Duration::from_secs(61));
    let work = db.claim_reconciliation(node(2), lease()).await.unwrap().unwrap();
    assert_eq!(work.page.as_deref(), Some("page 2 of +15125550101"));
    let lost = commit!(db, organization, |org| {
        org.keep_reconciliation(account, node(1), None, until, (9, 9)).await
    });
    assert!(!lost.unwrap());
    let due_at = db.now().plus(Duration::from_mins(15));
    let end = ReconcileEnd { listed_until: Some(start), goes_on: false, due_at, outcome: "ok" };
    let stale = end.clone();
    assert!(
        !commit!(db, organization, |org| org.finish_reconciliation(account, node(1), &stale).await).unwrap()
    );
    assert!(
        commit!(db, organization, |org| org.finish_reconciliation(account, node(2), &end).await).unwrap()
    );
    let [look] = &db.read(organization).await.unwrap().reconciliations().await.unwrap()[..] else {
        panic!("one")
    };
    assert_eq!((look.found_messages, look.found_receipts, look.failures), (3, 1, 0));
    assert_eq!((look.listed_until, look.last_outcome.as_deref()), (Some(start), Some("ok")));
    assert!(db.claim_reconciliation(node(1), lease()).await.unwrap().is_none(), "not due");
    db.clock.advance(Duration::from_secs(901));
    let failed = db.claim_reconciliation(node(1), lease()).await.unwrap().unwrap();
    assert_eq!((failed.listed_until, failed.page), (Some(start), None));
    let due_at = db.now();
    let end = ReconcileEnd { listed_until: None, goes_on: true, due_at, outcome: "unreachable" };
    assert!(
        commit!(db, organization, |org| org.finish_reconciliation(account, node(1), &end).await).unwrap()
    );
    let [look] = &db.read(organization).await.unwrap().reconciliations().await.unwrap()[..] else {
        panic!("one")
    };
    assert_eq!((look.listed_until, look.failures), (Some(start), 1));
    // A node's next life gives back what it had leased.
    db.claim_reconciliation(node(3), lease()).await.unwrap().unwrap();
    assert_eq!(db.release_reconciliations(node(3)).await.unwrap(), 1);
    assert!(db.claim_reconciliation(node(4), lease()).await.unwrap().is_some());
}
