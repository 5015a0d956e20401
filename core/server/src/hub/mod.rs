//! What staff and their programs use: the REST API and the event stream.
//!
//! An endpoint is a file, or a few that share their bodies: `Caller` authenticates, then look up, change and
//! tell in one transaction, answer with a typed body. `router` lists them all; the OpenAPI document is made
//! from the same list, so it can't name what isn't served.

mod actions;
mod changes;
mod conversations;
mod dead_letters;
mod decisions;
mod events;
mod lists;
mod messages;
mod notes;
mod openapi;
mod paging;
mod patients;
mod session;
mod shortcuts;
mod timeline;
mod views;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// Every endpoint of `/api/v1`, with its documentation.
fn api() -> (Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(session::sign_in, session::current, session::sign_out))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::counts))
        .routes(routes!(conversations::get))
        .routes(routes!(actions::accept))
        .routes(routes!(actions::assign))
        .routes(routes!(actions::close))
        .routes(routes!(actions::reopen))
        .routes(routes!(actions::snooze))
        .routes(routes!(messages::list, messages::send))
        .routes(routes!(messages::retry))
        .routes(routes!(dead_letters::list))
        .routes(routes!(notes::list, notes::add))
        .routes(routes!(timeline::list))
        .routes(routes!(events::stream))
        .routes(routes!(patients::get))
        .routes(routes!(patients::list))
        .routes(routes!(shortcuts::list))
        .routes(routes!(shortcuts::expand))
        .routes(routes!(lists::staff))
        .routes(routes!(lists::teams))
        .routes(routes!(lists::facilities))
        .routes(routes!(lists::numbers))
        .routes(routes!(lists::policies))
        .routes(routes!(lists::bindings))
        .routes(routes!(lists::opt_outs))
        .routes(routes!(lists::audit))
        .routes(routes!(lists::tokens, lists::create_token))
        .routes(routes!(lists::revoke_token))
        .routes(routes!(decisions::list))
        .routes(routes!(decisions::get))
        .split_for_parts()
}

/// The OpenAPI document, as served and as kept in `docs/openapi.json`.
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    api().1
}

/// The REST API with its documentation pages.
pub fn router() -> Router<App> {
    let (routes, document) = api();
    routes.merge(utoipa_swagger_ui::SwaggerUi::new("/api/docs").url("/api/openapi.json", document))
}
