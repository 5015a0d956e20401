//! Where a one-time link leads: somebody sets a password. No login is needed, the link is the proof.

use anteroom_model::{ids::OrganizationId, time::Timestamp};
use anteroom_store::{NewAudit, Org, StoreError};
use axum::{Extension, Json, extract::State, http::StatusCode};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tell;
use crate::{
    app::App,
    auth::{
        links::{self, Code},
        password,
    },
    hub::session::too_many,
    problem::Problem,
    telemetry::RequestId,
};

/// A link's code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct CodeForm {
    code: String,
}

/// Whom a link lets in.
#[derive(Serialize, ToSchema)]
pub(in crate::hub) struct WelcomeView {
    name: String,
    email: String,
    organization: String,
    /// The first password, and not another one.
    invites: bool,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Whom a link is for. It stands in the body, so that no address tells it.
#[utoipa::path(post, path = "/api/v1/welcome", tag = "session", request_body = CodeForm, security(()),
    responses((status = 200, body = WelcomeView),
        (status = 404, description = "It was used, or its time is over, or there never was one"), (status = 429)))]
pub(in crate::hub) async fn look(
    State(app): State<App>,
    Json(CodeForm { code }): Json<CodeForm>,
) -> Result<Json<WelcomeView>, Problem> {
    let Code { organization, staff, secret_hash } = counted(&app, &code)?;
    let mut org = opened(&app, organization).await?;
    let link = org.staff_link(staff, &secret_hash).await?.ok_or_else(over)?;
    let person = org.staff_member(staff).await?.filter(|staff| staff.active).ok_or_else(over)?;
    let organization = org.organization_row().await?.ok_or_else(over)?;
    Ok(Json(WelcomeView {
        name: person.name,
        email: person.email,
        organization: organization.name,
        invites: link.invites,
        expires_at: link.expires_at,
    }))
}

/// A link's code and the password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct FirstPassword {
    code: String,
    /// 12 to 200 characters.
    password: String,
}

/// Sets a password with a one-time link, which counts no more then; so do sessions that were open.
#[utoipa::path(post, path = "/api/v1/welcome/password", tag = "session", request_body = FirstPassword, security(()),
    responses((status = 204), (status = 404), (status = 422, description = "The password is too short"),
        (status = 429)))]
pub(in crate::hub) async fn set_password(
    State(app): State<App>,
    Extension(RequestId(request)): Extension<RequestId>,
    Json(FirstPassword { code, password }): Json<FirstPassword>,
) -> Result<StatusCode, Problem> {
    let Code { organization, staff, secret_hash } = counted(&app, &code)?;
    password::check(&password).map_err(|detail| Problem::field("password", detail))?;
    // A hash costs something: only for who has a link.
    opened(&app, organization).await?.staff_link(staff, &secret_hash).await?.ok_or_else(over)?;
    let hash = password::hash(app.store.ids(), password).await.map_err(|error| Problem::internal(&error))?;
    let set = app
        .store
        .write(organization, move |mut org| {
            async move {
                let active = org.staff_member(staff).await?.is_some_and(|staff| staff.active);
                if !active || !org.use_staff_link(staff, &secret_hash).await? {
                    return Err(over());
                }
                org.set_password(staff, &hash).await?;
                org.end_sessions(staff, None).await?;
                org.insert_audit(&NewAudit {
                    actor_id: staff,
                    action: "staff.password_set",
                    subject: Some(staff.0),
                    request_id: Some(request.to_string()),
                })
                .await?;
                tell(&org, "staff.signed_out", staff, staff);
                Ok(())
            }
            .boxed()
        })
        .await;
    set.map(|()| StatusCode::NO_CONTENT)
}

async fn opened(app: &App, organization: OrganizationId) -> Result<Org<'_>, Problem> {
    match app.store.read(organization).await {
        Err(StoreError::NoOrganization) => Err(over()),
        other => Ok(other?),
    }
}

/// A code that may be tried: ten at once for each person, then five a minute.
fn counted(app: &App, code: &str) -> Result<Code, Problem> {
    let code = links::read(code).ok_or_else(over)?;
    app.sign_ins.take(&format!("link {}", code.staff)).map_err(too_many)?;
    Ok(code)
}

/// The same whatever is wrong with it.
fn over() -> Problem {
    let detail = "This link was used, or its time is over. Ask for a new one.";
    Problem::new(StatusCode::NOT_FOUND, "link-over", "The link counts no more", detail)
}
