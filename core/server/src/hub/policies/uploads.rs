//! Sending components.

use anteroom_model::{
    ids::{PolicyId, PolicyUploadId},
    time::Timestamp,
};
use anteroom_policy::Digest;
use anteroom_store::{Idempotent, PolicyUpload};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::{FutureExt, StreamExt};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        messages::{idempotency_key, misused_key},
        paging::{Page, PageQuery},
    },
    problem::Problem,
    uploads::{self, Sent},
};
use anteroom_model::states::Role;

/// Largest settings and signature taken, in bytes.
const FIELD: usize = 256 * 1024;
/// What a multipart body may hold beside its fields, in bytes.
const FRAMING: usize = 16 * 1024;
/// How long a component may take to arrive.
const ARRIVAL: std::time::Duration = std::time::Duration::from_mins(2);

/// What became of a component that was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct UploadView {
    id: PolicyUploadId,
    /// `checking`, `stored` or `refused`.
    state: String,
    /// The step it is at, or was refused at: `signature`, `component`, `features`, `imports`, `hooks`,
    /// `compile`, `link`, `probe`, `settings`, `store`, `stored`, `stopped` (with the server).
    step: String,
    /// SHA-256 of what was sent, hex.
    digest: String,
    /// Size of what was sent.
    bytes: i64,
    /// Why it can't be a policy: `code`, `path`, `expected`, `found`, `fix`.
    refusal: Option<Value>,
    /// The policy version it has become.
    policy_id: Option<PolicyId>,
    /// The settings that came with it and fit its schema: what to bind it with.
    settings: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

fn view(upload: PolicyUpload, now: Timestamp) -> UploadView {
    let abandoned = upload.state == "checking" && uploads::is_abandoned(upload.created_at, now);
    let refusal = match upload.refusal {
        Some(refusal) => Some(refusal.0),
        None if abandoned => serde_json::to_value(anteroom_policy::Refusal::host(
            "the node that checked it has ended; send it again",
        ))
        .ok(),
        None => None,
    };
    UploadView {
        id: upload.id,
        state: if abandoned { "refused".to_owned() } else { upload.state },
        step: upload.step,
        digest: hex::encode(upload.digest),
        bytes: upload.bytes,
        refusal,
        policy_id: upload.policy_id,
        settings: upload.settings.and_then(|settings| serde_json::from_str(&settings).ok()),
        created_at: upload.created_at,
        ended_at: upload.ended_at,
    }
}

/// A component with what came along.
#[derive(Debug, Default)]
struct Parts {
    component: Vec<u8>,
    settings: Option<String>,
    signature: Option<Vec<u8>>,
}

/// Sends a component. It is checked behind the answer: follow the upload at `Location`.
///
/// The body is the component itself (`application/wasm`), or `multipart/form-data` with `component` and, if
/// wanted, `settings` (JSON, checked against the policy's schema) and `signature` (base64: ed25519 over the
/// SHA-256 of the component, by one of the organization's keys). For admins. The same component twice is the
/// same policy version.
#[utoipa::path(post, path = "/api/v1/policies", tag = "policies",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body(content((Vec<u8> = "application/wasm"), (UploadForm = "multipart/form-data"))),
    responses((status = 202, body = UploadView, headers(("Location" = String))), (status = 403),
        (status = 413, description = "Larger than a component may be; `refusal` says more"),
        (status = 503, description = "Two of your organization, or four of all, are being checked; try again")))]
pub(in crate::hub) async fn send(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(request.headers())?;
    let place = app.uploads.place(caller.organization).ok_or_else(Problem::unavailable)?;
    let most = app.policies.host().limits().component_bytes;
    let parts = tokio::time::timeout(ARRIVAL, read(request, &app, most)).await.map_err(|_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            "Too slow",
            "The component took too long to arrive.",
        )
    })??;
    if parts.component.is_empty() {
        return Err(Problem::invalid("There is no component in the request."));
    }
    let digest = Digest::of(&parts.component);
    let bytes = parts.component.len();
    let (id, by) = (app.store.ids().next::<PolicyUploadId>(app.store.now()), caller.staff);
    let upload = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                if let Some(key) = key {
                    match org.remember_key(by, &key, digest.as_bytes(), id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => {
                            return org.upload(PolicyUploadId::from(before)).await.map_err(Problem::from);
                        }
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                org.insert_upload(id, digest.as_bytes(), bytes, by).await?;
                org.upload(id).await.map_err(Problem::from)
            }
            .boxed()
        })
        .await?
        .ok_or_else(|| Problem::not_found("upload"))?;
    if upload.id == id {
        let sent = Sent {
            id,
            organization: caller.organization,
            by,
            request_id: caller.request_id.clone(),
            component: parts.component,
            settings: parts.settings,
            signature: parts.signature,
        };
        uploads::begin(&app, sent, place);
    }
    let location = format!("/api/v1/policies/uploads/{}", upload.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(view(upload, app.store.now()))))
}

