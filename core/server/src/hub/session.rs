//! Signing in and out.

use anteroom_model::{
    ids::{OrganizationId, StaffId, TeamId},
    states::Role,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{self, COOKIE, Caller, Via, password},
    hub::views::Named,
    problem::Problem,
};

/// What signs somebody in.
#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    staff: Me,
    organization: Named<OrganizationId>,
    /// Minutes without a key or a pointer after which a page locks itself; null: never.
    idle_lock_minutes: Option<u32>,
    /// For the `X-CSRF-Token` header of writes; absent for tokens.
    csrf_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Me {
    id: StaffId,
    name: String,
    email: String,
    role: Role,
    teams: Vec<Named<TeamId>>,
}

/// Signs in and sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials, security(()),
    responses((status = 200, body = SessionView), (status = 401), (status = 429)))]
pub(super) async fn sign_in(
    State(app): State<App>,
    jar: CookieJar,
    Json(credentials): Json<Credentials>,
) -> Result<(CookieJar, Json<SessionView>), Problem> {
    app.sign_ins.take(&credentials.email).map_err(too_many)?;
    let candidates = app.store.staff_by_email(&credentials.email).await?;
    let hashes = candidates.iter().map(|staff| staff.password_hash.clone()).collect();
    let fits =
        password::verify(hashes, credentials.password).await.map_err(|error| Problem::internal(&error))?;
    let Some(staff) = fits.and_then(|index| candidates.into_iter().nth(index)) else {
        let detail = "The e-mail address or the password is not right.";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "sign-in", "Not signed in", detail));
    };
    let opened = auth::open_session(&app.store, staff.organization_id, staff.id).await?;
    let view = view(&app, staff.organization_id, staff.id, Some(opened.csrf_token)).await?;
    let mut cookie = Cookie::new(COOKIE, opened.cookie);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_path("/");
    cookie.set_secure(app.secure_cookies);
    Ok((jar.add(cookie), Json(view)))
}

/// 429: so many seconds are to be waited.
pub(super) fn too_many(seconds: u64) -> Problem {
    let detail = format!("Too many tries for this address. Try again in {seconds} seconds.");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", "Too many tries", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401)))]
pub(super) async fn current(State(app): State<App>, caller: Caller) -> Result<Json<SessionView>, Problem> {
    let csrf = match caller.via {
        Via::Session { csrf_token, .. } => Some(csrf_token),
        Via::Token { .. } => None,
    };
    Ok(Json(view(&app, caller.organization, caller.staff, csrf).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn sign_out(
    State(app): State<App>,
    jar: CookieJar,
    caller: Caller,
) -> Result<(StatusCode, CookieJar), Problem> {
    if let Via::Session { secret_hash, .. } = caller.via {
        app.store
            .write(caller.organization, move |mut org| {
                async move { org.delete_session(&secret_hash).await }.boxed()
            })
            .await?;
    }
    let mut cookie = Cookie::from(COOKIE);
    cookie.set_path("/");
    Ok((StatusCode::NO_CONTENT, jar.remove(cookie)))
}

async fn view(
    app: &App,
    organization: OrganizationId,
    staff: StaffId,
    csrf_token: Option<String>,
) -> Result<SessionView, Problem> {
    let mut org = app.store.read(organization).await?;
    let me = org.staff_member(staff).await?.ok_or_else(Problem::unauthenticated)?;
    let teams = org.teams_of(staff).await?;
    let organization = org.organization_row().await?.ok_or_else(Problem::unauthenticated)?;
    Ok(SessionView {
        staff: Me {
            id: me.id,
            name: me.name,
            email: me.email,
            role: me.role,
            teams: teams.into_iter().map(|team| Named { id: team.id, name: team.name }).collect(),
        },
        organization: Named { id: organization.id, name: organization.name },
        idle_lock_minutes: organization.settings.idle_lock_minutes,
        csrf_token,
    })
}
