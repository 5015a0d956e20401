//! Inviting somebody, and changing who they are and what they may do.

use anteroom_model::{
    ids::{StaffId, TeamId},
    states::Role,
};
use anteroom_store::{NewStaff, Org, Staff};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    found, leaving,
    links::{self, MadeLinkView},
    list::{StaffView, shown},
    tell,
};
use crate::{
    app::App,
    auth::{self, Caller, password},
    hub::{
        changes::if_match,
        fields::{name, taken, unchanged},
    },
    problem::Problem,
};

/// Octets of an e-mail address: RFC 5321.
const LONGEST_EMAIL: usize = 254;
const TAKEN: &str = "Somebody of this organization signs in with that address already.";

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct NewPerson {
    /// 1 to 100 characters.
    name: String,
    /// What they will sign in with.
    email: String,
    role: Role,
    #[serde(default)]
    teams: Vec<TeamId>,
}

/// Somebody who was just invited.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Invited {
    staff: StaffView,
    /// What to hand over: nobody is sent anything.
    link: MadeLinkView,
}

/// Adds somebody, who sets a password with a one-time link that counts for seven days. For admins; audited.
#[utoipa::path(post, path = "/api/v1/staff", tag = "organization", request_body = NewPerson,
    responses((status = 201, body = Invited), (status = 403),
        (status = 409, description = "Somebody signs in with that address"),
        (status = 422, description = "`field` says what is wrong")))]
pub(in crate::hub) async fn invite(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewPerson>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    caller.require(&[Role::Admin])?;
    let (new_name, new_email) = (name("name", &new.name)?, email(&new.email)?);
    // Nobody's password, until they set theirs.
    let nobody = password::hash(app.store.ids(), auth::new_secret(app.store.ids()).0).await;
    let password_hash = nobody.map_err(|error| Problem::internal(&error))?;
    let person = NewStaff { name: new_name, email: new_email, password_hash, role: new.role };
    let secret = auth::new_secret(app.store.ids());
    let (organization, by, audit) = (caller.organization, caller.staff, caller.clone());
    let (id, link) = app
        .store
        .write(organization, move |mut org| {
            async move {
                let added = org.insert_staff(&person).await;
                let id = added.map_err(|error| taken(error, "email", TAKEN))?;
                join(&mut org, id, &new.teams).await?;
                let link = auth::links::put(&mut org, secret, (organization, id), true, Some(by)).await?;
                org.insert_audit(&audit.audit("staff.invited", Some(id.0))).await?;
                tell(&org, "staff.created", id, by);
                Ok::<_, Problem>((id, link))
            }
            .boxed()
        })
        .await?;
    app.directory.forget(organization);
    let staff = shown(&app, &caller, id).await?;
    Ok((StatusCode::CREATED, Json(Invited { staff, link: links::view(link) })))
}

/// What can change of somebody; absent: as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct PersonChange {
    /// 1 to 100 characters.
    name: Option<String>,
    email: Option<String>,
    role: Option<Role>,
    /// False ends their sessions, tokens and link at once, and puts what they had back into Unassigned.
    active: Option<bool>,
    /// All of them.
    teams: Option<Vec<TeamId>>,
}

/// Changes somebody. The last active admin stays one. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/staff/{id}", tag = "organization", request_body = PersonChange,
    params(("id" = StaffId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = StaffView), (status = 403), (status = 404),
        (status = 409, description = "They were changed since: `version`; the address is taken; or nobody else \
                                      could run the clinic"),
        (status = 422, description = "`field` says what is wrong")))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<StaffId>,
    headers: HeaderMap,
    Json(wanted): Json<PersonChange>,
) -> Result<Json<StaffView>, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_name = wanted.name.as_deref().map(|text| name("name", text)).transpose()?;
    let new_email = wanted.email.as_deref().map(email).transpose()?;
    let (by, audit) = (caller.staff, caller.clone());
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let before = found(&mut org, id).await?;
                unchanged(expected, before.version, "member of staff")?;
                let after = Staff {
                    name: new_name.unwrap_or_else(|| before.name.clone()),
                    email: new_email.unwrap_or_else(|| before.email.clone()),
                    role: wanted.role.unwrap_or(before.role),
                    active: wanted.active.unwrap_or(before.active),
                    ..before.clone()
                };
                if runs_it(&before) && !runs_it(&after) && org.admins().await? == [id] {
                    return Err(last_admin());
                }
                let stored = org.update_staff(&after).await;
                if !stored.map_err(|error| taken(error, "email", TAKEN))? {
                    return Err(Problem::changed("member of staff", before.version));
                }
                if let Some(teams) = &wanted.teams {
                    org.leave_teams(id).await?;
                    join(&mut org, id, teams).await?;
                }
                let action =
                    if before.active && !after.active { "staff.deactivated" } else { "staff.changed" };
                org.insert_audit(&audit.audit(action, Some(id.0))).await?;
                leaving::settle(&mut org, &before, &after, by).await?;
                tell(&org, "staff.changed", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(shown(&app, &caller, id).await?))
}

fn runs_it(staff: &Staff) -> bool {
    staff.active && staff.role == Role::Admin
}

fn last_admin() -> Problem {
    let detail = "Nobody else could run the clinic. Make somebody else an admin first.";
    Problem::new(StatusCode::CONFLICT, "last-admin", "The last admin", detail)
}

/// An address as people write it; whether it exists is for the clinic to know.
fn email(text: &str) -> Result<String, Problem> {
    let email = text.trim();
    let plain =
        email.len() <= LONGEST_EMAIL && !email.contains(|c: char| c.is_whitespace() || c.is_control());
    match email.split_once('@') {
        Some((user, domain))
            if plain && !user.is_empty() && domain.contains('.') && !domain.contains('@') =>
        {
            Ok(email.to_lowercase())
        }
        _ => Err(Problem::field("email", "email is an address such as maya@clinic.example.")),
    }
}

async fn join(org: &mut Org<'_>, staff: StaffId, teams: &[TeamId]) -> Result<(), Problem> {
    let known = org.teams().await?;
    if teams.iter().any(|id| known.iter().all(|team| team.id != *id)) {
        return Err(Problem::field("teams", "teams: one is none of this organization's."));
    }
    for team in teams {
        org.add_to_team(*team, staff).await?;
    }
    Ok(())
}
