//! `anteroom migrate --from … --to …`: a clinic goes from SQLite to PostgreSQL and back.

use anteroom_test_support::{PATIENCE, eventually, postgres::Database};
use serde_json::json;

use crate::{
    Clinic,
    clinic::{ANAS_PHONE, STRANGER, TEN_DLC, TOLL_FREE},
    elsewhere::{Elsewhere, anteroom, fresh_database, refusal, run, text, view},
};

/// An event that is not among the first batch of its table.
const HALF_WAY: usize = 600;

/// A clinic with some hundreds of texts, stopped.
async fn busy_clinic() -> Clinic {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(ANAS_PHONE, TEN_DLC).await;
    clinic.reply("Maya", &conversation, "We have moved").await;
    let notes = format!("/api/v1/conversations/{conversation}/notes");
    clinic.api("Maya").post(&notes, &json!({ "body": "Knee, left" })).await.expect(201);
    let texts = (0..600).map(|number| {
        let phone = format!("+1512555{:04}", 500 + number % 40);
        clinic.account().text(&phone, TOLL_FREE, &format!("Text {number}"))
    });
    let client = clinic.anteroom.client();
    for some in texts.collect::<Vec<_>>().chunks(40) {
        futures::future::join_all(some.iter().map(|delivery| delivery.taken(client))).await;
    }
    clinic.idle().await;
    clinic
}

/// Whoever inserts that event waits for a minute.
fn halt(database: &Database) {
    database.sql(
        "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'",
    );
    database.sql(&format!(
        "CREATE TRIGGER halt BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.seq = {HALF_WAY}) \
         EXECUTE FUNCTION halt()"
    ));
}

const HALTED: &str = "datname = current_database() AND wait_event = 'PgSleep'";

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_moves_and_an_interrupted_move_goes_on() {
    let mut clinic = busy_clinic().await;
    let before = view(&clinic.api("lead")).await;
    assert!(before.len() > 40, "{}", before.len());
    let file = format!("sqlite://{}", text(&clinic.anteroom.dir().join("anteroom.db")));
    let database = fresh_database();
    let url = database.url();
    let there = ["migrate", "--from", &file, "--to", &url];
    assert!(refusal(&there).contains("in use by another anteroom"));
    clinic.anteroom.stop().await.0.exit_ok_or_panic();

    run(&["migrate", "--database-url", &url]);
    halt(&database);
    let mut child = anteroom(&there).spawn().expect("the binary starts");
    eventually("a move half way", PATIENCE, async || {
        (database.sql(&format!("SELECT count(*) FROM pg_stat_activity WHERE {HALTED}")) == "1").then_some(())
    })
    .await;
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    database.sql(&format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {HALTED}"));
    database.sql("DROP TRIGGER halt ON events; DROP FUNCTION halt");
    let copied: usize = database.sql("SELECT count(*) FROM events").parse().expect("a number");
    assert!(copied > 0 && copied < HALF_WAY, "{copied}");

    // Neither served nor filled from elsewhere, nor taken for whole when it isn't.
    let mut moved = Elsewhere::of(&clinic, Some(&database));
    let data = moved.anteroom.dir();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", text(&data), "--database-url", &url];
    assert!(refusal(&serve).contains("never finished"));
    database.sql("UPDATE events SET kind = 'x' || kind WHERE seq = 1");
    let differs = refusal(&there);
    assert!(differs.contains("table events") && differs.contains("not all alike"), "{differs}");
    assert!(!differs.contains("table messages"), "{differs}");
    database.sql("UPDATE events SET kind = substr(kind, 2) WHERE seq = 1");
    let printed = run(&there);
    for expected in ["has moved", "messages", "master.key"] {
        assert!(printed.contains(expected), "{printed}");
    }

    moved.start().await;
    assert_eq!(view(&moved.api()).await, before);
    moved.takes_a_text(STRANGER).await;
    moved.idle().await;
    let folder = tempfile::tempdir().expect("a folder");
    let back = format!("sqlite:{}", text(&folder.path().join("data/anteroom.db")));
    let back = ["migrate", "--from", &url, "--to", &back];
    assert!(refusal(&back).contains("is being served"));
    assert!(refusal(&there).contains("is being served"));
    let after = view(&moved.api()).await;
    moved.anteroom.stop().await.0.exit_ok_or_panic();
    assert!(refusal(&there).contains("not empty"));

    run(&back);
    let mut home = Elsewhere::of(&clinic, None);
    std::fs::copy(folder.path().join("data/anteroom.db"), home.anteroom.dir().join("anteroom.db"))
        .expect("the database");
    home.start().await;
    assert_eq!(view(&home.api()).await, after);
    home.takes_a_text("+15125550178").await;
    home.idle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_between_nowhere_and_nothing_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| format!("sqlite:{}", text(&folder.path().join(name)));
    let (missing, other) = (path("missing.db"), path("other/anteroom.db"));
    let between = |from: &str, to: &str| refusal(&["migrate", "--from", from, "--to", to]);
    assert!(between(&missing, &other).contains("there is no file"));
    assert!(between("mysql://x", &other).contains("begins with postgres:// or sqlite:"));
    assert!(between(&missing, &missing).contains("the same database"));
    assert!(between("sqlite::memory:", &other).contains("in memory"));
    run(&["migrate", "--data-dir", text(&folder.path().join("empty"))]);
    assert!(between(&path("empty/anteroom.db"), &other).contains("nothing to move"));
    std::fs::write(folder.path().join("letter.db"), "Dear clinic, ".repeat(100)).expect("a file");
    assert!(between(&path("letter.db"), &other).contains("not a database"));
    assert!(!folder.path().join("other/anteroom.db").exists());
}

/// For a server that must have stopped well.
trait ExitOk {
    fn exit_ok_or_panic(self);
}

impl ExitOk for std::process::ExitStatus {
    fn exit_ok_or_panic(self) {
        assert!(self.success(), "{self}");
    }
}
