//! All that is kept of a record, and the one way of changing it.

use anteroom_model::{
    ids::{CaregiverId, PatientId},
    names,
    states::{PatientKind, PatientState, PhoneKind, PhoneOwner},
};
use serde_json::{Value, json};
use sqlx::FromRow;

use super::{By, Caregiver, ExternalId, NewPatient, Patient, PatientRow, Phone, Profile};
use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

/// All that is kept of a record itself; not of those merged into it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The record.
    pub patient: Patient,
    /// Their phones, without those of contacts who may speak for them. A number comes once.
    pub phones: Vec<Phone>,
    /// Ids that other systems know them by.
    pub external_ids: Vec<ExternalId>,
    /// Who may speak for them.
    pub caregivers: Vec<Caregiver>,
}

impl Record {
    /// What is kept, as JSON: the same text for the same contents.
    pub fn contents(&self) -> Value {
        let phones = sorted(&self.phones, |phone| phone.number.clone());
        let ids = sorted(&self.external_ids, |id| (id.source.clone(), id.kind.clone(), id.value.clone()));
        let caregivers = sorted(&self.caregivers, |caregiver| caregiver.id);
        json!({
            "profile": self.patient.profile,
            "phones": phones,
            "external_ids": ids,
            "caregivers": caregivers,
        })
    }
}

fn sorted<T: Clone, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_by_key(key);
    list
}

/// The outcome of storing a change of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// Stored; this is the version now.
    Stored(i64),
    /// There was nothing to store.
    Same,
    /// Somebody changed, merged or deleted it since it was read.
    Outdated,
}

#[derive(FromRow)]
struct PhoneRow {
    phone: Vec<u8>,
    kind: PhoneKind,
    owner: PhoneOwner,
    preferred: bool,
    source: Option<String>,
    caregiver_id: Option<CaregiverId>,
}

