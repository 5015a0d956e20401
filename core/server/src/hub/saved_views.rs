//! Saved views: a queue with filters, under a name; one's own, or shared by leads and admins.

use anteroom_model::{
    ids::{StaffId, TeamId, ViewId},
    states::{QueueName, Role, Sharing},
};
use anteroom_store::{Actor, NewEvent, Org, Queue, SavedView, ViewContent};
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
        filters::FilterQuery,
        paging::Page,
        views::{Named, Names},
    },
    problem::Problem,
};

/// Views that one person keeps at most.
const MOST: usize = 50;
/// Longest name, in characters.
const NAME: usize = 60;

/// A view as its owner wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewForm {
    /// 1 to 60 characters.
    name: String,
    /// `mine` and `team` are those of whoever looks.
    queue: QueueName,
    #[serde(default)]
    filters: FilterQuery,
    /// Who else sees it; for leads and admins. `nobody` unless told otherwise.
    shared: Option<Sharing>,
    /// The team that it is shared with.
    team_id: Option<TeamId>,
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SavedViewView {
    id: ViewId,
    name: String,
    queue: QueueName,
    filters: FilterQuery,
    shared: Sharing,
    team: Option<Named<TeamId>>,
    owner: Named<StaffId>,
    /// Whether the caller may change and delete it.
    may_change: bool,
    /// For `If-Match`.
    version: i64,
}

fn view(view: SavedView, caller: &Caller, names: &Names, entry: &Entry) -> SavedViewView {
    SavedViewView {
        may_change: may_change(&view, caller),
        id: view.id,
        name: view.content.name,
        queue: view.content.queue,
        filters: FilterQuery::of(view.content.filters),
        shared: view.shared,
        team: view.team_id.and_then(|id| {
            let team = entry.teams.iter().find(|team| team.id == id)?;
            Some(Named { id, name: team.name.clone() })
        }),
        owner: names.staff(view.owner_id),
        version: view.version,
    }
}

/// Their own; and as a lead or an admin, what is shared.
fn may_change(view: &SavedView, caller: &Caller) -> bool {
    let leads = matches!(caller.role, Role::Lead | Role::Admin);
    caller.role != Role::Auditor
        && (view.owner_id == caller.staff || (leads && view.shared != Sharing::Nobody))
}

/// The queue as `staff` sees it.
pub(super) const fn queue_of(name: QueueName, staff: StaffId) -> Queue {
    match name {
        QueueName::Unassigned => Queue::Unassigned,
        QueueName::Mine => Queue::Mine(staff),
        QueueName::Team => Queue::Team(staff),
        QueueName::All => Queue::All,
        QueueName::Snoozed => Queue::Snoozed,
        QueueName::Closed => Queue::Closed,
    }
}

impl ViewForm {
    fn checked(self, caller: &Caller, entry: &Entry) -> Result<Checked, Problem> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
            return Err(Problem::invalid("name has 1 to 60 characters."));
        }
        let shared = self.shared.unwrap_or(Sharing::Nobody);
        if shared != Sharing::Nobody {
            caller.require(&[Role::Lead, Role::Admin])?;
        }
        let known = self.team_id.is_some_and(|id| entry.teams.iter().any(|team| team.id == id));
        if (shared == Sharing::Team) != self.team_id.is_some() || (shared == Sharing::Team && !known) {
            return Err(Problem::invalid(
                "team_id is a team where the view is shared with one, else absent.",
            ));
        }
        let filters = self.filters.checked()?.filters();
        let content = ViewContent { name: name.to_owned(), queue: self.queue, filters };
        Ok(Checked { sharing: (shared, self.team_id), content })
    }
}

struct Checked {
    sharing: (Sharing, Option<TeamId>),
    content: ViewContent,
}

/// The views that the caller sees, the oldest first. Their sizes are with those of the queues.
#[utoipa::path(get, path = "/api/v1/views", tag = "conversations", responses((status = 200, body = Page<SavedViewView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<SavedViewView>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let names = Names::read(&mut org).await?;
    let views = org.views_of(caller.staff).await?;
    Ok(Json(Page::all(views.into_iter().map(|one| view(one, &caller, &names, &entry)).collect())))
}

