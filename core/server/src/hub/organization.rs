//! The organization itself: its name, and where its days are counted.

use anteroom_model::{
    hours::{OpeningHours, Schedule},
    ids::OrganizationId,
    states::Role,
};
use anteroom_store::{Actor, NewEvent, StoreError};
use axum::{Json, extract::State, http::HeaderMap};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        fields::{given, name, unchanged},
    },
    problem::Problem,
};

/// The organization.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrganizationView {
    id: OrganizationId,
    /// What patients and staff read.
    name: String,
    /// Where its days are counted (IANA name); null: as its first facility.
    time_zone: Option<String>,
    /// What that comes to.
    days_in: String,
    /// For `If-Match`.
    version: i64,
}

/// The organization.
#[utoipa::path(get, path = "/api/v1/organization", tag = "organization",
    responses((status = 200, body = OrganizationView)))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<OrganizationView>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    Ok(Json(OrganizationView {
        id: entry.organization.id,
        name: entry.organization.name.clone(),
        time_zone: entry.organization.settings.time_zone.clone(),
        days_in: entry.time_zone().to_owned(),
        version: entry.organization.version,
    }))
}

/// What can change of an organization; absent: as it was, null: none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are not the same")]
pub(super) struct OrganizationChange {
    /// 1 to 100 characters.
    name: Option<String>,
    /// IANA name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Option<String>>,
}

/// Changes the organization. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/organization", tag = "organization", request_body = OrganizationChange,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = OrganizationView), (status = 403),
        (status = 409, description = "It was changed since: `version`"),
        (status = 422, description = "`field` says what is wrong")))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<OrganizationChange>,
) -> Result<Json<OrganizationView>, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_name = wanted.name.as_deref().map(|text| name("name", text)).transpose()?;
    if let Some(Some(zone)) = &wanted.time_zone {
        Schedule::new(zone, &OpeningHours::default())
            .map_err(|error| Problem::field("time_zone", format!("{error}.")))?;
    }
    let (by, audit) = (caller.staff, caller.audit("organization.changed", Some(caller.organization.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut organization = org.organization_row().await?.ok_or(StoreError::NoOrganization)?;
                unchanged(expected, organization.version, "organization")?;
                if let Some(name) = new_name {
                    organization.name = name;
                }
                if let Some(zone) = wanted.time_zone {
                    organization.settings.time_zone = zone;
                }
                if !org.set_organization(&organization).await? {
                    return Err(Problem::changed("organization", organization.version));
                }
                org.insert_audit(&audit).await?;
                org.tell(NewEvent {
                    kind: "organization.changed",
                    conversation_id: None,
                    actor: Actor::Staff(by),
                    data: json!({}),
                });
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    get(State(app), caller).await
}
