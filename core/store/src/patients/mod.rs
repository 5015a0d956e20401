//! The patient directory: people, placeholders, and how they are found.
//!
//! # How it is laid out
//!
//! A row of `patients` is a *record*. [`Record`] is all that is kept of one: the sealed [`Profile`], phones, ids
//! of other systems, care-givers. Every change reads a record, changes it and hands both to
//! [`Org::store_record`], which writes what differs, keeps the search words in step, raises the version, and
//! tells, audits and remembers the change: none of these can be forgotten.
//!
//! Two records of one person are *merged* (`merges`): nothing is moved, the absorbed record points to the
//! survivor. Whatever names a patient (a conversation, a phone, an id) goes on naming the record it always
//! named, and is resolved when it is read: [`Org::patient`] gives the survivor.
//!
//! # Order of locks
//!
//! Conversations before patients, patients in the order of their ids, the organization's row last.

mod caregivers;
mod changes;
mod deletion;
mod external_ids;
mod indexing;
mod look_ups;
mod merges;
mod profile;
mod records;
mod search;

use anteroom_model::{
    ids::PatientId,
    states::{PatientKind, PatientState, PhoneKind, PhoneOwner},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{Org, StoreError};

pub(crate) use indexing::tail;

pub use caregivers::{Caregiver, Contact};
pub use changes::{By, PatientChange};
pub use deletion::{Deleted, Deletion};
pub use external_ids::{ExternalId, Upserted};
pub use indexing::PatientWord;
pub use look_ups::PhoneOwnership;
pub use merges::{Merge, MergeRefusal, Merged, UndoRefusal, Undone};
pub use profile::Profile;
pub use records::{Record, RecordChange};
pub use search::{Found, SearchPage, SearchPosition};

/// A record of the directory: a person's, or a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    /// Its id.
    pub id: PatientId,
    /// A person of the directory, or a placeholder.
    pub kind: PatientKind,
    /// What is known. Empty of one that was deleted.
    pub profile: Profile,
    /// Active, merged into another one, or deleted.
    pub state: PatientState,
    /// The record that it was merged into, which may itself be merged by now.
    pub merged_into: Option<PatientId>,
    /// Where that leads in the end; `None`: itself.
    pub survivor: Option<PatientId>,
    /// Grows with every change, merge and undo.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When what is kept of it was changed.
    pub updated_at: Timestamp,
}

impl Patient {
    /// The id under which the person is known now: the survivor's, or its own.
    pub fn known_as(&self) -> PatientId {
        self.survivor.unwrap_or(self.id)
    }
}

/// A phone of a patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// E.164.
    pub number: String,
    /// Where it rings.
    pub kind: PhoneKind,
    /// Whose it is.
    pub owner: PhoneOwner,
    /// The one to use first.
    #[serde(default)]
    pub preferred: bool,
    /// The roster that told it; `None`: staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl From<&str> for Phone {
    /// The patient's own mobile phone.
    fn from(number: &str) -> Self {
        number.to_owned().into()
    }
}

impl From<String> for Phone {
    /// The patient's own mobile phone.
    fn from(number: String) -> Self {
        Self { number, kind: PhoneKind::Mobile, owner: PhoneOwner::Own, preferred: false, source: None }
    }
}

/// A patient to be added.
#[derive(Clone)]
pub struct NewPatient {
    /// A person of the directory, or a placeholder.
    pub kind: PatientKind,
    /// What is known.
    pub profile: Profile,
    /// Their phones.
    pub phones: Vec<Phone>,
    /// Ids that other systems know them by.
    pub external_ids: Vec<ExternalId>,
}

impl Default for NewPatient {
    fn default() -> Self {
        let (phones, external_ids) = (Vec::new(), Vec::new());
        Self { kind: PatientKind::Profile, profile: Profile::default(), phones, external_ids }
    }
}

#[derive(FromRow)]
pub(crate) struct PatientRow {
    id: PatientId,
    kind: PatientKind,
    profile: Vec<u8>,
    state: PatientState,
    merged_into: Option<PatientId>,
    survivor_id: Option<PatientId>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Org<'_> {
    pub(crate) fn open_patient(&self, row: &PatientRow) -> Result<Patient, StoreError> {
        Ok(Patient {
            profile: self.keys.open_json("patients.profile", row.id.0, &row.profile)?,
            id: row.id,
            kind: row.kind,
            state: row.state,
            merged_into: row.merged_into,
            survivor: row.survivor_id,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
