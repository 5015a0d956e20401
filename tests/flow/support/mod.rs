//! One whole server for each test: a real store and real policies, no sockets, a clock that stands still.
//!
//! [`run`] owns its end too: when the test is over, everything that was begun must get done, or it fails.

mod clinic;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod pictures;
mod rest;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anteroom::{
    app::{App, Parts},
    auth::limits::{SignInLimits, TryLimits},
    backtest,
    config::NodeRole,
    directory::Directory,
    housekeeping, http_server, links, media, outbox, pipeline,
    policies::Policies,
    presence::Presence,
    reconcile,
    registration::{self, RegistrationRules},
    roster,
    uploads::Uploads,
    webhooks,
};
use anteroom_carriers::Carriers;
use anteroom_model::{ids::Ids, states::Direction, time::Clock};
use anteroom_policy::{HostConfig, Limits, PolicyHost};
use anteroom_store::{MasterKey, Store, StoreOptions};
use anteroom_test_support::postgres::{Cluster, Database};
use axum::Router;
use files::Files;
use tempfile::TempDir;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use clinic::{Clinic, FRONT_DESK, NEW_PATIENTS, REMINDERS, Staff};
pub(crate) use rest::Answer;

use clock::TestClock;

/// A Monday morning, while the clinic is open.
const START: &str = "2026-11-23T10:00:00-06:00";
/// How long work may take on a busy machine before a test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server with its workers.
pub(crate) struct TestApp {
    pub(crate) server: App,
    pub(crate) clock: Arc<TestClock>,
    router: Router,
    options: StoreOptions,
    place: Place,
    /// What the carrier keeps, and where it redirects to: the only origins that files are fetched from.
    pub(crate) files: Files,
}

/// Where the rows are; it goes away with this.
enum Place {
    Sqlite(TempDir),
    Postgres(Database),
}

/// Runs `test` with a clinic of its own, then sees to it that no work is left; on one engine after the other.
pub(crate) async fn run(test: impl AsyncFn(Clinic)) {
    run_without_outbox(async |clinic| {
        clinic.app.start_outbox();
        test(clinic).await;
    })
    .await;
}

/// The same, but nothing is sent until the test starts the outbox.
pub(crate) async fn run_without_outbox(test: impl AsyncFn(Clinic)) {
    let sqlite = Place::Sqlite(tempfile::tempdir().unwrap());
    run_on(sqlite, &test).await;
    let database = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
    run_on(Place::Postgres(database), &test).await;
}

async fn run_on(place: Place, test: impl AsyncFn(Clinic)) {
    // Shown where the test fails: the last one named is the engine it failed on.
    #[expect(clippy::print_stdout, reason = "the harness keeps it back while the test passes")]
    match &place {
        Place::Sqlite(_) => println!("on SQLite"),
        Place::Postgres(_) => println!("on PostgreSQL"),
    }
    let app = Arc::new(TestApp::open(place).await);
    let server = &app.server;
    server.tasks.spawn(pipeline::run(server.clone()));
    server.tasks.spawn(housekeeping::run(server.clone()));
    test(Clinic::new(&app, "Riverside Clinic").await).await;
    app.finish().await;
}

impl TestApp {
    async fn open(place: Place) -> Self {
        // Fails where another test has installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let clock = TestClock::at(START);
        let options = match &place {
            Place::Sqlite(folder) => StoreOptions::sqlite(&folder.path().join("anteroom.db")),
            Place::Postgres(database) => {
                StoreOptions { connections: 6, ..StoreOptions::url(&database.url()) }
            }
        };
        let files = Files::start().await;
        let server = serve(&options, 7, clock.clone(), &files).await;
        Self { router: http_server::router(server.clone()), server, clock, options, place, files }
    }

    /// A second node on the same database; its workers don't run.
    pub(crate) async fn another_node(&self) -> App {
        serve(&self.options, 8, self.clock.clone(), &self.files).await
    }

    /// Begins to send.
    pub(crate) fn start_outbox(&self) {
        self.server.tasks.spawn(outbox::run(self.server.clone()));
    }

