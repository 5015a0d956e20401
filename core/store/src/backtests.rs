//! Backtests: a candidate tried on recorded decisions, by whichever node has time.
//!
//! The row is the queue: a node leases it, says with each heartbeat how far it is, and stores the report. One
//! whose lease has ended is begun again by another node.

use std::fmt;

use anteroom_model::{
    ids::{BacktestId, MessageId, NodeId, NumberId, OrganizationId, PolicyId, StaffId},
    time::Timestamp,
};
use futures::FutureExt;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use crate::{
    Decision, Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    decisions::{ID_SLACK, earliest_id},
    sql,
};

/// A backtest without its report.
#[derive(Clone, Debug, FromRow)]
pub struct Backtest {
    /// Its id.
    pub id: BacktestId,
    /// A word of `model::hooks::Hook`.
    pub hook: String,
    /// The candidate.
    pub policy_id: PolicyId,
    /// SHA-256 of the candidate's settings.
    pub settings_digest: Vec<u8>,
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Up to this place in the chain of decisions.
    pub last_seq: i64,
    /// Only turns on this number.
    pub number_id: Option<NumberId>,
    /// How far it is.
    pub state: BacktestState,
    /// Turns to be tried; 0 until they are counted.
    pub total: i64,
    /// Turns tried.
    pub done: i64,
    /// SHA-256 of the report.
    pub report_digest: Option<Vec<u8>>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who wanted it.
    pub created_by: Option<StaffId>,
    /// When it was wanted.
    pub created_at: Timestamp,
    /// When a node began it (again).
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// How far a backtest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "TEXT", rename_all = "snake_case")]
pub enum BacktestState {
    /// No node has begun it.
    Waiting,
    /// A node works on it.
    Running,
    /// The report is there.
    Done,
    /// It can't be done.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl BacktestState {
    /// The word used in SQL and REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for BacktestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A backtest to be run.
#[derive(Clone, Debug)]
pub struct NewBacktest {
    /// A word of `model::hooks::Hook`.
    pub hook: &'static str,
    /// The candidate.
    pub policy_id: PolicyId,
    /// Its settings, JSON.
    pub settings: String,
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Only turns on this number.
    pub number_id: Option<NumberId>,
    /// Who wants it.
    pub created_by: Option<StaffId>,
}

/// Which recorded turns a candidate is tried on.
#[derive(Clone, Debug)]
pub struct TurnWindow {
    /// A word of `model::hooks::Hook`.
    pub hook: String,
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Up to this place in the chain of decisions.
    pub last_seq: i64,
    /// Only turns on this number.
    pub number: Option<NumberId>,
}

impl From<&Backtest> for TurnWindow {
    fn from(row: &Backtest) -> Self {
        Self {
            hook: row.hook.clone(),
            since: row.since,
            until: row.until,
            last_seq: row.last_seq,
            number: row.number_id,
        }
    }
}

/// The turns of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    /// How many.
    pub count: i64,
    /// The first one's place in the chain; 0 if there is none.
    pub first_seq: i64,
    /// The last one's.
    pub last_seq: i64,
}

impl Store {
    /// Leases a backtest that waits, or whose node is gone, to `node` until `until`.
    pub async fn claim_backtest(
        &self,
        node: NodeId,
        until: Timestamp,
    ) -> Result<Option<(OrganizationId, BacktestId)>, StoreError> {
        let now = self.now();
        // Mostly there is none, and looking needs no transaction.
        let mut conn = self.reader().await?;
        let found: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("backtests/claimable")).bind(now).fetch_one(c).await?
        });
        drop(conn);
        if !found {
            return Ok(None);
        }
        self.write_across(move |conn| {
            async move {
                let query = conn.pick(twin!("backtests/claim"));
                on!(conn, c => sqlx::query_as(query).bind(now).bind(node).bind(until).fetch_optional(c).await)
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// Stores a backtest for a node to begin; it is tried on what is in the chain of decisions by now.
    pub async fn insert_backtest(&mut self, id: BacktestId, new: &NewBacktest) -> Result<(), StoreError> {
        let now = self.now;
        let digest = Sha256::digest(new.settings.as_bytes()).to_vec();
        execute!(self, "policies/insert_settings", &digest, &new.settings, now);
        let last_seq = self.decision_chain().await?.seq;
        execute!(
            self,
            "backtests/insert",
            id,
            new.hook,
            new.policy_id,
            digest,
            new.since,
            new.until,
            last_seq,
            new.number_id,
            new.created_by,
            now,
        );
        Ok(())
    }

    /// One backtest.
    pub async fn backtest(&mut self, id: BacktestId) -> Result<Option<Backtest>, StoreError> {
        Ok(fetch_optional!(self, Backtest, "backtests/get", id))
    }

    /// Backtests before `before`, newest first.
    pub async fn backtests(&mut self, before: BacktestId, limit: u32) -> Result<Vec<Backtest>, StoreError> {
        Ok(fetch_all!(self, Backtest, "backtests/list", before, i64::from(limit)))
    }

    /// How many wait or run.
    pub async fn unfinished_backtests(&mut self) -> Result<i64, StoreError> {
        Ok(fetch_optional!(self, (i64,), "backtests/unfinished").map_or(0, |(count,)| count))
    }

    /// The report, JSON; `None` where there is none (yet).
    pub async fn backtest_report(&mut self, id: BacktestId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = fetch_optional!(self, (Option<Vec<u8>>,), "backtests/report", id);
        let sealed = row.and_then(|(report,)| report);
        sealed.map(|sealed| self.keys.open("backtests.report", id.0, &sealed)).transpose()
    }

    /// Ends one that isn't over. Whether there was anything to end.
    pub async fn cancel_backtest(&mut self, id: BacktestId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "backtests/cancel", id, now) > 0)
    }

    /// Says how far `node` is, and keeps its lease. `false`: it isn't its own any more.
    pub async fn backtest_progress(
        &mut self,
        id: BacktestId,
        node: NodeId,
        (total, done): (i64, i64),
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "backtests/progress", id, node, total, done, until) > 0)
    }

    /// Stores the report. `false`: it isn't `node`'s any more, and nothing was stored.
    pub async fn finish_backtest(
        &mut self,
        id: BacktestId,
        node: NodeId,
        (total, done): (i64, i64),
        report: &[u8],
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let digest = Sha256::digest(report).to_vec();
        let sealed = self.keys.seal("backtests.report", id.0, report)?;
        Ok(execute!(self, "backtests/finish", id, node, total, done, sealed, digest, now) > 0)
    }

    /// Says why it can't be done.
    pub async fn fail_backtest(
        &mut self,
        id: BacktestId,
        node: NodeId,
        error: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "backtests/fail", id, node, error, now) > 0)
    }

    /// Leaves it to another node.
    pub async fn give_back_backtest(&mut self, id: BacktestId, node: NodeId) -> Result<bool, StoreError> {
        Ok(execute!(self, "backtests/give_back", id, node) > 0)
    }

    /// The turns of a window. Reads all of them: once for each backtest.
    pub async fn turns(&mut self, window: &TurnWindow) -> Result<Turns, StoreError> {
        let least: MessageId = earliest_id(window.since.minus(ID_SLACK));
        let most: MessageId = earliest_id(window.until.plus(ID_SLACK));
        let found = fetch_optional!(
            self,
            (i64, i64, i64),
            "decisions/window",
            least,
            most,
            window.since,
            window.until,
            window.last_seq,
            window.hook.as_str(),
            window.number
        );
        let (count, first_seq, last_seq) = found.unwrap_or_default();
        Ok(Turns { count, first_seq, last_seq })
    }

    /// Decisions of a window in the order of the chain, after the place `after` and up to `up_to`: all that were
    /// asked for a turn follow each other, the one that ended its chain last.
    pub async fn decisions_of_turns(
        &mut self,
        window: &TurnWindow,
        after: i64,
        up_to: i64,
    ) -> Result<Vec<Decision>, StoreError> {
        Ok(fetch_all!(
            self,
            Decision,
            "decisions/walk",
            after,
            up_to.min(window.last_seq),
            window.since,
            window.until,
            window.hook.as_str(),
            window.number
        ))
    }
}
