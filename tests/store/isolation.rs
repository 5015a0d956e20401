//! One organization never sees or changes another's anything, also where it knows the ids.

use anteroom_model::{
    ids::{
        AuditId, BindingId, ChangeId, ConversationId, DecisionId, DeliveryId, MergeId, MessageId, NoteId,
        OptOutId, PatientId, PolicyId, TokenId,
    },
    states::{
        BindingMode, DeliveryState, LinkState, MessageState, PatientKind, Registration, RegistrationSource,
    },
};
use anteroom_store::{
    Actor, By, Conversation, ConversationChange, DecisionFilter, Deletion, DeliveryContent, Draft, Filters,
    LinkText, Merged, NewAudit, NewBinding, NewDecision, NewEvent, NewKeptDelivery, NewOptOut, NewOutbound,
    NewPatient, NewPolicy, Number, NumberRegistration, Preferences, Profile, Queue, ReceiptMatch,
    RecordChange, Retired, SearchPosition, Undone,
};
use serde_json::json;

use crate::{
    directory::mrn,
    harness::{Clinic, Fresh, commit, node, raw},
};

const PEER: &str = "+15125550101";
const BORN: &str = "1985-03-04";
const SECRET: [u8; 32] = [3; 32];
const DIGEST: [u8; 32] = [4; 32];

/// One of everything, in one organization.
struct Everything {
    conversation: Conversation,
    message: MessageId,
    note: NoteId,
    patient: PatientId,
    merge: MergeId,
    policy: PolicyId,
    binding: BindingId,
    decision: DecisionId,
    token: TokenId,
    delivery: DeliveryId,
}

async fn everything(db: &Fresh, clinic: Clinic) -> Everything {
    commit!(db, clinic.organization, |org| {
        let profile = Profile {
            first_name: "Ana".into(),
            last_name: "Morales".into(),
            date_of_birth: Some(BORN.into()),
            ..Profile::default()
        };
        let new = NewPatient {
            kind: PatientKind::Profile,
            profile,
            phones: vec![PEER.into()],
            external_ids: vec![mrn("1")],
        };
        let by = By::staff(clinic.staff);
        let patient = org.create_patient(&new, &by).await?;
        let twin = org.insert_patient(&NewPatient { external_ids: Vec::new(), ..new }).await?;
        let merged = org.merge_patients((patient, None), (twin, None), &by).await?;
        let Merged::Done(merge) = merged else { panic!("{merged:?}") };
        let id: ConversationId = org.new_id();
        let conversation = Conversation::begin(id, clinic.number, None, PEER, org.now());
        org.insert_conversation(&conversation).await?;
        let reply = NewOutbound { conversation_id: Some(id), ..clinic.reply(PEER, "hello") };
        let message = org.insert_outbound(&reply).await?;
        let note = org.insert_note(id, clinic.staff, "note").await?.id;
        org.insert_mention(clinic.staff, note, id).await?;
        org.put_draft(clinic.staff, id, &Draft { reply: "draft".into(), ..Draft::default() }).await?;
        org.look(clinic.staff, id, message).await?;
        let chosen = Preferences { sound: false, ..Preferences::default() };
        org.put_preferences(clinic.staff, &chosen).await?;
        let policy = NewPolicy {
            name: "test".into(),
            version: "1.0.0".into(),
            origin: "uploaded",
            digest: DIGEST.to_vec(),
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
        let binding = org.insert_binding(&binding).await?;
        let decision: DecisionId = org.new_id();
        let new = NewDecision {
            id: decision,
            conversation_id: Some(id),
            message_id: Some(message),
            binding_id: binding,
            policy_id,
            hook: "routing",
            outcome: "decided",
            fault: None,
            effect: "applied",
            fuel: 1,
            memory_peak: 1,
            micros: 1,
            record: b"{}".to_vec(),
            read_patient: false,
        };
        org.insert_decision(new)?;
        let (kind, data) = ("test.event", json!({}));
        org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Host, data });
        org.insert_session(&SECRET, clinic.staff, "csrf", org.now().plus(std::time::Duration::from_secs(9)))
            .await?;
        let token = org.insert_token(clinic.staff, "test", &SECRET, &["read".into()]).await?;
        let audit = NewAudit { actor_id: clinic.staff, action: "test", subject: None, request_id: None };
        org.insert_audit(&audit).await?;
        org.record_opt_out(&NewOptOut::told_by(PEER, None, "keyword")).await?;
        let known = NumberRegistration::new(clinic.number, RegistrationSource::Hand, org.now());
        org.put_registration(&known).await?;
        let until = org.now().plus(std::time::Duration::from_secs(20));
        org.hold_link(clinic.account, node(1), until, LinkState::Up).await?;
        org.expect_link_delivery(clinic.account, "s-1", b"print").await?;
        let kept = NewKeptDelivery {
            carrier_account_id: clinic.account,
            endpoint: "link",
            state: DeliveryState::Undeliverable,
            reason: "number_unknown",
            content: DeliveryContent::Text(LinkText {
                carrier_message_id: "1".into(),
                from: PEER.into(),
                to: "+18005550199".into(),
                body: "hello".into(),
                part: None,
            }),
        };
        let delivery = org.keep_delivery(&kept).await?.map(|(id, _)| id).expect("it is new");
        Ok(Everything {
            conversation,
            message,
            note,
            patient,
            merge,
            policy: policy_id,
            binding,
            decision,
            token,
            delivery,
        })
    })
    .unwrap()
}

