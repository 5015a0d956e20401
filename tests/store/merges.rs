//! Merging and taking apart: whatever the order, every conversation leads to exactly one patient, and an undo
//! finds what was there.

use std::{collections::BTreeMap, time::Duration};

use anteroom_model::{
    ids::{ConversationId, MergeId, PatientId},
    states::{Identity, PatientKind, PatientState},
};
use anteroom_store::{
    By, Conversation, ConversationChange, MergeRefusal, Merged, NewPatient, Profile, SearchPosition,
    UndoRefusal, Undone,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::{
    directory::{add, mrn, named},
    harness::{Clinic, Fresh, all_at_once, commit, raw},
};

async fn merge(db: &Fresh, clinic: Clinic, survivor: PatientId, absorbed: PatientId) -> Merged {
    commit!(db, clinic.organization, |org| {
        let by = By { reason: Some("one person".into()), ..By::staff(clinic.staff) };
        org.merge_patients((survivor, None), (absorbed, None), &by).await
    })
    .unwrap()
}

async fn merged(db: &Fresh, clinic: Clinic, survivor: PatientId, absorbed: PatientId) -> MergeId {
    match merge(db, clinic, survivor, absorbed).await {
        Merged::Done(id) => id,
        Merged::Refused(why) => panic!("refused: {why:?}"),
    }
}

async fn undo(db: &Fresh, clinic: Clinic, id: MergeId) -> Undone {
    commit!(db, clinic.organization, |org| org.undo_merge(id, &By::staff(clinic.colleague)).await).unwrap()
}

async fn converse(db: &Fresh, clinic: Clinic, patient: PatientId, phone: String) -> ConversationId {
    commit!(db, clinic.organization, |org| {
        let id: ConversationId = org.new_id();
        let mut c = Conversation::begin(id, clinic.number, None, &phone, org.now());
        c.patient_id = Some(patient);
        org.insert_conversation(&c).await?;
        Ok(id)
    })
    .unwrap()
}

/// Whom each conversation leads to, by what the patient's own page would show.
async fn reachable(db: &Fresh, clinic: &Clinic) -> BTreeMap<ConversationId, Vec<PatientId>> {
    let mut org = db.read(clinic.organization).await.unwrap();
    let mut found: BTreeMap<ConversationId, Vec<PatientId>> = BTreeMap::new();
    for patient in org.patients(PatientId::LEAST, 1_000).await.unwrap() {
        let records = org.record_ids_of(patient.id).await.unwrap();
        for conversation in org.conversations_of_patients(&records).await.unwrap() {
            found.entry(conversation).or_default().push(patient.id);
        }
    }
    found
}

/// Every column of the patients' rows but the version, and every row that belongs to them, as stored.
async fn bytes(db: &Fresh) -> Vec<String> {
    // Both engines give bytes as hexadecimal text this way.
    let (hex, as_text) = match db.raw().await {
        crate::harness::Raw::Sqlite(_) => ("hex", "CAST"),
        crate::harness::Raw::Postgres(_) => ("encode", "CAST"),
    };
    let hex = |column: &str| match hex {
        "hex" => format!("COALESCE(hex({column}), '-')"),
        _ => format!("COALESCE(encode({column}::text::bytea, 'hex'), '-')"),
    };
    let text = |column: &str| format!("COALESCE({as_text}({column} AS TEXT), '-')");
    let row = |columns: &[&str], texts: &[&str], table: &str| {
        let parts: Vec<_> =
            columns.iter().map(|column| hex(column)).chain(texts.iter().map(|column| text(column))).collect();
        format!("SELECT '{table} ' || {} FROM {table}", parts.join(" || ' ' || "))
    };
    let queries = [
        row(
            &[
                "id",
                "profile",
                "label_hash",
                "last_name_hash",
                "birth_date_hash",
                "merged_into",
                "survivor_id",
            ],
            &["kind", "state", "created_at", "updated_at", "deleted_at", "indexed"],
            "patients",
        ),
        row(
            &["phone_hash", "patient_id", "phone", "caregiver_id"],
            &["kind", "owner", "preferred", "source"],
            "patient_phones",
        ),
        row(&["value_hash", "patient_id", "value"], &["source", "kind"], "patient_external_ids"),
        row(&["id", "patient_id", "caregiver_id", "data"], &[], "patient_caregivers"),
        row(&["word_hash", "patient_id"], &[], "patient_words"),
    ];
    let mut all = Vec::new();
    for query in queries {
        let query = sqlx::AssertSqlSafe(query);
        let rows: Vec<String> = raw!(db, pool => sqlx::query_scalar(query).fetch_all(&pool).await.unwrap());
        assert!(!rows.is_empty() || all.len() > 2);
        all.extend(rows);
    }
    all.sort();
    all
}

fn person(number: usize) -> NewPatient {
    let mut new = named("Ana", &format!("Morales{number}"));
    new.profile.date_of_birth = Some("1985-03-04".into());
    new.phones = vec![format!("+1512555{:04}", 100 + number).into()];
    new.external_ids = vec![mrn(&number.to_string())];
    new
}

async fn people(db: &Fresh, clinic: Clinic, many: usize) -> Vec<PatientId> {
    add(db, clinic, (0..many).map(person).collect()).await
}

pub(crate) async fn an_undo_restores_every_byte(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = people(db, clinic, 3).await;
    let [a, b, c] = ids[..] else { panic!("three were added") };
    let chat = converse(db, clinic, a, "+15125550100".into()).await;
    let before = bytes(db).await;
    let first = merged(db, clinic, b, a).await;
    let second = merged(db, clinic, c, b).await;
    assert_ne!(bytes(db).await, before);

    let mut org = db.read(clinic.organization).await.unwrap();
    for id in [a, b, c] {
        assert_eq!(org.patient(id).await.unwrap().unwrap().id, c);
        assert_eq!(org.resolve_patient(id).await.unwrap(), Some(c));
    }
    assert_eq!(org.record_ids_of(c).await.unwrap().len(), 3);
    assert_eq!(org.phones_of(c).await.unwrap().len(), 3);
    // Found by anything of any record, and shown as the survivor.
    for text in ["morales0", "0100", "mrn 1"] {
        let page = org.search_patients(text, SearchPosition::default(), 9).await.unwrap();
        assert_eq!(page.found.iter().map(|found| found.patient.id).collect::<Vec<_>>(), [c], "{text}");
    }
    let found = org.search_patients("morales", SearchPosition::default(), 9).await.unwrap().found;
    assert_eq!(found.len(), 1, "one person once");
    assert_eq!(org.patients_by_phone("+15125550100").await.unwrap()[0].id, c);
    // A date of birth is only believed of the survivor's own record.
    assert_eq!(org.patients_by_birth_date("1985-03-04").await.unwrap().len(), 1);
    assert_eq!(org.events_of(chat, i64::MAX, 9).await.unwrap().len(), 2, "its timeline tells of both");
    drop(org);

    // In the order in which they were made: the first takes A out of B, which stays in C.
    assert_eq!(undo(db, clinic, first).await, Undone::Done { exact: true });
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.resolve_patient(a).await.unwrap(), Some(a));
    assert_eq!(org.resolve_patient(b).await.unwrap(), Some(c));
    drop(org);
    assert_eq!(undo(db, clinic, second).await, Undone::Done { exact: true });
    assert_eq!(bytes(db).await, before);
    assert_eq!(reachable(db, &clinic).await, [(chat, vec![a])].into());
    let again = undo(db, clinic, second).await;
    assert!(
        matches!(again, Undone::Refused(UndoRefusal::UndoneAlready(Some(by), _)) if by == clinic.colleague)
    );

    // And in the other order.
    let first = merged(db, clinic, b, a).await;
    let second = merged(db, clinic, c, b).await;
    assert_eq!(undo(db, clinic, second).await, Undone::Done { exact: true });
    assert_eq!(db.read(clinic.organization).await.unwrap().resolve_patient(a).await.unwrap(), Some(b));
    assert_eq!(undo(db, clinic, first).await, Undone::Done { exact: true });
    assert_eq!(bytes(db).await, before);
}

