//! How far the caller has read, and what conversations are to them.

use std::collections::HashMap;

use anteroom_model::ids::{ConversationId, MessageId};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{mentions, views::ConversationView},
    presence::Said,
    problem::Problem,
};

/// From here on it is "more than nine".
const MANY: i64 = 10;

/// What a conversation is to the caller.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Mine {
    /// The patient's texts since the caller's last look; where they never looked, those that wait for an answer.
    /// 10: ten or more.
    unread: i64,
    /// The newest text that the caller has seen; null: they never looked.
    seen: Option<MessageId>,
    /// The caller has something written and not sent.
    draft: bool,
    /// A note names the caller, and they have not seen it.
    mentioned: bool,
}

/// How far somebody has read.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Look {
    /// The newest text that they have seen.
    message_id: MessageId,
}

/// Says what each of `views` is to the caller: one query for all.
pub(super) async fn mark(app: &App, caller: &Caller, views: &mut [ConversationView]) -> Result<(), Problem> {
    let ids: Vec<_> = views.iter().map(|view| view.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let marks = app.store.read(caller.organization).await?.marks(caller.staff, &ids).await?;
    let mut marks: HashMap<_, _> = marks.into_iter().map(|marks| (marks.id, marks)).collect();
    for view in views {
        view.mine = marks.remove(&view.id).map(|marks| Mine {
            unread: marks.unread.min(MANY),
            seen: marks.seen,
            draft: marks.draft,
            mentioned: marks.mentioned,
        });
    }
    Ok(())
}

/// Says that the caller has seen a conversation up to a text, and the mentions in it. Never goes back.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/look", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = Look,
    responses((status = 204), (status = 404), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Json(Look { message_id }): Json<Look>,
) -> Result<StatusCode, Problem> {
    let me = caller.staff;
    let mentions = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
                let message = org.message(message_id).await?;
                if message.is_none_or(|message| message.conversation_id != Some(id)) {
                    return Err(Problem::invalid("message_id is no text of this conversation."));
                }
                org.look(me, id, message_id).await?;
                Ok::<_, Problem>(org.read_mentions(me, Some(id)).await?)
            }
            .boxed()
        })
        .await?;
    Said::Own { staff_id: me, what: "look".to_owned(), conversation_id: Some(id) }
        .whisper(&app.store, caller.organization);
    if mentions > 0 {
        mentions::tell(&app, &caller);
    }
    Ok(StatusCode::NO_CONTENT)
}
