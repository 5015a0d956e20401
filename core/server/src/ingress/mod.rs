//! Carriers' webhooks: verify, store, then answer.
//!
//! `POST /webhooks/{carrier}/{account}` brings patients' texts, `…/status` receipts; `…/fallback` is the first
//! one under a second address, for carriers that call another one when a call has failed. A 2xx is given only
//! after the commit. Whatever is refused is refused before anything is written, with its own clear answer; what is
//! genuine and yet can't be taken is [`kept`].

pub(crate) mod kept;
pub(crate) mod receipts;
pub(crate) mod texts;

use std::time::{Duration, Instant};

use anteroom_carriers::{
    Answer, CarrierKind, Delivery, Endpoint, Inbound, Rejection, accept_response, fallback_url, smpp::Unread,
};
use anteroom_model::{
    ids::{CarrierAccountId, OrganizationId},
    states::DeliveryState,
};
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
        .route("/webhooks/{carrier}/{account}/fallback", any(fallback))
}

/// Which address was called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Called {
    Messages,
    Status,
    Fallback,
}

impl Called {
    const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Status => "status",
            Self::Fallback => "fallback",
        }
    }

    const fn endpoint(self) -> Endpoint {
        match self {
            Self::Messages | Self::Fallback => Endpoint::Messages,
            Self::Status => Endpoint::Status,
        }
    }
}

async fn messages(app: State<App>, path: Path<(String, String)>, request: Request) -> Response {
    take(app, path, request, Called::Messages).await
}

async fn status(app: State<App>, path: Path<(String, String)>, request: Request) -> Response {
    take(app, path, request, Called::Status).await
}

async fn fallback(app: State<App>, path: Path<(String, String)>, request: Request) -> Response {
    take(app, path, request, Called::Fallback).await
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
    called: Called,
) -> Response {
    let started = Instant::now();
    let received = receive(&app, &carrier, &account, request, called);
    let outcome = tokio::time::timeout(PATIENCE, received).await.unwrap_or_else(|_| {
        tracing::error!("a delivery waited too long for the database");
        Err(Problem::unavailable())
    });
    let label = match &outcome {
        Ok(_) => "stored",
        Err(problem) => problem.kind(),
    };
    counter!("anteroom_deliveries_total", "endpoint" => called.name(), "outcome" => label).increment(1);
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

async fn receive(
    app: &App,
    carrier: &str,
    account: &str,
    request: Request,
    called: Called,
) -> Result<Answer, Problem> {
    let kind: CarrierKind = carrier.parse().map_err(|_| Problem::not_found("carrier"))?;
    let hook = find_account(app, kind, account, request.uri().query()).await?;
    let (parts, body) = request.into_parts();
    let body = read_body(body).await?;
    let path_and_query = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let public_url = match called {
        Called::Fallback => fallback_url(&hook.account.row.public_url),
        Called::Messages | Called::Status => hook.account.row.public_url.clone(),
    };
    let delivery = Delivery {
        endpoint: called.endpoint(),
        method: &parts.method,
        path_and_query,
        headers: &parts.headers,
        body: &body,
        public_url: &public_url,
        received_at: app.store.now(),
    };
    let received = app.carriers.receive(&hook.account.credentials, &delivery).await;
    let keep = |state, reason| {
        let endpoint = if called == Called::Status { "status" } else { "messages" };
        let new = kept::new(hook.account.row.id, endpoint, state, reason, kept::raw(&delivery));
        kept::keep(app, hook.organization, new)
    };
    let Inbound { messages, receipts } = match received {
        Ok(inbound) => inbound,
        Err(rejection) => {
            // Signed by the carrier: lost for good if it weren't kept. It is refused all the same, so that the
            // carrier shows it too, and one that tries again succeeds once it is understood.
            if matches!(rejection, Rejection::Malformed(_)) {
                keep(DeliveryState::Unparsed, rejection.code()).await?;
            }
            return Err(refusal(rejection));
        }
    };
    // Some carriers bring both to one address.
    if !messages.is_empty() {
        let all = messages.len();
        let unknown = texts::store(app, &hook, messages, texts::Found::ByWebhook).await?.unknown;
        if !unknown.is_empty() {
            if unknown.len() == all && !kind.batches() {
                return Err(texts::unknown_number());
            }
            keep(DeliveryState::Undeliverable, "number_unknown").await?;
        }
    }
    if !receipts.is_empty() {
        receipts::apply(app, &hook, receipts).await?;
    }
    Ok(accept_response(kind))
}

/// Takes what came by a link: as webhooks' deliveries, stored when this returns. A text for a number that is not
/// set up is kept: a message centre would send it again for days.
pub(crate) async fn take_from_link(
    app: &App,
    organization: OrganizationId,
    account: CarrierAccountId,
    inbound: Inbound,
) -> Result<(), Problem> {
    let entry = app.directory.get(organization).await?;
    let account = entry.accounts.get(&account).ok_or_else(|| Problem::not_found("carrier account"))?;
    let hook = Hook { organization, account: account.clone(), query: None };
    for message in texts::store(app, &hook, inbound.messages, texts::Found::ByWebhook).await?.unknown {
        let (state, reason) = (DeliveryState::Undeliverable, "number_unknown");
        let new = kept::new(hook.account.row.id, "link", state, reason, kept::text(&message));
        kept::keep(app, organization, new).await?;
    }
    receipts::apply(app, &hook, inbound.receipts).await
}

/// Keeps what came by a link and can't be read; `id` is the one that was made for it.
pub(crate) async fn keep_unread(
    app: &App,
    organization: OrganizationId,
    account: CarrierAccountId,
    id: String,
    unread: &Unread,
) -> Result<(), Problem> {
    let (state, reason) = (DeliveryState::Unparsed, unread.malformed.code());
    let new = kept::new(account, "link", state, reason, kept::octets(id, unread));
    Ok(kept::keep(app, organization, new).await?)
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
