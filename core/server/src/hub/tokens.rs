//! API tokens: programs that act for a member of staff.

use anteroom_model::{
    ids::{StaffId, TokenId},
    states::Role,
    time::Timestamp,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{self, Caller, SCOPES},
    hub::{fields::name, paging::Page, views::Named},
    problem::Problem,
};

/// An API token; its secret is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenView {
    id: TokenId,
    name: String,
    staff: Named<StaffId>,
    scopes: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// To ten minutes; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
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
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<TokenView>>, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    let tokens = app.store.read(caller.organization).await?.tokens().await?;
    let items = tokens.into_iter().map(|token| TokenView {
        id: token.id,
        name: token.token_name,
        staff: Named { id: token.staff_id, name: token.name },
        scopes: token.scopes.0,
        created_at: token.created_at,
        last_used_at: token.last_used_at,
    });
    Ok(Json(Page::all(items.collect())))
}

/// Makes a token that acts as the caller. For admins.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "organization", request_body = NewToken,
    responses((status = 201, body = MadeToken), (status = 403), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    caller.require(&[Role::Admin])?;
    let name = name("name", &new.name)?;
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(scope)) {
        return Err(Problem::field("scopes", "scopes are read, write or both."));
    }
    let token = auth::create_token(&app.store, caller.organization, caller.staff, &name, &scopes).await?;
    caller.audit_read(&app, "token.created", caller.staff.0).await?;
    Ok((StatusCode::CREATED, Json(MadeToken { token })))
}

/// Ends a token at once. For admins.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "organization", params(("id" = TokenId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn revoke(
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
