//! Lists on their way into the directory.

use anteroom_model::{
    ids::{NodeId, OrganizationId, RosterRunId, RosterSourceId, StaffId},
    roster::RosterSettings,
    time::Timestamp,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
        #[sqlx(type_name = "TEXT")]
        pub enum $name {
            $($(#[$vdoc])* #[sqlx(rename = $text)] $variant),*
        }

        impl $name {
            /// The word used in SQL and REST.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    )*};
}

words! {
    /// How a list came.
    RosterOrigin {
        /// Over REST.
        Upload = "upload",
        /// From a folder.
        Sftp = "sftp",
        /// From a terminal.
        Terminal = "terminal",
    }

    /// Whether a run is over.
    RosterState {
        /// The file is still arriving.
        Receiving = "receiving",
        /// No node works on it.
        Waiting = "waiting",
        /// A node does.
        Running = "running",
        /// All of it was done.
        Done = "done",
        /// Nothing of it was applied, because of what it says.
        Refused = "refused",
        /// Something of ours failed.
        Failed = "failed",
        /// Somebody ended it.
        Cancelled = "cancelled",
    }

    /// What is being done.
    RosterPhase {
        /// The file arrives.
        Receiving = "receiving",
        /// It is read whole.
        Checking = "checking",
        /// Its rows are compared and applied.
        Applying = "applying",
        /// Those who are not in it are looked for.
        Missing = "missing",
        /// Nothing any more.
        Ended = "ended",
    }
}

impl RosterState {
    /// Nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Failed | Self::Cancelled)
    }
}

/// Why a run ended without being done. Says nothing of what a row holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProblem {
    /// A stable word, listed in docs/roster.md.
    pub code: String,
    /// What would do.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do.
    pub fix: String,
}

/// What became of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// New patients.
    pub created: i64,
    /// Patients of whom the list says something new.
    pub changed: i64,
    /// Nothing new.
    pub same: i64,
    /// Rows that can't be used.
    pub refused: i64,
    /// Patients who are not in it any more.
    pub missing: i64,
}

/// A run without its file and its report.
#[derive(Clone, Debug)]
pub struct RosterRun {
    /// Its id.
    pub id: RosterRunId,
    /// Of which source.
    pub source_id: RosterSourceId,
    /// How it came.
    pub origin: RosterOrigin,
    /// The file's name, where it has one.
    pub file_name: Option<String>,
    /// Keyed hash of the file and of how it is read.
    pub file_hash: Option<Vec<u8>>,
    /// Size of the file.
    pub bytes: i64,
    /// How it is read.
    pub settings: RosterSettings,
    /// Nothing is applied.
    pub dry_run: bool,
    /// Whether it is over.
    pub state: RosterState,
    /// What is being done.
    pub phase: RosterPhase,
    /// Rows; 0 until they are counted.
    pub total: i64,
    /// Rows that are behind it.
    pub done: i64,
    /// What became of them.
    pub tally: Tally,
    /// Why it ended without being done.
    pub problem: Option<RunProblem>,
    /// How often a node has taken it up.
    pub takes: i32,
    /// Who wanted it.
    pub created_by: Option<StaffId>,
    /// When it came.
    pub created_at: Timestamp,
    /// When a node first began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// A run whose file is about to arrive.
#[derive(Clone, Debug)]
pub struct NewRosterRun {
    /// Of which source.
    pub source_id: RosterSourceId,
    /// How it came.
    pub origin: RosterOrigin,
    /// The file's name, where it has one.
    pub file_name: Option<String>,
    /// How it is read.
    pub settings: RosterSettings,
    /// Nothing is to be applied.
    pub dry_run: bool,
    /// Who wants it.
    pub created_by: Option<StaffId>,
}

/// How far a node has come with a batch.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    /// Rows that were behind it before the batch.
    pub from: i64,
    /// And after.
    pub to: i64,
    /// What is being done.
    pub phase: RosterPhase,
    /// What became of the batch.
    pub tally: Tally,
    /// The lease goes on until then.
    pub until: Timestamp,
}

