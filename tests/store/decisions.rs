//! Decisions: a chain without a gap in which every change is found, and lists of them.

use std::time::Duration;

use anteroom_model::ids::{BindingId, ConversationId, DecisionId, OrganizationId, PolicyId};
use anteroom_store::{
    Actor, Decision, DecisionFilter, NewDecision, NewEvent, Org, Store, StoreError, Verified,
};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Clinic, Fresh, all_at_once, commit, raw};

fn new(org: &Org<'_>, number: i64) -> NewDecision {
    NewDecision {
        id: org.new_id(),
        conversation_id: Some(ConversationId(Uuid::from_u128(7))),
        message_id: None,
        binding_id: BindingId(Uuid::from_u128(8)),
        policy_id: PolicyId(Uuid::from_u128(9)),
        hook: "routing",
        outcome: "decided",
        fault: None,
        effect: "applied",
        fuel: number,
        memory_peak: 1,
        micros: 1,
        record: format!("{{\"number\":{number}}}").into_bytes(),
        read_patient: false,
    }
}

/// A unit of work with so many decisions and an event.
async fn decide(store: &Store, organization: OrganizationId, first: i64, count: i64) {
    commit!(store, organization, |org| {
        for number in first..first + count {
            org.insert_decision(new(&org, number))?;
        }
        let (kind, data) = ("test.event", json!({ "number": first }));
        org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Host, data });
        Ok(())
    })
    .unwrap();
}

async fn verify(store: &Store, organization: OrganizationId, from: i64, most: i64) -> Verified {
    let mut org = store.read(organization).await.unwrap();
    let end = org.decision_chain().await.unwrap();
    org.verify_decisions(&end, from, most).await.unwrap()
}

fn intact(checked: i64) -> Verified {
    Verified { checked, next: None, broken: None }
}

async fn all(store: &Store, organization: OrganizationId, filter: &DecisionFilter) -> Vec<Decision> {
    let mut org = store.read(organization).await.unwrap();
    org.decisions(filter, DecisionId::GREATEST, 1_000).await.unwrap()
}

