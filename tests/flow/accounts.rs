//! Carrier accounts over REST: what is secret goes in and never comes out.

use std::time::Duration;

use anteroom_carriers::{Secret, sandbox};
use anteroom_store::NewCarrierAccount;
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, path},
};

use crate::support::{Clinic, FRONT_DESK, run};

const OLD: &str = "the sandbox's secret";
const NEW: &str = "a secret of another making";

async fn delivered(clinic: &Clinic, id: &str, secret: &str) -> StatusCode {
    let body = json!({ "id": id, "from": "+15125550101", "to": FRONT_DESK, "text": "Hello" }).to_string();
    let signature = sandbox::sign(&Secret::new(secret.into()), body.as_bytes());
    let path = format!("/webhooks/sandbox/{}", clinic.account);
    let headers = [(sandbox::SIGNATURE_HEADER, signature.as_str())];
    clinic.app.request(Method::POST, &path, &headers, body).await.status
}

#[tokio::test]
async fn a_secret_is_rotated_with_an_overlap_and_never_shown() {
    run(async |clinic| {
        let at = format!("carrier-accounts/{}", clinic.account);
        let list = clinic.get_as(&clinic.alex, "carrier-accounts").await.ok();
        let [account] = &list["items"].as_array().unwrap()[..] else { panic!("{list}") };
        assert_eq!(account["credential_fields"], json!(["secret"]));
        assert_eq!(clinic.get_as(&clinic.maya, "carrier-accounts").await.status, StatusCode::FORBIDDEN);

        let rotate = json!({ "credentials": { "secret": NEW }, "overlap_hours": 2 });
        let credentials = format!("{at}/credentials");
        let agent = clinic.api(&clinic.maya, Method::PUT, &credentials, &rotate).await;
        assert_eq!(agent.status, StatusCode::FORBIDDEN);
        let rotated = clinic.api(&clinic.alex, Method::PUT, &credentials, &rotate).await.ok();
        assert!(rotated["overlap_until"].is_string(), "{rotated}");
        let all = clinic.get_as(&clinic.alex, "carrier-accounts").await;
        for shown in [rotated.to_string(), String::from_utf8_lossy(&all.bytes).into_owned()] {
            assert!(!shown.contains(OLD) && !shown.contains(NEW), "{shown}");
        }
        assert_eq!(delivered(&clinic, "1", OLD).await, StatusCode::OK);
        assert_eq!(delivered(&clinic, "2", NEW).await, StatusCode::OK);
        assert_eq!(delivered(&clinic, "3", "another").await, StatusCode::FORBIDDEN);
        clinic.app.advance(Duration::from_hours(2));
        assert_eq!(delivered(&clinic, "4", OLD).await, StatusCode::FORBIDDEN);
        assert_eq!(delivered(&clinic, "5", NEW).await, StatusCode::OK);
        assert_eq!(clinic.get_as(&clinic.alex, &at).await.ok()["overlap_until"], Value::Null);
        clinic.app.settled().await;
    })
    .await;
}

#[tokio::test]
async fn an_account_is_added_and_changed_but_says_not_where_its_carrier_is() {
    run(async |clinic| {
        let form = |carrier: &str, credentials: Value| {
            json!({
                "carrier": carrier, "label": "New", "credentials": credentials,
                "public_url": format!("https://clinic.example/webhooks/{carrier}/{{id}}"),
            })
        };
        let twilio = json!({ "account_sid": "AC1", "auth_token": "t0p-secret" });
        let made = clinic.post(&clinic.alex, "carrier-accounts", form("twilio", twilio.clone())).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let id = made.body["id"].as_str().unwrap().to_owned();
        assert_eq!(made.body["fallback_url"], format!("https://clinic.example/webhooks/twilio/{id}/fallback"));
        assert!(!made.body.to_string().contains("t0p-secret"));
        let elsewhere = json!({ "account_sid": "AC1", "auth_token": "x", "api_base_url": "http://127.0.0.1:1" });
        let link = json!({ "host": "10.0.0.1", "port": 2775, "system_id": "c", "password": "p" });
        let other_host = json!({
            "api_key": "k", "base_url": "https://evil.example", "webhook_username": "u", "webhook_password": "p",
        });
        for (carrier, credentials, named) in [
            ("twilio", elsewhere.clone(), "credentials.api_base_url"),
            ("smpp", link, "credentials.host"),
            ("infobip", other_host, "credentials.base_url"),
            ("twilio", json!({ "account_sid": "AC1" }), "auth_token"),
            ("twillio", twilio.clone(), "carrier"),
        ] {
            let refused = clinic.post(&clinic.alex, "carrier-accounts", form(carrier, credentials)).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
            assert!(refused.body["detail"].as_str().unwrap().contains(named), "{}", refused.body);
        }
        let own = json!({
            "api_key": "k", "base_url": "https://x1.api.infobip.com", "webhook_username": "u", "webhook_password": "p",
        });
        let infobip = clinic.post(&clinic.alex, "carrier-accounts", form("infobip", own)).await;
        assert_eq!(infobip.status, StatusCode::CREATED, "{}", infobip.body);
        let at = format!("carrier-accounts/{id}");
        let moved = json!({ "credentials": elsewhere });
        let refused = clinic.api(&clinic.alex, Method::PUT, &format!("{at}/credentials"), &moved).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let change = json!({ "label": "Main", "answers_opt_outs": true });
        let changed = clinic.api(&clinic.alex, Method::PATCH, &at, &change).await.ok();
        assert_eq!((&changed["label"], &changed["answers_opt_outs"]), (&json!("Main"), &json!(true)));
        let odd = clinic.api(&clinic.alex, Method::PATCH, &at, &json!({ "public_url": "ftp://x" })).await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        assert_eq!(other.get_as(&other.alex, &at).await.status, StatusCode::NOT_FOUND);
        let tested = other.post(&other.alex, &format!("{at}/test"), Value::Null).await;
        assert_eq!(tested.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_test_call_says_whether_the_credentials_are_taken() {
    run(async |clinic| {
        let server = MockServer::start().await;
        let credentials =
            json!({ "account_sid": "AC1", "auth_token": "token", "api_base_url": server.uri() }).to_string();
        let id = clinic
            .change(move |mut org| {
                async move {
                    org.insert_account(&NewCarrierAccount {
                        carrier: "twilio".into(),
                        label: "Twilio".into(),
                        public_url: "https://clinic.example/webhooks/twilio/{id}".into(),
                        credentials,
                        answers_opt_outs: false,
                    })
                    .await
                }
                .boxed()
            })
            .await;
        let test = async || {
            clinic.post(&clinic.alex, &format!("carrier-accounts/{id}/test"), Value::Null).await.ok()
        };
        Mock::given(path("/2010-04-01/Accounts/AC1.json"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "status": "active" })))
            .mount(&server)
            .await;
        let outcome = test().await;
        assert_eq!((&outcome["ok"], &outcome["outcome"]), (&json!(true), &json!("accepted")));
        server.reset().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
        let outcome = test().await;
        assert_eq!(
            (&outcome["ok"], &outcome["outcome"], &outcome["status"]),
            (&json!(false), &json!("credentials"), &json!(401))
        );
        let agent = clinic.post(&clinic.maya, &format!("carrier-accounts/{id}/test"), Value::Null).await;
        assert_eq!(agent.status, StatusCode::FORBIDDEN);
    })
    .await;
}
