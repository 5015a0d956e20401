//! A policy version is tried on a made-up conversation, and nothing of it happens.

use std::{env, fs, path::PathBuf};

use anteroom::builtin;
use anteroom_model::{hooks::Hook, ids::PolicyId, states::Role};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, run};

fn guest(name: &str) -> &'static [u8] {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let folder = env::var_os("ANTEROOM_GUESTS").map_or(built, PathBuf::from);
    fs::read(folder.join(format!("test/{name}.wasm"))).expect("run `make plugins`").leak()
}

async fn attempt(clinic: &Clinic, policy: PolicyId, body: &Value) -> Answer {
    clinic.post(&clinic.alex, &format!("policies/{policy}/try"), body.clone()).await
}

/// Tries what is bound to a hook.
async fn tried(clinic: &Clinic, hook: Hook, mut body: Value) -> Value {
    let policy = clinic.binding(hook).await.policy_id;
    body["hook"] = json!(hook);
    attempt(clinic, policy, &body).await.ok()
}

fn bodies(turn: &Value) -> Vec<&str> {
    let says = turn["says"].as_array().unwrap();
    says.iter().filter(|said| said["sent"] == true).map(|said| said["body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn questions_are_asked_one_after_the_other_and_the_claims_are_named() {
    run(async |clinic| {
        let texts = json!({ "texts": ["I need a refill", "Ana Morales", "March 4 1985", "and hurry"] });
        let tried = tried(&clinic, Hook::Identity, texts).await;
        let turns = tried["turns"].as_array().unwrap();
        assert_eq!(turns.len(), 3, "once it knows, it is not asked: {tried}");
        assert!(turns[0]["summary"].as_str().unwrap().starts_with("Asked who is texting ("), "{}", turns[0]);
        assert_eq!(bodies(&turns[0]).len(), 1);
        let summary = turns[2]["summary"].as_str().unwrap();
        assert!(summary.contains("Morales") && summary.contains("1985-03-04"), "{summary}");
        assert!(turns[2]["output"]["identity"]["match"].is_object());
        assert!(turns[0]["fuel"].as_u64().unwrap() > 0);
    })
    .await;
}

#[tokio::test]
async fn unsaved_settings_decide_and_nothing_is_kept_or_counted() {
    run(async |clinic| {
        let binding = clinic.binding(Hook::Routing).await;
        let mut settings: Value = serde_json::from_str(&binding.settings).unwrap();
        settings["rules"][0]["team"] = json!("Nurses");
        let body = json!({ "hook": "routing", "texts": ["I need a refill"], "settings": settings });
        let tried = attempt(&clinic, binding.policy_id, &body).await.ok();
        let turn = &tried["turns"][0];
        assert_eq!(turn["output"]["routing"]["team"], "Nurses");
        assert!(turn["summary"].as_str().unwrap().starts_with("Routed to team Nurses"), "{turn}");
        assert!(clinic.list("decisions").await.is_empty());
        assert!(clinic.queue("all").await.is_empty());
        assert_eq!(clinic.binding(Hook::Routing).await.settings, binding.settings);

        // A team that isn't there is a fault, as it would be on a patient's text, and says what to do.
        settings["rules"][0]["team"] = json!("Nobody");
        let body = json!({ "hook": "routing", "texts": ["I need a refill"], "settings": settings });
        let tried = attempt(&clinic, binding.policy_id, &body).await.ok();
        let fault = &tried["turns"][0]["fault"];
        assert_eq!(fault["kind"], "invalid_output");
        assert!(fault["message"].as_str().unwrap().contains("Nobody"));
        assert!(fault["hint"].as_str().unwrap().contains("letter by letter"));

        settings["rules"][0]["when"] = json!("sometimes");
        let body = json!({ "hook": "routing", "texts": ["x"], "settings": settings });
        let refused = attempt(&clinic, binding.policy_id, &body).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "settings"));
        assert_eq!(refused.body["errors"][0]["field"], "/rules/0/when");
    })
    .await;
}

#[tokio::test]
async fn open_or_closed_is_chosen_and_a_reply_is_said_once() {
    run(async |clinic| {
        let twice = ["Hello", "Hello again"];
        let open = tried(&clinic, Hook::Replies, json!({ "texts": twice, "open": true })).await;
        assert_eq!(open["hours"]["open"], true);
        assert!(bodies(&open["turns"][0])[0].contains("will answer here soon"), "{open}");
        assert!(bodies(&open["turns"][1]).is_empty(), "{open}");
        let closed = tried(&clinic, Hook::Replies, json!({ "texts": twice, "open": false })).await;
        assert_eq!(closed["hours"]["open"], false);
        let says = bodies(&closed["turns"][0]);
        assert!(says[0].contains("We are closed now"), "{closed}");
        // The lunch break, two hours from the clock's moment: when it ends is known.
        assert_eq!(closed["hours"]["opens"]["minute"], 13 * 60);
        let sentence = closed["turns"][0]["summary"].as_str().unwrap();
        assert!(sentence.starts_with("Automatic reply by the policy “replies”"), "{sentence}");
    })
    .await;
}

