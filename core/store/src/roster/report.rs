//! What became of each row of a run.

use anteroom_model::{
    ids::{PatientId, RosterRunId},
    roster::RowProblem,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all},
};

/// What became of a row, or of a patient who has none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterOutcome {
    /// A new patient.
    Created,
    /// Something new of a patient.
    Changed,
    /// Nothing new.
    Same,
    /// It can't be used.
    Refused,
    /// The patient is not in the file any more.
    Missing,
}

impl RosterOutcome {
    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Refused => "refused",
            Self::Missing => "missing",
        }
    }
}

/// A row of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    /// Its place in the report, from 1: the record's place in the file, headings not counted. Who is missing
    /// comes behind the last record.
    pub row: i64,
    /// The line of the file where it begins, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What became of it.
    pub outcome: RosterOutcome,
    /// Whose it is; of a dry run, only where the patient is known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// Of a change: which fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Why it is refused, or warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<RowProblem>,
}

/// A part of a report: rows `first` to `last`, of which those not listed were the same as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPart {
    /// Its first row.
    pub first: i64,
    /// Its last row.
    pub last: i64,
    /// Those of which there is more to say than that nothing is new, in their order.
    pub rows: Vec<ReportRow>,
}

#[derive(FromRow)]
struct PartRow {
    first_row: i64,
    last_row: i64,
    content: Vec<u8>,
}

const CONTENT: &str = "roster_reports.content";

impl Org<'_> {
    /// Adds a part to a run's report.
    pub async fn insert_roster_report(
        &mut self,
        run: RosterRunId,
        part: &ReportPart,
    ) -> Result<(), StoreError> {
        let sealed = self.keys.seal_json(CONTENT, run.0, &part.rows)?;
        execute!(self, "roster/insert_report", run, part.first, part.last, sealed);
        Ok(())
    }

    /// Parts of a run's report that have rows after `after`, in order.
    pub async fn roster_report(
        &mut self,
        run: RosterRunId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ReportPart>, StoreError> {
        let parts = fetch_all!(self, PartRow, "roster/reports", run, after, i64::from(limit));
        parts
            .into_iter()
            .map(|part| {
                let rows = self.keys.open_json(CONTENT, run.0, &part.content)?;
                Ok(ReportPart { first: part.first_row, last: part.last_row, rows })
            })
            .collect()
    }
}
