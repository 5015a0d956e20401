//! Leasing inbound messages: in order within a lane, in parallel across lanes, to one process at a time.

use std::{collections::HashSet, time::Duration};

use anteroom_model::{
    ids::{MessageId, NodeId, OrganizationId},
    states::{Direction, MessageState},
    time::Timestamp,
};
use anteroom_store::{NewInbound, Store};

use crate::harness::{Clinic, Fresh, all_at_once, commit, node};

const LEASE: Duration = Duration::from_mins(1);
const PEERS: [&str; 3] = ["+15125550101", "+15125550102", "+15125550103"];

async fn claim(db: &Fresh, by: NodeId, limit: u32) -> Vec<MessageId> {
    let work = db.claim_inbound(by, db.now().plus(LEASE), limit).await.unwrap().work;
    work.into_iter().map(|work| work.id).collect()
}

async fn finish(store: &Store, organization: OrganizationId, id: MessageId, by: NodeId) -> bool {
    commit!(store, organization, |org| org.finish_inbound(id, by, MessageState::Processed, None).await)
        .unwrap()
}

async fn postpone(
    store: &Store,
    organization: OrganizationId,
    id: MessageId,
    state: MessageState,
    due: Option<Timestamp>,
) -> bool {
    commit!(store, organization, |org| org.postpone_inbound(id, node(1), state, due).await).unwrap()
}

/// Three texts of each peer, in turns.
async fn three_lanes(db: &Fresh, clinic: &Clinic) -> [[MessageId; 3]; 3] {
    let mut rounds = [[MessageId::LEAST; 3]; 3];
    for round in &mut rounds {
        for (peer, id) in PEERS.iter().zip(round) {
            db.clock.advance(Duration::from_millis(1));
            *id = clinic.receive(db, peer, "hello").await;
        }
    }
    std::array::from_fn(|lane| rounds.map(|round| round[lane]))
}

pub(crate) async fn the_oldest_of_each_lane_is_leased(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let [a, b, c] = three_lanes(db, &clinic).await;
    assert_eq!(sorted(claim(db, node(1), 2).await), [a[0], b[0]], "the limit takes the longest waiting");
    assert_eq!(claim(db, node(2), 10).await, [c[0]]);
    assert_eq!(claim(db, node(3), 10).await, [], "everything else waits behind what is leased");
    for text in 0..3 {
        assert!(finish(db, clinic.organization, b[text], node(if text == 0 { 1 } else { 4 })).await);
        let next: Vec<_> = b.get(text + 1).copied().into_iter().collect();
        assert_eq!(claim(db, node(4), 10).await, next);
    }
}

pub(crate) async fn a_lane_is_a_peer_on_a_number_of_an_organization(db: &Fresh) {
    let (a, b) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let first = a.receive(db, PEERS[0], "hello").await;
    let second = a.receive(db, PEERS[0], "behind the first").await;
    let other_number = NewInbound { number: a.other_number, ..a.text(db, PEERS[0], "hello").await };
    let other_number_id = other_number.id;
    db.receive(other_number).await.unwrap();
    let other_clinic = b.receive(db, PEERS[0], "hello").await;
    let claimed = claim(db, node(1), 10).await;
    assert_eq!(sorted(claimed), sorted(vec![first, other_number_id, other_clinic]));
    assert!(finish(db, a.organization, first, node(1)).await);
    assert_eq!(claim(db, node(1), 10).await, [second]);
}

pub(crate) async fn a_lost_lease_can_not_finish(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = clinic.receive(db, PEERS[0], "hello").await;
    let work = db.claim_inbound(node(1), db.now().plus(LEASE), 1).await.unwrap().work;
    assert_eq!((work[0].id, work[0].attempt, work[0].body.as_str()), (id, 1, "hello"));
    db.clock.advance(Duration::from_secs(59));
    assert_eq!(claim(db, node(2), 1).await, [], "the lease still holds");
    db.clock.advance(Duration::from_secs(1));
    let work = db.claim_inbound(node(2), db.now().plus(LEASE), 1).await.unwrap().work;
    assert_eq!((work[0].id, work[0].attempt), (id, 2));

    assert!(!finish(db, clinic.organization, id, node(1)).await, "somebody else has it");
    assert!(!postpone(db, clinic.organization, id, MessageState::Received, Some(db.now())).await);
    assert!(finish(db, clinic.organization, id, node(2)).await);
    assert!(!finish(db, clinic.organization, id, node(2)).await, "it is done");

    // A lease that ended but that nobody took up: the work was not in vain.
    let id = clinic.receive(db, PEERS[0], "again").await;
    assert_eq!(claim(db, node(1), 1).await, [id]);
    db.clock.advance(LEASE * 2);
    assert!(finish(db, clinic.organization, id, node(1)).await);
    assert_eq!(db.oldest_due(Direction::Inbound).await.unwrap().count, 0);
}

