//! The patient directory: what is kept, how it is changed, by what it is found.

use anteroom_model::{
    ids::{AuditId, CaregiverId, ChangeId, ConversationId, PatientId},
    states::{PatientKind, PatientState, PhoneKind, PhoneOwner},
};
use anteroom_store::{
    By, Caregiver, Contact, Conversation, Deletion, Exchange, ExternalId, NewPatient, Phone, PhoneOwnership,
    Profile, Record, RecordChange, SearchPosition, StoreError, Upserted,
};
use serde_json::json;

use crate::harness::{Clinic, Fresh, commit, raw};

pub(crate) fn named(first: &str, last: &str) -> NewPatient {
    let profile = Profile { first_name: first.into(), last_name: last.into(), ..Profile::default() };
    NewPatient { profile, ..NewPatient::default() }
}

pub(crate) fn mrn(value: &str) -> ExternalId {
    ExternalId { source: "athena".into(), kind: "mrn".into(), value: value.into() }
}

fn born(mut new: NewPatient, date: &str) -> NewPatient {
    new.profile.date_of_birth = Some(date.into());
    new
}

pub(crate) fn with_phone(mut new: NewPatient, phone: &str) -> NewPatient {
    new.phones.push(phone.into());
    new
}

/// Adds patients and gives their ids in order.
pub(crate) async fn add(db: &Fresh, clinic: Clinic, all: Vec<NewPatient>) -> Vec<PatientId> {
    commit!(db, clinic.organization, |org| {
        let by = By::staff(clinic.staff);
        let mut ids = Vec::new();
        for new in &all {
            ids.push(org.create_patient(new, &by).await?);
        }
        Ok(ids)
    })
    .unwrap()
}

/// Whom a search finds, in its order.
async fn search(db: &Fresh, clinic: &Clinic, text: &str) -> Vec<PatientId> {
    let mut org = db.read(clinic.organization).await.unwrap();
    let page = org.search_patients(text, SearchPosition::default(), 50).await.unwrap();
    assert!(page.next.is_none(), "{text:?} goes on");
    page.found.into_iter().map(|found| found.patient.id).collect()
}

async fn read(db: &Fresh, clinic: &Clinic, id: PatientId) -> Record {
    db.read(clinic.organization).await.unwrap().record(id).await.unwrap().unwrap()
}

/// Changes a record as staff do.
pub(crate) async fn edit(
    db: &Fresh,
    clinic: Clinic,
    id: PatientId,
    edit: impl FnOnce(&mut Record) + Send + 'static,
) -> RecordChange {
    commit!(db, clinic.organization, |org| {
        let before = org.record_to_change(id).await?.unwrap();
        let mut after = before.clone();
        edit(&mut after);
        org.store_record(&before, &after, &By::staff(clinic.staff)).await
    })
    .unwrap()
}

