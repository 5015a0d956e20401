//! The loop of a stage that works rows off: lease what is due, work many at once, wait to be woken.

use std::{sync::Arc, time::Duration};

use anteroom_model::time::Timestamp;
use anteroom_store::StoreError;
use tokio::sync::{Notify, Semaphore};

use crate::app::App;

/// A stage that works on rows of the store.
pub(crate) trait Stage: 'static {
    /// For logs.
    const NAME: &'static str;
    /// Rows worked on at once.
    const AT_ONCE: u32;
    /// Work that takes longer is taken for lost and begun again by whoever comes first.
    const LEASE: Duration;
    /// How often to look without being woken: for leases that ended and tries that were put off.
    const POLL: Duration;
    /// A leased row.
    type Work: Send + 'static;

    /// Leases at most `room` rows until `until`.
    fn claim(
        app: &App,
        until: Timestamp,
        room: u32,
    ) -> impl Future<Output = Result<Vec<Self::Work>, StoreError>> + Send;

    /// Works on one row, whatever happens.
    fn process(app: &App, work: Self::Work) -> impl Future<Output = ()> + Send;

    /// Waits until this process has committed something to do.
    fn ready(app: &App) -> impl Future<Output = ()> + Send;
}

/// Works until the app is told to stop, then until what is under way is over.
pub(crate) async fn run<S: Stage>(app: App) {
    let places = Arc::new(Semaphore::new(S::AT_ONCE as usize));
    let finished = Arc::new(Notify::new());
    loop {
        let room = u32::try_from(places.available_permits()).unwrap_or(0);
        let claimed = if room == 0 { 0 } else { begin::<S>(&app, room, &places, &finished).await };
        if claimed > 0 && claimed == room {
            continue;
        }
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = S::ready(&app), if room > 0 => {}
            () = finished.notified() => {}
            () = tokio::time::sleep(S::POLL) => {}
        }
    }
    // All places free again means that everything is over.
    drop(places.acquire_many(S::AT_ONCE).await);
}

/// Begins to work on what is due; how much that was.
async fn begin<S: Stage>(app: &App, room: u32, places: &Arc<Semaphore>, finished: &Arc<Notify>) -> u32 {
    let until = app.store.now().plus(S::LEASE);
    let work = match S::claim(app, until, room).await {
        Ok(work) => work,
        Err(error) => {
            tracing::error!(stage = S::NAME, %error, "work could not be claimed");
            return 0;
        }
    };
    let claimed = u32::try_from(work.len()).unwrap_or(u32::MAX);
    for item in work {
        // There is room: only this loop takes places.
        let Ok(place) = places.clone().try_acquire_owned() else { break };
        let (app, finished) = (app.clone(), finished.clone());
        tokio::spawn(async move {
            S::process(&app, item).await;
            drop(place);
            finished.notify_one();
        });
    }
    claimed
}
