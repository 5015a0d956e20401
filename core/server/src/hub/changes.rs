//! Changing a conversation: read, check, change, tell, in one transaction.

use anteroom_model::ids::{ConversationId, StaffId};
use anteroom_store::{Actor, Conversation, ConversationChange, NewEvent, Org};
use axum::http::{HeaderMap, StatusCode, header};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{app::App, auth::Caller, problem::Problem};

/// What a change does to a conversation; `None`: it is so already, nothing is stored or told.
pub(super) type Changed = Option<(&'static str, Value)>;

/// Applies `change` to the conversation `id` on the caller's behalf, if it still is as `If-Match` says.
pub(super) async fn change<F>(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    headers: &HeaderMap,
    change: F,
) -> Result<Conversation, Problem>
where
    F: FnOnce(&mut Conversation) -> Result<Changed, Refusal> + Send + 'static,
{
    change_any(app, caller, id, if_match(headers)?, change).await
}

/// The same, of that version if one is given.
pub(super) async fn change_any<F>(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    expected: Option<i64>,
    change: F,
) -> Result<Conversation, Problem>
where
    F: FnOnce(&mut Conversation) -> Result<Changed, Refusal> + Send + 'static,
{
    caller.may_write()?;
    let staff = caller.staff;
    let audit = caller.audit("conversation.changed", Some(id.0));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut conversation = org
                    .conversation_to_change(id)
                    .await?
                    .ok_or_else(|| Problem::not_found("conversation"))?;
                if expected.is_some_and(|version| version != conversation.version) {
                    return Err(outdated(&mut org, &conversation).await?);
                }
                let changed = match change(&mut conversation) {
                    Ok(changed) => changed,
                    Err(refusal) => return Err(refusal.explain(&mut org).await?),
                };
                let Some((kind, data)) = changed else { return Ok(conversation) };
                if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
                    return Err(outdated(&mut org, &conversation).await?);
                }
                org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Staff(staff), data });
                org.insert_audit(&audit).await?;
                Ok(conversation)
            }
            .boxed()
        })
        .await
}

/// Why a change is refused; the winner's name is looked up where it is answered.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Somebody else has it.
    HeldBy(StaffId),
    /// It is closed.
    Closed,
    /// The request makes no sense.
    Invalid(&'static str),
}

impl Refusal {
    pub(super) async fn explain(self, org: &mut Org<'_>) -> Result<Problem, Problem> {
        Ok(match self {
            Self::HeldBy(winner) => held(org, winner).await?,
            Self::Closed => Problem::new(
                StatusCode::CONFLICT,
                "closed",
                "The conversation is closed",
                "Reopen the conversation first.",
            ),
            Self::Invalid(detail) => Problem::invalid(detail),
        })
    }
}

async fn held(org: &mut Org<'_>, winner: StaffId) -> Result<Problem, Problem> {
    let name = org.staff_member(winner).await?.map_or_else(|| "Somebody else".to_owned(), |staff| staff.name);
    let problem = Problem::new(
        StatusCode::CONFLICT,
        "held",
        "Somebody else has this conversation",
        format!("{name} has this conversation."),
    );
    Ok(problem.with("winner", json!({ "id": winner, "name": name })))
}

pub(super) async fn outdated(org: &mut Org<'_>, current: &Conversation) -> Result<Problem, Problem> {
    let problem = Problem::new(
        StatusCode::CONFLICT,
        "changed",
        "The conversation has changed",
        "Somebody changed this conversation since you read it. Read it again.",
    )
    .with("version", current.version);
    match current.assignee_id {
        Some(winner) => {
            let name = org.staff_member(winner).await?.map(|staff| staff.name);
            Ok(problem.with("winner", json!({ "id": winner, "name": name })))
        }
        None => Ok(problem),
    }
}

/// The version in `If-Match`, if the header is there.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if text == "*" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let detail = "If-Match takes a version in quotes.";
        Problem::new(StatusCode::BAD_REQUEST, "if-match", "Unusable If-Match", detail)
    })
}
