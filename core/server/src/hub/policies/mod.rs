//! Organizations' own policies: sent, signed, bound, tried, explained.

pub(super) mod bindings;
pub(super) mod health;
pub(super) mod notices;
pub(super) mod rules;
pub(super) mod signing;
pub(super) mod trial;
pub(super) mod uploads;
pub(super) mod versions;

use anteroom_model::states::Role;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::app::App;

/// Who may try policies.
pub(super) const TRIERS: [Role; 2] = [Role::Lead, Role::Admin];

/// Who may look at policies' insides: their records quote patients.
pub(super) const READERS: [Role; 3] = [Role::Lead, Role::Admin, Role::Auditor];

/// What is done with policies over REST.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        // As large as the policy host takes them, and not as all other bodies.
        .routes(routes!(versions::list, uploads::send).layer(DefaultBodyLimit::disable()))
        .routes(routes!(uploads::list))
        .routes(routes!(uploads::get))
        .routes(routes!(versions::compat))
        .routes(routes!(versions::get))
        .routes(routes!(trial::attempt))
        .routes(routes!(health::budget))
        .routes(routes!(health::faults))
        .routes(routes!(signing::sign))
        .routes(routes!(signing::keys, signing::add_key))
        .routes(routes!(signing::revoke_key))
        .routes(routes!(bindings::list, bindings::bind))
        .routes(routes!(bindings::past))
        .routes(routes!(bindings::retire))
        .routes(routes!(bindings::roll_back))
        .routes(routes!(rules::get, rules::change))
        .routes(routes!(notices::list))
        .routes(routes!(notices::dismiss))
}