    /// Changes rows past the store.
    pub(crate) async fn sql(&self, sql: &'static str) {
        if let Place::Postgres(database) = &self.place {
            database.sql(sql);
            return;
        }
        let pool = sqlx::SqlitePool::connect(&self.options.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    }

    /// Begins to fetch what came with texts.
    pub(crate) fn start_media(&self) {
        self.server.tasks.spawn(media::run(self.server.clone()));
    }

    /// Begins to look into carriers' lists, each quarter of an hour.
    pub(crate) fn start_reconcile(&self) {
        let every = Some(Duration::from_mins(15));
        self.server.tasks.spawn(reconcile::run(self.server.clone(), every));
    }

    /// Begins to run backtests.
    pub(crate) fn start_backtests(&self) {
        self.server.tasks.spawn(backtest::run(self.server.clone()));
    }

    /// Begins to import rosters, and to look into folders.
    pub(crate) fn start_rosters(&self) {
        self.server.tasks.spawn(roster::run(self.server.clone()));
        self.server.tasks.spawn(roster::look(self.server.clone()));
    }

    /// Begins to ask carriers about numbers' registrations.
    pub(crate) fn start_registrations(&self) {
        self.server.tasks.spawn(registration::run(self.server.clone()));
    }

    /// Begins to tell programs what happens.
    pub(crate) fn start_webhooks(&self) {
        self.server.tasks.spawn(webhooks::run(self.server.clone()));
    }

    /// Begins to keep links to message centres.
    pub(crate) fn start_links(&self) {
        self.server.tasks.spawn(links::run(self.server.clone()));
    }

    /// Waits until every text that came in is worked.
    pub(crate) async fn worked(&self) {
        self.drained(Direction::Inbound).await;
    }

    /// Waits until nothing is to be done: no text to be worked, none to be sent.
    pub(crate) async fn settled(&self) {
        // In this order: what ends an inbound message queues its replies in the same transaction.
        self.drained(Direction::Inbound).await;
        self.drained(Direction::Outbound).await;
        // What a texter claims is matched after the answer to it is queued.
        let matched = || async { self.server.store.matching_verifications().await.unwrap() == 0 };
        eventually("all claims are matched", matched).await;
    }

    async fn drained(&self, direction: Direction) {
        let empty = || async { self.server.store.oldest_due(direction).await.unwrap().count == 0 };
        eventually(&format!("no {direction} message is left"), empty).await;
    }

    async fn finish(&self) {
        self.settled().await;
        self.server.stop.cancel();
        self.server.tasks.close();
        tokio::time::timeout(PATIENCE, self.server.tasks.wait()).await.expect("the workers end when told to");
        for direction in [Direction::Inbound, Direction::Outbound] {
            let left = self.server.store.oldest_due(direction).await.unwrap();
            assert_eq!(left.count, 0, "{direction} work is left: {left:?}");
        }
    }

    /// Moves the clock on.
    pub(crate) fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Moves the clock on to `moment` (RFC 3339).
    pub(crate) fn advance_to(&self, moment: &str) {
        let now = self.clock.now();
        let moment = clock::read(moment);
        assert!(moment > now, "a clock goes forward");
        self.clock.advance(moment.since(now));
    }
}

/// A server on that database, with ids of its own.
async fn serve(options: &StoreOptions, seed: u8, clock: Arc<TestClock>, files: &Files) -> App {
    let ids = Arc::new(Ids::from_seed([seed; 32]));
    let store = Store::open(options, MasterKey::new([9; 32]), ids, clock).await.unwrap();
    App::new(Parts {
        policies: policies(),
        carriers: Carriers::new(&files.client()).unwrap(),
        media: files.media(),
        directory: Directory::new(store.clone()),
        node: store.ids().next(store.now()),
        presence: Presence::new(store.clone()),
        uploads: Uploads::default(),
        sign_ins: SignInLimits::default(),
        tries: TryLimits::default(),
        metrics: None,
        secure_cookies: true,
        roles: NodeRole::ALL.to_vec(),
        demo: None,
        registration: RegistrationRules::default(),
        mailer: OnceLock::new(),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        store,
    })
}

/// Waits in real time until `done`.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, done: impl Fn() -> F) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within {PATIENCE:?}: {what}");
}

/// Policies are content-addressed: all tests of a process share the compiled ones, and all runs the cache.
/// As much time as there is, so that a busy machine changes no fault into another; fuel, memory and all else
/// as in the product.
fn policies() -> Policies {
    static POLICIES: OnceLock<Policies> = OnceLock::new();
    let make = || {
        let (cpu_ms, wall_ms) = (Limits::CEILING.cpu_ms, Limits::CEILING.wall_ms);
        let mut config = HostConfig::new([3; 32]);
        config.limits = Limits { cpu_ms, wall_ms, wait_ms: Limits::CEILING.wait_ms, ..config.limits };
        config.cache_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
        Policies::new(PolicyHost::new(config).unwrap())
    };
    POLICIES.get_or_init(make).clone()
}
