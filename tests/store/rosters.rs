//! Rosters as a queue: one node at a time, from where the last batch ended; files in their order and sealed.

use std::time::Duration;

use anteroom_model::{
    ids::{OrganizationId, RosterRunId, RosterSourceId},
    roster::{RosterRow, RosterSettings},
};
use anteroom_store::{
    Checkpoint, EntryKey, NewRosterRun, NewRosterSource, NewRow, RosterOf, RosterOrigin, RosterPhase,
    RosterSecrets, RosterState, Store, StoreError, Tally,
};
use serde_json::json;

use crate::harness::{Clinic, Fresh, all_at_once, commit, node};

const LEASE: Duration = Duration::from_secs(20);

fn settings() -> RosterSettings {
    serde_json::from_value(json!({ "columns": { "external_id": "#1", "last_name": "#2" } })).unwrap()
}

async fn source(store: &Store, organization: OrganizationId) -> RosterSourceId {
    let password = Some("the password of the folder".to_owned());
    let new = NewRosterSource {
        name: "athena".into(),
        settings: settings(),
        secrets: RosterSecrets { password, private_key: None, passphrase: None },
        enabled: true,
    };
    commit!(store, organization, |org| {
        let id = org.new_id();
        org.insert_roster_source(id, &new, None).await?;
        Ok(id)
    })
    .unwrap()
}

/// A run whose file has arrived in two parts.
async fn run(store: &Store, organization: OrganizationId, source: RosterSourceId) -> RosterRunId {
    let new = NewRosterRun {
        source_id: source,
        origin: RosterOrigin::Upload,
        file_name: Some("morales.csv".into()),
        settings: settings(),
        dry_run: false,
        created_by: None,
    };
    commit!(store, organization, |org| {
        let id = org.insert_roster_run(&new).await?;
        org.insert_roster_part(id, 0, b"1,Mora").await?;
        org.insert_roster_part(id, 1, b"les\n").await?;
        assert!(org.roster_run_received(id, b"hash", 10).await?);
        Ok(id)
    })
    .unwrap()
}

fn row(id: &str, last_name: &str) -> NewRow {
    let said = RosterRow { external_id: id.into(), last_name: last_name.into(), ..RosterRow::default() };
    NewRow { row: 1, line: 1, id: Some(id.into()), read: Ok((said, Vec::new())) }
}

fn at(from: i64, to: i64, until: anteroom_model::time::Timestamp) -> Checkpoint {
    let tally = Tally { created: to - from, ..Tally::default() };
    Checkpoint { from, to, phase: RosterPhase::Applying, tally, until }
}

pub(crate) async fn each_run_is_leased_to_one_node_in_its_sources_order(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let source = source(db, organization).await;
    let first = run(db, organization, source).await;
    let second = run(db, organization, source).await;
    let claims = (1..=6).map(|number| {
        let (store, until) = (Store::clone(db), db.now().plus(LEASE));
        async move { store.claim_roster_run(node(number), until).await.unwrap() }
    });
    let claimed: Vec<_> = all_at_once(claims).await.into_iter().flatten().collect();
    assert_eq!(claimed, [(organization, first)], "the second waits for the first");
    let mut org = db.read(organization).await.unwrap();
    let parts = [org.roster_part(first, 0).await.unwrap(), org.roster_part(first, 1).await.unwrap()];
    assert_eq!(parts, [Some(b"1,Mora".to_vec()), Some(b"les\n".to_vec())]);
    assert_eq!(org.roster_part(first, 2).await.unwrap(), None);
    drop(org);
    assert!(commit!(db, organization, |org| org.cancel_roster_run(first).await).unwrap());
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.roster_part(first, 0).await.unwrap(), None, "its file goes with it");
    drop(org);
    let until = db.now().plus(LEASE);
    assert_eq!(db.claim_roster_run(node(9), until).await.unwrap(), Some((organization, second)));
}

