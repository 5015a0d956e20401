//! Verifications: counted by who claims, on which number, in which organization; locks; what is due.

use std::time::Duration;

use anteroom_model::{
    hooks::Claim,
    ids::{ConversationId, VerificationId},
    states::{LockScope, VerificationLabel, VerificationState},
};
use anteroom_store::{Attempts, ClaimedIdentity, Conversation, StoreError, Verification, VerificationLock};

use crate::harness::{Clinic, Fresh, commit};

const PEER: &str = "+15125550101";
const OTHER: &str = "+15125550102";
const DAY: Duration = Duration::from_hours(24);

async fn conversation(db: &Fresh, clinic: &Clinic, peer: &str) -> Conversation {
    let id: ConversationId = db.ids().next(db.now());
    let new = Conversation::begin(id, clinic.number, Some(clinic.facility), peer, db.now());
    let stored = new.clone();
    commit!(db, clinic.organization, |org| org.insert_conversation(&stored).await).unwrap();
    new
}

/// One that ended now, of somebody called `name`.
async fn ended(db: &Fresh, clinic: &Clinic, of: &Conversation, state: VerificationState, name: &str) {
    let mut new = Verification::begin(db.ids().next(db.now()), of.id, of.number_id, state, db.now());
    new.questions = vec!["full-name".into(), "date-of-birth".into()];
    new.ended_at = Some(db.now());
    new.claimed = Some(ClaimedIdentity {
        claims: vec![Claim { field: "last-name".into(), value: name.into() }],
        ..ClaimedIdentity::default()
    });
    let (peer, name) = (of.peer.clone(), name.to_owned());
    commit!(db, clinic.organization, |org| {
        new.identity_hash = Some(org.keys().lookup("claimed_identity", &name));
        org.insert_verification(&new, &peer).await
    })
    .unwrap();
}

async fn attempts(db: &Fresh, clinic: &Clinic, peer: &str) -> Attempts {
    let (day, hour) = (db.now().minus(DAY), db.now().minus(Duration::from_hours(1)));
    let mut org = db.read(clinic.organization).await.unwrap();
    org.verification_attempts(peer, clinic.number, day, hour).await.unwrap()
}

pub(crate) async fn attempts_count_where_they_were_made(db: &Fresh) {
    let (clinic, stranger) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let one = conversation(db, &clinic, PEER).await;
    let other = conversation(db, &clinic, OTHER).await;
    for (of, state, name) in [
        (&one, VerificationState::None, "Ruiz"),
        (&one, VerificationState::None, "Ruiz"),
        (&one, VerificationState::Several, "Park"),
        (&one, VerificationState::Matched, "Smith"),
        (&one, VerificationState::GaveUp, "Smith"),
        (&other, VerificationState::Locked, "Vega"),
    ] {
        ended(db, &clinic, of, state, name).await;
    }
    let expected = Attempts { phone: 3, identities: 2, number: 4, organization: 4 };
    assert_eq!(attempts(db, &clinic, PEER).await, expected);
    let elsewhere = Attempts { phone: 0, identities: 0, number: 0, organization: 0 };
    assert_eq!(attempts(db, &stranger, PEER).await, elsewhere, "each organization for itself");

    // An hour later only the phone's day counts.
    db.clock.advance(Duration::from_hours(2));
    let later = Attempts { phone: 3, identities: 2, number: 0, organization: 0 };
    assert_eq!(attempts(db, &clinic, PEER).await, later);
    db.clock.advance(DAY);
    assert_eq!(attempts(db, &clinic, PEER).await, elsewhere);
}

