//! Ids that other systems know a patient by, and how their rosters are taken over.

use anteroom_model::{ids::PatientId, names};
use serde::{Deserialize, Serialize};

use super::{By, NewPatient, Record, RecordChange};
use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// An id of another system. Unique in an organization by source, kind and value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalId {
    /// Which system, for example `athena`.
    pub source: String,
    /// What kind of id, for example `mrn`.
    pub kind: String,
    /// As the system writes it. Compared without case, spaces and punctuation; leading zeros count.
    pub value: String,
}

/// What became of a patient that a roster told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// They were not known.
    Created,
    /// Something was new.
    Changed,
    /// All of it was known.
    Same,
    /// An administrator has deleted them. They stay so.
    Deleted,
}

impl Org<'_> {
    /// The record that holds this id; of a deleted patient the tombstone.
    pub async fn patient_by_external_id(
        &mut self,
        source: &str,
        kind: &str,
        value: &str,
    ) -> Result<Option<PatientId>, StoreError> {
        let hash = self.external_id_hash(value);
        let row = fetch_optional!(self, (PatientId,), "patients/by_external_id", source, kind, hash);
        Ok(row.map(|(id,)| id))
    }

    /// Takes over what a system tells of the patient it knows by (`source`, `kind`, `value`).
    ///
    /// What `new` leaves open is kept, a replaced family name becomes a former one, phones that this source
    /// told before and tells no longer are dropped, phones that staff added stay. The id given back is that of
    /// the record that holds the external id: after a merge it may be one that was absorbed, and is changed all
    /// the same, so that undoing the merge finds it up to date ([`Self::resolve_patient`] gives the survivor).
    ///
    /// [`StoreError::Conflict`]: another node is adding the same patient right now, or one of
    /// `new.external_ids` belongs to somebody else.
    pub async fn upsert_patient_by_external_id(
        &mut self,
        source: &str,
        kind: &str,
        value: &str,
        new: &NewPatient,
        by: &By,
    ) -> Result<(PatientId, Upserted), StoreError> {
        let own = ExternalId { source: source.to_owned(), kind: kind.to_owned(), value: value.to_owned() };
        let mut new = new.clone();
        if !new.external_ids.iter().any(|id| same(id, &own)) {
            new.external_ids.push(own);
        }
        for phone in &mut new.phones {
            phone.source.get_or_insert_with(|| source.to_owned());
        }
        let Some(id) = self.patient_by_external_id(source, kind, value).await? else {
            return Ok((self.create_patient(&new, by).await?, Upserted::Created));
        };
        let Some(before) = self.record_to_change(id).await? else { return Ok((id, Upserted::Deleted)) };
        let mut after = before.clone();
        after.patient.profile.learn(&new.profile);
        after.phones.retain(|old| {
            old.source.as_deref() != Some(source) || new.phones.iter().any(|phone| phone.number == old.number)
        });
        for phone in new.phones {
            match after.phones.iter_mut().find(|old| old.number == phone.number) {
                // What staff said of a phone stands.
                Some(old) if old.source.as_deref() == Some(source) => *old = phone,
                Some(_) => {}
                None => after.phones.push(phone),
            }
        }
        for id in new.external_ids {
            if !after.external_ids.iter().any(|old| same(old, &id)) {
                after.external_ids.push(id);
            }
        }
        match self.store_record(&before, &after, by).await? {
            RecordChange::Same => Ok((id, Upserted::Same)),
            RecordChange::Stored(_) => Ok((id, Upserted::Changed)),
            RecordChange::Outdated => Err(StoreError::Conflict),
        }
    }

    pub(super) async fn external_ids_of(&mut self, id: PatientId) -> Result<Vec<ExternalId>, StoreError> {
        type Row = (String, String, Option<Vec<u8>>);
        let rows = fetch_all!(self, Row, "patients/external_ids", id);
        let mut ids = Vec::with_capacity(rows.len());
        for (source, kind, sealed) in rows {
            let Some(sealed) = sealed else { continue };
            let value = self.keys.open_text("patient_external_ids.value", id.0, &sealed)?;
            ids.push(ExternalId { source, kind, value });
        }
        Ok(ids)
    }

    pub(super) async fn store_external_ids(
        &mut self,
        before: &Record,
        after: &Record,
    ) -> Result<(), StoreError> {
        let (now, patient) = (self.now, after.patient.id);
        for gone in before.external_ids.iter().filter(|old| !after.external_ids.contains(old)) {
            let hash = self.external_id_hash(&gone.value);
            execute!(self, "patients/delete_external_id", &gone.source, &gone.kind, hash);
        }
        for new in after.external_ids.iter().filter(|new| !before.external_ids.contains(new)) {
            let hash = self.external_id_hash(&new.value);
            let sealed = self.keys.seal("patient_external_ids.value", patient.0, new.value.as_bytes())?;
            execute!(self, "patients/insert_external_id", &new.source, &new.kind, hash, patient, sealed, now);
        }
        Ok(())
    }

    pub(super) fn external_id_hash(&self, value: &str) -> Vec<u8> {
        self.keys.lookup("external_id", names::fold(value))
    }
}

/// Whether two name the same patient of the same system.
fn same(one: &ExternalId, other: &ExternalId) -> bool {
    one.source == other.source
        && one.kind == other.kind
        && names::fold(&one.value) == names::fold(&other.value)
}
