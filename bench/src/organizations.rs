//! Many organizations, each with a policy of its own: what they take in memory, what the first text after an
//! eviction waits for, and what they decide together, beside the same with policies they share.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anteroom::{
    clock::{SystemClock, system_ids},
    policies,
};
use anteroom_model::{
    ids::CarrierAccountId,
    states::{BindingMode, NumberKind, Registration},
    time::{Clock as _, Timestamp},
};
use anteroom_policy::{Digest, HostConfig, Limits, Policy, PolicyHost};
use anteroom_store::{
    MasterKey, NewBinding, NewCarrierAccount, NewNumber, OrganizationSettings, Store, StoreError,
    StoreOptions,
};
use anteroom_test_support::{
    Client, TwilioAccount,
    corpus::{Kept, corpus, marked},
    http_client,
};
use futures::FutureExt;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::{
    Failure,
    server::Server,
    stats::{Times, millis, rate},
};

/// Texts under way at once.
const AT_ONCE: usize = 32;
/// Texts of each organization in a measured round.
const ROUNDS: usize = 4;
/// Organizations whose first text after an eviction is timed, one after the other.
const EVICTED: usize = 200;
/// Room for hardly any policy, so that each text of a round finds its own gone; in MiB.
const NO_ROOM: u64 = 1;
const ROOM: u64 = policies::MEMORY_MIB;
/// The longest that all texts of a round may take: compiling a thousand components is most of it.
const PATIENCE: Duration = Duration::from_mins(15);

/// Whose policies they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policies {
    /// Each its own.
    Own,
    /// The same few for all.
    Shared,
}

/// Measures and prints.
pub(crate) fn print(dir: &Path, count: usize) -> Result<f64, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let kinds = Kind::all(dir)?;
    println!("\n{count} organizations, each with a routing or replies policy of its own\n");
    let own = runtime.block_on(Site::make(dir, count, &kinds, Policies::Own))?;
    let shared = runtime.block_on(Site::make(dir, count, &kinds, Policies::Shared))?;

    let begun = Instant::now();
    let server = own.serve(dir, ROOM)?;
    let before = server.memory()?;
    runtime.block_on(own.texts(&server, count, AT_ONCE))?;
    let first = begun.elapsed();
    let loaded = server.memory()?;
    let own_rate = runtime.block_on(own.rounds(&server))?;
    let after = server.memory()?;
    drop(server);

    let server = shared.serve(dir, ROOM)?;
    runtime.block_on(shared.texts(&server, count, AT_ONCE))?;
    let shared_rate = runtime.block_on(shared.rounds(&server))?;
    let shared_memory = server.memory()?;
    drop(server);

    let mib = |bytes: u64| bytes >> 20;
    println!("  {:<58} {:>8}", "compiled and asked for the first time, s", first.as_secs());
    println!("  {:<58} {:>8}", "memory of a server before its first text, MiB", mib(before));
    println!("  {:<58} {:>8}", "with all of them loaded, MiB", mib(loaded));
    println!("  {:<58} {:>8}", "after the rounds, MiB", mib(after));
    println!("  {:<58} {:>8}", "the same with policies that they share, MiB", mib(shared_memory));
    println!("  {:<58} {own_rate:>8.0}", "decisions/s, each its own");
    println!("  {:<58} {shared_rate:>8.0}", "decisions/s, shared");

    let count = count.min(EVICTED);
    for (room, what) in [(NO_ROOM, "evicted"), (ROOM, "in memory")] {
        let server = own.serve(dir, room)?;
        // The second time finds the organization's set-up, its keys and the pages of its rows; and its policy, if
        // there is room.
        runtime.block_on(own.texts(&server, count, AT_ONCE))?;
        let since = SystemClock.now();
        runtime.block_on(own.texts(&server, count, 1))?;
        let memory = server.memory()?;
        drop(server);
        let times = runtime.block_on(own.waited(since))?;
        println!(
            "  a text's wait for its decision, its policy {what:<11} p50 {:>6.1} ms  p99 {:>6.1} ms  max {:>6.1} ms  ({} MiB)",
            millis(times.percentile(50)),
            millis(times.percentile(99)),
            millis(times.max()),
            mib(memory),
        );
    }
    Ok(own_rate / shared_rate)
}

