//! A new one-time link for somebody who can't get in.

use anteroom_model::{ids::StaffId, states::Role, time::Timestamp};
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
    auth::{self, Caller, links::MadeLink},
    problem::Problem,
};

/// A one-time link, just made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct MadeLinkView {
    /// Not shown again. The Hub's page for it is `/#/welcome/{code}`.
    code: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

pub(super) fn view(MadeLink { code, expires_at }: MadeLink) -> MadeLinkView {
    MadeLinkView { code, expires_at }
}

/// Makes a one-time link with which somebody sets a password: a day for another one, seven for the first. The link
/// before counts no more; the password before does until the link is used. For admins; audited.
#[utoipa::path(post, path = "/api/v1/staff/{id}/link", tag = "organization", params(("id" = StaffId, Path)),
    responses((status = 201, body = MadeLinkView), (status = 403), (status = 404),
        (status = 409, description = "They don't work here any more")))]
pub(in crate::hub) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<StaffId>,
) -> Result<(StatusCode, Json<MadeLinkView>), Problem> {
    caller.require(&[Role::Admin])?;
    let secret = auth::new_secret(app.store.ids());
    let (organization, by, audit) =
        (caller.organization, caller.staff, caller.audit("staff.link_made", Some(id.0)));
    let link = app
        .store
        .write(organization, move |mut org| {
            async move {
                if !found(&mut org, id).await?.active {
                    let detail = "They don't work here any more. Let them in again first.";
                    return Err(Problem::new(StatusCode::CONFLICT, "inactive", "Not active", detail));
                }
                // Who never used the first one still has no password.
                let invites = org.staff_links().await?.iter().any(|link| link.staff_id == id && link.invites);
                let link = auth::links::put(&mut org, secret, (organization, id), invites, Some(by)).await?;
                org.insert_audit(&audit).await?;
                tell(&org, "staff.changed", id, by);
                Ok(link)
            }
            .boxed()
        })
        .await?;
    Ok((StatusCode::CREATED, Json(view(link))))
}
