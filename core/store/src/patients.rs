//! The patient directory: profiles and placeholders.

use anteroom_model::{ids::PatientId, names, states::PatientKind};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// What is known of a person; sealed as one JSON text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Of a placeholder: the random readable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placeholder_name: Option<String>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What they like to be called, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// BCP 47, for example `es`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Profile {
    /// The name staff see.
    pub fn display_name(&self) -> String {
        if let Some(name) = &self.placeholder_name {
            return name.clone();
        }
        let first = self.preferred_name.as_deref().unwrap_or(&self.first_name);
        format!("{first} {}", self.last_name).trim().to_owned()
    }
}

/// A patient.
#[derive(Clone)]
pub struct Patient {
    /// Their id.
    pub id: PatientId,
    /// A person of the directory, or a placeholder.
    pub kind: PatientKind,
    /// What is known.
    pub profile: Profile,
}

/// A patient to be added.
#[derive(Clone)]
pub struct NewPatient {
    /// A person of the directory, or a placeholder.
    pub kind: PatientKind,
    /// What is known.
    pub profile: Profile,
    /// E.164 numbers.
    pub phones: Vec<String>,
}

#[derive(FromRow)]
struct PatientRow {
    id: PatientId,
    kind: PatientKind,
    profile: Vec<u8>,
}

impl Org<'_> {
    /// Adds a patient.
    pub async fn insert_patient(&mut self, patient: &NewPatient) -> Result<PatientId, StoreError> {
        let (id, now): (PatientId, _) = (self.new_id(), self.now);
        let profile = &patient.profile;
        let sealed = self.keys.seal_json("patients.profile", id.0, profile)?;
        let keys = self.keys.clone();
        let label = profile.placeholder_name.as_deref().map(|name| keys.lookup("placeholder", name));
        let last_name = Some(names::fold(&profile.last_name))
            .filter(|name| !name.is_empty())
            .map(|name| keys.lookup("last_name", &name));
        let birth_date = profile.date_of_birth.as_deref().map(|date| keys.lookup("birth_date", date));
        execute!(self, "patients/insert", id, patient.kind, sealed, label, last_name, birth_date, now);
        for phone in &patient.phones {
            let hash = keys.lookup("phone", phone);
            let sealed = keys.seal("patient_phones.phone", id.0, phone.as_bytes())?;
            execute!(self, "patients/insert_phone", hash, id, sealed);
        }
        Ok(id)
    }

    /// Makes a placeholder with a name that was never used before.
    pub async fn insert_placeholder(&mut self) -> Result<PatientId, StoreError> {
        for attempt in 0.. {
            let name = names::placeholder(self.ids.number(), attempt);
            let hash = self.keys.lookup("placeholder", &name);
            let organization = self.organization;
            let taken: i64 = on!(self.conn(), c => {
                sqlx::query_scalar(sql!("patients/label_taken"))
                    .bind(organization)
                    .bind(hash)
                    .fetch_one(c)
                    .await?
            });
            if taken == 0 {
                let profile = Profile { placeholder_name: Some(name), ..Profile::default() };
                let new = NewPatient { kind: PatientKind::Placeholder, profile, phones: Vec::new() };
                return self.insert_patient(&new).await;
            }
        }
        Err(StoreError::Conflict)
    }

    /// One patient.
    pub async fn patient(&mut self, id: PatientId) -> Result<Option<Patient>, StoreError> {
        let row = fetch_optional!(self, PatientRow, "patients/get", id);
        row.map(|row| self.open_patient(&row)).transpose()
    }

    /// Patients with ids after `after`, at most `limit`.
    pub async fn patients(&mut self, after: PatientId, limit: u32) -> Result<Vec<Patient>, StoreError> {
        let rows = fetch_all!(self, PatientRow, "patients/all", after, i64::from(limit));
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    /// The phone numbers of a patient, E.164.
    pub async fn phones_of(&mut self, id: PatientId) -> Result<Vec<String>, StoreError> {
        let rows = fetch_all!(self, (Vec<u8>,), "patients/phones", id);
        rows.into_iter().map(|(sealed,)| self.keys.open_text("patient_phones.phone", id.0, &sealed)).collect()
    }

    /// Profiles with this phone number, at most ten.
    pub async fn patients_by_phone(&mut self, phone: &str) -> Result<Vec<Patient>, StoreError> {
        let hash = self.keys.lookup("phone", phone);
        let rows = fetch_all!(self, PatientRow, "patients/by_phone", hash);
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    /// Profiles born on this date (`YYYY-MM-DD`), at most two hundred.
    pub async fn patients_by_birth_date(&mut self, date: &str) -> Result<Vec<Patient>, StoreError> {
        let hash = self.keys.lookup("birth_date", date);
        let rows = fetch_all!(self, PatientRow, "patients/by_birth_date", hash);
        rows.iter().map(|row| self.open_patient(row)).collect()
    }

    fn open_patient(&self, row: &PatientRow) -> Result<Patient, StoreError> {
        let profile = self.keys.open_json("patients.profile", row.id.0, &row.profile)?;
        Ok(Patient { id: row.id, kind: row.kind, profile })
    }
}