impl Org<'_> {
    /// Adds a patient, tells and audits it.
    pub async fn create_patient(&mut self, new: &NewPatient, by: &By) -> Result<PatientId, StoreError> {
        let id = self.insert_patient(new).await?;
        let fields = new.profile.differences(&Profile::default());
        let told = json!({ "kind": new.kind, "fields": fields });
        self.record_change(id, "patient.created", by, told, json!({})).await?;
        Ok(id)
    }

    /// Adds a patient and tells nobody: for what is told as a part of something else.
    pub async fn insert_patient(&mut self, new: &NewPatient) -> Result<PatientId, StoreError> {
        let (nothing, record) = self.insert_record(new).await?;
        self.store_words(&nothing, &record).await?;
        Ok(record.patient.id)
    }

    /// All but the search words: the empty record, and the one that was added.
    pub(super) async fn insert_record(&mut self, new: &NewPatient) -> Result<(Record, Record), StoreError> {
        let (id, now): (PatientId, _) = (self.new_id(), self.now);
        let sealed = self.keys.seal_json("patients.profile", id.0, &new.profile)?;
        let [label, last_name, birth_date] = self.profile_hashes(&new.profile);
        execute!(self, "patients/insert", id, new.kind, sealed, label, last_name, birth_date, now);
        let patient = Patient {
            id,
            kind: new.kind,
            profile: Profile::default(),
            state: PatientState::Active,
            merged_into: None,
            survivor: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let nothing =
            Record { patient, phones: Vec::new(), external_ids: Vec::new(), caregivers: Vec::new() };
        let mut record = nothing.clone();
        record.patient.profile = new.profile.clone();
        record.phones.clone_from(&new.phones);
        record.external_ids.clone_from(&new.external_ids);
        self.store_phones(&nothing, &record).await?;
        self.store_external_ids(&nothing, &record).await?;
        Ok((nothing, record))
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
                let new = NewPatient { kind: PatientKind::Placeholder, profile, ..NewPatient::default() };
                return self.insert_patient(&new).await;
            }
        }
        Err(StoreError::Conflict)
    }

    /// One record by its own id, also where it is merged or deleted.
    pub async fn patient_record(&mut self, id: PatientId) -> Result<Option<Patient>, StoreError> {
        let row = fetch_optional!(self, PatientRow, "patients/get", id);
        row.map(|row| self.open_patient(&row)).transpose()
    }

    /// All that is kept of one record, also where it is merged.
    pub async fn record(&mut self, id: PatientId) -> Result<Option<Record>, StoreError> {
        let Some(patient) = self.patient_record(id).await? else { return Ok(None) };
        self.fill(patient).await.map(Some)
    }

    /// The same, locked until the end of this unit of work. `None` also of one that was deleted.
    pub async fn record_to_change(&mut self, id: PatientId) -> Result<Option<Record>, StoreError> {
        let organization = self.organization;
        let query = self.conn().pick(twin!("patients/get_to_change"));
        let row: Option<PatientRow> = on!(self.conn(), c => {
            sqlx::query_as(query).bind(organization).bind(id).fetch_optional(c).await?
        });
        match row {
            Some(row) if row.state != PatientState::Deleted => {
                let patient = self.open_patient(&row)?;
                self.fill(patient).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn fill(&mut self, patient: Patient) -> Result<Record, StoreError> {
        let id = patient.id;
        let mut phones = Vec::new();
        for row in fetch_all!(self, PhoneRow, "patients/phones", id) {
            if row.caregiver_id.is_none() {
                phones.push(self.open_phone(id, row)?);
            }
        }
        let external_ids = self.external_ids_of(id).await?;
        let caregivers = self.caregivers_of(id).await?;
        Ok(Record { patient, phones, external_ids, caregivers })
    }

    fn open_phone(&self, id: PatientId, row: PhoneRow) -> Result<Phone, StoreError> {
        Ok(Phone {
            number: self.keys.open_text("patient_phones.phone", id.0, &row.phone)?,
            kind: row.kind,
            owner: row.owner,
            preferred: row.preferred,
            source: row.source,
        })
    }

    /// Replaces the profile of a record, if its version is `expected` (`None`: whatever it is).
    pub async fn update_patient(
        &mut self,
        id: PatientId,
        expected: Option<i64>,
        profile: Profile,
        by: &By,
    ) -> Result<RecordChange, StoreError> {
        let Some(before) = self.record_to_change(id).await? else { return Ok(RecordChange::Outdated) };
        if expected.is_some_and(|version| version != before.patient.version) {
            return Ok(RecordChange::Outdated);
        }
        let mut after = before.clone();
        after.patient.profile = profile;
        self.store_record(&before, &after, by).await
    }

    /// Raises the version of a record: what is shown of the person has changed in another one.
    pub async fn touch_patient(&mut self, id: PatientId) -> Result<(), StoreError> {
        execute!(self, "patients/touch", id);
        Ok(())
    }

    /// Stores what of `after` differs from `before`, which was read in this unit of work; tells and audits it.
    ///
    /// [`StoreError::Conflict`]: an external id belongs to somebody else.
    pub async fn store_record(
        &mut self,
        before: &Record,
        after: &Record,
        by: &By,
    ) -> Result<RecordChange, StoreError> {
        let mut fields = before.patient.profile.differences(&after.patient.profile);
        let parts = [
            ("phones", before.phones != after.phones),
            ("external_ids", before.external_ids != after.external_ids),
            ("caregivers", before.caregivers != after.caregivers),
        ];
        fields.extend(parts.into_iter().filter_map(|(name, differs)| differs.then_some(name)));
        if fields.is_empty() {
            return Ok(RecordChange::Same);
        }
        let (id, version, now) = (after.patient.id, before.patient.version, self.now);
        let sealed = self.keys.seal_json("patients.profile", id.0, &after.patient.profile)?;
        let [label, last_name, birth_date] = self.profile_hashes(&after.patient.profile);
        let stored =
            execute!(self, "patients/update", id, sealed, label, last_name, birth_date, now, version);
        if stored == 0 {
            return Ok(RecordChange::Outdated);
        }
        self.store_parts(before, after).await?;
        let (old, new) = (before.contents(), after.contents());
        let changed = |of: &Value| -> Value {
            let part = |name: &&str| (of["profile"].get(*name).or(of.get(*name))).cloned();
            fields
                .iter()
                .map(|name| ((*name).to_owned(), part(name).unwrap_or(Value::Null)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let kept = json!({ "before": changed(&old), "after": changed(&new) });
        self.record_change(id, "patient.changed", by, json!({ "fields": fields }), kept).await?;
        Ok(RecordChange::Stored(version + 1))
    }

    /// Phones, external ids, care-givers and search words.
    pub(super) async fn store_parts(&mut self, before: &Record, after: &Record) -> Result<(), StoreError> {
        // Care-givers first: the phones of contacts name them.
        self.store_caregivers(before, after).await?;
        self.store_phones(before, after).await?;
        self.store_external_ids(before, after).await?;
        self.store_words(before, after).await
    }

    async fn store_phones(&mut self, before: &Record, after: &Record) -> Result<(), StoreError> {
        let id = after.patient.id;
        let (old, new) = (before.all_phones(), after.all_phones());
        for (_, phone) in old.iter().filter(|row| !new.contains(row)) {
            let hash = self.keys.lookup("phone", &phone.number);
            execute!(self, "patients/delete_phone", hash, id);
        }
        for (caregiver, phone) in new.iter().filter(|row| !old.contains(row)) {
            let hash = self.keys.lookup("phone", &phone.number);
            let sealed = self.keys.seal("patient_phones.phone", id.0, phone.number.as_bytes())?;
            execute!(
                self,
                "patients/insert_phone",
                hash,
                id,
                sealed,
                phone.kind,
                phone.owner,
                phone.preferred,
                phone.source.as_deref(),
                *caregiver
            );
        }
        Ok(())
    }

    /// Label, last name and date of birth, as they are looked up.
    fn profile_hashes(&self, profile: &Profile) -> [Option<Vec<u8>>; 3] {
        let last_name = Some(names::fold(&profile.last_name)).filter(|name| !name.is_empty());
        [
            profile.placeholder_name.as_deref().map(|name| self.keys.lookup("placeholder", name)),
            last_name.map(|name| self.keys.lookup("last_name", name)),
            profile.date_of_birth.as_deref().map(|date| self.keys.lookup("birth_date", date)),
        ]
    }
}

impl Record {
    /// Its own phones, and those of contacts that are not its own as well.
    pub(super) fn all_phones(&self) -> Vec<(Option<CaregiverId>, Phone)> {
        let mut all: Vec<_> = self.phones.iter().cloned().map(|phone| (None, phone)).collect();
        for (caregiver, phone) in self.contact_phones() {
            if !all.iter().any(|(_, other)| other.number == phone.number) {
                all.push((Some(caregiver), phone));
            }
        }
        all
    }
}
