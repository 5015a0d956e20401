//! What staff and their programs use: the REST API and the event stream.
//!
//! An endpoint is a file, or a few that share their bodies: `Caller` authenticates, then look up, change and
//! tell in one transaction, answer with a typed body. `router` lists them all; the OpenAPI document is made
//! from the same list, so it can't name what isn't served.

mod accounts;
mod actions;
mod attachments;
mod audit;
mod backtests;
mod bulk;
mod changes;
mod conversations;
mod dead_letters;
mod decisions;
mod deliveries;
mod drafts;
mod events;
mod evidence;
mod facilities;
mod failures;
mod fields;
mod filters;
mod help;
mod identity;
mod idle_lock;
mod labels;
mod looks;
mod media;
mod mentions;
mod messages;
mod messaging_rules;
mod moves;
mod notes;
mod numbers;
mod openapi;
mod opt_outs;
mod organization;
mod paging;
mod patients;
mod people;
mod policies;
mod preferences;
mod presence;
mod reports;
mod roster;
mod saved_views;
mod scheduled;
mod search;
mod segments;
mod session;
mod shortcuts;
mod spreadsheet;
mod support;
mod teams;
mod texting_rules;
mod timeline;
mod tokens;
mod views;
mod webhooks;

use axum::{Router, extract::DefaultBodyLimit};
use utoipa::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

pub(crate) use self::events::told;
use self::roster::{runs, sources};
use crate::app::App;
pub(crate) use support::write::check_body as check_ticket_body;

