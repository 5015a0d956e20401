//! What administrators must know of.

use anteroom_model::{
    ids::{NoticeId, StaffId},
    states::Role,
    time::Timestamp,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        policies::READERS,
    },
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::hub) struct Which {
    /// Also those that somebody has seen to.
    #[serde(default)]
    all: bool,
}

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct NoticeView {
    id: NoticeId,
    /// `policy.rolled_back`, `policy.canary_stopped`, `policy.off`, …
    kind: String,
    /// Depends on the kind.
    data: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    dismissed_at: Option<Timestamp>,
    dismissed_by: Option<StaffId>,
}

/// Notices, newest first. For leads, admins and auditors.
#[utoipa::path(get, path = "/api/v1/notices", tag = "organization", params(Which, PageQuery),
    responses((status = 200, body = Page<NoticeView>), (status = 403)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(Which { all }): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<NoticeView>>, Problem> {
    caller.require(&READERS)?;
    let before = page.position()?.unwrap_or(NoticeId::GREATEST);
    let notices = app.store.read(caller.organization).await?.notices(before, all, page.limit()).await?;
    let last = notices.last().map(|notice| notice.id);
    let items = notices.into_iter().map(|notice| NoticeView {
        id: notice.id,
        kind: notice.kind,
        data: notice.data,
        created_at: notice.created_at,
        dismissed_at: notice.dismissed_at,
        dismissed_by: notice.dismissed_by,
    });
    Ok(Json(Page::cut(items.collect(), page.limit(), last)))
}

/// Somebody has seen to a notice. For leads and admins.
#[utoipa::path(post, path = "/api/v1/notices/{id}/dismiss", tag = "organization",
    params(("id" = NoticeId, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn dismiss(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<NoticeId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Lead, Role::Admin])?;
    let by = caller.staff;
    let dismissed = app
        .store
        .write(caller.organization, move |mut org| async move { org.dismiss_notice(id, by).await }.boxed())
        .await?;
    if dismissed { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("notice")) }
}
