//! Storing everything a turn decided, in the transaction that ends its lease.

use std::sync::Arc;

use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, MessageId, NodeId, NumberId},
    segments::segments,
    states::{Author, MessageState},
};
use anteroom_store::{Actor, ConversationChange, NewEvent, NewOutbound, Org, StoreError};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    app::App,
    directory::Entry,
    pipeline::{
        breaker::{self, Bindings},
        chain,
        gather::Facts,
        plan::{OptOutChange, OptOutRule, Plan, PlannedText},
        settle,
        turn::TurnError,
    },
};

/// Why staff don't see a queued text go out.
const OPTED_OUT: &str = "This patient has opted out of texts. They can text START to get them again.";

/// What apply needs of the facts, owned: the writer runs on a task of its own.
struct Context {
    message: MessageId,
    node: NodeId,
    peer: String,
    number: NumberId,
    account: CarrierAccountId,
    opt_out_everywhere: bool,
    entry: Arc<Entry>,
}

pub(super) async fn apply(app: &App, facts: &Facts<'_>, plan: Plan) -> Result<(), TurnError> {
    let context = Context {
        message: facts.work.id,
        node: app.node,
        peer: facts.work.peer.clone(),
        number: facts.number.id,
        account: facts.account.row.id,
        opt_out_everywhere: facts.entry.organization.settings.opt_out_everywhere,
        entry: facts.entry.clone(),
    };
    let organization = facts.work.organization;
    let bindings = app
        .store
        .write(organization, move |mut org| async move { store(&mut org, &context, plan).await }.boxed())
        .await?;
    breaker::spread(app, organization, bindings);
    Ok(())
}

async fn store(org: &mut Org<'_>, context: &Context, mut plan: Plan) -> Result<Bindings, TurnError> {
    let conversation = plan.conversation.as_ref().map(|conversation| conversation.id);
    let state = if conversation.is_some() { MessageState::Processed } else { MessageState::Held };
    if !org.finish_inbound(context.message, context.node, state, conversation).await? {
        return Err(TurnError::LeaseLost);
    }
    if plan.placeholder
        && let Some(conversation) = &mut plan.conversation
    {
        conversation.patient_id = Some(settle::placeholder_of(org, conversation).await?);
    }
    if let Some(conversation) = &mut plan.conversation {
        if plan.is_new {
            match org.insert_conversation(conversation).await {
                // Somebody wrote to this patient first.
                Err(StoreError::Conflict) => return Err(TurnError::Outdated),
                other => other?,
            }
        } else if org.update_conversation(conversation).await? == ConversationChange::Outdated {
            return Err(TurnError::Outdated);
        }
    }
    if let (Some(conversation), Some(step)) = (&plan.conversation, plan.verification) {
        settle::record(org, conversation, step).await?;
    }
    chain::belong_to(&mut plan.decisions, conversation);
    let changed = breaker::record(org, &context.entry, plan.decisions).await?;
    for event in plan.events {
        org.tell(event.of(conversation));
    }
    let newly_opted_out = change_opt_out(org, context, plan.opt_out, conversation).await?;
    for text in plan.texts {
        if text.opt_out == OptOutRule::Confirms && !newly_opted_out {
            continue;
        }
        queue(org, context, text, conversation).await?;
    }
    Ok(changed)
}

/// Whether the patient has opted out now and had not before.
async fn change_opt_out(
    org: &mut Org<'_>,
    context: &Context,
    change: OptOutChange,
    conversation: Option<ConversationId>,
) -> Result<bool, StoreError> {
    let (kind, data) = match change {
        OptOutChange::Keep => return Ok(false),
        OptOutChange::Record => {
            let scope = (!context.opt_out_everywhere).then_some(context.number);
            if !org.record_opt_out(&context.peer, scope, "keyword").await? {
                return Ok(false);
            }
            for (message, conversation) in org.block_queued(&context.peer, scope, OPTED_OUT).await? {
                let data =
                    json!({ "message_id": message, "state": MessageState::Blocked, "error_text": OPTED_OUT });
                tell(org, "message.state", conversation, Actor::Host, data);
            }
            ("opt_out.recorded", json!({ "source": "keyword" }))
        }
        OptOutChange::Clear => {
            org.clear_opt_out(&context.peer, context.number).await?;
            ("opt_out.cleared", json!({ "source": "keyword" }))
        }
    };
    tell(org, kind, conversation, Actor::Patient, data);
    Ok(change == OptOutChange::Record)
}

async fn queue(
    org: &mut Org<'_>,
    context: &Context,
    text: PlannedText,
    conversation: Option<ConversationId>,
) -> Result<(), StoreError> {
    let new = NewOutbound {
        carrier_account_id: context.account,
        number_id: context.number,
        peer: context.peer.clone(),
        segments: i32::try_from(segments(&text.body).segments).unwrap_or(i32::MAX),
        body: text.body,
        extra: text.extra,
        conversation_id: conversation,
        author: text.author,
        author_id: None,
        despite_opt_out: text.opt_out != OptOutRule::Obeys,
    };
    // Ids grow in the order of queueing, and a lane is sent in the order of its ids.
    let id = org.insert_outbound(&new).await?;
    let actor = match text.author {
        Author::Policy => Actor::Policy,
        _ => Actor::Host,
    };
    let data = json!({ "message_id": id, "why": text.reason });
    tell(org, "message.queued", conversation, actor, data);
    Ok(())
}

fn tell(
    org: &Org<'_>,
    kind: &'static str,
    conversation_id: Option<ConversationId>,
    actor: Actor,
    data: Value,
) {
    org.tell(NewEvent { kind, conversation_id, actor, data });
}

/// Fills the organization's name into one of its own texts.
pub fn fill_organization(template: &str, name: &str) -> String {
    template.replace("{{organization}}", name)
}
