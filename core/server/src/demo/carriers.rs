//! An account with every carrier, so that programs can sign webhooks as each of them does, and just enough of
//! their APIs that what is sent from a demo never leaves the machine.

use anteroom_carriers::{CarrierKind, Carriers};
use anteroom_model::{
    ids::Ids,
    states::{NumberKind, Registration},
    time::Timestamp,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    routing::any,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::seed::Seed;
use crate::app::App;

/// The path of the look-alikes; the carrier's word follows.
const PATH: &str = "/simulator/carriers";

/// What AWS's topic signs with here: a key that everybody has, trusted in a demo only.
const SNS_KEY: &str = include_str!("../../../carriers/tests/vectors/keys/sns.pem");
const SNS_CERTIFICATE: &str = include_str!("../../../carriers/tests/vectors/keys/sns.crt");
const SNS_CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-demo.pem";
const SNS_TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:demo";

/// An account to be seeded.
pub(super) struct Account {
    pub(super) carrier: CarrierKind,
    /// In the carrier's own field names.
    pub(super) credentials: Value,
    /// What its webhooks are signed with, where that is no part of the credentials.
    pub(super) signing: Value,
    pub(super) number: &'static str,
}

/// One with each carrier but Twilio and the sandbox, which have more to show.
pub(super) fn accounts(ids: &Ids) -> Vec<Account> {
    let secret = || hex::encode(ids.secret::<16>());
    let seed: [u8; 32] = ids.secret();
    // Any 32 bytes are a seed.
    let public_key = Ed25519KeyPair::from_seed_unchecked(&seed)
        .map(|pair| BASE64_STANDARD.encode(pair.public_key()))
        .unwrap_or_default();
    let account =
        |carrier, number, credentials| Account { carrier, credentials, signing: Value::Null, number };
    vec![
        account(
            CarrierKind::SignalWire,
            "+13125550111",
            json!({
                "project_id": secret(), "api_token": secret(), "signing_key": secret(),
                "space_url": "https://demo.signalwire.example",
            }),
        ),
        Account {
            signing: json!({ "private_key": BASE64_STANDARD.encode(seed) }),
            ..account(
                CarrierKind::Telnyx,
                "+13125550112",
                json!({ "api_key": secret(), "public_key": public_key }),
            )
        },
        account(
            CarrierKind::Bandwidth,
            "+13125550113",
            json!({
                "account_id": "9900000", "application_id": secret(), "username": "demo", "password": secret(),
                "callback_user_id": "demo", "callback_password": secret(),
            }),
        ),
        account(
            CarrierKind::Plivo,
            "+13125550114",
            json!({ "auth_id": "MADEMO", "auth_token": secret(), "signature_version": "v3" }),
        ),
        account(
            CarrierKind::Vonage,
            "+13125550115",
            json!({ "api_key": "demo", "api_secret": secret(), "signature_secret": secret() }),
        ),
        account(
            CarrierKind::Sinch,
            "+13125550116",
            json!({ "service_plan_id": secret(), "api_token": secret(), "webhook_secret": secret() }),
        ),
        account(
            CarrierKind::Infobip,
            "+13125550117",
            json!({
                "api_key": secret(), "base_url": "https://demo.api.infobip.com", "webhook_username": "demo",
                "webhook_password": secret(),
            }),
        ),
        Account {
            signing: json!({ "private_key_pem": SNS_KEY, "certificate_url": SNS_CERTIFICATE_URL }),
            ..account(
                CarrierKind::Aws,
                "+13125550118",
                json!({
                    "access_key_id": "AKIADEMO", "secret_access_key": secret(), "region": "us-east-1",
                    "topic_arns": [SNS_TOPIC],
                }),
            )
        },
        account(
            CarrierKind::Smpp,
            "+13125550119",
            // Whoever wants to be its message centre listens here.
            json!({
                "host": "127.0.0.1", "port": 2775, "system_id": "demo", "password": "demo", "tls": false,
            }),
        ),
    ]
}

/// The account's number.
pub(super) fn number(account: &Account) -> Seed {
    Seed {
        address: account.number,
        kind: NumberKind::TenDlc,
        label: label(account.carrier),
        facility: None,
        texting: true,
        verification: None,
        registration: Registration::Approved,
    }
}

const fn label(carrier: CarrierKind) -> &'static str {
    match carrier {
        CarrierKind::SignalWire => "Through SignalWire",
        CarrierKind::Telnyx => "Through Telnyx",
        CarrierKind::Bandwidth => "Through Bandwidth",
        CarrierKind::Plivo => "Through Plivo",
        CarrierKind::Vonage => "Through Vonage",
        CarrierKind::Sinch => "Through Sinch",
        CarrierKind::Infobip => "Through Infobip",
        CarrierKind::Aws => "Through AWS",
        CarrierKind::Smpp => "Through SMPP",
        CarrierKind::Twilio => "Through Twilio",
        CarrierKind::Sandbox => "Sandbox",
    }
}

