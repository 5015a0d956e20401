//! Verifications: no oracle, limits, time-outs, asking again, what counts as a match.

use std::time::{Duration, Instant};

use anteroom_model::{
    hooks::{Claim, Hook},
    matching::Field,
    states::{Identity, LockScope, VerificationState},
};
use anteroom_store::{
    ClaimedIdentity, ConversationChange, IdentityLimits, IdentityRules, OrganizationSettings, StoreError,
    Verification, VerificationLock,
};
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, eventually, run};

const ANA: &str = "+15125550101";
const COHENS: &str = "+15125550105";

const THANKS: &str = "Thank you. A member of our team will answer you here.";
const ASK_BIRTHDAY: &str = "Thank you. What is your date of birth (MM/DD/YYYY)?";

const JOHN: [&str; 2] = ["John Smith", "11/30/1962"];
const NOBODY: [&str; 2] = ["Jane Nobody", "01/01/1990"];
const CHRIS: [&str; 2] = ["Chris Park", "02/03/1970"];

fn stranger(number: usize) -> String {
    format!("+1512556{number:04}")
}

/// Says who they are after a first text.
async fn answer(clinic: &Clinic, phone: &str, number: &str, [name, birthday]: [&str; 2]) {
    for text in ["I need a refill", name, birthday] {
        clinic.text(phone, number, text).await;
    }
}

async fn state(clinic: &Clinic, phone: &str, number: &str) -> (Identity, VerificationState) {
    let conversation = clinic.stored(phone, number).await.unwrap();
    let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
    let last = org.verifications_of(conversation.id, 1).await.unwrap().pop().unwrap();
    (conversation.identity, last.state)
}

/// Settings with these rules; every number asks.
fn with_rules(rules: IdentityRules) -> OrganizationSettings {
    OrganizationSettings { verification: true, identity: rules, ..OrganizationSettings::default() }
}

async fn notices(clinic: &Clinic) -> Vec<Value> {
    let answer = clinic.get_as(&clinic.alex, "notices").await.ok();
    answer["items"].as_array().unwrap().clone()
}

/// What the patient gets is the same, byte by byte, and as fast, whatever the directory holds.
#[tokio::test]
async fn nothing_that_a_texter_gets_tells_what_the_directory_holds() {
    const TRIALS: usize = 8;
    run(async |clinic| {
        let rules = IdentityRules { reverify_days: 1, ..IdentityRules::default() };
        clinic.set(with_rules(rules)).await;
        let outcomes = [
            (VerificationState::Matched, JOHN),
            (VerificationState::None, NOBODY),
            (VerificationState::Several, CHRIS),
            (VerificationState::Locked, JOHN),
            // Verified before, and asked again.
            (VerificationState::Matched, JOHN),
        ];
        let again = outcomes.len() - 1;
        let phone = |kind: usize, trial: usize| stranger(kind * 100 + trial);
        for trial in 0..TRIALS {
            answer(&clinic, &phone(again, trial), NEW_PATIENTS, JOHN).await;
        }
        clinic.app.advance(Duration::from_hours(48));
        for trial in 0..TRIALS {
            lock_phone(&clinic, phone(3, trial)).await;
        }

        let mut took: Vec<Vec<Duration>> = vec![Vec::new(); outcomes.len()];
        let mut sent: Vec<Vec<String>> = Vec::new();
        let mut told: Vec<Vec<String>> = Vec::new();
        // In turns, so that what else the machine does falls on all alike.
        for trial in 0..TRIALS {
            for (kind, (outcome, [name, birthday])) in outcomes.into_iter().enumerate() {
                let phone = phone(kind, trial);
                clinic.text(&phone, NEW_PATIENTS, "I need a refill").await;
                clinic.text(&phone, NEW_PATIENTS, name).await;
                let before = clinic.received(&phone, NEW_PATIENTS).await.len();
                let started = Instant::now();
                clinic.deliver(&phone, NEW_PATIENTS, birthday).await;
                while clinic.received(&phone, NEW_PATIENTS).await.len() == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                took[kind].push(started.elapsed());
                clinic.app.settled().await;

                assert_eq!(state(&clinic, &phone, NEW_PATIENTS).await.1, outcome, "{kind}");
                // The question for the birthday and the thanks: what came before them doesn't depend on answers.
                let received = clinic.received(&phone, NEW_PATIENTS).await;
                sent.push(received[received.len() - 2..].to_vec());
                let id = clinic.conversation_id(&phone, NEW_PATIENTS).await;
                told.push(last_turn(&clinic.timeline(id).await));
            }
        }
        for bytes in &sent {
            assert_eq!(*bytes, [ASK_BIRTHDAY, THANKS]);
        }
        // The thanks are committed before the directory is asked: that it is the last of the turn, and what comes
        // of it later, is what makes the times equal and not only close.
        for kinds in &told {
            let queued = kinds.iter().position(|kind| kind == "message.queued").unwrap();
            let identified = kinds.iter().position(|kind| kind.ends_with("matched")).unwrap();
            assert!(queued < identified, "{kinds:?}");
        }
        compare(&took);
    })
    .await;
}