/// A component of the corpus that can decide on a text.
struct Kind {
    component: Vec<u8>,
    policy: Arc<Policy>,
}

impl Kind {
    /// One of each language.
    fn all(dir: &Path) -> Result<Vec<Self>, Failure> {
        let cache_dir = Some(dir.join("compiled"));
        let host =
            PolicyHost::new(HostConfig { cache_dir, limits: Limits::default(), ..HostConfig::new([5; 32]) })?;
        let find = |name: &str| corpus().into_iter().find(|kept: &Kept| kept.name == name);
        let names = ["refill-triage", "appointment-keywords", "insurance-card", "language-routing"];
        let all = names.iter().map(|name| {
            let kept = find(name).ok_or_else(|| format!("{name} is not in tests/compat"))?;
            let policy = host.load(&kept.component).map_err(|refusal| format!("{name}: {refusal}"))?;
            Ok(Self { component: kept.component, policy })
        });
        all.collect()
    }

    /// Which one the organization of that number has: Rust and C in turn, in each fifty one of JavaScript, in each
    /// five hundred one of Python.
    fn of(kinds: &[Self], number: usize) -> &Self {
        &kinds[match number {
            _ if number % 500 == 7 => 3,
            _ if number % 50 == 3 => 2,
            _ => number % 2,
        }]
    }
}

/// A folder with a database of organizations, and their carrier's side.
struct Site {
    folder: tempfile::TempDir,
    accounts: Vec<TwilioAccount>,
    sent: AtomicUsize,
}

impl Site {
    async fn make(dir: &Path, count: usize, kinds: &[Kind], whose: Policies) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(dir)?;
        let secret: [u8; 32] = system_ids().secret();
        std::fs::write(folder.path().join("master.key"), hex::encode(secret))?;
        let options = StoreOptions::sqlite(&folder.path().join("anteroom.db"));
        let (ids, clock) = (Arc::new(system_ids()), Arc::new(SystemClock));
        let store = Store::open(&options, MasterKey::new(secret), ids, clock).await?;
        let mut accounts = Vec::with_capacity(count);
        for number in 0..count {
            let kind = Kind::of(kinds, number);
            let mark = if whose == Policies::Own { u32::try_from(number)? } else { 0 };
            let account = open(&store, number, kind, marked(&kind.component, mark)).await?;
            accounts.push(TwilioAccount {
                webhook_url: format!("/webhooks/twilio/{account}"),
                public_url: format!("https://clinic.example/webhooks/twilio/{account}"),
                account_sid: sid(number),
                auth_token: "token".to_owned(),
            });
        }
        Ok(Self { folder, accounts, sent: AtomicUsize::new(0) })
    }

    fn serve(&self, dir: &Path, room: u64) -> Result<Server, Failure> {
        Server::serve(dir, self.folder.path(), "ingress,pipeline", room)
    }

    /// One text of each of the first `count` organizations, so many at once; ends when all are decided upon.
    async fn texts(&self, server: &Server, count: usize, at_once: usize) -> Result<(), Failure> {
        let processed = || server.counter("anteroom_turns_total", "processed");
        let (before, next, client) = (processed()?, AtomicUsize::new(0), http_client());
        let worker = async || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Failure>(());
                }
                self.text(server, &client, number).await?;
                if at_once == 1 {
                    // The next one finds nobody else at work.
                    until(|| Ok(processed()? > before + number)).await?;
                }
            }
        };
        futures::future::try_join_all((0..at_once).map(|_| worker())).await?;
        until(|| Ok(processed()? >= before + count)).await
    }

    async fn text(&self, server: &Server, client: &Client, number: usize) -> Result<(), Failure> {
        let base = &self.accounts[number];
        let account = TwilioAccount { webhook_url: server.url(&base.webhook_url), ..base.clone() };
        let turn = self.sent.fetch_add(1, Ordering::Relaxed);
        let phone = format!("+1512555{:04}", turn % 10_000);
        let reply =
            account.text(&phone, &address(number), "Hi, can I get a refill please?").send(client).await?;
        if reply.status == 200 { Ok(()) } else { Err(format!("{}: {}", reply.status, reply.text).into()) }
    }

    /// Decisions a second when all organizations are active in turn.
    async fn rounds(&self, server: &Server) -> Result<f64, Failure> {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            self.texts(server, self.accounts.len(), AT_ONCE).await?;
        }
        Ok(rate(ROUNDS * self.accounts.len(), begun.elapsed()))
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("anteroom.db")
    }

    /// From the storing of a text to that of its decision, of the texts since then. Fails where one has none.
    async fn waited(&self, since: Timestamp) -> Result<Times, Failure> {
        let mut connection = SqliteConnectOptions::new().filename(self.database()).connect().await?;
        let rows: Vec<Option<i64>> = sqlx::query_scalar(
            "SELECT (SELECT MIN(d.created_at) FROM decisions d WHERE d.organization_id = m.organization_id \
             AND d.message_id = m.id) - m.created_at FROM messages m \
             WHERE m.direction = 'inbound' AND m.created_at > $1",
        )
        .bind(since.micros())
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        let times: Option<Vec<_>> =
            rows.into_iter().map(|wait| Some(Duration::from_micros(u64::try_from(wait?).ok()?))).collect();
        Ok(Times::new(times.ok_or("a text without a decision")?))
    }
}

