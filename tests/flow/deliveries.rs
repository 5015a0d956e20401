//! What a carrier signed and we could not take is kept, shown, and taken when it can be.

use anteroom_carriers::{Secret, fallback_url, sandbox, twilio};
use anteroom_model::{
    ids::CarrierAccountId,
    states::{DeliveryState, NumberKind, Registration},
};
use anteroom_store::{DeliveryContent, NewCarrierAccount, NewKeptDelivery, NewNumber, RawDelivery};
use axum::http::{Method, StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, run};

const ANA: &str = "+15125550101";
const KNOWN: &str = "+18005550100";
const UNKNOWN: &str = "+18005550199";
const SECRET: &str = "the sandbox's secret";

async fn kept(clinic: &Clinic, state: &str) -> Vec<Value> {
    let list = clinic.get_as(&clinic.alex, &format!("deliveries?state={state}")).await.ok();
    list["items"].as_array().unwrap().clone()
}

async fn retry(clinic: &Clinic, delivery: &Value) -> Answer {
    let at = format!("deliveries/{}/retry", delivery["id"].as_str().unwrap());
    clinic.post(&clinic.alex, &at, Value::Null).await
}

async fn notices(clinic: &Clinic, kind: &str) -> usize {
    let all = clinic.get_as(&clinic.alex, "notices").await.ok();
    all["items"].as_array().unwrap().iter().filter(|notice| notice["kind"] == kind).count()
}

async fn sandbox_delivery(clinic: &Clinic, body: &str, secret: &str) -> Answer {
    let signature = sandbox::sign(&Secret::new(secret.into()), body.as_bytes());
    let headers = [(sandbox::SIGNATURE_HEADER, signature.as_str())];
    let path = format!("/webhooks/sandbox/{}", clinic.account);
    clinic.app.request(Method::POST, &path, &headers, body.to_owned()).await
}

async fn account(
    clinic: &Clinic,
    carrier: &'static str,
    credentials: Value,
    number: &'static str,
) -> CarrierAccountId {
    let credentials = credentials.to_string();
    clinic
        .change(move |mut org| {
            async move {
                let account = org
                    .insert_account(&NewCarrierAccount {
                        carrier: carrier.into(),
                        label: carrier.into(),
                        public_url: format!("https://clinic.example/webhooks/{carrier}/{{id}}"),
                        credentials,
                        answers_opt_outs: false,
                    })
                    .await?;
                org.insert_number(&NewNumber {
                    carrier_account_id: account,
                    facility_id: None,
                    address: number.into(),
                    kind: NumberKind::TollFree,
                    label: carrier.into(),
                    texting_enabled: true,
                    verification: None,
                    registration: Registration::Pending,
                    registration_note: String::new(),
                })
                .await?;
                Ok(account)
            }
            .boxed()
        })
        .await
}

#[tokio::test]
async fn what_is_genuine_and_not_understood_is_kept() {
    run(async |clinic| {
        let broken = json!({ "id": "1", "from": ANA, "to": FRONT_DESK, "words": "Murmeltier" }).to_string();
        // Forged: nothing is kept.
        assert_eq!(sandbox_delivery(&clinic, &broken, "another").await.status, StatusCode::FORBIDDEN);
        assert!(kept(&clinic, "unparsed").await.is_empty());
        for _ in 0..3 {
            let answer = sandbox_delivery(&clinic, &broken, SECRET).await;
            assert_eq!((answer.status, answer.problem()), (StatusCode::BAD_REQUEST, "missing-field"));
        }
        let list = kept(&clinic, "unparsed").await;
        let [delivery] = &list[..] else { panic!("{list:?}") };
        assert_eq!(
            (&delivery["reason"], &delivery["carrier"], &delivery["content"]),
            (&json!("missing_field"), &json!("sandbox"), &json!(broken))
        );
        sandbox_delivery(&clinic, "no json \u{0} at all", SECRET).await;
        assert_eq!(kept(&clinic, "unparsed").await.len(), 2);
        assert_eq!(notices(&clinic, "delivery.unparsed").await, 1, "once, not for each");
        for path in ["deliveries", "deliveries?state=undeliverable"] {
            assert_eq!(clinic.get_as(&clinic.maya, path).await.status, StatusCode::FORBIDDEN);
        }
        let still = retry(&clinic, delivery).await;
        assert_eq!((still.status, still.problem()), (StatusCode::CONFLICT, "not-taken"));
        let list = kept(&clinic, "unparsed").await;
        assert_eq!(list[1]["attempts"], 1);
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        assert_eq!(retry(&other, delivery).await.status, StatusCode::NOT_FOUND);
        assert!(kept(&other, "unparsed").await.is_empty());
    })
    .await;
}