/// The kinds of events since the last text came in.
fn last_turn(timeline: &[Value]) -> Vec<String> {
    let kinds: Vec<String> =
        timeline.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect();
    let from = kinds.iter().rposition(|kind| kind == "message.received").unwrap();
    kinds[from..].to_vec()
}

/// The outcomes' medians lie within the noise: as far apart as the same outcome's times lie from each other.
fn compare(took: &[Vec<Duration>]) {
    let sorted: Vec<Vec<Duration>> = took
        .iter()
        .map(|times| {
            let mut times = times.clone();
            times.sort_unstable();
            times
        })
        .collect();
    let median = |times: &[Duration]| times[times.len() / 2];
    let noise = sorted.iter().map(|times| times[times.len() - 1].abs_diff(times[0])).max().unwrap();
    let medians: Vec<Duration> = sorted.iter().map(|times| median(times)).collect();
    let apart = medians.iter().max().unwrap().abs_diff(*medians.iter().min().unwrap());
    #[expect(clippy::print_stdout, reason = "the figures, for who asks for them")]
    {
        println!("medians {medians:?}, {apart:?} apart; noise {noise:?}");
    }
    assert!(apart < noise, "medians {medians:?} are {apart:?} apart, the noise is {noise:?}");
}

async fn lock_phone(clinic: &Clinic, phone: String) {
    let number = clinic.number(NEW_PATIENTS).await;
    clinic
        .change(move |mut org| {
            async move {
                let now = org.now();
                let lock = VerificationLock {
                    scope: LockScope::Phone,
                    reason: "attempts".into(),
                    conversation_id: None,
                    created_at: now,
                    until: now.plus(Duration::from_hours(24)),
                };
                org.lock_verification(&phone, number, &lock).await
            }
            .boxed()
        })
        .await;
}

