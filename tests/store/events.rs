//! The event sequence: complete, in order, gapless.

use std::time::Duration;

use anteroom_model::ids::OrganizationId;
use anteroom_store::{Actor, NewEvent, Org, Store, StoreError};
use serde_json::json;

use crate::harness::{Clinic, Fresh, all_at_once, commit};

fn tell(org: &mut Org<'_>, number: i64) {
    let data = json!({ "number": number });
    org.tell(NewEvent { kind: "test.event", conversation_id: None, actor: Actor::Host, data });
}

async fn sequence(store: &Store, organization: OrganizationId) -> Vec<i64> {
    let mut org = store.read(organization).await.unwrap();
    let mut read = Vec::new();
    loop {
        let after = read.last().copied().unwrap_or(0);
        let page = org.events_after(after, 70).await.unwrap();
        if page.is_empty() {
            return read;
        }
        read.extend(page.into_iter().map(|event| event.seq));
    }
}

pub(crate) async fn two_hundred_writes_at_once_leave_no_gap(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let writes = (0..200).map(|number| {
        let store = Store::clone(db);
        async move {
            let told = commit!(store, clinic.organization, |org| {
                tell(&mut org, number);
                // Every seventh is taken back, and what it told with it.
                if number % 7 == 0 { Err(StoreError::Conflict) } else { Ok(()) }
            });
            (number, told.is_ok())
        }
    });
    let told: Vec<_> = all_at_once(writes).await.into_iter().filter_map(|(n, ok)| ok.then_some(n)).collect();
    let kept = (0..200).filter(|number| number % 7 != 0).count();
    assert_eq!(told.len(), kept);
    let expected: Vec<_> = (1..=i64::try_from(kept).unwrap()).collect();
    assert_eq!(sequence(db, clinic.organization).await, expected);
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.event_bounds().await.unwrap(), (1, *expected.last().unwrap()));
    for event in org.events_after(0, 200).await.unwrap() {
        let number = event.data["number"].as_i64().unwrap();
        assert!(told.contains(&number), "{number} was taken back");
    }
}

pub(crate) async fn each_organization_counts_for_itself(db: &Fresh) {
    let clinics = [Clinic::new(db, "A").await, Clinic::new(db, "B").await];
    let writes = (0..60).map(|number| {
        let store = Store::clone(db);
        let organization = clinics[usize::from(number % 3 == 0)].organization;
        async move {
            commit!(store, organization, |org| {
                tell(&mut org, number);
                Ok(())
            })
            .unwrap();
        }
    });
    all_at_once(writes).await;
    assert_eq!(sequence(db, clinics[0].organization).await, (1..=40).collect::<Vec<_>>());
    assert_eq!(sequence(db, clinics[1].organization).await, (1..=20).collect::<Vec<_>>());
}

pub(crate) async fn listeners_are_woken_after_the_commit(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let mut wakes = db.event_wakes();
    commit!(db, clinic.organization, |org| org.insert_team("nothing told").await).unwrap();
    assert!(wakes.try_recv().is_err());
    commit!(db, clinic.organization, |org| {
        tell(&mut org, 1);
        Ok(())
    })
    .unwrap();
    assert_eq!(wakes.try_recv().unwrap(), clinic.organization);
    assert_eq!(sequence(db, clinic.organization).await, [1]);
    // A text that waits wakes the pipeline, a reply the outbox, also where nobody waits yet.
    clinic.receive(db, "+15125550101", "hello").await;
    clinic.queue(db, "+15125550101", "hello").await;
    let ready = async { tokio::join!(db.inbound_ready(), db.outbound_ready()) };
    tokio::time::timeout(Duration::from_secs(5), ready).await.unwrap();
}