#[derive(FromRow)]
struct RunRow {
    id: RosterRunId,
    source_id: RosterSourceId,
    origin: RosterOrigin,
    file_name: Option<Vec<u8>>,
    file_hash: Option<Vec<u8>>,
    bytes: i64,
    settings: Json<RosterSettings>,
    dry_run: bool,
    state: RosterState,
    phase: RosterPhase,
    total: i64,
    done: i64,
    created: i64,
    changed: i64,
    same: i64,
    refused: i64,
    missing: i64,
    problem: Option<Json<RunProblem>>,
    takes: i32,
    created_by: Option<StaffId>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

const FILE_NAME: &str = "roster_runs.file_name";
const PART: &str = "roster_parts.bytes";

impl Store {
    /// Leases a run that waits, or whose node is gone, to `node` until `until`: of each source the oldest first.
    pub async fn claim_roster_run(
        &self,
        node: NodeId,
        until: Timestamp,
    ) -> Result<Option<(OrganizationId, RosterRunId)>, StoreError> {
        let now = self.now();
        let mut conn = self.reader().await?;
        let found: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("roster/claimable")).bind(now).bind(node).fetch_one(c).await?
        });
        drop(conn);
        if !found {
            return Ok(None);
        }
        self.write_across(move |conn| {
            async move {
                let query = conn.pick(twin!("roster/claim"));
                on!(conn, c => sqlx::query_as(query).bind(now).bind(node).bind(until).fetch_optional(c).await)
            }
            .boxed()
        })
        .await
    }

    /// Runs whose file has been arriving since before `before`.
    pub async fn abandoned_roster_runs(
        &self,
        before: Timestamp,
    ) -> Result<Vec<(OrganizationId, RosterRunId)>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("roster/abandoned")).bind(before).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Notes that a file is about to arrive.
    pub async fn insert_roster_run(&mut self, new: &NewRosterRun) -> Result<RosterRunId, StoreError> {
        let (id, now): (RosterRunId, _) = (self.new_id(), self.now);
        let name = new.file_name.as_ref().map(|name| self.keys.seal(FILE_NAME, id.0, name.as_bytes()));
        let (name, settings) = (name.transpose()?, Json(&new.settings));
        execute!(
            self,
            "roster/insert_run",
            id,
            new.source_id,
            new.origin,
            name,
            settings,
            new.dry_run,
            new.created_by,
            now
        );
        Ok(id)
    }

    /// Stores a part of the file; the first one is 0.
    pub async fn insert_roster_part(
        &mut self,
        id: RosterRunId,
        part: i32,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let sealed = self.keys.seal(PART, id.0, &with_number(part, bytes))?;
        execute!(self, "roster/insert_part", id, part, sealed);
        Ok(())
    }

    /// The whole file has arrived: the run waits for a node. `false`: it was given up meanwhile.
    pub async fn roster_run_received(
        &mut self,
        id: RosterRunId,
        file_hash: &[u8],
        bytes: i64,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/received", id, file_hash, bytes) > 0)
    }

    /// Forgets a run whose file has not arrived, or isn't wanted.
    pub async fn discard_roster_run(&mut self, id: RosterRunId) -> Result<(), StoreError> {
        execute!(self, "roster/discard_parts", id);
        execute!(self, "roster/discard_run", id);
        Ok(())
    }

    /// A part of the file; `None` after the last one, or where the run is over.
    pub async fn roster_part(&mut self, id: RosterRunId, part: i32) -> Result<Option<Vec<u8>>, StoreError> {
        let row = fetch_optional!(self, (Vec<u8>,), "roster/part", id, part);
        let Some((sealed,)) = row else { return Ok(None) };
        let mut bytes = self.keys.open(PART, id.0, &sealed)?;
        if bytes.len() < 4 || bytes.drain(..4).ne(part.to_be_bytes()) {
            let reason = "parts are not in their order".to_owned();
            return Err(StoreError::Corrupt { column: PART, reason });
        }
        Ok(Some(bytes))
    }

    /// One run.
    pub async fn roster_run(&mut self, id: RosterRunId) -> Result<Option<RosterRun>, StoreError> {
        let row = fetch_optional!(self, RunRow, "roster/run", id);
        row.map(|row| self.open_run(row)).transpose()
    }

    /// Runs of a source before `before`, newest first.
    pub async fn roster_runs(
        &mut self,
        source: RosterSourceId,
        before: RosterRunId,
        limit: u32,
    ) -> Result<Vec<RosterRun>, StoreError> {
        let rows = fetch_all!(self, RunRow, "roster/runs", source, before, i64::from(limit));
        rows.into_iter().map(|row| self.open_run(row)).collect()
    }

    fn open_run(&self, row: RunRow) -> Result<RosterRun, StoreError> {
        let name = row.file_name.map(|sealed| self.keys.open_text(FILE_NAME, row.id.0, &sealed));
        let RunRow { created, changed, same, refused, missing, .. } = row;
        Ok(RosterRun {
            file_name: name.transpose()?,
            id: row.id,
            source_id: row.source_id,
            origin: row.origin,
            file_hash: row.file_hash,
            bytes: row.bytes,
            settings: row.settings.0,
            dry_run: row.dry_run,
            state: row.state,
            phase: row.phase,
            total: row.total,
            done: row.done,
            tally: Tally { created, changed, same, refused, missing },
            problem: row.problem.map(|problem| problem.0),
            takes: row.takes,
            created_by: row.created_by,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    }

    /// Runs of a source that wait or run, oldest first: id, hash of the file, whether it is a dry run.
    pub async fn unfinished_roster_runs(
        &mut self,
        source: RosterSourceId,
    ) -> Result<Vec<(RosterRunId, Option<Vec<u8>>, bool)>, StoreError> {
        Ok(fetch_all!(self, (RosterRunId, Option<Vec<u8>>, bool), "roster/unfinished", source))
    }

    /// The last run of a source that was applied to its end, with the hash of its file.
    pub async fn last_imported(
        &mut self,
        source: RosterSourceId,
    ) -> Result<Option<(RosterRunId, Option<Vec<u8>>)>, StoreError> {
        Ok(fetch_optional!(self, (RosterRunId, Option<Vec<u8>>), "roster/last_imported", source))
    }

    /// Keeps the lease of a run. `false`: it isn't `node`'s any more.
    pub async fn keep_roster_run(
        &mut self,
        id: RosterRunId,
        node: NodeId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/keep", id, node, until) > 0)
    }

    /// The file has been read whole and has so many rows. `false`: it isn't `node`'s any more.
    pub async fn roster_run_counted(
        &mut self,
        id: RosterRunId,
        node: NodeId,
        total: i64,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/counted", id, node, total) > 0)
    }

    /// Says how far `node` is, and keeps its lease. `false`: it isn't its own any more, or it isn't where the node
    /// believes it to be; what it has written since must not be kept.
    pub async fn roster_checkpoint(
        &mut self,
        id: RosterRunId,
        node: NodeId,
        at: &Checkpoint,
    ) -> Result<bool, StoreError> {
        let Tally { created, changed, same, refused, missing } = at.tally;
        let moved = execute!(
            self,
            "roster/checkpoint",
            id,
            node,
            at.from,
            at.to,
            at.phase,
            created,
            changed,
            same,
            refused,
            missing,
            at.until
        );
        Ok(moved > 0)
    }

    /// Ends a run and drops its file. `false`: it isn't `node`'s any more.
    pub async fn finish_roster_run(
        &mut self,
        id: RosterRunId,
        node: NodeId,
        state: RosterState,
        problem: Option<&RunProblem>,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        if execute!(self, "roster/finish", id, node, state, problem.map(Json), now) == 0 {
            return Ok(false);
        }
        execute!(self, "roster/discard_parts", id);
        Ok(true)
    }

    /// Leaves it to another node.
    pub async fn give_back_roster_run(&mut self, id: RosterRunId, node: NodeId) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/give_back", id, node) > 0)
    }

    /// Ends one that isn't over, where it is. Whether there was anything to end.
    pub async fn cancel_roster_run(&mut self, id: RosterRunId) -> Result<bool, StoreError> {
        let now = self.now;
        if execute!(self, "roster/cancel", id, now) == 0 {
            return Ok(false);
        }
        execute!(self, "roster/discard_parts", id);
        Ok(true)
    }
}

/// So that parts can't change places.
fn with_number(part: i32, bytes: &[u8]) -> Vec<u8> {
    [&part.to_be_bytes()[..], bytes].concat()
}
