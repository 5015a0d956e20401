//! The disk is full, and then it isn't.

use std::time::{Duration, Instant};

use anteroom_test_support::{PATIENCE, disk::SmallDisk, eventually, postgres::Settings};
use tokio::task::block_in_place;

use crate::{Engine, Row, Site, site::fault_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_is_said_and_got_over_on_sqlite() {
    let disk = SmallDisk::of_megabytes(64);
    let site = Site::sqlite(Some(disk.path())).await;
    row(Engine::Sqlite, site, &disk).await;
}

/// The disk of the cluster, with its log of changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_is_said_and_got_over_on_postgres() {
    let disk = SmallDisk::of_megabytes(256);
    let settings = Settings { within: Some(disk.path().to_owned()), ..Settings::default() };
    let settings = settings.with("min_wal_size", "32MB").with("max_wal_size", "64MB");
    let site = Site::postgres(3, &settings).await;
    row(Engine::Postgres, site, &disk).await;
}

async fn row(engine: Engine, mut site: Site, disk: &SmallDisk) {
    let mut row = Row::begin(&site, &format!("disk full, {}", engine.name())).await;
    let full = Instant::now();
    // What has been allocated lasts for a while, and some of it is given back.
    eventually("refusals", PATIENCE * 6, async || {
        disk.fill();
        (row.load.ledger().answers(full, Instant::now()).refused >= 20).then_some(())
    })
    .await;
    let refusing = Instant::now();
    while refusing.elapsed() < fault_time(3) {
        disk.fill();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let freed = Instant::now();
    disk.free();
    if engine == Engine::Postgres && block_in_place(|| site.cluster().revive()) {
        // It gives itself up where its log of changes has no room; a service manager starts it again.
        row.figure(format!("PostgreSQL had ended, started again in {:.2?}", freed.elapsed()));
    }
    row.goes_on(100).await;
    let answers = row.load.ledger().answers(refusing, freed);
    let again = row.load.ledger().first_taken(freed).expect("it goes on") - freed;
    row.figure(format!(
        "full for {:.1?}: refused with 503 {}, accepted {}",
        freed - refusing,
        answers.refused,
        answers.taken
    ));
    row.figure(format!("accepts again {again:.2?} after room came"));
    assert!(answers.refused > answers.taken, "hardly full: {answers:?}");
    row.end(&site, |findings, figures| {
        figures.push(format!("drained after {:.1?}", findings.drained_after(freed)));
    })
    .await;
}
