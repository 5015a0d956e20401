//! Nodes that fail while others go on.

use std::time::{Duration, Instant};

use anteroom_test_support::{
    load::{Dice, number, quantile},
    postgres::Settings,
    proxy::Faults,
};

use crate::{
    Row, Site,
    site::{LEASE, fault_time},
};

/// `kill -9` of any of three, over and over: the others take over its work.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_node_takes_nothing_along() {
    let kills = number("ANTEROOM_KILLS").unwrap_or(12);
    let mut site = Site::postgres(3, &Settings::default()).await;
    let mut row = Row::begin(&site, "kill -9 of a random node of 3").await;
    let (mut moments, mut back) = (Vec::new(), Vec::new());
    let mut dice = Dice::new(row.dice.below(u64::MAX), 0);
    for _ in 0..kills {
        dice.pause(1_200).await;
        let node = usize::try_from(dice.below(3)).expect("small");
        let node = &mut site.nodes[node];
        moments.push(Instant::now());
        node.kill();
        // Long enough for the others to notice, or not.
        dice.pause(1_500).await;
        let started = Instant::now();
        node.start().await;
        back.push(started.elapsed());
        row.load.move_to(site.doors());
    }
    row.goes_on(100).await;
    row.end(&site, |findings, figures| {
        let drained: Vec<_> = moments.iter().map(|moment| findings.drained_after(*moment)).collect();
        for (what, times) in [("its work is done", drained), ("it is back", back)] {
            let [half, most] = [0.5, 0.99].map(|share| quantile(&times, share));
            figures.push(format!("{what} p50 {half:.2?} p99 {most:.2?}"));
        }
        figures.push(format!("kills {kills}"));
    })
    .await;
}

/// The cable of one node of three is pulled: it answers 503, the others do its work.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_cut_off_from_the_database_holds_nothing_up() {
    let site = Site::postgres(3, &Settings::default()).await;
    let mut row = Row::begin(&site, "one node of 3 cut off from the database").await;
    // What it had leased is free again by then.
    let time = fault_time(LEASE.as_secs() + 10);
    let (cut, healed) = cut_off(&site, &row, time).await;
    let answers = row.load.ledger().answers(cut, healed);
    row.figure(format!(
        "for {time:.0?}: accepted {}, refused {}, unanswered {}",
        answers.taken, answers.refused, answers.unanswered
    ));
    assert!(answers.taken > 100, "the others hardly went on: {answers:?}");
    row.end(&site, |findings, figures| {
        let stuck = findings.stuck_at(healed, LEASE + Duration::from_secs(5));
        figures.push(format!("conversations stuck {stuck}"));
        figures.push(format!("slowest text {:.1?}", findings.slowest_turn()));
        assert_eq!(stuck, 0, "conversations that nobody else went on with");
    })
    .await;
}

/// When it began and when it was over.
async fn cut_off(site: &Site, row: &Row, time: Duration) -> (Instant, Instant) {
    let cut = Instant::now();
    site.proxies[2].set(Faults { frozen: true, ..Faults::default() });
    site.ready(2, 503).await;
    // As load balancers do.
    row.load.move_to(site.doors()[..2].to_vec());
    tokio::time::sleep(time.saturating_sub(cut.elapsed())).await;
    let healed = Instant::now();
    site.proxies[2].heal();
    site.ready(2, 200).await;
    row.load.move_to(site.doors());
    row.goes_on(100).await;
    (cut, healed)
}
