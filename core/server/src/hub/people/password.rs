//! Changing one's own password.

use axum::{Json, extract::State, http::StatusCode};
use futures::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{found, tell};
use crate::{
    app::App,
    auth::{Caller, Via, password},
    hub::session::too_many,
    problem::Problem,
};

/// The password there is, and the one to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct PasswordChange {
    current: String,
    /// 12 to 200 characters.
    new: String,
}

/// Changes the caller's password and ends their other sessions. Not for tokens; audited.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "session", request_body = PasswordChange,
    responses((status = 204), (status = 403, description = "A token asked"),
        (status = 422, description = "`field`: `current` is not it, or `new` is too short"), (status = 429)))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(PasswordChange { current, new }): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let Via::Session { secret_hash, .. } = &caller.via else {
        return Err(Problem::forbidden("Only a person who is signed in changes a password."));
    };
    let me = found(&mut app.store.read(caller.organization).await?, caller.staff).await?;
    app.sign_ins.take(&me.email).map_err(too_many)?;
    let fits = password::verify(vec![me.password_hash], current).await;
    if fits.map_err(|error| Problem::internal(&error))?.is_none() {
        return Err(Problem::field("current", "That is not your password."));
    }
    password::check(&new).map_err(|detail| Problem::field("new", detail))?;
    let hash = password::hash(app.store.ids(), new).await.map_err(|error| Problem::internal(&error))?;
    let (staff, kept) = (caller.staff, secret_hash.clone());
    let audit = caller.audit("staff.password_changed", Some(staff.0));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                org.set_password(staff, &hash).await?;
                org.end_sessions(staff, Some(&kept)).await?;
                org.drop_staff_link(staff).await?;
                org.insert_audit(&audit).await?;
                tell(&org, "staff.signed_out", staff, staff);
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
