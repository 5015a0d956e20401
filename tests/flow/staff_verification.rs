//! Staff say who is texting, and what is learnt from it.

use std::time::Duration;

use anteroom_model::{hooks::Hook, states::Role};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, Staff, eventually, run};

const ANA: &str = "+15125550101";
const COHENS: &str = "+15125550105";
const STRANGER: &str = "+15125550177";

/// The id of a patient of the directory.
async fn patient(clinic: &Clinic, first: &str, last: &str) -> String {
    let all = clinic.list("patients?limit=200").await;
    let found = all.iter().find(|one| one["first_name"] == first && one["last_name"] == last);
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn report(clinic: &Clinic) -> Value {
    clinic.get_as(&clinic.alex, "reports/identity").await.ok()
}

async fn if_match(
    clinic: &Clinic,
    who: &Staff,
    path: &str,
    version: i64,
    body: &Value,
) -> (StatusCode, Value) {
    let (bearer, version) = (format!("Bearer {}", who.token), format!("\"{version}\""));
    let headers = [("authorization", bearer.as_str()), ("if-match", version.as_str())];
    let answer =
        clinic.app.request(Method::POST, &format!("/api/v1/{path}"), &headers, body.to_string()).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn verifying_merges_the_guest_and_splitting_brings_it_back() {
    run(async |clinic| {
        // A typed date that nobody has.
        for text in ["Hello", "Leah Cohen", "5/3/1979"] {
            clinic.text(STRANGER, NEW_PATIENTS, text).await;
        }
        let id = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        let guest = clinic.conversation(STRANGER, NEW_PATIENTS).await["patient"].clone();
        assert_eq!(guest["kind"], "placeholder");
        let leah = patient(&clinic, "Leah", "Cohen").await;

        let body = json!({ "patient_id": leah, "reason": "Known by voice" });
        let verified = clinic.act(&clinic.maya, id, "verify", body.clone()).await.ok();
        assert_eq!((&verified["identity"], &verified["patient"]["id"]), (&json!("verified"), &json!(leah)));
        assert_eq!(
            clinic.told(id, "identity.verified").await[0]["summary"],
            "Maya Torres verified the patient"
        );
        // The guest is found through Leah, and doing it again changes nothing.
        let found = clinic.get(&format!("patients/{}", guest["id"].as_str().unwrap())).await;
        assert_eq!(found["id"], json!(leah));
        let again = clinic.act(&clinic.maya, id, "verify", body).await.ok();
        assert_eq!(again["version"], verified["version"]);

        let seen = report(&clinic).await;
        assert_eq!((&seen["labels"]["missed"], &seen["labels"]["wrong_matches"]), (&json!(1), &json!(0)));
        assert_eq!(seen["mistakes"][0]["actual"], json!(leah));

        let split =
            clinic.act(&clinic.maya, id, "split", json!({ "reason": "It was her sister" })).await.ok();
        assert_eq!((&split["identity"], &split["patient"]), (&json!("placeholder"), &guest));
        let found = clinic.get(&format!("patients/{}", guest["id"].as_str().unwrap())).await;
        assert_eq!(found["kind"], "placeholder");
        let nobody = clinic.act(&clinic.maya, id, "split", json!({})).await;
        assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
        // It was nobody of the directory after all: the questions had been right.
        let seen = report(&clinic).await;
        assert_eq!((&seen["labels"]["right"], &seen["labels"]["missed"]), (&json!(1), &json!(0)));
    })
    .await;
}

#[tokio::test]
async fn a_new_patient_is_made_from_the_guest() {
    run(async |clinic| {
        for text in ["Hello", "Ines Vega", "1/2/1991"] {
            clinic.text(STRANGER, NEW_PATIENTS, text).await;
        }
        let id = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        for wrong in [
            json!({ "first_name": " ", "last_name": "" }),
            json!({ "first_name": "Ines", "last_name": "Vega", "date_of_birth": "1/2/91" }),
        ] {
            let refused = clinic.act(&clinic.maya, id, "create-patient", wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let new = json!({ "first_name": "Ines", "last_name": "Vega", "date_of_birth": "1991-01-02", "language": "es" });
        let bearer = format!("Bearer {}", clinic.maya.token);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "once")];
        let path = format!("/api/v1/conversations/{id}/create-patient");
        let create = async || clinic.app.request(Method::POST, &path, &headers, new.to_string()).await;
        let created = create().await.ok();
        assert_eq!(create().await.ok(), created, "the same request again changes nothing");
        assert_eq!(created["patient"]["display_name"], "Ines Vega");
        assert_eq!(created["identity"], "verified");
        let patient = clinic.get(&format!("patients/{}", created["patient"]["id"].as_str().unwrap())).await;
        assert!(patient["phones"].to_string().contains(STRANGER), "{patient}");
        let seen = report(&clinic).await;
        assert_eq!(seen["labels"], json!({ "labelled": 1, "right": 1, "wrong_matches": 0, "wrong_links": 0, "missed": 0 }));
        // Twice is one too many.
        let refused = clinic.act(&clinic.maya, id, "create-patient", new).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "verified"));
        assert_eq!(refused.body["winner"]["name"], "Maya Torres");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_patient_is_put_right() {
    run(async |clinic| {
        clinic.text(COHENS, FRONT_DESK, "Can I come in today?").await;
        let id = clinic.conversation_id(COHENS, FRONT_DESK).await;
        let (leah, noah) = (patient(&clinic, "Leah", "Cohen").await, patient(&clinic, "Noah", "Cohen").await);
        clinic.act(&clinic.maya, id, "verify", json!({ "patient_id": leah })).await.ok();
        let refused = clinic.act(&clinic.sam, id, "verify", json!({ "patient_id": noah })).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "verified"));
        assert_eq!(refused.body["winner"]["name"], "Maya Torres");
        assert_eq!(refused.body["patient"]["name"], "Leah Cohen");

        let moved = clinic.act(&clinic.sam, id, "repoint", json!({ "patient_id": noah })).await.ok();
        assert_eq!((&moved["identity"], &moved["patient"]["id"]), (&json!("verified"), &json!(noah)));
        let told = clinic.told(id, "identity.repointed").await;
        assert!(told[0]["data"]["undone_merge_id"].is_string(), "Leah has nothing of it: {}", told[0]);

        // A phone that links to the wrong one: a wrong link, not a wrong match.
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let other = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic.act(&clinic.maya, other, "repoint", json!({ "patient_id": leah })).await.ok();
        let seen = report(&clinic).await;
        assert_eq!(
            (&seen["labels"]["wrong_links"], &seen["labels"]["wrong_matches"]),
            (&json!(1), &json!(0))
        );

        // A match by the answers that staff find wrong is what the report is for.
        for text in ["Hello", "John Smith", "11/30/1962"] {
            clinic.text(STRANGER, NEW_PATIENTS, text).await;
        }
        let matched = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        clinic.act(&clinic.maya, matched, "split", json!({})).await.ok();
        let seen = report(&clinic).await;
        assert_eq!(seen["labels"]["wrong_matches"], 1);
        assert_eq!(clinic.conversation(STRANGER, NEW_PATIENTS).await["patient"]["kind"], "placeholder");
    })
    .await;
}

#[tokio::test]
async fn candidates_show_what_agrees_and_an_agent_no_more_than_that() {
    run(async |clinic| {
        for text in ["Hello", "Leah Cohen", "9/14/2015"] {
            clinic.text(COHENS, NEW_PATIENTS, text).await;
        }
        let id = clinic.conversation_id(COHENS, NEW_PATIENTS).await;
        let path = format!("conversations/{id}/candidates");
        let seen = clinic.get(&path).await;
        assert_eq!(seen["claims"]["date-of-birth"], "2015-09-14");
        let field = |view: &Value, name: &str, field: &str| {
            let all = view["candidates"].as_array().unwrap();
            let one = all.iter().find(|one| one["display_name"] == name).unwrap();
            one["fields"].as_array().unwrap().iter().find(|one| one["field"] == field).unwrap().clone()
        };
        assert_eq!(field(&seen, "Leah Cohen", "date-of-birth")["agreement"], "differs");
        assert_eq!(field(&seen, "Leah Cohen", "date-of-birth")["value"], Value::Null, "an agent is not told");
        assert_eq!(field(&seen, "Leah Cohen", "first-name")["agreement"], "agrees");
        assert_eq!(field(&seen, "Noah Cohen", "date-of-birth")["value"], "2015-09-14");
        assert_eq!(field(&seen, "Noah Cohen", "first-name")["agreement"], "differs");
        assert_eq!(field(&seen, "Noah Cohen", "phone")["agreement"], "agrees");
        assert_eq!(field(&seen, "Noah Cohen", "mrn")["agreement"], "unknown");
        assert_eq!(seen["verifications"][0]["state"], "none");
        let lead = clinic.colleague(Role::Lead, "Lee Lead").await;
        let seen = clinic.get_as(&lead, &path).await.ok();
        assert_eq!(field(&seen, "Leah Cohen", "date-of-birth")["value"], "1979-05-02");
        let audit = clinic.get_as(&clinic.alex, "audit?limit=50").await.ok().to_string();
        assert!(audit.contains("conversation.candidates_read") && audit.contains("patient.compared"));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_say_who_it_is_one_wins() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        let conversation = clinic.conversation(STRANGER, FRONT_DESK).await;
        let (id, version) =
            (clinic.conversation_id(STRANGER, FRONT_DESK).await, conversation["version"].as_i64().unwrap());
        let (leah, noah) = (patient(&clinic, "Leah", "Cohen").await, patient(&clinic, "Noah", "Cohen").await);
        let path = format!("conversations/{id}/verify");
        let (one, other) = (json!({ "patient_id": leah }), json!({ "patient_id": noah }));
        let (first, second) = futures::join!(
            if_match(&clinic, &clinic.maya, &path, version, &one),
            if_match(&clinic, &clinic.sam, &path, version, &other)
        );
        let mut statuses = [first.0, second.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
        let loser = if first.0 == StatusCode::CONFLICT { first.1 } else { second.1 };
        assert!(loser["type"].as_str().unwrap().ends_with("changed"), "{loser}");

        // An auditor only reads; an agent leaves a colleague's conversation alone; nobody is nobody.
        let auditor = clinic.colleague(Role::Auditor, "Ada Auditor").await;
        let refused = clinic.act(&auditor, id, "split", json!({})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        clinic.act(&clinic.maya, id, "accept", json!({})).await.ok();
        let refused = clinic.act(&clinic.sam, id, "split", json!({})).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "held"));
        let unknown = json!({ "patient_id": clinic.organization });
        let refused = clinic.act(&clinic.maya, id, "repoint", unknown).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        clinic.text("+15125550178", FRONT_DESK, "Hello").await;
        let guest = clinic.conversation("+15125550178", FRONT_DESK).await["patient"]["id"].clone();
        let refused = clinic.act(&clinic.maya, id, "repoint", json!({ "patient_id": guest })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test]
async fn staff_who_are_faster_end_the_questions() {
    run(async |clinic| {
        clinic.text(STRANGER, NEW_PATIENTS, "Hello").await;
        let id = clinic.conversation_id(STRANGER, NEW_PATIENTS).await;
        let leah = patient(&clinic, "Leah", "Cohen").await;
        clinic.act(&clinic.maya, id, "verify", json!({ "patient_id": leah })).await.ok();
        let texts = clinic.received(STRANGER, NEW_PATIENTS).await.len();
        clinic.text(STRANGER, NEW_PATIENTS, "John Smith").await;
        assert_eq!(clinic.received(STRANGER, NEW_PATIENTS).await.len(), texts, "nobody asks on");
        clinic.app.advance(Duration::from_hours(26));
        let conversation = clinic.conversation(STRANGER, NEW_PATIENTS).await;
        assert_eq!(
            (&conversation["identity"], &conversation["patient"]["id"]),
            (&json!("verified"), &json!(leah))
        );
        let seen = report(&clinic).await;
        assert_eq!(seen["labels"]["labelled"], 0, "the questions had found nothing yet");
        assert_eq!(seen["gave_up"]["overtaken"], 1);
    })
    .await;
}

#[tokio::test]
async fn the_report_counts_questions_and_where_people_leave() {
    run(async |clinic| {
        let texts: [&[&str]; 4] = [
            &["Hello", "John Smith", "11/30/1962"],
            &["Hello", "why?", "John Smith", "11/30/1962"],
            &["Hello", "EXIT"],
            &["Hello", "Jane Roe", "no"],
        ];
        for (number, texts) in texts.into_iter().enumerate() {
            for text in texts {
                clinic.text(&format!("+151255602{number:02}"), NEW_PATIENTS, text).await;
            }
        }
        let seen = report(&clinic).await;
        assert_eq!(seen["outcomes"], json!({ "matched": 2, "gave_up": 2 }));
        assert_eq!(seen["gave_up"], json!({ "exit": 1, "declined": 1 }));
        let questions = &seen["questions"];
        assert_eq!(
            (&questions["verifications"], &questions["asked"], &questions["mean"]),
            (&json!(4), &json!(8), &json!(2.0))
        );
        assert_eq!(questions["distribution"], json!({ "1": 1, "2": 2, "3": 1 }));
        let by: Vec<_> = questions["by_question"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["question"].as_str().unwrap(),
                    one["asked"].as_i64().unwrap(),
                    one["dropped"].as_i64().unwrap(),
                )
            })
            .collect();
        assert_eq!(by, [("date-of-birth", 3, 1), ("full-name", 5, 1)]);
        assert_eq!(clinic.get_as(&clinic.maya, "reports/identity").await.status, StatusCode::FORBIDDEN);
        let early = clinic.get_as(&clinic.alex, "reports/identity?until=2026-01-01T00:00:00Z").await.ok();
        assert_eq!(early["verifications"], 0);
    })
    .await;
}

/// Other questions are tried on what staff have labelled.
#[tokio::test]
async fn a_backtest_tells_how_labelled_conversations_would_have_come_out() {
    run(async |clinic| {
        clinic.app.start_backtests();
        let binding = clinic.binding(Hook::Identity).await;
        // A clinic that reads the day first, and patients who write the month first.
        clinic.adjust(Hook::Identity, |settings| settings["date_order"] = "dmy".into()).await;
        for (number, [name, birthday]) in
            [["Leah Cohen", "5/2/1979"], ["Noah Cohen", "9/14/2015"], ["Jane Roe", "1/2/1990"]]
                .into_iter()
                .enumerate()
        {
            for text in ["Hello", name, birthday] {
                clinic.text(&format!("+151255603{number:02}"), NEW_PATIENTS, text).await;
            }
        }
        let id = async |number: usize| {
            clinic.conversation_id(&format!("+151255603{number:02}"), NEW_PATIENTS).await
        };
        let leah = patient(&clinic, "Leah", "Cohen").await;
        let noah = patient(&clinic, "Noah", "Cohen").await;
        let (first, second, third) = (id(0).await, id(1).await, id(2).await);
        clinic.act(&clinic.maya, first, "verify", json!({ "patient_id": leah })).await.ok();
        // Found by the answers, and staff agree.
        clinic.act(&clinic.maya, second, "verify", json!({ "patient_id": noah })).await.ok();
        let new = json!({ "first_name": "Jane", "last_name": "Roe" });
        clinic.act(&clinic.maya, third, "create-patient", new).await.ok();
        let seen = report(&clinic).await;
        assert_eq!(
            (&seen["labels"]["missed"], &seen["labels"]["labelled"]),
            (&json!(1), &json!(3)),
            "{seen}"
        );

        let body = json!({
            "policy_id": binding.policy_id,
            "hook": "identity",
            "days": 30,
            "settings": serde_json::from_str::<Value>(&binding.settings).unwrap(),
        });
        clinic.app.advance(Duration::from_secs(1));
        let begun = clinic.post(&clinic.alex, "backtests", body).await.ok();
        let path = format!("backtests/{}", begun["id"].as_str().unwrap());
        eventually("the backtest is done", || async { clinic.get(&path).await["state"] == "done" }).await;
        let found = clinic.get_as(&clinic.alex, &format!("{path}/report")).await.ok();
        let identity = &found["identity"];
        assert_eq!(identity["recorded"], json!({ "missed": 1, "right": 2 }), "{identity}");
        assert_eq!(identity["candidate"], json!({ "right": 3 }), "{identity}");
        assert_eq!(identity["changes"][0]["conversation_id"], json!(first));
    })
    .await;
}

/// The last answer and staff's word come together: one of them says who it is, and nothing is left between.
#[tokio::test]
async fn the_last_answer_and_staff_may_come_together() {
    run(async |clinic| {
        let (leah, john) = (patient(&clinic, "Leah", "Cohen").await, patient(&clinic, "John", "Smith").await);
        let phones: Vec<String> = (0..10).map(|number| format!("+151255604{number:02}")).collect();
        for phone in &phones {
            clinic.text(phone, NEW_PATIENTS, "Hello").await;
            clinic.text(phone, NEW_PATIENTS, "John Smith").await;
        }
        let one = async |phone: &String| {
            let id = clinic.conversation_id(phone, NEW_PATIENTS).await;
            let body = json!({ "patient_id": leah });
            let ((), said) = futures::join!(
                clinic.deliver(phone, NEW_PATIENTS, "11/30/1962"),
                clinic.act(&clinic.maya, id, "verify", body)
            );
            said.status
        };
        let said = futures::future::join_all(phones.iter().map(one)).await;
        clinic.app.settled().await;
        for (phone, status) in phones.iter().zip(said) {
            let conversation = clinic.conversation(phone, NEW_PATIENTS).await;
            assert_eq!(conversation["identity"], "verified", "{conversation}");
            let expected = if status == StatusCode::OK { &leah } else { &john };
            assert_eq!(conversation["patient"]["id"], json!(expected), "{status}");
            assert!(status == StatusCode::OK || status == StatusCode::CONFLICT, "{status}");
            let id = clinic.conversation_id(phone, NEW_PATIENTS).await;
            let named = ["identity.matched", "identity.verified"].map(|kind| clinic.told(id, kind));
            let named: usize = futures::future::join_all(named).await.iter().map(Vec::len).sum();
            assert_eq!(named, 1, "one of them said who it is");
        }
    })
    .await;
}
