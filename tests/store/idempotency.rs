//! One POST with an `Idempotency-Key` makes one thing.

use anteroom_model::ids::StaffId;
use anteroom_store::{Idempotent, Store, StoreError};
use uuid::Uuid;

use crate::harness::{Clinic, Fresh, all_at_once, commit};

async fn remember(
    store: &Store,
    clinic: &Clinic,
    actor: StaffId,
    (key, request): (&'static str, &'static [u8]),
    resource: Uuid,
) -> Idempotent {
    commit!(store, clinic.organization, |org| org.remember_key(actor, key, request, resource).await).unwrap()
}

pub(crate) async fn a_key_stands_for_one_request(db: &Fresh) {
    let (clinic, other) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let request = ("key-1", b"request".as_slice());
    let me = clinic.staff;
    assert_eq!(remember(db, &clinic, me, request, one).await, Idempotent::Fresh);
    assert_eq!(remember(db, &clinic, me, request, two).await, Idempotent::Same(one));
    assert_eq!(remember(db, &clinic, me, ("key-1", b"another"), two).await, Idempotent::Misused);
    // The key is the actor's own.
    assert_eq!(remember(db, &clinic, me, ("key-2", b"request"), two).await, Idempotent::Fresh);
    assert_eq!(remember(db, &clinic, clinic.colleague, request, two).await, Idempotent::Fresh);
    assert_eq!(remember(db, &other, me, request, two).await, Idempotent::Fresh);

    let many = (10..40).map(|number| {
        let store = Store::clone(db);
        async move { remember(&store, &clinic, me, ("key-3", b"request"), Uuid::from_u128(number)).await }
    });
    let outcomes = all_at_once(many).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Idempotent::Fresh).count(), 1);
    let same: std::collections::HashSet<_> = outcomes
        .iter()
        .filter_map(|outcome| if let Idempotent::Same(id) = outcome { Some(id) } else { None })
        .collect();
    assert_eq!(same.len(), 1);
}

pub(crate) async fn a_failed_request_forgets_its_key(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let resource = Uuid::from_u128(1);
    let failed = commit!(db, clinic.organization, |org| {
        assert_eq!(org.remember_key(clinic.staff, "key", b"r", resource).await?, Idempotent::Fresh);
        Err::<(), _>(StoreError::Conflict)
    });
    assert!(failed.is_err());
    assert_eq!(remember(db, &clinic, clinic.staff, ("key", b"r"), resource).await, Idempotent::Fresh);
}
