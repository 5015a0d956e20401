//! Storing what carriers deliver, once.

use anteroom_model::{ids::CarrierAccountId, states::MessageState};
use anteroom_store::{NewInbound, Received, Store};

use crate::harness::{Clinic, Fresh, all_at_once, node};

const PEER: &str = "+15125550101";

pub(crate) async fn a_second_delivery_is_a_duplicate(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let first = clinic.text(db, PEER, "once").await;
    let again = NewInbound {
        carrier_message_id: first.carrier_message_id.clone(),
        ..clinic.text(db, PEER, "again").await
    };
    let again_id = again.id;
    assert_eq!(db.receive(first.clone()).await.unwrap(), Received::Fresh);
    assert_eq!(db.receive(again).await.unwrap(), Received::Duplicate);
    let mut org = db.read(clinic.organization).await.unwrap();
    let kept = org.message(first.id).await.unwrap().unwrap();
    assert_eq!((kept.body.as_str(), kept.peer.as_str(), kept.state), ("once", PEER, MessageState::Received));
    assert!(org.message(again_id).await.unwrap().is_none());
}

pub(crate) async fn of_many_deliveries_at_once_one_is_stored(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    // Twenty texts, each delivered five times, all in the same moment and in mixed order.
    let mut jobs = Vec::new();
    for copy in 0..5 {
        for number in 0..20 {
            let text = clinic.text(db, &format!("+1512555{number:04}"), &format!("copy {copy}")).await;
            let text = NewInbound { carrier_message_id: format!("sm-{number}"), ..text };
            let store = Store::clone(db);
            jobs.push(async move { store.receive(text).await.unwrap() });
        }
    }
    let outcomes = all_at_once(jobs).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Received::Fresh).count(), 20);
    let claimed = db.claim_inbound(node(1), db.now(), 200).await.unwrap().work;
    assert_eq!(claimed.len(), 20);
}

pub(crate) async fn the_same_id_of_another_account_is_another_message(db: &Fresh) {
    let (a, b) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let same = |text: NewInbound| NewInbound { carrier_message_id: "sm-1".into(), ..text };
    let other_account: CarrierAccountId = db.ids().next(db.now());
    let texts = [
        same(a.text(db, PEER, "A").await),
        same(NewInbound { carrier_account: other_account, ..a.text(db, PEER, "A's other account").await }),
        same(b.text(db, PEER, "B").await),
    ];
    for text in texts {
        assert_eq!(db.receive(text).await.unwrap(), Received::Fresh);
    }
}

pub(crate) async fn one_that_can_not_be_opened_keeps_nobody_waiting(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let mut broken = clinic.text(db, PEER, "broken on its way to the disk").await;
    *broken.body.last_mut().unwrap() ^= 1;
    db.receive(broken).await.unwrap();
    let whole = clinic.receive(db, "+15125550102", "whole").await;
    let claimed = db.claim_inbound(node(1), db.now(), 10).await.unwrap().work;
    assert_eq!(claimed.iter().map(|work| work.id).collect::<Vec<_>>(), [whole]);
}
