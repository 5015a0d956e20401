//! Storing everything a turn decided, in the transaction that ends its lease.

use std::sync::Arc;

use anteroom_carriers::CarrierKind;
use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, MessageId, NodeId, NumberId},
    states::{Author, MessageState},
    time::Timestamp,
};
use anteroom_store::{
    Actor, ConversationChange, MediaItem, NewEvent, NewOptOut, NewOutbound, NewScheduledText, Org, StoreError,
};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    app::App,
    directory::Entry,
    opt_outs, outgoing,
    pipeline::{
        breaker::{self, Bindings},
        chain,
        gather::Facts,
        parts::Joined,
        plan::{OptOutChange, OptOutRule, Plan, PlannedText},
        settle,
        turn::TurnError,
    },
};

/// What apply needs of the facts, owned: the writer runs on a task of its own.
struct Context {
    message: MessageId,
    node: NodeId,
    files: Vec<MediaItem>,
    peer: String,
    number: NumberId,
    account: CarrierAccountId,
    carrier: CarrierKind,
    opt_out_everywhere: bool,
    entry: Arc<Entry>,
    joined: Option<Joined>,
    received_at: Timestamp,
    /// Where the clinic's days are counted.
    zone: String,
}

pub(super) async fn apply(app: &App, facts: &Facts<'_>, plan: Plan) -> Result<(), TurnError> {
    let context = Context {
        message: facts.work.id,
        node: app.node,
        files: facts.work.extra.media.clone(),
        peer: facts.work.peer.clone(),
        number: facts.number.id,
        account: facts.account.row.id,
        carrier: facts.account.credentials.carrier(),
        opt_out_everywhere: facts.entry.organization.settings.opt_out_everywhere,
        entry: facts.entry.clone(),
        joined: Joined::of(facts.work),
        received_at: facts.work.created_at,
        zone: facts.hours.time_zone.clone(),
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
    if let Some(Joined { body, extra, pieces }) = &context.joined
        && !org.join_inbound(context.message, context.node, (body, extra), pieces).await?
    {
        return Err(TurnError::LeaseLost);
    }
    if !org.finish_inbound(context.message, context.node, state, conversation).await? {
        return Err(TurnError::LeaseLost);
    }
    // They are there already, unless a process was killed between storing the text and noting them.
    if !context.files.is_empty() {
        org.insert_media(context.message, context.account, &context.files).await?;
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
        org.tell(event.of(plan.conversation.as_ref()));
    }
    let newly_opted_out = change_opt_out(org, context, plan.opt_out, conversation).await?;
    if let (true, Some(conversation)) = (plan.revocation, conversation) {
        let of = (context.peer.as_str(), context.number);
        org.flag_revocation(context.message, conversation, of, context.received_at, &context.zone).await?;
    }
    if let Some(conversation) = conversation {
        for (send_at, text) in plan.later {
            put_off(org, text, conversation, send_at).await?;
        }
    }
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
    match change {
        OptOutChange::Keep => Ok(false),
        OptOutChange::Record => {
            let scope = (!context.opt_out_everywhere).then_some(context.number);
            let new = NewOptOut::told_by(&context.peer, scope, "keyword");
            Ok(opt_outs::record(org, &new, conversation, Actor::Patient).await?.is_some())
        }
        OptOutChange::Clear => {
            org.clear_opt_out(&context.peer, context.number).await?;
            tell(org, "opt_out.cleared", conversation, Actor::Patient, json!({ "source": "keyword" }));
            Ok(false)
        }
    }
}

/// Stores a reply that is sent when quiet hours end.
async fn put_off(
    org: &mut Org<'_>,
    text: PlannedText,
    conversation_id: ConversationId,
    send_at: Timestamp,
) -> Result<(), StoreError> {
    let new = NewScheduledText {
        conversation_id,
        body: text.body,
        extra: text.extra,
        author: text.author,
        author_id: None,
        send_at,
    };
    let id = org.new_id();
    org.schedule_as(id, &new).await?;
    let data = json!({ "scheduled_id": id, "send_at": send_at, "why": text.reason });
    tell(org, "message.scheduled", Some(conversation_id), Actor::Policy, data);
    Ok(())
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
        body: text.body,
        extra: text.extra,
        conversation_id: conversation,
        author: text.author,
        author_id: None,
        despite_opt_out: text.opt_out != OptOutRule::Obeys,
    };
    let actor = match text.author {
        Author::Policy => Actor::Policy,
        _ => Actor::Host,
    };
    // Ids grow in the order of queueing, and a lane is sent in the order of its ids.
    let first = org.new_id();
    for id in outgoing::queue(org, context.carrier, first, new).await? {
        let data = json!({ "message_id": id, "why": text.reason });
        tell(org, "message.queued", conversation, actor, data);
    }
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
