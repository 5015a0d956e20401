//! Registrations, links and deliveries that were kept.

use std::time::Duration;

use anteroom_model::{
    ids::DeliveryId,
    registration::PartState,
    states::{DeliveryState, LinkState, RegistrationPart, RegistrationSource},
};
use anteroom_store::{DeliveryContent, LinkText, NewKeptDelivery, NumberRegistration, RawDelivery};

use crate::harness::{Clinic, Fresh, all_at_once, commit, node};

fn text(id: &str) -> DeliveryContent {
    DeliveryContent::Text(LinkText {
        carrier_message_id: id.into(),
        from: "+15125550199".into(),
        to: "+18005550100".into(),
        body: "my knee hurts, says the Murmeltier".into(),
        part: None,
    })
}

fn kept(clinic: &Clinic, state: DeliveryState, content: DeliveryContent) -> NewKeptDelivery {
    NewKeptDelivery {
        carrier_account_id: clinic.account,
        endpoint: "messages",
        state,
        reason: "missing_field",
        content,
    }
}

pub(crate) async fn each_number_is_asked_about_by_one_node(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let now = db.now();
    let until = now.plus(Duration::from_mins(5));
    assert_eq!(db.claim_registration(node(1), until).await.unwrap(), None, "none is due");
    let mut known = NumberRegistration::new(clinic.number, RegistrationSource::Carrier, now);
    known.due_at = Some(now);
    known.parts = vec![PartState {
        part: RegistrationPart::Brand,
        state: Some("APPROVED".into()),
        reason: Some("Quetzalcoatl said so".into()),
        reference: Some("BN1".into()),
    }];
    let stored = known.clone();
    commit!(db, clinic.organization, |org| org.put_registration(&stored).await).unwrap();
    let claims: Vec<_> = (1..=8)
        .map(|number| {
            let store = (**db).clone();
            async move { store.claim_registration(node(number), until).await.unwrap() }
        })
        .collect();
    let claimed: Vec<_> = all_at_once(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed, [(clinic.organization, clinic.number)]);
    assert_eq!(db.claim_registration(node(99), until).await.unwrap(), None, "it is leased");

    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.registration(clinic.number).await.unwrap().unwrap().parts, known.parts);
    assert_eq!(org.registration(clinic.other_number).await.unwrap(), None);
    assert_eq!(org.registrations().await.unwrap().len(), 1);
    drop(org);
    // Storing what was said ends the lease; what is not due is left alone.
    known.due_at = Some(now.plus(Duration::from_hours(6)));
    commit!(db, clinic.organization, |org| org.put_registration(&known).await).unwrap();
    assert_eq!(db.claim_registration(node(99), until).await.unwrap(), None);
    assert!(!holds(db, "Quetzalcoatl"), "a carrier's reason is on disk in the clear");
}

pub(crate) async fn what_may_come_again_is_expected_until_it_is_settled(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (organization, account) = (clinic.organization, clinic.account);
    let expect = async |id: &'static str, fingerprint: &'static [u8]| {
        commit!(db, organization, |org| org.expect_link_delivery(account, id, fingerprint).await).unwrap();
    };
    expect("s-1", b"knee").await;
    expect("s-2", b"refill").await;
    // The same text once more: another one. The same id once more: the same.
    expect("s-3", b"knee").await;
    expect("s-1", b"knee").await;
    let expected = async || {
        let mut org = db.read(organization).await.unwrap();
        let mut expected = org.expected_link_deliveries(account).await.unwrap();
        expected.sort();
        expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    };
    assert_eq!(expected().await, ["s-1", "s-3", "s-2"]);
    let settled = vec!["s-1".to_owned(), "never-given".to_owned()];
    commit!(db, organization, |org| org.settle_link_deliveries(account, &settled).await).unwrap();
    assert_eq!(expected().await, ["s-3", "s-2"]);
    db.clock.advance(Duration::from_hours(49));
    assert!(expected().await.is_empty(), "no message centre repeats that late");
    assert_eq!(db.forget_link_deliveries().await.unwrap(), 2);
    assert_eq!(db.forget_link_deliveries().await.unwrap(), 0);
}

