//! Who must not be texted, and from which numbers.

use anteroom_model::ids::{NumberId, OptOutId};
use anteroom_store::NewOptOut;

use crate::harness::{Clinic, Fresh, commit};

const PEER: &str = "+15125550101";

async fn record(db: &Fresh, clinic: &Clinic, scope: Option<NumberId>, source: &'static str) -> bool {
    let new = NewOptOut::told_by(PEER, scope, source);
    commit!(db, clinic.organization, |org| org.record_opt_out(&new).await).unwrap().is_some()
}

async fn clear(db: &Fresh, clinic: &Clinic, number: NumberId) -> bool {
    commit!(db, clinic.organization, |org| org.clear_opt_out(PEER, number).await).unwrap()
}

/// Whether each of the clinic's two numbers must not text the peer.
async fn standing(db: &Fresh, clinic: &Clinic) -> [bool; 2] {
    let mut org = db.read(clinic.organization).await.unwrap();
    assert!(!org.is_opted_out("+15125550102", clinic.number).await.unwrap(), "nobody else has");
    [
        org.is_opted_out(PEER, clinic.number).await.unwrap(),
        org.is_opted_out(PEER, clinic.other_number).await.unwrap(),
    ]
}

pub(crate) async fn one_number_or_all(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    assert_eq!(standing(db, &clinic).await, [false, false]);
    assert!(!clear(db, &clinic, clinic.number).await, "there is none");

    assert!(record(db, &clinic, Some(clinic.number), "keyword").await);
    assert!(!record(db, &clinic, Some(clinic.number), "keyword").await, "not new");
    assert_eq!(standing(db, &clinic).await, [true, false]);
    assert!(!clear(db, &clinic, clinic.other_number).await);
    assert!(clear(db, &clinic, clinic.number).await);
    assert_eq!(standing(db, &clinic).await, [false, false]);

    assert!(record(db, &clinic, None, "keyword").await);
    assert!(!record(db, &clinic, Some(clinic.other_number), "carrier").await, "said already");
    assert_eq!(standing(db, &clinic).await, [true, true]);
    assert!(clear(db, &clinic, clinic.other_number).await, "texts again, from whichever number");
    assert_eq!(standing(db, &clinic).await, [false, false]);

    // Nothing is forgotten: each one with when it was taken back, newest first.
    let all = db.read(clinic.organization).await.unwrap().opt_outs(OptOutId::GREATEST, 10).await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.number_id, one.peer.as_str(), one.cleared_at)).collect();
    assert_eq!(told, [(None, PEER, Some(db.now())), (Some(clinic.number), PEER, Some(db.now()))]);
}

pub(crate) async fn stop_everywhere_widens_what_the_carrier_said(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    assert!(record(db, &clinic, Some(clinic.number), "carrier").await);
    assert!(record(db, &clinic, None, "keyword").await, "the patient asks for more than the carrier told");
    assert_eq!(standing(db, &clinic).await, [true, true]);
    assert!(clear(db, &clinic, clinic.number).await);
    assert_eq!(standing(db, &clinic).await, [false, false]);
}
