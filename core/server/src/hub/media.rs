//! Pictures and documents: what staff fetch, and what they upload to go with a text.

use std::time::Duration;

use anteroom_model::ids::MediaId;
use anteroom_store::{Idempotent, Media, MediaContent};
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures::{FutureExt, StreamExt};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        messages::{idempotency_key, misused_key},
        views::MediaView,
    },
    media::{
        objects::{Key, Part},
        serve, words,
    },
    problem::Problem,
};

/// What a multipart body may hold beside its file, in bytes.
const FRAMING: usize = 16 * 1024;
/// How long a file may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(2);

/// A file as it came, to be saved. A part of it with `Range`. The read is audited.
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "media",
    params(("id" = MediaId, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206), (status = 304),
        (status = 404, description = "There is none, or it is not here (yet)"),
        (status = 410, description = "It was here, and is missing from where files are kept"), (status = 416)))]
pub(super) async fn original(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let media = visible(&app, &caller, id).await?;
    let response = serve::answer(&app, caller.organization, &media, Part::Original, &headers).await?;
    caller.audit_read(&app, "media.read", id.0).await?;
    Ok(response)
}

/// A smaller picture of a picture: JPEG, at most 1,280 pixels long, turned as it is looked at, without what the
/// camera wrote into it. The read is audited.
#[utoipa::path(get, path = "/api/v1/media/{id}/preview", tag = "media", params(("id" = MediaId, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 304),
        (status = 404, description = "There is none, or it is not here (yet), or files of its kind have none")))]
pub(super) async fn preview(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let media = visible(&app, &caller, id).await?;
    let response = serve::answer(&app, caller.organization, &media, Part::Preview, &headers).await?;
    caller.audit_read(&app, "media.previewed", id.0).await?;
    Ok(response)
}

/// One that the caller may see: those of texts, as the texts themselves, and their own uploads.
async fn visible(app: &App, caller: &Caller, id: MediaId) -> Result<Media, Problem> {
    let unknown = || Problem::not_found("file");
    let mut org = app.store.read(caller.organization).await?;
    let media = org.media(id).await?.ok_or_else(unknown)?;
    match media.message_id {
        Some(message) => drop(org.message(message).await?.ok_or_else(unknown)?),
        None if media.staff_id == Some(caller.staff) => {}
        None => return Err(unknown()),
    }
    Ok(media)
}

/// What a form sends.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form for the OpenAPI document")]
pub(in crate::hub) struct MediaForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Uploads a file to go with a text: name its `id` in `media` when the text is sent, within a day.
///
/// The body is the file itself, or `multipart/form-data` with `file`. What it is, is told by its bytes; what is
/// not a picture, sound, film, PDF, contact card or plain text is refused. Carriers take less than this does:
/// sending says so.
#[utoipa::path(post, path = "/api/v1/media", tag = "media",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body(content((Vec<u8> = "application/octet-stream"), (MediaForm = "multipart/form-data"))),
    responses((status = 201, body = MediaView), (status = 403), (status = 413),
        (status = 422, description = "Not taken: `reason` says why")))]
pub(super) async fn upload(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<MediaView>), Problem> {
    caller.may_write()?;
    let key = idempotency_key(request.headers())?;
    // Each upload is in memory whole while it is looked at.
    let _place = app.media.uploads.acquire().await.map_err(|error| Problem::internal(&error))?;
    let bytes = tokio::time::timeout(ARRIVAL, read(request, &app)).await.map_err(|_| {
        let detail = "The file took too long to arrive.";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "slow", "Too slow", detail)
    })??;
    let id: MediaId = app.store.ids().next(app.store.now());
    let keys = app.store.keys(caller.organization).await?;
    let object = Key { organization: caller.organization, id, attempt: 0 };
    let taken = app.media.take(&keys, object, &bytes).await.map_err(|error| Problem::internal(&error))?;
    let content = taken.map_err(refused)?;
    let digest = Sha256::digest(&bytes);
    drop(bytes);
    let stored = store(&app, &caller, id, content, key, digest.to_vec()).await;
    if !matches!(&stored, Ok(media) if media.id == id) {
        // Uploaded before, or not stored: nobody will ask for this one.
        if let Err(error) = app.media.objects.delete(object).await {
            tracing::warn!(media = %id, %error, "a file that is not needed is still kept");
        }
    }
    Ok((StatusCode::CREATED, Json(MediaView::of(stored?))))
}

async fn store(
    app: &App,
    caller: &Caller,
    id: MediaId,
    content: MediaContent,
    key: Option<String>,
    digest: Vec<u8>,
) -> Result<Media, Problem> {
    let (staff, audit) = (caller.staff, caller.audit("media.uploaded", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut id = id;
                let known = match key {
                    Some(key) => org.remember_key(staff, &key, &digest, id.0).await?,
                    None => Idempotent::Fresh,
                };
                match known {
                    Idempotent::Fresh => {
                        org.insert_media_upload(id, staff, &content).await?;
                        org.insert_audit(&audit).await?;
                    }
                    Idempotent::Same(before) => id = MediaId(before),
                    Idempotent::Misused => return Err(misused_key()),
                }
                org.media(id).await?.ok_or_else(|| Problem::not_found("file"))
            }
            .boxed()
        })
        .await
}

fn refused(reason: &'static str) -> Problem {
    let detail = words::text(anteroom_model::states::MediaState::Refused, Some(reason)).unwrap_or_default();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "media-refused", "The file is not taken", detail)
        .with("reason", reason)
}

async fn read(request: Request, app: &App) -> Result<Vec<u8>, Problem> {
    let most = app.media.most;
    let (head, body) = request.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        let mut stream = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            append(&mut bytes, &chunk.map_err(|error| malformed(&error))?, most)?;
        }
        return Ok(bytes);
    }
    // The form's own reader has no limit of its own here: ours is on the bytes that come in.
    let limited = http_body_util::Limited::new(body, most + FRAMING);
    let request = Request::from_parts(head, Body::new(limited));
    let mut form =
        Multipart::from_request(request, app).await.map_err(|error| malformed(&error.body_text()))?;
    let mut bytes = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(|error| malformed(&error.body_text()))? {
        if field.name() != Some("file") {
            return Err(Problem::invalid("The form has one field, file."));
        }
        while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error.body_text()))? {
            append(&mut bytes, &chunk, most)?;
        }
    }
    Ok(bytes)
}

fn append(bytes: &mut Vec<u8>, chunk: &[u8], most: usize) -> Result<(), Problem> {
    if bytes.len() + chunk.len() > most {
        let detail = format!("A file may have {most} bytes.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail));
    }
    bytes.extend_from_slice(chunk);
    Ok(())
}

fn malformed(error: &dyn std::fmt::Display) -> Problem {
    let detail = format!("The file can't be read: {error}");
    Problem::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
}
