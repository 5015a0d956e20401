//! `kill -9` under load, over and over: nothing acknowledged is lost, nothing is stored, processed or sent
//! twice, and every conversation keeps its order.
//!
//! `ANTEROOM_KILLS` says how often (20 by default), `ANTEROOM_SEED` repeats the choices of another run.

mod check;
mod load;

use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_test_support::{Anteroom, Api, Client, TwilioAccount};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::watch;

use crate::{
    Clinic,
    clinic::{TEN_DLC, TOLL_FREE},
};
use load::Ledger;

/// Conversations under load: each a phone and a number.
fn lanes() -> Vec<(String, &'static str)> {
    let phones = (0..6).map(|phone| format!("+1512555{:04}", 300 + phone));
    phones.flat_map(|phone| [(phone.clone(), TOLL_FREE), (phone, TEN_DLC)]).collect()
}

/// Where the server is at the moment, or was until a moment ago.
#[derive(Clone, Debug)]
struct Server {
    client: Client,
    base: String,
    account: TwilioAccount,
}

impl Server {
    fn of(anteroom: &Anteroom) -> Self {
        let (client, base) = (anteroom.client().clone(), anteroom.base().to_owned());
        Self { client, base, account: anteroom.twilio() }
    }

    fn api(&self, token: &str) -> Api {
        Api::with_token(&self.client, &self.base, token)
    }
}

struct Dice(StdRng);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0.next_u64() % sides
    }

    /// A time between none and so many milliseconds.
    async fn pause(&mut self, most: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(most + 1))).await;
    }
}

/// Past the harness, which swallows what a passing test prints: the counts belong in the log of every run.
fn say(text: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{text}"));
}

fn number_of(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let kills = number_of("ANTEROOM_KILLS").unwrap_or(20);
    let seed =
        number_of("ANTEROOM_SEED").unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    say(&format!("kill: {kills} kills, ANTEROOM_SEED={seed}"));
    let dice = |stream: u64| Dice(StdRng::seed_from_u64(seed.wrapping_add(stream)));

    let mut clinic = Clinic::open().await;
    clinic.twilio.set_latency(Duration::from_millis(15));
    let (tell, server) = watch::channel(Server::of(&clinic.anteroom));
    let ledger = Arc::new(Ledger::new(lanes()));
    let mut tasks = Vec::new();
    for sender in 0..4 {
        let dice = dice(10 + sender);
        tasks.push(tokio::spawn(load::patients(ledger.clone(), server.clone(), sender, 4, dice)));
    }
    for (at, name) in ["Maya", "Sam"].into_iter().enumerate() {
        let token = clinic.anteroom.demo().staff(name).token.clone();
        let dice = dice(20 + at as u64);
        tasks.push(tokio::spawn(load::staff(ledger.clone(), server.clone(), token, at, 2, dice)));
    }
    let started = Instant::now();
    kill_over_and_over(&mut clinic, &tell, &server, &ledger, kills, &mut dice(1)).await;
    let killing = started.elapsed();

    ledger.stop();
    for task in tasks {
        task.await.expect("the load");
    }
    clinic.idle().await;
    let findings = check::everything(&clinic, &ledger).await;
    say(&format!("{findings}\n  killing took {killing:.1?}, all {:.1?}", started.elapsed()));
    findings.assert_good(kills);
}

async fn kill_over_and_over(
    clinic: &mut Clinic,
    tell: &watch::Sender<Server>,
    server: &watch::Receiver<Server>,
    ledger: &Ledger,
    kills: u64,
    dice: &mut Dice,
) {
    let mut seen = 0;
    for kill in 0..kills {
        // Mostly in the thick of it; now and then late enough for texts in doubt to be settled.
        let most = if kill % 5 == 4 { 5_000 } else { 1_200 };
        let until = Instant::now() + Duration::from_millis(50 + dice.below(most));
        while Instant::now() < until {
            load::receipts(clinic, server, &mut seen, dice).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        clinic.anteroom.kill();
        ledger.killed();
        if dice.below(4) == 0 {
            // And again, before it has come up.
            clinic.anteroom.spawn();
            dice.pause(60).await;
            clinic.anteroom.kill();
        }
        clinic.anteroom.start().await;
        tell.send_replace(Server::of(&clinic.anteroom));
    }
}
