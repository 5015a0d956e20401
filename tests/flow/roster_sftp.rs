//! Lists that are pulled from a folder, with a real OpenSSH server.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    time::Duration,
};

use anteroom_test_support::{
    proxy::{FaultProxy, Faults},
    sshd::Sshd,
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    roster::{as_admin, list, over, patients, settings, source, tally},
    support::{Clinic, eventually, run},
};

/// A source that looks into the server's inbox through `port`.
async fn pulled(clinic: &Clinic, sshd: &Sshd, port: u16, more: &Value) -> String {
    let mut sftp = json!({
        "host": "127.0.0.1", "port": port, "user": Sshd::user(), "host_keys": [sshd.host_key()],
        "folder": "inbox", "pattern": "roster*.csv", "every_seconds": 3_600, "settle_seconds": 60,
    });
    sftp.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = json!({
        "settings": settings(&json!({ "sftp": sftp })),
        "secrets": { "private_key": sshd.private_key() },
    });
    source(clinic, "athena", body).await
}

/// Lets `seconds` pass, has the folder looked into and waits for the end of that; how it ended.
///
/// Twice, a second apart: what ends first may have begun before.
async fn look(clinic: &Clinic, source: &str, seconds: u64) -> Value {
    let path = format!("roster-sources/{source}");
    for seconds in [seconds, 1] {
        clinic.app.advance(Duration::from_secs(seconds));
        let now = clinic.app.server.store.now().to_string();
        let answer = clinic.post(&clinic.alex, &format!("{path}/look"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        eventually("a look", || async {
            let source = as_admin(clinic, &path).await;
            source["last_look_at"].as_str().is_some_and(|at| at >= now.as_str())
        })
        .await;
    }
    as_admin(clinic, &path).await["last_look"].take()
}

async fn runs(clinic: &Clinic, source: &str) -> Vec<Value> {
    let mut page = as_admin(clinic, &format!("roster-sources/{source}/runs")).await;
    let Value::Array(runs) = page["items"].take() else { panic!("no runs") };
    runs
}

/// The last run of a source, once it is over.
async fn last_run(clinic: &Clinic, source: &str) -> Value {
    let runs = runs(clinic, source).await;
    over(clinic, runs.first().expect("a run")["id"].as_str().unwrap()).await
}

async fn file_states(clinic: &Clinic, source: &str) -> Vec<(String, String)> {
    let page = as_admin(clinic, &format!("roster-sources/{source}/files")).await;
    let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
    let files = page["items"].as_array().unwrap();
    let mut states: Vec<_> = files.iter().map(|file| (text(file, "name"), text(file, "state"))).collect();
    states.sort();
    states
}

async fn notices(clinic: &Clinic, kind: &str) -> Vec<Value> {
    let notices = as_admin(clinic, "notices?limit=200").await["items"].take();
    notices.as_array().unwrap().iter().filter(|notice| notice["kind"] == kind).cloned().collect()
}

fn append(sshd: &Sshd, name: &str, text: &str) {
    let file = OpenOptions::new().create(true).append(true).open(sshd.path(&format!("inbox/{name}")));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_taken_once_it_has_settled_and_only_once() {
    run(async |clinic| {
        clinic.app.start_rosters();
        let sshd = Sshd::start().await;
        let before = patients(&clinic).await;
        let after = json!({ "after": { "move_to": "done" } });
        let source = pulled(&clinic, &sshd, sshd.port(), &after).await;

        // A new file; others are left alone.
        append(&sshd, "roster-1.csv", &list(0, 40));
        append(&sshd, "notes.txt", "not a roster");
        assert_eq!(look(&clinic, &source, 1).await, "ok");
        assert_eq!(file_states(&clinic, &source).await, [("roster-1.csv".into(), "waiting".into())]);
        look(&clinic, &source, 30).await;
        assert!(runs(&clinic, &source).await.is_empty(), "it may still be written");
        look(&clinic, &source, 31).await;
        let run = last_run(&clinic, &source).await;
        assert_eq!((tally(&run), &run["origin"]), ([40, 0, 0, 0, 0], &json!("sftp")), "{run}");
        assert_eq!(run["file_name"], "roster-1.csv");
        eventually("the file is moved", || async { sshd.files("done") == ["roster-1.csv"] }).await;
        assert_eq!(sshd.files("inbox"), ["notes.txt"]);

        // The same again, under the name that was moved already, and under another.
        append(&sshd, "roster-1.csv", &list(0, 40));
        append(&sshd, "roster-copy.csv", &list(0, 40));
        look(&clinic, &source, 61).await;
        look(&clinic, &source, 61).await;
        look(&clinic, &source, 61).await;
        assert_eq!(runs(&clinic, &source).await.len(), 1, "nothing is imported twice");
        eventually("they are moved too", || async { sshd.files("done").len() == 3 }).await;

        // Half-written, still growing, not at its end, and whole at last.
        let whole = list(0, 80);
        let (half, rest) = whole.split_at(whole.len() / 2);
        append(&sshd, "roster-2.csv", half);
        look(&clinic, &source, 1).await;
        let (more, last) = rest.split_at(rest.len() - 7);
        append(&sshd, "roster-2.csv", more);
        look(&clinic, &source, 61).await;
        assert_eq!(file_states(&clinic, &source).await, [("roster-2.csv".into(), "waiting".into())]);
        look(&clinic, &source, 61).await;
        look(&clinic, &source, 61).await;
        assert_eq!(runs(&clinic, &source).await.len(), 1, "its last row has no end");
        assert_eq!(patients(&clinic).await, before + 40);
        append(&sshd, "roster-2.csv", last);
        look(&clinic, &source, 1).await;
        look(&clinic, &source, 61).await;
        let run = last_run(&clinic, &source).await;
        assert_eq!(tally(&run), [40, 0, 40, 0, 0], "{run}");
        assert_eq!(patients(&clinic).await, before + 80);
        eventually("it is moved", || async { sshd.files("done").contains(&"roster-2.csv".into()) }).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_another_key_is_told_nothing() {
    run(async |clinic| {
        clinic.app.start_rosters();
        let mut sshd = Sshd::start().await;
        append(&sshd, "roster.csv", &list(0, 20));
        let source = pulled(&clinic, &sshd, sshd.port(), &json!({})).await;
        assert_eq!(look(&clinic, &source, 1).await, "ok");
        assert!(sshd.log().contains("Accepted publickey"), "{}", sshd.log());

        sshd.change_host_key().await;
        let honest = sshd.log().len();
        assert_eq!(look(&clinic, &source, 61).await, "host_key");
        assert_eq!(look(&clinic, &source, 61).await, "host_key");
        let log = sshd.log()[honest..].to_owned();
        for word in ["Accepted", "Failed", "publickey", "user ", &Sshd::user()] {
            assert!(!log.contains(word), "it was sent something: {log}");
        }
        let told = notices(&clinic, "roster.host_key").await;
        assert_eq!(told.len(), 1, "once: {told:?}");
        assert!(told[0]["data"]["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
        assert!(runs(&clinic, &source).await.is_empty());

        // An administrator has asked and enters the new key.
        let path = format!("roster-sources/{source}");
        let mut changed = as_admin(&clinic, &path).await;
        let key = fs::read_to_string(sshd.path("../impostor.pub")).unwrap();
        changed["settings"]["sftp"]["host_keys"] = json!([key.trim()]);
        let version = changed["version"].to_string();
        let body = json!({ "name": "athena", "settings": changed["settings"] }).to_string();
        let bearer = format!("Bearer {}", clinic.alex.token);
        let headers = [("authorization", &*bearer), ("if-match", &*version)];
        clinic.app.request(Method::PUT, &format!("/api/v1/{path}"), &headers, body).await.ok();
        assert_eq!(look(&clinic, &source, 61).await, "ok");
        look(&clinic, &source, 61).await;
        assert_eq!(tally(&last_run(&clinic, &source).await), [20, 0, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_half_way_leaves_nothing_half() {
    run(async |clinic| {
        clinic.app.start_rosters();
        let mut sshd = Sshd::start().await;
        let proxy = FaultProxy::to(sshd.port()).await;
        let before = patients(&clinic).await;
        let source = pulled(&clinic, &sshd, proxy.port(), &json!({ "notice_after": 3 })).await;
        // Two mebibytes of it: a few rows, and a column that is not looked at.
        let wide: String =
            list(0, 200)
                .lines()
                .enumerate()
                .map(|(at, line)| {
                    if at == 0 {
                        format!("{line},Note\n")
                    } else {
                        format!("{line},{}\n", "x".repeat(10_000))
                    }
                })
                .collect();
        append(&sshd, "roster.csv", &wide);
        look(&clinic, &source, 1).await;

        // Cut while it is read, at several places.
        for bytes in [700_000, 1_500_000, 2_000_000] {
            proxy.set(Faults { reset_after: Some(bytes), ..Faults::default() });
            assert_eq!(look(&clinic, &source, 61).await, "lost", "{bytes}");
            assert!(runs(&clinic, &source).await.is_empty(), "nothing half");
        }
        assert_eq!(patients(&clinic).await, before);
        let told = notices(&clinic, "roster.unreachable").await;
        assert_eq!(told.len(), 1, "after three looks that failed: {told:?}");

        // It stays away, and is back.
        sshd.kill();
        proxy.heal();
        assert_eq!(look(&clinic, &source, 61).await, "unreachable");
        sshd.run().await;
        assert_eq!(look(&clinic, &source, 61).await, "ok");
        let run = last_run(&clinic, &source).await;
        assert_eq!(tally(&run), [200, 0, 0, 0, 0], "{run}");
        assert_eq!(patients(&clinic).await, before + 200);
        assert_eq!(as_admin(&clinic, &format!("roster-sources/{source}")).await["failures"], 0);

        // A file that changes while it is read is not taken as it was.
        proxy.set(Faults { bytes_per_second: Some(1_500_000), ..Faults::default() });
        append(&sshd, "roster.csv", &format!("M900001,New,Person,1/1/1990,,,x\n{}", "\n".repeat(600_000)));
        look(&clinic, &source, 1).await;
        let reading = look(&clinic, &source, 61);
        let writing = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            append(&sshd, "roster.csv", "M900002,Another,Person,1/1/1990,,,x\n");
        };
        let (outcome, ()) = tokio::join!(reading, writing);
        assert_eq!(outcome, "ok");
        assert_eq!(runs(&clinic, &source).await.len(), 1, "it was being written");
        proxy.heal();
        look(&clinic, &source, 1).await;
        look(&clinic, &source, 61).await;
        let run = last_run(&clinic, &source).await;
        assert_eq!(tally(&run), [2, 0, 200, 0, 0], "{run}");
    })
    .await;
}
