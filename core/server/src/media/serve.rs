//! Answering with a file's bytes: to staff, and to carriers that hold a link.

use std::ops::Range;

use anteroom_model::{
    ids::OrganizationId,
    states::{Direction, MediaState},
};
use anteroom_store::{Actor, Media, NewEvent, StoreError};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use crate::{
    app::App,
    media::{
        kind::Kind,
        links::Link,
        objects::{Key, ObjectError, Part},
        words,
    },
    problem::{Chain, Problem},
};

/// Nothing in a file may do anything, wherever it is opened.
const CSP: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Where carriers fetch what staff send.
pub(crate) fn router() -> Router<App> {
    Router::new().route("/media/{token}", get(by_link))
}

/// A file for whoever holds a link. Whatever is wrong with it, it is not found.
async fn by_link(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("file");
    let link = Link::read(&token).ok_or_else(unknown)?;
    let mut org = match app.store.read(link.organization).await {
        Err(StoreError::NoOrganization) => return Err(unknown()),
        other => other?,
    };
    if !link.is_ours(org.keys(), app.store.now()) {
        return Err(unknown());
    }
    let media = org.media(link.id).await?.ok_or_else(unknown)?;
    drop(org);
    // Only what was sent.
    if media.direction != Direction::Outbound || media.message_id.is_none() {
        return Err(unknown());
    }
    let (id, organization) = (media.id, link.organization);
    let response = answer(&app, organization, &media, Part::Original, &headers).await;
    // What is said of a file that is missing is for staff.
    let response =
        response.map_err(|problem| if problem.status() == StatusCode::GONE { unknown() } else { problem })?;
    let noted: Result<(), StoreError> = app
        .store
        .write(organization, move |mut org| async move { org.media_fetched(id).await }.boxed())
        .await;
    noted?;
    counter!("anteroom_media_deliveries_total").increment(1);
    tracing::info!(media = %id, %organization, status = response.status().as_u16(), "a carrier fetched a file");
    Ok(response)
}

/// The file, or the part of it that `headers` ask for. Its first bytes are read before anything is answered, so that
/// what can't be read is a problem and no file that breaks off.
pub(crate) async fn answer(
    app: &App,
    organization: OrganizationId,
    media: &Media,
    part: Part,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (length, kind) = match part {
        Part::Original => (media.bytes, media.kind.as_deref().unwrap_or("application/octet-stream")),
        Part::Preview => (media.preview_bytes, "image/jpeg"),
    };
    let length = length.and_then(|length| u64::try_from(length).ok());
    let was_lost = media.state == MediaState::Gone && media.reason.as_deref() == Some(words::LOST);
    let Some(length) = length.filter(|_| media.state == MediaState::Ready || was_lost) else {
        return Err(Problem::not_found(if part == Part::Preview { "preview" } else { "file" }));
    };
    // What is kept under an id never changes.
    let etag = format!("\"{}{}\"", media.id.0.simple(), if part == Part::Preview { "-p" } else { "" });
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let known = |tags: &str| {
        tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*")
    };
    let not_modified = text(header::IF_NONE_MATCH).is_some_and(known);
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).is_none_or(|tag| tag == etag));
    let range = range.map_or(Ok(None), |range| wanted(range, length));
    let (status, range, extra) = match range {
        _ if not_modified => (StatusCode::NOT_MODIFIED, 0..0, None),
        Err(()) => return Err(beyond(length)),
        Ok(None) => (StatusCode::OK, 0..length, None),
        Ok(Some(range)) => {
            let said = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            (StatusCode::PARTIAL_CONTENT, range, Some(said))
        }
    };
    let size = range.end - range.start;
    let key = Key { organization, id: media.id, attempt: media.attempt };
    let body = if size == 0 {
        Body::empty()
    } else {
        match app.media.objects.open(&app.store, key, part, length, range).await {
            Ok(bytes) => Body::from_stream(bytes),
            Err(error) => return Err(unreadable(app, organization, media, part, &error).await),
        }
    };
    if was_lost && size > 0 && part == Part::Original {
        say(app, organization, media, Lost::Found).await?;
    }
    let mut response = (status, body).into_response();
    let head = response.headers_mut();
    let name = format!("attachment; filename=\"{}{}\"", media.id.0.simple(), Kind::extension(kind));
    for (header, value) in [
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::ETAG, &etag),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, CSP),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            head.insert(header, value);
        }
    }
    if let Some(value) = extra.and_then(|said| HeaderValue::from_str(&said).ok()) {
        head.insert(header::CONTENT_RANGE, value);
    }
    if status.is_success() {
        head.insert(header::CONTENT_LENGTH, size.into());
        if let Ok(kind) = HeaderValue::from_str(kind) {
            head.insert(header::CONTENT_TYPE, kind);
        }
    }
    Ok(response)
}

