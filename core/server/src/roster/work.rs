//! A run is worked off: read whole, compared as a whole, then applied batch by batch.
//!
//! A batch's rows, its part of the report and how far the run is are one commit, made only if the run is still
//! this node's and stands where this node believes. So a node that takes over after a kill goes on behind the
//! last batch, and nothing is applied twice.

mod batch;
mod limits;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anteroom_model::{
    ids::{NodeId, OrganizationId, PatientId, RosterRunId, RosterSourceId},
    roster::{MissingRows, Reading},
};
use anteroom_store::{
    Actor, Checkpoint, EntryKey, NewEvent, NewRow, Org, ReportPart, RosterOf, RosterPhase, RosterRun,
    RosterState, RunProblem, Store, StoreError, Tally,
};
use futures::FutureExt;
use metrics::{counter, histogram};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::batch::{Batch, facilities};
use super::read::{self, Roster};

/// How long a node that is not heard of keeps a run.
const LEASE: Duration = Duration::from_secs(20);
/// How often a node says that it is still there while it reads.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// A batch is made so large that its commit takes about so long: patients' texts wait for it.
const BATCH_TAKES: Duration = Duration::from_millis(120);
const LEAST: usize = 10;
const MOST: usize = 1_000;
/// Rows compared at once.
const COMPARED: usize = 1_000;
/// Patients looked through at once for those who are missing.
const PAGE: u32 = 1_000;
/// Listeners hear of progress so often at most.
const TELL: Duration = Duration::from_secs(1);
/// Tries of a batch while the database fails.
const TRIES: u32 = 6;
/// A run that so many nodes have taken up and none has ended is given up.
const TAKES: i32 = 50;

/// What works runs off.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Rows.
    pub store: Store,
    /// Who works.
    pub node: NodeId,
    /// Told to stop.
    pub stop: CancellationToken,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: RosterPhase,
    /// Rows; 0 until they are counted.
    pub total: i64,
    /// Rows that are behind it.
    pub done: i64,
}

/// Why the work on a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody has ended it, or another node has it.
    #[error("the run is not this node's any more")]
    NotOurs,
    /// The process stops.
    #[error("the process stops")]
    Stopped,
    /// What it says can't be applied.
    #[error("refused: {}", .0.code)]
    Refused(RunProblem),
    /// Something of ours failed.
    #[error("something of ours failed")]
    Panicked,
}

/// Says that something has become of a run.
pub(super) fn tell(org: &Org<'_>, kind: &'static str, source: RosterSourceId, run: RosterRunId, more: Value) {
    let mut data = json!({ "source_id": source, "run_id": run });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Host, data });
}

/// Patients who are missing, and the key that the next page begins behind.
type MissingPage = (Vec<(EntryKey, PatientId)>, EntryKey);

/// Hears how far a run is.
pub type Listener<'l> = &'l (dyn Fn(Progress) + Send + Sync);

/// A run with all that its batches need.
struct Job<'w> {
    worker: &'w Worker,
    organization: OrganizationId,
    run: RosterRun,
    of: RosterOf,
    progress: Listener<'w>,
    told: Instant,
}

impl Worker {
    /// Leases a run that waits.
    pub async fn claim(&self) -> Result<Option<(OrganizationId, RosterRunId)>, StoreError> {
        self.store.claim_roster_run(self.node, self.store.now().plus(LEASE)).await
    }

    /// Works a leased run off to its end, unless the process stops or somebody else has it.
    pub async fn work(
        &self,
        organization: OrganizationId,
        id: RosterRunId,
        progress: Listener<'_>,
    ) -> Result<(), WorkError> {
        let ended = match self.job(organization, id, progress).await {
            Ok(mut job) => job.run().await,
            Err(error) => Err(error),
        };
        let (state, problem) = match ended {
            Ok(()) => (RosterState::Done, None),
            Err(WorkError::Refused(problem)) => (RosterState::Refused, Some(problem)),
            // Cancelled, or taken by another node: nothing more to be said.
            Err(WorkError::NotOurs) => return Ok(()),
            Err(WorkError::Stopped) => {
                let node = self.node;
                let given: Result<bool, StoreError> = self
                    .store
                    .write(organization, move |mut org| {
                        async move { org.give_back_roster_run(id, node).await }.boxed()
                    })
                    .await;
                return given.map(drop).map_err(WorkError::from);
            }
            Err(WorkError::Store(error)) if error.is_passing() => return Err(error.into()),
            Err(error) => {
                tracing::error!(run = %id, %error, "a roster failed");
                let problem = RunProblem {
                    code: "failed".to_owned(),
                    expected: "a run without a fault of ours".to_owned(),
                    found: "a fault; the log of the server says which".to_owned(),
                    fix: "report it with the run's id, then send the file again".to_owned(),
                };
                (RosterState::Failed, Some(problem))
            }
        };
        self.end(organization, id, state, problem).await?;
        Ok(())
    }