pub(crate) async fn what_came_since_stays(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = people(db, clinic, 2).await;
    let (a, b) = (ids[0], ids[1]);
    let old = converse(db, clinic, a, "+15125550100".into()).await;
    let id = merged(db, clinic, b, a).await;
    // A new conversation is linked to the survivor; the roster goes on with the record that it knows.
    let new = converse(db, clinic, b, "+15125550199".into()).await;
    commit!(db, clinic.organization, |org| {
        let moved = NewPatient { profile: named("Ana", "Ruiz").profile, ..NewPatient::default() };
        org.upsert_patient_by_external_id("athena", "mrn", "0", &moved, &By::host("roster")).await
    })
    .unwrap();
    assert_eq!(undo(db, clinic, id).await, Undone::Done { exact: false });
    assert_eq!(reachable(db, &clinic).await, [(old, vec![a]), (new, vec![b])].into());
    let mut org = db.read(clinic.organization).await.unwrap();
    let profile = org.patient(a).await.unwrap().unwrap().profile;
    assert_eq!((profile.last_name.as_str(), profile.former_names), ("Ruiz", vec!["Morales0".to_owned()]));
    let merge = org.merge(id).await.unwrap().unwrap();
    assert_eq!(merge.before["absorbed"]["profile"]["last_name"], "Morales0", "how it was is still known");
    assert_eq!(merge.reason.as_deref(), Some("one person"));
}