#[tokio::test]
async fn a_locked_out_phone_is_answered_as_ever() {
    run(async |clinic| {
        let limits = IdentityLimits { attempts_per_phone: 1, ..IdentityLimits::default() };
        clinic.set(with_rules(IdentityRules { limits, ..IdentityRules::default() })).await;
        let phone = stranger(1);
        answer(&clinic, &phone, NEW_PATIENTS, NOBODY).await;
        assert_eq!(
            state(&clinic, &phone, NEW_PATIENTS).await,
            (Identity::Placeholder, VerificationState::None)
        );
        let id = clinic.conversation_id(&phone, NEW_PATIENTS).await;
        assert_eq!(clinic.told(id, "identity.locked").await.len(), 1);
        assert!(notices(&clinic).await.is_empty(), "one person who mistypes is no attack");

        // On another number of the clinic, with right answers.
        answer(&clinic, &phone, FRONT_DESK, JOHN).await;
        assert_eq!(
            state(&clinic, &phone, FRONT_DESK).await,
            (Identity::Placeholder, VerificationState::Locked)
        );
        assert_eq!(clinic.received(&phone, FRONT_DESK).await.last().unwrap(), THANKS);
        let other = clinic.conversation_id(&phone, FRONT_DESK).await;
        let unmatched = clinic.told(other, "identity.unmatched").await;
        assert_eq!(unmatched[0]["data"]["outcome"], "locked");
        assert!(clinic.get(&format!("conversations/{other}/candidates")).await["locked"].as_bool().unwrap());
        // Nobody else is.
        answer(&clinic, &stranger(2), FRONT_DESK, JOHN).await;
        assert_eq!(
            state(&clinic, &stranger(2), FRONT_DESK).await,
            (Identity::Verified, VerificationState::Matched)
        );

        // Leads and admins see it and can end it.
        let refused = clinic.get_as(&clinic.maya, "verification-locks").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let locks = clinic.get_as(&clinic.alex, "verification-locks").await.ok();
        assert_eq!(
            (&locks["items"][0]["scope"], &locks["items"][0]["reason"]),
            (&json!("phone"), &json!("attempts"))
        );
        let refused = clinic.act(&clinic.maya, id, "unlock", json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let ended = clinic.act(&clinic.alex, id, "unlock", json!({})).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        let locks = clinic.get_as(&clinic.alex, "verification-locks").await.ok();
        assert_eq!(locks["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn one_phone_that_says_to_be_many_people_is_stopped_with_a_notice() {
    run(async |clinic| {
        let limits = IdentityLimits { identities_per_phone: 3, ..IdentityLimits::default() };
        let rules = IdentityRules { limits, ask_again_minutes: 5, ..IdentityRules::default() };
        clinic.set(with_rules(rules)).await;
        let phone = stranger(1);
        for name in ["Ana Ruiz", "Bob Ruiz", "Cy Ruiz"] {
            assert!(notices(&clinic).await.is_empty());
            clinic.app.advance(Duration::from_mins(6));
            answer(&clinic, &phone, NEW_PATIENTS, [name, "01/01/1990"]).await;
        }
        let notice = notices(&clinic).await.pop().unwrap();
        assert_eq!(notice["kind"], "identity.enumeration");
        assert_eq!((&notice["data"]["scope"], &notice["data"]["identities"]), (&json!("phone"), &json!(3)));
        assert!(!notice.to_string().contains("Ruiz") && !notice.to_string().contains(&phone), "{notice}");
        clinic.app.advance(Duration::from_mins(6));
        answer(&clinic, &phone, NEW_PATIENTS, JOHN).await;
        assert_eq!(state(&clinic, &phone, NEW_PATIENTS).await.1, VerificationState::Locked);
        // It passes.
        clinic.app.advance(Duration::from_hours(25));
        answer(&clinic, &phone, NEW_PATIENTS, JOHN).await;
        assert_eq!(
            state(&clinic, &phone, NEW_PATIENTS).await,
            (Identity::Verified, VerificationState::Matched)
        );
    })
    .await;
}

#[tokio::test]
async fn many_who_fit_nobody_on_one_number_are_stopped_with_a_notice() {
    run(async |clinic| {
        let limits = IdentityLimits { attempts_per_number: 3, ..IdentityLimits::default() };
        clinic.set(with_rules(IdentityRules { limits, ..IdentityRules::default() })).await;
        for number in 0..3 {
            answer(&clinic, &stranger(number), NEW_PATIENTS, ["Jane Nobody", "01/01/1990"]).await;
        }
        let notice = notices(&clinic).await.pop().unwrap();
        assert_eq!(
            (&notice["data"]["scope"], &notice["data"]["reason"]),
            (&json!("number"), &json!("burst"))
        );
        answer(&clinic, &stranger(4), NEW_PATIENTS, JOHN).await;
        assert_eq!(state(&clinic, &stranger(4), NEW_PATIENTS).await.1, VerificationState::Locked);
        assert_eq!(clinic.received(&stranger(4), NEW_PATIENTS).await.last().unwrap(), THANKS);
        // The other number goes on.
        answer(&clinic, &stranger(5), FRONT_DESK, JOHN).await;
        assert_eq!(state(&clinic, &stranger(5), FRONT_DESK).await.1, VerificationState::Matched);
    })
    .await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_times_out() {
    run(async |clinic| {
        let phone = stranger(1);
        clinic.text(&phone, NEW_PATIENTS, "Hello").await;
        assert_eq!(state(&clinic, &phone, NEW_PATIENTS).await, (Identity::Asking, VerificationState::Asking));
        let texts = clinic.received(&phone, NEW_PATIENTS).await.len();
        clinic.app.advance(Duration::from_hours(25));
        eventually("it times out", || async {
            state(&clinic, &phone, NEW_PATIENTS).await == (Identity::Placeholder, VerificationState::TimedOut)
        })
        .await;
        let id = clinic.conversation_id(&phone, NEW_PATIENTS).await;
        let timed_out = clinic.told(id, "identity.timed_out").await;
        assert_eq!(timed_out[0]["data"]["question"], "full-name");
        let conversation = clinic.conversation(&phone, NEW_PATIENTS).await;
        assert!(conversation["patient"]["display_name"].as_str().unwrap().starts_with("Guest "));
        clinic.text(&phone, NEW_PATIENTS, "John Smith").await;
        let identity_texts = clinic.received(&phone, NEW_PATIENTS).await;
        assert!(!identity_texts[texts..].contains(&ASK_BIRTHDAY.to_owned()), "and nobody goes on asking");
    })
    .await;
}

#[tokio::test]
async fn a_phone_with_one_owner_links_when_the_questions_come_to_nothing() {
    run(async |clinic| {
        for (phone, patient, identity) in [
            (ANA, "Anita Morales", "unasked"),
            (COHENS, "Guest ", "placeholder"),
            ("+15125550179", "Guest ", "placeholder"),
        ] {
            clinic.text(phone, NEW_PATIENTS, "Hello").await;
            clinic.text(phone, NEW_PATIENTS, "EXIT").await;
            let conversation = clinic.conversation(phone, NEW_PATIENTS).await;
            assert!(
                conversation["patient"]["display_name"].as_str().unwrap().starts_with(patient),
                "{conversation}"
            );
            assert_eq!(conversation["identity"], identity, "a phone is no proof");
        }
        // Somebody else says who they are, then wants no more: the phone is no hint.
        let other = "+15125550102";
        clinic.text(other, NEW_PATIENTS, "Hello").await;
        clinic.text(other, NEW_PATIENTS, "Mary Jones").await;
        clinic.text(other, NEW_PATIENTS, "EXIT").await;
        assert_eq!(clinic.conversation(other, NEW_PATIENTS).await["identity"], "placeholder");
    })
    .await;
}

#[tokio::test]
async fn who_was_verified_long_ago_is_asked_again() {
    run(async |clinic| {
        let rules = IdentityRules { reverify_days: 30, ..IdentityRules::default() };
        clinic.set(with_rules(rules)).await;
        let phone = stranger(1);
        answer(&clinic, &phone, NEW_PATIENTS, JOHN).await;
        let texts = clinic.received(&phone, NEW_PATIENTS).await.len();
        clinic.app.advance(Duration::from_hours(29 * 24));
        clinic.text(&phone, NEW_PATIENTS, "Thanks").await;
        assert_eq!(state(&clinic, &phone, NEW_PATIENTS).await.0, Identity::Verified);
        clinic.app.advance(Duration::from_hours(2 * 24));
        clinic.text(&phone, NEW_PATIENTS, "Hi again").await;
        assert_eq!(state(&clinic, &phone, NEW_PATIENTS).await, (Identity::Asking, VerificationState::Asking));
        let received = clinic.received(&phone, NEW_PATIENTS).await;
        assert!(received[texts..].iter().any(|text| text.contains("first and last name")), "{received:?}");
        let conversation = clinic.conversation(&phone, NEW_PATIENTS).await;
        assert_eq!(conversation["patient"]["display_name"], "John Smith", "staff see who it was");

        // The phone has gone to another patient: neither is guessed, and the thread leaves John.
        clinic.text(&phone, NEW_PATIENTS, "Anita Morales").await;
        clinic.text(&phone, NEW_PATIENTS, "3/4/1985").await;
        assert_eq!(
            state(&clinic, &phone, NEW_PATIENTS).await,
            (Identity::Placeholder, VerificationState::Another)
        );
        assert_eq!(clinic.received(&phone, NEW_PATIENTS).await.last().unwrap(), THANKS);
        let conversation = clinic.conversation(&phone, NEW_PATIENTS).await;
        assert_eq!(conversation["patient"]["kind"], "placeholder");
    })
    .await;
}

/// Between the answer to the texter and the look into the directory the process is killed.
#[tokio::test]
async fn claims_that_a_killed_node_left_are_matched() {
    run(async |clinic| {
        let phone = stranger(1);
        clinic.text(&phone, NEW_PATIENTS, "Hello").await;
        let mut conversation = clinic.stored(&phone, NEW_PATIENTS).await.unwrap();
        clinic
            .change(move |mut org| {
                async move {
                    let mut open = org.open_verification(conversation.id).await?.unwrap();
                    let claim = |field: &str, value: &str| Claim { field: field.into(), value: value.into() };
                    open.claimed = Some(ClaimedIdentity {
                        claims: vec![claim("last-name", "Smith"), claim("date-of-birth", "1962-11-30")],
                        policy: "identity".into(),
                        ..ClaimedIdentity::default()
                    });
                    open.state = VerificationState::Matching;
                    open.due_at = Some(org.now());
                    org.update_verification(&open).await?;
                    conversation.exchanges[0].answer = Some("John Smith 11/30/1962".into());
                    assert_eq!(org.update_conversation(&mut conversation).await?, ConversationChange::Stored);
                    Ok::<_, StoreError>(())
                }
                .boxed()
            })
            .await;
        eventually("housekeeping matches them", || async {
            state(&clinic, &phone, NEW_PATIENTS).await == (Identity::Verified, VerificationState::Matched)
        })
        .await;

        // The next text finds them first, where it is faster.
        let other = stranger(2);
        clinic.text(&other, NEW_PATIENTS, "Hello").await;
        let (id, number) = {
            let conversation = clinic.stored(&other, NEW_PATIENTS).await.unwrap();
            (conversation.id, conversation.number_id)
        };
        let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
        let open: Verification = org.open_verification(id).await.unwrap().unwrap();
        assert_eq!((open.number_id, open.questions.as_slice()), (number, &["full-name".to_owned()][..]));
    })
    .await;
}

#[tokio::test]
async fn what_counts_as_a_match_is_the_clinics_and_never_too_little() {
    run(async |clinic| {
        // Nicknames count; a turned date doesn't, until the clinic says so.
        answer(&clinic, &stranger(1), NEW_PATIENTS, ["Johnny Smith", "11/30/1962"]).await;
        assert_eq!(state(&clinic, &stranger(1), NEW_PATIENTS).await.1, VerificationState::Matched);
        answer(&clinic, &stranger(2), NEW_PATIENTS, ["Anita Morales", "4/3/1985"]).await;
        assert_eq!(state(&clinic, &stranger(2), NEW_PATIENTS).await.1, VerificationState::None);

        let refused = clinic.get_as(&clinic.maya, "identity-rules").await.ok();
        assert_eq!(
            refused["matching"]["match_on"],
            json!([["date-of-birth", "last-name"], ["date-of-birth", "phone"]])
        );
        let mut rules = refused.clone();
        rules["matching"]["transposed_dates"] = true.into();
        let put = async |rules: &Value, who| clinic.api(who, Method::PUT, "identity-rules", rules).await;
        assert_eq!(put(&rules, &clinic.maya).await.status, StatusCode::FORBIDDEN);
        put(&rules, &clinic.alex).await.ok();
        answer(&clinic, &stranger(3), NEW_PATIENTS, ["Anita Morales", "4/3/1985"]).await;
        assert_eq!(state(&clinic, &stranger(3), NEW_PATIENTS).await.1, VerificationState::Matched);

        for weak in
            [json!([["date-of-birth"]]), json!([["last-name", "first-name"]]), json!([["mrn"]]), json!([])]
        {
            let mut wanted = rules.clone();
            wanted["matching"]["match_on"] = weak.clone();
            let refused = put(&wanted, &clinic.alex).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");
        }
        // Stored past the check, a set that is too weak still matches nobody.
        let mut settings = OrganizationSettings::default();
        settings.identity.matching.match_on = vec![vec![Field::DateOfBirth], vec![Field::FirstName]];
        clinic.set(settings).await;
        answer(&clinic, &stranger(4), NEW_PATIENTS, JOHN).await;
        assert_eq!(state(&clinic, &stranger(4), NEW_PATIENTS).await.1, VerificationState::None);

        // A policy raises the floor.
        clinic.set(OrganizationSettings::default()).await;
        clinic.adjust(Hook::Identity, |settings| settings["required"] = json!(["mrn"])).await;
        answer(&clinic, &stranger(5), NEW_PATIENTS, JOHN).await;
        assert_eq!(state(&clinic, &stranger(5), NEW_PATIENTS).await.1, VerificationState::None);
    })
    .await;
}

#[tokio::test]
async fn spanish_is_answered_in_spanish_and_a_mother_is_asked_for_her_child() {
    run(async |clinic| {
        let phone = stranger(1);
        clinic.text(&phone, NEW_PATIENTS, "Hola, soy la mamá de Noah").await;
        clinic.text(&phone, NEW_PATIENTS, "Noah Cohen").await;
        clinic.text(&phone, NEW_PATIENTS, "14 de septiembre de 2015").await;
        let received = clinic.received(&phone, NEW_PATIENTS).await;
        assert!(received.iter().any(|text| text.contains("¿Para quién escribe?")), "{received:?}");
        assert_eq!(received.last().unwrap(), "Gracias. Un miembro de nuestro equipo le responderá aquí.");
        let conversation = clinic.conversation(&phone, NEW_PATIENTS).await;
        assert_eq!(conversation["patient"]["display_name"], "Noah Cohen");
    })
    .await;
}
