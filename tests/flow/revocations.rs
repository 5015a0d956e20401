//! Opt-outs that no keyword told: in the patient's own words, by phone or letter, from a list; and what shows that each
//! was honoured in time.

use std::time::Duration;

use anteroom_store::OrganizationSettings;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, eventually, run};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

async fn opted_out(clinic: &Clinic, phone: &str) -> bool {
    clinic.conversation(phone, FRONT_DESK).await["opted_out"] == true
}

#[tokio::test]
async fn one_press_records_what_the_patient_said_in_their_own_words() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Please stop texting me").await;
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert!(
            clinic.received(STRANGER, FRONT_DESK).await.is_empty(),
            "no welcome to somebody who wants no texts"
        );
        clinic.text(STRANGER, FRONT_DESK, "chest pain").await;
        assert!(
            clinic.received(STRANGER, FRONT_DESK).await.is_empty(),
            "nothing automatic until somebody has looked"
        );
        let open = clinic.list("revocations").await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0]["conversation_id"], id.to_string());
        // Monday to Monday a fortnight later, at the same time of the clinic's day.
        assert_eq!(open[0]["asked_at"].as_str().unwrap()[..10], *"2026-11-23");
        assert_eq!(open[0]["due_at"].as_str().unwrap()[..10], *"2026-12-07");
        // Staff may answer meanwhile.
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Shall we stop?" })).await.ok();
        clinic.app.settled().await;
        assert!(!opted_out(&clinic, STRANGER).await);

        let path = format!("revocations/{}/record", open[0]["message_id"].as_str().unwrap());
        let done = clinic.post(&clinic.maya, &path, Value::Null).await.ok();
        assert_eq!(
            (&done["state"], &done["resolved_by"]["name"]),
            (&json!("recorded"), &json!("Maya Torres"))
        );
        assert!(opted_out(&clinic, STRANGER).await);
        assert!(clinic.list("revocations").await.is_empty());
        let list = clinic.list("opt-outs").await;
        assert_eq!(
            (&list[0]["source"], &list[0]["via"], &list[0]["in_time"]),
            (&json!("staff"), &json!("text"), &json!(true))
        );
        assert_eq!(list[0]["asked_at"], open[0]["asked_at"]);
        let again = clinic.post(&clinic.sam, &path, Value::Null).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "resolved"));
        let auditor = clinic.colleague(anteroom_model::states::Role::Auditor, "Ida Wells").await;
        assert_eq!(clinic.post(&auditor, &path, Value::Null).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn what_was_none_is_dismissed_and_a_stop_settles_what_is_open() {
    run(async |clinic| {
        for phone in [ANA, STRANGER] {
            clinic.text(phone, FRONT_DESK, "take me off your list").await;
        }
        let open = clinic.list("revocations").await;
        assert_eq!(open.len(), 2);
        let path = format!("revocations/{}/dismiss", open[0]["message_id"].as_str().unwrap());
        clinic.post(&clinic.maya, &path, Value::Null).await.ok();
        clinic.text(ANA, FRONT_DESK, "chest pain").await;
        assert_eq!(clinic.received(ANA, FRONT_DESK).await.len(), 1, "automatic replies go on");
        clinic.text(STRANGER, FRONT_DESK, "STOP").await;
        assert!(clinic.list("revocations").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn admins_are_reminded_before_the_ten_days_are_over() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "take me off your list").await;
        clinic.app.advance_to("2026-12-05T09:00:00-06:00");
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert!(notices(&clinic).await.is_empty(), "too early");
        clinic.app.advance_to("2026-12-05T11:00:00-06:00");
        let told = || async { notices(&clinic).await.len() == 1 };
        eventually("admins are told", told).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!(notices(&clinic).await.len(), 1, "once");
    })
    .await;
}

async fn notices(clinic: &Clinic) -> Vec<Value> {
    let notices = clinic.get_as(&clinic.alex, "notices").await.ok();
    let notices = notices["items"].as_array().unwrap().clone();
    notices.into_iter().filter(|notice| notice["kind"] == "opt_out.revocation_due").collect()
}

#[tokio::test]
async fn a_revocation_by_phone_is_recorded_and_a_mistake_taken_back() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let asked = "2026-11-02T15:00:00Z";
        let new = json!({ "phone": "(512) 555-0101", "via": "phone", "asked_at": asked, "note": "Called the desk." });
        let made = clinic.post(&clinic.maya, "opt-outs", new.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        // The 2nd of November and ten business days: the 16th. It was recorded on the 23rd.
        assert_eq!(made.body["due_at"].as_str().unwrap()[..10], *"2026-11-16");
        assert_eq!((&made.body["in_time"], &made.body["note"]), (&json!(false), &json!("Called the desk.")));
        assert!(opted_out(&clinic, ANA).await);
        let again = clinic.post(&clinic.sam, "opt-outs", new).await;
        assert_eq!((again.status, &again.body["id"]), (StatusCode::OK, &made.body["id"]));

        let path = format!("opt-outs/{}/clear", made.body["id"].as_str().unwrap());
        let mine = json!({ "note": "It was her sister." });
        assert_eq!(clinic.post(&clinic.maya, &path, mine.clone()).await.status, StatusCode::FORBIDDEN);
        let cleared = clinic.post(&clinic.alex, &path, mine.clone()).await.ok();
        assert_eq!((&cleared["cleared_by"]["name"], &cleared["clear_note"]), (&json!("Alex Kim"), &mine["note"]));
        assert!(!opted_out(&clinic, ANA).await);
        assert_eq!(clinic.post(&clinic.alex, &path, mine.clone()).await.problem(), "cleared");

        clinic.text(ANA, FRONT_DESK, "STOP").await;
        let own = clinic.list("opt-outs").await[0]["id"].as_str().unwrap().to_owned();
        let refused = clinic.post(&clinic.alex, &format!("opt-outs/{own}/clear"), mine).await;
        assert_eq!(refused.problem(), "opted-out-themselves");
        for wrong in [
            json!({ "via": "phone" }),
            json!({ "phone": ANA, "conversation_id": id, "via": "phone" }),
            json!({ "phone": "nobody", "via": "phone" }),
            json!({ "phone": ANA, "via": "phone", "asked_at": "2030-01-01T00:00:00Z" }),
        ] {
            let refused = clinic.post(&clinic.maya, "opt-outs", wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        }
    })
    .await;
}

