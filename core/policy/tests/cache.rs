//! Compiled forms are reused only when they are what this host signed, for this component.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]

mod support;

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anteroom_policy::{Digest, HostConfig, Outcome, PolicyHost};
use support::{asking, config, fault, guest, identity};

fn caching(directory: &Path, key: u8) -> Arc<PolicyHost> {
    let cache_dir = Some(directory.join("compiled"));
    PolicyHost::new(HostConfig { cache_dir, cache_key: [key; 32], ..config() }).unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(directory.join("compiled")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Which file it is: writing it again makes another.
fn identity_of(file: &Path) -> u64 {
    fs::metadata(file).unwrap().ino()
}

fn quiet() -> Vec<u8> {
    guest("identity-policy", "", "(i32.const 1024)")
}

fn trapping() -> Vec<u8> {
    guest("identity-policy", "", "(unreachable)")
}

fn outcome(host: &PolicyHost, component: &[u8]) -> Outcome {
    let policy = host.load(component).unwrap();
    host.call_blocking(&policy, asking(identity("hello"))).outcome
}

#[test]
fn a_compiled_form_is_kept_and_reused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(outcome(&caching(directory.path(), 1), &quiet()), Outcome::NoOpinion);
    let [file] = files(directory.path()).try_into().unwrap();
    let before = identity_of(&file);
    assert_eq!(outcome(&caching(directory.path(), 1), &quiet()), Outcome::NoOpinion);
    assert_eq!(identity_of(&file), before);
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn a_changed_file_is_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let host = caching(directory.path(), 1);
    outcome(&host, &quiet());
    let [file] = files(directory.path()).try_into().unwrap();
    let good = fs::read(&file).unwrap();
    let length = good.len();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let tampered = [
        flipped(0),
        flipped(32),
        flipped(length / 2),
        flipped(length - 1),
        good[..length / 2].to_vec(),
        vec![],
    ];
    for bytes in tampered {
        fs::write(&file, bytes).unwrap();
        let before = identity_of(&file);
        assert_eq!(outcome(&host, &quiet()), Outcome::NoOpinion);
        assert_ne!(identity_of(&file), before, "used a changed file");
        assert_eq!(fs::read(&file).unwrap(), good);
    }
}

#[test]
fn another_policys_compiled_form_is_not_run_in_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let host = caching(directory.path(), 1);
    outcome(&host, &quiet());
    let [quiets] = files(directory.path()).try_into().unwrap();
    let signed = fs::read(&quiets).unwrap();
    let policy = host.load(&trapping()).unwrap();
    let trappings = files(directory.path()).into_iter().find(|file| *file != quiets).unwrap();
    fs::write(&trappings, signed).unwrap();
    let reloaded = host.load(&trapping()).unwrap();
    assert_eq!(policy.digest, reloaded.digest);
    let record = host.call_blocking(&reloaded, asking(identity("hello")));
    assert_eq!(fault(&record).backtrace, ["run"]);
}

#[test]
fn another_key_trusts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    outcome(&caching(directory.path(), 1), &quiet());
    let [file] = files(directory.path()).try_into().unwrap();
    let before = identity_of(&file);
    assert_eq!(outcome(&caching(directory.path(), 2), &quiet()), Outcome::NoOpinion);
    assert_ne!(identity_of(&file), before);
}

#[test]
fn a_directory_that_can_not_be_written_costs_only_time() {
    let directory = tempfile::tempdir().unwrap();
    let host = caching(directory.path(), 1);
    fs::remove_dir_all(directory.path().join("compiled")).unwrap();
    assert_eq!(outcome(&host, &quiet()), Outcome::NoOpinion);
}

#[test]
fn another_hosts_form_is_run_where_the_key_is_the_same() {
    let [ours, theirs, strangers] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let host = caching(ours.path(), 1);
    outcome(&host, &quiet());
    let digest = Digest::of(quiet());
    let form = host.signed_form(digest).unwrap();
    for (directory, key, is_run) in [(&theirs, 1, true), (&strangers, 2, false)] {
        let other = caching(directory.path(), key);
        assert_eq!(other.form_label(digest), host.form_label(digest));
        assert!(other.signed_form(digest).is_none());
        other.adopt_form(digest, &form);
        let [file] = files(directory.path()).try_into().unwrap();
        let before = identity_of(&file);
        assert_eq!(outcome(&other, &quiet()), Outcome::NoOpinion);
        assert_eq!(identity_of(&file) == before, is_run, "key {key}: run as it was, or compiled again");
    }
}
