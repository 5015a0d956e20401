//! Saying what one does in a conversation, so that colleagues see it.

use anteroom_model::ids::ConversationId;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    presence::{PresenceState, Said},
    problem::Problem,
};

/// What the caller does there.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct PresenceBody {
    state: PresenceState,
}

/// Says what the caller does in a conversation: believed for 30 seconds, so say it again every ten.
///
/// Colleagues hear `presence` on the event stream, with `{conversation_id, staff_id, state}` and no `id`; it is
/// not stored, and who opens the stream hears first who is where.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/presence", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = PresenceBody,
    responses((status = 204), (status = 404)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Json(PresenceBody { state }): Json<PresenceBody>,
) -> Result<StatusCode, Problem> {
    let organization = caller.organization;
    // Looked up once: what is said again every few seconds must cost next to nothing.
    if !app.presence.knows(organization, id, caller.staff) {
        let found = app.store.read(organization).await?.conversation(id).await?;
        found.ok_or_else(|| Problem::not_found("conversation"))?;
    }
    let said = Said::Presence { conversation_id: id, staff_id: caller.staff, state };
    said.whisper(&app.store, organization);
    Ok(StatusCode::NO_CONTENT)
}
