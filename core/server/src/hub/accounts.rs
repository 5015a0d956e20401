//! Carrier accounts: added, changed, tried and given new credentials while the server runs. What is secret is
//! taken in and never shown.

use std::time::Duration;

use anteroom_carriers::{CarrierKind, Credentials, Probed, fallback_url, rotation};
use anteroom_model::{
    ids::{CarrierAccountId, NodeId, StaffId},
    states::{LinkState, Role},
    time::Timestamp,
};
use anteroom_store::{Actor, CarrierAccount, CarrierLink, Idempotent, NewCarrierAccount, NewEvent, Org};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        fields::{name, unchanged},
        messages::{idempotency_key, misused_key},
        paging::Page,
    },
    problem::Problem,
};

/// Who may look.
const READERS: [Role; 2] = [Role::Admin, Role::Auditor];
/// Accounts of an organization at most.
const MOST: usize = 50;
/// Hours for which the old secret is taken besides, unless told otherwise; and at most.
const OVERLAP: u32 = 24;
const LONGEST_OVERLAP: u32 = 30 * 24;
/// Fields that say where a carrier is: whoever sets them makes this server call any host, so they are the
/// operator's (`anteroom admin account`).
const PLACES: [&str; 7] = [
    "api_base_url",
    "messaging_api_base_url",
    "numbers_api_base_url",
    "rest_base_url",
    "host",
    "port",
    "tls",
];

/// An account with a carrier.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CarrierAccountView {
    id: CarrierAccountId,
    /// `twilio`, `signalwire`, `telnyx`, `bandwidth`, `plivo`, `vonage`, `sinch`, `infobip`, `aws`, `smpp` or
    /// `sandbox`.
    carrier: String,
    label: String,
    /// What the carrier calls for texts, and signs.
    public_url: String,
    /// The same for receipts.
    status_url: String,
    /// A second address for texts, for carriers that call another one when a call has failed.
    fallback_url: String,
    /// Whether the carrier itself confirms STOP and answers HELP.
    answers_opt_outs: bool,
    /// Which fields of its credentials are set; what they hold is never shown.
    credential_fields: Vec<String>,
    /// Until when deliveries signed with an earlier secret are taken; null: with the present one only.
    #[schema(value_type = Option<String>, format = DateTime)]
    overlap_until: Option<Timestamp>,
    /// Of accounts that are links (SMPP): how it is.
    link: Option<LinkView>,
    /// For `If-Match`.
    version: i64,
}

/// A link to a message centre.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkView {
    state: LinkState,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Which node holds it; null: none just now.
    node: Option<NodeId>,
}

fn view(account: &CarrierAccount, link: Option<&CarrierLink>, now: Timestamp) -> CarrierAccountView {
    let credentials: Value = serde_json::from_str(&account.credentials).unwrap_or_default();
    let kind: Option<CarrierKind> = account.carrier.parse().ok();
    let signing = kind.and_then(rotation::signing_field);
    let previous = signing.and_then(|field| credentials[field]["previous"].as_array());
    let ends = previous.into_iter().flatten().filter_map(|item| {
        let until: Timestamp = serde_json::from_value(item["until"].clone()).ok()?;
        (now < until).then_some(until)
    });
    let is_link = kind == Some(CarrierKind::Smpp);
    let status = anteroom_carriers::Endpoint::Status.url(&account.public_url);
    CarrierAccountView {
        id: account.id,
        carrier: account.carrier.clone(),
        label: account.label.clone(),
        public_url: account.public_url.clone(),
        status_url: status,
        fallback_url: fallback_url(&account.public_url),
        answers_opt_outs: account.answers_opt_outs,
        credential_fields: credentials.as_object().into_iter().flat_map(Map::keys).cloned().collect(),
        overlap_until: ends.max(),
        link: is_link.then(|| {
            let alive = link.filter(|link| link.lease_until > now);
            LinkView {
                state: alive.map_or(LinkState::Down, |link| link.state),
                since: link.map_or(now, |link| if alive.is_some() { link.since } else { link.lease_until }),
                node: alive.map(|link| link.node),
            }
        }),
        version: account.version,
    }
}

