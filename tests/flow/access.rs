//! Who may do what: sessions, tokens, roles.

use std::time::Duration;

use anteroom::auth::{self, password};
use anteroom_model::states::Role;
use anteroom_store::NewStaff;
use axum::http::{Method, StatusCode, header};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, Staff, run};

const ANA: &str = "+15125550101";
const EMAIL: &str = "priya@clinic.example";
const PASSWORD: &str = "correct horse battery";

async fn get(clinic: &Clinic, who: &Staff, path: &str) -> StatusCode {
    clinic.api(who, Method::GET, path, &Value::Null).await.status
}

#[tokio::test]
async fn an_auditor_reads_everything_and_changes_nothing() {
    run(async |clinic| {
        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        for path in ["conversations", "audit", "opt-outs", "decisions", "policies", "bindings"] {
            assert_eq!(get(&clinic, &auditor, path).await, StatusCode::OK, "{path}");
        }
        assert_eq!(get(&clinic, &auditor, &format!("conversations/{id}/messages")).await, StatusCode::OK);
        let until = json!({ "until": "2027-01-01T00:00:00Z" });
        for (action, body) in [
            ("accept", Value::Null),
            ("assign", json!({ "team_id": null })),
            ("close", Value::Null),
            ("reopen", Value::Null),
            ("snooze", until),
            ("messages", json!({ "body": "Hello" })),
            ("notes", json!({ "body": "Hello" })),
        ] {
            let refused = clinic.act(&auditor, id, action, body).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{action}: {}", refused.body);
        }
        let to_auditor = json!({ "assignee_id": auditor.id });
        let refused = clinic.act(&clinic.alex, id, "assign", to_auditor).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        // What the auditor read is in the audit, and who read it.
        let audit = clinic.api(&auditor, Method::GET, "audit", &Value::Null).await.ok();
        let entries = audit["items"].as_array().unwrap();
        let read = entries.iter().find(|entry| entry["action"] == "messages.read").unwrap();
        assert_eq!((&read["actor_name"], &read["subject"]), (&json!("Jordan Lee"), &json!(id)));
    })
    .await;
}