pub(crate) async fn a_batch_counts_only_from_where_the_run_is(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let source = source(db, organization).await;
    let id = run(db, organization, source).await;
    let until = db.now().plus(LEASE);
    assert_eq!(db.claim_roster_run(node(1), until).await.unwrap(), Some((organization, id)));
    let of = RosterOf { run: id, source, name: "athena".into(), id_kind: "mrn".into() };
    let apply = async |number: u128, from: i64, who: &'static str| {
        let (of, rows) = (of.clone(), [row(who, "Morales")]);
        commit!(db, organization, |org| {
            let applied = org.apply_roster_rows(&of, &rows).await?;
            assert_eq!(applied.tally.created, 1);
            let stored = org.roster_checkpoint(id, node(number), &at(from, from + 1, until)).await?;
            if stored { Ok(()) } else { Err(StoreError::TimedOut) }
        })
    };
    apply(1, 0, "A1").await.unwrap();
    assert!(apply(1, 0, "A2").await.is_err(), "it is further");
    assert!(apply(2, 1, "A2").await.is_err(), "it is another node's");
    db.clock.advance(LEASE);
    let until_later = db.now().plus(LEASE);
    assert_eq!(db.claim_roster_run(node(2), until_later).await.unwrap(), Some((organization, id)));
    assert!(apply(1, 1, "A2").await.is_err(), "it was taken over");
    apply(2, 1, "a-2").await.unwrap();
    let mut org = db.read(organization).await.unwrap();
    let stored = org.roster_run(id).await.unwrap().unwrap();
    assert_eq!((stored.done, stored.tally.created, stored.takes), (2, 2, 2));
    assert_eq!(org.count_roster_entries(source).await.unwrap(), 2, "what was taken back left nothing");
    let keys = db.keys(organization).await.unwrap();
    let key = EntryKey::new(&keys, source, "A2");
    let entries = org.roster_entries(source, [&key].into_iter()).await.unwrap();
    assert_eq!(entries.len(), 1, "ids are compared as the directory compares them");
    drop(org);
    let late =
        commit!(db, organization, |org| org.finish_roster_run(id, node(1), RosterState::Done, None).await);
    assert!(!late.unwrap());
    let end =
        commit!(db, organization, |org| org.finish_roster_run(id, node(2), RosterState::Done, None).await);
    assert!(end.unwrap());
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.last_imported(source).await.unwrap(), Some((id, Some(b"hash".to_vec()))));
}

pub(crate) async fn a_folder_is_looked_into_by_one_node(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let sftp = json!({ "host": "h", "user": "u", "host_keys": ["k"] });
    let mut settings = settings();
    settings.sftp = Some(serde_json::from_value(sftp).unwrap());
    let new = |enabled| NewRosterSource {
        name: "epic".into(),
        settings: settings.clone(),
        secrets: RosterSecrets::default(),
        enabled,
    };
    let wanted = new(true);
    let id = commit!(db, organization, |org| {
        let id: RosterSourceId = org.new_id();
        org.insert_roster_source(id, &wanted, None).await?;
        Ok(id)
    })
    .unwrap();
    let claim = async |number| db.claim_roster_look(node(number), db.now().plus(LEASE)).await.unwrap();
    assert_eq!(claim(1).await, Some((organization, id)));
    assert_eq!(claim(2).await, None);
    assert_eq!(claim(1).await, Some((organization, id)), "what it had leased was of an earlier life");
    db.clock.advance(LEASE);
    assert_eq!(claim(2).await, Some((organization, id)));
    let next = db.now().plus(LEASE * 3);
    let looked = anteroom_store::Looked { outcome: "ok", failures: 0, next };
    assert!(!commit!(db, organization, |org| org.roster_looked(id, node(1), looked).await).unwrap());
    assert!(commit!(db, organization, |org| org.roster_looked(id, node(2), looked).await).unwrap());
    assert_eq!(claim(2).await, None, "not yet");
    let now = db.now();
    assert!(commit!(db, organization, |org| org.look_into_roster(id, now).await).unwrap());
    assert_eq!(claim(3).await, Some((organization, id)));
    let (off, again) = (new(false), new(false));
    assert!(commit!(db, organization, |org| org.update_roster_source(id, 1, &off).await).unwrap());
    assert!(!commit!(db, organization, |org| org.update_roster_source(id, 1, &again).await).unwrap());
    db.clock.advance(LEASE * 9);
    assert_eq!(claim(4).await, None, "it is switched off");
}

pub(crate) async fn nothing_of_a_roster_is_on_disk_in_the_clear(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let source = source(db, organization).await;
    let id = run(db, organization, source).await;
    let of = RosterOf { run: id, source, name: "athena".into(), id_kind: "mrn".into() };
    let rows = [row("MRN-8675309", "Quetzalcoatl")];
    commit!(db, organization, |org| org.apply_roster_rows(&of, &rows).await).unwrap();
    let file = anteroom_store::RosterFile {
        name: "quetzal.csv".into(),
        size: 1,
        modified: 1,
        seen_at: db.now(),
        state: anteroom_store::FileState::Waiting,
        run_id: None,
    };
    let put = file.clone();
    commit!(db, organization, |org| org.put_roster_file(source, &put).await).unwrap();
    let bytes = db.bytes_on_disk();
    for text in
        ["Quetzalcoatl", "MRN-8675309", "quetzal.csv", "morales.csv", "1,Mora", "the password of the folder"]
    {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is in the clear");
    }
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.roster_files(source).await.unwrap(), [file]);
    assert!(org.roster_source_by_name("athena").await.unwrap().unwrap().secrets.password.is_some());
}
