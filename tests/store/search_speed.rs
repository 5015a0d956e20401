//! What a search costs as the history grows, by the clock: only where it is asked for,
//! `cargo test --workspace --test store search_speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use crate::{
    harness::{Clinic, Fresh},
    search::{ANA, index, open, page, say, wanted},
};

/// Texts of each history; one in 25,000 says a word that no other does.
const SIZES: [usize; 3] = [25_000, 100_000, 200_000];
const RARE: usize = 25_000;

/// As varied as texts are: some words that all have, some of a few thousand.
fn text(number: usize) -> String {
    let rare = if number % RARE == RARE / 2 { " zebra" } else { "" };
    let words = [7, 61, 509, 3_571].map(|step| format!("w{:03x}", number * 2_654_435_761 / step % 3_989));
    format!("Your visit {} is confirmed{rare}", words.join(" "))
}

#[expect(clippy::print_stdout, reason = "the measurement is what this is for")]
async fn measure(db: &Fresh, engine: &str) {
    let clinic = Clinic::new(db, "A").await;
    let ana = open(db, clinic, ANA).await;
    let mut there = 0;
    for size in SIZES {
        say(db, clinic, ana, (there..size).map(text).collect()).await;
        there = size;
        let begun = Instant::now();
        let segments = index(db, clinic).await;
        let indexing = begun.elapsed();
        println!("{engine}: {size} texts; {segments} segments made in {} ms", indexing.as_millis());
        for words in ["zebra", "confirmed", "confirmed zebra", "nowhere"] {
            let search = wanted(words);
            let (mut fastest, mut hits) = (Duration::MAX, 0);
            for _ in 0..3 {
                let begun = Instant::now();
                let (mut before, mut found) = (Some(i64::MAX), 0);
                // Until a page is full or all was looked at: what a person waits for.
                while let Some(from) = before.filter(|_| found < 20) {
                    let next = page(db, clinic, &search, from, 20).await;
                    found += next.hits.len();
                    before = next.next;
                }
                fastest = fastest.min(begun.elapsed());
                hits = found;
            }
            println!(
                "{engine}: {size} texts, “{words}”: {hits} found in {:.1} ms",
                fastest.as_secs_f64() * 1e3
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "some minutes: a long history, searched by the clock"]
async fn sqlite() {
    measure(&Fresh::sqlite().await, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "some minutes: a long history, searched by the clock"]
async fn postgres() {
    measure(&Fresh::postgres().await, "PostgreSQL").await;
}