pub(crate) async fn a_verification_is_read_as_it_was_stored(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let conversation = conversation(db, &clinic, PEER).await;
    ended(db, &clinic, &conversation, VerificationState::None, "Zzyzx").await;
    let mut org = db.read(clinic.organization).await.unwrap();
    let mut found = org.verifications_of(conversation.id, 5).await.unwrap().pop().unwrap();
    assert_eq!(found.claimed.as_ref().unwrap().claims[0].value, "Zzyzx");
    assert_eq!(found.questions, ["full-name", "date-of-birth"]);
    assert!(!found.is_open() && org.open_verification(conversation.id).await.unwrap().is_none());
    assert_eq!(org.verified_at(conversation.id).await.unwrap(), None, "not matched");
    drop(org);
    let disk = db.bytes_on_disk();
    assert!(!disk.windows(5).any(|bytes| bytes == b"Zzyzx"), "claims are sealed");

    found.label = Some(VerificationLabel::Missed);
    (found.labelled_by, found.labelled_at) = (Some(clinic.staff), Some(db.now()));
    let id = found.id;
    commit!(db, clinic.organization, |org| org.update_verification(&found).await).unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    let again = org.verification(id).await.unwrap().unwrap();
    assert_eq!((again.label, again.labelled_by), (Some(VerificationLabel::Missed), Some(clinic.staff)));
    let (since, until) = (db.now(), db.now().plus(Duration::from_secs(1)));
    assert_eq!(org.labelled_verifications(since, until, 5).await.unwrap().len(), 1);
    let outcomes = org.verification_outcomes(since, until).await.unwrap();
    assert_eq!((outcomes.len(), outcomes[0].count, outcomes[0].state), (1, 1, VerificationState::None));
    assert!(org.verification_outcomes(until, until).await.unwrap().is_empty());
}

pub(crate) async fn what_is_due_is_found_and_nothing_else(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let conversation = conversation(db, &clinic, PEER).await;
    let id: VerificationId = db.ids().next(db.now());
    let mut open =
        Verification::begin(id, conversation.id, clinic.number, VerificationState::Asking, db.now());
    open.due_at = Some(db.now().plus(Duration::from_mins(5)));
    let new = open.clone();
    commit!(db, clinic.organization, |org| org.insert_verification(&new, PEER).await).unwrap();
    assert!(db.due_verifications().await.unwrap().is_empty());
    db.clock.advance(Duration::from_mins(5));
    assert_eq!(db.due_verifications().await.unwrap(), [(clinic.organization, id)]);
    assert_eq!(db.matching_verifications().await.unwrap(), 0);
    open.state = VerificationState::Matching;
    let changed = open.clone();
    commit!(db, clinic.organization, |org| org.update_verification(&changed).await).unwrap();
    assert_eq!(db.matching_verifications().await.unwrap(), 1);
    (open.state, open.ended_at, open.due_at) = (VerificationState::Matched, Some(db.now()), None);
    commit!(db, clinic.organization, |org| org.update_verification(&open).await).unwrap();
    assert!(db.due_verifications().await.unwrap().is_empty());
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.verified_at(conversation.id).await.unwrap(), Some(db.now()));
}

pub(crate) async fn a_lock_holds_whom_it_names_until_it_ends(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let conversation = conversation(db, &clinic, PEER).await.id;
    let scopes = async |peer: &'static str, number| {
        let mut org = db.read(clinic.organization).await.unwrap();
        let locks = org.locks_on(peer, number).await.unwrap();
        locks.into_iter().map(|lock| lock.scope).collect::<Vec<_>>()
    };
    let lock = async |scope, minutes| {
        let until = db.now().plus(Duration::from_mins(minutes));
        let (number, created_at) = (clinic.number, db.now());
        let conversation_id = Some(conversation);
        let lock = VerificationLock { scope, reason: "attempts".into(), conversation_id, created_at, until };
        commit!(db, clinic.organization, |org| org.lock_verification(PEER, number, &lock).await).unwrap();
    };
    assert!(scopes(PEER, clinic.number).await.is_empty());
    lock(LockScope::Phone, 10).await;
    assert_eq!(scopes(PEER, clinic.other_number).await, [LockScope::Phone], "on every number");
    assert!(scopes(OTHER, clinic.number).await.is_empty());
    lock(LockScope::Number, 5).await;
    assert_eq!(scopes(OTHER, clinic.number).await, [LockScope::Number]);
    assert!(scopes(OTHER, clinic.other_number).await.is_empty());
    db.clock.advance(Duration::from_mins(6));
    assert_eq!(scopes(PEER, clinic.number).await, [LockScope::Phone]);
    lock(LockScope::Organization, 60).await;
    assert_eq!(scopes(OTHER, clinic.other_number).await, [LockScope::Organization]);
    let ended = commit!(db, clinic.organization, |org| {
        let ended = org.unlock_verification(conversation).await?;
        Ok::<_, StoreError>(ended)
    })
    .unwrap();
    assert_eq!(ended, 2);
    assert!(scopes(PEER, clinic.number).await.is_empty());
    let mut org = db.read(clinic.organization).await.unwrap();
    assert!(org.verification_locks(10).await.unwrap().is_empty());
}
