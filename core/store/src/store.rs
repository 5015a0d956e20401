//! The open database: connections, keys, units of work, wake-ups.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use anteroom_model::{
    ids::{Ids, OrganizationId},
    states::Direction,
    time::{Clock, Timestamp},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{OwnedMutexGuard, broadcast, mpsc, oneshot};

use crate::{
    StoreError,
    conn::{Conn, on},
    inbound,
    org::{ConnRef, Org, Work},
    postgres,
    seal::{MasterKey, OrgKeys},
    signals::{Signal, Signals, Whisper},
    sql, sqlite,
    writer::{self, Job},
};

/// How long a unit of work waits to be taken on where many wait.
const TAKEN_ON: Duration = Duration::from_secs(2);
/// How long a unit of work waits for its turn to append: less than PostgreSQL lets a transaction be idle.
const APPEND_TURN: Duration = Duration::from_secs(4);

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:` and the path of the database file, which is made where it is missing; or
    /// `postgres://user@host/database`.
    pub url: String,
    /// Connections: in `SQLite` those that read, one more writes; in PostgreSQL all of this process but one.
    pub connections: u32,
    /// How long a statement waits for another one's lock.
    pub lock_timeout: Duration,
}

impl StoreOptions {
    /// For the database file `path`.
    pub fn sqlite(path: &Path) -> Self {
        Self {
            url: format!("sqlite:{}", path.display()),
            connections: 4,
            lock_timeout: Duration::from_secs(5),
        }
    }

    /// For a PostgreSQL URL, or one of `SQLite`.
    pub fn url(url: &str) -> Self {
        let mut options = Self::sqlite(Path::new(""));
        url.clone_into(&mut options.url);
        if options.is_postgres() {
            options.connections = 16;
        }
        options
    }

    /// Whether it is a database server that other nodes share.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres:") || self.url.starts_with("postgresql:")
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may hold a password.
        f.debug_struct("StoreOptions").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

/// What reads.
#[derive(Debug)]
enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

#[derive(Debug)]
struct Inner {
    readers: Readers,
    jobs: mpsc::Sender<Job>,
    arrivals: mpsc::Sender<inbound::Arrival>,
    master: MasterKey,
    keys: RwLock<HashMap<OrganizationId, Arc<OrgKeys>>>,
    append_gates: Mutex<HashMap<OrganizationId, Arc<tokio::sync::Mutex<()>>>>,
    ids: Arc<Ids>,
    clock: Arc<dyn Clock>,
    signals: Arc<Signals>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Store {
    /// Opens the database, brings it to the newest migration and starts what writes.
    pub async fn open(
        options: &StoreOptions,
        master: MasterKey,
        ids: Arc<Ids>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting_jobs) = mpsc::channel(writer::WAITING);
        let (arrivals, waiting_arrivals) = mpsc::channel(writer::WAITING);
        let (readers, tasks, signals);
        if options.is_postgres() {
            let (others, to_others) = mpsc::channel(writer::WAITING);
            signals = Arc::new(Signals::new(Some(others)));
            let heard = signals.clone();
            let opened = postgres::open(options, waiting_jobs, waiting_arrivals, to_others, heard).await?;
            (readers, tasks) = (Readers::Postgres(opened.0), opened.1);
        } else {
            signals = Arc::new(Signals::new(None));
            let opened = sqlite::open(options, waiting_jobs, waiting_arrivals, signals.clone()).await?;
            (readers, tasks) = (Readers::Sqlite(opened.0), opened.1);
        }
        let (keys, append_gates) = (RwLock::default(), Mutex::default());
        let inner = Inner { readers, jobs, arrivals, master, keys, append_gates, ids, clock, signals, tasks };
        let store = Self(Arc::new(inner));
        store.check_master_key().await?;
        Ok(store)
    }

    /// A node with another key than the others would find out with the first text it reads: too late.
    async fn check_master_key(&self) -> Result<(), StoreError> {
        let Some(organization) = self.organizations().await?.first().copied() else { return Ok(()) };
        match self.keys(organization).await {
            Err(StoreError::Sealed(_)) => Err(StoreError::MasterKey),
            other => other.map(drop),
        }
    }

    /// The clock of this store.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The source of ids of this store.
    pub fn ids(&self) -> &Arc<Ids> {
        &self.0.ids
    }

    /// The master key, for deriving keys of other purposes.
    pub fn master(&self) -> &MasterKey {
        &self.0.master
    }

