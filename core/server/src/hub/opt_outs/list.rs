//! Reading opt-outs.

use anteroom_model::ids::OptOutId;
use axum::{
    Json,
    extract::{Path, Query, State},
};

use super::{OptOutView, view};
use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::Names,
    },
    problem::Problem,
};

/// Opt-outs, newest first. The read is audited.
#[utoipa::path(get, path = "/api/v1/opt-outs", tag = "opt-outs", params(PageQuery),
    responses((status = 200, body = Page<OptOutView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<OptOutView>>, Problem> {
    let before = page.position()?.unwrap_or(OptOutId::GREATEST);
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let list = org.opt_outs(before, page.limit()).await?;
    let names = Names::read(&mut org).await?;
    drop(org);
    caller.audit_read(&app, "opt_outs.listed", caller.staff.0).await?;
    let end = list.last().map(|opt_out| opt_out.id);
    let items = list.into_iter().map(|opt_out| view(opt_out, &names, entry.time_zone()));
    Ok(Json(Page::cut(items.collect(), page.limit(), end)))
}

/// One opt-out. The read is audited.
#[utoipa::path(get, path = "/api/v1/opt-outs/{id}", tag = "opt-outs", params(("id" = OptOutId, Path)),
    responses((status = 200, body = OptOutView), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<OptOutId>,
) -> Result<Json<OptOutView>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let opt_out = org.opt_out(id).await?.ok_or_else(|| Problem::not_found("opt-out"))?;
    let names = Names::read(&mut org).await?;
    drop(org);
    caller.audit_read(&app, "opt_out.read", id.0).await?;
    Ok(Json(view(opt_out, &names, entry.time_zone())))
}
