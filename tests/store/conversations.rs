//! Conversations: optimistic versions, accepting, queues.

use std::time::Duration;

use anteroom_model::{
    ids::{ConversationId, StaffId},
    states::{ConversationState, Priority, QueueName, Sharing},
};
use anteroom_store::{
    Actor, Conversation, ConversationChange, Filters, NewEvent, Org, Queue, SavedView, Store, StoreError,
    ViewContent,
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
    let none = Filters::default();
    // The longest waiting first; what was answered waits for nobody and comes last.
    for (queue, expected) in [
        (Queue::Unassigned, vec![team.id, unassigned.id]),
        (Queue::Mine(clinic.staff), vec![mine.id]),
        (Queue::Team(clinic.staff), vec![team.id]),
        (Queue::Team(clinic.colleague), vec![]),
        (Queue::All, vec![mine.id, theirs.id, snoozed.id, team.id, unassigned.id]),
        (Queue::Snoozed, vec![snoozed.id]),
        (Queue::Closed, vec![closed.id]),
    ] {
        let whole: Vec<_> = org.queue(queue, &none, None, 10).await.unwrap().iter().map(|c| c.id).collect();
        assert_eq!(whole, expected, "{queue:?}");
        assert_eq!(paged(&mut org, queue, &none).await, expected, "{queue:?} page by page");
        let counted = org.count_in_queue(queue, &none).await.unwrap();
        assert_eq!(counted, i64::try_from(expected.len()).unwrap(), "{queue:?}");
    }
    let counts = org.queue_counts(clinic.staff).await.unwrap();
    assert_eq!((counts.unassigned, counts.mine, counts.team, counts.all_open), (2, 1, 1, 5));
    assert_eq!((counts.snoozed, counts.closed), (1, 1));
}

/// A queue, one conversation a page.
async fn paged(org: &mut Org<'_>, queue: Queue, filters: &Filters) -> Vec<ConversationId> {
    let (mut paged, mut after) = (Vec::new(), None);
    while let Some(next) = org.queue(queue, filters, after, 1).await.unwrap().pop() {
        after = Some(queue.position(&next));
        paged.push(next.id);
    }
    paged
}

pub(crate) async fn snoozed_ones_stand_in_the_order_they_come_back_and_closed_ones_newest_first(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let mut made = Vec::new();
    for number in 0..6 {
        db.clock.advance(Duration::from_secs(1));
        made.push(begin(db, &clinic, &format!("+1512555010{number}")).await);
    }
    for (number, minutes) in [(0, 30), (1, 10), (2, 20)] {
        let until = Some(db.now().plus(Duration::from_mins(minutes)));
        let asleep =
            Conversation { state: ConversationState::Snoozed, snoozed_until: until, ..made[number].clone() };
        update(db, &clinic, asleep).await;
    }
    for closed in &made[3..6] {
        update(db, &clinic, Conversation { state: ConversationState::Closed, ..closed.clone() }).await;
    }
    let mut org = db.read(clinic.organization).await.unwrap();
    let none = Filters::default();
    assert_eq!(paged(&mut org, Queue::Snoozed, &none).await, [1, 2, 0].map(|number| made[number].id));
    assert_eq!(paged(&mut org, Queue::Closed, &none).await, [5, 4, 3].map(|number| made[number].id));
}