/// Saves a view. Sharing it is for leads and admins.
#[utoipa::path(post, path = "/api/v1/views", tag = "conversations", request_body = ViewForm,
    responses((status = 201, body = SavedViewView), (status = 403), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(form): Json<ViewForm>,
) -> Result<(StatusCode, Json<SavedViewView>), Problem> {
    caller.may_write()?;
    let entry = app.directory.get(caller.organization).await?;
    let Checked { sharing, content } = form.checked(&caller, &entry)?;
    let (me, audit) = (caller.staff, caller.clone());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let own = org.views_of(me).await?.into_iter().filter(|view| view.owner_id == me).count();
                if own >= MOST {
                    return Err(Problem::invalid("You have 50 views. Delete one first."));
                }
                let id = org.insert_view(me, sharing, &content).await?;
                tell(&org, "view.saved", id, me);
                org.insert_audit(&audit.audit("view.saved", Some(id.0))).await?;
                Ok(id)
            }
            .boxed()
        })
        .await?;
    Ok((StatusCode::CREATED, read(&app, &caller, id).await?))
}

/// Changes a view as a whole: one's own, or as a lead or an admin a shared one. `If-Match` is heeded.
#[utoipa::path(put, path = "/api/v1/views/{id}", tag = "conversations", request_body = ViewForm,
    params(("id" = ViewId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = SavedViewView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ViewId>,
    headers: HeaderMap,
    Json(form): Json<ViewForm>,
) -> Result<Json<SavedViewView>, Problem> {
    caller.may_write()?;
    let expected = if_match(&headers)?;
    let entry = app.directory.get(caller.organization).await?;
    let Checked { sharing: (shared, team_id), content } = form.checked(&caller, &entry)?;
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let before = changeable(&mut org, &by, id).await?;
                let after = SavedView { shared, team_id, content, ..before };
                let outdated = expected.is_some_and(|version| version != after.version);
                if outdated || !org.update_view(&after).await? {
                    return Err(changed_since(after.version));
                }
                tell(&org, "view.saved", id, by.staff);
                org.insert_audit(&by.audit("view.saved", Some(id.0))).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    read(&app, &caller, id).await
}

/// Deletes a view: one's own, or as a lead or an admin a shared one.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "conversations", params(("id" = ViewId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ViewId>,
) -> Result<StatusCode, Problem> {
    caller.may_write()?;
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                changeable(&mut org, &by, id).await?;
                org.delete_view(id).await?;
                tell(&org, "view.deleted", id, by.staff);
                org.insert_audit(&by.audit("view.deleted", Some(id.0))).await?;
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A view that the caller may change. One they can't see isn't there.
async fn changeable(org: &mut Org<'_>, caller: &Caller, id: ViewId) -> Result<SavedView, Problem> {
    let view = org.view(id).await?.filter(|view| may_change(view, caller));
    if let Some(view) = view {
        return Ok(view);
    }
    let sees = org.views_of(caller.staff).await?.iter().any(|view| view.id == id);
    Err(if sees {
        Problem::forbidden("A shared view is changed by whoever made it, by leads and by admins.")
    } else {
        Problem::not_found("view")
    })
}

fn changed_since(version: i64) -> Problem {
    let detail = "Somebody changed this view since you read it. Read it again.";
    Problem::new(StatusCode::CONFLICT, "changed", "The view has changed", detail).with("version", version)
}

/// The view as it is now.
async fn read(app: &App, caller: &Caller, id: ViewId) -> Result<Json<SavedViewView>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let names = Names::read(&mut org).await?;
    let found = org.view(id).await?.ok_or_else(|| Problem::not_found("view"))?;
    Ok(Json(view(found, caller, &names, &entry)))
}

fn tell(org: &Org<'_>, kind: &'static str, id: ViewId, by: StaffId) {
    let data = json!({ "view_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
