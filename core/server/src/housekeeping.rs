//! What must happen now and then: snoozes end, queues are measured, caches are tidied.

use std::time::Duration;

use anteroom_model::{
    ids::{ConversationId, OrganizationId},
    states::ConversationState,
};
use anteroom_store::{Actor, ConversationChange, NewEvent, StoreError};
use futures::FutureExt;
use serde_json::json;

use crate::{app::App, telemetry};

const EVERY: Duration = Duration::from_secs(2);

/// Works until the app is told to stop.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        telemetry::measure_queues(&app).await;
        app.sign_ins.tidy();
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
