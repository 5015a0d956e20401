//! Browsers that somebody is signed in with, and ending that.

use anteroom_model::{ids::StaffId, states::Role, time::Timestamp};
use anteroom_store::OpenSession;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{found, tell};
use crate::{
    app::App,
    auth::{Caller, Via},
    hub::paging::Page,
    problem::Problem,
};

/// A browser that somebody is signed in with.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct SessionRow {
    /// Names it; lets nobody in.
    id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// It is the one that asks.
    current: bool,
}

/// Somebody's open sessions, newest first. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/staff/{id}/sessions", tag = "organization", params(("id" = StaffId, Path)),
    responses((status = 200, body = Page<SessionRow>), (status = 403), (status = 404)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<StaffId>,
) -> Result<Json<Page<SessionRow>>, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    let mut org = app.store.read(caller.organization).await?;
    found(&mut org, id).await?;
    let sessions = org.sessions_of(id).await?.into_iter();
    let rows = sessions.map(|OpenSession { secret_hash, created_at, expires_at }| SessionRow {
        id: hex::encode(&secret_hash),
        created_at,
        expires_at,
        current: matches!(&caller.via, Via::Session { secret_hash: own, .. } if *own == secret_hash),
    });
    Ok(Json(Page::all(rows.collect())))
}

/// Ends all of somebody's sessions. For admins; audited.
#[utoipa::path(delete, path = "/api/v1/staff/{id}/sessions", tag = "organization", params(("id" = StaffId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn end_all(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<StaffId>,
) -> Result<StatusCode, Problem> {
    end(&app, &caller, id, None).await
}

/// Ends one of somebody's sessions. For admins; audited.
#[utoipa::path(delete, path = "/api/v1/staff/{id}/sessions/{session}", tag = "organization",
    params(("id" = StaffId, Path), ("session" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn end_one(
    State(app): State<App>,
    caller: Caller,
    Path((id, session)): Path<(StaffId, String)>,
) -> Result<StatusCode, Problem> {
    let session = hex::decode(session).map_err(|_| Problem::not_found("session"))?;
    end(&app, &caller, id, Some(session)).await
}

async fn end(
    app: &App,
    caller: &Caller,
    id: StaffId,
    session: Option<Vec<u8>>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let (by, audit) = (caller.staff, caller.audit("staff.sessions_ended", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                found(&mut org, id).await?;
                match session {
                    Some(session) if !org.end_session_of(id, &session).await? => {
                        return Err(Problem::not_found("session"));
                    }
                    Some(_) => {}
                    None => {
                        org.end_sessions(id, None).await?;
                    }
                }
                org.insert_audit(&audit).await?;
                tell(&org, "staff.signed_out", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
