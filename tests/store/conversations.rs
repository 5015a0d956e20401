//! Conversations: optimistic versions, accepting, queues.

use std::time::Duration;

use anteroom_model::{
    ids::{ConversationId, StaffId},
    states::ConversationState,
    time::Timestamp,
};
use anteroom_store::{
    Actor, Conversation, ConversationChange, ConversationFilter, NewEvent, Store, StoreError,
};
use serde_json::json;

use crate::harness::{Clinic, Fresh, all_at_once, commit};

/// A conversation with `peer`, waiting since now.
async fn begin(db: &Fresh, clinic: &Clinic, peer: &str) -> Conversation {
    let id: ConversationId = db.ids().next(db.now());
    let conversation = Conversation {
        waiting_since: Some(db.now()),
        ..Conversation::begin(id, clinic.number, Some(clinic.facility), peer, db.now())
    };
    let stored = conversation.clone();
    commit!(db, clinic.organization, |org| org.insert_conversation(&stored).await).unwrap();
    conversation
}

async fn update(
    store: &Store,
    clinic: &Clinic,
    mut conversation: Conversation,
) -> (ConversationChange, Conversation) {
    commit!(store, clinic.organization, |org| {
        let change = org.update_conversation(&mut conversation).await?;
        Ok((change, conversation))
    })
    .unwrap()
}

async fn read(db: &Fresh, clinic: &Clinic, id: ConversationId) -> Conversation {
    db.read(clinic.organization).await.unwrap().conversation(id).await.unwrap().unwrap()
}

pub(crate) async fn a_change_of_what_was_read_before_is_outdated(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let first = begin(db, &clinic, "+15125550101").await;
    assert_eq!(read(db, &clinic, first.id).await, first);
    let mine = Conversation { tags: vec!["mine".into()], ..first.clone() };
    let theirs = Conversation { tags: vec!["theirs".into()], ..first.clone() };
    let (change, stored) = update(db, &clinic, mine).await;
    assert_eq!((change, stored.version), (ConversationChange::Stored, first.version + 1));
    let (change, refused) = update(db, &clinic, theirs.clone()).await;
    assert_eq!((change, refused), (ConversationChange::Outdated, theirs));
    assert_eq!(read(db, &clinic, first.id).await, stored);
}

pub(crate) async fn one_for_each_peer_and_number(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let first = begin(db, &clinic, "+15125550101").await;
    let id: ConversationId = db.ids().next(db.now());
    let again = Conversation { id, ..first.clone() };
    let elsewhere = Conversation { number_id: clinic.other_number, ..again.clone() };
    let refused = commit!(db, clinic.organization, |org| org.insert_conversation(&again).await);
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    commit!(db, clinic.organization, |org| org.insert_conversation(&elsewhere).await).unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    for (number, expected) in [(clinic.number, first.id), (clinic.other_number, id)] {
        let found = org.conversation_with(number, "+15125550101").await.unwrap().unwrap();
        assert_eq!(found.id, expected);
    }
    assert!(org.conversation_with(clinic.number, "+15125550102").await.unwrap().is_none());
}

pub(crate) async fn of_fifty_who_accept_at_once_one_wins(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let conversation = begin(db, &clinic, "+15125550101").await;
    let id = conversation.id;
    // Each reads within its transaction, as the API does.
    let accepts = (0..50).map(|number| {
        let store = Store::clone(db);
        let me = if number % 2 == 0 { clinic.staff } else { clinic.colleague };
        async move { accept(&store, &clinic, id, me).await }
    });
    let winners = all_at_once(accepts).await.into_iter().flatten().count();
    assert_eq!(winners, 1);
    let accepted = read(db, &clinic, id).await;
    assert_eq!(accepted.version, conversation.version + 1);
    let events = db.read(clinic.organization).await.unwrap().events_of(id, i64::MAX, 1_000).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].actor_id, accepted.assignee_id);

    // Each writes what it read before: the version decides.
    let other = begin(db, &clinic, "+15125550102").await;
    let accepts = (0..50).map(|_| {
        let store = Store::clone(db);
        let mine = Conversation { assignee_id: Some(clinic.staff), ..other.clone() };
        async move { update(&store, &clinic, mine).await.0 }
    });
    let changes = all_at_once(accepts).await;
    assert_eq!(changes.iter().filter(|change| **change == ConversationChange::Stored).count(), 1);
}

