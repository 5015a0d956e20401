//! Who is locked out.

use anteroom_model::{
    ids::ConversationId,
    states::{LockScope, Role},
    time::Timestamp,
};
use anteroom_store::{Actor, NewEvent};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, hub::paging::Page, problem::Problem};

/// Whose claims are not matched for now. The texter isn't told.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct LockView {
    scope: LockScope,
    /// `attempts`, `enumeration` or `burst`.
    reason: String,
    /// Where it came to it.
    conversation_id: Option<ConversationId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Locks that stand, newest first, at most 200. For leads and admins.
#[utoipa::path(get, path = "/api/v1/verification-locks", tag = "identity",
    responses((status = 200, body = Page<LockView>), (status = 403)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<LockView>>, Problem> {
    caller.require(&[Role::Lead, Role::Admin, Role::Auditor])?;
    let locks = app.store.read(caller.organization).await?.verification_locks(200).await?;
    let items = locks.into_iter().map(|lock| LockView {
        scope: lock.scope,
        reason: lock.reason,
        conversation_id: lock.conversation_id,
        created_at: lock.created_at,
        until: lock.until,
    });
    Ok(Json(Page::all(items.collect())))
}

/// Ends the locks that this conversation led to: the phone's, and those of the number and the organization that it
/// was the last straw for. For leads and admins.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/unlock", tag = "identity",
    params(("id" = ConversationId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn unlock(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Lead, Role::Admin])?;
    let (staff, audit) = (caller.staff, caller.audit("verification.unlocked", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                org.conversation_to_change(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
                if org.unlock_verification(id).await? > 0 {
                    org.tell(NewEvent {
                        kind: "identity.unlocked",
                        conversation_id: Some(id),
                        actor: Actor::Staff(staff),
                        data: json!({}),
                    });
                    org.insert_audit(&audit).await?;
                }
                Ok::<_, Problem>(StatusCode::NO_CONTENT)
            }
            .boxed()
        })
        .await
}
