//! Who read or changed what.

use anteroom_model::{
    ids::AuditId,
    states::{Author, Role},
    time::Timestamp,
};
use axum::{
    Json,
    extract::{Query, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::Names,
    },
    problem::Problem,
};

/// Who read or changed what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditView {
    id: AuditId,
    actor: Author,
    actor_name: Option<String>,
    /// For example `conversation.read`.
    action: String,
    /// Id of what was read or changed.
    subject: Option<uuid::Uuid>,
    request_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The audit log, newest first. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/audit", tag = "organization", params(PageQuery),
    responses((status = 200, body = Page<AuditView>), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditView>>, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    let before = page.position()?.unwrap_or(AuditId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let list = org.audit(before, page.limit()).await?;
    let names = Names::read(&mut org).await?;
    let end = list.last().map(|entry| entry.id);
    let items = list.into_iter().map(|entry| AuditView {
        id: entry.id,
        actor: entry.actor,
        actor_name: entry.actor_id.map(|id| names.staff_name(id)),
        action: entry.action,
        subject: entry.subject,
        request_id: entry.request_id,
        created_at: entry.created_at,
    });
    Ok(Json(Page::cut(items.collect(), page.limit(), end)))
}
