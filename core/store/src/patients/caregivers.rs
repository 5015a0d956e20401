//! Who may speak for a patient: a parent, a spouse, a nurse of the home.

use anteroom_model::{
    ids::{CaregiverId, PatientId},
    states::{PhoneKind, PhoneOwner},
};
use serde::{Deserialize, Serialize};

use super::{Phone, Record};
use crate::{
    Org, StoreError,
    conn::{execute, fetch_all},
};

/// Somebody who may speak for a patient: another patient, or a contact that is none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caregiver {
    /// Its id.
    pub id: CaregiverId,
    /// The clinic's own word, for example `mother`.
    pub relation: String,
    /// The other patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientId>,
    /// Where it is no patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
}

/// A person who is no patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// As written.
    pub name: String,
    /// E.164. A text from it comes from somebody who may speak for the patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// What is sealed of a care-giver.
#[derive(Serialize, Deserialize)]
struct Data {
    relation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<Contact>,
}

type Row = (CaregiverId, Option<PatientId>, Vec<u8>);

impl Org<'_> {
    pub(super) async fn caregivers_of(&mut self, id: PatientId) -> Result<Vec<Caregiver>, StoreError> {
        let rows = fetch_all!(self, Row, "patients/caregivers", id);
        rows.into_iter()
            .map(|(id, patient, sealed)| {
                let data: Data = self.keys.open_json("patient_caregivers.data", id.0, &sealed)?;
                Ok(Caregiver { id, patient, relation: data.relation, contact: data.contact })
            })
            .collect()
    }

    /// The patients for whom this one may speak.
    pub async fn cared_for_by(&mut self, id: PatientId) -> Result<Vec<PatientId>, StoreError> {
        let rows = fetch_all!(self, (PatientId,), "patients/cared_for", id);
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    pub(super) async fn store_caregivers(
        &mut self,
        before: &Record,
        after: &Record,
    ) -> Result<(), StoreError> {
        let (now, patient) = (self.now, after.patient.id);
        for gone in before.caregivers.iter().filter(|old| !after.caregivers.contains(old)) {
            execute!(self, "patients/delete_caregiver", gone.id);
        }
        for new in after.caregivers.iter().filter(|new| !before.caregivers.contains(new)) {
            let data = Data { relation: new.relation.clone(), contact: new.contact.clone() };
            let sealed = self.keys.seal_json("patient_caregivers.data", new.id.0, &data)?;
            execute!(self, "patients/insert_caregiver", new.id, patient, new.patient, sealed, now);
        }
        Ok(())
    }
}

impl Record {
    /// The phones of its contacts, as rows of its own.
    pub(super) fn contact_phones(&self) -> impl Iterator<Item = (CaregiverId, Phone)> {
        self.caregivers.iter().filter_map(|caregiver| {
            let number = caregiver.contact.as_ref()?.phone.clone()?;
            let (kind, owner) = (PhoneKind::Mobile, PhoneOwner::Caregiver);
            Some((caregiver.id, Phone { number, kind, owner, preferred: false, source: None }))
        })
    }
}