/// Waits until it is so.
async fn until(so: impl Fn() -> Result<bool, Failure>) -> Result<(), Failure> {
    let begun = Instant::now();
    while !so()? {
        if begun.elapsed() > PATIENCE {
            return Err("the texts were not all decided upon in time".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn sid(number: usize) -> String {
    format!("AC{number:032x}")
}

fn address(number: usize) -> String {
    format!("+1833{:07}", 5_550_000 + number)
}

/// Makes the organization of that number, with a carrier account, a number and its policy.
async fn open(
    store: &Store,
    number: usize,
    kind: &Kind,
    component: Vec<u8>,
) -> Result<CarrierAccountId, Failure> {
    let organization =
        store.create_organization(&format!("Clinic {number}"), &OrganizationSettings::default()).await?;
    let hook = kind.policy.hooks.first().ok_or("a policy without a hook")?.as_str();
    let mut policy = policies::row(&kind.policy, &component, "uploaded", None)?;
    policy.digest = Digest::of(&component).as_bytes().to_vec();
    let settings = kind.policy.manifest.default_settings.to_string();
    let account = store
        .write(organization, move |mut org| {
            async move {
                let account = org
                    .insert_account(&NewCarrierAccount {
                        carrier: "twilio".to_owned(),
                        label: "Twilio".to_owned(),
                        public_url: "https://clinic.example/webhooks/twilio/{id}".to_owned(),
                        credentials: json!({ "account_sid": sid(number), "auth_token": "token" }).to_string(),
                        answers_opt_outs: false,
                    })
                    .await?;
                org.insert_number(&NewNumber {
                    carrier_account_id: account,
                    facility_id: None,
                    address: address(number),
                    kind: NumberKind::TollFree,
                    label: "Front desk".to_owned(),
                    texting_enabled: true,
                    verification: None,
                    registration: Registration::Approved,
                    registration_note: String::new(),
                })
                .await?;
                org.insert_team("Pharmacy").await?;
                let policy_id = org.insert_policy(&policy).await?;
                org.insert_binding(&NewBinding {
                    hook,
                    number_id: None,
                    position: 0,
                    mode: BindingMode::Active,
                    policy_id,
                    settings,
                    granted_fields: Vec::new(),
                    canary: None,
                    replaced_id: None,
                    created_by: None,
                })
                .await?;
                Ok::<_, StoreError>(account)
            }
            .boxed()
        })
        .await?;
    Ok(account)
}