pub(crate) async fn what_can_not_be_merged_is_refused(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = people(db, clinic, 3).await;
    let [a, b, c] = ids[..] else { panic!("three were added") };
    let guest = commit!(db, clinic.organization, |org| org.insert_placeholder().await).unwrap();
    let refused = async |survivor, absorbed| match merge(db, clinic, survivor, absorbed).await {
        Merged::Refused(why) => why,
        Merged::Done(_) => panic!("merged"),
    };
    assert_eq!(refused(a, a).await, MergeRefusal::Same);
    assert_eq!(refused(a, PatientId::LEAST).await, MergeRefusal::NotFound(PatientId::LEAST));
    assert_eq!(refused(guest, a).await, MergeRefusal::PlaceholderSurvives);
    let outdated = commit!(db, clinic.organization, |org| {
        org.merge_patients((a, Some(9)), (b, None), &By::staff(clinic.staff)).await
    });
    assert_eq!(outdated.unwrap(), Merged::Refused(MergeRefusal::Outdated(a, 1)));
    let id = merged(db, clinic, a, b).await;
    let before = MergeRefusal::MergedAlready(b, a, Some(clinic.staff));
    assert_eq!(refused(c, b).await, before);
    assert_eq!(refused(b, c).await, before);
    assert_eq!(refused(a, b).await, before);
    db.clock.advance(Duration::from_hours(30 * 24 + 1));
    assert!(matches!(undo(db, clinic, id).await, Undone::Refused(UndoRefusal::Expired(_))));
    // A placeholder is taken in by a person, and its name is never used again.
    merged(db, clinic, a, guest).await;
    let taken = db.read(clinic.organization).await.unwrap().patient_record(guest).await.unwrap().unwrap();
    assert_eq!((taken.kind, taken.state), (PatientKind::Placeholder, PatientState::Merged));
    let again = Profile { placeholder_name: taken.profile.placeholder_name, ..Profile::default() };
    let again = NewPatient { kind: PatientKind::Placeholder, profile: again, ..NewPatient::default() };
    assert!(commit!(db, clinic.organization, |org| org.insert_patient(&again).await).is_err());
}

/// Something done to a few patients, by their places in the list; an undo takes the n-th merge.
#[derive(Clone, Copy, Debug)]
enum Step {
    Merge(usize, usize),
    Undo(usize),
    Text(usize),
}

/// What the directory promises, said in the shortest way: a forest of merges.
#[derive(Default)]
struct Model {
    into: BTreeMap<usize, (usize, usize)>,
    merges: Vec<(usize, usize, bool)>,
    conversations: Vec<usize>,
}

impl Model {
    fn top(&self, mut patient: usize) -> usize {
        while let Some((into, _)) = self.into.get(&patient) {
            patient = *into;
        }
        patient
    }

