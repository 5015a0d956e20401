//! The loop of a stage that works rows off: lease what is due, work many at once, wait to be woken.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anteroom_model::{ids::MessageId, states::Direction, time::Timestamp};
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
    /// Which way its messages go.
    const DIRECTION: Direction;
    /// A leased row.
    type Work: Send + 'static;

    /// Which message a row is.
    fn id(work: &Self::Work) -> MessageId;

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
    let under_way = UnderWay::default();
    let mut claim_failed = false;
    loop {
        if claim_failed {
            claim_failed = !give_back::<S>(&app, &under_way).await;
        }
        let room = u32::try_from(places.available_permits()).unwrap_or(0);
        let seen = match room {
            0 => 0,
            _ => begin::<S>(&app, room, &places, &finished, &under_way).await.unwrap_or_else(|error| {
                tracing::error!(stage = S::NAME, %error, "work could not be claimed");
                claim_failed = true;
                0
            }),
        };
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

/// Messages that this process works on.
type UnderWay = Arc<Mutex<HashSet<MessageId>>>;

/// A claim that failed may have been committed all the same: what it leased is under way nowhere. Whether that
/// is settled.
async fn give_back<S: Stage>(app: &App, under_way: &UnderWay) -> bool {
    let ids = under_way.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
    match app.store.give_back(S::DIRECTION, app.node, ids).await {
        Ok(given) => {
            tracing::info!(
                stage = S::NAME,
                given,
                "claims work again; what a failed one had leased is given back"
            );
            true
        }
        Err(_) => false,
    }
}

/// Begins to work on what is due; how many rows were looked at.
async fn begin<S: Stage>(
    app: &App,
    room: u32,
    places: &Arc<Semaphore>,
    finished: &Arc<Notify>,
    under_way: &UnderWay,
) -> Result<u32, StoreError> {
    let until = app.store.now().plus(S::LEASE);
    let Claimed { work, seen } = S::claim(app, until, room).await?;
    for item in work {
        // There is room: only this loop takes places.
        let Ok(place) = places.clone().try_acquire_owned() else { break };
        let (app, finished, under_way, id) = (app.clone(), finished.clone(), under_way.clone(), S::id(&item));
        under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        tokio::spawn(async move {
            S::process(&app, item).await;
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            drop(place);
            finished.notify_one();
        });
    }
    Ok(seen)
}