/// All carrier accounts. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/carrier-accounts", tag = "organization",
    responses((status = 200, body = Page<CarrierAccountView>), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<CarrierAccountView>>, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    let (accounts, links, now) = (org.accounts().await?, org.links().await?, org.now());
    let items = accounts.iter().map(|account| {
        let link = links.iter().find(|link| link.carrier_account_id == account.id);
        view(account, link, now)
    });
    Ok(Json(Page::all(items.collect())))
}

/// One carrier account. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/carrier-accounts/{id}", tag = "organization",
    params(("id" = CarrierAccountId, Path)),
    responses((status = 200, body = CarrierAccountView), (status = 403), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CarrierAccountId>,
) -> Result<Response, Problem> {
    caller.require(&READERS)?;
    tagged(&app, &caller, id).await
}

async fn tagged(app: &App, caller: &Caller, id: CarrierAccountId) -> Result<Response, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let account = org.account(id).await?.ok_or_else(unknown)?;
    let link = org.link(id).await?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", account.version));
    let mut response = Json(view(&account, link.as_ref(), org.now())).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn unknown() -> Problem {
    Problem::not_found("carrier account")
}

/// An account to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccountForm {
    /// `twilio`, `signalwire`, …
    carrier: String,
    /// 1 to 100 characters.
    label: String,
    /// `https://…/webhooks/{carrier}/{id}`; `{id}` stands for the account's id, and it is what the carrier signs.
    public_url: String,
    /// Whether the carrier itself confirms STOP and answers HELP.
    #[serde(default)]
    answers_opt_outs: bool,
    /// In the carrier's own field names: `docs/carriers`. Addresses of the carrier's API are the operator's.
    #[schema(value_type = Object)]
    credentials: Map<String, Value>,
}

