//! What must happen now and then: snoozes and verifications end, queues are measured, caches are tidied.

use std::time::Duration;

use anteroom_model::{
    ids::{ConversationId, OrganizationId},
    states::ConversationState,
};
use anteroom_store::{Actor, ConversationChange, NewEvent, StoreError};
use futures::FutureExt;
use serde_json::json;

use crate::{app::App, pipeline::settle, scheduled, telemetry, text_index::TextIndex, webhooks};

const EVERY: Duration = Duration::from_secs(2);
/// How often what nobody asks for any more is dropped.
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// Works until the app is told to stop.
pub async fn run(app: App) {
    let mut tidied = app.store.now();
    let mut texts = TextIndex::default();
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        telemetry::measure_queues(&app).await;
        webhooks::measure(&app).await;
        app.sign_ins.tidy();
        app.tries.tidy();
        match app.store.due_snoozed().await {
            Ok(due) => {
                for (organization, id) in due {
                    if let Err(error) = wake(&app, organization, id).await {
                        tracing::error!(%error, "a snoozed conversation could not be brought back");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "snoozed conversations could not be looked for"),
        }
        if let Err(error) = scheduled::send_due(&app).await {
            tracing::error!(%error, "texts whose time has come could not be looked for");
        }
        if let Err(error) = scheduled::remind_of_revocations(&app).await {
            tracing::error!(%error, "admins could not be told of revocations");
        }
        if app.store.now().since(tidied) >= TIDY_EVERY {
            tidied = app.store.now();
            if let Err(error) = app.store.forget_early_receipts().await {
                tracing::error!(%error, "old receipts could not be dropped");
            }
            if let Err(error) = app.store.forget_link_deliveries().await {
                tracing::error!(%error, "what message centres won't repeat could not be dropped");
            }
        }
        if let Err(error) = end_verifications(&app).await {
            tracing::error!(%error, "verifications could not be looked for");
        }
        if let Err(error) = index_patients(&app).await {
            tracing::error!(%error, "patients could not be made searchable");
        }
        if let Err(error) = texts.go_on(&app).await {
            tracing::error!(%error, "texts could not be made searchable");
        }
    }
}

/// Ends questions that nobody answers, and matches claims that a process left behind.
async fn end_verifications(app: &App) -> Result<(), StoreError> {
    for (organization, id) in app.store.due_verifications().await? {
        if let Err(error) = settle::due(app, organization, id).await {
            tracing::error!(verification = %id, %error, "a verification could not be ended");
        }
    }
    Ok(())
}

/// Makes patients searchable who were stored before there was a search, or by a node of the last version.
async fn index_patients(app: &App) -> Result<(), StoreError> {
    loop {
        let waiting = app.store.patients_to_index().await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for (organization, id) in waiting {
            app.store
                .write(organization, move |mut org| async move { org.index_patient(id).await }.boxed())
                .await?;
        }
        if app.stop.is_cancelled() {
            return Ok(());
        }
    }
}

async fn wake(app: &App, organization: OrganizationId, id: ConversationId) -> Result<(), StoreError> {
    app.store
        .write(organization, move |mut org| {
            async move {
                let Some(mut conversation) = org.conversation_to_change(id).await? else { return Ok(()) };
                let due = conversation.snoozed_until.is_some_and(|until| until <= org.now());
                if !due || conversation.state != ConversationState::Snoozed {
                    return Ok(());
                }
                conversation.state = ConversationState::Open;
                conversation.snoozed_until = None;
                if org.update_conversation(&mut conversation).await? == ConversationChange::Stored {
                    org.tell(NewEvent {
                        kind: "conversation.reopened",
                        conversation_id: Some(id),
                        actor: Actor::Host,
                        data: json!({ "by": "snooze" }),
                    });
                }
                Ok(())
            }
            .boxed()
        })
        .await
}
