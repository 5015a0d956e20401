//! Accept, assign, close, reopen, snooze.

use anteroom_model::{
    ids::{ConversationId, StaffId, TeamId},
    time::Timestamp,
};
use anteroom_store::{Conversation, Staff};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::change,
        moves,
        views::{self, ConversationView},
    },
    problem::Problem,
};

/// Where a conversation goes. A field that is left out stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Assignment {
    /// A member of staff; null: back to Unassigned.
    #[serde(default)]
    #[schema(value_type = Option<StaffId>)]
    pub(super) assignee_id: Change<StaffId>,
    /// A team; null: none.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    pub(super) team_id: Change<TeamId>,
}

/// A field of a body that may be absent, null or a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Change<T> {
    /// Absent.
    #[default]
    Keep,
    /// Null or a value.
    To(Option<T>),
}

impl<T> Change<T> {
    pub(super) fn or(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::To(value) => value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    /// Runs only where the field is present.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::To)
    }
}

/// Until when.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Snooze {
    /// RFC 3339, in the future.
    #[schema(value_type = String, format = DateTime)]
    pub(super) until: Timestamp,
}

/// How it is closed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(super) struct Closing {
    /// What a new text does; `unassigned` unless told otherwise.
    #[serde(default)]
    pub(super) new_text: NewText,
}

/// What a new text does with a closed conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum NewText {
    /// Opens it in Unassigned, routed anew.
    #[default]
    Unassigned,
    /// Opens it with the same person; in Unassigned, if they don't work here any more.
    SamePerson,
}

type Answer = Result<Json<ConversationView>, Problem>;

/// Puts the caller's name on an unassigned conversation. Of many at once one wins.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/accept", tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationView),
        (status = 409, description = "Somebody else has it: `winner` says who"), (status = 404)))]
pub(super) async fn accept(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Answer {
    let me = caller.staff;
    let accepted = change(&app, &caller, id, &headers, move |c| moves::accept(c, me)).await?;
    answer(&app, &caller, accepted).await
}

/// Gives a conversation to a person or a team, or back to Unassigned.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/assign", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = Assignment,
    responses((status = 200, body = ConversationView), (status = 403), (status = 404), (status = 409),
        (status = 422)))]
pub(super) async fn assign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(wanted): Json<Assignment>,
) -> Answer {
    check_targets(&app, &caller, &wanted).await?;
    let me = (caller.staff, caller.role);
    let assigned = change(&app, &caller, id, &headers, move |c| moves::assign(c, me, &wanted)).await?;
    answer(&app, &caller, assigned).await
}

/// Whether those named are there and can work on conversations.
pub(super) async fn check_targets(app: &App, caller: &Caller, wanted: &Assignment) -> Result<(), Problem> {
    if matches!((wanted.assignee_id, wanted.team_id), (Change::Keep, Change::Keep)) {
        return Err(Problem::invalid("Say assignee_id or team_id."));
    }
    let mut org = app.store.read(caller.organization).await?;
    if let Change::To(Some(id)) = wanted.assignee_id {
        let staff = org.staff_member(id).await?;
        if staff.is_none_or(|staff| !staff.works()) {
            return Err(Problem::invalid("assignee_id is nobody who can work on conversations."));
        }
    }
    if let Change::To(Some(id)) = wanted.team_id
        && !org.teams().await?.iter().any(|team| team.id == id)
    {
        return Err(Problem::invalid("team_id is none of this organization's teams."));
    }
    Ok(())
}

/// Done. A new text opens it again: in Unassigned, or with the same person, as the body says; there may be none.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/close", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = Option<Closing>,
    responses((status = 200, body = ConversationView), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let Closing { new_text } = if body.is_empty() {
        Closing::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|_| Problem::invalid("new_text is `unassigned` or `same_person`."))?
    };
    let me = caller.staff;
    let closed = change(&app, &caller, id, &headers, move |c| Ok(moves::close(c, me, new_text))).await?;
    answer(&app, &caller, closed).await
}

/// Open again, with the same name on it; Unassigned, if whoever had it doesn't work on conversations any more.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/reopen", tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationView), (status = 404), (status = 409)))]
pub(super) async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Answer {
    let mut staff = app.store.read(caller.organization).await?.staff().await?;
    staff.retain(Staff::works);
    let works = move |holder| staff.iter().any(|one| one.id == holder);
    let reopened = change(&app, &caller, id, &headers, |c| Ok(moves::reopen(c, works))).await?;
    answer(&app, &caller, reopened).await
}

/// Out of sight until a moment, or until the patient texts.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/snooze", tag = "conversations",
    params(("id" = ConversationId, Path)), request_body = Snooze,
    responses((status = 200, body = ConversationView), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn snooze(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(Snooze { until }): Json<Snooze>,
) -> Answer {
    let now = app.store.now();
    let snoozed = change(&app, &caller, id, &headers, move |c| moves::snooze(c, now, until)).await?;
    answer(&app, &caller, snoozed).await
}

async fn answer(app: &App, caller: &Caller, conversation: Conversation) -> Answer {
    Ok(Json(views::conversation(app, caller.organization, conversation).await?))
}