/// Adds an account. Its credentials are sealed and never shown. For admins; audited.
#[utoipa::path(post, path = "/api/v1/carrier-accounts", tag = "organization", request_body = NewAccountForm,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CarrierAccountView), (status = 403),
        (status = 409, description = "There are fifty"),
        (status = 422, description = "The credentials lack a field, or name a place")))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(form): Json<NewAccountForm>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let carrier: CarrierKind =
        form.carrier.parse().map_err(|error: anteroom_carriers::kind::UnknownCarrier| {
            Problem::invalid(format!("carrier: {error}."))
        })?;
    let new = NewCarrierAccount {
        carrier: carrier.as_str().to_owned(),
        label: name("label", &form.label)?,
        public_url: public_url(&form.public_url)?,
        credentials: credentials(carrier, form.credentials, None)?,
        answers_opt_outs: form.answers_opt_outs,
    };
    let (by, audit) = (caller.staff, caller.clone());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                if org.accounts().await?.len() >= MOST {
                    let detail = "There are fifty carrier accounts already.";
                    return Err(Problem::new(StatusCode::CONFLICT, "too-many", "Too many accounts", detail));
                }
                let id: CarrierAccountId = org.new_id();
                if let Some(key) = &key {
                    let request =
                        format!("{}\n{}\n{}\n{}", new.carrier, new.label, new.public_url, new.credentials);
                    match org.remember_key(by, key, request.as_bytes(), id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Ok(CarrierAccountId(before)),
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                org.insert_account_as(id, &new).await?;
                org.insert_audit(&audit.audit("carrier_account.created", Some(id.0))).await?;
                tell(&org, "carrier_account.created", id, by);
                Ok(id)
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    let mut response = tagged(&app, &caller, id).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// What can change of an account; absent: as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// 1 to 100 characters.
    label: Option<String>,
    /// What the carrier calls and signs.
    public_url: Option<String>,
    /// Whether the carrier itself confirms STOP and answers HELP.
    answers_opt_outs: Option<bool>,
}

/// Changes an account. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/carrier-accounts/{id}", tag = "organization", request_body = AccountChange,
    params(("id" = CarrierAccountId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = CarrierAccountView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CarrierAccountId>,
    headers: HeaderMap,
    Json(wanted): Json<AccountChange>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_label = wanted.label.as_deref().map(|text| name("label", text)).transpose()?;
    let new_url = wanted.public_url.as_deref().map(public_url).transpose()?;
    let (by, audit) = (caller.staff, caller.clone());
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut account = org.account(id).await?.ok_or_else(unknown)?;
                unchanged(expected, account.version, "account")?;
                if let Some(label) = new_label {
                    account.label = label;
                }
                if let Some(url) = new_url {
                    account.public_url = url.replace("{id}", &id.to_string());
                }
                if let Some(answers) = wanted.answers_opt_outs {
                    account.answers_opt_outs = answers;
                }
                if !org.set_account(&account).await? {
                    return Err(Problem::changed("account", account.version));
                }
                org.insert_audit(&audit.audit("carrier_account.changed", Some(id.0))).await?;
                tell(&org, "carrier_account.changed", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    tagged(&app, &caller, id).await
}

/// New credentials of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// All of them, in the carrier's own field names. What says where the carrier is stays as it was.
    #[schema(value_type = Object)]
    credentials: Map<String, Value>,
    /// Hours for which deliveries signed with the old secret are taken besides, 0 to 720; 24 unless told otherwise.
    overlap_hours: Option<u32>,
}

/// Replaces an account's credentials: what is sent uses the new ones at once, and deliveries signed with the old
/// secret are taken until the overlap ends. For admins; audited.
#[utoipa::path(put, path = "/api/v1/carrier-accounts/{id}/credentials", tag = "organization",
    request_body = Rotation, params(("id" = CarrierAccountId, Path)),
    responses((status = 200, body = CarrierAccountView), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CarrierAccountId>,
    Json(wanted): Json<Rotation>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let hours = wanted.overlap_hours.unwrap_or(OVERLAP);
    if hours > LONGEST_OVERLAP {
        return Err(Problem::invalid("overlap_hours: 0 to 720."));
    }
    let (by, audit) = (caller.staff, caller.clone());
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let account = org.account(id).await?.ok_or_else(unknown)?;
                let carrier: CarrierKind = account.carrier.parse().map_err(|_| unknown())?;
                let old: Value = serde_json::from_str(&account.credentials).unwrap_or_default();
                let new = credentials(carrier, wanted.credentials, Some(&old))?;
                let new: Value = serde_json::from_str(&new).unwrap_or_default();
                let now = org.now();
                let until = now.plus(Duration::from_hours(hours.into()));
                let new = rotation::overlap(carrier, &old, new, now, until);
                org.set_credentials(id, &new.to_string()).await?;
                org.insert_audit(&audit.audit("carrier_account.rotated", Some(id.0))).await?;
                tell(&org, "carrier_account.rotated", id, by);
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    tagged(&app, &caller, id).await
}

/// How a test call ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestOutcome {
    /// The carrier took the credentials; of a link: it is up.
    ok: bool,
    /// `accepted`, `link_up`, `link_down`, `nothing_to_ask`, or what failed: `unreachable`, `credentials`,
    /// `refused`, `rate_limited`, `malformed`.
    outcome: &'static str,
    /// The carrier's HTTP status, where it refused.
    status: Option<u16>,
    /// What that means, in plain words.
    text: &'static str,
}

/// Tries an account's credentials: one request that reads and changes nothing, and sends no text. For admins;
/// audited.
#[utoipa::path(post, path = "/api/v1/carrier-accounts/{id}/test", tag = "organization",
    params(("id" = CarrierAccountId, Path)),
    responses((status = 200, body = TestOutcome), (status = 403), (status = 404)))]
