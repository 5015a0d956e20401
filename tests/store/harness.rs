//! A fresh database for each test, and a clinic to fill it with.

use std::{fmt::Debug, fs, ops::Deref, sync::Arc};

use anteroom_model::{
    hours::OpeningHours,
    ids::{CarrierAccountId, FacilityId, Ids, MessageId, NodeId, NumberId, OrganizationId, StaffId, TeamId},
    states::{Author, NumberKind, Registration, Role},
    time::Clock,
};
use anteroom_store::{
    Extra, MasterKey, NewCarrierAccount, NewInbound, NewNumber, NewOutbound, NewStaff, OrganizationSettings,
    Received, Store, StoreError, StoreOptions,
};
use anteroom_test_support::postgres::{Cluster, Database};
use futures::FutureExt;
use sqlx::{PgPool, SqlitePool};
use tempfile::TempDir;
use uuid::Uuid;

use crate::clock::TestClock;

/// Runs `$body` in a transaction of `$organization`; `$org` is its connection. Gives the result.
macro_rules! commit {
    ($store:expr, $organization:expr, |$org:ident| $body:expr) => {{
        let outcome: Result<_, anteroom_store::StoreError> = $store
            .write($organization, move |mut $org| futures::FutureExt::boxed(async move { $body }))
            .await;
        outcome
    }};
}
pub(crate) use commit;

const START: &str = "2026-11-23T16:00:00Z";
const MASTER: [u8; 32] = [9; 32];

/// An empty database of some engine and its clock.
#[derive(Debug)]
pub(crate) struct Fresh {
    store: Store,
    pub(crate) clock: Arc<TestClock>,
    options: StoreOptions,
    place: Place,
}

/// Where the database is; it goes away with this.
#[derive(Debug)]
enum Place {
    Sqlite(TempDir),
    Postgres(Database),
}

/// Connections past the store, to look at what is really there.
#[derive(Debug)]
pub(crate) enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs `$body` with `$pool` as the engine's own pool.
macro_rules! raw {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db.raw().await {
            $crate::harness::Raw::Sqlite($pool) => $body,
            $crate::harness::Raw::Postgres($pool) => $body,
        }
    };
}
pub(crate) use raw;

impl Deref for Fresh {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Fresh {
    /// An `SQLite` file.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::sqlite(&folder.path().join("anteroom.db"));
        Self::open(options, Place::Sqlite(folder)).await
    }

    /// A database of the cluster that all tests here share.
    pub(crate) async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(|| Cluster::shared().fresh_database()).await.unwrap();
        let options = StoreOptions { connections: 6, ..StoreOptions::url(&database.url()) };
        Self::open(options, Place::Postgres(database)).await
    }

    async fn open(options: StoreOptions, place: Place) -> Self {
        let clock = TestClock::at(START);
        let store = open(&options, MASTER, clock.clone()).await.unwrap();
        Self { store, clock, options, place }
    }

    /// A second opening of the same database, with this master key.
    pub(crate) async fn open_again(&self, master: [u8; 32]) -> Result<Store, StoreError> {
        open(&self.options, master, self.clock.clone()).await
    }

    /// The master key it was made with.
    pub(crate) const MASTER: [u8; 32] = MASTER;

    /// Connections past the store.
    pub(crate) async fn raw(&self) -> Raw {
        match self.place {
            Place::Sqlite(_) => Raw::Sqlite(SqlitePool::connect(&self.options.url).await.unwrap()),
            Place::Postgres(_) => Raw::Postgres(PgPool::connect(&self.options.url).await.unwrap()),
        }
    }

    /// Every byte that the database keeps on disk.
    pub(crate) fn bytes_on_disk(&self) -> Vec<u8> {
        let folder = match &self.place {
            Place::Sqlite(folder) => folder.path().to_owned(),
            Place::Postgres(database) => {
                database.sql("CHECKPOINT");
                let relative =
                    database.sql("SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()");
                Cluster::shared().folder().join(relative.trim())
            }
        };
        let files = fs::read_dir(folder).unwrap();
        files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

async fn open(options: &StoreOptions, master: [u8; 32], clock: Arc<dyn Clock>) -> Result<Store, StoreError> {
    Store::open(options, MasterKey::new(master), Arc::new(Ids::from_seed([5; 32])), clock).await
}

/// One organization's rows that others point to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clinic {
    pub(crate) organization: OrganizationId,
    pub(crate) facility: FacilityId,
    pub(crate) team: TeamId,
    pub(crate) account: CarrierAccountId,
    pub(crate) number: NumberId,
    pub(crate) other_number: NumberId,
    pub(crate) staff: StaffId,
    pub(crate) colleague: StaffId,
}