/// Every endpoint of `/api/v1`, with its documentation.
fn api() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(session::sign_in, session::current, session::sign_out))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::counts))
        .merge(together())
        .routes(routes!(conversations::get, labels::set))
        .routes(routes!(labels::in_use))
        .routes(routes!(saved_views::list, saved_views::create))
        .routes(routes!(saved_views::change, saved_views::delete))
        .routes(routes!(bulk::run))
        .routes(routes!(actions::accept))
        .routes(routes!(actions::assign))
        .routes(routes!(actions::close))
        .routes(routes!(actions::reopen))
        .routes(routes!(actions::snooze))
        .routes(routes!(identity::actions::verify))
        .routes(routes!(identity::actions::create))
        .routes(routes!(identity::actions::repoint))
        .routes(routes!(identity::actions::split))
        .routes(routes!(identity::candidates::get))
        .routes(routes!(identity::locks::unlock))
        .routes(routes!(identity::locks::list))
        .routes(routes!(identity::rules::get, identity::rules::change))
        .routes(routes!(identity::report::get))
        .routes(routes!(messages::list, messages::send))
        .routes(routes!(messages::retry))
        .routes(routes!(segments::count))
        .routes(routes!(scheduled::list, scheduled::add))
        .routes(routes!(scheduled::change, scheduled::cancel))
        .routes(routes!(media::original))
        .routes(routes!(media::preview))
        // As large as files may be, which is looked at while they arrive.
        .routes(routes!(media::upload).layer(DefaultBodyLimit::disable()))
        .routes(routes!(dead_letters::list))
        .routes(routes!(notes::list, notes::add))
        .routes(routes!(timeline::list))
        .routes(routes!(events::stream))
        .routes(routes!(patients::read::list, patients::edit::create))
        .routes(routes!(patients::read::get, patients::edit::change, patients::deletion::delete))
        .routes(routes!(patients::search::search))
        .routes(routes!(patients::edit::phones))
        .routes(routes!(patients::edit::external_ids))
        .routes(routes!(patients::edit::caregivers))
        .routes(routes!(patients::merges::merge))
        .routes(routes!(patients::merges::list))
        .routes(routes!(patients::merges::undo))
        .routes(routes!(patients::history::list))
        .routes(routes!(patients::export::export))
        .routes(routes!(search::search))
        .routes(routes!(shortcuts::list))
        .routes(routes!(shortcuts::expand))
        .routes(routes!(organization::get, organization::change))
        .routes(routes!(facilities::list, facilities::create))
        .routes(routes!(facilities::change, facilities::delete))
        .routes(routes!(facilities::preview))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::change, teams::delete))
        .routes(routes!(people::list::list, people::edit::invite))
        .routes(routes!(people::edit::change))
        .routes(routes!(people::links::create))
        .routes(routes!(people::sessions::list, people::sessions::end_all))
        .routes(routes!(people::sessions::end_one))
        .routes(routes!(people::password::change))
        .routes(routes!(people::welcome::look))
        .routes(routes!(people::welcome::set_password))
        .routes(routes!(numbers::list, numbers::create))
        .routes(routes!(numbers::get, numbers::change))
        .routes(routes!(numbers::set_registration))
        .routes(routes!(numbers::refresh))
        .routes(routes!(texting_rules::get, texting_rules::change))
        .routes(routes!(accounts::list, accounts::create))
        .routes(routes!(accounts::get, accounts::change))
        .routes(routes!(accounts::rotate))
        .routes(routes!(accounts::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::retry))
        .merge(policies::routes())
        .merge(webhooks::routes())
        .routes(routes!(opt_outs::list::list, opt_outs::record::record))
        .routes(routes!(opt_outs::transfer::export))
        .routes(routes!(opt_outs::transfer::import).layer(DefaultBodyLimit::max(opt_outs::transfer::LARGEST)))
        .routes(routes!(opt_outs::list::get))
        .routes(routes!(opt_outs::record::clear))
        .routes(routes!(opt_outs::revocations::list))
        .routes(routes!(opt_outs::revocations::record))
        .routes(routes!(opt_outs::revocations::dismiss))
        .routes(routes!(messaging_rules::get, messaging_rules::change))
        .routes(routes!(audit::list))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .merge(figures())
        .routes(routes!(backtests::list, backtests::create))
        .routes(routes!(backtests::get))
        .routes(routes!(backtests::report))
        .routes(routes!(backtests::cancel))
        .routes(routes!(decisions::list))
        .routes(routes!(evidence::verify))
        .routes(routes!(evidence::export))
        .routes(routes!(evidence::rerun))
        .routes(routes!(decisions::get))
        .routes(routes!(sources::list, sources::create))
        .routes(routes!(sources::get, sources::change))
        .routes(routes!(sources::look))
        .routes(routes!(sources::files))
        .routes(routes!(sources::of_patient))
        // As large as the source's own limit, which is looked at while it arrives.
        .routes(routes!(runs::list, runs::send).layer(DefaultBodyLimit::disable()))
        .routes(routes!(runs::get))
        .routes(routes!(runs::report))
        .routes(routes!(runs::cancel))
        .merge(help_center())
        .split_for_parts();
    openapi::name_operations(&mut document);
    (routes, document)
}

/// What people who work together share, and what each has chosen.
fn together() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(drafts::get, drafts::put, drafts::delete))
        .routes(routes!(looks::put))
        .routes(routes!(presence::put))
        .routes(routes!(mentions::list))
        .routes(routes!(mentions::unread))
        .routes(routes!(mentions::read_all))
        .routes(routes!(mentions::read_of))
        .routes(routes!(preferences::get, preferences::put))
        .routes(routes!(idle_lock::get, idle_lock::change))
}

/// Reports.
fn figures() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reports::volume::get))
        .routes(routes!(reports::volume::csv))
        .routes(routes!(reports::response_times::get))
        .routes(routes!(reports::response_times::csv))
        .routes(routes!(reports::waiting::get))
        .routes(routes!(reports::waiting::csv))
        .routes(routes!(reports::outcomes::get))
        .routes(routes!(reports::outcomes::csv))
}

/// Articles, and questions to those who run this.
fn help_center() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(help::list))
        .routes(routes!(help::get))
        .routes(routes!(help::search))
        .routes(routes!(help::picture))
        .routes(routes!(support::summary))
        .routes(routes!(support::list, support::write::ask))
        .routes(routes!(support::get))
        .routes(routes!(support::write::say))
        .routes(routes!(support::write::seen))
        .routes(routes!(support::write::close))
        .routes(routes!(support::write::mail))
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