pub(super) async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<CarrierAccountId>,
) -> Result<Json<TestOutcome>, Problem> {
    use anteroom_carriers::CheckError;
    caller.require(&[Role::Admin])?;
    app.directory.forget(caller.organization);
    let entry = app.directory.get(caller.organization).await?;
    let account = entry.accounts.get(&id).ok_or_else(unknown)?;
    let held = app.store.read(caller.organization).await?.link(id).await?;
    caller.audit_read(&app, "carrier_account.tested", id.0).await?;
    let now = app.store.now();
    let told = |ok, outcome, status, text| Ok(Json(TestOutcome { ok, outcome, status, text }));
    match app.carriers.probe(&account.credentials, now).await {
        Ok(Probed::Accepted) => told(true, "accepted", None, "The carrier takes these credentials."),
        Ok(Probed::Nothing) => {
            told(true, "nothing_to_ask", None, "The sandbox is a part of Anteroom: there is nothing to ask.")
        }
        Ok(Probed::Link { bound }) => {
            let elsewhere = held.is_some_and(|link| link.lease_until > now && link.state == LinkState::Up);
            if bound || elsewhere {
                told(true, "link_up", None, "The link to the message centre is up.")
            } else {
                let text = "The link to the message centre is down: it can't be reached, or refuses the \
                            credentials. It is tried again and again.";
                told(false, "link_down", None, text)
            }
        }
        Err(error) => {
            let status = match &error {
                CheckError::Refused { status, .. } => Some(*status),
                _ => None,
            };
            let text = match error.code() {
                "credentials" => "The carrier refuses these credentials.",
                "unreachable" => "The carrier can't be reached from this server.",
                "rate_limited" => "The carrier asks to slow down. Try again in a minute.",
                _ => "The carrier did not answer as expected. Check the account's ids.",
            };
            told(false, error.code(), status, text)
        }
    }
}

/// The credentials as they are stored, once they are known to be readable.
fn credentials(
    carrier: CarrierKind,
    mut given: Map<String, Value>,
    before: Option<&Value>,
) -> Result<String, Problem> {
    // Infobip and SignalWire give every account a host of its own, below one domain.
    let own = |field: &str| matches!(field, "base_url" | "space_url");
    for place in PLACES {
        let stays = before.and_then(|before| before.get(place)).cloned();
        match (given.get(place), stays) {
            (None, Some(stays)) => drop(given.insert(place.to_owned(), stays)),
            (Some(wanted), stays) if stays.as_ref() != Some(wanted) => {
                return Err(Problem::invalid(format!(
                    "credentials.{place} says which host this server calls: only its operator may set it, with \
                     `anteroom admin account`."
                )));
            }
            _ => {}
        }
    }
    for field in given.keys().filter(|field| own(field)).cloned().collect::<Vec<_>>() {
        let same = before.is_some_and(|before| before.get(&field) == given.get(&field));
        if !same && !is_carriers_own(carrier, given[&field].as_str().unwrap_or_default()) {
            return Err(Problem::invalid(format!(
                "credentials.{field} is an https address of the carrier's own domain; another one only the \
                 server's operator may set, with `anteroom admin account`."
            )));
        }
    }
    let text = Value::Object(given).to_string();
    Credentials::from_json(carrier, text.as_bytes())
        .map_err(|error| Problem::invalid(format!("credentials: {}.", error.reason)))?;
    Ok(text)
}

/// Whether an address is one that the carrier gives its customers.
fn is_carriers_own(carrier: CarrierKind, url: &str) -> bool {
    let domain = match carrier {
        CarrierKind::Infobip => ".api.infobip.com",
        CarrierKind::SignalWire => ".signalwire.com",
        _ => return false,
    };
    Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && url.host_str().is_some_and(|host| host.ends_with(domain))
    })
}

fn public_url(text: &str) -> Result<String, Problem> {
    let bad = || Problem::invalid("public_url is an https address, as the carrier calls it.");
    let url = Url::parse(&text.replace("{id}", "id")).map_err(|_| bad())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if text.len() > 500 || !plain || !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(bad());
    }
    Ok(text.to_owned())
}

fn tell(org: &Org<'_>, kind: &'static str, id: CarrierAccountId, by: StaffId) {
    let data = json!({ "carrier_account_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
