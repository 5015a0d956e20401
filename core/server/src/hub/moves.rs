//! What staff do to a conversation: from what it was to what it becomes. The same for one and for many at once.

use anteroom_model::{
    ids::StaffId,
    states::{ConversationState, Role},
    time::Timestamp,
};
use anteroom_store::Conversation;
use serde_json::{Map, Value, json};

use crate::hub::{
    actions::{Assignment, Change, NewText},
    changes::{Changed, Refusal},
    labels::LabelChange,
};

/// What becomes of it, or why not.
pub(super) type Moved = Result<Changed, Refusal>;

pub(super) fn accept(c: &mut Conversation, me: StaffId) -> Moved {
    match c.assignee_id {
        Some(holder) if holder != me => return Err(Refusal::HeldBy(holder)),
        Some(_) => return Ok(None),
        None => {}
    }
    if c.state == ConversationState::Closed {
        return Err(Refusal::Closed);
    }
    c.assignee_id = Some(me);
    Ok(Some(("conversation.accepted", json!({ "assignee_id": me }))))
}

pub(super) fn assign(c: &mut Conversation, (me, role): (StaffId, Role), wanted: &Assignment) -> Moved {
    // An agent moves what is unassigned or their own; taking it from a colleague is for leads.
    if let Some(holder) = c.assignee_id
        && holder != me
        && role == Role::Agent
    {
        return Err(Refusal::HeldBy(holder));
    }
    if c.state == ConversationState::Closed {
        return Err(Refusal::Closed);
    }
    let (from, from_team) = (c.assignee_id, c.team_id);
    c.assignee_id = wanted.assignee_id.or(c.assignee_id);
    c.team_id = wanted.team_id.or(c.team_id);
    if (from, from_team) == (c.assignee_id, c.team_id) {
        return Ok(None);
    }
    let data = json!({
        "assignee_id": c.assignee_id,
        "team_id": c.team_id,
        "from": from,
        "from_team": from_team,
    });
    Ok(Some(("conversation.assigned", data)))
}

pub(super) fn close(c: &mut Conversation, me: StaffId, new_text: NewText) -> Changed {
    if c.state == ConversationState::Closed {
        return None;
    }
    c.state = ConversationState::Closed;
    c.snoozed_until = None;
    c.waiting_since = None;
    c.reopens_to_assignee = new_text == NewText::SamePerson;
    // Where nobody had it, whoever closes it has dealt with it.
    let returns_to = c.reopens_to_assignee.then(|| *c.assignee_id.get_or_insert(me));
    Some(("conversation.closed", json!({ "returns_to": returns_to })))
}

/// `works`: whether somebody still works on conversations; what nobody does is Unassigned again.
pub(super) fn reopen(c: &mut Conversation, works: impl FnOnce(StaffId) -> bool) -> Changed {
    if c.state == ConversationState::Open {
        return None;
    }
    c.assignee_id = c.assignee_id.filter(|holder| works(*holder));
    c.state = ConversationState::Open;
    c.snoozed_until = None;
    c.reopens_to_assignee = false;
    Some(("conversation.reopened", json!({ "by": "staff" })))
}

pub(super) fn snooze(c: &mut Conversation, now: Timestamp, until: Timestamp) -> Moved {
    if until <= now {
        return Err(Refusal::Invalid("until must be in the future."));
    }
    if c.state == ConversationState::Closed {
        return Err(Refusal::Closed);
    }
    c.state = ConversationState::Snoozed;
    c.snoozed_until = Some(until);
    Ok(Some(("conversation.snoozed", json!({ "until": until }))))
}

/// Tags, category and priority; what is set here is staff's from now on.
pub(super) fn label(c: &mut Conversation, labels: &LabelChange) -> Moved {
    let mut told = Map::new();
    if let Change::To(category) = &labels.category
        && *category != c.category
    {
        told.insert("category".to_owned(), json!({ "from": c.category, "to": category }));
        c.category.clone_from(category);
    }
    if let Some(priority) = labels.priority
        && priority != c.priority
    {
        told.insert("priority".to_owned(), json!({ "from": c.priority, "to": priority }));
        c.priority = priority;
    }
    let tags = labels.applied_to(&c.tags);
    if tags.len() > Conversation::MOST_TAGS {
        return Err(Refusal::Invalid("A conversation has at most 20 tags."));
    }
    if tags != c.tags {
        let added: Vec<_> = tags.iter().filter(|tag| !c.tags.contains(tag)).collect();
        let removed: Vec<_> = c.tags.iter().filter(|tag| !tags.contains(tag)).collect();
        told.insert("tags".to_owned(), json!({ "added": added, "removed": removed }));
        c.tags = tags;
    }
    if told.is_empty() {
        return Ok(None);
    }
    for what in told.keys() {
        if !c.staff_set.contains(what) {
            c.staff_set.push(what.clone());
        }
    }
    Ok(Some(("conversation.tagged", Value::Object(told))))
}