pub(crate) async fn a_link_is_one_nodes_until_it_is_not_heard_of(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let other = Clinic::new(db, "B").await;
    let until = db.now().plus(Duration::from_secs(20));
    let organization = clinic.organization;
    let hold = async |number, state| {
        commit!(db, organization, |org| org.hold_link(clinic.account, node(number), until, state).await)
            .unwrap()
    };
    assert!(hold(1, LinkState::Down).await);
    assert!(!hold(2, LinkState::Up).await, "it is another's");
    assert!(hold(1, LinkState::Up).await, "its own it keeps");
    let link = db.read(organization).await.unwrap().link(clinic.account).await.unwrap().unwrap();
    assert_eq!((link.node, link.state), (node(1), LinkState::Up));
    assert_eq!(db.read(other.organization).await.unwrap().links().await.unwrap(), []);

    let released = commit!(db, organization, |org| org.release_link(clinic.account, node(2)).await);
    assert!(!released.unwrap(), "who hasn't it can't give it up");
    db.clock.advance(Duration::from_secs(20));
    let later = db.now().plus(Duration::from_secs(20));
    let taken = commit!(db, organization, |org| {
        org.hold_link(clinic.account, node(2), later, LinkState::Down).await
    });
    assert!(taken.unwrap(), "the first one was not heard of");
    assert!(!hold(1, LinkState::Up).await, "it is too late");
    commit!(db, organization, |org| org.release_link(clinic.account, node(2)).await).unwrap();
    assert!(hold(1, LinkState::Down).await, "given up, it is anybody's");
}

pub(crate) async fn a_delivery_is_kept_once(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let state = DeliveryState::Unparsed;
    let keep = async |new: NewKeptDelivery| {
        commit!(db, clinic.organization, |org| org.keep_delivery(&new).await).unwrap()
    };
    let (first, is_first) = keep(kept(&clinic, state, text("1"))).await.unwrap();
    assert!(is_first);
    assert_eq!(keep(kept(&clinic, state, text("1"))).await, None, "the same again");
    let (second, is_first) = keep(kept(&clinic, state, text("2"))).await.unwrap();
    assert!(!is_first);
    // Signed anew, the same body is the same delivery.
    let request = |signature: &str| {
        DeliveryContent::Request(RawDelivery {
            method: "POST".into(),
            path_and_query: "/webhooks/sandbox/1".into(),
            headers: vec![("x-signature".into(), signature.into())],
            body: b"not json \0".to_vec(),
            public_url: "https://clinic.example/".into(),
        })
    };
    let undeliverable = DeliveryState::Undeliverable;
    let (third, is_first) = keep(kept(&clinic, undeliverable, request("a"))).await.unwrap();
    assert!(is_first, "of its state");
    assert_eq!(keep(kept(&clinic, undeliverable, request("b"))).await, None);

    let mut org = db.read(clinic.organization).await.unwrap();
    let ids = |list: Vec<anteroom_store::KeptDelivery>| list.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(org.kept_deliveries(state, DeliveryId::GREATEST, 9).await.unwrap()), [second, first]);
    assert_eq!(ids(org.kept_deliveries(state, second, 9).await.unwrap()), [first]);
    let read = org.kept_delivery(third).await.unwrap().unwrap();
    assert!(read.content == request("a"), "byte for byte");
    drop(org);
    commit!(db, clinic.organization, |org| {
        org.delivery_retried(third, DeliveryState::Taken, "number_unknown").await
    })
    .unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    let read = org.kept_delivery(third).await.unwrap().unwrap();
    assert_eq!((read.state, read.attempts), (DeliveryState::Taken, 1));
    assert_eq!(org.kept_deliveries(undeliverable, DeliveryId::GREATEST, 9).await.unwrap().len(), 0);
    drop(org);
    assert!(!holds(db, "Murmeltier") && !holds(db, "15125550199"), "a delivery is on disk in the clear");
}

fn holds(db: &Fresh, needle: &str) -> bool {
    db.bytes_on_disk().windows(needle.len()).any(|window| window == needle.as_bytes())
}
