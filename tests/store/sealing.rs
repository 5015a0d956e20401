//! What is on disk is sealed; look-ups work all the same.

use anteroom_model::{
    ids::{ConversationId, DecisionId, PatientId},
    states::{BindingMode, PatientKind},
};
use anteroom_store::{
    Actor, By, Caregiver, Contact, Conversation, Draft, Exchange, ExternalId, Extra, MediaItem, NewBinding,
    NewDecision, NewEvent, NewInbound, NewOptOut, NewOutbound, NewPatient, NewPolicy, Org, Profile,
    StoreError,
};
use serde_json::json;

use crate::harness::{Clinic, Fresh, commit, raw};

/// What must never be found on disk. Long and odd enough not to come up by chance.
const SECRETS: [&str; 18] = [
    "body: my knee hurts",
    "reply: see the nurse",
    "note: called his wife",
    "answer: Quetzalcoatl",
    "https://media.example/picture",
    "Wolfeschlegelstein",
    "Bartholomew",
    "Barty",
    "1987-03-29",
    "15125550199",
    "decision: input and log",
    "event: data of it",
    "the carrier's secret",
    "MRN-QX-48151623",
    "Hildegunst von M",
    "+15125550777",
    "reason: typed twice",
    "draft: your knee and",
];

fn patient(first: &str, last: &str, born: &str, phone: &str) -> NewPatient {
    let profile = Profile {
        first_name: first.into(),
        last_name: last.into(),
        preferred_name: Some("Barty".into()),
        date_of_birth: Some(born.into()),
        ..Profile::default()
    };
    NewPatient { kind: PatientKind::Profile, profile, phones: vec![phone.into()], ..NewPatient::default() }
}

pub(crate) async fn nothing_of_a_patient_is_on_disk_in_the_clear(db: &Fresh) {
    let clinic = Clinic::new(db, "A clinic whose name is no secret").await;
    let text = clinic.text(db, "+15125550199", SECRETS[0]).await;
    let media = vec![MediaItem { url: SECRETS[4].into(), content_type: None }];
    let extra = Extra { media, ..Extra::default() };
    let keys = db.keys(clinic.organization).await.unwrap();
    let extra = Some(keys.seal_json("messages.extra", text.id.0, &extra).unwrap());
    db.receive(NewInbound { extra, ..text }).await.unwrap();
    commit!(db, clinic.organization, |org| write_everything(&mut org, clinic).await).unwrap();

    // A look-up by what is sealed finds it, so it really was written.
    let mut org = db.read(clinic.organization).await.unwrap();
    let found = org.patients_by_phone("+15125550199").await.unwrap();
    assert_eq!(found[0].profile.last_name, SECRETS[5]);

    let disk = db.bytes_on_disk();
    let holds = |needle: &str| disk.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("A clinic whose name is no secret"), "this search finds nothing at all");
    for secret in SECRETS {
        assert!(!holds(secret), "{secret:?} is on disk in the clear");
        assert!(!holds(&secret.to_lowercase()), "{secret:?} is on disk in lower case");
    }
}

async fn write_everything(org: &mut Org<'_>, clinic: Clinic) -> Result<(), StoreError> {
    let peer = "+15125550199";
    write_directory(org, clinic).await?;
    let id: ConversationId = org.new_id();
    let mut conversation = Conversation::begin(id, clinic.number, None, peer, org.now());
    let answer = Some(SECRETS[3].into());
    conversation.exchanges = vec![Exchange { question: "name".into(), prompt: "Name?".into(), answer }];
    org.insert_conversation(&conversation).await?;
    org.insert_outbound(&NewOutbound { conversation_id: Some(id), ..clinic.reply(peer, SECRETS[1]) }).await?;
    org.insert_note(id, clinic.staff, SECRETS[2]).await?;
    let draft = Draft { reply: SECRETS[17].into(), ..Draft::default() };
    org.put_draft(clinic.staff, id, &draft).await?;
    org.record_opt_out(&NewOptOut::told_by(peer, None, "keyword")).await?;
    let (kind, data) = ("test.event", json!({ "said": SECRETS[11] }));
    org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Patient, data });
    let policy = NewPolicy {
        name: "test".into(),
        version: "1.0.0".into(),
        origin: "uploaded",
        digest: vec![1; 32],
        bytes: b"component".to_vec(),
        manifest: json!({}),
        hooks: Vec::new(),
        imports: Vec::new(),
        probe: None,
        created_by: None,
    };
    let policy_id = org.insert_policy(&policy).await?;
    let binding = NewBinding {
        hook: "routing",
        number_id: None,
        position: 0,
        mode: BindingMode::Active,
        policy_id,
        settings: "{}".into(),
        granted_fields: Vec::new(),
        canary: None,
        replaced_id: None,
        created_by: None,
    };
    let binding_id = org.insert_binding(&binding).await?;
    let decision: DecisionId = org.new_id();
    org.insert_decision(NewDecision {
        id: decision,
        conversation_id: Some(id),
        message_id: None,
        binding_id,
        policy_id,
        hook: "routing",
        outcome: "decided",
        fault: None,
        effect: "applied",
        fuel: 1,
        memory_peak: 1,
        micros: 1,
        record: json!({ "input": SECRETS[10] }).to_string().into_bytes(),
        read_patient: false,
    })?;
    // The key would lead back to the request.
    org.remember_key(clinic.staff, SECRETS[0], SECRETS[1].as_bytes(), id.0).await?;
    Ok(())
}