#[tokio::test]
async fn one_number_is_meant_where_the_clinic_says_so() {
    run(async |clinic| {
        clinic
            .set(OrganizationSettings { opt_out_everywhere: false, ..OrganizationSettings::default() })
            .await;
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        clinic.text(ANA, NEW_PATIENTS, "Hello").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        clinic
            .post(&clinic.maya, "opt-outs", json!({ "conversation_id": id, "via": "in_person" }))
            .await
            .ok();
        assert!(opted_out(&clinic, ANA).await);
        assert_eq!(clinic.conversation(ANA, NEW_PATIENTS).await["opted_out"], false);
    })
    .await;
}

async fn import(clinic: &Clinic, list: &str) -> crate::support::Answer {
    let bearer = format!("Bearer {}", clinic.alex.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv")];
    clinic.app.request(Method::POST, "/api/v1/opt-outs/import", &headers, list.to_owned()).await
}

#[tokio::test]
async fn a_list_is_taken_once_and_what_is_exported_can_be_taken_again() {
    run(async |clinic| {
        let list = "phone,number,asked_at,note,extra\n\
                    512-555-0101,,2026-11-20,moved away,x\n\
                    +15125550102,+15005550100,2026-11-20T12:00:00Z,,\n\
                    nonsense,,,,\n\
                    +15125550103,+15005559999,,,\n\
                    +15125550104,,yesterday,,\n\
                    +15125550105,,2031-01-01,,\n\
                    +15125550106\n";
        let report = import(&clinic, list).await.ok();
        assert_eq!(
            (&report["rows"], &report["recorded"], &report["refused"]),
            (&json!(7), &json!(3), &json!(4))
        );
        let problems: Vec<_> = report["problems"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["line"].as_u64().unwrap(), p["problem"].as_str().unwrap()))
            .collect();
        assert_eq!(
            problems,
            [
                (4, "phone is not a phone number"),
                (5, "number is none of the clinic's"),
                (6, "asked_at is neither a date nor a moment"),
                (7, "asked_at lies in the future"),
            ]
        );
        let again = import(&clinic, list).await.ok();
        assert_eq!((&again["recorded"], &again["known"]), (&json!(0), &json!(3)));
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        assert!(clinic.received(ANA, FRONT_DESK).await.is_empty());

        let exported = clinic.get_as(&clinic.alex, "opt-outs/export").await;
        let csv = String::from_utf8(exported.bytes.to_vec()).unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 4, "{csv}");
        assert!(
            lines[0].starts_with("phone,number,asked_at,note,source,via,recorded_at,due_at,in_time"),
            "{csv}"
        );
        assert!(csv.contains("+15125550101,,2026-11-20T06:00:00.000000Z,moved away,import,list,"), "{csv}");
        let back = import(&clinic, &csv).await.ok();
        assert_eq!((&back["recorded"], &back["known"], &back["refused"]), (&json!(0), &json!(3), &json!(0)));

        for wrong in ["", "name,mail\nAna,x\n"] {
            assert_eq!(import(&clinic, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let refused = clinic.get_as(&clinic.maya, "opt-outs/export").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    })
    .await;
}
