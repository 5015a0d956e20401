//! Applying rows: what is said for the first time makes or finds a patient, what is said differently changes one.

use anteroom_model::{
    ids::{PatientId, RosterRunId, RosterSourceId},
    roster::{RosterRow, RowProblem},
    states::{PatientKind, PatientState},
};
use serde_json::json;

use super::{
    entries::{self, EntryKey, RosterEntry},
    report::{ReportRow, RosterOutcome},
    runs::Tally,
};
use crate::{
    Actor, By, ExternalId, NewEvent, NewPatient, Org, OrgKeys, Phone, Profile, RecordChange, StoreError,
};

/// A row of a file, ready to be applied.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// Its place among the records, from 1.
    pub row: i64,
    /// The line where it begins.
    pub line: u64,
    /// The external id, where there is one, also of a row that can't be used: who stands in it isn't missing.
    pub id: Option<String>,
    /// What it says, with warnings; or why it can't be used.
    pub read: Result<(RosterRow, Vec<RowProblem>), Vec<RowProblem>>,
}

/// Which roster rows belong to.
#[derive(Clone, Debug)]
pub struct RosterOf {
    /// The run; `None` where nothing is stored.
    pub run: RosterRunId,
    /// The source.
    pub source: RosterSourceId,
    /// Its name: the source of the directory's external ids.
    pub name: String,
    /// Their kind.
    pub id_kind: String,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// How many of each.
    pub tally: Tally,
    /// All but those of which there is nothing new.
    pub rows: Vec<ReportRow>,
}

impl Applied {
    fn add(&mut self, row: ReportRow) {
        let count = match row.outcome {
            RosterOutcome::Created => &mut self.tally.created,
            RosterOutcome::Changed => &mut self.tally.changed,
            RosterOutcome::Same => &mut self.tally.same,
            RosterOutcome::Refused => &mut self.tally.refused,
            RosterOutcome::Missing => &mut self.tally.missing,
        };
        *count += 1;
        if row.outcome != RosterOutcome::Same || !row.problems.is_empty() {
            self.rows.push(row);
        }
    }
}

/// What a row that can be used would do.
enum Judged {
    New,
    Same,
    Different(Box<Difference>),
}

/// What a source says differently of a patient.
struct Difference {
    entry: RosterEntry,
    before: RosterRow,
    fields: Vec<&'static str>,
}