#[tokio::test]
async fn an_agent_does_not_run_the_clinic() {
    run(async |clinic| {
        assert_eq!(get(&clinic, &clinic.maya, "audit").await, StatusCode::FORBIDDEN);
        assert_eq!(get(&clinic, &clinic.maya, "tokens").await, StatusCode::FORBIDDEN);
        let new = json!({ "name": "mine", "scopes": ["read"] });
        assert_eq!(clinic.post(&clinic.maya, "tokens", new).await.status, StatusCode::FORBIDDEN);
        assert_eq!(get(&clinic, &clinic.alex, "audit").await, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_until_it_is_revoked() {
    run(async |clinic| {
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let new = json!({ "name": "a reader", "scopes": ["read"] });
        let token = clinic.post(&clinic.alex, "tokens", new).await.ok()["token"].as_str().unwrap().to_owned();
        let reader = Staff { token, ..clinic.alex.clone() };
        assert_eq!(get(&clinic, &reader, "conversations").await, StatusCode::OK);
        assert_eq!(clinic.act(&reader, id, "accept", Value::Null).await.status, StatusCode::FORBIDDEN);

        let tokens = clinic.api(&clinic.alex, Method::GET, "tokens", &Value::Null).await.ok();
        let tokens = tokens["items"].as_array().unwrap();
        let made = tokens.iter().find(|token| token["name"] == "a reader").unwrap();
        assert!(!made.to_string().contains(reader.token.rsplit('_').next().unwrap()), "shown once");
        let path = format!("tokens/{}", made["id"].as_str().unwrap());
        let revoked = clinic.api(&clinic.alex, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(revoked.status, StatusCode::NO_CONTENT);
        assert_eq!(get(&clinic, &reader, "conversations").await, StatusCode::UNAUTHORIZED);

        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        let parts: Vec<&str> = other.maya.token.splitn(3, '_').collect();
        let own: Vec<&str> = clinic.maya.token.splitn(3, '_').collect();
        for forged in [
            // Another organization's name on a good token, and a good name on another's secret.
            format!("atr_{}_{}", parts[1], own[2]),
            format!("atr_{}_{}", own[1], parts[2]),
            format!("{}x", clinic.maya.token),
            "atr".to_owned(),
            String::new(),
        ] {
            let forger = Staff { token: forged, ..clinic.maya.clone() };
            assert_eq!(get(&clinic, &forger, "conversations").await, StatusCode::UNAUTHORIZED);
        }
    })
    .await;
}

/// Adds a lead who signs in with a password.
async fn priya(clinic: &Clinic) {
    let ids = clinic.app.server.store.ids();
    let password_hash = password::hash(ids, PASSWORD.into()).await.unwrap();
    let new = NewStaff { name: "Priya Raman".into(), email: EMAIL.into(), password_hash, role: Role::Lead };
    clinic.change(move |mut org| async move { org.insert_staff(&new).await }.boxed()).await;
}

async fn sign_in(clinic: &Clinic, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password }).to_string();
    clinic.app.request(Method::POST, "/api/v1/session", &[], body).await
}

#[tokio::test]
async fn a_browser_signs_in_and_its_writes_carry_the_token() {
    run(async |clinic| {
        priya(&clinic).await;
        clinic.text(ANA, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        let signed_in = sign_in(&clinic, "PRIYA@clinic.example", PASSWORD).await;
        let set_cookie = signed_in.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
            assert!(set_cookie.contains(attribute), "{attribute}: {set_cookie}");
        }
        let session = signed_in.ok();
        assert_eq!(
            (&session["staff"]["name"], &session["staff"]["role"]),
            (&json!("Priya Raman"), &json!("lead"))
        );
        let cookie = set_cookie.split(';').next().unwrap();
        let csrf = session["csrf_token"].as_str().unwrap();
        let current = async || {
            clinic.app.request(Method::GET, "/api/v1/session", &[("cookie", cookie)], "").await.status
        };
        let accept = async |headers: &[(&str, &str)]| {
            let path = format!("/api/v1/conversations/{id}/accept");
            clinic.app.request(Method::POST, &path, headers, "").await.status
        };
        assert_eq!(current().await, StatusCode::OK);
        assert_eq!(accept(&[("cookie", cookie)]).await, StatusCode::FORBIDDEN);
        let wrong = [("cookie", cookie), (auth::CSRF_HEADER, "another")];
        assert_eq!(accept(&wrong).await, StatusCode::FORBIDDEN);
        let right = [("cookie", cookie), (auth::CSRF_HEADER, csrf)];
        assert_eq!(accept(&right).await, StatusCode::OK);

        let signed_out = clinic.app.request(Method::DELETE, "/api/v1/session", &right, "").await;
        assert_eq!(signed_out.status, StatusCode::NO_CONTENT);
        assert_eq!(current().await, StatusCode::UNAUTHORIZED, "the cookie is worth nothing any more");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_the_working_day() {
    run(async |clinic| {
        let server = &clinic.app.server;
        let opened = auth::open_session(&server.store, clinic.organization, clinic.maya.id).await.unwrap();
        let cookie = format!("{}={}", auth::COOKIE, opened.cookie);
        let current = async || {
            clinic.app.request(Method::GET, "/api/v1/session", &[("cookie", &cookie)], "").await.status
        };
        clinic.app.advance(auth::SESSION.checked_sub(Duration::from_secs(1)).unwrap());
        assert_eq!(current().await, StatusCode::OK);
        clinic.app.advance(Duration::from_secs(1));
        assert_eq!(current().await, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    run(async |clinic| {
        priya(&clinic).await;
        let mut answers = Vec::new();
        for (email, password) in [(EMAIL, "wrong"), ("nobody@clinic.example", PASSWORD)] {
            let answer = sign_in(&clinic, email, password).await;
            let mut body = answer.body;
            body.as_object_mut().unwrap().remove("request_id");
            answers.push((answer.status, body));
        }
        assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
        assert_eq!(answers[0], answers[1]);

        // Ten tries of an address at once, then it has to wait; others don't.
        for _ in 0..9 {
            sign_in(&clinic, EMAIL, "wrong").await;
        }
        let slowed = sign_in(&clinic, EMAIL, PASSWORD).await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(slowed.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(
            sign_in(&clinic, "nobody@clinic.example", PASSWORD).await.status,
            StatusCode::UNAUTHORIZED
        );
    })
    .await;
}
