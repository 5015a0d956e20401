//! The database of three nodes is stopped, frozen, slow, unreachable now and then, or another one.

use std::time::{Duration, Instant};

use anteroom_test_support::{
    load::Answers,
    postgres::{Replica, Settings},
    proxy::Faults,
};
use tokio::task::block_in_place;

use crate::{Row, Site, site::fault_time};

async fn begin(name: &str) -> (Site, Row) {
    let site = Site::postgres(3, &Settings::default()).await;
    let row = Row::begin(&site, name).await;
    (site, row)
}

/// How requests end meanwhile. Answers under way when the trouble began are not counted.
async fn meanwhile(row: &Row, from: Instant, time: Duration) -> Answers {
    tokio::time::sleep(time).await;
    row.load.ledger().answers(from + Duration::from_millis(500), Instant::now())
}

/// Ends a row whose trouble is over at `healed`: everything comes back by itself.
async fn over(mut row: Row, site: &Site, answers: Answers, healed: Instant) {
    site.all_ready(200).await;
    row.goes_on(100).await;
    let again = row.load.ledger().first_taken(healed).expect("it goes on") - healed;
    row.figure(format!(
        "meanwhile accepted {}, refused with 503 {}, unanswered {}",
        answers.taken, answers.refused, answers.unanswered
    ));
    row.figure(format!("accepts again after {again:.2?}"));
    row.end(site, |findings, figures| {
        figures.push(format!("drained after {:.2?}", findings.drained_after(healed)));
        figures.push(format!("slowest text {:.1?}", findings.slowest_turn()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stopped() {
    let (mut site, row) = begin("PostgreSQL stopped").await;
    block_in_place(|| site.cluster().stop());
    let stopped = Instant::now();
    site.all_ready(503).await;
    let answers = meanwhile(&row, stopped, fault_time(4)).await;
    assert!(answers.taken == 0 && answers.refused > 0, "stored nowhere: {answers:?}");
    block_in_place(|| site.cluster().restart());
    over(row, &site, answers, Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frozen() {
    let (mut site, row) = begin("PostgreSQL frozen").await;
    block_in_place(|| site.cluster().freeze());
    let frozen = Instant::now();
    site.all_ready(503).await;
    let answers = meanwhile(&row, frozen, fault_time(6)).await;
    assert!(answers.taken == 0 && answers.refused > 0, "stored nowhere: {answers:?}");
    let healed = Instant::now();
    block_in_place(|| site.cluster().thaw());
    over(row, &site, answers, healed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow() {
    let (site, row) = begin("PostgreSQL slow (50 ms each way, 200 KB/s)").await;
    let slowed = Instant::now();
    let delay = Duration::from_millis(50);
    site.disturb(Faults { delay, bytes_per_second: Some(200_000), ..Faults::default() });
    let answers = meanwhile(&row, slowed, fault_time(6)).await;
    assert!(answers.taken > 0, "slow is not gone: {answers:?}");
    let healed = Instant::now();
    site.disturb(Faults::default());
    over(row, &site, answers, healed).await;
}

/// Commits whose answer nobody gets: stored or not, nothing happens twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_reset() {
    let (site, mut row) = begin("connections to PostgreSQL reset after some bytes").await;
    let began = Instant::now();
    let time = fault_time(6);
    let mut resets = 0;
    while began.elapsed() < time {
        let reset_after = Some(500 + row.dice.below(20_000));
        site.disturb(Faults { reset_after, ..Faults::default() });
        resets += 1;
        row.dice.pause(300).await;
    }
    let healed = Instant::now();
    site.disturb(Faults::default());
    let answers = row.load.ledger().answers(began, healed);
    row.figure(format!("limits set {resets} times on every node"));
    assert!(answers.refused > 0, "no connection was reset: {answers:?}");
    over(row, &site, answers, healed).await;
}

/// The machine of the primary fails; its replica is promoted, and the nodes' address leads there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_over() {
    let (mut site, mut row) = begin("PostgreSQL failed over to a synchronous replica").await;
    let replica: Replica = block_in_place(|| site.cluster().replica());
    row.goes_on(200).await;
    block_in_place(|| site.cluster().crash());
    let crashed = Instant::now();
    let answers = meanwhile(&row, crashed, fault_time(3)).await;
    assert!(answers.taken == 0 && answers.refused > 0, "stored nowhere: {answers:?}");
    let promoting = Instant::now();
    *site.cluster() = block_in_place(|| replica.promote());
    let port = site.cluster().port();
    let healed = Instant::now();
    for proxy in &site.proxies {
        proxy.point_at(port);
    }
    row.figure(format!("promoted in {:.2?}", healed - promoting));
    over(row, &site, answers, healed).await;
}