impl Org<'_> {
    /// Says what rows would do.
    pub async fn compare_roster_rows(
        &mut self,
        of: &RosterOf,
        rows: &[NewRow],
    ) -> Result<Applied, StoreError> {
        self.work_off(of, rows, false).await
    }

    /// Applies rows.
    pub async fn apply_roster_rows(&mut self, of: &RosterOf, rows: &[NewRow]) -> Result<Applied, StoreError> {
        self.work_off(of, rows, true).await
    }

    async fn work_off(&mut self, of: &RosterOf, rows: &[NewRow], apply: bool) -> Result<Applied, StoreError> {
        let keys = self.keys.clone();
        let key = |row: &NewRow| {
            row.read.as_ref().ok().map(|(said, _)| EntryKey::new(&keys, of.source, &said.external_id))
        };
        let entry_keys: Vec<Option<EntryKey>> = rows.iter().map(key).collect();
        let mut known = self.roster_entries(of.source, entry_keys.iter().flatten()).await?;
        let mut applied = Applied::default();
        for (row, key) in rows.iter().zip(entry_keys) {
            let mut report = ReportRow {
                row: row.row,
                line: Some(row.line),
                outcome: RosterOutcome::Refused,
                patient_id: None,
                fields: Vec::new(),
                problems: Vec::new(),
            };
            match (&row.read, key) {
                (Ok((said, warnings)), Some(key)) => {
                    report.problems.clone_from(warnings);
                    let entry = known.remove(&key);
                    self.one(of, said, &key, entry, apply, &mut report).await?;
                }
                (Err(problems), _) => report.problems.clone_from(problems),
                (Ok(_), None) => {}
            }
            applied.add(report);
        }
        Ok(applied)
    }

    async fn one(
        &mut self,
        of: &RosterOf,
        said: &RosterRow,
        key: &EntryKey,
        entry: Option<RosterEntry>,
        apply: bool,
        report: &mut ReportRow,
    ) -> Result<(), StoreError> {
        let hash = entries::row_hash(&self.keys, said)?;
        match judge(&self.keys, said, &hash, entry)? {
            Judged::Same => report.outcome = RosterOutcome::Same,
            Judged::New if apply => match self.patient_of_roster(of, said).await? {
                Some((patient, outcome, fields)) => {
                    self.insert_roster_entry(of.source, key, patient, said, &hash).await?;
                    (report.outcome, report.patient_id) = (outcome, Some(patient));
                    report.fields = fields.into_iter().map(str::to_owned).collect();
                }
                None => report.problems.push(deleted()),
            },
            Judged::New => self.foresee(of, said, report).await?,
            Judged::Different(difference) => {
                let Difference { entry, before, fields } = *difference;
                let patient = entry.patient_id;
                report.patient_id = Some(patient);
                if apply && self.change_from_roster(of, patient, &before, said).await?.is_none() {
                    report.problems.push(deleted());
                    return Ok(());
                }
                report.outcome = RosterOutcome::Changed;
                report.fields = fields.iter().map(|field| (*field).to_owned()).collect();
                if apply {
                    self.update_roster_entry(of.source, key, patient, said, &hash).await?;
                    if entry.missing_since.is_some() {
                        self.tell_of_roster("patient.roster_back", patient, of);
                    }
                }
            }
        }
        Ok(())
    }

    /// What a row would do that the source has never said before.
    async fn foresee(
        &mut self,
        of: &RosterOf,
        said: &RosterRow,
        report: &mut ReportRow,
    ) -> Result<(), StoreError> {
        let known = self.patient_by_external_id(&of.name, &of.id_kind, &said.external_id).await?;
        let Some(id) = known else {
            report.outcome = RosterOutcome::Created;
            return Ok(());
        };
        match self.patient_record(id).await? {
            Some(patient) if patient.state != PatientState::Deleted => {
                report.outcome = RosterOutcome::Changed;
                report.patient_id = Some(id);
                let fields = RosterRow::default().differences(said);
                report.fields = fields.into_iter().map(str::to_owned).collect();
            }
            _ => report.problems.push(deleted()),
        }
        Ok(())
    }

    /// Notes who isn't in the file any more; `first` is the place of the first of them in the report.
    pub async fn miss_roster_patients(
        &mut self,
        of: &RosterOf,
        missing: &[(EntryKey, PatientId)],
        first: i64,
        apply: bool,
    ) -> Result<Applied, StoreError> {
        let mut applied = Applied::default();
        for (row, (key, patient)) in (first..).zip(missing) {
            if apply {
                self.miss_roster_entry(of.source, key).await?;
                self.tell_of_roster("patient.roster_missing", *patient, of);
            }
            applied.add(ReportRow {
                row,
                line: None,
                outcome: RosterOutcome::Missing,
                patient_id: Some(*patient),
                fields: Vec::new(),
                problems: Vec::new(),
            });
        }
        Ok(applied)
    }

    fn tell_of_roster(&self, kind: &'static str, patient: PatientId, of: &RosterOf) {
        let data = json!({ "patient_id": patient, "source_id": of.source, "run_id": of.run });
        self.tell(NewEvent { kind, conversation_id: None, actor: Actor::Host, data });
    }

    /// The patient whom the directory knows by that id, or a new one; nobody where that patient was deleted.
    async fn patient_of_roster(
        &mut self,
        of: &RosterOf,
        said: &RosterRow,
    ) -> Result<Option<(PatientId, RosterOutcome, Vec<&'static str>)>, StoreError> {
        let nothing = RosterRow::default();
        if let Some(id) = self.patient_by_external_id(&of.name, &of.id_kind, &said.external_id).await? {
            let changed = self.change_from_roster(of, id, &nothing, said).await?;
            return Ok(changed.map(|changed| {
                let fields = nothing.differences(said);
                if changed {
                    (id, RosterOutcome::Changed, fields)
                } else {
                    (id, RosterOutcome::Same, Vec::new())
                }
            }));
        }
        let own =
            ExternalId { source: of.name.clone(), kind: of.id_kind.clone(), value: said.external_id.clone() };
        let new = NewPatient {
            kind: PatientKind::Profile,
            profile: news(&nothing, said),
            phones: phones(of, said).collect(),
            external_ids: vec![own],
        };
        let id = self.create_patient(&new, &by(of)).await?;
        Ok(Some((id, RosterOutcome::Created, Vec::new())))
    }

    /// Changes what the source says differently; what it says as before stays as staff have it, and what it says
    /// no more stays too. Whether anything was changed; `None` of a patient who was deleted.
    async fn change_from_roster(
        &mut self,
        of: &RosterOf,
        patient: PatientId,
        before: &RosterRow,
        said: &RosterRow,
    ) -> Result<Option<bool>, StoreError> {
        let Some(old) = self.record_to_change(patient).await? else { return Ok(None) };
        let mut new = old.clone();
        new.patient.profile.learn(&news(before, said));
        if before.phones != said.phones {
            // Of this source's own phones those that it tells no more; staff's stay.
            new.phones.retain(|phone| {
                phone.source.as_deref() != Some(&of.name)
                    || said.phones.iter().any(|said| said.number == phone.number)
            });
            for phone in phones(of, said) {
                match new.phones.iter_mut().find(|old| old.number == phone.number) {
                    Some(old) if old.source.as_deref() == Some(&of.name) => old.kind = phone.kind,
                    Some(_) => {}
                    None => new.phones.push(phone),
                }
            }
        }
        match self.store_record(&old, &new, &by(of)).await? {
            RecordChange::Stored(_) => Ok(Some(true)),
            RecordChange::Same => Ok(Some(false)),
            RecordChange::Outdated => Err(StoreError::Conflict),
        }
    }
}

