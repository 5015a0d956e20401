//! The clinic's numbers: what they are, whether they may send, and what their registration needs.

use anteroom_carriers::{Address, CheckError};
use anteroom_model::{
    ids::{CarrierAccountId, FacilityId, NumberId, StaffId},
    registration::{self as rules, PartState},
    states::{NumberKind, Registration, RegistrationPart, RegistrationSource, Role},
    time::Timestamp,
};
use anteroom_store::{Actor, Idempotent, NewEvent, NewNumber, Number, NumberRegistration, Org};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        changes::if_match,
        fields::{given, name, taken, unchanged},
        messages::{idempotency_key, misused_key},
        paging::Page,
        views::{Named, Names},
    },
    problem::Problem,
    registration,
};

/// Characters of a note.
const LONGEST_NOTE: usize = 500;

/// One of the clinic's numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NumberView {
    id: NumberId,
    /// E.164 or a short code.
    address: String,
    kind: NumberKind,
    label: String,
    facility: Option<Named<FacilityId>>,
    /// The word of the carrier.
    carrier: String,
    carrier_account: Named<CarrierAccountId>,
    /// The carrier's own service that it sends within; null: the account's, if it has one.
    messaging_service: Option<String>,
    /// Whether patients may start a conversation on it.
    texting_enabled: bool,
    /// The same, with the organization's own switch (`/texting-rules`).
    takes_texts: bool,
    /// Whether unknown texters are asked who they are; null: as the organization says.
    verification: Option<bool>,
    /// What that comes to.
    asks_who: bool,
    registration: Registration,
    /// What that comes to, in staff's words.
    registration_note: String,
    /// Where that is known from.
    registration_details: RegistrationView,
    /// Why it may not send, in staff's words; null where it may.
    blocked: Option<String>,
    /// For `If-Match`.
    version: i64,
}

/// What is known of a number's registration.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegistrationView {
    /// Who said so: the carrier's API, a person, or the carrier by refusing a text.
    source: RegistrationSource,
    /// Whether the carrier's API tells; if not, a person has to.
    offered: bool,
    /// What has to be approved, as the carrier tells of it.
    needs: Vec<RegistrationPart>,
    /// The carrier's own words, part by part, with its reasons.
    parts: Vec<PartState>,
    /// What is missing and what to do about it, in staff's words.
    missing: Vec<String>,
    /// By hand: who.
    set_by: Option<Named<StaffId>>,
    /// When the carrier last answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    checked_at: Option<Timestamp>,
    /// When it is asked again; null: on a person's word only.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_check_at: Option<Timestamp>,
    /// Checks that failed in a row.
    failures: i32,
    /// Why the last one did: `unreachable`, `credentials`, `refused`, `rate_limited`, `malformed`, `not_offered`.
    failure: Option<String>,
    /// The carrier's code of the refused text that closed it.
    closed_code: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
}

fn view(app: &App, entry: &Entry, names: &Names, number: &Number) -> NumberView {
    let account = entry.accounts.get(&number.carrier_account_id);
    let carrier = account.map(|account| account.row.carrier.clone()).unwrap_or_default();
    let known = entry.registrations.get(&number.id);
    NumberView {
        id: number.id,
        address: number.address.clone(),
        kind: number.kind,
        label: number.label.clone(),
        facility: number.facility_id.and_then(|id| {
            let (facility, _) = entry.facility(id)?;
            Some(Named { id, name: facility.name.clone() })
        }),
        carrier_account: Named {
            id: number.carrier_account_id,
            name: account.map(|account| account.row.label.clone()).unwrap_or_default(),
        },
        messaging_service: number.messaging_service.clone(),
        texting_enabled: number.texting_enabled,
        takes_texts: number.texting_enabled && entry.organization.settings.patient_initiated,
        verification: number.verification,
        asks_who: number.verification.unwrap_or(entry.organization.settings.verification),
        registration: number.registration,
        registration_note: number.registration_note.clone(),
        registration_details: details(names, &carrier, number, known),
        blocked: app.registration.refusal(number, known, app.store.now()),
        version: number.version,
        carrier,
    }
}

fn details(
    names: &Names,
    carrier: &str,
    number: &Number,
    known: Option<&NumberRegistration>,
) -> RegistrationView {
    let by_carrier = known.filter(|known| known.checked_at.is_some());
    let missing = by_carrier.map(|known| rules::judge(carrier, number.kind, &known.parts).missing);
    RegistrationView {
        source: known.map_or(RegistrationSource::Hand, |known| known.source),
        offered: registration::is_offered(carrier, number.kind),
        needs: rules::needs(carrier, number.kind).to_vec(),
        parts: known.map(|known| known.parts.clone()).unwrap_or_default(),
        missing: missing.unwrap_or_default().into_iter().map(str::to_owned).collect(),
        set_by: known.and_then(|known| known.set_by).map(|id| names.staff(id)),
        checked_at: known.and_then(|known| known.checked_at),
        next_check_at: known.and_then(|known| known.due_at),
        failures: known.map_or(0, |known| known.failures),
        failure: known.and_then(|known| known.failure.clone()),
        closed_code: known.and_then(|known| known.closed_code.clone()),
        closed_at: known.and_then(|known| known.closed_at),
    }
}