/// Sets where a demo's carrier is: on this machine.
pub(super) fn place(carrier: CarrierKind, credentials: &mut Value, base_url: &str) {
    let here = json!(format!("{base_url}{PATH}/{carrier}"));
    let fields: &[&str] = match carrier {
        CarrierKind::SignalWire => &["space_url"],
        CarrierKind::Infobip => &["base_url"],
        CarrierKind::Vonage => &["api_base_url", "rest_base_url"],
        CarrierKind::Telnyx
        | CarrierKind::Bandwidth
        | CarrierKind::Plivo
        | CarrierKind::Sinch
        | CarrierKind::Aws => &["api_base_url"],
        CarrierKind::Twilio | CarrierKind::Smpp | CarrierKind::Sandbox => &[],
    };
    for field in fields {
        credentials[*field] = here.clone();
    }
}

/// Trusts what the demo's AWS account signs with.
pub(super) fn trust(carriers: &Carriers, now: Timestamp) {
    // Certificates are kept for a day after they were fetched: this one as long as the demo runs.
    let years = std::time::Duration::from_hours(24 * 3_650);
    if !carriers.certificates().trust(SNS_CERTIFICATE_URL, SNS_CERTIFICATE.as_bytes(), now.plus(years)) {
        tracing::error!("the demo's certificate can't be read");
    }
}

/// The look-alikes' routes.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route(&format!("{PATH}/{{carrier}}/"), any(answer_root))
        .route(&format!("{PATH}/{{carrier}}/{{*rest}}"), any(answer))
}

async fn answer_root(
    State(app): State<App>,
    Path(carrier): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    answer_as(&app, &carrier, &method, &headers)
}

async fn answer(
    State(app): State<App>,
    Path((carrier, _)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    answer_as(&app, &carrier, &method, &headers)
}

/// Takes every text, as each carrier says so.
fn answer_as(app: &App, carrier: &str, method: &Method, headers: &HeaderMap) -> (StatusCode, Json<Value>) {
    if !headers.contains_key(header::AUTHORIZATION) {
        return (StatusCode::UNAUTHORIZED, Json(json!({})));
    }
    let Ok(carrier) = carrier.parse::<CarrierKind>() else { return (StatusCode::NOT_FOUND, Json(json!({}))) };
    let is_call = headers.contains_key("x-amz-target");
    if *method != Method::POST || (is_call && !is_send(headers)) {
        return (StatusCode::OK, Json(json!({})));
    }
    let id = hex::encode(app.store.ids().secret::<16>());
    match carrier {
        CarrierKind::SignalWire => (StatusCode::CREATED, Json(json!({ "sid": id, "status": "queued" }))),
        CarrierKind::Telnyx => (
            StatusCode::OK,
            Json(json!({ "data": { "id": id, "to": [{ "status": "queued" }], "errors": [] } })),
        ),
        CarrierKind::Bandwidth => (StatusCode::ACCEPTED, Json(json!({ "id": id }))),
        CarrierKind::Plivo => (StatusCode::ACCEPTED, Json(json!({ "message_uuid": [id] }))),
        CarrierKind::Vonage => (StatusCode::ACCEPTED, Json(json!({ "message_uuid": id }))),
        CarrierKind::Sinch => (StatusCode::CREATED, Json(json!({ "id": id }))),
        CarrierKind::Infobip => {
            let status = json!({ "groupName": "PENDING", "name": "PENDING_ACCEPTED" });
            (StatusCode::OK, Json(json!({ "messages": [{ "messageId": id, "status": status }] })))
        }
        CarrierKind::Aws => (StatusCode::OK, Json(json!({ "MessageId": id }))),
        CarrierKind::Twilio | CarrierKind::Smpp | CarrierKind::Sandbox => {
            (StatusCode::NOT_FOUND, Json(json!({})))
        }
    }
}

fn is_send(headers: &HeaderMap) -> bool {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    target.contains(".Send")
}