pub(crate) async fn staff_find_people_as_they_type(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let mut nunez = with_phone(born(named("María José", "Núñez-O'Neill"), "1985-03-04"), "+15125550101");
    nunez.profile.preferred_name = Some("Majo".into());
    nunez.profile.former_names = vec!["Delgado".into()];
    nunez.external_ids = vec![mrn("A-00123")];
    let ids = add(
        db,
        clinic,
        vec![
            nunez,
            with_phone(born(named("John", "Smith"), "1985-04-03"), "+15125550102"),
            born(named("Joan", "Smithers"), "1990-12-31"),
            with_phone(named("Ann", "Lee"), "+15125550101"),
            named("Leeann", "Jo"),
        ],
    )
    .await;
    let [maria, john, smithers, ann, leeann] = ids[..] else { panic!("five were added") };
    for (text, expected) in [
        ("nunez", &[maria][..]),
        ("Núñez O'Neill, María", &[maria]),
        ("jose nun", &[maria]),
        ("nuñezoneill", &[maria]),
        ("delgado", &[maria]),
        ("majo", &[maria]),
        ("mari delg", &[maria]),
        ("smith", &[john, smithers]),
        ("smithe", &[smithers]),
        ("smitherson", &[]),
        ("j smith", &[john, smithers]),
        ("jo", &[leeann, smithers, john, maria]),
        ("lee", &[ann, leeann]),
        ("smith lee", &[]),
        ("3/4/1985", &[maria, john]),
        ("1985-03-04", &[maria]),
        ("4 de abril de 1985", &[]),
        ("april 3rd 1985", &[john]),
        ("31.12.1990 smi", &[smithers]),
        ("smith 12/31/90", &[smithers]),
        ("0101", &[ann, maria]),
        ("(512) 555-0102", &[john]),
        ("555 0102", &[john]),
        ("5550199", &[]),
        ("lee 0101", &[ann]),
        ("a00123", &[maria]),
        ("MRN A-00123", &[maria]),
        ("123", &[]),
        ("j", &[]),
    ] {
        let mut found = search(db, &clinic, text).await;
        let mut expected = expected.to_vec();
        // Whole words come before beginnings; among these the order is that of names.
        if !["lee", "smith"].contains(&text) {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{text:?}");
    }

    // What is no longer said is no longer found.
    edit(db, clinic, maria, |record| {
        record.patient.profile.last_name = "Ruiz".into();
        record.patient.profile.former_names.clear();
        record.phones.clear();
        record.external_ids = vec![mrn("B-7")];
    })
    .await;
    for (text, expected) in [
        ("nunez", &[][..]),
        ("delgado", &[]),
        ("0101", &[ann]),
        ("a00123", &[]),
        ("b7", &[maria]),
        ("ruiz maria", &[maria]),
    ] {
        assert_eq!(search(db, &clinic, text).await, expected, "{text:?}");
    }
    let words = "SELECT COUNT(*) FROM patient_words";
    let before: i64 = raw!(db, pool => sqlx::query_scalar(words).fetch_one(&pool).await.unwrap());
    edit(db, clinic, maria, |record| record.patient.profile.last_name = "Núñez".into()).await;
    edit(db, clinic, maria, |record| record.patient.profile.last_name = "Ruiz".into()).await;
    let after: i64 = raw!(db, pool => sqlx::query_scalar(words).fetch_one(&pool).await.unwrap());
    assert_eq!(before, after, "words that nobody has any more are gone");
}

pub(crate) async fn a_search_is_read_page_by_page(db: &Fresh) {
    const MANY: usize = 700;
    let clinic = Clinic::new(db, "A").await;
    let mut all: Vec<_> = (0..MANY).map(|at| named(&format!("Pat{at}"), "Garciaparra")).collect();
    all.extend((0..30).map(|at| named(&format!("Pat{at}"), "Garcia")));
    let ids = add(db, clinic, all).await;
    let mut org = db.read(clinic.organization).await.unwrap();
    let mut found = Vec::new();
    let mut position = SearchPosition::default();
    let mut pages = 0;
    loop {
        let page = org.search_patients("garcia", position, 20).await.unwrap();
        assert!(page.found.len() <= 20);
        found.extend(page.found.into_iter().map(|found| found.patient.id));
        pages += 1;
        match page.next {
            Some(next) => position = next,
            None => break,
        }
    }
    assert!(found[..30].iter().all(|id| ids[MANY..].contains(id)), "the exact ones come first");
    assert_eq!(pages, (MANY + 30).div_ceil(20));
    found.sort();
    let mut expected = ids.clone();
    expected.sort();
    assert_eq!(found, expected, "each one once");
}

pub(crate) async fn rows_from_before_are_indexed_later(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = add(db, clinic, vec![named("Ana", "Morales"), named("Luis", "Morales")]).await;
    // As a node of the last version adds them.
    raw!(db, pool => {
        sqlx::query("DELETE FROM patient_words").execute(&pool).await.unwrap();
        sqlx::query("UPDATE patients SET indexed = FALSE").execute(&pool).await.unwrap();
    });
    assert_eq!(search(db, &clinic, "morales").await, []);
    let waiting = db.patients_to_index().await.unwrap();
    assert_eq!(waiting.len(), 2);
    for (organization, id) in waiting {
        commit!(db, organization, |org| org.index_patient(id).await).unwrap();
    }
    assert_eq!(search(db, &clinic, "morales").await, ids);
    assert_eq!(db.patients_to_index().await.unwrap(), []);
}

pub(crate) async fn every_change_is_told_audited_and_remembered(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = add(db, clinic, vec![with_phone(named("Ana", "Morales"), "+15125550101")]).await[0];
    let stored = edit(db, clinic, id, |record| {
        record.patient.profile.last_name = "Ruiz".into();
        record.phones[0].kind = PhoneKind::Home;
    })
    .await;
    assert_eq!(stored, RecordChange::Stored(2));
    assert_eq!(edit(db, clinic, id, |_| ()).await, RecordChange::Same);
    let mut org = db.read(clinic.organization).await.unwrap();
    let profile = org.patient(id).await.unwrap().unwrap().profile;
    drop(org);
    let outdated = commit!(db, clinic.organization, |org| {
        let mut other = profile.clone();
        other.first_name = "Anna".into();
        org.update_patient(id, Some(1), other, &By::staff(clinic.colleague)).await
    });
    assert_eq!(outdated.unwrap(), RecordChange::Outdated);

    let mut org = db.read(clinic.organization).await.unwrap();
    let changes = org.patient_changes(id, ChangeId::GREATEST, 9).await.unwrap();
    let kinds: Vec<_> = changes.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["patient.changed", "patient.created"]);
    assert_eq!(changes[0].actor_id, Some(clinic.staff));
    assert_eq!(changes[0].data["before"]["last_name"], "Morales");
    assert_eq!(changes[0].data["after"]["last_name"], "Ruiz");
    assert_eq!(changes[0].data["before"]["phones"][0]["kind"], "mobile");
    assert!(changes[0].data["before"].get("first_name").is_none(), "only what changed");
    let events = org.events_after(0, 99).await.unwrap();
    let told: Vec<_> = events.iter().filter(|event| event.kind.starts_with("patient.")).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].data, json!({ "patient_id": id, "fields": ["last_name", "phones"] }), "no names");
    let audit = org.audit(AuditId::GREATEST, 9).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| (entry.action.as_str(), entry.subject)).collect();
    assert_eq!(actions, [("patient.changed", Some(id.0)), ("patient.created", Some(id.0))]);
}