/// All numbers, by label.
#[utoipa::path(get, path = "/api/v1/numbers", tag = "organization",
    responses((status = 200, body = Page<NumberView>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<NumberView>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let names = Names::read(&mut app.store.read(caller.organization).await?).await?;
    let mut items: Vec<_> = entry.numbers.values().map(|number| view(&app, &entry, &names, number)).collect();
    items.sort_by(|a, b| (&a.label, a.id).cmp(&(&b.label, b.id)));
    Ok(Json(Page::all(items)))
}

/// One number.
#[utoipa::path(get, path = "/api/v1/numbers/{id}", tag = "organization", params(("id" = NumberId, Path)),
    responses((status = 200, body = NumberView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<NumberId>,
) -> Result<Response, Problem> {
    tagged(&app, &caller, id).await
}

/// The number as it is now, with its version.
async fn tagged(app: &App, caller: &Caller, id: NumberId) -> Result<Response, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let number = entry.numbers.get(&id).ok_or_else(|| Problem::not_found("number"))?;
    let names = Names::read(&mut app.store.read(caller.organization).await?).await?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", number.version));
    let mut response = Json(view(app, &entry, &names, number)).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A number to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNumberForm {
    /// E.164 or a short code; not in the organization yet.
    address: String,
    kind: NumberKind,
    /// 1 to 100 characters.
    label: String,
    carrier_account_id: CarrierAccountId,
    facility_id: Option<FacilityId>,
    /// The carrier's own service that it sends within: `MG…`, a profile's UUID.
    messaging_service: Option<String>,
    /// Patients may start a conversation on it; true unless told otherwise.
    texting_enabled: Option<bool>,
}

/// Adds a number. Where the carrier's API tells of its registration, the carrier is asked at once; else it may
/// not send until somebody says that it is registered. For admins; audited.
#[utoipa::path(post, path = "/api/v1/numbers", tag = "organization", request_body = NewNumberForm,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = NumberView), (status = 403),
        (status = 409, description = "The organization has it already"), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(form): Json<NewNumberForm>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let request = format!("{form:?}");
    let address = Address::parse(&form.address)
        .map_err(|_| Problem::field("address", "address is E.164, such as +18005550100, or a short code."))?;
    let new = NewNumber {
        carrier_account_id: form.carrier_account_id,
        facility_id: form.facility_id,
        address: address.as_str().to_owned(),
        kind: form.kind,
        label: name("label", &form.label)?,
        texting_enabled: form.texting_enabled.unwrap_or(true),
        verification: None,
        registration: Registration::Unknown,
        registration_note: String::new(),
    };
    let service = service(form.messaging_service)?;
    let (by, audit) = (caller.staff, caller.clone());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let account = org.account(new.carrier_account_id).await?;
                let account = account.ok_or_else(|| {
                    Problem::field("carrier_account_id", "carrier_account_id: there is no such account.")
                })?;
                known_facility(&mut org, new.facility_id).await?;
                let id: NumberId = org.new_id();
                if let Some(key) = &key {
                    match org.remember_key(by, key, request.as_bytes(), id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Ok(NumberId(before)),
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                let added = org.insert_number_as(id, &new).await;
                added.map_err(|error| taken(error, "address", "The clinic has this number already."))?;
                if service.is_some() {
                    let mut number = org.number(id).await?.ok_or_else(|| Problem::not_found("number"))?;
                    number.messaging_service = service;
                    org.set_number(&number).await?;
                }
                registration::enrol(&mut org, id, &account.carrier, new.kind).await?;
                org.insert_audit(&audit.audit("number.created", Some(id.0))).await?;
                tell(&org, "number.created", id, by);
                Ok::<_, Problem>(id)
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    let mut response = tagged(&app, &caller, id).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// What can change of a number; absent: as it was, null: none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are not the same")]
pub(super) struct NumberChange {
    /// 1 to 100 characters.
    label: Option<String>,
    /// Patients may start a conversation on it.
    texting_enabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<FacilityId>)]
    facility_id: Option<Option<FacilityId>>,
    /// The carrier's own service that it sends within: `MG…`, a profile's UUID.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    messaging_service: Option<Option<String>>,
    /// Ask unknown texters who they are; null: as the organization says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    verification: Option<Option<bool>>,
}

/// Changes a number. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/numbers/{id}", tag = "organization", request_body = NumberChange,
    params(("id" = NumberId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = NumberView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<NumberId>,
    headers: HeaderMap,
    Json(wanted): Json<NumberChange>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_label = wanted.label.as_deref().map(|text| name("label", text)).transpose()?;
    let new_service = match wanted.messaging_service {
        Some(given) => Some(service(given)?),
        None => None,
    };
    let (by, audit) = (caller.staff, caller.clone());
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut number = found(&mut org, id, expected).await?;
                if let Some(label) = new_label {
                    number.label = label;
                }
                if let Some(enabled) = wanted.texting_enabled {
                    number.texting_enabled = enabled;
                }
                if let Some(facility) = wanted.facility_id {
                    known_facility(&mut org, facility).await?;
                    number.facility_id = facility;
                }
                if let Some(service) = new_service {
                    number.messaging_service = service;
                }
                if let Some(verification) = wanted.verification {
                    number.verification = verification;
                }
                org.set_number(&number).await?;
                org.insert_audit(&audit.audit("number.changed", Some(id.0))).await?;
                tell(&org, "number.changed", id, by);
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    tagged(&app, &caller, id).await
}

/// How a number's registration is, on a person's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationForm {
    registration: Registration,
    /// Why, or where that is known from: 1 to 500 characters. Staff and auditors read it.
    note: String,
}

/// Says how a number's registration is: where the carrier's API doesn't tell, or tells nothing useful. The carrier
/// is not asked on a schedule any more until somebody asks for it. For admins; audited, with the note. `If-Match`
/// is heeded.
#[utoipa::path(put, path = "/api/v1/numbers/{id}/registration", tag = "organization",
    request_body = RegistrationForm,
    params(("id" = NumberId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = NumberView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"),
        (status = 422, description = "The note is missing")))]
pub(super) async fn set_registration(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<NumberId>,
    headers: HeaderMap,
    Json(wanted): Json<RegistrationForm>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let note = wanted.note.trim().to_owned();
    if note.is_empty() || note.chars().count() > LONGEST_NOTE || note.contains('\0') {
        return Err(Problem::invalid("note has 1 to 500 characters: why, or where that is known from."));
    }
    let (by, audit) = (caller.staff, caller.clone());
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut number = found(&mut org, id, expected).await?;
                let before = number.registration;
                let state = wanted.registration;
                registration::set_by_hand(&mut org, &mut number, state, &note, Some(by)).await?;
                org.insert_audit(&audit.audit("number.registration_set", Some(id.0))).await?;
                org.tell(registration::event(id, before, state, Actor::Staff(by)));
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    tagged(&app, &caller, id).await
}

/// Asks the carrier about a number's registration now, and from now on again on the schedule. For admins; audited.
#[utoipa::path(post, path = "/api/v1/numbers/{id}/registration/refresh", tag = "organization",
    params(("id" = NumberId, Path)),
    responses((status = 200, body = NumberView), (status = 403), (status = 404),
        (status = 409, description = "This carrier's API doesn't tell: set it by hand"),
        (status = 502, description = "The carrier did not answer as expected: `failure`")))]
