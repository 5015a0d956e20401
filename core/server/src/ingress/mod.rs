//! Carriers' webhooks: verify, store, then answer.
//!
//! `POST /webhooks/{carrier}/{account}` brings patients' texts, `…/status` receipts. A 2xx is given only
//! after the commit. Whatever is refused is refused before anything is written, with its own clear answer.

pub(crate) mod receipts;
mod texts;

use std::time::{Duration, Instant};

use anteroom_carriers::{Answer, CarrierKind, Delivery, Endpoint, Inbound, Rejection, accept_response};
use anteroom_model::ids::{CarrierAccountId, OrganizationId};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use metrics::{counter, histogram};

use crate::{app::App, directory::Account, problem::Problem};

/// Largest webhook body taken. Twilio's largest text is 1,600 characters; ten media links fit besides.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a delivery takes at most, then it is 503: carriers give up themselves after 10 to 15 s.
const PATIENCE: Duration = Duration::from_secs(9);

/// The webhook routes. Every method comes here, so that a wrong one gets an answer of our own.
pub fn router() -> Router<App> {
    Router::new()
        .route("/webhooks/{carrier}/{account}", any(messages))
        .route("/webhooks/{carrier}/{account}/status", any(status))
}

async fn messages(app: State<App>, path: Path<(String, String)>, request: Request) -> Response {
    take(app, path, request, Endpoint::Messages).await
}

async fn status(app: State<App>, path: Path<(String, String)>, request: Request) -> Response {
    take(app, path, request, Endpoint::Status).await
}

/// The account a webhook belongs to, and the request's raw parts that matter later.
pub(crate) struct Hook {
    pub(crate) organization: OrganizationId,
    pub(crate) account: Account,
    pub(crate) query: Option<String>,
}

async fn take(
    State(app): State<App>,
    Path((carrier, account)): Path<(String, String)>,
    request: Request,
    endpoint: Endpoint,
) -> Response {
    let started = Instant::now();
    let received = receive(&app, &carrier, &account, request, endpoint);
    let outcome = tokio::time::timeout(PATIENCE, received).await.unwrap_or_else(|_| {
        tracing::error!("a delivery waited too long for the database");
        Err(Problem::unavailable())
    });
    let label = match &outcome {
        Ok(_) => "stored",
        Err(problem) => problem.kind(),
    };
    counter!("anteroom_deliveries_total", "endpoint" => endpoint_name(endpoint), "outcome" => label)
        .increment(1);
    histogram!("anteroom_delivery_seconds").record(started.elapsed().as_secs_f64());
    match outcome {
        Ok(answer) => (
            answer.status,
            [(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type))],
            answer.body,
        )
            .into_response(),
        Err(problem) => {
            tracing::warn!(outcome = label, %account, "a delivery was refused");
            problem.into_response()
        }
    }
}

const fn endpoint_name(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Messages => "messages",
        Endpoint::Status => "status",
    }
}

async fn receive(
    app: &App,
    carrier: &str,
    account: &str,
    request: Request,
    endpoint: Endpoint,
) -> Result<Answer, Problem> {
    let kind: CarrierKind = carrier.parse().map_err(|_| Problem::not_found("carrier"))?;
    let hook = find_account(app, kind, account, request.uri().query()).await?;
    let (parts, body) = request.into_parts();
    let body = read_body(body).await?;
    let path_and_query = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let delivery = Delivery {
        endpoint,
        method: &parts.method,
        path_and_query,
        headers: &parts.headers,
        body: &body,
        public_url: &hook.account.row.public_url,
        received_at: app.store.now(),
    };
    let received = app.carriers.receive(&hook.account.credentials, &delivery).await;
    let Inbound { messages, receipts } = received.map_err(refusal)?;
    // Some carriers bring both to one address.
    if !messages.is_empty() {
        texts::store(app, &hook, messages).await?;
    }
    if !receipts.is_empty() {
        receipts::apply(app, &hook, receipts).await?;
    }
    Ok(accept_response(kind))
}

async fn find_account(
    app: &App,
    kind: CarrierKind,
    account: &str,
    query: Option<&str>,
) -> Result<Hook, Problem> {
    let unknown = || Problem::not_found("carrier account");
    let id: CarrierAccountId = account.parse().map_err(|_| unknown())?;
    let organization = app.directory.owner(id).await?.ok_or_else(unknown)?;
    let entry = app.directory.get(organization).await?;
    let account = entry.accounts.get(&id).ok_or_else(unknown)?;
    if account.credentials.carrier() != kind {
        return Err(unknown());
    }
    Ok(Hook { organization, account: account.clone(), query: query.map(str::to_owned) })
}

async fn read_body(body: Body) -> Result<bytes::Bytes, Problem> {
    axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error + 'static>::is::<LengthLimit>);
        if too_large {
            let detail = "A webhook's body may have 65,536 bytes.";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
        } else {
            let detail = "The connection ended before the whole body was here.";
            Problem::new(StatusCode::BAD_REQUEST, "incomplete", "Incomplete request", detail)
        }
    })
}

/// What `axum::body::to_bytes` wraps when a body is over the limit.
type LengthLimit = http_body_util::LengthLimitError;

fn refusal(rejection: Rejection) -> Problem {
    let problem = Problem::new(
        rejection.status(),
        rejection.code(),
        "The delivery was not taken",
        rejection.to_string(),
    );
    match rejection {
        Rejection::MethodNotAllowed { allow } => {
            problem.with_header(header::ALLOW, HeaderValue::from_static(allow))
        }
        _ => problem,
    }
}
