//! Backtests as a queue: one node at a time, begun again where a node is gone, ended by whoever may.

use std::time::Duration;

use anteroom_model::ids::{BacktestId, OrganizationId, PolicyId};
use anteroom_store::{BacktestState, NewBacktest, NewPolicy, Store};
use serde_json::json;

use crate::harness::{Clinic, Fresh, all_at_once, commit, node};

const LEASE: Duration = Duration::from_secs(15);

async fn policy(store: &Store, organization: OrganizationId) -> PolicyId {
    let policy = NewPolicy {
        name: "test".into(),
        version: "1.0.0".into(),
        origin: "uploaded",
        digest: vec![4; 32],
        bytes: b"component".to_vec(),
        manifest: json!({}),
        hooks: Vec::new(),
        imports: Vec::new(),
        probe: None,
        created_by: None,
    };
    commit!(store, organization, |org| org.insert_policy(&policy).await).unwrap()
}

async fn wanted(store: &Store, organization: OrganizationId, policy_id: PolicyId) -> BacktestId {
    let until = store.now();
    commit!(store, organization, |org| {
        let new = NewBacktest {
            hook: "routing",
            policy_id,
            settings: "{}".into(),
            since: until.minus(Duration::from_hours(24)),
            until,
            number_id: None,
            created_by: None,
        };
        let id = org.new_id();
        org.insert_backtest(id, &new).await?;
        Ok(id)
    })
    .unwrap()
}

async fn state(store: &Store, organization: OrganizationId, id: BacktestId) -> BacktestState {
    store.read(organization).await.unwrap().backtest(id).await.unwrap().unwrap().state
}

pub(crate) async fn each_is_leased_to_one_node(db: &Fresh) {
    let clinics = [Clinic::new(db, "A").await, Clinic::new(db, "B").await];
    for clinic in &clinics {
        let policy = policy(db, clinic.organization).await;
        for _ in 0..3 {
            wanted(db, clinic.organization, policy).await;
        }
    }
    let claims = (0..12).map(|number| {
        let store = Store::clone(db);
        async move { store.claim_backtest(node(number), store.now().plus(LEASE)).await.unwrap() }
    });
    let mut claimed: Vec<_> = all_at_once(claims).await.into_iter().flatten().collect();
    // One that looks while another has the row locked may find none.
    while let Some(one) = db.claim_backtest(node(99), db.now().plus(LEASE)).await.unwrap() {
        claimed.push(one);
    }
    let count = claimed.len();
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!((count, claimed.len()), (6, 6), "each of them once");
}

pub(crate) async fn who_lost_it_can_not_end_it(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let policy = policy(db, organization).await;
    let id = wanted(db, organization, policy).await;
    let claim = async |number| db.claim_backtest(node(number), db.now().plus(LEASE)).await.unwrap();
    assert_eq!(claim(1).await, Some((organization, id)));
    assert_eq!(claim(2).await, None);
    let until = db.now().plus(LEASE);
    let kept = commit!(db, organization, |org| org.backtest_progress(id, node(1), (9, 4), until).await);
    assert!(kept.unwrap());
    db.clock.advance(LEASE);
    assert_eq!(claim(2).await, Some((organization, id)), "its node is gone");
    let row = db.read(organization).await.unwrap().backtest(id).await.unwrap().unwrap();
    assert_eq!((row.state, row.total, row.done), (BacktestState::Running, 0, 0), "it begins again");
    let late = commit!(db, organization, |org| {
        Ok([
            org.backtest_progress(id, node(1), (9, 9), until).await?,
            org.finish_backtest(id, node(1), (9, 9), b"{}").await?,
            org.fail_backtest(id, node(1), "no").await?,
            org.give_back_backtest(id, node(1)).await?,
        ])
    });
    assert_eq!(late.unwrap(), [false; 4]);
    assert!(commit!(db, organization, |org| org.give_back_backtest(id, node(2)).await).unwrap());
    assert_eq!(state(db, organization, id).await, BacktestState::Waiting);
    assert_eq!(claim(3).await, Some((organization, id)));
    let end =
        commit!(db, organization, |org| org.finish_backtest(id, node(3), (9, 9), b"{\"turns\":9}").await);
    assert!(end.unwrap());
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.backtest_report(id).await.unwrap().unwrap(), b"{\"turns\":9}");
    assert_eq!(org.backtest(id).await.unwrap().unwrap().report_digest.unwrap().len(), 32);
    assert!(!commit!(db, organization, |org| org.cancel_backtest(id).await).unwrap(), "it is over");
}

pub(crate) async fn a_cancelled_one_is_nobodys(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let other = Clinic::new(db, "B").await;
    let organization = clinic.organization;
    let policy = policy(db, organization).await;
    let [waiting, running] = [wanted(db, organization, policy).await, wanted(db, organization, policy).await];
    assert!(!commit!(db, other.organization, |org| org.cancel_backtest(running).await).unwrap());
    assert!(commit!(db, organization, |org| org.cancel_backtest(waiting).await).unwrap());
    let until = db.now().plus(LEASE);
    assert_eq!(db.claim_backtest(node(1), until).await.unwrap(), Some((organization, running)));
    assert!(commit!(db, organization, |org| org.cancel_backtest(running).await).unwrap());
    let kept = commit!(db, organization, |org| org.backtest_progress(running, node(1), (9, 9), until).await);
    assert!(!kept.unwrap());
    assert_eq!(db.claim_backtest(node(1), until).await.unwrap(), None);
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.unfinished_backtests().await.unwrap(), 0);
    assert_eq!(org.backtests(BacktestId::GREATEST, 9).await.unwrap().len(), 2);
    let mut org = db.read(other.organization).await.unwrap();
    assert!(org.backtests(BacktestId::GREATEST, 9).await.unwrap().is_empty());
    assert!(org.backtest(running).await.unwrap().is_none());
}
