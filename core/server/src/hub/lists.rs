//! What the organization has: people, places, numbers; and what it must be able to show:
//! opt-outs, the audit, API tokens.

use anteroom_model::{
    hours::OpeningHours,
    ids::{AuditId, FacilityId, StaffId, TeamId, TokenId},
    states::{Author, Role},
    time::Timestamp,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{self, Caller, SCOPES},
    hub::{
        paging::{Page, PageQuery},
        views::{Named, Names},
    },
    problem::Problem,
};

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StaffView {
    id: StaffId,
    name: String,
    role: Role,
    active: bool,
    teams: Vec<Named<TeamId>>,
}

/// Everybody, by name.
#[utoipa::path(get, path = "/api/v1/staff", tag = "organization",
    responses((status = 200, body = Page<StaffView>)))]
pub(super) async fn staff(State(app): State<App>, caller: Caller) -> Result<Json<Page<StaffView>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let teams = org.teams().await?;
    let memberships = org.memberships().await?;
    let items = org.staff().await?.into_iter().map(|staff| StaffView {
        teams: teams
            .iter()
            .filter(|team| memberships.contains(&(team.id, staff.id)))
            .map(|team| Named { id: team.id, name: team.name.clone() })
            .collect(),
        id: staff.id,
        name: staff.name,
        role: staff.role,
        active: staff.active,
    });
    Ok(Json(Page::all(items.collect())))
}

/// All teams, by name.
#[utoipa::path(get, path = "/api/v1/teams", tag = "organization",
    responses((status = 200, body = Page<Named<TeamId>>)))]
pub(super) async fn teams(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<Named<TeamId>>>, Problem> {
    let teams = app.store.read(caller.organization).await?.teams().await?;
    let items = teams.into_iter().map(|team| Named { id: team.id, name: team.name });
    Ok(Json(Page::all(items.collect())))
}

/// A location with its hours.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FacilityView {
    id: FacilityId,
    name: String,
    /// IANA name.
    time_zone: String,
    hours: OpeningHours,
    open_now: bool,
}

/// All facilities, by name.
#[utoipa::path(get, path = "/api/v1/facilities", tag = "organization",
    responses((status = 200, body = Page<FacilityView>)))]
pub(super) async fn facilities(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<FacilityView>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let now = app.store.now();
    let items = entry.facilities.iter().map(|(facility, schedule)| FacilityView {
        id: facility.id,
        name: facility.name.clone(),
        time_zone: facility.time_zone.clone(),
        hours: facility.hours.clone(),
        open_now: schedule.at(now).open,
    });
    Ok(Json(Page::all(items.collect())))
}

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
pub(super) async fn audit(
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

/// An API token; its secret is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenView {
    id: TokenId,
    name: String,
    staff: Named<StaffId>,
    scopes: Vec<String>,
}

/// A token to be made for the caller.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewToken {
    /// What it is for.
    name: String,
    /// `read`, `write` or both.
    scopes: Vec<String>,
}

/// A token just made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// For `Authorization: Bearer`; not shown again.
    token: String,
}

/// All tokens that have not been revoked. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "organization",
    responses((status = 200, body = Page<TokenView>), (status = 403)))]
pub(super) async fn tokens(State(app): State<App>, caller: Caller) -> Result<Json<Page<TokenView>>, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    let tokens = app.store.read(caller.organization).await?.tokens().await?;
    let items = tokens.into_iter().map(|token| TokenView {
        id: token.id,
        name: token.token_name,
        staff: Named { id: token.staff_id, name: token.name },
        scopes: token.scopes.0,
    });
    Ok(Json(Page::all(items.collect())))
}

/// Makes a token that acts as the caller. For admins.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "organization", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 403), (status = 422)))]
pub(super) async fn create_token(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    caller.require(&[Role::Admin])?;
    if new.name.trim().is_empty() || new.name.chars().count() > 100 {
        return Err(Problem::invalid("name has 1 to 100 characters."));
    }
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(scope)) {
        return Err(Problem::invalid("scopes are read, write or both."));
    }
    let token = auth::create_token(&app.store, caller.organization, caller.staff, &new.name, &scopes).await?;
    caller.audit_read(&app, "token.created", caller.staff.0).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token })))
}

/// Ends a token at once. For admins.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "organization", params(("id" = TokenId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn revoke_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("token.revoked", Some(id.0));
    let revoked = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                org.insert_audit(&audit).await?;
                org.revoke_token(id).await
            }
            .boxed()
        })
        .await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("token")) }
}
