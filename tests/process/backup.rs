//! `anteroom backup` while texts arrive as fast as they are taken, and `anteroom restore` into a fresh place, on
//! both engines and from each to the other.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anteroom_test_support::{Client, PATIENCE, TwilioAccount, eventually};

use crate::{
    Clinic,
    clinic::{ANAS_PHONE, STRANGER, TOLL_FREE},
    elsewhere::{Elsewhere, Load, fresh_database, refusal, run, text, view},
};

/// Makes a backup under load; what had been acknowledged before it began.
async fn under_load(account: &TwilioAccount, client: &Client, name: &str, arguments: &[&str]) -> Vec<String> {
    let load = Load::start(account, client, name);
    eventually("a load", PATIENCE, async || (load.acknowledged().len() > 100).then_some(())).await;
    let before = load.acknowledged();
    run(arguments);
    let meanwhile = load.acknowledged().len() - before.len();
    assert!(meanwhile > 10, "{meanwhile} texts were taken while the backup was made");
    load.stop().await;
    before
}

/// Every text of these is there, once.
async fn has_all(place: &Elsewhere, expected: &[String]) {
    let view = view(&place.api()).await;
    let bodies: Vec<&str> = view
        .iter()
        .flat_map(|(_, messages, _)| messages)
        .filter_map(|message| message["body"].as_str())
        .collect();
    let there: HashSet<&str> = bodies.iter().copied().collect();
    let lost: Vec<_> = expected.iter().filter(|body| !there.contains(body.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let inbound = bodies.iter().filter(|body| body.starts_with("load"));
    let once: HashSet<_> = inbound.clone().collect();
    assert_eq!(inbound.count(), once.len(), "twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backup_is_in_it() {
    let clinic = Clinic::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first.backup"), folder.path().join("second.backup"));
    let data = clinic.anteroom.dir();
    let back_up = ["backup", "--data-dir", text(&data), "--to", text(&first)];
    let taken = under_load(&clinic.account(), clinic.anteroom.client(), "load on sqlite", &back_up).await;
    assert_eq!(fs::metadata(&first).expect("a file").permissions().mode() & 0o777, 0o600);

    let mut embedded = Elsewhere::of(&clinic, None);
    let place = embedded.anteroom.dir();
    let printed = run(&["restore", "--from", text(&first), "--data-dir", text(&place)]);
    assert!(printed.contains("is what it will be read with"), "{printed}");
    embedded.start().await;
    embedded.takes_a_text(STRANGER).await;
    embedded.idle().await;
    has_all(&embedded, &taken).await;
    drop(embedded);

    let database = fresh_database();
    run(&["restore", "--from", text(&first), "--to", &database.url(), "--data-dir", text(&place)]);
    let mut shared = Elsewhere::of(&clinic, Some(&database));
    shared.start().await;
    let (url, account) = (database.url(), shared.account().clone());
    let back_up = ["backup", "--database-url", &url, "--to", text(&second)];
    let more = under_load(&account, shared.anteroom.client(), "load on postgres", &back_up).await;
    let all = [taken, more].concat();
    shared.idle().await;
    has_all(&shared, &all).await;
    drop(shared);

    let other = fresh_database();
    run(&["restore", "--from", text(&second), "--database-url", &other.url()]);
    for database in [Some(&other), None] {
        let mut place = Elsewhere::of(&clinic, database);
        if database.is_none() {
            run(&["restore", "--from", text(&second), "--data-dir", text(&place.anteroom.dir())]);
        }
        place.start().await;
        place.takes_a_text("+15125550179").await;
        place.idle().await;
        has_all(&place, &all).await;
    }
}

/// A copy of a file with something done to its bytes.
fn spoilt(file: &Path, name: &str, spoil: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(file).expect("a file");
    spoil(&mut bytes);
    let path = file.with_file_name(name);
    fs::write(&path, bytes).expect("a file");
    path
}

/// The manifest up to the number of its schema.
const MANIFEST: &str = r#"{"format":1,"schema":"#;

fn places(bytes: &[u8], what: &str) -> Vec<usize> {
    let found: Vec<_> =
        (0..bytes.len() - what.len()).filter(|at| bytes[*at..].starts_with(what.as_bytes())).collect();
    assert!(!found.is_empty(), "{what}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_doubtful_is_restored_and_nothing_is_overwritten() {
    let clinic = Clinic::open().await;
    clinic.begin(ANAS_PHONE, TOLL_FREE).await;
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("clinic.backup");
    let data = clinic.anteroom.dir();
    let command = ["backup", "--data-dir", text(&data), "--to", text(&backup)];
    let printed = run(&command);
    assert!(printed.contains("keep it apart"), "{printed}");
    assert!(refusal(&command).contains("there already"));
    let nowhere = folder.path().join("nowhere");
    let other = folder.path().join("other.backup");
    let missing = ["backup", "--data-dir", text(&nowhere), "--to", text(&other)];
    assert!(refusal(&missing).contains("there is no file"));
    assert!(!nowhere.exists() && !other.exists());

    let bytes = fs::read(&backup).expect("a file");
    let key = fs::read(data.join("master.key")).expect("the key");
    for secret in ["Good morning".as_bytes(), ANAS_PHONE.as_bytes(), key.trim_ascii()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "it is in the backup");
    }

    let place = folder.path().join("place");
    let restore = |file: &Path| {
        let sentence = refusal(&["restore", "--from", text(file), "--data-dir", text(&place)]);
        assert!(!place.join("anteroom.db").exists(), "{sentence}");
        assert!(!place.join("anteroom.db.partial").exists(), "{sentence}");
        sentence
    };
    for at in [0, bytes.len() / 4, bytes.len() / 2, bytes.len() * 3 / 4, bytes.len() - 4096] {
        let file = spoilt(&backup, "garbled", |bytes| {
            let page = at / 4096 * 4096;
            bytes[page..page + 4096].iter_mut().for_each(|byte| *byte = !*byte);
        });
        let sentence = restore(&file);
        assert!(sentence.contains("damaged"), "page of byte {at}: {sentence}");
    }
    for length in [bytes.len() - 4096, bytes.len() / 2, 1000] {
        let file = spoilt(&backup, "short", |bytes| bytes.truncate(length));
        assert!(restore(&file).contains("damaged"), "{length} bytes");
    }
    let changed = spoilt(&backup, "changed", |bytes| {
        // The clinic's name, which is not sealed: the file is sound, only its content is another.
        for at in places(bytes, "Riverside Family Clinic") {
            bytes[at] = b'D';
        }
    });
    assert!(restore(&changed).contains("damaged"));
    let newer = spoilt(&backup, "newer", |bytes| {
        for at in places(bytes, MANIFEST) {
            bytes[at + MANIFEST.len()] = b'9';
        }
    });
    assert!(restore(&newer).contains("written by a newer anteroom (schema 9"));
    let database = spoilt(&data.join("anteroom.db"), "live.copy", |_| ());
    assert!(restore(&database).contains("not a backup"));
    assert!(restore(&folder.path().join("missing")).contains("there is no file"));

    run(&["restore", "--from", text(&backup), "--data-dir", text(&place)]);
    let again = ["restore", "--from", text(&backup), "--data-dir", text(&place)];
    assert!(refusal(&again).contains("there already"));
    let served = refusal(&["restore", "--from", text(&backup), "--data-dir", text(&data)]);
    assert!(served.contains("in use by another anteroom"), "{served}");
    let database = fresh_database();
    let url = database.url();
    run(&["restore", "--from", text(&backup), "--to", &url]);
    assert!(refusal(&["restore", "--from", text(&backup), "--to", &url]).contains("not empty"));
}
