//! What a list tells of many conversations at once is what each of them alone would tell.

use anteroom_model::{
    ids::{CaregiverId, ConversationId, MessageId, PatientId},
    states::{Author, PhoneOwner},
};
use anteroom_store::{
    By, Caregiver, Contact, Conversation, Merged, NewOptOut, NewOutbound, NewPatient, Phone,
};

use crate::{
    directory::{add, edit, named, with_phone},
    harness::{Clinic, Fresh, commit},
};

/// Texts after which nobody looks for one by a person any more.
const BURIED: usize = 9;

fn phone(number: usize) -> String {
    format!("+1512555{number:04}")
}

/// Phones of every kind that the directory knows, 0 to 8; the others are nobody's.
async fn people(db: &Fresh, clinic: Clinic) -> Vec<PatientId> {
    let shared = Phone { owner: PhoneOwner::Shared, ..Phone::from(phone(1).as_str()) };
    let own = |first, number: usize| with_phone(named(first, "Morales"), &phone(number));
    let all = vec![
        own("Ana", 0),
        NewPatient { phones: vec![shared], ..named("John", "Smith") },
        own("Leah", 2),
        named("Noah", "Cohen"),
        named("Ruth", "Berg"),
        own("Twin", 4),
        own("Twain", 4),
        own("Survivor", 7),
        with_phone(own("Absorbed", 6), &phone(7)),
        own("Grandmother", 8),
        own("Grandma", 5),
        named("Child", "Cohen"),
    ];
    let ids = add(db, clinic, all).await;
    let care = |number, patient, contact: Option<&str>| Caregiver {
        id: CaregiverId(uuid::Uuid::from_u128(number)),
        relation: "mother".into(),
        patient,
        contact: contact.map(|phone| Contact { name: "Dina".into(), phone: Some(phone.into()) }),
    };
    let of_noah = care(1, Some(ids[2]), None);
    edit(db, clinic, ids[3], move |record| record.caregivers = vec![of_noah]).await;
    let of_ruth = care(2, None, Some(&phone(3)));
    edit(db, clinic, ids[4], move |record| record.caregivers = vec![of_ruth]).await;
    let of_child = care(3, Some(ids[10]), None);
    edit(db, clinic, ids[11], move |record| record.caregivers = vec![of_child]).await;
    for (survivor, absorbed) in [(ids[7], ids[8]), (ids[9], ids[10])] {
        let merged = commit!(db, clinic.organization, |org| {
            org.merge_patients((survivor, None), (absorbed, None), &By::staff(clinic.staff)).await
        });
        assert!(matches!(merged, Ok(Merged::Done(_))));
    }
    ids
}

/// Conversations with each of these phones on both numbers, linked now and then, with texts and opt-outs.
async fn conversations(db: &Fresh, clinic: Clinic, people: Vec<PatientId>) -> Vec<Conversation> {
    commit!(db, clinic.organization, |org| {
        let mut all = Vec::new();
        for at in 0..64 {
            let (peer, id): (_, ConversationId) = (phone(at / 2), org.new_id());
            let number = if at % 2 == 0 { clinic.number } else { clinic.other_number };
            let mut c = Conversation::begin(id, number, None, &peer, org.now());
            c.patient_id = (at % 3 == 0).then(|| people[at / 3 % people.len()]);
            org.insert_conversation(&c).await?;
            let text = |author, body: String| NewOutbound {
                conversation_id: Some(id),
                author,
                author_id: (author == Author::Staff).then_some(clinic.staff),
                despite_opt_out: true,
                ..clinic.reply(&peer, &body)
            };
            if at % 5 > 0 {
                org.insert_outbound(&text(Author::Staff, format!("{at} by a person"))).await?;
            }
            for later in 0..[0, 0, 3, BURIED][at % 4] {
                org.insert_outbound(&text(Author::Policy, format!("{at}, {later} later"))).await?;
            }
            all.push(c);
        }
        for (number, scope) in [(0, None), (2, Some(clinic.number)), (9, Some(clinic.other_number))] {
            org.record_opt_out(&NewOptOut::told_by(&phone(number), scope, "keyword")).await?;
        }
        Ok(all)
    })
    .unwrap()
}

pub(crate) async fn many_at_once_are_told_as_each_alone(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let ids = people(db, clinic).await;
    let all = conversations(db, clinic, ids.clone()).await;
    let mut org = db.read(clinic.organization).await.unwrap();
    let overviews = org.overviews(&all).await.unwrap();
    assert_eq!(overviews.len(), all.len());
    let (mut opted_out, mut shared, mut followed) = (0, Vec::new(), 0);
    for (c, told) in all.iter().zip(&overviews) {
        let peer = &c.peer;
        assert_eq!(told.opted_out, org.is_opted_out(peer, c.number_id).await.unwrap(), "{peer}");
        assert_eq!(told.phone_shared, org.phone_ownership(peer).await.unwrap().is_several(), "{peer}");
        let patient = match c.patient_id {
            Some(id) => org.patient(id).await.unwrap(),
            None => None,
        };
        assert_eq!(told.patient, patient);
        followed += usize::from(patient.is_some_and(|patient| Some(patient.id) != c.patient_id));
        let texts = org.messages(c.id, MessageId::GREATEST, 8).await.unwrap();
        let by_a_person = texts.iter().find(|text| text.author == Author::Staff);
        let expected = by_a_person.or(texts.first()).map(|text| text.id);
        assert_eq!(told.newest.as_ref().map(|text| text.id), expected, "{peer}");
        opted_out += usize::from(told.opted_out);
        if told.phone_shared && !shared.contains(peer) {
            shared.push(peer.clone());
        }
    }
    assert_eq!(opted_out, 4, "both numbers, and one each");
    assert_eq!(shared, [1, 2, 4, 5, 8].map(phone), "marked, for a child, two people, a merged carer's two");
    assert!(followed > 0, "no conversation leads to a merged record");
    assert!(overviews.iter().any(|told| told.newest.is_none()), "each has a text");
    let buried = overviews.iter().filter_map(|told| told.newest.as_ref());
    assert!(buried.into_iter().any(|text| text.author == Author::Policy), "each has a person's text on top");

    // One alone, which is another statement; and none.
    for (c, told) in all.iter().zip(&overviews).take(9) {
        let alone = org.overviews(std::slice::from_ref(c)).await.unwrap();
        let [alone] = &alone[..] else { panic!("one for one") };
        assert_eq!((alone.opted_out, alone.phone_shared), (told.opted_out, told.phone_shared));
    }
    assert!(org.overviews(&[]).await.unwrap().is_empty());
}