pub(crate) async fn filters_let_through_what_has_one_of_each(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let mut made = Vec::new();
    for number in 0..4 {
        db.clock.advance(Duration::from_secs(1));
        made.push(begin(db, &clinic, &format!("+1512555010{number}")).await);
    }
    let id: ConversationId = db.ids().next(db.now());
    let elsewhere = Conversation {
        facility_id: None,
        ..Conversation::begin(id, clinic.other_number, None, "+15125550101", db.now())
    };
    let stored = elsewhere.clone();
    commit!(db, clinic.organization, |org| org.insert_conversation(&stored).await).unwrap();
    let ids: Vec<_> = made.iter().map(|conversation| conversation.id).collect();
    for changed in [
        Conversation {
            team_id: Some(clinic.team),
            tags: vec!["late".into(), "vip".into()],
            ..made[0].clone()
        },
        Conversation { category: Some("refill".into()), tags: vec!["vip".into()], ..made[1].clone() },
        Conversation { priority: Priority::Urgent, category: Some("bill".into()), ..made[2].clone() },
        Conversation { state: ConversationState::Closed, tags: vec!["vip".into()], ..made[3].clone() },
    ] {
        update(db, &clinic, changed).await;
    }
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let mut org = db.read(clinic.organization).await.unwrap();
    for (filters, expected) in [
        (Filters { teams: vec![clinic.team], ..Filters::default() }, vec![ids[0]]),
        (Filters { facilities: vec![clinic.facility], ..Filters::default() }, ids[..3].to_vec()),
        (Filters { numbers: vec![clinic.other_number], ..Filters::default() }, vec![elsewhere.id]),
        (Filters { tags: tags(&["vip"]), ..Filters::default() }, vec![ids[0], ids[1]]),
        (Filters { tags: tags(&["late", "vip"]), ..Filters::default() }, vec![ids[0], ids[1]]),
        (Filters { tags: tags(&["nobody's"]), ..Filters::default() }, vec![]),
        (Filters { categories: tags(&["refill", "bill"]), ..Filters::default() }, vec![ids[1], ids[2]]),
        (Filters { priorities: vec![Priority::Urgent], ..Filters::default() }, vec![ids[2]]),
        (Filters { tags: tags(&["vip"]), categories: tags(&["refill"]), ..Filters::default() }, vec![ids[1]]),
        (Filters { tags: tags(&["late"]), priorities: vec![Priority::Urgent], ..Filters::default() }, vec![]),
    ] {
        assert_eq!(paged(&mut org, Queue::All, &filters).await, expected, "{filters:?}");
        let counted = org.count_in_queue(Queue::All, &filters).await.unwrap();
        assert_eq!(counted, i64::try_from(expected.len()).unwrap(), "{filters:?}");
    }
    let vip = Filters { tags: tags(&["vip"]), ..Filters::default() };
    assert_eq!(paged(&mut org, Queue::Closed, &vip).await, [ids[3]]);
    assert_eq!(org.tags_in_use(9).await.unwrap(), ["late", "vip"]);
    assert_eq!(org.tags_in_use(1).await.unwrap(), ["late"]);
    assert_eq!(org.categories_in_use(9).await.unwrap(), ["bill", "refill"]);
    drop(org);

    // A tag that is taken off is found no more.
    let now = read(db, &clinic, ids[0]).await;
    update(db, &clinic, Conversation { tags: tags(&["vip"]), ..now }).await;
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.tags_in_use(9).await.unwrap(), ["vip"]);
    let late = Filters { tags: tags(&["late"]), ..Filters::default() };
    assert!(paged(&mut org, Queue::All, &late).await.is_empty());
}

pub(crate) async fn views_are_seen_by_those_they_are_shared_with(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    commit!(db, clinic.organization, |org| org.add_to_team(clinic.team, clinic.colleague).await).unwrap();
    let content = |name: &str| ViewContent {
        name: name.to_owned(),
        queue: QueueName::All,
        filters: Filters { teams: vec![clinic.team], ..Filters::default() },
    };
    let mut made = Vec::new();
    for (name, shared, team) in [
        ("mine", Sharing::Nobody, None),
        ("everybody's", Sharing::Everybody, None),
        ("the team's", Sharing::Team, Some(clinic.team)),
    ] {
        let content = content(name);
        made.push(
            commit!(db, clinic.organization, |org| {
                org.insert_view(clinic.staff, (shared, team), &content).await
            })
            .unwrap(),
        );
    }
    let mut org = db.read(clinic.organization).await.unwrap();
    let names = async |org: &mut Org<'_>, staff| -> Vec<String> {
        org.views_of(staff).await.unwrap().into_iter().map(|view| view.content.name).collect()
    };
    assert_eq!(names(&mut org, clinic.staff).await, ["mine", "everybody's", "the team's"]);
    assert_eq!(names(&mut org, clinic.colleague).await, ["everybody's", "the team's"]);
    let view = org.view(made[2]).await.unwrap().unwrap();
    assert_eq!((&view.content, view.version), (&content("the team's"), 1));
    drop(org);
    let disk = db.bytes_on_disk();
    assert!(!disk.windows(10).any(|bytes| bytes == b"the team's"), "what people call a view is sealed");
    let renamed = SavedView { content: content("ours"), ..view.clone() };
    let (first, second) = commit!(db, clinic.organization, |org| {
        Ok((org.update_view(&renamed).await?, org.update_view(&renamed).await?))
    })
    .unwrap();
    assert_eq!((first, second), (true, false), "the second has an old version");
    let id = made[0];
    commit!(db, clinic.organization, |org| org.delete_view(id).await).unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(names(&mut org, clinic.staff).await, ["everybody's", "ours"]);
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
