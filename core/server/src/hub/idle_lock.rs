//! After how long without a key or a pointer the Hub locks itself.

use anteroom_model::states::Role;
use anteroom_store::StoreError;
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, problem::Problem};

/// After how long the Hub locks itself.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdleLockBody {
    /// 2 to 120 minutes; null: never.
    minutes: Option<u32>,
}

/// After how long without a key or a pointer the Hub locks itself.
#[utoipa::path(get, path = "/api/v1/idle-lock", tag = "organization", responses((status = 200, body = IdleLockBody)))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<IdleLockBody>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    Ok(Json(IdleLockBody { minutes: entry.organization.settings.idle_lock_minutes }))
}

/// Changes that, for who signs in from now on. For admins; audited.
#[utoipa::path(put, path = "/api/v1/idle-lock", tag = "organization", request_body = IdleLockBody,
    responses((status = 200, body = IdleLockBody), (status = 403), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(IdleLockBody { minutes }): Json<IdleLockBody>,
) -> Result<Json<IdleLockBody>, Problem> {
    caller.require(&[Role::Admin])?;
    if minutes.is_some_and(|minutes| !(2..=120).contains(&minutes)) {
        return Err(Problem::invalid("minutes is between 2 and 120, or null."));
    }
    let audit = caller.audit("idle_lock.changed", None);
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
                settings.idle_lock_minutes = minutes;
                org.set_settings(&settings).await?;
                org.insert_audit(&audit).await?;
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(IdleLockBody { minutes }))
}
