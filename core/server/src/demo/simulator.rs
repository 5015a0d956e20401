//! Phones to text from: what the simulator page asks for.
//!
//! A text goes the whole way round: it is signed as the carrier would sign it and handed to the webhook
//! route of this process. Nothing here reaches into the pipeline.

use anteroom_carriers::{Address, CarrierKind, Credentials, sandbox, twilio};
use anteroom_model::{
    ids::{NumberId, OrganizationId},
    states::{Direction, MessageState, NumberKind},
    time::Timestamp,
};
use anteroom_store::Number;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Query, State},
    http::{Request, StatusCode, header},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    app::App,
    demo::{TWILIO_PATH, carriers, seed, twilio_api},
    directory::Account,
    ingress,
    problem::Problem,
};

mod pictures;

/// Texts that a phone shows.
const SHOWN: u32 = 100;

/// The simulator's own routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/simulator/api/phones", get(phones))
        .route("/simulator/api/texts", post(text))
        .route("/simulator/api/threads", get(thread))
        // As large as files may be, and one byte larger, so that a phone can try.
        .route("/simulator/api/pictures", post(pictures::keep).layer(DefaultBodyLimit::disable()))
        .route("/simulator/api/pictures/{id}", get(pictures::kept))
        .route("/simulator/api/media/{id}", get(pictures::received))
        .nest(TWILIO_PATH, twilio_api::router())
        .merge(carriers::router())
}

#[derive(Serialize)]
struct Phones {
    phones: Vec<Phone>,
    numbers: Vec<ClinicNumber>,
}

#[derive(Serialize)]
struct Phone {
    name: String,
    #[serde(rename = "phone")]
    address: String,
    /// Whether the clinic knows it.
    known: bool,
}

#[derive(Serialize)]
struct ClinicNumber {
    id: NumberId,
    label: String,
    address: String,
    kind: NumberKind,
}

/// The demo's clinic.
pub(super) fn organization(app: &App) -> Result<OrganizationId, Problem> {
    let clinic = app.demo.as_ref().and_then(|clinic| clinic.get().copied());
    clinic.ok_or_else(|| Problem::not_found("organization"))
}

async fn phones(State(app): State<App>) -> Result<Json<Phones>, Problem> {
    let entry = app.directory.get(organization(&app)?).await?;
    let mut phones: Vec<Phone> = Vec::new();
    for (first, last, _, _, _, phone) in seed::PATIENTS {
        if let Some(shared) = phones.iter_mut().find(|known| known.address == phone) {
            shared.name = format!("{} / {first} {last}", shared.name);
        } else {
            let name = format!("{first} {last}");
            phones.push(Phone { name, address: phone.to_owned(), known: true });
        }
    }
    for last in ["0177", "0178"] {
        let (name, address) = (format!("Somebody new (…{last})"), format!("+1512555{last}"));
        phones.push(Phone { name, address, known: false });
    }
    // Those that the phones can text as their carrier would.
    let is_played = |number: &&Number| {
        entry.accounts.get(&number.carrier_account_id).is_some_and(|account| {
            matches!(account.credentials, Credentials::Sandbox(_) | Credentials::Twilio(_))
        })
    };
    let mut numbers: Vec<_> = entry
        .numbers
        .values()
        .filter(is_played)
        .map(|number| ClinicNumber {
            id: number.id,
            label: number.label.clone(),
            address: number.address.clone(),
            kind: number.kind,
        })
        .collect();
    numbers.sort_by_key(|number| number.id);
    Ok(Json(Phones { phones, numbers }))
}

#[derive(Deserialize)]
struct Text {
    from: String,
    to: String,
    body: String,
    /// Addresses of pictures, as `pictures::keep` gave them.
    #[serde(default)]
    media: Vec<String>,
}

/// What the carrier would have been answered.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    answer: String,
}