    /// Whether it is done.
    fn merge(&mut self, survivor: usize, absorbed: usize) -> bool {
        let free = |patient| !self.into.contains_key(&patient);
        let can = survivor != absorbed && free(survivor) && free(absorbed);
        if can {
            self.into.insert(absorbed, (survivor, self.merges.len()));
            self.merges.push((survivor, absorbed, true));
        }
        can
    }

    fn undo(&mut self, merge: usize) -> bool {
        let Some((_, absorbed, stands)) = self.merges.get_mut(merge) else { return false };
        let stood = std::mem::take(stands);
        if stood {
            self.into.remove(absorbed);
        }
        stood
    }
}

const PATIENTS: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..PATIENTS, 0..PATIENTS).prop_map(|(survivor, absorbed)| Step::Merge(survivor, absorbed)),
        3 => (0..8_usize).prop_map(Step::Undo),
        2 => (0..PATIENTS).prop_map(Step::Text),
    ]
}

proptest! {
    /// Without a database, and so of many more sequences: nobody is lost, nobody is doubled, and once every merge
    /// is undone, in whatever order, everybody stands for themselves.
    #[test]
    fn the_model_keeps_its_promise(steps in prop::collection::vec(step(), 0..60), rest in any::<u64>()) {
        let mut model = Model::default();
        for step in &steps {
            match *step {
                Step::Merge(survivor, absorbed) => {
                    model.merge(survivor, absorbed);
                }
                Step::Undo(merge) => {
                    model.undo(merge);
                }
                Step::Text(patient) => model.conversations.push(model.top(patient)),
            }
            let tops = (0..PATIENTS).filter(|patient| !model.into.contains_key(patient)).count();
            let standing = model.merges.iter().filter(|(.., stands)| *stands).count();
            prop_assert_eq!(tops + standing, PATIENTS);
            for patient in &model.conversations {
                prop_assert!(!model.into.contains_key(&model.top(*patient)));
            }
        }
        let mut left: Vec<usize> = (0..model.merges.len()).collect();
        let mut order = rest;
        while !left.is_empty() {
            let at = usize::try_from(order % left.len() as u64).unwrap();
            order = order.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let merge = left.swap_remove(at);
            model.undo(merge);
            prop_assert!(!model.undo(merge), "twice");
        }
        prop_assert!((0..PATIENTS).all(|patient| model.top(patient) == patient));
    }
}