pub(super) async fn refresh(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<NumberId>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("number.registration_refreshed", Some(id.0));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                org.number(id).await?.ok_or_else(|| Problem::not_found("number"))?;
                org.insert_audit(&audit).await?;
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    // What was set up a moment ago counts.
    app.directory.forget(caller.organization);
    match registration::check(&app, caller.organization, id).await? {
        None => Err(Problem::not_found("number")),
        Some(Ok(())) => tagged(&app, &caller, id).await,
        Some(Err(CheckError::NotOffered)) => {
            let detail = "This carrier's API doesn't tell how this number's registration is. Set it by hand.";
            Err(Problem::new(StatusCode::CONFLICT, "not-offered", "The carrier doesn't tell", detail))
        }
        Some(Err(error)) => {
            let detail = "The number's registration is as it was. Check the carrier account, then try again.";
            let problem = Problem::new(
                StatusCode::BAD_GATEWAY,
                "carrier",
                "The carrier did not answer as expected",
                detail,
            );
            Err(problem.with("failure", error.code()))
        }
    }
}

async fn found(org: &mut Org<'_>, id: NumberId, expected: Option<i64>) -> Result<Number, Problem> {
    let number = org.number(id).await?.ok_or_else(|| Problem::not_found("number"))?;
    unchanged(expected, number.version, "number")?;
    Ok(number)
}

async fn known_facility(org: &mut Org<'_>, id: Option<FacilityId>) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let facilities = org.facilities().await?;
    if facilities.iter().any(|facility| facility.id == id) {
        return Ok(());
    }
    Err(Problem::field("facility_id", "facility_id: there is no such facility."))
}

/// The carriers' own ids; they become part of requests to them.
fn service(id: Option<String>) -> Result<Option<String>, Problem> {
    let plain = |id: &String| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if id.as_ref().is_some_and(|id| !plain(id)) {
        return Err(Problem::invalid(
            "messaging_service is the carrier's id of it: letters, digits, - and _.",
        ));
    }
    Ok(id)
}

fn tell(org: &Org<'_>, kind: &'static str, id: NumberId, by: StaffId) {
    let data = json!({ "number_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