    async fn end(
        &self,
        organization: OrganizationId,
        id: RosterRunId,
        state: RosterState,
        problem: Option<RunProblem>,
    ) -> Result<(), StoreError> {
        counter!("anteroom_roster_runs_total", "state" => state.as_str()).increment(1);
        let node = self.node;
        self.store
            .write(organization, move |mut org| {
                async move {
                    if !org.finish_roster_run(id, node, state, problem.as_ref()).await? {
                        return Ok(());
                    }
                    let Some(run) = org.roster_run(id).await? else { return Ok(()) };
                    let more = json!({ "state": state.as_str(), "done": run.total, "total": run.total });
                    tell(&org, "roster.ended", run.source_id, id, more);
                    if let Some(problem) = problem {
                        let kind =
                            if state == RosterState::Refused { "roster.refused" } else { "roster.failed" };
                        let notice = json!({ "source_id": run.source_id, "run_id": id, "problem": problem });
                        org.insert_notice(kind, &notice).await?;
                    }
                    // Its file may be moved now.
                    let now = org.now();
                    org.look_into_roster(run.source_id, now).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn job<'w>(
        &'w self,
        organization: OrganizationId,
        id: RosterRunId,
        progress: Listener<'w>,
    ) -> Result<Job<'w>, WorkError> {
        let mut org = self.store.read(organization).await?;
        let run = org.roster_run(id).await?.ok_or(WorkError::NotOurs)?;
        let source = org.roster_source(run.source_id).await?.ok_or(WorkError::NotOurs)?;
        if run.takes > TAKES {
            return Err(WorkError::Panicked);
        }
        let of =
            RosterOf { run: id, source: source.id, name: source.name, id_kind: run.settings.id_kind.clone() };
        Ok(Job { worker: self, organization, run, of, progress, told: Instant::now() })
    }
}

impl Job<'_> {
    async fn run(&mut self) -> Result<(), WorkError> {
        self.say(RosterPhase::Checking);
        let roster = self.read().await?;
        self.run.total = i64::try_from(roster.rows.len()).unwrap_or(i64::MAX);
        let keys = self.worker.store.keys(self.organization).await?;
        let source = self.of.source;
        let here: HashSet<EntryKey> = roster
            .rows
            .iter()
            .filter_map(|row| row.id.as_deref())
            .map(|id| EntryKey::new(&keys, source, id))
            .collect();
        // What was begun has passed these.
        if self.run.done == 0 && !self.run.dry_run {
            limits::check_refused(&self.run.settings.limits, roster.rows.len(), roster.refused)
                .map_err(WorkError::Refused)?;
            self.check_changes(&roster, &here).await?;
        }
        let (id, node, total) = (self.run.id, self.worker.node, self.run.total);
        let counted: Result<bool, StoreError> = self
            .worker
            .store
            .write(self.organization, move |mut org| {
                async move { org.roster_run_counted(id, node, total).await }.boxed()
            })
            .await;
        if !counted? {
            return Err(WorkError::NotOurs);
        }
        self.apply(roster.rows).await?;
        if self.run.settings.missing == MissingRows::MarkInactive {
            self.miss(&here).await?;
        }
        Ok(())
    }

    fn say(&mut self, phase: RosterPhase) {
        self.run.phase = phase;
        (self.progress)(Progress { phase, total: self.run.total, done: self.run.done });
    }

    /// Reads the whole file, off the threads that others need.
    async fn read(&mut self) -> Result<Roster, WorkError> {
        let (store, organization, id) = (self.worker.store.clone(), self.organization, self.run.id);
        let settings = self.run.settings.clone();
        let reading = async move {
            let mut bytes = Vec::new();
            for part in 0.. {
                let mut org = store.read(organization).await?;
                let Some(more) = org.roster_part(id, part).await? else { break };
                bytes.extend(more);
            }
            let mut org = store.read(organization).await?;
            let facilities = facilities(&mut org, &settings).await?;
            let today = org.now().to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
            drop(org);
            let read = move || {
                let reading = Reading { settings: &settings, facilities, today };
                read::read(&bytes, &reading, read::Ending::Any)
            };
            let read = tokio::task::spawn_blocking(read).await.map_err(|_| WorkError::Panicked)?;
            read.map_err(WorkError::Refused)
        };
        self.keeping(reading).await
    }

    /// Does `what`, and says meanwhile that this node is still there.
    async fn keeping<T>(&self, what: impl Future<Output = Result<T, WorkError>>) -> Result<T, WorkError> {
        let mut what = std::pin::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return done,
                () = self.worker.stop.cancelled() => return Err(WorkError::Stopped),
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
            let (id, node, until) = (self.run.id, self.worker.node, self.until());
            let kept: Result<bool, StoreError> = self
                .worker
                .store
                .write(self.organization, move |mut org| {
                    async move { org.keep_roster_run(id, node, until).await }.boxed()
                })
                .await;
            match kept {
                Ok(true) => {}
                Ok(false) => return Err(WorkError::NotOurs),
                // As long as the lease isn't over, nobody else has it.
                Err(error) => tracing::warn!(run = %id, %error, "a roster's lease could not be kept"),
            }
        }
    }

