//! Teams: who works together, by the name that routing gives conversations to.

use anteroom_model::{
    ids::{StaffId, TeamId},
    states::Role,
};
use anteroom_store::{Actor, NewEvent, Org, Team};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        changes::if_match,
        fields::{NamedThing, in_use, name, named_by, taken, unchanged},
        paging::Page,
        views::Named,
    },
    problem::Problem,
};

const TAKEN: &str = "There is a team of that name already.";

/// A team.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TeamView {
    id: TeamId,
    name: String,
    /// Who works in it, by name; not those who have left.
    members: Vec<Named<StaffId>>,
    /// Hooks whose policies' settings name it: they go by the name.
    named_by: Vec<String>,
    /// For `If-Match`.
    version: i64,
}

/// All teams, by name.
#[utoipa::path(get, path = "/api/v1/teams", tag = "organization",
    responses((status = 200, body = Page<TeamView>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<TeamView>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    Ok(Json(Page::all(views(&mut org, &entry).await?)))
}

async fn views(org: &mut Org<'_>, entry: &Entry) -> Result<Vec<TeamView>, Problem> {
    let (teams, memberships, staff) = (org.teams().await?, org.memberships().await?, org.staff().await?);
    let members = |team: TeamId| {
        let working = staff.iter().filter(|one| one.active && memberships.contains(&(team, one.id)));
        working.map(|one| Named { id: one.id, name: one.name.clone() }).collect()
    };
    let views = teams.into_iter().map(|Team { id, name, version }| TeamView {
        id,
        members: members(id),
        named_by: named_by(entry, NamedThing::Team, &name),
        name,
        version,
    });
    Ok(views.collect())
}

async fn shown(app: &App, caller: &Caller, id: TeamId) -> Result<TeamView, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    views(&mut org, &entry).await?.into_iter().find(|team| team.id == id).ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found("team")
}

/// A team to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTeam {
    /// 1 to 100 characters; routing settings name it so.
    name: String,
    #[serde(default)]
    members: Vec<StaffId>,
}

/// Adds a team. For admins; audited.
#[utoipa::path(post, path = "/api/v1/teams", tag = "organization", request_body = NewTeam,
    responses((status = 201, body = TeamView), (status = 403),
        (status = 409, description = "There is one of that name"), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewTeam>,
) -> Result<(StatusCode, Json<TeamView>), Problem> {
    caller.require(&[Role::Admin])?;
    let name = name("name", &new.name)?;
    let (by, audit) = (caller.staff, caller.clone());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let added = org.insert_team(&name).await;
                let id = added.map_err(|error| taken(error, "name", TAKEN))?;
                join(&mut org, id, &new.members).await?;
                org.insert_audit(&audit.audit("team.created", Some(id.0))).await?;
                tell(&org, "team.created", id, by);
                Ok::<_, Problem>(id)
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok((StatusCode::CREATED, Json(shown(&app, &caller, id).await?)))
}

/// What can change of a team; absent: as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamChange {
    /// 1 to 100 characters.
    name: Option<String>,
    /// All of them.
    members: Option<Vec<StaffId>>,
}

/// Changes a team. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/teams/{id}", tag = "organization", request_body = TeamChange,
    params(("id" = TeamId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = TeamView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`; or there is another one of that name"),
        (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TeamId>,
    headers: HeaderMap,
    Json(wanted): Json<TeamChange>,
) -> Result<Json<TeamView>, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_name = wanted.name.as_deref().map(|text| name("name", text)).transpose()?;
    let (by, audit) = (caller.staff, caller.audit("team.changed", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut team = found(&mut org, id).await?;
                unchanged(expected, team.version, "team")?;
                if let Some(name) = new_name {
                    team.name = name;
                }
                let stored = org.update_team(&team).await;
                if !stored.map_err(|error| taken(error, "name", TAKEN))? {
                    return Err(Problem::changed("team", team.version));
                }
                if let Some(members) = wanted.members {
                    org.clear_team(id).await?;
                    join(&mut org, id, &members).await?;
                }
                org.insert_audit(&audit).await?;
                tell(&org, "team.changed", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(shown(&app, &caller, id).await?))
}

/// Takes a team away that no conversation was ever given to and no policy's settings name. For admins; audited.
#[utoipa::path(delete, path = "/api/v1/teams/{id}", tag = "organization", params(("id" = TeamId, Path)),
    responses((status = 204), (status = 403), (status = 404),
        (status = 409, description = "Something belongs to it: `detail` says what")))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TeamId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let entry = app.directory.get(caller.organization).await?;
    let (by, audit) = (caller.staff, caller.audit("team.deleted", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let team = found(&mut org, id).await?;
                if let Some(hook) = named_by(&entry, NamedThing::Team, &team.name).first() {
                    return Err(in_use(format!(
                        "The settings of the policy for {hook} name it. Change those first."
                    )));
                }
                if org.team_has_conversations(id).await? {
                    return Err(in_use(
                        "Conversations were given to it, so it stays, for what was said there. Take its members \
                         out instead.",
                    ));
                }
                org.delete_team(id).await?;
                org.insert_audit(&audit).await?;
                tell(&org, "team.deleted", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn found(org: &mut Org<'_>, id: TeamId) -> Result<Team, Problem> {
    org.teams().await?.into_iter().find(|team| team.id == id).ok_or_else(unknown)
}

async fn join(org: &mut Org<'_>, team: TeamId, members: &[StaffId]) -> Result<(), Problem> {
    let staff = org.staff().await?;
    if members.iter().any(|id| staff.iter().all(|one| one.id != *id)) {
        return Err(Problem::field("members", "members: somebody is none of this organization's staff."));
    }
    for id in members {
        org.add_to_team(team, *id).await?;
    }
    Ok(())
}

fn tell(org: &Org<'_>, kind: &'static str, id: TeamId, by: StaffId) {
    let data = json!({ "team_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
