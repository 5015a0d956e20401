//! The same for many conversations at once: each by itself, so that one that can't be done stops no other.

use std::collections::HashSet;

use anteroom_model::{
    ids::{ConversationId, StaffId},
    states::Role,
    time::Timestamp,
};
use anteroom_store::Conversation;
use axum::{Json, extract::State};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        actions::{Assignment, Closing, Snooze, check_targets},
        changes::change_any,
        labels::LabelChange,
        moves::{self, Moved},
    },
    problem::Problem,
};

/// Conversations at most.
const MOST: usize = 200;
/// Changed at once: they share commits.
const AT_ONCE: usize = 16;

/// What to do with which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    /// 1 to 200.
    ids: Vec<ConversationId>,
    action: BulkAction,
}

/// What is done with each.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum BulkAction {
    /// Puts the caller's name on it.
    Accept,
    /// Gives it to a person or a team.
    Assign(Assignment),
    /// Out of sight until then.
    Snooze(Snooze),
    /// Done.
    Close(Closing),
    /// Tags, category, priority.
    Tag(LabelChange),
}

/// What became of them, in the order they were named.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkOutcome {
    /// How many are now as wanted.
    done: usize,
    items: Vec<BulkItem>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkItem {
    id: ConversationId,
    done: bool,
    /// Why not, in words.
    detail: Option<String>,
    /// The end of the problem's type: `held`, `closed`, `not-found` …
    problem: Option<String>,
    /// Who has it: `id` and `name`.
    #[schema(value_type = Option<Object>)]
    winner: Option<Value>,
}

/// Does the same with up to 200 conversations: each as its own endpoint would, one after another's failure too.
/// The answer is 200 where some could not be done; each says what became of it.
#[utoipa::path(post, path = "/api/v1/conversations/bulk", tag = "conversations", request_body = Bulk,
    responses((status = 200, body = BulkOutcome), (status = 403), (status = 422)))]
pub(super) async fn run(
    State(app): State<App>,
    caller: Caller,
    Json(Bulk { mut ids, action }): Json<Bulk>,
) -> Result<Json<BulkOutcome>, Problem> {
    caller.may_write()?;
    if ids.is_empty() || ids.len() > MOST {
        return Err(Problem::invalid("ids are 1 to 200."));
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    let action = action.checked(&app, &caller).await?;
    let changes = ids.into_iter().map(|id| {
        let (app, caller, action) = (&app, &caller, action.clone());
        let (me, now) = ((caller.staff, caller.role), app.store.now());
        async move {
            let changed = change_any(app, caller, id, None, move |c| action.apply(c, me, now)).await;
            BulkItem::of(id, changed.err().as_ref())
        }
    });
    let items: Vec<_> = stream::iter(changes).buffered(AT_ONCE).collect().await;
    Ok(Json(BulkOutcome { done: items.iter().filter(|item| item.done).count(), items }))
}

impl BulkAction {
    /// What is wrong with every one is said once.
    async fn checked(self, app: &App, caller: &Caller) -> Result<Self, Problem> {
        match &self {
            Self::Assign(wanted) => check_targets(app, caller, wanted).await?,
            Self::Snooze(Snooze { until }) if *until <= app.store.now() => {
                return Err(Problem::invalid("until must be in the future."));
            }
            _ => {}
        }
        match self {
            Self::Tag(labels) => Ok(Self::Tag(labels.checked()?)),
            other => Ok(other),
        }
    }

    fn apply(&self, c: &mut Conversation, me: (StaffId, Role), now: Timestamp) -> Moved {
        match self {
            Self::Accept => moves::accept(c, me.0),
            Self::Assign(wanted) => moves::assign(c, me, wanted),
            Self::Snooze(Snooze { until }) => moves::snooze(c, now, *until),
            Self::Close(Closing { new_text }) => Ok(moves::close(c, me.0, *new_text)),
            Self::Tag(labels) => moves::label(c, labels),
        }
    }
}

impl BulkItem {
    fn of(id: ConversationId, problem: Option<&Problem>) -> Self {
        Self {
            id,
            done: problem.is_none(),
            detail: problem.map(|problem| problem.detail().to_owned()),
            problem: problem.map(|problem| problem.kind().to_owned()),
            winner: problem.and_then(|problem| problem.member("winner").cloned()),
        }
    }
}
