//! What was seen in a source's folder.

use std::fmt;

use anteroom_model::{
    ids::{RosterRunId, RosterSourceId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all},
};

/// What became of a file in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
pub enum FileState {
    /// It may still be written.
    Waiting,
    /// It has become a run.
    Taken,
    /// It is what was imported last.
    Same,
    /// It can't be taken as it is.
    Refused,
}

impl FileState {
    /// The word used in SQL and REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Same => "same",
            Self::Refused => "refused",
        }
    }
}

/// A file of the folder as it was seen last.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterFile {
    /// Its name within the folder.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Seconds since 1970, by the server's clock.
    pub modified: i64,
    /// Since when it is of that size and time.
    pub seen_at: Timestamp,
    /// What became of it.
    pub state: FileState,
    /// The run it has become, or the same file had become.
    pub run_id: Option<RosterRunId>,
}

impl fmt::Debug for RosterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RosterFile")
            .field("size", &self.size)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct FileRow {
    name: Vec<u8>,
    size: i64,
    modified: i64,
    seen_at: Timestamp,
    state: FileState,
    run_id: Option<RosterRunId>,
}

const NAME: &str = "roster_files.name";

impl Org<'_> {
    /// All files that were in the folder at the last look.
    pub async fn roster_files(&mut self, source: RosterSourceId) -> Result<Vec<RosterFile>, StoreError> {
        let rows = fetch_all!(self, FileRow, "roster/files", source);
        rows.into_iter()
            .map(|row| {
                Ok(RosterFile {
                    name: self.keys.open_text(NAME, source.0, &row.name)?,
                    size: row.size,
                    modified: row.modified,
                    seen_at: row.seen_at,
                    state: row.state,
                    run_id: row.run_id,
                })
            })
            .collect()
    }

    /// Stores how a file was seen.
    pub async fn put_roster_file(
        &mut self,
        source: RosterSourceId,
        file: &RosterFile,
    ) -> Result<(), StoreError> {
        let hash = self.file_name_hash(source, &file.name);
        let name = self.keys.seal(NAME, source.0, file.name.as_bytes())?;
        let RosterFile { size, modified, seen_at, state, run_id, .. } = *file;
        execute!(self, "roster/put_file", source, hash, name, size, modified, seen_at, state, run_id);
        Ok(())
    }

    /// Forgets a file that is in the folder no more.
    pub async fn delete_roster_file(&mut self, source: RosterSourceId, name: &str) -> Result<(), StoreError> {
        let hash = self.file_name_hash(source, name);
        execute!(self, "roster/delete_file", source, hash);
        Ok(())
    }

    fn file_name_hash(&self, source: RosterSourceId, name: &str) -> Vec<u8> {
        self.keys.lookup("roster_file_name", [source.0.as_bytes(), name.as_bytes()].concat())
    }
}
