//! Saved replies, filled with what the clinic has granted.

use anteroom::builtin;
use anteroom_model::hooks::Hook;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, run};

const ANA: &str = "+15125550101";
const STRANGER: &str = "+15125550177";

async fn expand(clinic: &Clinic, who: &Staff, name: &str, phone: &str) -> Answer {
    let id = clinic.conversation_id(phone, FRONT_DESK).await;
    clinic.post(who, &format!("shortcuts/{name}/expand"), json!({ "conversation_id": id })).await
}

/// Both have texted.
async fn texted(clinic: &Clinic) {
    for phone in [ANA, STRANGER] {
        clinic.text(phone, FRONT_DESK, "Hello").await;
    }
}

#[tokio::test]
async fn each_team_has_its_own() {
    run(async |clinic| {
        texted(&clinic).await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let names = async |who: &Staff| -> Vec<String> {
            let path = format!("shortcuts?conversation_id={id}");
            let list = clinic.api(who, axum::http::Method::GET, &path, &Value::Null).await.ok();
            list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().into()).collect()
        };
        let everybody = ["hello", "call-us", "thanks", "opening"];
        let front_desk = ["confirm-appointment", "arrival"];
        let pharmacy = ["refill-sent", "refill-visit"];
        assert_eq!(names(&clinic.maya).await, [&everybody[..], &front_desk, &pharmacy].concat());
        assert_eq!(names(&clinic.sam).await, [&everybody[..], &["bill-copy"]].concat());
        assert_eq!(expand(&clinic, &clinic.sam, "refill-sent", ANA).await.status, StatusCode::NOT_FOUND);
        assert_eq!(expand(&clinic, &clinic.sam, "nonsense", ANA).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn variables_are_filled_and_nothing_is_sent() {
    run(async |clinic| {
        texted(&clinic).await;
        let filled = expand(&clinic, &clinic.maya, "hello", ANA).await.ok();
        let body = "Hi Anita, this is Maya Torres from Riverside Clinic. How can I help?";
        assert_eq!(filled, json!({ "body": body, "missing": [] }));
        let filled = expand(&clinic, &clinic.maya, "hello", STRANGER).await.ok();
        let body = "Hi there, this is Maya Torres from Riverside Clinic. How can I help?";
        assert_eq!(filled, json!({ "body": body, "missing": [] }));
        assert_eq!(clinic.received(ANA, FRONT_DESK).await.len(), 1, "the welcome");
    })
    .await;
}

#[tokio::test]
async fn only_what_an_admin_has_granted_is_filled_in() {
    run(async |clinic| {
        texted(&clinic).await;
        let template = "Hello {{patient.first_name}}";
        let settings = json!({ "shortcuts": [{ "name": "hi", "title": "Hi", "template": template }] });
        for (granted, phone, body, missing) in [
            (&["first-name"][..], ANA, "Hello Ana", vec![]),
            (&["first-name"], STRANGER, template, vec!["patient.first_name"]),
            (&["last-name"], ANA, template, vec!["patient.first_name"]),
            (&[], ANA, template, vec!["patient.first_name"]),
        ] {
            let component = builtin::component(Hook::Shortcuts);
            clinic.bind(Hook::Shortcuts, component, Some(settings.clone()), granted).await;
            let filled = expand(&clinic, &clinic.maya, "hi", phone).await.ok();
            assert_eq!(filled, json!({ "body": body, "missing": missing }), "granted: {granted:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_broken_shortcut_is_an_error_in_place() {
    run(async |clinic| {
        texted(&clinic).await;
        clinic
            .adjust(Hook::Shortcuts, |settings| settings["shortcuts"][0]["template"] = json!("Hi {{oops"))
            .await;
        let refused = expand(&clinic, &clinic.maya, "hello", ANA).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "policy-fault"));
        assert_eq!(refused.body["fault"], "policy_error");
        expand(&clinic, &clinic.maya, "call-us", ANA).await.ok();
    })
    .await;
}
