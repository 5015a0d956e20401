//! What the caller is writing in a conversation and has not sent.

use anteroom_model::{ids::ConversationId, time::Timestamp};
use anteroom_store::Draft;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, hub::messages::check_storable, presence::Said, problem::Problem};

/// Longest part of a draft, in characters: twice what can be sent, since people cut afterwards.
const LONGEST: usize = 3_200;
/// Names of variables that a saved reply can leave open.
const MOST_MISSING: usize = 50;
/// Which page of a person's wrote: so that it needn't read what it has just said.
const PAGE_HEADER: &str = "x-page";

/// What is written and not sent.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct DraftBody {
    /// To the patient, up to 3,200 characters.
    #[serde(default)]
    reply: String,
    /// To colleagues, up to 3,200 characters; mentions as in a note.
    #[serde(default)]
    note: String,
    /// Variables of a saved reply that are still to be filled by hand.
    #[serde(default)]
    missing: Vec<String>,
}

/// The same as it is kept; empty where nothing is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DraftView {
    reply: String,
    note: String,
    missing: Vec<String>,
    /// Null where nothing is kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl DraftView {
    fn of(draft: Draft, updated_at: Option<Timestamp>) -> Json<Self> {
        Json(Self { reply: draft.reply, note: draft.note, missing: draft.missing, updated_at })
    }
}

/// What the caller is writing in a conversation: theirs alone, on whatever computer.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/draft", tag = "drafts",
    params(("id" = ConversationId, Path)), responses((status = 200, body = DraftView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<Json<DraftView>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let kept = org.draft(caller.staff, id).await?;
    Ok(kept
        .map_or_else(|| DraftView::of(Draft::default(), None), |(draft, at)| DraftView::of(draft, Some(at))))
}

/// Keeps what the caller is writing, in the place of what was kept before: of several pages the last one wins.
///
/// The caller's other pages hear `draft` on the event stream, with `{conversation_id, page}` and no `id`; `page`
/// is what the request's `X-Page` said.
#[utoipa::path(put, path = "/api/v1/conversations/{id}/draft", tag = "drafts",
    params(("id" = ConversationId, Path), ("X-Page" = Option<String>, Header)), request_body = DraftBody,
    responses((status = 200, body = DraftView), (status = 404), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(body): Json<DraftBody>,
) -> Result<Json<DraftView>, Problem> {
    caller.may_write()?;
    let draft = checked(body)?;
    let (me, kept) = (caller.staff, draft.clone());
    let at = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
                if draft.is_empty() {
                    org.delete_draft(me, id).await?;
                    return Ok::<_, Problem>(None);
                }
                org.put_draft(me, id, &draft).await?;
                Ok(Some(org.now()))
            }
            .boxed()
        })
        .await?;
    tell(&app, &caller, id, &headers);
    Ok(DraftView::of(kept, at))
}

/// Drops what the caller was writing.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/draft", tag = "drafts",
    params(("id" = ConversationId, Path), ("X-Page" = Option<String>, Header)), responses((status = 204)))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    caller.may_write()?;
    let me = caller.staff;
    let dropped = app
        .store
        .write(caller.organization, move |mut org| {
            async move { org.delete_draft(me, id).await.map_err(Problem::from) }.boxed()
        })
        .await?;
    if dropped {
        tell(&app, &caller, id, &headers);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn checked(body: DraftBody) -> Result<Draft, Problem> {
    let DraftBody { reply, note, missing } = body;
    for (name, text) in [("reply", &reply), ("note", &note)] {
        if text.chars().count() > LONGEST {
            return Err(Problem::invalid(format!("{name} is longer than {LONGEST} characters.")));
        }
        check_storable(text)?;
    }
    if missing.len() > MOST_MISSING || missing.iter().any(|name| name.len() > 100) {
        return Err(Problem::invalid("missing names more than there can be."));
    }
    Ok(Draft { reply, note, missing })
}

fn tell(app: &App, caller: &Caller, conversation_id: ConversationId, headers: &HeaderMap) {
    let page = headers.get(PAGE_HEADER).and_then(|value| value.to_str().ok());
    let page = page.filter(|page| page.len() <= 64).map(str::to_owned);
    Said::Draft { conversation_id, staff_id: caller.staff, page }.whisper(&app.store, caller.organization);
}
