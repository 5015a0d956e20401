//! Who is texting: by the phone, by questions, or nobody knows.

use anteroom_model::states::Identity;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, run};

const ANA: &str = "+15125550101";
const COHENS: &str = "+15125550105";
const STRANGER: &str = "+15125550177";

const ASK_NAME: &str = "Thanks for texting Riverside Clinic. So that we can help you, please reply with your \
                        first and last name. Reply EXIT to skip these questions.";
const ASK_BIRTHDAY: &str = "Thank you. What is your date of birth (MM/DD/YYYY)?";
const THANKS: &str = "Thank you. A member of our team will answer you here.";

#[tokio::test]
async fn a_known_phone_links_its_patient() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Can I come in today?").await;
        let conversation = clinic.conversation(ANA, FRONT_DESK).await;
        assert_eq!(conversation["patient"]["display_name"], "Anita Morales");
        assert_eq!(conversation["patient"]["kind"], "profile");
        assert_eq!(conversation["identity"], "unasked", "a phone is no proof");
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        assert_eq!(clinic.told(id, "identity.linked").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_guesses_among_those_who_share_a_phone() {
    run(async |clinic| {
        clinic.text(COHENS, FRONT_DESK, "Can I come in today?").await;
        guest(&clinic, COHENS, FRONT_DESK).await;
        let id = clinic.conversation_id(COHENS, FRONT_DESK).await;
        assert!(clinic.told(id, "identity.linked").await.is_empty());
        assert_eq!(
            clinic.conversation(COHENS, FRONT_DESK).await["phone_shared"],
            true,
            "others may read an answer"
        );
        clinic.text(ANA, FRONT_DESK, "Can I come in today?").await;
        assert_eq!(clinic.conversation(ANA, FRONT_DESK).await["phone_shared"], false);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_is_a_guest_and_stays_the_same_one() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Are you taking new patients?").await;
        let first = guest(&clinic, STRANGER, FRONT_DESK).await;
        clinic.text(STRANGER, FRONT_DESK, "Hello?").await;
        assert_eq!(guest(&clinic, STRANGER, FRONT_DESK).await, first);
        clinic.text("+15125550178", FRONT_DESK, "Hello").await;
        assert_ne!(guest(&clinic, "+15125550178", FRONT_DESK).await, first);
    })
    .await;
}

#[tokio::test]
async fn a_new_patients_number_asks_and_matches() {
    run(async |clinic| {
        let john = "+15125550102";
        clinic.text(john, NEW_PATIENTS, "I need a refill").await;
        let received = clinic.received(john, NEW_PATIENTS).await;
        assert_eq!(received.len(), 2, "a greeting, then the question: {received:?}");
        assert_eq!(received[1], ASK_NAME);
        assert_eq!(clinic.conversation(john, NEW_PATIENTS).await["identity"], "asking");
        assert_eq!(clinic.conversation(john, NEW_PATIENTS).await["patient"], Value::Null);

        clinic.text(john, NEW_PATIENTS, "john smith").await;
        assert_eq!(clinic.received(john, NEW_PATIENTS).await[2..], [ASK_BIRTHDAY]);
        clinic.text(john, NEW_PATIENTS, "Nov 30 1962").await;
        assert_eq!(clinic.received(john, NEW_PATIENTS).await[3..], [THANKS]);

        let conversation = clinic.conversation(john, NEW_PATIENTS).await;
        assert_eq!(conversation["identity"], "verified");
        assert_eq!(conversation["patient"]["display_name"], "John Smith");
        let id = clinic.conversation_id(john, NEW_PATIENTS).await;
        let matched = clinic.told(id, "identity.matched").await;
        let summary = "Verified as a patient: first-name, last-name, date-of-birth agreed";
        assert_eq!(matched[0]["summary"], summary);

        // Nobody is asked twice.
        clinic.text(john, NEW_PATIENTS, "Thanks!").await;
        assert_eq!(clinic.received(john, NEW_PATIENTS).await.len(), 4);
        assert_eq!(clinic.decisions_of(id, "identity").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_a_profile_exists() {
    run(async |clinic| {
        // (phone, name, birthday, identity, what staff are told)
        let cases = [
            ("+15125550150", "John Smith", "11/30/1962", Identity::Verified, None),
            ("+15125550151", "John Smith", "11/30/1963", Identity::Placeholder, Some("nobody")),
            ("+15125550152", "Jane Nobody", "01/01/1990", Identity::Placeholder, Some("nobody")),
            ("+15125550153", "Chris Park", "02/03/1970", Identity::Placeholder, Some("several")),
            // Texted from the patient's own phone, and from somebody else's.
            ("+15125550102", "John Smith", "11/30/1962", Identity::Verified, None),
            (ANA, "John Smith", "11/30/1962", Identity::Verified, None),
            (COHENS, "Jane Nobody", "01/01/1990", Identity::Placeholder, Some("nobody")),
        ];
        let mut told = Vec::new();
        for (phone, name, birthday, identity, outcome) in cases {
            for text in ["I need a refill", name, birthday] {
                clinic.text(phone, NEW_PATIENTS, text).await;
            }
            let conversation = clinic.stored(phone, NEW_PATIENTS).await.unwrap();
            assert_eq!(conversation.identity, identity, "{name} {birthday}");
            let unmatched = clinic.told(conversation.id, "identity.unmatched").await;
            let staff_see: Vec<_> =
                unmatched.iter().map(|entry| entry["data"]["outcome"].as_str().unwrap()).collect();
            assert_eq!(staff_see, outcome.into_iter().collect::<Vec<_>>());
            if outcome.is_some() {
                let claims = &unmatched[0]["data"]["claims"];
                let last_name = name.split(' ').next_back().unwrap();
                assert_eq!(claims["last-name"], last_name, "staff see what was answered");
            }
            // Everything that the phone got, byte by byte.
            let received = clinic.received(phone, NEW_PATIENTS).await;
            assert_eq!(received.last().unwrap(), THANKS);
            told.push(received.concat().into_bytes());
        }
        assert!(told.iter().all(|bytes| *bytes == told[0]), "some were told something else");
    })
    .await;
}

#[tokio::test]
async fn exit_ends_the_questions() {
    run(async |clinic| {
        clinic.text(STRANGER, NEW_PATIENTS, "Hello").await;
        clinic.text(STRANGER, NEW_PATIENTS, " exit. ").await;
        let last = clinic.received(STRANGER, NEW_PATIENTS).await.pop().unwrap();
        assert_eq!(last, "No problem. A member of our team will answer you here.");
        guest(&clinic, STRANGER, NEW_PATIENTS).await;
        let id = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        let gave_up = clinic.told(id, "identity.gave_up").await;
        assert_eq!(gave_up[0]["summary"], "Stopped asking who is texting (exit)");
        assert_eq!(clinic.queue("unassigned").await, [id]);
        let texts = clinic.received(STRANGER, NEW_PATIENTS).await.len();
        clinic.text(STRANGER, NEW_PATIENTS, "John Smith").await;
        assert_eq!(clinic.received(STRANGER, NEW_PATIENTS).await.len(), texts, "and they don't begin again");
    })
    .await;
}

#[tokio::test]
async fn after_three_answers_that_nobody_can_read_staff_take_over() {
    run(async |clinic| {
        for text in ["Hello", "12345", "???", "67 89"] {
            clinic.text(STRANGER, NEW_PATIENTS, text).await;
        }
        let received = clinic.received(STRANGER, NEW_PATIENTS).await;
        let again = "Sorry, we could not read that as a name. Please reply with your first and last name only, or \
                     EXIT to skip.";
        let over = "Thank you for your patience. A member of our team will answer you here.";
        assert_eq!(received[1..], [ASK_NAME, again, again, over]);
        let id = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        let gave_up = clinic.told(id, "identity.gave_up").await;
        assert_eq!(gave_up[0]["data"]["reason"], "attempts");
        guest(&clinic, STRANGER, NEW_PATIENTS).await;
    })
    .await;
}

#[tokio::test]
async fn who_opts_out_is_not_asked() {
    run(async |clinic| {
        clinic.text(STRANGER, NEW_PATIENTS, "Hello").await;
        clinic.text(STRANGER, NEW_PATIENTS, "STOP").await;
        let texts = clinic.received(STRANGER, NEW_PATIENTS).await.len();
        clinic.text(STRANGER, NEW_PATIENTS, "John Smith").await;
        assert_eq!(clinic.received(STRANGER, NEW_PATIENTS).await.len(), texts);
        guest(&clinic, STRANGER, NEW_PATIENTS).await;
    })
    .await;
}

/// The guest's name, if the texter is one.
async fn guest(clinic: &Clinic, phone: &str, number: &str) -> String {
    let conversation = clinic.conversation(phone, number).await;
    assert_eq!(conversation["identity"], "placeholder");
    assert_eq!(conversation["patient"]["kind"], "placeholder");
    let name = conversation["patient"]["display_name"].as_str().unwrap();
    assert!(name.starts_with("Guest "), "{name}");
    // A placeholder is a patient with a page of its own, with nothing on it.
    let patient = clinic.get(&format!("patients/{}", conversation["patient"]["id"].as_str().unwrap())).await;
    assert_eq!(patient["first_name"], json!(""));
    name.to_owned()
}