/// What `clinic` finds when it asks for everything that there is by the ids of somebody's rows.
async fn found(db: &Fresh, clinic: &Clinic, owner: &Clinic, all: &Everything) -> Vec<&'static str> {
    let mut org = db.read(clinic.organization).await.unwrap();
    let id = all.conversation.id;
    let carriers = ReceiptMatch::Ours(all.message);
    let answers = [
        ("conversation", org.conversation(id).await.unwrap().is_some()),
        ("conversation_with", org.conversation_with(owner.number, PEER).await.unwrap().is_some()),
        ("queue", !org.queue(Queue::All, &Filters::default(), None, 9).await.unwrap().is_empty()),
        ("queue_counts", org.queue_counts(owner.staff).await.unwrap().all_open > 0),
        ("message", org.message(all.message).await.unwrap().is_some()),
        ("messages", !org.messages(id, MessageId::GREATEST, 9).await.unwrap().is_empty()),
        ("messages_of_peer", !org.messages_of_peer(owner.number, PEER, 9).await.unwrap().is_empty()),
        ("message_of_receipt", org.message_of_receipt(owner.account, &carriers).await.unwrap().is_some()),
        ("note", org.note(all.note).await.unwrap().is_some()),
        ("notes", !org.notes(id, NoteId::GREATEST, 9).await.unwrap().is_empty()),
        ("draft", org.draft(owner.staff, id).await.unwrap().is_some()),
        ("mentions", !org.mentions(owner.staff, NoteId::GREATEST, true, 9).await.unwrap().is_empty()),
        ("unread_mentions", org.unread_mentions(owner.staff).await.unwrap() > 0),
        ("marks", !org.marks(owner.staff, &[id]).await.unwrap().is_empty()),
        ("preferences", !org.preferences(owner.staff).await.unwrap().sound),
        ("patient", org.patient(all.patient).await.unwrap().is_some()),
        ("patients", !org.patients(PatientId::LEAST, 9).await.unwrap().is_empty()),
        ("phones_of", !org.phones_of(all.patient).await.unwrap().is_empty()),
        ("patients_by_phone", !org.patients_by_phone(PEER).await.unwrap().is_empty()),
        ("patients_by_birth_date", !org.patients_by_birth_date(BORN).await.unwrap().is_empty()),
        ("record", org.record(all.patient).await.unwrap().is_some()),
        ("records_of", !org.records_of(all.patient).await.unwrap().is_empty()),
        ("resolve_patient", org.resolve_patient(all.patient).await.unwrap().is_some()),
        (
            "patient_changes",
            !org.patient_changes(all.patient, ChangeId::GREATEST, 9).await.unwrap().is_empty(),
        ),
        ("patient_by_external_id", org.patient_by_external_id("athena", "mrn", "1").await.unwrap().is_some()),
        (
            "search_patients",
            !org.search_patients("morales", SearchPosition::default(), 9).await.unwrap().found.is_empty(),
        ),
        ("merge", org.merge(all.merge).await.unwrap().is_some()),
        ("merges_of", !org.merges_of(all.patient).await.unwrap().is_empty()),
        ("audit_of", !org.audit_of(all.patient.0, AuditId::GREATEST, 9).await.unwrap().is_empty()),
        ("policy", org.policy(all.policy).await.unwrap().is_some()),
        ("policy_by_digest", org.policy_by_digest(&DIGEST).await.unwrap().is_some()),
        ("component", org.component(&DIGEST).await.unwrap().is_some()),
        ("policies", !org.policies().await.unwrap().is_empty()),
        ("bindings", !org.bindings().await.unwrap().is_empty()),
        ("decision", org.decision(all.decision).await.unwrap().is_some()),
        (
            "decisions",
            !org.decisions(&DecisionFilter::default(), DecisionId::GREATEST, 9).await.unwrap().is_empty(),
        ),
        ("decision_chain", org.decision_chain().await.unwrap().seq > 0),
        ("events_of", !org.events_of(id, i64::MAX, 1_000).await.unwrap().is_empty()),
        ("events_after", !org.events_after(0, 9).await.unwrap().is_empty()),
        ("session", org.session(&SECRET).await.unwrap().is_some()),
        ("token", org.token(all.token).await.unwrap().is_some()),
        ("tokens", !org.tokens().await.unwrap().is_empty()),
        ("audit", !org.audit(AuditId::GREATEST, 9).await.unwrap().is_empty()),
        ("opt_outs", !org.opt_outs(OptOutId::GREATEST, 9).await.unwrap().is_empty()),
        ("is_opted_out", org.is_opted_out(PEER, owner.number).await.unwrap()),
        ("staff_member", org.staff_member(owner.staff).await.unwrap().is_some()),
        ("number", org.number(owner.number).await.unwrap().is_some()),
        ("teams", org.teams().await.unwrap().iter().any(|team| team.id == owner.team)),
        ("facilities", org.facilities().await.unwrap().iter().any(|one| one.id == owner.facility)),
        ("registration", org.registration(owner.number).await.unwrap().is_some()),
        ("registrations", !org.registrations().await.unwrap().is_empty()),
        ("link", org.link(owner.account).await.unwrap().is_some()),
        ("links", !org.links().await.unwrap().is_empty()),
        ("expected_link_deliveries", !org.expected_link_deliveries(owner.account).await.unwrap().is_empty()),
        ("kept_delivery", org.kept_delivery(all.delivery).await.unwrap().is_some()),
        ("accounts", org.accounts().await.unwrap().iter().any(|account| account.id == owner.account)),
    ];
    answers.into_iter().filter(|(_, found)| *found).map(|(name, _)| name).collect()
}