impl Clinic {
    /// Makes an organization of that name.
    pub(crate) async fn new(store: &Store, name: &'static str) -> Self {
        let organization = store.create_organization(name, &OrganizationSettings::default()).await.unwrap();
        commit!(store, organization, |org| {
            let facility = org.insert_facility("Main", "America/Chicago", &OpeningHours::always()).await?;
            let team = org.insert_team("Front desk").await?;
            let account = NewCarrierAccount {
                carrier: "sandbox".into(),
                label: "Sandbox".into(),
                public_url: "https://clinic.example/webhooks/sandbox/{id}".into(),
                credentials: r#"{"secret":"the carrier's secret"}"#.into(),
                answers_opt_outs: false,
            };
            let account = org.insert_account(&account).await?;
            let number = |address: &str| NewNumber {
                carrier_account_id: account,
                facility_id: Some(facility),
                address: address.into(),
                kind: NumberKind::Sandbox,
                label: "Front desk".into(),
                texting_enabled: true,
                verification: None,
                registration: Registration::Approved,
                registration_note: String::new(),
            };
            let staff = |email: String| NewStaff {
                name: "Maya Torres".into(),
                email,
                password_hash: "none".into(),
                role: Role::Agent,
            };
            Ok(Self {
                organization,
                facility,
                team,
                account,
                number: org.insert_number(&number("+15005550100")).await?,
                other_number: org.insert_number(&number("+15005550101")).await?,
                staff: org.insert_staff(&staff(format!("maya@{organization}.example"))).await?,
                colleague: org.insert_staff(&staff(format!("sam@{organization}.example"))).await?,
            })
        })
        .unwrap()
    }

    /// A text from `peer` to the clinic's first number, as ingress would store it.
    pub(crate) async fn text(&self, store: &Store, peer: &str, body: &str) -> NewInbound {
        let keys = store.keys(self.organization).await.unwrap();
        let at = store.now();
        let id: MessageId = store.ids().next(at);
        NewInbound {
            organization: self.organization,
            id,
            carrier_account: self.account,
            number: self.number,
            peer_hash: keys.lookup("phone", peer),
            peer: keys.seal("messages.peer", id.0, peer.as_bytes()).unwrap(),
            body: keys.seal("messages.body", id.0, body.as_bytes()).unwrap(),
            extra: None,
            carrier_message_id: format!("carrier-{id}"),
            at,
        }
    }

    /// Stores such a text.
    pub(crate) async fn receive(&self, store: &Store, peer: &str, body: &str) -> MessageId {
        let text = self.text(store, peer, body).await;
        let id = text.id;
        assert_eq!(store.receive(text).await.unwrap(), Received::Fresh);
        id
    }

    /// A reply to `peer` from the clinic's first number.
    pub(crate) fn reply(&self, peer: &str, body: &str) -> NewOutbound {
        NewOutbound {
            carrier_account_id: self.account,
            number_id: self.number,
            peer: peer.into(),
            body: body.into(),
            extra: Extra::default(),
            conversation_id: None,
            author: Author::Host,
            author_id: None,
            despite_opt_out: false,
        }
    }

    /// Queues such a reply.
    pub(crate) async fn queue(&self, store: &Store, peer: &str, body: &str) -> MessageId {
        let reply = self.reply(peer, body);
        commit!(store, self.organization, |org| org.insert_outbound(&reply).await).unwrap()
    }
}

/// A process that leases work.
pub(crate) fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

/// Runs all at once and gives their values.
pub(crate) async fn all_at_once<T: Debug + Send + 'static>(
    jobs: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = jobs.into_iter().map(|job| tokio::spawn(job.boxed())).collect();
    let mut values = Vec::with_capacity(tasks.len());
    for task in tasks {
        values.push(task.await.unwrap());
    }
    values
}
