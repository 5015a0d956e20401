//! A clinic on one node or many, under load.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_test_support::{
    Anteroom, Api, Demo, FakeTwilio, Launch, PATIENCE, Reply, Snapshot, eventually,
    load::{Crowd, Dice, Door, Findings, Lane, Load, number, say, seed},
    postgres::{Cluster, Settings, Template},
    proxy::{FaultProxy, Faults},
};
use serde_json::Value;
use tokio::{sync::OnceCell, task::block_in_place};

/// The demo's numbers that may send.
pub(crate) const TOLL_FREE: &str = "+18005550100";
pub(crate) const TEN_DLC: &str = "+15125550190";

/// The clinic's database in a cluster.
const DATABASE: &str = "clinic";

/// For how long nodes lease work: longer than the 10 s that they wait for a carrier.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Where the clinic's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// In a file beside the one node.
    Sqlite,
    /// In a cluster that three nodes share.
    Postgres,
}

impl Engine {
    /// For the figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL, 3 nodes",
        }
    }
}

fn launch() -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_anteroom"))
}

/// A clinic just seeded, in SQLite.
async fn seeded() -> &'static Snapshot {
    static SEEDED: OnceCell<Snapshot> = OnceCell::const_new();
    SEEDED.get_or_init(|| launch().seed()).await
}

/// The same in a cluster, and the folder of a node that knows its master key.
async fn seeded_cluster() -> &'static (Template, Snapshot) {
    static SEEDED: OnceCell<(Template, Snapshot)> = OnceCell::const_new();
    let seed = async || {
        let quick = Settings { durable: false, ..Settings::default() };
        let cluster = block_in_place(|| Cluster::start_with(&quick));
        block_in_place(|| cluster.create_database(DATABASE));
        let snapshot = launch().option("--database-url", &cluster.url(DATABASE)).seed().await;
        (block_in_place(|| cluster.into_template()), snapshot)
    };
    SEEDED.get_or_init(seed).await
}

/// A running clinic. What is used by something else is dropped after it.
pub(crate) struct Site {
    /// The first has the demo's folder.
    pub(crate) nodes: Vec<Anteroom>,
    /// Between each node and the cluster.
    pub(crate) proxies: Vec<FaultProxy>,
    cluster: Option<Cluster>,
    pub(crate) demo: Demo,
    pub(crate) twilio: Arc<FakeTwilio>,
}

impl Site {
    pub(crate) async fn open(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::sqlite(None).await,
            Engine::Postgres => Self::postgres(3, &Settings::default()).await,
        }
    }

    /// One node with its folder within another.
    pub(crate) async fn sqlite(within: Option<&Path>) -> Self {
        let twilio = Arc::new(FakeTwilio::start().await);
        let mut launch = launch().twilio(&twilio.url());
        if let Some(within) = within {
            launch = launch.within(within);
        }
        let anteroom = launch.demo(Some(seeded().await)).await;
        Self::of(vec![anteroom], twilio)
    }

    /// So many nodes on a cluster of their own, each through a proxy of its own.
    pub(crate) async fn postgres(nodes: usize, settings: &Settings) -> Self {
        let (template, snapshot) = seeded_cluster().await;
        let cluster = block_in_place(|| Cluster::start_from(template, settings));
        let twilio = Arc::new(FakeTwilio::start().await);
        let mut proxies = Vec::new();
        for _ in 0..nodes {
            proxies.push(FaultProxy::to(cluster.port()).await);
        }
        let launch = |node: usize| {
            let url = Cluster::url_through(proxies[node].port(), DATABASE);
            launch().option("--database-url", &url)
        };
        let first = launch(0).twilio(&twilio.url()).demo(Some(snapshot)).await;
        let key = first.dir().join("master.key");
        let mut running = vec![first];
        for node in 1..nodes {
            let mut node = launch(node).option("--master-key", key.to_str().expect("UTF-8")).serve();
            node.restore(snapshot);
            node.spawn();
            running.push(node);
        }
        for node in &mut running[1..] {
            node.ready().await;
        }
        Self { proxies, cluster: Some(cluster), ..Self::of(running, twilio) }
    }

    fn of(nodes: Vec<Anteroom>, twilio: Arc<FakeTwilio>) -> Self {
        let demo = nodes[0].demo().clone();
        let account = demo.account("twilio").as_twilio();
        twilio.require(&account.account_sid, &account.auth_token);
        Self { nodes, proxies: Vec::new(), cluster: None, demo, twilio }
    }

    /// What the nodes share.
    pub(crate) fn cluster(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("nodes that share a cluster")
    }

    /// Does the same with every node's connections to the cluster.
    pub(crate) fn disturb(&self, faults: Faults) {
        for proxy in &self.proxies {
            proxy.set(faults);
        }
    }

    /// Every node answers `/readyz` so.
    pub(crate) async fn all_ready(&self, status: u16) {
        for node in 0..self.nodes.len() {
            self.ready(node, status).await;
        }
    }

    /// A node answers `/readyz` so.
    pub(crate) async fn ready(&self, node: usize, status: u16) {
        let node = &self.nodes[node];
        eventually(&format!("/readyz says {status}"), PATIENCE * 2, async || {
            let reply = Reply::of(node.client().get(node.url("/readyz"))).await;
            reply.is_ok_and(|reply| reply.status == status).then_some(())
        })
        .await;
    }

    /// Of every node.
    pub(crate) fn doors(&self) -> Vec<Door> {
        self.nodes.iter().map(|node| Door::of(node, &self.demo)).collect()
    }

    /// The token of the first with this role, or whose name begins so.
    pub(crate) fn token(&self, who: &str) -> &str {
        &self.demo.staff(who).token
    }

    /// The API of the first node.
    pub(crate) fn api(&self, who: &str) -> Api {
        self.doors()[0].api(self.token(who))
    }

    /// Nothing waits in the pipeline or in the outbox.
    pub(crate) async fn idle(&self) {
        self.nodes[0].idle(Duration::from_mins(3)).await;
    }

    /// The conversation between a phone and a number, once there is one.
    pub(crate) async fn conversation(&self, phone: &str, number: &str) -> Value {
        let api = self.api("lead");
        eventually("the conversation", PATIENCE, async || {
            let all = api.items("/api/v1/conversations?queue=all&limit=200").await;
            all.into_iter().find(|c| c["peer"] == phone && c["number"]["address"] == number)
        })
        .await
    }

    /// Everything that was said between a phone and a number.
    pub(crate) async fn messages(&self, phone: &str, number: &str) -> Vec<Value> {
        let conversation = self.conversation(phone, number).await;
        self.api("auditor").messages(conversation["id"].as_str().expect("an id")).await
    }
}

