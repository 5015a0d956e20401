//! A hundred thousand patients: pulled from an OpenSSH server by a server that is killed on the way, on both
//! engines; and from a terminal, killed too.
//!
//! `ANTEROOM_ROSTER_ROWS` says how many (5,000 by default; `make torture` takes 100,000).

use std::{
    collections::HashSet,
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use anteroom_test_support::{Api, eventually, sshd::Sshd};
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::launch,
    elsewhere::{anteroom, fresh_database, run, text},
};

/// How long all of it may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(40);

fn rows() -> usize {
    env::var("ANTEROOM_ROSTER_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(5_000)
}

/// Patients who are made up.
fn list(rows: usize) -> String {
    let mut list = String::from("MRN,First,Last,DOB,Cell\n");
    for number in 0..rows {
        let (month, day, year) = (number % 12 + 1, number % 28 + 1, 1_930 + number % 90);
        let phone = 5_000_000 + number;
        writeln!(
            list,
            "M{number:07},Given{},Family{},{year}-{month:02}-{day:02},737{phone}",
            number % 887,
            number % 9_973
        )
        .expect("a string takes all");
    }
    list
}

fn settings() -> Value {
    json!({
        "columns": {
            "external_id": "MRN", "first_name": "First", "last_name": "Last", "date_of_birth": "DOB",
            "mobile_phone": "Cell",
        },
        "missing": "mark_inactive",
    })
}

fn say(text: &str) {
    // Past the harness, which would keep it back.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// All items of a list, page by page.
async fn all(api: &Api, path: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut page = api.get(&format!("{path}{join}limit=200{cursor}")).await.expect(200);
        let Value::Array(more) = page["items"].take() else { panic!("{path} is no list") };
        items.extend(more);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn newest_run(api: &Api, source: &str) -> Option<Value> {
    api.get(&format!("/api/v1/roster-sources/{source}/runs")).await.expect(200)["items"].get(0).cloned()
}

/// Pulls the list, kills the server twice on the way, and counts.
async fn pull_and_kill(mut clinic: Clinic, engine: &str) {
    let rows = rows();
    let sshd = Sshd::start().await;
    let before = all(&clinic.api("admin"), "/api/v1/patients").await.len();
    fs::write(sshd.path("inbox/roster.csv"), list(rows)).expect("a file");
    let source = json!({
        "name": "athena",
        "settings": {
            "columns": settings()["columns"],
            "missing": "mark_inactive",
            "sftp": {
                "host": "127.0.0.1", "port": sshd.port(), "user": Sshd::user(), "host_keys": [sshd.host_key()],
                "folder": "inbox", "every_seconds": 10, "settle_seconds": 1,
            },
        },
        "secrets": { "private_key": sshd.private_key() },
    });
    let source = clinic.api("admin").post("/api/v1/roster-sources", &source).await.expect(201);
    let source = source["id"].as_str().expect("an id").to_owned();

    let mut kills = Vec::new();
    let mut begun = None;
    let run = loop {
        let share = [1, 2, 4].get(kills.len()).map_or(5, |fifths| *fifths);
        let goal = i64::try_from(rows * share / 5).expect("not so many");
        let api = clinic.api("admin");
        let run = eventually("a run", PATIENCE, async || {
            let run = newest_run(&api, &source).await?;
            begun.get_or_insert_with(Instant::now);
            let done = run["done"].as_i64().expect("a number");
            (run["state"] == "done" || (done >= goal && share < 5)).then_some(run)
        })
        .await;
        if run["state"] == "done" {
            break run;
        }
        kills.push(run["done"].as_i64().expect("a number"));
        clinic.anteroom.kill();
        clinic.anteroom.start().await;
        let stored = newest_run(&clinic.api("admin"), &source).await.expect("the run");
        assert!(stored["done"].as_i64() >= run["done"].as_i64(), "what was applied stays: {stored}");
    };
    let took = begun.expect("it began").elapsed();
    let total = i64::try_from(rows).expect("not so many");
    assert_eq!(
        (&run["created"], &run["total"], &run["refused"]),
        (&json!(total), &json!(total), &json!(0)),
        "{run}"
    );
    assert!(!kills.is_empty(), "it was over before the first kill");
    say(&format!(
        "roster, {engine}: {rows} rows pulled over SFTP in {took:.1?} ({:.0} a second) with kills after {kills:?} rows",
        f64::from(u32::try_from(rows).expect("not so many")) / took.as_secs_f64()
    ));

    // Exactly those, none twice.
    let api = clinic.api("admin");
    let report =
        all(&api, &format!("/api/v1/roster-runs/{}/report", run["id"].as_str().expect("an id"))).await;
    assert_eq!(report.len(), rows);
    let made: HashSet<&str> = report.iter().filter_map(|row| row["patient_id"].as_str()).collect();
    assert_eq!(made.len(), rows, "each row has made a patient of its own");
    let patients = all(&api, "/api/v1/patients").await;
    assert_eq!(patients.len(), before + rows);
    let there: HashSet<&str> = patients.iter().filter_map(|patient| patient["id"].as_str()).collect();
    assert!(made.is_subset(&there));
    assert_eq!(api.items(&format!("/api/v1/roster-sources/{source}/runs")).await.len(), 1, "one run");
    // The file's parts are gone from the store, and nothing of a patient is in the log.
    let log = clinic.anteroom.log();
    for word in ["Given1", "Family1", "M0000001", "roster.csv"] {
        assert!(!log.contains(word), "the log has {word}");
    }
    let metrics = clinic.anteroom.metrics().await;
    assert!(metrics.contains("anteroom_roster_rows_total{outcome=\"created\"}"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_are_pulled_once_although_the_server_is_killed() {
    pull_and_kill(Clinic::open().await, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_on_postgresql() {
    let database = fresh_database();
    let clinic = Clinic::open_afresh(launch().option("--database-url", &database.url())).await;
    pull_and_kill(clinic, "PostgreSQL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_terminal_imports_what_a_server_would_and_goes_on_after_a_kill() {
    // Enough that a kill after a second and a half comes before the end.
    let rows = (rows() / 10).max(5_000);
    let mut clinic = Clinic::open().await;
    let source = json!({ "name": "athena", "settings": settings() });
    clinic.api("admin").post("/api/v1/roster-sources", &source).await.expect(201);
    let before = all(&clinic.api("admin"), "/api/v1/patients").await.len();
    let folder = clinic.anteroom.dir();
    let file = folder.join("list.csv");
    fs::write(&file, list(rows)).expect("a file");
    let import = ["import", "--source", "athena", "--data-dir", text(&folder), text(&file)];
    let dry: Vec<&str> = import.iter().copied().chain(["--dry-run"]).collect();
    clinic.anteroom.stop().await;

    let said = run(&dry);
    assert!(said.contains(&format!("{rows} created")) && said.contains("nothing was changed"), "{said}");
    let begun = Instant::now();
    let mut child = anteroom(&import).stderr(Stdio::null()).spawn().expect("the binary starts");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    let said = run(&import);
    say(&format!("roster, terminal: {rows} rows in {:.1?} with a kill; it says: {said}", begun.elapsed()));
    assert!(said.contains("is done") && said.contains(&format!("{rows} created")), "{said}");
    let said = run(&import);
    assert!(said.contains("imported last"), "{said}");

    let mut worse = list(rows).replace("1930-01-01", "1930-13-01");
    worse.push_str("M9999999,Only,,,\n");
    fs::write(&file, worse).expect("a file");
    let said = run(&import);
    assert!(said.contains("date_unreadable: expected 1985-03-04, found 9999-99-99"), "{said}");
    assert!(said.contains("name_missing") && said.contains("0 created"), "{said}");
    clinic.anteroom.start().await;
    assert_eq!(all(&clinic.api("admin"), "/api/v1/patients").await.len(), before + rows);
}