    fn until(&self) -> anteroom_model::time::Timestamp {
        self.worker.store.now().plus(LEASE)
    }

    /// Compares all of it before anything is applied: a wrong file must not do half of its harm.
    async fn check_changes(&self, roster: &Roster, here: &HashSet<EntryKey>) -> Result<(), WorkError> {
        let (store, organization, of) = (&self.worker.store, self.organization, &self.of);
        let settings = &self.run.settings;
        let comparing = async {
            let known = store.read(organization).await?.count_roster_entries(of.source).await?;
            if known == 0 {
                return Ok(());
            }
            let mut tally = Tally::default();
            for rows in roster.rows.chunks(COMPARED) {
                let compared = store.read(organization).await?.compare_roster_rows(of, rows).await?;
                tally.changed += compared.tally.changed;
            }
            if settings.missing == MissingRows::MarkInactive {
                let mut after = EntryKey::LEAST;
                while let Some((missing, last)) = self.missing_after(&after, here).await? {
                    tally.missing += i64::try_from(missing.len()).unwrap_or(i64::MAX);
                    after = last;
                }
            }
            limits::check_changes(&settings.limits, known, &tally).map_err(WorkError::Refused)
        };
        self.keeping(comparing).await
    }

    async fn apply(&mut self, rows: Vec<NewRow>) -> Result<(), WorkError> {
        let mut size = 50;
        let mut left = rows.into_iter();
        let done = usize::try_from(self.run.done).unwrap_or(0);
        if done > 0 {
            left.by_ref().take(done).for_each(drop);
        }
        let mut batch: Vec<NewRow> = left.by_ref().take(size).collect();
        while !batch.is_empty() {
            if self.worker.stop.is_cancelled() {
                return Err(WorkError::Stopped);
            }
            let begun = Instant::now();
            let rows = i64::try_from(batch.len()).unwrap_or(i64::MAX);
            let work = {
                let (of, batch, apply) = (self.of.clone(), batch.clone(), !self.run.dry_run);
                Batch::Rows { of, batch, apply }
            };
            self.commit(work, RosterPhase::Applying, rows).await?;
            let took = begun.elapsed();
            histogram!("anteroom_roster_batch_seconds").record(took.as_secs_f64());
            // Half as large, twice as large, or as it is.
            if took > BATCH_TAKES {
                size = (size / 2).max(LEAST);
            } else if took < BATCH_TAKES / 2 {
                size = (size * 2).min(MOST);
            }
            batch = left.by_ref().take(size).collect();
        }
        Ok(())
    }