/// The sequences that were drawn, each on new patients of one database.
fn sequences(many: u32) -> Vec<Vec<Step>> {
    let mut runner = TestRunner::new_with_rng(
        Config { cases: many, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let strategy = prop::collection::vec(step(), 1..24);
    (0..many).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

pub(crate) async fn any_sequence_keeps_each_text_reachable_once(db: &Fresh) {
    for steps in sequences(24) {
        let clinic = Clinic::new(db, "A").await;
        let ids = people(db, clinic, PATIENTS).await;
        let (mut model, mut merges, mut chats) = (Model::default(), Vec::new(), Vec::new());
        for (at, step) in steps.iter().enumerate() {
            match *step {
                Step::Merge(survivor, absorbed) => {
                    let done = merge(db, clinic, ids[survivor], ids[absorbed]).await;
                    assert_eq!(matches!(done, Merged::Done(_)), model.merge(survivor, absorbed), "{steps:?}");
                    if let Merged::Done(id) = done {
                        merges.push(id);
                    }
                }
                Step::Undo(merge) => {
                    let expected = model.undo(merge);
                    if let Some(id) = merges.get(merge) {
                        let done = undo(db, clinic, *id).await;
                        assert_eq!(done == Undone::Done { exact: true }, expected, "{steps:?}");
                    }
                }
                // Linked to whoever the patient is known as, as the pipeline does.
                Step::Text(patient) => {
                    let top = model.top(patient);
                    chats.push(converse(db, clinic, ids[top], format!("+1512444{at:04}")).await);
                    model.conversations.push(top);
                }
            }
            let expected: BTreeMap<_, _> = chats
                .iter()
                .zip(&model.conversations)
                .map(|(chat, patient)| (*chat, vec![ids[model.top(*patient)]]))
                .collect();
            assert_eq!(reachable(db, &clinic).await, expected, "after {at} of {steps:?}");
        }
    }
}

pub(crate) async fn fifty_at_once_leave_one_survivor(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = people(db, clinic, 5).await;
    let before = bytes(db).await;
    let mut chats = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        chats.push(converse(db, clinic, *id, format!("+1512555{at:04}")).await);
    }
    let (store, first) = ((**db).clone(), ids[0]);
    // Everybody merges everybody, verifies conversations as any of them, and texts come in.
    let jobs = (0..60_usize).map(|at| {
        let (store, ids, chat) = (store.clone(), ids.clone(), chats[at % 5]);
        async move {
            match at % 3 {
                0 => {
                    let (one, other) = (ids[at % 5], ids[(at / 5 + at + 1) % 5]);
                    let done = commit!(store, clinic.organization, |org| {
                        org.merge_patients((one, None), (other, None), &By::staff(clinic.staff)).await
                    });
                    match done.unwrap() {
                        Merged::Done(id) => Some(id),
                        Merged::Refused(_) => None,
                    }
                }
                1 => {
                    let patient = ids[(at / 3) % 5];
                    let changed = commit!(store, clinic.organization, |org| {
                        let mut c = org.conversation_to_change(chat).await?.unwrap();
                        (c.patient_id, c.identity) = (Some(patient), Identity::Verified);
                        org.update_conversation(&mut c).await
                    });
                    assert_eq!(changed.unwrap(), ConversationChange::Stored);
                    None
                }
                _ => {
                    let peer = format!("+1512555{:04}", at % 5);
                    let text = clinic.text(&store, &peer, &format!("text {at}")).await;
                    let id = text.id;
                    store.receive(text).await.unwrap();
                    store.claim_inbound(crate::harness::node(at as u128), store.now(), 1).await.unwrap();
                    commit!(store, clinic.organization, |org| {
                        let state = anteroom_model::states::MessageState::Processed;
                        for node in (2..60).step_by(3) {
                            let node = crate::harness::node(node);
                            if org.finish_inbound(id, node, state, Some(chat)).await? {
                                break;
                            }
                        }
                        Ok(())
                    })
                    .unwrap();
                    None
                }
            }
        }
    });
    let mut merges: Vec<MergeId> = all_at_once(jobs).await.into_iter().flatten().collect();
    // What is left over is merged one after the other, until one is left.
    for other in &ids[1..] {
        let mut org = db.read(clinic.organization).await.unwrap();
        let top = org.resolve_patient(first).await.unwrap().unwrap();
        let rest = org.resolve_patient(*other).await.unwrap().unwrap();
        drop(org);
        if top != rest {
            merges.push(merged(db, clinic, top, rest).await);
        }
    }
    assert_eq!(merges.len(), 4, "five people, one left: of all who tried, four merged");
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.patients(PatientId::LEAST, 9).await.unwrap().len(), 1, "exactly one survivor");
    let top = org.resolve_patient(first).await.unwrap().unwrap();
    let mut told = org.events_after(0, 10_000).await.unwrap();
    told.retain(|event| event.kind == "patient.merged" && event.conversation_id.is_none());
    assert_eq!(told.len(), 8, "told of both records, once each");
    drop(org);
    let found = reachable(db, &clinic).await;
    assert_eq!(found, chats.iter().map(|chat| (*chat, vec![top])).collect());
    let waiting = "SELECT COUNT(*) FROM messages WHERE direction = 'inbound'";
    let texts: i64 = raw!(db, pool => sqlx::query_scalar(waiting).fetch_one(&pool).await.unwrap());
    assert_eq!(texts, 20, "no text is lost");

    // Many undo at once, each merge once; in no order at all.
    let jobs = (0..50_usize).map(|at| {
        let (store, id) = (store.clone(), merges[(at * 3) % merges.len()]);
        async move {
            let by = By::staff(clinic.colleague);
            commit!(store, clinic.organization, |org| org.undo_merge(id, &by).await).unwrap()
        }
    });
    let outcomes = all_at_once(jobs).await;
    let done = outcomes.iter().filter(|outcome| **outcome == Undone::Done { exact: true }).count();
    assert_eq!(done, 4, "{outcomes:?}");
    assert_eq!(bytes(db).await, before, "byte for byte");
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.patients(PatientId::LEAST, 9).await.unwrap().len(), 5);
}
