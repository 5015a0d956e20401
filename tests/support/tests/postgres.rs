//! The clusters that other suites rely on.

use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anteroom_test_support::postgres::{Cluster, Settings};

/// As long as anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_cluster_keeps_what_was_committed_through_a_stop_and_a_crash() {
    let mut cluster = Cluster::start();
    assert_eq!(cluster.sql("SHOW fsync"), "on");
    cluster.create_database("kept");
    cluster.sql_in("kept", "CREATE TABLE facts (fact text)");
    let (url, folder) = (cluster.url("kept"), cluster.folder());
    for fact in ["stop", "crash"] {
        cluster.sql_in("kept", &format!("INSERT INTO facts VALUES ('{fact}')"));
        match fact {
            "stop" => cluster.stop(),
            _ => cluster.crash(),
        }
        let error = cluster.try_sql("kept", "SELECT").expect_err("nobody there");
        assert!(error.contains("refused"), "{error}");
        cluster.restart();
        assert_eq!(cluster.url("kept"), url);
    }
    assert_eq!(cluster.sql_in("kept", "SELECT fact FROM facts ORDER BY fact"), "crash\nstop");
    assert!(cluster.log().contains("database system was not properly shut down"), "{}", cluster.log());
    drop(cluster);
    assert!(!folder.exists());
}

#[test]
fn a_frozen_cluster_answers_once_it_thaws() {
    let cluster = Cluster::start();
    cluster.freeze();
    thread::scope(|scope| {
        let answer = scope.spawn(|| cluster.sql("SELECT 'thawed'"));
        // It can only be shown that nothing comes for a while.
        thread::sleep(Duration::from_millis(500));
        assert!(!answer.is_finished());
        cluster.thaw();
        assert_eq!(answer.join().expect("an answer"), "thawed");
    });
}

#[test]
fn a_commit_waits_for_the_replica_which_then_has_it() {
    let mut primary = Cluster::start();
    let replica = primary.replica();
    primary.sql("CREATE TABLE facts (fact text)");
    replica.server().freeze();
    thread::scope(|scope| {
        let commit = scope.spawn(|| primary.sql("INSERT INTO facts VALUES ('acknowledged')"));
        thread::sleep(Duration::from_millis(500));
        assert!(!commit.is_finished(), "acknowledged by the primary alone");
        replica.server().thaw();
        commit.join().expect("a commit");
    });
    primary.crash();
    let refused = replica.server().try_sql("postgres", "INSERT INTO facts VALUES ('too early')");
    assert!(refused.is_err_and(|error| error.contains("read-only")));
    let promoted = replica.promote();
    promoted.sql("INSERT INTO facts VALUES ('afterwards')");
    assert_eq!(promoted.sql("SELECT fact FROM facts ORDER BY fact"), "acknowledged\nafterwards");
}

#[test]
fn databases_of_the_shared_cluster_are_apart_and_go_with_their_tests() {
    let shared = Cluster::shared();
    shared.create_database("prepared");
    shared.sql_in("prepared", "CREATE TABLE facts (fact text)");
    let (one, other) = (shared.copy_of("prepared"), shared.copy_of("prepared"));
    one.sql("INSERT INTO facts VALUES ('here')");
    assert_eq!(one.sql("SELECT count(*) FROM facts"), "1");
    assert_eq!(other.sql("SELECT count(*) FROM facts"), "0");
    let name = one.name().to_owned();
    drop(one);
    let left = shared.sql("SELECT datname FROM pg_database");
    assert!(
        !left.lines().any(|line| line == name) && left.lines().any(|line| line == other.name()),
        "{left}"
    );
    let empty = shared.fresh_database();
    assert_eq!(empty.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

#[test]
fn clusters_that_begin_from_a_template_go_their_own_ways() {
    let prepared = Cluster::start_with(&Settings { durable: false, ..Settings::default() });
    prepared.sql("CREATE TABLE facts (fact text)");
    prepared.sql("INSERT INTO facts VALUES ('prepared')");
    let template = prepared.into_template();
    let [one, other] = [0, 1].map(|_| Cluster::start_from(&template, &Settings::default()));
    one.sql("INSERT INTO facts VALUES ('later')");
    assert_eq!(one.sql("SELECT fact FROM facts ORDER BY fact"), "later\nprepared");
    assert_eq!(other.sql("SELECT fact FROM facts"), "prepared");
    assert_eq!(one.sql("SHOW fsync"), "on");
}

/// Run by the test below in a process of its own, which is then killed.
#[test]
fn holds_a_cluster_until_it_is_killed() {
    let Some(report) = env::var_os("ANTEROOM_HOLD_A_CLUSTER") else { return };
    let cluster = Cluster::start_with(&Settings { durable: false, ..Settings::default() });
    std::fs::write(report, format!("{}\n", cluster.folder().display())).expect("a pipe");
    thread::sleep(PATIENCE * 4);
}

#[test]
fn nothing_of_a_killed_test_stays_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report");
    assert!(Command::new("mkfifo").arg(&report).status().expect("mkfifo").success());
    let mut holder = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "holds_a_cluster_until_it_is_killed"])
        .env("ANTEROOM_HOLD_A_CLUSTER", &report)
        .stdout(Stdio::null())
        .spawn()
        .expect("this test");
    let mut line = String::new();
    BufReader::new(File::open(&report).expect("a pipe")).read_line(&mut line).expect("a line");
    let data = PathBuf::from(line.trim());
    assert!(data.join("postmaster.pid").exists(), "{line}");
    holder.kill().expect("a child of ours");
    holder.wait().expect("a child of ours");
    let started = Instant::now();
    while data.parent().expect("its folder").exists() {
        assert!(started.elapsed() < PATIENCE, "{} is still there", data.display());
        thread::sleep(Duration::from_millis(20));
    }
    let lives = std::fs::read_dir("/proc").expect("/proc").flatten().any(|entry| {
        let folder = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        folder.starts_with(&data)
    });
    assert!(!lives, "a process is still there");
}