#[tokio::test]
async fn a_made_up_patient_fills_a_saved_reply_as_far_as_it_is_granted() {
    run(async |clinic| {
        let listed = tried(&clinic, Hook::Shortcuts, json!({ "teams": ["Billing"] })).await;
        let names = listed["turns"][0]["output"]["shortcut_list"].as_array().unwrap();
        assert!(names.iter().any(|one| one["name"] == "bill-copy"));
        let patient = json!({ "first-name": "Ana", "preferred-name": "Anita" });
        let body = json!({ "shortcut": "hello", "patient": patient });
        let filled = tried(&clinic, Hook::Shortcuts, body.clone()).await;
        assert!(bodies(&filled["turns"][0])[0].starts_with("Hi Anita, this is Alex Kim"), "{filled}");
        assert_eq!(filled["turns"][0]["read"], json!(["preferred-name"]));
        let mut without = body;
        without["granted_fields"] = json!([]);
        let filled = tried(&clinic, Hook::Shortcuts, without).await;
        assert!(bodies(&filled["turns"][0])[0].starts_with("Hi there"), "{filled}");
    })
    .await;
}

#[tokio::test]
async fn a_policy_that_hurts_is_stopped_and_never_switched_off_by_trying() {
    run(async |clinic| {
        let server = &clinic.app.server;
        let added = |name| {
            builtin::add_policy(&server.store, &server.policies, clinic.organization, guest(name), "uploaded")
        };
        for (name, kind) in [("endless_loop", "fuel"), ("memory_bomb", "memory"), ("trap", "trap")] {
            let policy = added(name).await.unwrap().0;
            clinic.bind(Hook::Routing, guest(name), None, &[]).await;
            for _ in 0..6 {
                let body = json!({ "hook": "routing", "texts": ["Hello"] });
                let tried = attempt(&clinic, policy, &body).await.ok();
                let turn = &tried["turns"][0];
                assert_eq!((&turn["outcome"], &turn["fault"]["kind"]), (&json!("fault"), &json!(kind)));
                assert!(!turn["fault"]["hint"].as_str().unwrap().is_empty());
            }
            assert!(clinic.binding(Hook::Routing).await.halted_until.is_none(), "{name} was counted");
        }
    })
    .await;
}

#[tokio::test]
async fn leads_and_admins_try_as_fast_as_they_type_and_no_faster() {
    run(async |clinic| {
        let policy = clinic.binding(Hook::Replies).await.policy_id;
        let path = format!("policies/{policy}/try");
        let body = json!({ "hook": "replies", "texts": ["Hello"] });
        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        for who in [&clinic.maya, &auditor] {
            assert_eq!(clinic.post(who, &path, body.clone()).await.status, StatusCode::FORBIDDEN);
        }
        let lead = clinic.colleague(Role::Lead, "Priya Shah").await;
        assert_eq!(clinic.post(&lead, &path, body.clone()).await.status, StatusCode::OK);
        for wrong in [
            json!({ "hook": "replies", "texts": [] }),
            json!({ "hook": "replies", "texts": vec!["x"; 13] }),
            json!({ "hook": "replies", "texts": ["x".repeat(1_601)] }),
            json!({ "hook": "replies", "texts": ["x"], "patient": { "shoe-size": "9" } }),
            json!({ "hook": "routing", "texts": ["x"] }),
            json!({ "hook": "replies", "texts": ["x"], "number_id": policy }),
        ] {
            let refused = clinic.post(&lead, &path, wrong.clone()).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.body);
        }
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        assert_eq!(other.post(&other.alex, &path, body.clone()).await.status, StatusCode::NOT_FOUND);
        let mut tries = 0;
        let slow_down = loop {
            tries += 1;
            let answer = clinic.post(&lead, &path, body.clone()).await;
            if answer.status != StatusCode::OK || tries > 500 {
                break answer;
            }
        };
        assert_eq!(slow_down.status, StatusCode::TOO_MANY_REQUESTS, "after {tries} tries");
        assert!(slow_down.headers.contains_key("retry-after"));
    })
    .await;
}