/// `Err`: whoever has it already.
async fn accept(store: &Store, clinic: &Clinic, id: ConversationId, me: StaffId) -> Result<(), StaffId> {
    commit!(store, clinic.organization, |org| {
        let mut conversation = org.conversation(id).await?.ok_or(StoreError::NoOrganization)?;
        if let Some(holder) = conversation.assignee_id {
            return Ok(Err(holder));
        }
        conversation.assignee_id = Some(me);
        if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
            let winner = org.conversation(id).await?.and_then(|conversation| conversation.assignee_id);
            return Ok(Err(winner.expect("who was faster")));
        }
        let (kind, data) = ("conversation.accepted", json!({}));
        org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Staff(me), data });
        Ok(Ok(()))
    })
    .unwrap()
}

pub(crate) async fn queues_hold_what_they_say(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    commit!(db, clinic.organization, |org| org.add_to_team(clinic.team, clinic.staff).await).unwrap();
    let mut made = Vec::new();
    for number in 0..6 {
        db.clock.advance(Duration::from_secs(1));
        made.push(begin(db, &clinic, &format!("+1512555010{number}")).await);
    }
    let later = db.now().plus(Duration::from_mins(10));
    let [unassigned, mine, theirs, snoozed, closed, team] = [0, 1, 2, 3, 4, 5].map(|n| made[n].clone());
    let answered = Conversation { waiting_since: None, ..unassigned.clone() };
    for changed in [
        answered,
        Conversation { assignee_id: Some(clinic.staff), ..mine.clone() },
        Conversation { assignee_id: Some(clinic.colleague), ..theirs.clone() },
        Conversation { state: ConversationState::Snoozed, snoozed_until: Some(later), ..snoozed.clone() },
        Conversation { state: ConversationState::Closed, ..closed.clone() },
        Conversation { team_id: Some(clinic.team), ..team.clone() },
    ] {
        assert_eq!(update(db, &clinic, changed).await.0, ConversationChange::Stored);
    }
    let mut org = db.read(clinic.organization).await.unwrap();
    // The longest waiting first; what was answered waits for nobody and comes last.
    for (filter, expected) in [
        (ConversationFilter::Unassigned, vec![team.id, unassigned.id]),
        (ConversationFilter::Mine(clinic.staff), vec![mine.id]),
        (ConversationFilter::Team(clinic.staff), vec![team.id]),
        (ConversationFilter::Team(clinic.colleague), vec![]),
        (ConversationFilter::All, vec![mine.id, theirs.id, snoozed.id, team.id, unassigned.id]),
    ] {
        let whole: Vec<_> = org.queue(filter, None, 10).await.unwrap().iter().map(|c| c.id).collect();
        assert_eq!(whole, expected, "{filter:?}");
        let mut paged = Vec::new();
        let mut after = None;
        while let Some(next) = org.queue(filter, after, 1).await.unwrap().pop() {
            after = Some((next.waiting_since.unwrap_or(Timestamp::from_micros(i64::MAX)), next.id));
            paged.push(next.id);
        }
        assert_eq!(paged, expected, "{filter:?} page by page");
    }
    let counts = org.queue_counts(clinic.staff).await.unwrap();
    assert_eq!((counts.unassigned, counts.mine, counts.team, counts.all_open), (2, 1, 1, 5));
    assert_eq!(org.closed_count().await.unwrap(), 1);
    assert_eq!(org.closed(None, 10).await.unwrap()[0].id, closed.id);
}

pub(crate) async fn a_snooze_is_due_at_its_moment(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let conversation = begin(db, &clinic, "+15125550101").await;
    let id = conversation.id;
    let until = db.now().plus(Duration::from_mins(10));
    let snoozed =
        Conversation { state: ConversationState::Snoozed, snoozed_until: Some(until), ..conversation };
    update(db, &clinic, snoozed).await;
    db.clock.advance(Duration::from_secs(599));
    assert_eq!(db.due_snoozed().await.unwrap(), []);
    db.clock.advance(Duration::from_secs(1));
    assert_eq!(db.due_snoozed().await.unwrap(), [(clinic.organization, id)]);
}
