//! Who changed what of a record, and how it was before: told, audited and remembered in one place.

use anteroom_model::{
    ids::{AuditId, ChangeId, PatientId, StaffId},
    states::Author,
    time::Timestamp,
};
use serde_json::{Value, json};
use sqlx::FromRow;

use crate::{
    Actor, NewEvent, Org, StoreError,
    conn::{execute, fetch_all},
};

/// On whose behalf the directory is changed, and why.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// In their words; sealed with the change.
    pub reason: Option<String>,
    /// The HTTP request, for the audit.
    pub request_id: Option<String>,
}

impl By {
    /// A member of staff, with nothing said.
    pub fn staff(id: StaffId) -> Self {
        Self { actor: Actor::Staff(id), reason: None, request_id: None }
    }

    /// Anteroom itself: an import, for example, that says which.
    pub fn host(reason: &str) -> Self {
        Self { actor: Actor::Host, reason: Some(reason.to_owned()), request_id: None }
    }
}

/// A change of a record that was made.
#[derive(Clone)]
pub struct PatientChange {
    /// Its id; later changes have larger ones.
    pub id: ChangeId,
    /// As the event: `patient.created`, `patient.changed`, `patient.merged`, `patient.unmerged`,
    /// `patient.exported`, `patient.deleted`.
    pub kind: String,
    /// What kind of actor.
    pub actor: Author,
    /// Which member of staff.
    pub actor_id: Option<StaffId>,
    /// `reason`, `before` and `after`, as far as they apply; null of a patient who was deleted.
    pub data: Value,
    /// When.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct ChangeRow {
    id: ChangeId,
    kind: String,
    actor: Author,
    actor_id: Option<StaffId>,
    data: Option<Vec<u8>>,
    created_at: Timestamp,
}

impl Org<'_> {
    /// Tells, audits and remembers a change of `patient`. `told` goes into the event and names no one; `kept`
    /// is sealed with the record's own history.
    pub(super) async fn record_change(
        &mut self,
        patient: PatientId,
        kind: &'static str,
        by: &By,
        mut told: Value,
        mut kept: Value,
    ) -> Result<(), StoreError> {
        told["patient_id"] = json!(patient);
        if let Some(reason) = &by.reason {
            told["reason"] = json!(reason);
            kept["reason"] = json!(reason);
        }
        self.tell(NewEvent { kind, conversation_id: None, actor: by.actor, data: told });
        let (id, audit, now): (ChangeId, AuditId, _) = (self.new_id(), self.new_id(), self.now);
        let (actor, actor_id) = by.actor.parts();
        let sealed = self.keys.seal_json("patient_changes.data", id.0, &kept)?;
        execute!(self, "patients/insert_change", patient, id, kind, actor, actor_id, sealed, now);
        let request = by.request_id.as_deref();
        execute!(self, "audit/insert", audit, actor, actor_id, kind, patient, request, now);
        Ok(())
    }

    /// Tells, audits and remembers that all that is held of a patient was given out.
    pub async fn export_patient(&mut self, patient: PatientId, by: &By) -> Result<(), StoreError> {
        self.record_change(patient, "patient.exported", by, json!({}), json!({})).await
    }

    /// Changes of a record before `before`, newest first.
    pub async fn patient_changes(
        &mut self,
        patient: PatientId,
        before: ChangeId,
        limit: u32,
    ) -> Result<Vec<PatientChange>, StoreError> {
        let rows = fetch_all!(self, ChangeRow, "patients/changes", patient, before, i64::from(limit));
        rows.into_iter()
            .map(|row| {
                let data =
                    row.data.map(|sealed| self.keys.open_json("patient_changes.data", row.id.0, &sealed));
                Ok(PatientChange {
                    data: data.transpose()?.unwrap_or(Value::Null),
                    id: row.id,
                    kind: row.kind,
                    actor: row.actor,
                    actor_id: row.actor_id,
                    created_at: row.created_at,
                })
            })
            .collect()
    }
}
