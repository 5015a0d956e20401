//! The queues.

use anteroom_model::{ids::ConversationId, time::Timestamp};
use anteroom_store::ConversationFilter;
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
        paging::{Page, PageQuery},
        views::{self, ConversationView},
    },
    problem::Problem,
};

/// A queue.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Queue {
    /// Open with nobody's name on it.
    #[default]
    Unassigned,
    /// With the caller's name on it.
    Mine,
    /// In the caller's teams.
    Team,
    /// Open or snoozed.
    All,
    /// Done, newest first.
    Closed,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// Which queue; `unassigned` by default.
    #[param(inline)]
    #[serde(default)]
    queue: Queue,
}

/// Sizes of the queues.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    unassigned: i64,
    mine: i64,
    team: i64,
    all: i64,
    closed: i64,
}

/// A queue, the longest waiting first.
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations", params(QueueQuery, PageQuery),
    responses((status = 200, body = Page<ConversationView>), (status = 401)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(QueueQuery { queue }): Query<QueueQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ConversationView>>, Problem> {
    let limit = page.limit();
    let position: Option<(i64, ConversationId)> = page.position()?;
    let position = position.map(|(micros, id)| (Timestamp::from_micros(micros), id));
    let mut org = app.store.read(caller.organization).await?;
    let filter = match queue {
        Queue::Unassigned => Some(ConversationFilter::Unassigned),
        Queue::Mine => Some(ConversationFilter::Mine(caller.staff)),
        Queue::Team => Some(ConversationFilter::Team(caller.staff)),
        Queue::All => Some(ConversationFilter::All),
        Queue::Closed => None,
    };
    let found = match filter {
        Some(filter) => org.queue(filter, position, limit).await?,
        None => org.closed(position, limit).await?,
    };
    let last = found.last().map(|c| {
        let at = if filter.is_some() {
            c.waiting_since.map_or(i64::MAX, Timestamp::micros)
        } else {
            c.last_message_at.micros()
        };
        (at, c.id)
    });
    drop(org);
    let items = views::conversations(&app, caller.organization, found).await?;
    caller.audit_read(&app, "conversations.listed", caller.staff.0).await?;
    Ok(Json(Page::cut(items, limit, last)))
}

/// Sizes of the queues as the caller sees them.
#[utoipa::path(get, path = "/api/v1/queues", tag = "conversations", responses((status = 200, body = Counts)))]
pub(super) async fn counts(State(app): State<App>, caller: Caller) -> Result<Json<Counts>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let counts = org.queue_counts(caller.staff).await?;
    Ok(Json(Counts {
        unassigned: counts.unassigned,
        mine: counts.mine,
        team: counts.team,
        all: counts.all_open,
        closed: org.closed_count().await?,
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
    Ok(Json(views::conversation(&app, caller.organization, found).await?))
}