pub(crate) async fn a_phone_says_who_only_where_it_is_one_persons(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (own, family, mothers, carers) = ("+15125550101", "+15125550102", "+15125550103", "+15125550104");
    let shared = Phone { owner: PhoneOwner::Shared, ..Phone::from(family) };
    let ids = add(
        db,
        clinic,
        vec![
            with_phone(named("Ana", "Morales"), own),
            NewPatient { phones: vec![shared], ..named("John", "Smith") },
            with_phone(named("Leah", "Cohen"), mothers),
            named("Noah", "Cohen"),
            named("Ruth", "Berg"),
        ],
    )
    .await;
    let [ana, _, leah, noah, ruth] = ids[..] else { panic!("five were added") };
    let care = move |patient, contact: Option<&str>| Caregiver {
        id: CaregiverId(uuid::Uuid::from_u128(if contact.is_some() { 1 } else { 2 })),
        relation: "mother".into(),
        patient,
        contact: contact.map(|phone| Contact { name: "Dina".into(), phone: Some(phone.into()) }),
    };
    edit(db, clinic, noah, move |record| record.caregivers = vec![care(Some(leah), None)]).await;
    edit(db, clinic, ruth, move |record| record.caregivers = vec![care(None, Some(carers))]).await;
    let owner =
        async |phone| db.read(clinic.organization).await.unwrap().phone_ownership(phone).await.unwrap();
    assert_eq!(owner(own).await, PhoneOwnership::One(ana));
    assert_eq!(owner(family).await, PhoneOwnership::Several, "marked as shared");
    assert_eq!(owner(mothers).await, PhoneOwnership::Several, "the mother's: it may be about her child");
    assert_eq!(owner(carers).await, PhoneOwnership::One(ruth), "a contact who is no patient");
    assert_eq!(owner("+15125550199").await, PhoneOwnership::Nobody);
    assert_eq!(read(db, &clinic, ruth).await.phones, [], "a contact's phone is not the patient's");
    assert_eq!(search(db, &clinic, "0104").await, [ruth], "but finds them");
    edit(db, clinic, ruth, |record| record.caregivers.clear()).await;
    assert_eq!(owner(carers).await, PhoneOwnership::Nobody);
    edit(db, clinic, noah, |record| record.caregivers.clear()).await;
    assert_eq!(owner(mothers).await, PhoneOwnership::One(leah));
}

pub(crate) async fn a_roster_is_taken_over_once(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let upsert = async |value: &'static str, new: NewPatient| {
        commit!(db, clinic.organization, |org| {
            org.upsert_patient_by_external_id("athena", "mrn", value, &new, &By::host("roster")).await
        })
    };
    let ana = || with_phone(born(named("Ana", "Morales"), "1985-03-04"), "+15125550101");
    let (id, outcome) = upsert("00123", ana()).await.unwrap();
    assert_eq!(outcome, Upserted::Created);
    assert_eq!(upsert("00123", ana()).await.unwrap(), (id, Upserted::Same));
    assert_eq!(upsert(" 00-123", ana()).await.unwrap(), (id, Upserted::Same), "punctuation says nothing");
    assert_ne!(upsert("123", named("Zoe", "Adams")).await.unwrap().0, id, "zeros do");
    // Staff add a phone; the roster changes its own.
    edit(db, clinic, id, |record| record.phones.push("+15125550108".into())).await;
    let moved = with_phone(born(named("Ana", "Ruiz"), "1985-03-04"), "+15125550109");
    assert_eq!(upsert("00123", moved).await.unwrap(), (id, Upserted::Changed));
    let record = read(db, &clinic, id).await;
    let mut numbers: Vec<_> = record.phones.iter().map(|phone| phone.number.as_str()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["+15125550108", "+15125550109"]);
    assert_eq!(record.patient.profile.former_names, ["Morales"]);
    // Another patient's id is refused, and nothing of it is kept.
    let mut thief = named("Mal", "Ory");
    thief.external_ids = vec![mrn("00123")];
    assert!(matches!(upsert("777", thief).await, Err(StoreError::Conflict)));
    assert_eq!(search(db, &clinic, "ory").await, []);
    // A deleted patient is not brought back.
    let deleted = commit!(db, clinic.organization, |org| {
        org.delete_patient(id, None, &By::staff(clinic.staff)).await
    });
    assert!(matches!(deleted.unwrap(), Deletion::Done(_)));
    assert_eq!(upsert("00123", ana()).await.unwrap(), (id, Upserted::Deleted));
    assert_eq!(search(db, &clinic, "morales").await, []);
}