/// What a form sends.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form for the OpenAPI document")]
pub(in crate::hub) struct UploadForm {
    /// The component.
    #[schema(value_type = String, format = Binary)]
    component: Vec<u8>,
    /// JSON, checked against the policy's schema.
    settings: Option<String>,
    /// base64: ed25519 over the component's SHA-256.
    signature: Option<String>,
}

async fn read(request: Request, app: &App, most: usize) -> Result<Parts, Problem> {
    let (head, body) = request.into_parts();
    if !is_form(&head.headers) {
        return Ok(Parts { component: collect(body, most).await?, ..Parts::default() });
    }
    // The form's own reader has no limit of its own here: ours is on the bytes that come in.
    let limited = http_body_util::Limited::new(body, most + 2 * FIELD + FRAMING);
    let request = Request::from_parts(head, Body::new(limited));
    let mut form = Multipart::from_request(request, app).await.map_err(|error| malformed(&error))?;
    let mut parts = Parts::default();
    while let Some(mut field) = form.next_field().await.map_err(|error| malformed(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let limit = if name == "component" { most } else { FIELD };
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
            append(&mut bytes, &chunk, limit)?;
        }
        match name.as_str() {
            "component" => parts.component = bytes,
            "settings" => {
                let text = String::from_utf8(bytes);
                parts.settings = Some(text.map_err(|_| Problem::invalid("settings is not UTF-8."))?);
            }
            "signature" => {
                let signature = STANDARD.decode(bytes.trim_ascii());
                let signature = signature.map_err(|_| Problem::invalid("signature is not base64."))?;
                parts.signature = Some(signature);
            }
            _ => return Err(Problem::invalid("The form has component, settings and signature.")),
        }
    }
    Ok(parts)
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("multipart/form-data"))
}

fn malformed(error: &impl std::fmt::Display) -> Problem {
    let detail = format!("The form can't be read: {error}");
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
}

async fn collect(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            let detail = "The connection ended before the component did.";
            Problem::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
        })?;
        append(&mut bytes, &chunk, most)?;
    }
    Ok(bytes)
}

fn append(bytes: &mut Vec<u8>, chunk: &[u8], most: usize) -> Result<(), Problem> {
    if bytes.len() + chunk.len() > most {
        let refusal = anteroom_policy::Refusal::too_large(most, "more");
        let detail = refusal.to_string();
        let refusal = serde_json::to_value(refusal).unwrap_or_default();
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
            .with("refusal", refusal));
    }
    bytes.extend_from_slice(chunk);
    Ok(())
}

/// Uploads, newest first: also those that were refused.
#[utoipa::path(get, path = "/api/v1/policies/uploads", tag = "policies", params(PageQuery),
    responses((status = 200, body = Page<UploadView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<UploadView>>, Problem> {
    let before = page.position()?.unwrap_or(PolicyUploadId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let uploads = org.uploads(before, page.limit()).await?;
    let (last, now) = (uploads.last().map(|upload| upload.id), org.now());
    let items = uploads.into_iter().map(|upload| view(upload, now)).collect();
    Ok(Json(Page::cut(items, page.limit(), last)))
}

/// How far an upload is.
#[utoipa::path(get, path = "/api/v1/policies/uploads/{id}", tag = "policies",
    params(("id" = PolicyUploadId, Path)), responses((status = 200, body = UploadView), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyUploadId>,
) -> Result<Json<UploadView>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let upload = org.upload(id).await?.ok_or_else(|| Problem::not_found("upload"))?;
    Ok(Json(view(upload, org.now())))
}