pub(crate) async fn others_rows_can_not_be_read(db: &Fresh) {
    let (a, b) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let all = everything(db, a).await;
    assert_eq!(found(db, &a, &a, &all).await.len(), 56, "its own it finds");
    assert_eq!(found(db, &b, &a, &all).await, Vec::<&str>::new());
}

pub(crate) async fn others_rows_can_not_be_changed(db: &Fresh) {
    let (a, b) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let all = everything(db, a).await;
    let before = messages(db).await;
    let text = a.receive(db, PEER, "hello").await;
    db.claim_inbound(node(1), db.now(), 1).await.unwrap();
    let mut conversation = all.conversation.clone();
    let switched_off = Number { texting_enabled: false, ..number(db, &a).await };
    commit!(db, a.organization, |org| org.insert_team("Nurses").await).unwrap();
    let mut theirs = db.read(a.organization).await.unwrap();
    let account = theirs.account(a.account).await.unwrap().unwrap();
    let facility = theirs.facility(a.facility).await.unwrap().unwrap();
    let team = theirs.teams().await.unwrap().swap_remove(0);
    let person = theirs.staff_member(a.staff).await.unwrap().unwrap();
    drop(theirs);
    let changed = commit!(db, b.organization, |org| {
        let state = MessageState::Processed;
        let by = By::staff(b.staff);
        let mine = org.insert_patient(&NewPatient::default()).await?;
        Ok([
            org.update_conversation(&mut conversation).await? == ConversationChange::Stored,
            org.finish_inbound(text, node(1), state, None).await?,
            org.postpone_inbound(text, node(1), MessageState::Dead, None).await?,
            org.retry_outbound(all.message).await?,
            !org.block_queued(PEER, None, "no").await?.is_empty(),
            org.retire_binding(all.binding, Retired::ByStaff, None).await?,
            org.revoke_token(all.token).await?,
            org.delete_draft(a.staff, all.conversation.id).await?,
            org.read_mentions(a.staff, None).await? > 0,
            org.clear_opt_out(PEER, a.number).await?,
            org.update_facility(&facility).await?,
            org.delete_facility(a.facility).await?,
            org.update_team(&team).await?,
            org.delete_team(team.id).await?,
            org.update_staff(&person).await?,
            org.use_staff_link(a.staff, &SECRET).await?,
            org.end_session_of(a.staff, &SECRET).await?,
            org.end_sessions(a.staff, None).await? > 0,
            org.set_number(&switched_off).await?,
            org.set_credentials(a.account, "{}").await?,
            org.set_account(&account).await?,
            org.release_link(a.account, node(1)).await?,
            org.delivery_retried(all.delivery, DeliveryState::Taken, "").await?,
            org.update_patient(all.patient, None, Profile::default(), &by).await? != RecordChange::Outdated,
            matches!(org.undo_merge(all.merge, &by).await?, Undone::Done { .. }),
            matches!(org.delete_patient(all.patient, None, &by).await?, Deletion::Done(_)),
            matches!(org.merge_patients((mine, None), (all.patient, None), &by).await?, Merged::Done(_)),
        ])
    })
    .unwrap();
    assert_eq!(changed, [false; 27]);
    commit!(db, b.organization, |org| org.delete_session(&SECRET).await).unwrap();
    assert_eq!(found(db, &a, &a, &all).await.len(), 56, "nothing is gone");
    let after = db.read(a.organization).await.unwrap().message(text).await.unwrap().unwrap();
    assert_eq!(after.state, MessageState::Processing);
    assert_eq!(messages(db).await, before + 1);
    let number = number(db, &a).await;
    assert!(number.texting_enabled && number.registration == Registration::Approved);
}

async fn number(db: &Fresh, clinic: &Clinic) -> Number {
    db.read(clinic.organization).await.unwrap().number(clinic.number).await.unwrap().unwrap()
}

/// How many messages there are, whoever's.
async fn messages(db: &Fresh) -> i64 {
    raw!(db, pool => sqlx::query_scalar("SELECT COUNT(*) FROM messages").fetch_one(&pool).await.unwrap())
}