pub(crate) async fn a_postponed_message_holds_back_its_own_lane_only(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let [a, b, _] = three_lanes(db, &clinic).await;
    claim(db, node(1), 10).await;
    let later = db.now().plus(Duration::from_secs(5));
    assert!(postpone(db, clinic.organization, a[0], MessageState::Received, Some(later)).await);
    assert!(finish(db, clinic.organization, b[0], node(1)).await);
    assert_eq!(claim(db, node(2), 10).await, [b[1]]);
    db.clock.advance(Duration::from_secs(5));
    let work = db.claim_inbound(node(2), db.now().plus(LEASE), 10).await.unwrap().work;
    assert_eq!(work.iter().map(|work| (work.id, work.attempt)).collect::<Vec<_>>(), [(a[0], 2)]);
}

pub(crate) async fn the_dead_hold_nobody_back(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let [a, b, c] = three_lanes(db, &clinic).await;
    claim(db, node(1), 1).await;
    assert!(postpone(db, clinic.organization, a[0], MessageState::Dead, None).await);
    assert_eq!(sorted(claim(db, node(1), 10).await), sorted(vec![a[1], b[0], c[0]]));
    let dead = db.read(clinic.organization).await.unwrap().message(a[0]).await.unwrap().unwrap();
    assert_eq!(dead.state, MessageState::Dead);
    let due = db.oldest_due(Direction::Inbound).await.unwrap();
    assert_eq!(due.count, 8);

    // A person looks through them, and has one tried again.
    let mut org = db.read(clinic.organization).await.unwrap();
    let listed = |list: Vec<anteroom_store::Message>| list.into_iter().map(|m| m.id).collect::<Vec<_>>();
    assert_eq!(listed(org.set_aside(None, MessageId::GREATEST, 10).await.unwrap()), [a[0]]);
    let failed = org.set_aside(Some(MessageState::Failed), MessageId::GREATEST, 10).await.unwrap();
    assert_eq!(listed(failed), []);
    drop(org);
    assert!(commit!(db, clinic.organization, |org| org.retry_inbound(a[0]).await).unwrap());
    assert!(!commit!(db, clinic.organization, |org| org.retry_inbound(a[0]).await).unwrap());
    assert_eq!(claim(db, node(2), 10).await, [a[0]], "the oldest of its lane again");
}

pub(crate) async fn claims_at_once_never_share_a_message(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    for number in 0..40 {
        clinic.receive(db, &format!("+1512556{number:04}"), "hello").await;
    }
    let claims = (1..=8).map(|by| {
        let store = Store::clone(db);
        async move { store.claim_inbound(node(by), store.now().plus(LEASE), 10).await.unwrap().work }
    });
    let claimed: Vec<_> = all_at_once(claims).await.into_iter().flatten().map(|work| work.id).collect();
    assert_eq!(claimed.len(), 40);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 40);
}

pub(crate) async fn released_leases_are_taken_up_again(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let text = clinic.receive(db, PEERS[0], "hello").await;
    let waiting = clinic.receive(db, PEERS[0], "behind it").await;
    let reply = clinic.queue(db, PEERS[1], "being sent when the process died").await;
    assert_eq!(claim(db, node(1), 10).await, [text]);
    assert_eq!(db.claim_outbound(node(1), db.now().plus(LEASE), 10).await.unwrap().work.len(), 1);

    assert_eq!(db.release_leases(None).await.unwrap(), 2);
    let work = db.claim_inbound(node(2), db.now().plus(LEASE), 10).await.unwrap().work;
    assert_eq!(work.iter().map(|work| (work.id, work.attempt)).collect::<Vec<_>>(), [(text, 2)]);
    assert!(!finish(db, clinic.organization, text, node(1)).await, "the ended process has no say");
    assert!(finish(db, clinic.organization, text, node(2)).await);
    assert_eq!(claim(db, node(2), 10).await, [waiting]);

    let outbound = || db.claim_outbound(node(2), db.now().plus(LEASE), 10);
    assert!(outbound().await.unwrap().work.is_empty(), "it may still be on its way to the carrier");
    db.clock.advance(Duration::from_secs(3));
    let work = outbound().await.unwrap().work;
    assert_eq!((work[0].id, work[0].attempt, work[0].in_doubt), (reply, 2, true));
}

fn sorted(mut ids: Vec<MessageId>) -> Vec<MessageId> {
    ids.sort();
    ids
}