/// Why a file that should be there can't be answered with.
async fn unreadable(
    app: &App,
    organization: OrganizationId,
    media: &Media,
    part: Part,
    error: &ObjectError,
) -> Problem {
    tracing::error!(media = %media.id, %organization, error = %Chain(error), "a file can't be read");
    match error {
        // Not now, perhaps in a moment.
        ObjectError::Store(_) if !error.is_missing() => Problem::unavailable(),
        error if !error.is_missing() => Problem::internal(error),
        // The file itself may well be there.
        _ if part == Part::Preview => Problem::not_found("preview"),
        _ => {
            if let Err(error) = say(app, organization, media, Lost::Missing).await {
                return error.into();
            }
            let detail = words::text(MediaState::Gone, Some(words::LOST)).unwrap_or_default();
            Problem::new(StatusCode::GONE, "file-lost", "The file is missing", detail)
        }
    }
}

/// What was found out about a file that should be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    Missing,
    /// It is back.
    Found,
}

/// Says it in the file's row, and to whoever listens.
async fn say(app: &App, organization: OrganizationId, media: &Media, lost: Lost) -> Result<(), StoreError> {
    let (id, attempt, message) = (media.id, media.attempt, media.message_id);
    app.store
        .write(organization, move |mut org| {
            async move {
                let (state, reason, said) = match lost {
                    Lost::Missing => {
                        let said = org.media_lost(id, attempt, words::LOST).await?;
                        (MediaState::Gone, Some(words::LOST), said)
                    }
                    Lost::Found => {
                        let said = org.media_found(id, attempt, words::LOST).await?;
                        (MediaState::Ready, None, said)
                    }
                };
                let Some(message) = message.filter(|_| said) else { return Ok(()) };
                let conversation = org.message(message).await?.and_then(|message| message.conversation_id);
                org.tell(NewEvent {
                    kind: "media.state",
                    conversation_id: conversation,
                    actor: Actor::Host,
                    data: json!({
                        "message_id": message,
                        "media_id": id,
                        "state": state,
                        "text": words::text(state, reason),
                    }),
                });
                Ok(())
            }
            .boxed()
        })
        .await
}

fn beyond(length: u64) -> Problem {
    let detail = format!("The file has {length} bytes.");
    let problem =
        Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", "No such part of the file", detail);
    match HeaderValue::from_str(&format!("bytes */{length}")) {
        Ok(said) => problem.with_header(header::CONTENT_RANGE, said),
        Err(_) => problem,
    }
}

/// What a `Range` asks for (RFC 9110, 14.2): `None` for what isn't understood, which is then no range at all, and
/// for several, which nobody needs; the error for one outside of the file.
fn wanted(range: &str, length: u64) -> Result<Option<Range<u64>>, ()> {
    let Some(spec) = range.strip_prefix("bytes=").filter(|spec| !spec.contains(',')) else { return Ok(None) };
    let Some((first, last)) = spec.trim().split_once('-') else { return Ok(None) };
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let range = match (first, last) {
        ("", suffix) => match number(suffix) {
            Some(suffix) => length.saturating_sub(suffix)..length,
            None => return Ok(None),
        },
        (first, "") => match number(first) {
            Some(first) => first..length,
            None => return Ok(None),
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..length.min(last.saturating_add(1)),
            _ => return Ok(None),
        },
    };
    if range.start >= range.end || range.start >= length { Err(()) } else { Ok(Some(range)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (range, expected) in [
            ("bytes=0-9", Ok(Some(0..10))),
            ("bytes=90-", Ok(Some(90..100))),
            ("bytes=90-1000", Ok(Some(90..100))),
            ("bytes=-10", Ok(Some(90..100))),
            ("bytes=-1000", Ok(Some(0..100))),
            ("bytes=99-99", Ok(Some(99..100))),
            ("bytes=100-", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=9-3", Ok(None)),
            ("bytes=0-1,5-6", Ok(None)),
            ("bytes=a-b", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("bytes", Ok(None)),
            ("items=0-1", Ok(None)),
        ] {
            assert_eq!(wanted(range, 100), expected, "{range}");
        }
    }
}