async fn text(State(app): State<App>, Json(text): Json<Text>) -> Result<(StatusCode, Json<Answer>), Problem> {
    let bad = |_| Problem::invalid("from and to are phone numbers such as +15125550177.");
    let from = Address::parse_lenient(&text.from).map_err(bad)?;
    let to = Address::parse_lenient(&text.to).map_err(bad)?;
    let (_, account) = number_and_account(&app, &to).await?;
    let request = delivery(&app, &account, &from, &to, &text)?;
    let answer = deliver(&app, request).await?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn number_and_account(app: &App, address: &Address) -> Result<(Number, Account), Problem> {
    let entry = app.directory.get(organization(app)?).await?;
    let number = entry.addresses.get(address.as_str()).and_then(|id| entry.numbers.get(id));
    let number = number.ok_or_else(|| Problem::not_found("number"))?;
    let account = entry.accounts.get(&number.carrier_account_id);
    let account = account.ok_or_else(|| Problem::not_found("carrier account"))?;
    Ok((number.clone(), account.clone()))
}

/// A webhook request as the account's carrier would make it.
fn delivery(
    app: &App,
    account: &Account,
    from: &Address,
    to: &Address,
    text: &Text,
) -> Result<Request<Body>, Problem> {
    let id = hex::encode(app.store.ids().secret::<16>());
    let kind = account.credentials.carrier();
    let (content_type, signature, body) = match &account.credentials {
        Credentials::Sandbox(credentials) => {
            let media: Vec<_> = text.media.iter().map(|url| json!({ "url": url })).collect();
            let body = json!({ "id": id, "from": from, "to": to, "text": text.body, "media": media });
            let body = body.to_string();
            let signature = sandbox::sign(&credentials.secret, body.as_bytes());
            ("application/json", (sandbox::SIGNATURE_HEADER, signature), body)
        }
        Credentials::Twilio(credentials) => {
            let sid = format!("SM{id}");
            let count = text.media.len().to_string();
            let names: Vec<_> = (0..text.media.len()).map(|at| format!("MediaUrl{at}")).collect();
            let mut params = vec![
                ("MessageSid", sid.as_str()),
                ("AccountSid", &credentials.account_sid),
                ("From", from.as_str()),
                ("To", to.as_str()),
                ("Body", &text.body),
                ("NumMedia", &count),
            ];
            params.extend(names.iter().map(String::as_str).zip(text.media.iter().map(String::as_str)));
            let signature = twilio::sign(&credentials.auth_token, &account.row.public_url, &params);
            let body = form(&params);
            ("application/x-www-form-urlencoded", (twilio::SIGNATURE_HEADER, signature), body)
        }
        _ => return Err(Problem::invalid("The simulator has phones for sandbox and Twilio numbers only.")),
    };
    request(kind, account, "", content_type, signature, body)
}

/// Form-encodes parameters.
pub(super) fn form(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// A request to a webhook of this process.
pub(super) fn request(
    kind: CarrierKind,
    account: &Account,
    rest: &str,
    content_type: &str,
    (header_name, signature): (&str, String),
    body: String,
) -> Result<Request<Body>, Problem> {
    Request::post(format!("/webhooks/{}/{}{rest}", kind.as_str(), account.row.id))
        .header(header::CONTENT_TYPE, content_type)
        .header(header_name, signature)
        .body(Body::from(body))
        .map_err(|error| Problem::internal(&error))
}

/// Hands a request to the webhook routes.
pub(super) async fn deliver(app: &App, request: Request<Body>) -> Result<Answer, Problem> {
    let routes =
        ingress::router().layer(axum::middleware::from_fn(crate::problem::render)).with_state(app.clone());
    let response = match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 64 * 1024)
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(Answer { status, answer: String::from_utf8_lossy(&body).into_owned() })
}

#[derive(Deserialize)]
struct Between {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct Thread {
    items: Vec<Shown>,
}

/// A text on the phone's screen.
#[derive(Serialize)]
struct Shown {
    /// As the clinic sees it: `inbound` is what the phone sent.
    direction: Direction,
    body: String,
    at: Timestamp,
    state: MessageState,
    /// Files of it that are here.
    media: Vec<ShownFile>,
}

#[derive(Serialize)]
struct ShownFile {
    kind: String,
    url: String,
}

async fn thread(State(app): State<App>, Query(between): Query<Between>) -> Result<Json<Thread>, Problem> {
    let bad = |_| Problem::invalid("from and to are phone numbers such as +15125550177.");
    let from = Address::parse_lenient(&between.from).map_err(bad)?;
    let to = Address::parse_lenient(&between.to).map_err(bad)?;
    let (number, _) = number_and_account(&app, &to).await?;
    let mut org = app.store.read(organization(&app)?).await?;
    let mut messages = org.messages_of_peer(number.id, from.as_str(), SHOWN).await?;
    messages.reverse();
    // A phone shows what it sent and what has reached it.
    let arrived = |state| matches!(state, MessageState::Sent | MessageState::Delivered);
    let mut items = Vec::new();
    for message in messages {
        if message.direction != Direction::Inbound && !arrived(message.state) {
            continue;
        }
        let mut media = Vec::new();
        if message.extra.has_uploads || !message.extra.media.is_empty() {
            let files = org.media_of(message.id).await?.into_iter();
            media = files
                .filter_map(|file| {
                    Some(ShownFile { kind: file.kind?, url: format!("/simulator/api/media/{}", file.id) })
                })
                .collect();
        }
        items.push(Shown {
            direction: message.direction,
            body: message.body,
            at: message.sent_at.unwrap_or(message.created_at),
            state: message.state,
            media,
        });
    }
    Ok(Json(Thread { items }))
}