pub(crate) async fn each_follows_on_the_one_before(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    assert_eq!(verify(db, organization, 1, 100).await, intact(0), "nothing is intact");
    decide(db, organization, 1, 3).await;
    commit!(db, organization, |org| org.insert_decision(new(&org, 4))).unwrap();
    let undone = commit!(db, organization, |org| {
        org.insert_decision(new(&org, 5))?;
        Err::<(), _>(StoreError::Conflict)
    });
    assert!(undone.is_err());
    decide(db, organization, 5, 1).await;
    let mut decisions = all(db, organization, &DecisionFilter::default()).await;
    decisions.reverse();
    let places: Vec<_> = decisions.iter().map(|decision| (decision.seq.unwrap(), decision.fuel)).collect();
    assert_eq!(places, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let keys = db.keys(organization).await.unwrap();
    assert_eq!(decisions[2].record(&keys).unwrap(), br#"{"number":3}"#);
    assert_eq!(verify(db, organization, 1, 100).await, intact(5));
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.event_bounds().await.unwrap(), (1, 2));
    let end = org.decision_chain().await.unwrap();
    assert_eq!((end.seq, &end.hash, end.outside), (5, &decisions[4].hash, 0));
}

pub(crate) async fn writes_at_once_make_one_chain(db: &Fresh) {
    let clinics = [Clinic::new(db, "A").await, Clinic::new(db, "B").await];
    let writes = (0..90).map(|number| {
        let (store, organization) = (Store::clone(db), clinics[usize::from(number % 3 == 0)].organization);
        async move { decide(&store, organization, number * 10, 1 + number % 4).await }
    });
    all_at_once(writes).await;
    let mut sum = 0;
    for clinic in &clinics {
        let verified = verify(db, clinic.organization, 1, i64::MAX).await;
        assert_eq!((verified.next, &verified.broken), (None, &None));
        sum += verified.checked;
    }
    assert_eq!(sum, (0..90).map(|number| 1 + number % 4).sum::<i64>());
}

pub(crate) async fn what_is_changed_missing_or_cut_off_is_named(db: &Fresh) {
    let tampered = [
        ("UPDATE decisions SET effect = 'none' WHERE seq = 3", (2, 3, "changed")),
        ("UPDATE decisions SET created_at = created_at + 1 WHERE seq = 1", (0, 1, "changed")),
        ("UPDATE decisions SET message_id = conversation_id WHERE seq = 6", (5, 6, "changed")),
        (
            "UPDATE decisions SET hash = (SELECT hash FROM decisions d WHERE d.seq = 2) WHERE seq = 4",
            (3, 4, "changed"),
        ),
        (
            "UPDATE decisions SET record = (SELECT record FROM decisions d WHERE d.seq = 2) WHERE seq = 4",
            (3, 4, "record_changed"),
        ),
        ("DELETE FROM decisions WHERE seq = 4", (3, 4, "missing")),
        ("UPDATE decisions SET seq = NULL WHERE seq = 4", (3, 4, "missing")),
        ("DELETE FROM decisions WHERE seq = 1", (0, 1, "missing")),
        ("DELETE FROM decisions WHERE seq > 4", (4, 5, "missing")),
        ("DELETE FROM decisions", (0, 1, "missing")),
        ("UPDATE organizations SET decision_seq = 5", (5, 6, "added")),
        (
            "UPDATE organizations SET decision_hash = (SELECT hash FROM decisions WHERE seq = 5)",
            (6, 6, "changed"),
        ),
    ];
    raw!(db, pool => {
        let clinic = Clinic::new(db, "A").await;
        decide(db, clinic.organization, 1, 6).await;
        assert_eq!(verify(db, clinic.organization, 1, 100).await, intact(6));
        let sealed: Vec<u8> =
            sqlx::query_scalar("SELECT record FROM decisions WHERE seq = 5").fetch_one(&pool).await.unwrap();
        for at in [0, 1, sealed.len() / 2, sealed.len() - 1] {
            let mut other = sealed.clone();
            other[at] ^= 1;
            let change = "UPDATE decisions SET record = $1 WHERE seq = 5";
            sqlx::query(change).bind(&other).execute(&pool).await.unwrap();
            let broken = verify(db, clinic.organization, 1, 100).await.broken.unwrap();
            assert_eq!((broken.seq, broken.kind), (5, "record_changed"), "{}", broken.what);
            sqlx::query(change).bind(&sealed).execute(&pool).await.unwrap();
        }
        let organization = clinic.organization;
        for (sql, (checked, seq, kind)) in tampered {
            sqlx::raw_sql("CREATE TABLE kept AS SELECT * FROM decisions").execute(&pool).await.unwrap();
            let end: (i64, Vec<u8>) = sqlx::query_as("SELECT decision_seq, decision_hash FROM organizations")
                .fetch_one(&pool).await.unwrap();
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
            let found = verify(db, organization, 1, 100).await;
            let broken = found.broken.expect(sql);
            assert_eq!((found.checked, broken.seq, broken.kind, found.next), (checked, seq, kind, None), "{sql}");
            sqlx::raw_sql("DELETE FROM decisions; INSERT INTO decisions SELECT * FROM kept; DROP TABLE kept")
                .execute(&pool).await.unwrap();
            sqlx::query("UPDATE organizations SET decision_seq = $1, decision_hash = $2")
                .bind(end.0).bind(end.1).execute(&pool).await.unwrap();
            assert_eq!(verify(db, organization, 1, 100).await, intact(6), "put back");
        }
    });
}

pub(crate) async fn a_part_is_verified_by_itself(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    decide(db, organization, 1, 450).await;
    let part = verify(db, organization, 1, 300).await;
    assert_eq!(part, Verified { checked: 300, next: Some(301), broken: None });
    assert_eq!(verify(db, organization, 301, 300).await, intact(150));
    assert_eq!(verify(db, organization, 451, 300).await, intact(0));
    raw!(db, pool => sqlx::raw_sql("UPDATE decisions SET fuel = 0 WHERE seq = 300").execute(&pool).await.map(drop).unwrap());
    assert!(verify(db, organization, 1, 300).await.broken.is_some());
    assert_eq!(verify(db, organization, 301, 300).await, intact(150), "it follows on what is recorded");
    // From before there was a chain.
    raw!(db, pool => sqlx::raw_sql("UPDATE decisions SET seq = NULL, hash = NULL WHERE seq < 3; \
        UPDATE decisions SET seq = seq + 1000000").execute(&pool).await.map(drop).unwrap());
    let mut org = db.read(organization).await.unwrap();
    assert_eq!(org.decision_chain().await.unwrap().outside, 2);
}

pub(crate) async fn filters_narrow_the_list(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let organization = clinic.organization;
    let begin = db.now();
    for number in 0..4 {
        commit!(db, organization, |org| {
            let mut one = new(&org, number);
            match number {
                1 => (one.outcome, one.fault, one.effect) = ("fault", Some("fuel"), "none"),
                2 => (one.hook, one.conversation_id) = ("replies", None),
                3 => one.policy_id = PolicyId(Uuid::from_u128(90)),
                _ => {}
            }
            org.insert_decision(one)
        })
        .unwrap();
        db.clock.advance(Duration::from_hours(5));
    }
    let text = |text: &str| Some(text.to_owned());
    let (conversation, policy) =
        (Some(ConversationId(Uuid::from_u128(7))), Some(PolicyId(Uuid::from_u128(9))));
    let hour = |hours| Some(begin.plus(Duration::from_hours(hours)));
    let f = DecisionFilter::default;
    for (filter, expected) in [
        (f(), &[3, 2, 1, 0][..]),
        (DecisionFilter { conversation, ..f() }, &[3, 1, 0]),
        (DecisionFilter { policy, ..f() }, &[2, 1, 0]),
        (DecisionFilter { conversation, policy, ..f() }, &[1, 0]),
        (DecisionFilter { hook: text("replies"), ..f() }, &[2]),
        (DecisionFilter { hook: text("replies"), conversation, ..f() }, &[]),
        (DecisionFilter { outcome: text("decided"), policy, ..f() }, &[2, 0]),
        (DecisionFilter { fault: text("any"), ..f() }, &[1]),
        (DecisionFilter { fault: text("fuel"), conversation, ..f() }, &[1]),
        (DecisionFilter { fault: text("trap"), ..f() }, &[]),
        (DecisionFilter { effect: text("none"), ..f() }, &[1]),
        (DecisionFilter { since: hour(5), ..f() }, &[3, 2, 1]),
        (DecisionFilter { until: hour(5), ..f() }, &[0]),
        (DecisionFilter { since: hour(1), until: hour(11), ..f() }, &[2, 1]),
        (DecisionFilter { since: hour(1), until: hour(11), conversation, ..f() }, &[1]),
    ] {
        let found: Vec<_> = all(db, organization, &filter).await.iter().map(|one| one.fuel).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}
