//! Backtests: what would a candidate have decided on the turns that were recorded?
//!
//! A row of the store is the order, and the queue: a node leases it, [`walk`]s the recorded decisions, tells how
//! far it is with each heartbeat, and stores the [`report`]. One whose node has gone is begun again by another.
//! What a candidate is given and how its answer is compared stands in [`walk`] and [`compare`].

mod compare;
pub mod labelled;
pub mod report;
pub mod walk;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anteroom_model::{
    hooks::Hook,
    ids::{BacktestId, OrganizationId},
};
use anteroom_policy::Digest;
use anteroom_store::{Backtest, StoreError, TurnWindow};
use futures::FutureExt;

use crate::{app::App, policies::LoadError, replay};
use walk::{Candidate, Progress, WalkError};

/// How often waiting ones are looked for.
const POLL: Duration = Duration::from_secs(1);
/// How often the store is told how far one is, and asked whether somebody has ended it.
const HEARTBEAT: Duration = Duration::from_millis(400);
/// How long a node that is not heard of keeps one.
const LEASE: Duration = Duration::from_secs(15);

/// Works until the app is told to stop; one at a time, since patients' texts come first.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        while !app.stop.is_cancelled() {
            match app.store.claim_backtest(app.node, app.store.now().plus(LEASE)).await {
                Ok(Some((organization, id))) => Box::pin(work(&app, organization, id)).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "backtests can't be looked for");
                    break;
                }
            }
        }
    }
}

/// Why a backtest has no report.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the candidate can't be loaded: {0}")]
    Policy(LoadError),
    #[error("the candidate or its settings are gone")]
    Gone,
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error("something of ours failed")]
    Panicked,
}

/// How the work on one ended.
enum End {
    /// With this report.
    Report(Vec<u8>),
    /// Somebody ended it, or another node has it.
    NotOurs,
    /// The process stops.
    Stopped,
}

async fn work(app: &App, organization: OrganizationId, id: BacktestId) {
    let progress = Arc::new(Progress::default());
    let end = tokio::select! {
        report = AssertUnwindSafe(report(app, organization, id, &progress)).catch_unwind() => {
            report.unwrap_or(Err(WorkError::Panicked)).map(End::Report)
        }
        () = keep(app, organization, id, &progress) => Ok(End::NotOurs),
        () = app.stop.cancelled() => Ok(End::Stopped),
    };
    progress.stop();
    if let Err(error) = settle(app, organization, id, &progress, end).await {
        tracing::error!(backtest = %id, %error, "the end of a backtest could not be stored; it will begin again");
    }
}

async fn settle(
    app: &App,
    organization: OrganizationId,
    id: BacktestId,
    progress: &Progress,
    end: Result<End, WorkError>,
) -> Result<(), StoreError> {
    let (node, (total, done)) = (app.node, progress.read());
    app.store
        .write(organization, move |mut org| {
            async move {
                match end {
                    Ok(End::Report(report)) => {
                        org.finish_backtest(id, node, (total, done), &report).await?;
                    }
                    Ok(End::NotOurs) => {}
                    Ok(End::Stopped) => {
                        org.give_back_backtest(id, node).await?;
                    }
                    Err(error) => {
                        tracing::error!(backtest = %id, %error, "a backtest failed");
                        org.fail_backtest(id, node, &error.to_string()).await?;
                    }
                }
                Ok(())
            }
            .boxed()
        })
        .await
}

/// Keeps the lease and tells how far it is; returns when it isn't this node's any more.
async fn keep(app: &App, organization: OrganizationId, id: BacktestId, progress: &Progress) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let (node, now, until) = (app.node, progress.read(), app.store.now().plus(LEASE));
        let kept: Result<bool, StoreError> = app
            .store
            .write(organization, move |mut org| {
                async move { org.backtest_progress(id, node, now, until).await }.boxed()
            })
            .await;
        match kept {
            Ok(true) => {}
            Ok(false) => return,
            // As long as the lease isn't over, nobody else has it.
            Err(error) => tracing::warn!(backtest = %id, %error, "a backtest's progress could not be stored"),
        }
    }
}

async fn report(
    app: &App,
    organization: OrganizationId,
    id: BacktestId,
    progress: &Arc<Progress>,
) -> Result<Vec<u8>, WorkError> {
    let row = app.store.read(organization).await?.backtest(id).await?.ok_or(WorkError::Gone)?;
    let candidate = candidate(app, organization, &row).await?;
    let window = TurnWindow::from(&row);
    let report =
        walk::walk(&app.store, app.policies.host(), organization, &candidate, &window, progress).await?;
    Ok(report.to_json())
}

async fn candidate(app: &App, organization: OrganizationId, row: &Backtest) -> Result<Candidate, WorkError> {
    let policy = app.store.read(organization).await?.policy(row.policy_id).await?.ok_or(WorkError::Gone)?;
    let [digest, settings] = [&policy.digest, &row.settings_digest]
        .map(|bytes| Digest::try_from(bytes.as_slice()).map_err(|_| WorkError::Gone));
    let settings = replay::settings(&app.store, organization, settings?).await?.ok_or(WorkError::Gone)?;
    let policy = app.policies.get(&app.store, organization, digest?).await.map_err(|error| match error {
        LoadError::Store(error) => WorkError::Store(error),
        other => WorkError::Policy(other),
    })?;
    let hook = Hook::parse(&row.hook).ok_or(WorkError::Gone)?;
    Ok(Candidate { policy, settings, hook, id: Some(row.policy_id) })
}