    async fn miss(&mut self, here: &HashSet<EntryKey>) -> Result<(), WorkError> {
        let mut after = EntryKey::LEAST;
        // A dry run marks nobody: those who stand in its report already are found once more.
        let mut told =
            if self.run.dry_run { usize::try_from(self.run.tally.missing).unwrap_or(0) } else { 0 };
        while let Some((mut missing, last)) = self.missing_after(&after, here).await? {
            after = last;
            let again = told.min(missing.len());
            missing.drain(..again);
            told -= again;
            for missing in missing.chunks(LEAST * 10) {
                if self.worker.stop.is_cancelled() {
                    return Err(WorkError::Stopped);
                }
                let first = self.run.total + self.run.tally.missing + 1;
                let (of, apply) = (self.of.clone(), !self.run.dry_run);
                let work = Batch::Missing { of, missing: missing.to_vec(), first, apply };
                self.commit(work, RosterPhase::Missing, 0).await?;
            }
        }
        Ok(())
    }

    /// Those of the next page of patients who are not in the file and were until now, and the page's end; `None`
    /// behind the last page.
    async fn missing_after(
        &self,
        after: &EntryKey,
        here: &HashSet<EntryKey>,
    ) -> Result<Option<MissingPage>, StoreError> {
        let mut org = self.worker.store.read(self.organization).await?;
        let page = org.roster_entries_after(self.of.source, after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(None) };
        let last = last.clone();
        let missing = page
            .into_iter()
            .filter(|(key, _, since)| since.is_none() && !here.contains(key))
            .map(|(key, patient, _)| (key, patient));
        Ok(Some((missing.collect(), last)))
    }

    /// Commits a batch; again and again while the database fails.
    async fn commit(&mut self, batch: Batch, phase: RosterPhase, rows: i64) -> Result<(), WorkError> {
        let mut wait = Duration::from_millis(100);
        let tell_progress = self.told.elapsed() >= TELL;
        for attempt in 1.. {
            let (id, node, from) = (self.run.id, self.worker.node, self.run.done);
            let (total, until, batch) = (self.run.total, self.until(), batch.clone());
            let committed: Result<Tally, WorkError> = self
                .worker
                .store
                .write(self.organization, move |mut org| {
                    async move {
                        let applied = batch.apply(&mut org).await?;
                        let to = from + rows;
                        let at = Checkpoint { from, to, phase, tally: applied.tally, until };
                        if !org.roster_checkpoint(id, node, &at).await? {
                            return Err(WorkError::NotOurs);
                        }
                        let (first, last) = batch.places(from, to);
                        if last >= first {
                            let part = ReportPart { first, last, rows: applied.rows };
                            org.insert_roster_report(id, &part).await?;
                        }
                        if tell_progress {
                            let more = json!({ "state": "running", "done": to, "total": total });
                            tell(&org, "roster.progress", batch.source(), id, more);
                        }
                        Ok(applied.tally)
                    }
                    .boxed()
                })
                .await;
            match committed {
                Ok(tally) => {
                    self.count(&tally);
                    self.run.done += rows;
                    if tell_progress {
                        self.told = Instant::now();
                    }
                    self.say(phase);
                    return Ok(());
                }
                // Another unit of work made the same patient: it is there now.
                Err(WorkError::Store(error))
                    if attempt < TRIES && (error.is_passing() || matches!(error, StoreError::Conflict)) =>
                {
                    tracing::warn!(run = %id, %error, "a batch of a roster could not be stored; once more");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                    if self.is_behind(from).await? {
                        // It was stored after all, and only its answer was lost.
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the store is further than `from`; then this node goes on from there.
    async fn is_behind(&mut self, from: i64) -> Result<bool, StoreError> {
        let row = self.worker.store.read(self.organization).await?.roster_run(self.run.id).await?;
        let further = |row: &RosterRun| row.done > from || row.tally.missing > self.run.tally.missing;
        let Some(row) = row.filter(further) else { return Ok(false) };
        (self.run.done, self.run.tally) = (row.done, row.tally);
        Ok(true)
    }

    fn count(&mut self, tally: &Tally) {
        let run = &mut self.run.tally;
        for (label, sum, count) in [
            ("created", &mut run.created, tally.created),
            ("changed", &mut run.changed, tally.changed),
            ("same", &mut run.same, tally.same),
            ("refused", &mut run.refused, tally.refused),
            ("missing", &mut run.missing, tally.missing),
        ] {
            *sum += count;
            if !self.run.dry_run {
                counter!("anteroom_roster_rows_total", "outcome" => label).increment(count.unsigned_abs());
            }
        }
    }
}