    /// A reading view of `organization`'s rows: everything committed before each query.
    pub async fn read(&self, organization: OrganizationId) -> Result<Org<'static>, StoreError> {
        let keys = self.keys(organization).await?;
        let conn = ConnRef::Owned(self.reader().await?);
        Ok(self.org(conn, organization, keys, Arc::default()))
    }

    /// Runs `work` in a transaction and returns after its commit. An error takes back all it wrote.
    ///
    /// The closure owns what it uses: it runs on the writer's task, together with other writes, and is
    /// finished even where the caller has gone away.
    pub async fn write<T, E, F>(&self, organization: OrganizationId, work: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(Org<'c>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let keys = self.keys(organization).await?;
        let (tell, told) = oneshot::channel();
        let store = self.clone();
        let job: Job = Box::new(move |conn| {
            async move {
                let work_of = Arc::new(Work::default());
                let org = store.org(ConnRef::Borrowed(conn), organization, keys.clone(), work_of.clone());
                let value = match work(org).await {
                    Ok(value) => value,
                    Err(error) => {
                        drop(tell.send(Err(error)));
                        return None;
                    }
                };
                let mut org = store.org(ConnRef::Borrowed(conn), organization, keys, work_of.clone());
                let appended = async {
                    let turn = store.append_turn(organization, &work_of).await?;
                    Ok((turn, org.append().await?))
                };
                let (turn, told_events) = match appended.await {
                    Ok(appended) => appended,
                    Err(error) => {
                        drop(tell.send(Err(E::from(error))));
                        return None;
                    }
                };
                Some(Box::new(move |outcome: Result<(), StoreError>| {
                    drop(turn);
                    // Here, not in the caller: it may have gone away, the rows are there all the same.
                    if outcome.is_ok() {
                        for signal in work_of.signals() {
                            store.0.signals.raise(signal);
                        }
                        if told_events {
                            store.0.signals.raise(Signal::Events(organization));
                        }
                    }
                    let ended = if outcome.is_ok() { work_of.take_ended() } else { Vec::new() };
                    let told = outcome.map(|()| (value, ended)).map_err(E::from);
                    if let Err(Ok((_, ended))) = tell.send(told) {
                        tokio::spawn(async move { store.wake_lanes(organization, ended).await });
                    }
                }) as writer::Committed)
            }
            .boxed()
        });
        self.submit(job).await?;
        let (value, ended) = told.await.map_err(|_| StoreError::Closed)??;
        self.wake_lanes(organization, ended).await;
        Ok(value)
    }

    /// Makes an organization with its data key.
    pub async fn create_organization(
        &self,
        name: &str,
        settings: &crate::OrganizationSettings,
    ) -> Result<OrganizationId, StoreError> {
        let now = self.now();
        let id: OrganizationId = self.0.ids.next(now);
        let wrapped = self.0.master.new_data_key(id, &self.0.ids)?;
        let keys = self.0.master.open_data_key(id, &wrapped, &self.0.ids)?;
        // Known before its row is there, so that the row can be written through the one way of writing.
        self.remember(id, Arc::new(keys));
        let (name, settings) = (name.to_owned(), settings.clone());
        let created: Result<(), StoreError> = self
            .write(id, move |mut org| {
                async move { org.insert_organization(&name, &settings, &wrapped).await }.boxed()
            })
            .await;
        if created.is_err() {
            self.0.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        created.map(|()| id)
    }

    /// Every organization's id.
    pub async fn organizations(&self) -> Result<Vec<OrganizationId>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_scalar(sql!("organizations/all")).fetch_all(c).await?))
    }

    /// Whether other nodes share this database.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.readers, Readers::Postgres(_))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut conn = self.reader().await?;
        Ok(conn.execute("SELECT 1").await?)
    }

    /// How much work waits and since when, for metrics.
    pub async fn oldest_due(&self, direction: Direction) -> Result<OldestDue, StoreError> {
        let mut conn = self.reader().await?;
        let (count, oldest) = on!(&mut conn, c => {
            sqlx::query_as(sql!("messages/oldest_due")).bind(direction).fetch_one(c).await?
        });
        Ok(OldestDue { count, oldest })
    }

    /// Waits until something inbound was committed.
    pub async fn inbound_ready(&self) {
        self.0.signals.inbound().await;
    }

    /// Waits until something outbound was committed.
    pub async fn outbound_ready(&self) {
        self.0.signals.outbound().await;
    }

    /// Organizations whose events grow, as they are committed, by whichever node.
    pub fn event_wakes(&self) -> broadcast::Receiver<OrganizationId> {
        self.0.signals.events()
    }

    /// Organizations whose set-up was changed, as [`Self::setup_changed`] was told by whichever node.
    pub fn setup_wakes(&self) -> broadcast::Receiver<OrganizationId> {
        self.0.signals.setup()
    }

    /// Says something to whoever listens now, on whichever node; see [`Whisper`].
    pub fn whisper(&self, whisper: Whisper) {
        self.0.signals.raise(Signal::Whisper(whisper));
    }

    /// What is whispered from now on.
    pub fn whispers(&self) -> broadcast::Receiver<Whisper> {
        self.0.signals.whispers()
    }

    /// Tells every node that something of `organization` that is kept in memory has changed.
    pub fn setup_changed(&self, organization: OrganizationId) {
        self.0.signals.raise(Signal::Setup(organization));
    }

    /// Something that was put aside is due.
    pub(crate) fn work_is_due(&self) {
        self.0.signals.raise(Signal::Inbound);
        self.0.signals.raise(Signal::Outbound);
    }

    pub(crate) fn arrivals(&self) -> &mpsc::Sender<inbound::Arrival> {
        &self.0.arrivals
    }

    /// Hands a unit of work to whoever writes.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        match self.0.jobs.send_timeout(job, TAKEN_ON).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(StoreError::Busy),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    /// Runs `work`, which spans organizations, in a transaction and returns after its commit.
    pub(crate) async fn write_across<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            async move {
                match work(conn).await {
                    Ok(value) => Some(Box::new(move |committed: Result<(), StoreError>| {
                        drop(tell.send(committed.map(|()| value)));
                    }) as writer::Committed),
                    Err(error) => {
                        drop(tell.send(Err(error.into())));
                        None
                    }
                }
            }
            .boxed()
        });
        self.submit(job).await?;
        told.await.map_err(|_| StoreError::Closed)?
    }

    pub(crate) async fn reader(&self) -> Result<Conn, StoreError> {
        Ok(match &self.0.readers {
            Readers::Sqlite(pool) => Conn::Sqlite(pool.acquire().await?),
            Readers::Postgres(pool) => Conn::Postgres(pool.acquire().await?),
        })
    }

    /// The keys of `organization`, from memory or opened with the master key.
    pub async fn keys(&self, organization: OrganizationId) -> Result<Arc<OrgKeys>, StoreError> {
        if let Some(keys) = self.0.keys.read().unwrap_or_else(PoisonError::into_inner).get(&organization) {
            return Ok(keys.clone());
        }
        let mut conn = self.reader().await?;
        let wrapped: Option<Vec<u8>> = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("organizations/wrapped_key")).bind(organization).fetch_optional(c).await?
        });
        let wrapped = wrapped.ok_or(StoreError::NoOrganization)?;
        let keys = Arc::new(self.0.master.open_data_key(organization, &wrapped, &self.0.ids)?);
        self.remember(organization, keys.clone());
        Ok(keys)
    }

    /// Waits until it is this unit's turn to append events or decisions, if it has any: the turn is over
    /// when what is returned is dropped, after the commit.
    ///
    /// In `PostgreSQL` all who append wait for the organization's row, and a row that many wait for is given on
    /// slowly: so only one of this process at a time asks for it. (In `SQLite` they share a commit.)
    async fn append_turn(
        &self,
        organization: OrganizationId,
        work: &Work,
    ) -> Result<Option<OwnedMutexGuard<()>>, StoreError> {
        if !self.is_shared() || !work.appends() {
            return Ok(None);
        }
        let gate = {
            let mut gates = self.0.append_gates.lock().unwrap_or_else(PoisonError::into_inner);
            gates.entry(organization).or_default().clone()
        };
        let turn = tokio::time::timeout(APPEND_TURN, gate.lock_owned()).await;
        turn.map(Some).map_err(|_| StoreError::Busy)
    }

    fn remember(&self, organization: OrganizationId, keys: Arc<OrgKeys>) {
        self.0.keys.write().unwrap_or_else(PoisonError::into_inner).insert(organization, keys);
    }

    fn org<'c>(
        &self,
        conn: ConnRef<'c>,
        organization: OrganizationId,
        keys: Arc<OrgKeys>,
        work: Arc<Work>,
    ) -> Org<'c> {
        Org { conn, organization, keys, ids: self.0.ids.clone(), now: self.now(), work }
    }
}

/// Work that waits in one direction.
#[derive(Clone, Copy, Debug)]
pub struct OldestDue {
    /// Messages with work to do.
    pub count: i64,
    /// When the oldest of them was stored.
    pub oldest: Option<Timestamp>,
}
