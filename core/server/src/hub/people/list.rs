//! Everybody who works here.

use anteroom_model::{
    ids::{StaffId, TeamId},
    states::Role,
    time::Timestamp,
};
use anteroom_store::{Org, StaffLink};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{paging::Page, views::Named},
    problem::Problem,
};

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct StaffView {
    id: StaffId,
    name: String,
    role: Role,
    active: bool,
    teams: Vec<Named<TeamId>>,
    /// What they sign in with; for admins and auditors.
    email: Option<String>,
    /// The one-time link that waits for them; for admins and auditors.
    link: Option<PersonLinkView>,
    /// For `If-Match`.
    version: i64,
}

/// A one-time link that was not used.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct PersonLinkView {
    /// They have no password yet; else they may set another one.
    invites: bool,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    expired: bool,
}

/// Everybody, by name.
#[utoipa::path(get, path = "/api/v1/staff", tag = "organization",
    responses((status = 200, body = Page<StaffView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<StaffView>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    Ok(Json(Page::all(views(&mut org, &caller).await?)))
}

/// One of them.
pub(super) async fn shown(app: &App, caller: &Caller, id: StaffId) -> Result<StaffView, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let all = views(&mut org, caller).await?;
    all.into_iter().find(|one| one.id == id).ok_or_else(|| Problem::not_found("member of staff"))
}

async fn views(org: &mut Org<'_>, caller: &Caller) -> Result<Vec<StaffView>, Problem> {
    let all = [Role::Admin, Role::Auditor].contains(&caller.role);
    let (teams, memberships, now) = (org.teams().await?, org.memberships().await?, org.now());
    let links = if all { org.staff_links().await? } else { Vec::new() };
    let link = |id: StaffId| {
        let StaffLink { invites, expires_at, .. } = *links.iter().find(|link| link.staff_id == id)?;
        Some(PersonLinkView { invites, expires_at, expired: expires_at <= now })
    };
    let staff = org.staff().await?.into_iter();
    let views = staff.map(|staff| StaffView {
        teams: teams
            .iter()
            .filter(|team| memberships.contains(&(team.id, staff.id)))
            .map(|team| Named { id: team.id, name: team.name.clone() })
            .collect(),
        link: link(staff.id),
        id: staff.id,
        name: staff.name,
        role: staff.role,
        active: staff.active,
        email: all.then_some(staff.email),
        version: staff.version,
    });
    Ok(views.collect())
}
