//! Internal notes.

use anteroom_model::{
    ids::{ConversationId, NoteId, StaffId},
    time::Timestamp,
};
use anteroom_store::{Actor, Idempotent, NewEvent, Note, Team};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        mentions::{self, NotePart},
        messages::{check_text, idempotency_key, misused_key},
        paging::{Page, PageQuery},
        views::{Named, Names},
    },
    problem::Problem,
};

/// A note to be added.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewNote {
    /// 1 to 1,600 characters. `@[staff:<id>]` and `@[team:<id>]` mention people; each counts as `@` and the name.
    body: String,
}

/// A note.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteView {
    id: NoteId,
    author: Named<StaffId>,
    /// As it reads today: mentions are `@` and the name.
    body: String,
    /// The same in parts: words, and who is mentioned.
    parts: Vec<NotePart>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl NoteView {
    pub(super) fn of(note: &Note, names: &Names, teams: &[Team]) -> Self {
        let parts = mentions::parts(&note.body, names, teams);
        Self {
            id: note.id,
            author: names.staff(note.author_id),
            body: mentions::plain(&parts),
            parts,
            created_at: note.created_at,
        }
    }
}

/// The notes of a conversation: a page of the newest, in the order they were written.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/notes", tag = "notes",
    params(("id" = ConversationId, Path), PageQuery),
    responses((status = 200, body = Page<NoteView>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<NoteView>>, Problem> {
    let before = page.position()?.unwrap_or(NoteId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let mut notes = org.notes(id, before, page.limit()).await?;
    let (names, teams) = (Names::read(&mut org).await?, org.teams().await?);
    drop(org);
    caller.audit_read(&app, "notes.read", id.0).await?;
    let oldest = notes.last().map(|note| note.id);
    notes.reverse();
    let items = notes.into_iter().map(|note| NoteView::of(&note, &names, &teams)).collect();
    Ok(Json(Page::cut(items, page.limit(), oldest)))
}

/// Adds a note. The patient never sees it.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/notes", tag = "notes",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = NewNote,
    responses((status = 201, body = NoteView), (status = 404), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(NewNote { body }): Json<NewNote>,
) -> Result<(StatusCode, Json<NoteView>), Problem> {
    caller.may_write()?;
    check_text(&as_read(&app, &caller, &body).await?)?;
    let key = idempotency_key(&headers)?;
    let me = caller.staff;
    let audit = caller.audit("note.added", Some(id.0));
    let note = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
                let mentioned = mentions::named(&mut org, &body, me).await?;
                let note = org.insert_note(id, me, &body).await?;
                if let Some(key) = key {
                    let request = [id.0.as_bytes().as_slice(), b"note", body.as_bytes()].concat();
                    match org.remember_key(me, &key, &request, note.id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Err(Repeated::Before(NoteId(before))),
                        Idempotent::Misused => return Err(misused_key().into()),
                    }
                }
                for staff in &mentioned {
                    org.insert_mention(*staff, note.id, id).await?;
                }
                org.tell(NewEvent {
                    kind: "note.added",
                    conversation_id: Some(id),
                    actor: Actor::Staff(me),
                    data: json!({ "note_id": note.id, "mentioned": mentioned }),
                });
                org.insert_audit(&audit).await?;
                Ok(note)
            }
            .boxed()
        })
        .await;
    let mut org = app.store.read(caller.organization).await?;
    let note = match note {
        Ok(note) => note,
        // The note just written was taken back with its transaction.
        Err(Repeated::Before(id)) => org.note(id).await?.ok_or_else(|| Problem::not_found("note"))?,
        Err(Repeated::Problem(problem)) => return Err(problem),
    };
    let (names, teams) = (Names::read(&mut org).await?, org.teams().await?);
    Ok((StatusCode::CREATED, Json(NoteView::of(&note, &names, &teams))))
}

/// A note's body with names in the place of ids: what counts for its length.
async fn as_read(app: &App, caller: &Caller, body: &str) -> Result<String, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let (names, teams) = (Names::read(&mut org).await?, org.teams().await?);
    Ok(mentions::plain(&mentions::parts(body, &names, &teams)))
}

/// Why a note was not written.
enum Repeated {
    Before(NoteId),
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Repeated {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}
