//! The open database: connections, keys, group commit, wake-ups.

use std::{
    collections::HashMap,
    path::Path,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use anteroom_model::{
    ids::{Ids, OrganizationId},
    states::Direction,
    time::{Clock, Timestamp},
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use crate::{
    StoreError, checkpoint,
    conn::{Conn, on},
    inbound,
    org::{ConnRef, Org, Wakes},
    planner,
    seal::{MasterKey, OrgKeys},
    sql,
    writer::{self, Job},
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite:` and the path of the database file, which is made where it is missing.
    pub url: String,
    /// Connections that read; one more writes.
    pub readers: u32,
    /// How long a statement waits for another process's lock.
    pub lock_timeout: Duration,
}

impl StoreOptions {
    /// For the database file `path`.
    pub fn sqlite(path: &Path) -> Self {
        Self { url: format!("sqlite:{}", path.display()), readers: 4, lock_timeout: Duration::from_secs(5) }
    }
}

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    readers: sqlx::SqlitePool,
    jobs: mpsc::Sender<Job>,
    pub(crate) inbound: mpsc::Sender<inbound::Arrival>,
    master: MasterKey,
    keys: RwLock<HashMap<OrganizationId, Arc<OrgKeys>>>,
    ids: Arc<Ids>,
    clock: Arc<dyn Clock>,
    inbound_ready: Arc<Notify>,
    outbound_ready: Notify,
    events: broadcast::Sender<OrganizationId>,
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
    /// Opens the database, brings it to the newest migration and starts its writer.
    pub async fn open(
        options: &StoreOptions,
        master: MasterKey,
        ids: Arc<Ids>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let connect = SqliteConnectOptions::from_str(&options.url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.lock_timeout)
            .statement_cache_capacity(512)
            .pragma("cache_size", "-65536")
            .pragma("temp_store", "memory")
            // Sealed bytes of deleted rows are not left lying in free pages either.
            .pragma("secure_delete", "fast")
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", "67108864");
        let lifelong = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None);
        let writers = lifelong().max_connections(2).connect_with(connect.clone()).await?;
        MIGRATIONS.run(&writers).await.map_err(|error| StoreError::Migrate(error.to_string()))?;
        planner::inform(&mut Conn::Sqlite(writers.acquire().await?)).await?;
        let readers = lifelong()
            .max_connections(options.readers)
            .connect_with(connect.pragma("query_only", "on"))
            .await?;

        let writer_conn = Conn::Sqlite(writers.acquire().await?);
        let checkpoint_conn = Conn::Sqlite(writers.acquire().await?);
        let (jobs, waiting_jobs) = mpsc::channel(writer::WAITING);
        let (arrivals, waiting_arrivals) = mpsc::channel(writer::WAITING);
        let inbound_ready = Arc::new(Notify::new());
        let tasks = vec![
            tokio::spawn(writer::run(writer_conn, waiting_jobs, waiting_arrivals, inbound_ready.clone())),
            tokio::spawn(checkpoint::run(checkpoint_conn)),
        ];
        let (events, _) = broadcast::channel(1_024);
        Ok(Self(Arc::new(Inner {
            readers,
            jobs,
            inbound: arrivals,
            master,
            keys: RwLock::default(),
            ids,
            clock,
            inbound_ready,
            outbound_ready: Notify::new(),
            events,
            tasks,
        })))
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
        let wakes = Arc::new(Wakes::default());
        let store = self.clone();
        let job: Job = Box::new(move |conn| {
            async move {
                let org = store.org(ConnRef::Borrowed(conn), organization, keys, wakes.clone());
                match work(org).await {
                    Ok(value) => Some(Box::new(move |outcome: Result<(), StoreError>| {
                        // Here, not in the caller: it may have gone away, the rows are there all the same.
                        if outcome.is_ok() {
                            store.wake(organization, &wakes);
                        }
                        drop(tell.send(outcome.map(|()| value).map_err(E::from)));
                    }) as writer::Committed),
                    Err(error) => {
                        drop(tell.send(Err(error)));
                        None
                    }
                }
            }
            .boxed()
        });
        self.0.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
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

    /// Waits until something inbound was committed by this process.
    pub async fn inbound_ready(&self) {
        self.0.inbound_ready.notified().await;
    }

    /// Waits until something outbound was committed by this process.
    pub async fn outbound_ready(&self) {
        self.0.outbound_ready.notified().await;
    }

    /// Organizations whose events grow, as they are committed by this process.
    pub fn event_wakes(&self) -> broadcast::Receiver<OrganizationId> {
        self.0.events.subscribe()
    }

    pub(crate) fn arrivals(&self) -> &mpsc::Sender<inbound::Arrival> {
        &self.0.inbound
    }

    /// Hands a job that spans organizations to the writer.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.0.jobs.send(job).await.map_err(|_| StoreError::Closed)
    }

    pub(crate) async fn reader(&self) -> Result<Conn, StoreError> {
        Ok(Conn::Sqlite(self.0.readers.acquire().await?))
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

    fn remember(&self, organization: OrganizationId, keys: Arc<OrgKeys>) {
        self.0.keys.write().unwrap_or_else(PoisonError::into_inner).insert(organization, keys);
    }

    fn org<'c>(
        &self,
        conn: ConnRef<'c>,
        organization: OrganizationId,
        keys: Arc<OrgKeys>,
        wakes: Arc<Wakes>,
    ) -> Org<'c> {
        Org { conn, organization, keys, ids: self.0.ids.clone(), now: self.now(), wakes }
    }

    fn wake(&self, organization: OrganizationId, wakes: &Wakes) {
        if wakes.outbound.load(Ordering::Relaxed) {
            self.0.outbound_ready.notify_one();
        }
        if wakes.events.load(Ordering::Relaxed) {
            // Nobody listening is no error.
            drop(self.0.events.send(organization));
        }
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
