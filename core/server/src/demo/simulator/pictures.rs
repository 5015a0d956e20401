//! Pictures of the phones: those that they send, kept in memory until they are fetched, and those that have reached
//! them.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use anteroom_model::ids::MediaId;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::organization;
use crate::{
    app::App,
    media::{objects::Part, serve},
    problem::Problem,
};

/// Pictures that are kept; older ones make room.
const KEPT: usize = 8;

static PICTURES: Mutex<VecDeque<(String, Bytes)>> = Mutex::new(VecDeque::new());

/// Keeps a picture as a carrier would, and says where.
pub(super) async fn keep(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    organization(&app)?;
    // One byte more than is taken, so that a phone can send too large a one.
    let bytes = axum::body::to_bytes(body, app.media.most + 1).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", "The picture is too large.")
    })?;
    let id = hex::encode(app.store.ids().secret::<16>());
    // The name that the browser knows this machine by is not one that files are fetched from.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.replace("localhost", "127.0.0.1");
    let url = format!("http://{host}/simulator/api/pictures/{id}");
    let mut pictures = PICTURES.lock().unwrap_or_else(PoisonError::into_inner);
    pictures.push_back((id, bytes));
    if pictures.len() > KEPT {
        pictures.pop_front();
    }
    Ok((StatusCode::CREATED, Json(json!({ "url": url }))))
}

/// One of them, for the server's own fetching.
pub(super) async fn kept(Path(id): Path<String>) -> Result<Bytes, Problem> {
    let pictures = PICTURES.lock().unwrap_or_else(PoisonError::into_inner);
    let found = pictures.iter().find(|(known, _)| *known == id).map(|(_, bytes)| bytes.clone());
    found.ok_or_else(|| Problem::not_found("picture"))
}

/// A file of the phone's thread: a picture as its preview, anything else as it is.
pub(super) async fn received(
    State(app): State<App>,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let clinic = organization(&app)?;
    let media = app.store.read(clinic).await?.media(id).await?;
    let media = media.filter(|media| media.message_id.is_some()).ok_or_else(|| Problem::not_found("file"))?;
    let part = if media.preview_bytes.is_some() { Part::Preview } else { Part::Original };
    Ok(serve::answer(&app, clinic, &media, part, &headers).await?.into_response())
}