/// As if an earlier version had not understood it.
#[tokio::test]
async fn a_version_that_understands_it_takes_it() {
    run(async |clinic| {
        let body = json!({ "id": "1", "from": ANA, "to": FRONT_DESK, "text": "I need a refill" }).to_string();
        let signature = sandbox::sign(&Secret::new(SECRET.into()), body.as_bytes());
        let new = NewKeptDelivery {
            carrier_account_id: clinic.account,
            endpoint: "messages",
            state: DeliveryState::Unparsed,
            reason: "bad_json",
            content: DeliveryContent::Request(RawDelivery {
                method: "POST".into(),
                path_and_query: format!("/webhooks/sandbox/{}", clinic.account),
                headers: vec![(sandbox::SIGNATURE_HEADER.to_lowercase(), signature)],
                body: body.clone().into_bytes(),
                public_url: format!("https://clinic.example/webhooks/sandbox/{}", clinic.account),
            }),
        };
        clinic.change(move |mut org| async move { org.keep_delivery(&new).await }.boxed()).await;
        let delivery = kept(&clinic, "unparsed").await.remove(0);
        let taken = retry(&clinic, &delivery).await.ok();
        assert_eq!(taken["state"], "taken");
        clinic.app.settled().await;
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        assert!(clinic.queue("unassigned").await.contains(&id));
        assert_eq!(retry(&clinic, &delivery).await.problem(), "taken");
        // The carrier's own second try, later, is the same text.
        assert_eq!(sandbox_delivery(&clinic, &body, SECRET).await.status, StatusCode::OK);
        clinic.app.settled().await;
        let inbound = clinic.messages_with(ANA, FRONT_DESK).await.into_iter();
        assert_eq!(inbound.filter(|message| message.body == "I need a refill").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_unknown_number_does_not_refuse_a_whole_call() {
    run(async |clinic| {
        let bandwidth = json!({
            "account_id": "9900000", "application_id": "app-1", "username": "api", "password": "p",
            "callback_user_id": "hook", "callback_password": "pass",
        });
        let account = account(&clinic, "bandwidth", bandwidth, KNOWN).await;
        let event = |id: &str, to: &str, text: &str| {
            json!({
                "type": "message-received", "time": "2026-11-23T16:00:00Z", "to": to, "description": "x",
                "message": { "id": id, "owner": to, "applicationId": "app-1", "from": ANA, "to": [to], "text": text,
                    "direction": "in", "segmentCount": 1, "time": "2026-11-23T16:00:00Z" },
            })
        };
        let call = json!([event("1", KNOWN, "first"), event("2", UNKNOWN, "astray"), event("3", KNOWN, "third")]);
        let basic = format!("Basic {}", BASE64_STANDARD.encode("hook:pass"));
        let headers = [("authorization", basic.as_str())];
        let path = format!("/webhooks/bandwidth/{account}");
        for _ in 0..2 {
            let answer = clinic.app.request(Method::POST, &path, &headers, call.to_string()).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
        clinic.app.settled().await;
        let texts = async |number: &str| -> Vec<String> {
            let messages = clinic.messages_with(ANA, number).await.into_iter();
            messages.filter(|m| m.direction.as_str() == "inbound").map(|m| m.body).collect()
        };
        assert_eq!(texts(KNOWN).await, ["first", "third"]);
        let list = kept(&clinic, "undeliverable").await;
        let [delivery] = &list[..] else { panic!("{list:?}") };
        assert_eq!((&delivery["reason"], &delivery["carrier"]), (&json!("number_unknown"), &json!("bandwidth")));
        assert_eq!(notices(&clinic, "delivery.undeliverable").await, 1);
        let still = retry(&clinic, delivery).await;
        assert_eq!((still.problem(), &still.body["reason"]), ("not-taken", &json!("number_unknown")));

        let form = json!({
            "address": UNKNOWN, "kind": "toll_free", "label": "Forgotten", "carrier_account_id": account,
        });
        clinic.post(&clinic.alex, "numbers", form).await.ok();
        retry(&clinic, delivery).await.ok();
        clinic.app.settled().await;
        assert_eq!(texts(UNKNOWN).await, ["astray"]);
        assert_eq!(texts(KNOWN).await, ["first", "third"], "those that were taken are not taken twice");
        assert!(kept(&clinic, "undeliverable").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_fallback_address_is_the_same_webhook() {
    run(async |clinic| {
        let twilio = json!({ "account_sid": "AC1", "auth_token": "token" });
        let account = account(&clinic, "twilio", twilio, KNOWN).await;
        let url = format!("https://clinic.example/webhooks/twilio/{account}");
        let deliver = async |signed: &str, at: &str, sid: &str| {
            let params =
                [("MessageSid", sid), ("AccountSid", "AC1"), ("From", ANA), ("To", KNOWN), ("Body", "Hello")];
            let signature = twilio::sign(&Secret::new("token".into()), signed, &params);
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
            let headers = [
                ("content-type", "application/x-www-form-urlencoded"),
                (twilio::SIGNATURE_HEADER, signature.as_str()),
            ];
            let path = format!("/webhooks/twilio/{account}{at}");
            clinic.app.request(Method::POST, &path, &headers, body).await.status
        };
        assert_eq!(deliver(&fallback_url(&url), "/fallback", "SM1").await, StatusCode::OK);
        assert_eq!(deliver(&url, "", "SM1").await, StatusCode::OK, "the first one, after all");
        assert_eq!(
            deliver(&url, "/fallback", "SM2").await,
            StatusCode::FORBIDDEN,
            "signed for the other address"
        );
        clinic.app.settled().await;
        let inbound = clinic.messages_with(ANA, KNOWN).await.into_iter();
        assert_eq!(inbound.filter(|message| message.body == "Hello").count(), 1);
    })
    .await;
}