/// A row of the table: a fault under load.
pub(crate) struct Row {
    name: String,
    pub(crate) load: Load,
    pub(crate) dice: Dice,
    figures: Vec<String>,
    started: Instant,
}

impl Row {
    /// Begins the load, and returns once it is well under way.
    pub(crate) async fn begin(site: &Site, name: &str) -> Self {
        let seed = seed();
        let lanes = Lane::between(6, &[TOLL_FREE, TEN_DLC]);
        let staff = ["Maya", "Sam"].map(|who| site.token(who).to_owned()).to_vec();
        let crowd = Crowd { lanes, patients: 4, staff, agent: site.token("agent").to_owned(), seed };
        site.twilio.set_latency(Duration::from_millis(15));
        let load = Load::start(crowd, site.doors(), &site.twilio);
        let dice = Dice::new(seed, 1_000);
        let name = format!("{name} (ANTEROOM_SEED={seed})");
        let row = Self { name, load, dice, figures: Vec::new(), started: Instant::now() };
        row.goes_on(100).await;
        row
    }

    /// Waits until so many more requests were acknowledged, replies among them.
    pub(crate) async fn goes_on(&self, more: usize) {
        let ledger = self.load.ledger();
        let count = || (ledger.all_answers().taken, ledger.replied());
        let before = count();
        eventually("requests acknowledged", Duration::from_mins(2), async || {
            let now = count();
            (now.0 >= before.0 + more && now.1 >= before.1 + more / 20).then_some(())
        })
        .await;
    }

    /// A figure of its own.
    pub(crate) fn figure(&mut self, text: impl Into<String>) {
        self.figures.push(text.into());
    }

    /// Ends the load, compares, and prints the row.
    pub(crate) async fn end(mut self, site: &Site, figures: impl FnOnce(&Findings, &mut Vec<String>)) {
        self.load.stop().await;
        site.idle().await;
        let tokens = ["lead", "auditor", "agent"].map(|who| site.token(who));
        let findings = self.load.check(&site.doors(), tokens, &site.twilio).await;
        figures(&findings, &mut self.figures);
        self.figures.push(format!("all {:.1?}", self.started.elapsed()));
        say(&format!("{}: {}\n{}", self.name, self.figures.join("; "), findings.summary()));
        findings.assert_good(50, 10);
    }
}

/// How long a fault lasts: `ANTEROOM_FAULT_SECONDS`, by default these.
pub(crate) fn fault_time(default: u64) -> Duration {
    Duration::from_secs(number("ANTEROOM_FAULT_SECONDS").unwrap_or(default))
}
