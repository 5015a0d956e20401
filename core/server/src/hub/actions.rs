//! Accept, assign, close, reopen, snooze.

use anteroom_model::{
    ids::{ConversationId, StaffId, TeamId},
    states::{ConversationState, Role},
    time::Timestamp,
};
use anteroom_store::Conversation;
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::{Changed, Refusal, change},
        views::{self, ConversationView},
    },
    problem::Problem,
};

/// Where a conversation goes. A field that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Assignment {
    /// A member of staff; null: back to Unassigned.
    #[serde(default)]
    #[schema(value_type = Option<StaffId>)]
    assignee_id: Change<StaffId>,
    /// A team; null: none.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    team_id: Change<TeamId>,
}

/// A field of a body that may be absent, null or a value.
#[derive(Clone, Copy, Debug, Default)]
enum Change<T> {
    /// Absent.
    #[default]
    Keep,
    /// Null or a value.
    To(Option<T>),
}

impl<T> Change<T> {
    fn or(self, current: Option<T>) -> Option<T> {
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
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Snooze {
    /// RFC 3339, in the future.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
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
    let accepted = change(&app, &caller, id, &headers, move |c| {
        match c.assignee_id {
            Some(holder) if holder != me => return Err(Refusal::HeldBy(holder)),
            Some(_) => return Ok(None),
            None => {}
        }
        if c.state == ConversationState::Closed {
            return Err(Refusal::Closed);
        }
        c.assignee_id = Some(me);
        Ok(Some(("conversation.accepted", json!({ "assignee_id": me }))))
    })
    .await?;
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
    let (me, role) = (caller.staff, caller.role);
    let assigned = change(&app, &caller, id, &headers, move |c| {
        // An agent moves what is unassigned or their own; taking it from a colleague is for leads.
        if let Some(holder) = c.assignee_id
            && holder != me
            && role == Role::Agent
        {
            return Err(Refusal::HeldBy(holder));
        }
        if c.state == ConversationState::Closed {
            return Err(Refusal::Closed);
        }
        let before = (c.assignee_id, c.team_id);
        c.assignee_id = wanted.assignee_id.or(c.assignee_id);
        c.team_id = wanted.team_id.or(c.team_id);
        if before == (c.assignee_id, c.team_id) {
            return Ok(None);
        }
        let (from, from_team) = before;
        let data = json!({
            "assignee_id": c.assignee_id,
            "team_id": c.team_id,
            "from": from,
            "from_team": from_team,
        });
        Ok(Some(("conversation.assigned", data)))
    })
    .await?;
    answer(&app, &caller, assigned).await
}

async fn check_targets(app: &App, caller: &Caller, wanted: &Assignment) -> Result<(), Problem> {
    if matches!((wanted.assignee_id, wanted.team_id), (Change::Keep, Change::Keep)) {
        return Err(Problem::invalid("Say assignee_id or team_id."));
    }
    let mut org = app.store.read(caller.organization).await?;
    if let Change::To(Some(id)) = wanted.assignee_id {
        let staff = org.staff_member(id).await?;
        if staff.is_none_or(|staff| !staff.active || staff.role == Role::Auditor) {
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

/// Done. A new text reopens it in Unassigned.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/close", tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationView), (status = 404), (status = 409)))]
pub(super) async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Answer {
    let closed = change(&app, &caller, id, &headers, |c| {
        if c.state == ConversationState::Closed {
            return Ok(None);
        }
        c.state = ConversationState::Closed;
        c.snoozed_until = None;
        c.waiting_since = None;
        Ok(Some(("conversation.closed", json!({}))))
    })
    .await?;
    answer(&app, &caller, closed).await
}

/// Open again, with the same name on it.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/reopen", tag = "conversations",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = ConversationView), (status = 404), (status = 409)))]
pub(super) async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Answer {
    let reopened = change(&app, &caller, id, &headers, |c| Ok(open_again(c))).await?;
    answer(&app, &caller, reopened).await
}

fn open_again(c: &mut Conversation) -> Changed {
    if c.state == ConversationState::Open {
        return None;
    }
    c.state = ConversationState::Open;
    c.snoozed_until = None;
    Some(("conversation.reopened", json!({ "by": "staff" })))
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
    let snoozed = change(&app, &caller, id, &headers, move |c| {
        if until <= now {
            return Err(Refusal::Invalid("until must be in the future."));
        }
        if c.state == ConversationState::Closed {
            return Err(Refusal::Closed);
        }
        c.state = ConversationState::Snoozed;
        c.snoozed_until = Some(until);
        Ok(Some(("conversation.snoozed", json!({ "until": until }))))
    })
    .await?;
    answer(&app, &caller, snoozed).await
}

async fn answer(app: &App, caller: &Caller, conversation: Conversation) -> Answer {
    Ok(Json(views::conversation(app, caller.organization, conversation).await?))
}
