//! Who a source's patients are, and what it said of them last.

use std::collections::HashMap;

use anteroom_model::{
    ids::{PatientId, RosterSourceId},
    names,
    roster::RosterRow,
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, OrgKeys, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
};

/// Keyed hash of an external id of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey(pub(crate) Vec<u8>);

impl EntryKey {
    /// Before every key.
    pub const LEAST: Self = Self(Vec::new());

    /// Of what `source` knows a patient by; compared as the directory does.
    pub fn new(keys: &OrgKeys, source: RosterSourceId, external_id: &str) -> Self {
        let folded = names::fold(external_id);
        Self(keys.lookup("roster_entry", [source.0.as_bytes(), folded.as_bytes()].concat()))
    }
}

/// What a source said of a patient last.
#[derive(Clone, Debug)]
pub struct RosterEntry {
    /// Who it is.
    pub patient_id: PatientId,
    /// Keyed hash of what it said.
    pub row_hash: Vec<u8>,
    /// Not in the last file, since then.
    pub missing_since: Option<Timestamp>,
    said: Vec<u8>,
}

/// That a patient is or was in a source's lists.
#[derive(Clone, Debug, FromRow)]
pub struct RosterMembership {
    /// Which source.
    pub source_id: RosterSourceId,
    /// Its name.
    pub source: String,
    /// Not in its last list, since then.
    pub missing_since: Option<Timestamp>,
}

#[derive(FromRow)]
struct EntryRow {
    key_hash: Vec<u8>,
    patient_id: PatientId,
    row_hash: Vec<u8>,
    said: Vec<u8>,
    missing_since: Option<Timestamp>,
}

const SAID: &str = "roster_entries.said";

impl RosterEntry {
    /// What the source said.
    pub fn said(&self, keys: &OrgKeys) -> Result<RosterRow, StoreError> {
        keys.open_json(SAID, self.patient_id.0, &self.said)
    }
}

/// Keyed hash of what a row says.
pub(super) fn row_hash(keys: &OrgKeys, row: &RosterRow) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(row)
        .map_err(|error| StoreError::Corrupt { column: SAID, reason: error.to_string() })?;
    Ok(keys.lookup("roster_row", json))
}

impl Org<'_> {
    /// What the source said of those last; only of those it has spoken of.
    pub async fn roster_entries(
        &mut self,
        source: RosterSourceId,
        keys: impl Iterator<Item = &EntryKey>,
    ) -> Result<HashMap<EntryKey, RosterEntry>, StoreError> {
        let wanted: Vec<String> = keys.map(|key| hex(&key.0)).collect();
        let wanted = serde_json::to_string(&wanted).unwrap_or_default();
        let organization = self.organization;
        let query = self.conn().pick(twin!("roster/entries"));
        let rows: Vec<EntryRow> = on!(self.conn(), c => {
            sqlx::query_as(query).bind(organization).bind(source).bind(wanted).fetch_all(c).await?
        });
        let entries = rows.into_iter().map(|row| {
            let EntryRow { key_hash, patient_id, row_hash, said, missing_since } = row;
            (EntryKey(key_hash), RosterEntry { patient_id, row_hash, missing_since, said })
        });
        Ok(entries.collect())
    }

    /// Everybody the source has spoken of, by key: at most `limit` after `after`.
    pub async fn roster_entries_after(
        &mut self,
        source: RosterSourceId,
        after: &EntryKey,
        limit: u32,
    ) -> Result<Vec<(EntryKey, PatientId, Option<Timestamp>)>, StoreError> {
        let rows = fetch_all!(
            self,
            (Vec<u8>, PatientId, Option<Timestamp>),
            "roster/entries_after",
            source,
            &after.0,
            i64::from(limit)
        );
        Ok(rows.into_iter().map(|(key, patient, missing)| (EntryKey(key), patient, missing)).collect())
    }

    /// How many were in the source's last list.
    pub async fn count_roster_entries(&mut self, source: RosterSourceId) -> Result<i64, StoreError> {
        Ok(fetch_optional!(self, (i64,), "roster/count_entries", source).map_or(0, |(count,)| count))
    }

    /// Notes that somebody isn't in the list any more. Whether they were until now.
    pub async fn miss_roster_entry(
        &mut self,
        source: RosterSourceId,
        key: &EntryKey,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "roster/miss_entry", source, &key.0, now) > 0)
    }

    /// In which sources' lists a patient is or was, in whichever of their records.
    pub async fn rosters_of_patient(
        &mut self,
        patient: PatientId,
    ) -> Result<Vec<RosterMembership>, StoreError> {
        let mut memberships = Vec::new();
        for record in self.record_ids_of(patient).await? {
            memberships.extend(fetch_all!(self, RosterMembership, "roster/of_patient", record));
        }
        Ok(memberships)
    }

    /// Forgets what sources said of a record that is deleted.
    pub(crate) async fn forget_in_rosters(&mut self, patient: PatientId) -> Result<(), StoreError> {
        execute!(self, "roster/forget_patient", patient);
        Ok(())
    }

    pub(super) async fn insert_roster_entry(
        &mut self,
        source: RosterSourceId,
        key: &EntryKey,
        patient: PatientId,
        row: &RosterRow,
        hash: &[u8],
    ) -> Result<(), StoreError> {
        let said = self.keys.seal_json(SAID, patient.0, row)?;
        execute!(self, "roster/insert_entry", source, &key.0, patient, hash, said);
        Ok(())
    }

    pub(super) async fn update_roster_entry(
        &mut self,
        source: RosterSourceId,
        key: &EntryKey,
        patient: PatientId,
        row: &RosterRow,
        hash: &[u8],
    ) -> Result<(), StoreError> {
        let said = self.keys.seal_json(SAID, patient.0, row)?;
        execute!(self, "roster/update_entry", source, &key.0, hash, said);
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
