//! Patients by id, phone and date of birth.

use anteroom_model::{
    ids::{ConversationId, PatientId},
    states::{PatientState, PhoneOwner},
};

use super::{Patient, PatientRow, Record};
use crate::{
    Org, StoreError,
    conn::{fetch_all, fetch_optional},
};

/// Whom a phone belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneOwnership {
    /// Nobody of the directory.
    Nobody,
    /// Exactly this patient: it is their own, or that of somebody who speaks for them alone.
    One(PatientId),
    /// Several, or a household: it doesn't say who is texting.
    Several,
}

impl PhoneOwnership {
    /// Whether it doesn't say who is texting.
    pub fn is_several(&self) -> bool {
        *self == Self::Several
    }
}

impl Org<'_> {
    /// One patient: where the record was merged, its survivor, whose id is another one. Of one that was
    /// deleted there is an empty profile and the state.
    pub async fn patient(&mut self, id: PatientId) -> Result<Option<Patient>, StoreError> {
        match self.patient_record(id).await? {
            Some(Patient { survivor: Some(survivor), .. }) => self.patient_record(survivor).await,
            found => Ok(found),
        }
    }

    /// The id under which the person is known now: the survivor's, or `id` itself.
    pub async fn resolve_patient(&mut self, id: PatientId) -> Result<Option<PatientId>, StoreError> {
        let found = fetch_optional!(self, (PatientId,), "patients/resolve", id);
        Ok(found.map(|(id,)| id))
    }

    /// Active patients with ids after `after`, at most `limit`.
    pub async fn patients(&mut self, after: PatientId, limit: u32) -> Result<Vec<Patient>, StoreError> {
        let rows = fetch_all!(self, PatientRow, "patients/all", after, i64::from(limit));
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    /// The records of a person: the survivor's first, then those merged into it, in the order in which they
    /// were added.
    pub async fn records_of(&mut self, survivor: PatientId) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for id in self.record_ids_of(survivor).await? {
            records.extend(self.record(id).await?);
        }
        Ok(records)
    }

    /// Their ids.
    pub async fn record_ids_of(&mut self, survivor: PatientId) -> Result<Vec<PatientId>, StoreError> {
        let merged = fetch_all!(self, (PatientId,), "patients/merged_into", survivor);
        Ok(std::iter::once(survivor).chain(merged.into_iter().map(|(id,)| id)).collect())
    }

    /// The phone numbers of a patient and of the records merged into theirs, E.164, without those of contacts.
    pub async fn phones_of(&mut self, id: PatientId) -> Result<Vec<String>, StoreError> {
        let mut numbers = Vec::new();
        for record in self.records_of(id).await? {
            for phone in record.phones {
                if !numbers.contains(&phone.number) {
                    numbers.push(phone.number);
                }
            }
        }
        Ok(numbers)
    }

    /// Patients whom a text from this phone may be about, at most ten: whose it is, in whichever of their
    /// records, and those for whom its owner may speak. Never one that was merged away or deleted, nor a
    /// placeholder.
    pub async fn patients_by_phone(&mut self, phone: &str) -> Result<Vec<Patient>, StoreError> {
        let hash = self.keys.lookup("phone", phone);
        let rows = fetch_all!(self, PatientRow, "patients/by_phone", hash);
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    /// Whether this phone says who is texting. One that is marked as shared doesn't, whoever has it.
    pub async fn phone_ownership(&mut self, phone: &str) -> Result<PhoneOwnership, StoreError> {
        let hash = self.keys.lookup("phone", phone);
        let owners = fetch_all!(self, (PhoneOwner,), "patients/phone_owners", hash.clone());
        if owners.contains(&(PhoneOwner::Shared,)) {
            return Ok(PhoneOwnership::Several);
        }
        // Who they are need not be opened for that.
        Ok(match fetch_all!(self, PatientRow, "patients/by_phone", hash).as_slice() {
            [] => PhoneOwnership::Nobody,
            [one] => PhoneOwnership::One(one.id),
            _ => PhoneOwnership::Several,
        })
    }

    /// Active profiles born on this date (`YYYY-MM-DD`), at most two hundred: where as many come back, there
    /// may be more.
    pub async fn patients_by_birth_date(&mut self, date: &str) -> Result<Vec<Patient>, StoreError> {
        let hash = self.keys.lookup("birth_date", date);
        let rows = fetch_all!(self, PatientRow, "patients/by_birth_date", hash);
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    /// Active patients whose record number (`mrn`) in some system is this one, at most ten.
    pub async fn patients_by_record_number(&mut self, number: &str) -> Result<Vec<Patient>, StoreError> {
        let hash = self.external_id_hash(number);
        let holders = fetch_all!(self, (PatientId,), "patients/by_record_number", hash);
        let mut found: Vec<Patient> = Vec::new();
        for (id,) in holders {
            let patient = self.patient(id).await?.filter(|patient| patient.state == PatientState::Active);
            found.extend(patient.filter(|patient| found.iter().all(|other| other.id != patient.id)));
        }
        Ok(found)
    }

    /// The conversations linked to any of these records, oldest first.
    pub async fn conversations_of_patients(
        &mut self,
        records: &[PatientId],
    ) -> Result<Vec<ConversationId>, StoreError> {
        let mut found = Vec::new();
        for id in records {
            let ids = fetch_all!(self, (ConversationId,), "patients/conversations", *id);
            found.extend(ids.into_iter().map(|(id,)| id));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Whether a patient can be linked to: active, as known now.
    pub async fn is_active_patient(&mut self, id: PatientId) -> Result<bool, StoreError> {
        Ok(self.patient_record(id).await?.is_some_and(|patient| patient.state == PatientState::Active))
    }
}
