//! Rosters: lists of patients from a clinic's own system, sent by hand, from a terminal, or pulled from a folder.
//!
//! However a list comes, its file is stored sealed, part by part ([`intake`]), and becomes a run: a row of the
//! store that any node can take up ([`work`]). Folders are looked into by whichever node has time ([`pull`]), over
//! [`sftp`]. How bytes become rows stands in [`read`].

pub mod intake;
pub mod pull;
pub mod read;
pub mod sftp;
pub mod work;

use std::time::Duration;

use anteroom_store::StoreError;
use futures::FutureExt;

use crate::app::App;
use work::Worker;

/// How often waiting runs and folders that are due are looked for.
const POLL: Duration = Duration::from_millis(500);
/// A file that has been arriving for so long never will.
const ARRIVAL: Duration = Duration::from_hours(1);

/// Works runs off until the app is told to stop; one at a time, since patients' texts come first.
pub async fn run(app: App) {
    let worker = Worker { store: app.store.clone(), node: app.node, stop: app.stop.clone() };
    while idle(&app).await {
        while !app.stop.is_cancelled() {
            match worker.claim().await {
                Ok(Some((organization, run))) => {
                    if let Err(error) = worker.work(organization, run, &|_| {}).await {
                        tracing::error!(%run, %error, "a roster was left; it goes on in a moment");
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "rosters can't be looked for");
                    break;
                }
            }
        }
    }
}

/// Looks into folders until the app is told to stop.
pub async fn look(app: App) {
    while idle(&app).await {
        while !app.stop.is_cancelled() {
            match app.store.claim_roster_look(app.node, app.store.now().plus(pull::LEASE)).await {
                Ok(Some((organization, source))) => pull::look(&app, organization, source).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "folders that are due can't be looked for");
                    break;
                }
            }
        }
        if let Err(error) = tidy(&app).await {
            tracing::error!(%error, "files that never arrived could not be tidied away");
        }
    }
}

async fn idle(app: &App) -> bool {
    tokio::select! {
        () = app.stop.cancelled() => false,
        () = tokio::time::sleep(POLL) => true,
    }
}

/// What a sender or a node that has gone left behind.
async fn tidy(app: &App) -> Result<(), StoreError> {
    for (organization, run) in app.store.abandoned_roster_runs(app.store.now().minus(ARRIVAL)).await? {
        let discarded: Result<(), StoreError> = app
            .store
            .write(organization, move |mut org| async move { org.discard_roster_run(run).await }.boxed())
            .await;
        discarded?;
    }
    Ok(())
}
