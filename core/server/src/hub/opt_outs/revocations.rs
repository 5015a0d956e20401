//! Texts that read like a revocation: one press records it, another says that it was none.

use anteroom_model::{
    ids::{ConversationId, MessageId, NumberId, StaffId},
    states::{RevocationState, RevocationVia},
    time::Timestamp,
};
use anteroom_store::{Actor, NewEvent, NewOptOut, Org, Revocation};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use futures::FutureExt;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::record::conflict;
use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::{Named, Names},
    },
    opt_outs,
    problem::Problem,
};

/// A text that may be a revocation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RevocationView {
    /// The text.
    message_id: MessageId,
    conversation_id: ConversationId,
    number_id: NumberId,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// Ten business days later: it must be honoured by then (47 CFR 64.1200(a)(10)).
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    state: RevocationState,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// Null where the patient sent a STOP after it.
    resolved_by: Option<Named<StaffId>>,
}

fn view(revocation: &Revocation, names: &Names) -> RevocationView {
    RevocationView {
        message_id: revocation.message_id,
        conversation_id: revocation.conversation_id,
        number_id: revocation.number_id,
        asked_at: revocation.asked_at,
        due_at: revocation.due_at,
        state: revocation.state,
        resolved_at: revocation.resolved_at,
        resolved_by: revocation.resolved_by.map(|id| names.staff(id)),
    }
}

/// Those nobody has looked at, the one that is due first before the others. Nothing automatic is sent to their
/// patients meanwhile.
#[utoipa::path(get, path = "/api/v1/revocations", tag = "opt-outs", params(PageQuery),
    responses((status = 200, body = Page<RevocationView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RevocationView>>, Problem> {
    let after: Option<(i64, MessageId)> = page.position()?;
    let after = after.map(|(due, id)| (Timestamp::from_micros(due), id));
    let mut org = app.store.read(caller.organization).await?;
    let list = org.open_revocations(after, page.limit()).await?;
    let names = Names::read(&mut org).await?;
    let end = list.last().map(|last| (last.due_at.micros(), last.message_id));
    let items = list.iter().map(|revocation| view(revocation, &names)).collect();
    Ok(Json(Page::cut(items, page.limit(), end)))
}

/// Records the opt-out that the text asks for.
#[utoipa::path(post, path = "/api/v1/revocations/{id}/record", tag = "opt-outs",
    params(("id" = MessageId, Path)),
    responses((status = 200, body = RevocationView), (status = 404), (status = 409)))]
pub(in crate::hub) async fn record(
    app: State<App>,
    caller: Caller,
    id: Path<MessageId>,
) -> Result<Json<RevocationView>, Problem> {
    resolve(app, caller, id, RevocationState::Recorded).await
}

/// Says that the text asks for nothing of the kind.
#[utoipa::path(post, path = "/api/v1/revocations/{id}/dismiss", tag = "opt-outs",
    params(("id" = MessageId, Path)),
    responses((status = 200, body = RevocationView), (status = 404), (status = 409)))]
pub(in crate::hub) async fn dismiss(
    app: State<App>,
    caller: Caller,
    id: Path<MessageId>,
) -> Result<Json<RevocationView>, Problem> {
    resolve(app, caller, id, RevocationState::Dismissed).await
}

async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
    state: RevocationState,
) -> Result<Json<RevocationView>, Problem> {
    caller.may_write()?;
    let everywhere = app.directory.get(caller.organization).await?.organization.settings.opt_out_everywhere;
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move { settle(&mut org, &by, id, state, everywhere).await }.boxed()
        })
        .await?;
    let mut org = app.store.read(caller.organization).await?;
    let revocation = org.revocation(id).await?.ok_or_else(|| Problem::not_found("revocation"))?;
    let names = Names::read(&mut org).await?;
    Ok(Json(view(&revocation, &names)))
}

async fn settle(
    org: &mut Org<'_>,
    by: &Caller,
    id: MessageId,
    state: RevocationState,
    everywhere: bool,
) -> Result<(), Problem> {
    let known = org.revocation(id).await?.ok_or_else(|| Problem::not_found("revocation"))?;
    if !org.resolve_revocation(id, state, by.staff).await? {
        let detail = "Somebody has looked at this text already.";
        return Err(conflict("resolved", "This was looked at before", detail));
    }
    let conversation =
        org.conversation(known.conversation_id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let (of, actor) = (Some(known.conversation_id), Actor::Staff(by.staff));
    if state == RevocationState::Recorded {
        let new = NewOptOut {
            peer: &conversation.peer,
            scope: (!everywhere).then_some(known.number_id),
            source: "staff",
            asked_at: Some(known.asked_at),
            via: Some(RevocationVia::Text),
            note: None,
            recorded_by: Some(by.staff),
        };
        opt_outs::record(org, &new, of, actor).await?;
    } else {
        let data = json!({ "message_id": id });
        org.tell(NewEvent { kind: "opt_out.dismissed", conversation_id: of, actor, data });
    }
    let action =
        if state == RevocationState::Recorded { "revocation.recorded" } else { "revocation.dismissed" };
    org.insert_audit(&by.audit(action, Some(id.0))).await?;
    Ok(())
}
