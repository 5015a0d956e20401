//! Just enough of Twilio's API for the demo: it takes a text and reports it delivered.

use std::time::Duration;

use anteroom_carriers::{Credentials, twilio};
use axum::{
    Json, Router,
    extract::{Form, Path, State},
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    demo::simulator::{deliver, form, organization, request},
    directory::Account,
    problem::Problem,
};

/// How long a text travels.
const TRAVEL: Duration = Duration::from_millis(400);

pub(super) fn router() -> Router<App> {
    Router::new().route("/2010-04-01/Accounts/{sid}/Messages.json", post(send).get(list))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    to: String,
    body: String,
    status_callback: Option<String>,
}

type Answer = (StatusCode, Json<Value>);

async fn send(
    State(app): State<App>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    Form(message): Form<Message>,
) -> Result<Answer, Problem> {
    let Some(account) = authenticate(&app, &sid, &headers).await? else {
        return Ok((StatusCode::UNAUTHORIZED, Json(json!({ "code": 20003, "message": "Authenticate" }))));
    };
    if message.to.is_empty() || message.body.is_empty() {
        let error = json!({ "code": 21602, "message": "Message body is required" });
        return Ok((StatusCode::BAD_REQUEST, Json(error)));
    }
    let id = format!("SM{}", hex::encode(app.store.ids().secret::<16>()));
    if let Some(callback) = message.status_callback {
        let (app, id) = (app.clone(), id.clone());
        tokio::spawn(async move {
            tokio::time::sleep(TRAVEL).await;
            if let Err(problem) = report(&app, &account, &callback, &id).await {
                tracing::warn!(kind = problem.kind(), "a simulated receipt was not taken");
            }
        });
    }
    Ok((StatusCode::CREATED, Json(json!({ "sid": id, "status": "queued" }))))
}

/// A text of the demo is never in doubt for longer than this process lives; nothing is kept to list.
async fn list(
    State(app): State<App>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    Ok(match authenticate(&app, &sid, &headers).await? {
        Some(_) => (StatusCode::OK, Json(json!({ "messages": [], "next_page_uri": null }))),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "code": 20003, "message": "Authenticate" }))),
    })
}

async fn authenticate(app: &App, sid: &str, headers: &HeaderMap) -> Result<Option<Account>, Problem> {
    let entry = app.directory.get(organization(app)?).await?;
    let sent = headers.get(header::AUTHORIZATION).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    Ok(entry
        .accounts
        .values()
        .find(|account| match &account.credentials {
            Credentials::Twilio(twilio) => {
                let pair = format!("{}:{}", twilio.account_sid, twilio.auth_token.expose());
                let expected = format!("Basic {}", STANDARD.encode(pair));
                twilio.account_sid == sid && bool::from(sent.ct_eq(expected.as_bytes()))
            }
            _ => false,
        })
        .cloned())
}

/// Posts a receipt as Twilio would: signed for the public address.
async fn report(app: &App, account: &Account, callback: &str, id: &str) -> Result<(), Problem> {
    let Credentials::Twilio(credentials) = &account.credentials else { return Ok(()) };
    let params = [
        ("MessageSid", id),
        ("AccountSid", credentials.account_sid.as_str()),
        ("MessageStatus", "delivered"),
    ];
    let signature = twilio::sign(&credentials.auth_token, callback, &params);
    let query = callback.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
    let rest = format!("/status{query}");
    let content_type = "application/x-www-form-urlencoded";
    let header = (twilio::SIGNATURE_HEADER, signature);
    let kind = account.credentials.carrier();
    let answer = deliver(app, request(kind, account, &rest, content_type, header, form(&params))?).await?;
    tracing::debug!(status = answer.status, "a simulated receipt was delivered");
    Ok(())
}