fn by(of: &RosterOf) -> By {
    By::host(&format!("roster {}", of.name))
}

/// What `said` says differently from `before`; all else is left open.
fn news(before: &RosterRow, said: &RosterRow) -> Profile {
    let text = |before: &str, said: &str| if before == said { String::new() } else { said.to_owned() };
    let option = |before: &Option<String>, said: &Option<String>| said.clone().filter(|_| before != said);
    Profile {
        first_name: text(&before.first_name, &said.first_name),
        last_name: text(&before.last_name, &said.last_name),
        middle_name: option(&before.middle_name, &said.middle_name),
        preferred_name: option(&before.preferred_name, &said.preferred_name),
        date_of_birth: option(&before.date_of_birth, &said.date_of_birth),
        language: option(&before.language, &said.language),
        facility_id: said.facility_id.filter(|_| before.facility_id != said.facility_id),
        ..Profile::default()
    }
}

fn phones(of: &RosterOf, said: &RosterRow) -> impl Iterator<Item = Phone> {
    let source = of.name.clone();
    said.phones.iter().map(move |phone| Phone {
        kind: phone.kind,
        source: Some(source.clone()),
        ..phone.number.clone().into()
    })
}

/// An administrator has deleted this patient: a roster doesn't bring them back.
fn deleted() -> RowProblem {
    RowProblem {
        column: String::new(),
        code: "patient_deleted".into(),
        expected: "a patient of the directory, or a new one".into(),
        found: "one who was deleted here".into(),
        fix: "leave the patient out of the list, or add them by hand".into(),
    }
}

fn judge(
    keys: &OrgKeys,
    said: &RosterRow,
    hash: &[u8],
    entry: Option<RosterEntry>,
) -> Result<Judged, StoreError> {
    let Some(entry) = entry else { return Ok(Judged::New) };
    if entry.row_hash == hash && entry.missing_since.is_none() {
        return Ok(Judged::Same);
    }
    let before = entry.said(keys)?;
    let mut fields = before.differences(said);
    if entry.missing_since.is_some() {
        fields.push("active");
    }
    if fields.is_empty() {
        return Ok(Judged::Same);
    }
    Ok(Judged::Different(Box::new(Difference { entry, before, fields })))
}
