//! Who read a patient's data and who changed it, and how it was before.

use anteroom_model::{
    ids::{AuditId, ChangeId, PatientId},
    states::{Author, Role},
    time::Timestamp,
};
use anteroom_store::{AuditEntry, Org, PatientChange};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::not_found;
use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::Names,
    },
    problem::Problem,
};

/// Something that somebody did with a patient's data.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct HistoryEntry {
    id: AuditId,
    /// For example `patient.read`, `patient.changed`, `messages.read`.
    action: String,
    /// The record, or the conversation, that it was done with.
    subject: Option<Uuid>,
    actor: Author,
    actor_name: Option<String>,
    request_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Of a change: `reason`, and the fields that changed as they were (`before`) and became (`after`).
    change: Option<Value>,
}

/// Who read and changed what is held of a patient, in all its records and conversations, newest first. For
/// leads, admins and auditors. The read is audited too.
#[utoipa::path(get, path = "/api/v1/patients/{id}/history", tag = "patients",
    params(("id" = PatientId, Path), PageQuery),
    responses((status = 200, body = Page<HistoryEntry>), (status = 403), (status = 404)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<HistoryEntry>>, Problem> {
    caller.require(&[Role::Lead, Role::Admin, Role::Auditor])?;
    let before = page.position()?.unwrap_or(AuditId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let survivor = org.resolve_patient(id).await?.ok_or_else(not_found)?;
    let records = org.record_ids_of(survivor).await?;
    let mut entries = audit(&mut org, &records, before, page.limit()).await?;
    entries.truncate(usize::try_from(page.limit()).unwrap_or(usize::MAX));
    let last = entries.last().map(|entry| entry.id);
    let names = Names::read(&mut org).await?;
    let mut items = Vec::with_capacity(entries.len());
    let mut changes = Vec::new();
    for record in &records {
        let of = org.patient_changes(*record, ChangeId::GREATEST, 1_000).await?;
        changes.extend(of.into_iter().map(|change| (record.0, change)));
    }
    for entry in entries {
        items.push(HistoryEntry {
            change: take_change(&entry, &mut changes),
            id: entry.id,
            action: entry.action,
            subject: entry.subject,
            actor: entry.actor,
            actor_name: entry.actor_id.map(|id| names.staff_name(id)),
            request_id: entry.request_id,
            at: entry.created_at,
        });
    }
    drop(org);
    caller.audit_read(&app, "patient.history_read", survivor.0).await?;
    Ok(Json(Page::cut(items, page.limit(), last)))
}

/// Audit entries about these records and their conversations, newest first; up to `limit` of each.
pub(super) async fn audit(
    org: &mut Org<'_>,
    records: &[PatientId],
    before: AuditId,
    limit: u32,
) -> Result<Vec<AuditEntry>, Problem> {
    let conversations = org.conversations_of_patients(records).await?;
    let subjects = records.iter().map(|id| id.0).chain(conversations.iter().map(|id| id.0));
    let mut entries = Vec::new();
    for subject in subjects {
        entries.extend(org.audit_of(subject, before, limit).await?);
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
    Ok(entries)
}

/// The change that an entry is about: made in the same unit of work, of the same record. Both come newest first, so
/// of several that were made at the same moment each goes to its own.
fn take_change(entry: &AuditEntry, changes: &mut Vec<(Uuid, PatientChange)>) -> Option<Value> {
    let same = |(record, change): &(Uuid, PatientChange)| {
        Some(*record) == entry.subject
            && change.kind == entry.action
            && change.created_at == entry.created_at
            && change.actor_id == entry.actor_id
    };
    let place = changes.iter().position(same)?;
    Some(changes.remove(place).1.data)
}
