//! One inbound message: what is known, what is decided, what is stored.

use anteroom_model::{
    ids::ConversationId,
    keywords::{self, Keyword},
    states::{ConversationState, Priority},
};
use anteroom_store::{Actor, Conversation, InboundWork, StoreError};
use serde_json::json;

use crate::{
    app::App,
    pipeline::{apply, gather::Facts, host_rules, identity, parts, plan::Plan, replies, routing, settle},
};

/// How often a turn begins again because somebody changed the conversation meanwhile.
const COLLISIONS: u32 = 20;

/// Why a turn could not be finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else has the message by now; nothing was stored.
    #[error("the lease was lost")]
    LeaseLost,
    /// The conversation changed while the turn ran; nothing was stored.
    #[error("the conversation kept changing")]
    Outdated,
    /// The number or its account was removed.
    #[error("the number that was texted is gone")]
    NumberGone,
    /// A bug.
    #[error("the turn panicked")]
    Panicked,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Everything is stored.
    Processed,
    /// The rest of the text is on its way.
    Waits,
}

/// Works one message. `with_policies` is false where earlier tries failed: a person then decides alone.
pub(super) async fn run(app: &App, work: &InboundWork, with_policies: bool) -> Result<Turn, TurnError> {
    let whole;
    let work = match &work.extra.part {
        None => work,
        Some(part) => match parts::join(app, work, part).await? {
            None => return Ok(Turn::Waits),
            Some(joined) => {
                whole = joined;
                &whole
            }
        },
    };
    for _ in 0..COLLISIONS {
        let entry = app.directory.get(work.organization).await?;
        let facts = Facts::read(&app.store, entry, work).await?;
        if let Some(conversation) = facts.conversation.as_ref().filter(|c| settle::is_waiting(c))
            && settle::settle(app, work.organization, conversation.id).await?
        {
            // This text came right after the last answer.
            continue;
        }
        let plan = decide(app, &facts, with_policies).await?;
        let ended = plan.conversation.as_ref().filter(|c| settle::is_waiting(c)).map(|c| c.id);
        match apply::apply(app, &facts, plan).await {
            Err(TurnError::Outdated) => {}
            outcome => {
                if let (Ok(()), Some(conversation)) = (&outcome, ended)
                    && let Err(error) = settle::settle(app, work.organization, conversation).await
                {
                    tracing::error!(%conversation, %error, "a verification waits for housekeeping");
                }
                return outcome.map(|()| Turn::Processed);
            }
        }
    }
    Err(TurnError::Outdated)
}

async fn decide(app: &App, facts: &Facts<'_>, with_policies: bool) -> Result<Plan, StoreError> {
    match keyword(facts) {
        Some(Keyword::Stop) => return Ok(host_rules::stop(app, facts)),
        Some(Keyword::Help) => return Ok(host_rules::help(app, facts)),
        Some(Keyword::Start | Keyword::Yes) if facts.opted_out => return Ok(host_rules::start(app, facts)),
        _ => {}
    }
    if !facts.takes_texts() && !is_open(facts.conversation.as_ref()) {
        return Ok(Plan::new(None, false));
    }
    let mut plan = opened(app, facts);
    if keywords::plain_language_revocation(&facts.work.body) && !facts.opted_out {
        let data = json!({ "message_id": facts.work.id });
        plan.tell("opt_out.suggested", Actor::Host, data);
        plan.revocation = true;
    }
    identity::decide(app, facts, &mut plan, with_policies).await?;
    if with_policies {
        routing::decide(app, facts, &mut plan).await?;
        replies::decide(app, facts, &mut plan).await?;
    } else {
        plan.tell("policy.skipped", Actor::Host, json!({ "attempt": facts.work.attempt }));
    }
    Ok(plan)
}

/// What the text is a keyword for: as the carrier took it, else by the text alone.
fn keyword(facts: &Facts<'_>) -> Option<Keyword> {
    match facts.work.extra.carrier_keyword.as_deref() {
        Some("stop") => Some(Keyword::Stop),
        Some("start") => Some(Keyword::Start),
        Some("help") => Some(Keyword::Help),
        _ => keywords::classify(&facts.work.body),
    }
}

fn is_open(conversation: Option<&Conversation>) -> bool {
    conversation.is_some_and(|conversation| conversation.state != ConversationState::Closed)
}

/// A conversation for this text: the one there is, or a new one.
pub(super) fn conversation_for(app: &App, facts: &Facts<'_>) -> (Conversation, bool) {
    if let Some(conversation) = &facts.conversation {
        return (conversation.clone(), false);
    }
    let id: ConversationId = app.store.ids().next(facts.now);
    let number = &facts.number;
    let new = Conversation::begin(id, number.id, number.facility_id, &facts.work.peer, facts.now);
    (new, true)
}

/// The conversation of an ordinary text: opened or reopened, waiting for an answer.
fn opened(app: &App, facts: &Facts<'_>) -> Plan {
    let (mut conversation, is_new) = conversation_for(app, facts);
    let reopened = conversation.state == ConversationState::Closed;
    let woken = conversation.state == ConversationState::Snoozed;
    let wished = conversation.assignee_id.filter(|_| reopened && conversation.reopens_to_assignee);
    if reopened && facts.returns_to.is_none() {
        // A new matter: where the last one belonged says nothing about it. Tags are staff's, and stay.
        conversation.assignee_id = None;
        conversation.team_id = None;
        conversation.category = None;
        conversation.priority = Priority::Normal;
        conversation.staff_set.clear();
    }
    if reopened {
        conversation.turn_number = 0;
        conversation.waiting_since = None;
        conversation.reopens_to_assignee = false;
    }
    conversation.state = ConversationState::Open;
    conversation.snoozed_until = None;
    conversation.turn_number += 1;
    conversation.last_message_at = facts.now;
    conversation.waiting_since.get_or_insert(facts.work.created_at);
    let mut plan = Plan::new(Some(conversation), is_new);
    if is_new {
        plan.tell("conversation.opened", Actor::Patient, json!({ "number": facts.number.label }));
    } else if reopened || woken {
        let to = facts.returns_to.filter(|_| reopened);
        let left = wished.filter(|_| to.is_none());
        let data = json!({ "by": "text", "assignee_id": to, "left": left });
        plan.tell("conversation.reopened", Actor::Patient, data);
    }
    plan.tell("message.received", Actor::Patient, facts.received());
    plan
}