pub(crate) async fn a_deleted_patient_leaves_texts_and_nothing_else(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let phone = "+15125550101";
    let mut ana = with_phone(born(named("Ana", "Morales"), "1985-03-04"), phone);
    ana.external_ids = vec![mrn("1")];
    let ids =
        add(db, clinic, vec![ana, with_phone(named("Anna", "Morales"), phone), named("Noah", "Morales")])
            .await;
    let [ana, twin, noah] = ids[..] else { panic!("three were added") };
    edit(db, clinic, noah, move |record| {
        let id = CaregiverId(uuid::Uuid::from_u128(1));
        record.caregivers =
            vec![Caregiver { id, relation: "mother".into(), patient: Some(ana), contact: None }];
    })
    .await;
    let conversation = commit!(db, clinic.organization, |org| {
        let by = By { reason: Some("typed twice".into()), ..By::staff(clinic.staff) };
        org.merge_patients((ana, None), (twin, None), &by).await?;
        let id: ConversationId = org.new_id();
        let mut c = Conversation::begin(id, clinic.number, None, phone, org.now());
        c.patient_id = Some(twin);
        let answer = Some("Ana Morales".into());
        c.exchanges = vec![Exchange { question: "name".into(), prompt: "Name?".into(), answer }];
        org.insert_conversation(&c).await?;
        Ok(id)
    })
    .unwrap();
    let delete = async |expected| {
        commit!(db, clinic.organization, |org| {
            org.delete_patient(ana, expected, &By::staff(clinic.staff)).await
        })
        .unwrap()
    };
    let version = read(db, &clinic, ana).await.patient.version;
    assert_eq!(delete(Some(version - 1)).await, Deletion::Outdated(version));
    let Deletion::Done(deleted) = delete(Some(version)).await else { panic!("it was to be deleted") };
    assert_eq!((deleted.records, deleted.conversations), (vec![ana, twin], vec![conversation]));
    assert_eq!(delete(None).await, Deletion::NotFound);

    let mut org = db.read(clinic.organization).await.unwrap();
    let now = org.conversation(conversation).await.unwrap().unwrap();
    assert_eq!((now.patient_id, now.exchanges.len(), now.version), (deleted.placeholder, 0, 2));
    let stand_in = org.patient(deleted.placeholder.unwrap()).await.unwrap().unwrap();
    assert_eq!(stand_in.kind, PatientKind::Placeholder);
    for id in [ana, twin] {
        let gone = org.patient(id).await.unwrap().unwrap();
        assert_eq!((gone.id, gone.state), (ana, PatientState::Deleted));
        let record = org.record(id).await.unwrap().unwrap();
        assert!(record.patient.profile == Profile::default() && record.phones.is_empty());
        assert!(record.caregivers.is_empty() && record.external_ids.is_empty());
        assert!(org.merges_of(id).await.unwrap()[0].before.is_null());
        let changes = org.patient_changes(id, ChangeId::GREATEST, 9).await.unwrap();
        let (last, before) = changes.split_first().unwrap();
        let kept = if id == ana { before } else { &changes[..] };
        assert!(kept.iter().all(|change| change.data.is_null()));
        assert_eq!(id == ana, last.kind == "patient.deleted");
    }
    assert_eq!(org.patients_by_phone(phone).await.unwrap().len(), 0);
    assert_eq!(org.patients_by_birth_date("1985-03-04").await.unwrap().len(), 0);
    assert!(org.record(noah).await.unwrap().unwrap().caregivers.is_empty());
    drop(org);
    for text in ["ana", "anna", "0101", "mrn 1", "1985-03-04"] {
        assert_eq!(search(db, &clinic, text).await, [], "{text}");
    }
    assert_eq!(search(db, &clinic, "morales").await, [noah]);
    let left = "SELECT COUNT(*) FROM patient_words w JOIN patients p ON p.id = w.patient_id WHERE p.state = 'deleted'";
    let left: i64 = raw!(db, pool => sqlx::query_scalar(left).fetch_one(&pool).await.unwrap());
    assert_eq!(left, 0);
}