/// A patient with everything, changed and merged.
async fn write_directory(org: &mut Org<'_>, clinic: Clinic) -> Result<(), StoreError> {
    let by = By { reason: Some(SECRETS[16].into()), ..By::staff(clinic.staff) };
    let mut new = patient(SECRETS[6], SECRETS[5], SECRETS[8], "+15125550199");
    new.external_ids =
        vec![ExternalId { source: "athena".into(), kind: "mrn".into(), value: SECRETS[13].into() }];
    let id = org.create_patient(&new, &by).await?;
    let before = org.record_to_change(id).await?.unwrap();
    let mut after = before.clone();
    let contact = Contact { name: SECRETS[14].into(), phone: Some(SECRETS[15].into()) };
    let (id, relation) = (org.new_id(), "daughter".to_owned());
    after.caregivers.push(Caregiver { id, relation, patient: None, contact: Some(contact) });
    org.store_record(&before, &after, &by).await?;
    let twin = org.create_patient(&patient(SECRETS[6], SECRETS[5], SECRETS[8], SECRETS[15]), &by).await?;
    org.merge_patients((before.patient.id, None), (twin, None), &by).await?;
    Ok(())
}

pub(crate) async fn another_master_key_opens_nothing(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    clinic.receive(db, "+15125550101", "hello").await;
    let same = db.open_again(Fresh::MASTER).await.unwrap();
    let numbers = same.read(clinic.organization).await.unwrap().numbers().await.unwrap();
    assert_eq!(numbers[0].address, "+15005550100");
    let refused = db.open_again([8; 32]).await;
    assert!(matches!(refused, Err(StoreError::MasterKey)), "{refused:?}");
}

pub(crate) async fn a_cell_moved_to_another_row_does_not_open(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let [mine, theirs] = ["mine", "theirs"].map(|body| clinic.reply("+15125550101", body));
    let (mine, theirs) = commit!(db, clinic.organization, |org| {
        Ok((org.insert_outbound(&mine).await?, org.insert_outbound(&theirs).await?))
    })
    .unwrap();
    let swap = "UPDATE messages SET body = (SELECT body FROM messages WHERE id = $1) WHERE id = $2";
    raw!(db, pool => {
        sqlx::query(swap).bind(theirs.0).bind(mine.0).execute(&pool).await.unwrap();
    });
    let mut org = db.read(clinic.organization).await.unwrap();
    assert_eq!(org.message(theirs).await.unwrap().unwrap().body, "theirs");
    let refused = org.message(mine).await;
    assert!(matches!(refused, Err(StoreError::Sealed("messages.body"))), "{refused:?}");
}

pub(crate) async fn placeholders_never_share_a_name(db: &Fresh) {
    // More than there are plain names (2,048), so that some must be told apart by a number.
    const MANY: usize = 2_100;
    let clinic = Clinic::new(db, "A").await;
    commit!(db, clinic.organization, |org| {
        for _ in 0..MANY {
            org.insert_placeholder().await?;
        }
        Ok(())
    })
    .unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    let patients = org.patients(PatientId::LEAST, u32::MAX).await.unwrap();
    assert_eq!(patients.len(), MANY);
    assert!(patients.iter().all(|patient| patient.kind == PatientKind::Placeholder));
    let names: std::collections::HashSet<_> =
        patients.iter().map(|patient| patient.profile.display_name()).collect();
    assert_eq!(names.len(), MANY);
    assert!(names.iter().all(|name| name.starts_with("Guest ")));

    let taken = Profile { placeholder_name: names.into_iter().next(), ..Profile::default() };
    let again = NewPatient {
        kind: PatientKind::Placeholder,
        profile: taken,
        phones: Vec::new(),
        ..NewPatient::default()
    };
    let refused = commit!(db, clinic.organization, |org| org.insert_patient(&again).await);
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
}

pub(crate) async fn look_ups_find_by_phone_and_birthday(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let shared = "+15125550105";
    let (leah, noah) = commit!(db, clinic.organization, |org| {
        let leah = org.insert_patient(&patient("Leah", "Cohen", "1979-05-02", shared)).await?;
        let noah = org.insert_patient(&patient("Noah", "Cohen", "2015-09-14", shared)).await?;
        org.insert_placeholder().await?;
        Ok((leah, noah))
    })
    .unwrap();
    let mut org = db.read(clinic.organization).await.unwrap();
    let ids = |patients: Vec<anteroom_store::Patient>| -> Vec<_> { patients.iter().map(|p| p.id).collect() };
    assert_eq!(ids(org.patients_by_phone(shared).await.unwrap()), [leah, noah]);
    assert_eq!(ids(org.patients_by_phone("+15125550106").await.unwrap()), []);
    assert_eq!(ids(org.patients_by_birth_date("2015-09-14").await.unwrap()), [noah]);
    assert_eq!(ids(org.patients_by_birth_date("2015-09-15").await.unwrap()), []);
    assert_eq!(org.phones_of(noah).await.unwrap(), [shared]);
}
