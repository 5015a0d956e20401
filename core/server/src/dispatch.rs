//! The loop of a stage that works rows off: lease what is due, work many at once, wait to be woken.

use std::{sync::Arc, time::Duration};

use anteroom_model::time::Timestamp;
use anteroom_store::{Claimed, StoreError};
use tokio::sync::{Notify, Semaphore};

use crate::app::App;

/// First wait before something is stored again that could not be; doubled each time.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_AT_MOST: Duration = Duration::from_secs(2);

/// Stores how work ended, again and again while the database fails and the lease holds: what is not stored
/// then is found out anew by whoever works on it next.
pub(crate) async fn until_stored<T, F>(
    app: &App,
    lease_end: Timestamp,
    mut store: impl FnMut() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait = AGAIN;
    loop {
        let error = match store().await {
            Err(error) if error.is_passing() => error,
            outcome => return outcome,
        };
        if app.store.now().plus(wait) >= lease_end {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN_AT_MOST);
    }
}

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

    /// Looks at `room` rows that are due and leases what may be worked on until `until`.
    fn claim(
        app: &App,
        until: Timestamp,
        room: u32,
    ) -> impl Future<Output = Result<Claimed<Self::Work>, StoreError>> + Send;

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
        let seen = if room == 0 { 0 } else { begin::<S>(&app, room, &places, &finished).await };
        if seen > 0 && seen == room {
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

/// Begins to work on what is due; how many rows were looked at.
async fn begin<S: Stage>(app: &App, room: u32, places: &Arc<Semaphore>, finished: &Arc<Notify>) -> u32 {
    let until = app.store.now().plus(S::LEASE);
    let Claimed { work, seen } = match S::claim(app, until, room).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::error!(stage = S::NAME, %error, "work could not be claimed");
            return 0;
        }
    };
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
    seen
}
