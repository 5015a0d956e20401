//! Deleting a patient on an administrator's word: what identifies them goes, what was said stays.

use anteroom_model::{
    ids::{ConversationId, PatientId},
    names,
    states::PatientState,
};
use serde_json::json;

use super::{By, Profile, Record};
use crate::{
    NewEvent, Org, StoreError,
    conn::{execute, fetch_all},
};

/// The outcome of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Done.
    Done(Deleted),
    /// There is no such active patient.
    NotFound,
    /// Somebody changed it since it was read; this is its version now.
    Outdated(i64),
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The records that were emptied: the patient's, and those merged into it.
    pub records: Vec<PatientId>,
    /// Their conversations. The texts are still there.
    pub conversations: Vec<ConversationId>,
    /// The placeholder that stands for the patient in them now.
    pub placeholder: Option<PatientId>,
}

impl Org<'_> {
    /// Empties the records of a patient. Names, dates, phones, ids, care-givers and the history of these are gone
    /// for good, also from merges; ids of other systems are remembered as hashes so that no roster brings the
    /// patient back. Conversations keep their texts and get a placeholder; answers of a verification are gone.
    pub async fn delete_patient(
        &mut self,
        id: PatientId,
        expected: Option<i64>,
        by: &By,
    ) -> Result<Deletion, StoreError> {
        match self.patient_record(id).await? {
            Some(patient) if patient.state == PatientState::Active => {
                if expected.is_some_and(|version| version != patient.version) {
                    return Ok(Deletion::Outdated(patient.version));
                }
            }
            _ => return Ok(Deletion::NotFound),
        }
        // Conversations are locked before patients, everywhere.
        let ids = self.record_ids_of(id).await?;
        let conversations = self.conversations_of_patients(&ids).await?;
        let mut placeholder = None;
        if !conversations.is_empty() {
            let stand_in = self.insert_placeholder().await?;
            for conversation in &conversations {
                execute!(self, "patients/unlink_conversation", *conversation, stand_in);
            }
            placeholder = Some(stand_in);
        }
        // Changed or merged before the lock was had: nothing of this is kept, and the caller tries again.
        let locked = self.record_to_change(id).await?.ok_or(StoreError::Conflict)?.patient;
        let moved = expected.is_some_and(|version| version != locked.version);
        if locked.state != PatientState::Active || moved || self.record_ids_of(id).await? != ids {
            return Err(StoreError::Conflict);
        }
        for record in &ids {
            self.empty_record(*record, by).await?;
        }
        let told = json!({ "records": ids, "placeholder_id": placeholder });
        for conversation in &conversations {
            let data = json!({ "patient_id": placeholder, "deleted_id": id });
            let (kind, conversation_id) = ("patient.deleted", Some(*conversation));
            self.tell(NewEvent { kind, conversation_id, actor: by.actor, data });
        }
        self.record_change(id, "patient.deleted", by, told, json!({})).await?;
        Ok(Deletion::Done(Deleted { records: ids, conversations, placeholder }))
    }

    async fn empty_record(&mut self, id: PatientId, by: &By) -> Result<(), StoreError> {
        let Some(before) = self.record_to_change(id).await? else { return Ok(()) };
        let mut after = Record {
            patient: before.patient.clone(),
            phones: Vec::new(),
            // Their hashes stay.
            external_ids: before.external_ids.clone(),
            caregivers: Vec::new(),
        };
        after.patient.profile = Profile::default();
        self.store_parts(&before, &after).await?;
        for id in &before.external_ids {
            let hash = super::indexing::Key::Id(&names::fold(&id.value)).hash(&self.keys);
            execute!(self, "patients/delete_word", hash, after.patient.id);
        }
        self.drop_as_caregiver(id, by).await?;
        let now = self.now;
        let sealed = self.keys.seal_json("patients.profile", id.0, &Profile::default())?;
        execute!(self, "patients/empty", id, sealed, now);
        execute!(self, "patients/empty_external_ids", id);
        execute!(self, "patients/empty_changes", id);
        execute!(self, "patients/empty_merges", id);
        self.forget_in_rosters(id).await
    }

    /// Others for whom the patient might speak: a change of theirs.
    async fn drop_as_caregiver(&mut self, id: PatientId, by: &By) -> Result<(), StoreError> {
        for (other,) in fetch_all!(self, (PatientId,), "patients/cared_for", id) {
            let Some(before) = self.record_to_change(other).await? else { continue };
            let mut after = before.clone();
            after.caregivers.retain(|caregiver| caregiver.patient != Some(id));
            self.store_record(&before, &after, by).await?;
        }
        Ok(())
    }
}
