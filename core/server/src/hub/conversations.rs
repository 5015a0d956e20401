//! The queues.

use std::collections::BTreeMap;

use anteroom_model::{ids::ConversationId, states::QueueName, time::Timestamp};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        filters::FilterQuery,
        looks,
        paging::{Page, PageQuery},
        saved_views::queue_of,
        views::{self, ConversationView},
    },
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// Which queue; `unassigned` by default.
    #[param(inline)]
    queue: Option<QueueName>,
}

/// Sizes of the queues.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    unassigned: i64,
    mine: i64,
    team: i64,
    all: i64,
    snoozed: i64,
    closed: i64,
    /// Of the views that the caller sees, by their ids. Not of those of the closed queue, which only grows: nobody
    /// works it off, and to count it again and again would cost more each year.
    views: BTreeMap<String, i64>,
}

/// A queue, the longest waiting first; of those snoozed the soonest back, of the closed the newest.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations", params(QueueQuery, FilterQuery, PageQuery),
    responses((status = 200, body = Page<ConversationView>), (status = 401), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(QueueQuery { queue }): Query<QueueQuery>,
    Query(page): Query<PageQuery>,
    filters: FilterQuery,
) -> Result<Json<Page<ConversationView>>, Problem> {
    let queue = queue_of(queue.unwrap_or(QueueName::Unassigned), caller.staff);
    let limit = page.limit();
    let position: Option<(i64, ConversationId)> = page.position()?;
    let position = position.map(|(micros, id)| (Timestamp::from_micros(micros), id));
    let mut org = app.store.read(caller.organization).await?;
    let found = org.queue(queue, &filters.filters(), position, limit).await?;
    let last = found.last().map(|c| queue.position(c)).map(|(at, id)| (at.micros(), id));
    drop(org);
    let mut items = views::conversations(&app, caller.organization, found).await?;
    looks::mark(&app, &caller, &mut items).await?;
    caller.audit_read(&app, "conversations.listed", caller.staff.0).await?;
    Ok(Json(Page::cut(items, limit, last)))
}

/// Sizes of the queues and of saved views, as the caller sees them.
#[utoipa::path(get, path = "/api/v1/queues", tag = "conversations", responses((status = 200, body = Counts)))]
pub(super) async fn counts(State(app): State<App>, caller: Caller) -> Result<Json<Counts>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let counts = org.queue_counts(caller.staff).await?;
    let mut views = BTreeMap::new();
    let views_of_work =
        org.views_of(caller.staff).await?.into_iter().filter(|view| view.content.queue != QueueName::Closed);
    for view in views_of_work {
        let queue = queue_of(view.content.queue, caller.staff);
        views.insert(view.id.to_string(), org.count_in_queue(queue, &view.content.filters).await?);
    }
    Ok(Json(Counts {
        unassigned: counts.unassigned,
        mine: counts.mine,
        team: counts.team,
        all: counts.all_open,
        snoozed: counts.snoozed,
        closed: counts.closed,
        views,
    }))
}

/// One conversation.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = ConversationId, Path)), responses((status = 200, body = ConversationView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<Json<ConversationView>, Problem> {
    let found = app.store.read(caller.organization).await?.conversation(id).await?;
    let found = found.ok_or_else(|| Problem::not_found("conversation"))?;
    caller.audit_read(&app, "conversation.read", id.0).await?;
    let mut view = views::conversation(&app, caller.organization, found).await?;
    looks::mark(&app, &caller, std::slice::from_mut(&mut view)).await?;
    Ok(Json(view))
}
