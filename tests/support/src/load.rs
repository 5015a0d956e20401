//! Load that goes on whatever happens to the servers, and what must be true afterwards.
//!
//! [`Load::start`] sets patients, staff and a carrier's receipts going and follows the events; the
//! [`Ledger`] keeps what was acknowledged. When the faults are over, [`Load::stop`] lets everybody finish, and
//! [`Load::check`] compares what was acknowledged with what is stored, shown and sent.

mod callers;
mod check;
mod follow;
mod ledger;

use std::{sync::Arc, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Client;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{Anteroom, Api, Demo, FakeTwilio, PATIENCE, TwilioAccount};

pub use check::{Findings, quantile};
pub use follow::Shown;
pub use ledger::{Answers, Ledger, StaffReply, Text};

/// Seeded choices.
#[derive(Debug)]
pub struct Dice(StdRng);

impl Dice {
    /// The same choices for the same seed and stream.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(StdRng::seed_from_u64(seed.wrapping_add(stream)))
    }

    /// Of so many sides, counted from 0.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    /// One of them, of which there is at least one.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).expect("small");
        &of[at]
    }

    /// A time between none and so many milliseconds.
    pub async fn pause(&mut self, most: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(most + 1))).await;
    }
}

/// `ANTEROOM_SEED`, to repeat the choices of another run; else one that no other run has.
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    number("ANTEROOM_SEED").unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish())
}

/// An environment variable that makes a test longer.
pub fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Past the harness, which swallows what a passing test prints: the figures belong in the log of every run.
pub fn say(text: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Where a server is, or was until a moment ago.
#[derive(Clone, Debug)]
pub struct Door {
    client: Client,
    base: String,
    account: TwilioAccount,
}

impl Door {
    /// Of a server, with the accounts and staff of `demo`.
    pub fn of(anteroom: &Anteroom, demo: &Demo) -> Self {
        let (client, base) = (anteroom.client().clone(), anteroom.base().to_owned());
        let mut account = demo.account("twilio").as_twilio();
        let path =
            account.webhook_url.strip_prefix(&demo.base_url).expect("the demo's own address").to_owned();
        account.webhook_url = format!("{base}{path}");
        Self { client, base, account }
    }

    /// A client for any request.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The carrier's side of the account there.
    pub const fn account(&self) -> &TwilioAccount {
        &self.account
    }

    /// The API there.
    pub fn api(&self, token: &str) -> Api {
        Api::with_token(&self.client, &self.base, token)
    }
}

/// A conversation under load: a phone and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The patient's.
    pub phone: String,
    /// The clinic's.
    pub number: String,
}

impl Lane {
    /// Between so many phones, whose numbers nobody in the demo has, and each of `numbers`.
    pub fn between(phones: u32, numbers: &[&str]) -> Vec<Self> {
        let phones = (0..phones).map(|phone| format!("+1512555{:04}", 300 + phone));
        let lane = |phone: &str, number: &str| Self { phone: phone.to_owned(), number: number.to_owned() };
        phones
            .flat_map(|phone| numbers.iter().map(move |number| lane(&phone, number)).collect::<Vec<_>>())
            .collect()
    }
}

/// Who makes the load.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// The conversations.
    pub lanes: Vec<Lane>,
    /// How many patients text side by side; each has lanes of its own.
    pub patients: usize,
    /// The tokens of staff who reply side by side; each has lanes of their own.
    pub staff: Vec<String>,
    /// The token of an agent, for following the events.
    pub agent: String,
    /// For every choice that is made.
    pub seed: u64,
}

/// Load under way.
#[derive(Debug)]
pub struct Load {
    ledger: Arc<Ledger>,
    doors: watch::Sender<Vec<Door>>,
    callers: JoinSet<()>,
    follower: Option<JoinHandle<Vec<Shown>>>,
    over: watch::Sender<bool>,
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(follower) = &self.follower {
            follower.abort();
        }
    }
}

impl Load {
    /// Begins, through any of `doors`.
    pub fn start(crowd: Crowd, doors: Vec<Door>, twilio: &Arc<FakeTwilio>) -> Self {
        let (doors, open) = watch::channel(doors);
        let (over, until) = watch::channel(false);
        let ledger = Arc::new(Ledger::new(crowd.lanes));
        let mut callers = JoinSet::new();
        let mut streams = 0..;
        let mut dice = || Dice::new(crowd.seed, streams.next().expect("endless"));
        for which in 0..crowd.patients {
            let lanes = share(&ledger, which, crowd.patients);
            callers.spawn(callers::patients(ledger.clone(), open.clone(), lanes, which, dice()));
        }
        for (which, token) in crowd.staff.iter().enumerate() {
            let lanes = share(&ledger, which, crowd.staff.len());
            callers.spawn(callers::staff(ledger.clone(), open.clone(), token.clone(), lanes, which, dice()));
        }
        callers.spawn(callers::receipts(ledger.clone(), open.clone(), twilio.clone(), dice()));
        let follower = tokio::spawn(follow::follow(ledger.clone(), open, crowd.agent, until, dice()));
        Self { ledger, doors, callers, follower: Some(follower), over }
    }

    /// From now on through these.
    pub fn move_to(&self, doors: Vec<Door>) {
        self.doors.send_replace(doors);
    }

    /// What was acknowledged so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Nobody begins anything new; what was begun is tried until it is acknowledged.
    pub async fn stop(&mut self) {
        self.ledger.stop();
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("the load");
        }
    }

    /// Ends the following of events, once they have gone quiet.
    async fn shown(&mut self) -> Vec<Shown> {
        self.over.send_replace(true);
        let follower = self.follower.take().expect("only once");
        let shown = tokio::time::timeout(PATIENCE * 3, follower).await;
        shown.expect("the events go quiet").expect("the events")
    }
}

/// The lanes that the worker `which` of `of` has to itself.
fn share(ledger: &Ledger, which: usize, of: usize) -> Vec<usize> {
    (0..ledger.lanes().len()).filter(|lane| lane % of == which).collect()
}
