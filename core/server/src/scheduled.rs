//! Texts whose time has come, and revocations that nobody has looked at.

use anteroom_model::{
    ids::{MessageId, OrganizationId, ScheduledTextId},
    states::{Author, ScheduledState},
};
use anteroom_store::{Actor, ConversationChange, NewEvent, NewOutbound, Org, StoreError};
use futures::FutureExt;
use serde_json::json;

use crate::{app::App, directory::Entry, outgoing};

/// Queues what is due. Each text becomes a message exactly once, whoever does it.
pub(crate) async fn send_due(app: &App) -> Result<(), StoreError> {
    for (organization, id) in app.store.due_scheduled().await? {
        if let Err(error) = send(app, organization, id).await {
            tracing::error!(scheduled = %id, %error, "a text could not be sent at its time; it is tried again");
        }
    }
    Ok(())
}

async fn send(app: &App, organization: OrganizationId, id: ScheduledTextId) -> Result<(), StoreError> {
    let entry = app.directory.get(organization).await?;
    app.store
        .write(organization, move |mut org| async move { become_message(&mut org, &entry, id).await }.boxed())
        .await
}

async fn become_message(org: &mut Org<'_>, entry: &Entry, id: ScheduledTextId) -> Result<(), StoreError> {
    let now = org.now();
    let waiting = org.scheduled(id).await?;
    let Some(text) = waiting.filter(|text| text.state == ScheduledState::Waiting && text.send_at <= now)
    else {
        return Ok(());
    };
    let Some(mut conversation) = org.conversation_to_change(text.conversation_id).await? else {
        return Ok(());
    };
    let Some(number) = entry.numbers.get(&conversation.number_id) else { return Ok(()) };
    let Some(account) = entry.accounts.get(&number.carrier_account_id) else { return Ok(()) };
    let first: MessageId = org.new_id();
    if !org.scheduled_became(id, first).await? {
        return Ok(());
    }
    let new = NewOutbound {
        carrier_account_id: number.carrier_account_id,
        number_id: number.id,
        peer: conversation.peer.clone(),
        body: text.body,
        extra: text.extra,
        conversation_id: Some(conversation.id),
        author: text.author,
        author_id: text.author_id,
        despite_opt_out: false,
    };
    let actor = match (text.author, text.author_id) {
        (Author::Staff, Some(staff)) => Actor::Staff(staff),
        (Author::Policy, _) => Actor::Policy,
        _ => Actor::Host,
    };
    for message in outgoing::queue(org, account.credentials.carrier(), first, new).await? {
        org.tell(NewEvent {
            kind: "message.queued",
            conversation_id: Some(conversation.id),
            actor,
            data: json!({ "message_id": message, "scheduled_id": id }),
        });
    }
    conversation.last_message_at = now;
    if text.author == Author::Staff {
        conversation.waiting_since = None;
    }
    if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
        // It was read for change in this transaction: nobody else can have written it.
        return Err(StoreError::Conflict);
    }
    Ok(())
}

/// Tells admins of revocations that must be honoured soon.
pub(crate) async fn remind_of_revocations(app: &App) -> Result<(), StoreError> {
    for (organization, message) in app.store.revocations_to_remind().await? {
        let told: Result<(), StoreError> = app
            .store
            .write(organization, move |mut org| {
                async move {
                    if !org.remind_of_revocation(message).await? {
                        return Ok(());
                    }
                    let Some(revocation) = org.revocation(message).await? else { return Ok(()) };
                    let data = json!({
                        "message_id": message,
                        "conversation_id": revocation.conversation_id,
                        "due_at": revocation.due_at,
                    });
                    org.insert_notice("opt_out.revocation_due", &data).await.map(drop)
                }
                .boxed()
            })
            .await;
        told?;
    }
    Ok(())
}
