//! Everything that is held of a patient, as one JSON document.

use anteroom_model::{
    ids::{AuditId, ChangeId, ConversationId, MessageId, NoteId, PatientId},
    states::Role,
};
use anteroom_store::{Merge, Message, Org};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{by, history, merges, not_found, reason};
use crate::{app::App, auth::Caller, hub::views::Names, problem::Problem};

/// Rows read at once.
const PAGE: u32 = 500;

/// Why it is given out.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct ExportBody {
    /// 1 to 500 characters.
    reason: String,
}

/// All that is held of a patient: every record with its changes, merges, conversations with texts, notes and
/// events, and who read any of it. For admins; the export itself is audited, told and remembered first.
#[utoipa::path(post, path = "/api/v1/patients/{id}/export", tag = "patients", params(("id" = PatientId, Path)),
    request_body = ExportBody,
    responses((status = 200, description = "A JSON document, as a download", body = serde_json::Value),
        (status = 403), (status = 404), (status = 422)))]
pub(in crate::hub) async fn export(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    Json(body): Json<ExportBody>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let by = by(&caller, Some(reason(&body.reason)?));
    let survivor: Result<PatientId, Problem> = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let survivor = org.resolve_patient(id).await?.ok_or_else(not_found)?;
                org.export_patient(survivor, &by).await?;
                Ok(survivor)
            }
            .boxed()
        })
        .await;
    let survivor = survivor?;
    let mut org = app.store.read(caller.organization).await?;
    let names = Names::read(&mut org).await?;
    let document = json!({
        "format": "anteroom.patient.v1",
        "organization_id": caller.organization,
        "patient_id": survivor,
        "exported_at": app.store.now(),
        "exported_by": caller.name,
        "records": records(&mut org, survivor, &names).await?,
        "merges": merges::of_person(&mut org, survivor).await?.iter().map(|m| merge(m, &names)).collect::<Vec<_>>(),
        "conversations": conversations(&mut org, survivor, &names).await?,
        "reads_and_changes": reads(&mut org, survivor, &names).await?,
    });
    let download = HeaderValue::from_static("attachment; filename=\"patient.json\"");
    Ok(([(header::CONTENT_DISPOSITION, download)], Json(document)).into_response())
}

async fn records(org: &mut Org<'_>, survivor: PatientId, names: &Names) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::new();
    for record in org.records_of(survivor).await? {
        let patient = &record.patient;
        let mut changes = Vec::new();
        let mut before = ChangeId::GREATEST;
        loop {
            let page = org.patient_changes(patient.id, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = last.id;
            changes.extend(page.into_iter().map(|change| {
                json!({
                    "kind": change.kind,
                    "actor": change.actor,
                    "actor_name": change.actor_id.map(|id| names.staff_name(id)),
                    "at": change.created_at,
                    "data": change.data,
                })
            }));
        }
        all.push(json!({
            "id": patient.id,
            "kind": patient.kind,
            "state": patient.state,
            "merged_into": patient.merged_into,
            "created_at": patient.created_at,
            "updated_at": patient.updated_at,
            "contents": record.contents(),
            "changes": changes,
        }));
    }
    Ok(all)
}

fn merge(merge: &Merge, names: &Names) -> Value {
    json!({
        "id": merge.id,
        "survivor_id": merge.survivor_id,
        "absorbed_id": merge.absorbed_id,
        "reason": merge.reason,
        "before": merge.before,
        "merged_by": merge.merged_by.map(|id| names.staff_name(id)),
        "at": merge.created_at,
        "undone_by": merge.undone_by.map(|id| names.staff_name(id)),
        "undone_at": merge.undone_at,
    })
}

async fn conversations(org: &mut Org<'_>, survivor: PatientId, names: &Names) -> Result<Vec<Value>, Problem> {
    let records = org.record_ids_of(survivor).await?;
    let mut all = Vec::new();
    for id in org.conversations_of_patients(&records).await? {
        let Some(conversation) = org.conversation(id).await? else { continue };
        all.push(json!({
            "id": id,
            "patient_id": conversation.patient_id,
            "phone": conversation.peer,
            "number_id": conversation.number_id,
            "identity": conversation.identity,
            "verification": conversation.exchanges,
            "state": conversation.state,
            "category": conversation.category,
            "tags": conversation.tags,
            "created_at": conversation.created_at,
            "messages": messages(org, id, names).await?,
            "notes": notes(org, id, names).await?,
            "events": events(org, id, names).await?,
        }));
    }
    Ok(all)
}

async fn messages(org: &mut Org<'_>, id: ConversationId, names: &Names) -> Result<Vec<Value>, Problem> {
    let mut all: Vec<Message> = Vec::new();
    loop {
        let before = all.last().map_or(MessageId::GREATEST, |message| message.id);
        let page = org.messages(id, before, PAGE).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let shown = |message: Message| {
        json!({
            "id": message.id,
            "direction": message.direction,
            "author": message.author,
            "author_name": message.author_id.map(|id| names.staff_name(id)),
            "body": message.body,
            "media": message.extra.media.len(),
            "state": message.state,
            "created_at": message.created_at,
            "sent_at": message.sent_at,
            "finished_at": message.finished_at,
        })
    };
    Ok(all.into_iter().rev().map(shown).collect())
}

async fn notes(org: &mut Org<'_>, id: ConversationId, names: &Names) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::new();
    let mut before = NoteId::GREATEST;
    loop {
        let page = org.notes(id, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = last.id;
        all.extend(page.into_iter().map(|note| {
            let author = names.staff_name(note.author_id);
            json!({ "id": note.id, "author_name": author, "body": note.body, "created_at": note.created_at })
        }));
    }
    all.reverse();
    Ok(all)
}

async fn events(org: &mut Org<'_>, id: ConversationId, names: &Names) -> Result<Vec<Value>, Problem> {
    let mut all = Vec::new();
    let mut before = i64::MAX;
    loop {
        let page = org.events_of(id, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = last.seq;
        all.extend(page.into_iter().map(|event| {
            json!({
                "seq": event.seq,
                "kind": event.kind,
                "actor": event.actor,
                "actor_name": event.actor_id.map(|id| names.staff_name(id)),
                "at": event.created_at,
                "data": event.data,
            })
        }));
    }
    all.reverse();
    Ok(all)
}

/// Who read or changed any of it.
async fn reads(org: &mut Org<'_>, survivor: PatientId, names: &Names) -> Result<Vec<Value>, Problem> {
    let records = org.record_ids_of(survivor).await?;
    let entries = history::audit(org, &records, AuditId::GREATEST, u32::MAX).await?;
    let shown = entries.into_iter().map(|entry| {
        json!({
            "action": entry.action,
            "subject": entry.subject,
            "actor": entry.actor,
            "actor_name": entry.actor_id.map(|id| names.staff_name(id)),
            "at": entry.created_at,
        })
    });
    Ok(shown.collect())
}
