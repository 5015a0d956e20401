//! Pages embedded in the binary: the Hub, as `npm run build` in `hub/` makes it, and the demo's phone simulator.
//!
//! A debug build reads the files from `hub/` when they are asked for, so the Hub can be built anew without it.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use rust_embed::RustEmbed;

use crate::{app::App, problem::Problem};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../hub"]
#[include = "dist/*"]
#[include = "shared/*"]
#[include = "simulator/*"]
struct Files;

/// No inline script or style, nothing from elsewhere.
const CSP: &str =
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; object-src 'none'";
/// Names of built files carry a digest of what is in them.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about each time: a new version of Anteroom brings new pages.
const ASK_FIRST: &str = "no-cache";

/// The pages; the simulator's only where there is one.
pub fn router(simulator: bool) -> Router<App> {
    let router = Router::new()
        .route("/", get(|headers: HeaderMap| async move { file("dist/index.html", &headers, ASK_FIRST) }))
        .route("/assets/hub/{*path}", folder("dist", FOR_GOOD))
        .route("/assets/shared/{*path}", folder("shared", ASK_FIRST));
    if !simulator {
        return router;
    }
    router
        .route(
            "/simulator",
            get(|headers: HeaderMap| async move { file("simulator/index.html", &headers, ASK_FIRST) }),
        )
        .route("/assets/simulator/{*path}", folder("simulator", ASK_FIRST))
}

/// All files below `folder`.
fn folder(folder: &'static str, caching: &'static str) -> MethodRouter<App> {
    get(move |Path(path): Path<String>, headers: HeaderMap| async move {
        file(&format!("{folder}/{path}"), &headers, caching)
    })
}

fn file(path: &str, asked: &HeaderMap, caching: &'static str) -> Response {
    // A debug build looks for it on the disk, where a name could lead out of its folder.
    let inside = path.split('/').all(|part| part != "..");
    let Some(file) = inside.then(|| Files::get(path)).flatten() else {
        return Problem::not_found("page").into_response();
    };
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..8]));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (StatusCode::OK, file.data.into_owned()).into_response()
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(file.metadata.mimetype())),
        (header::ETAG, HeaderValue::from_str(&etag)),
        (header::CACHE_CONTROL, Ok(HeaderValue::from_static(caching))),
        (header::CONTENT_SECURITY_POLICY, Ok(HeaderValue::from_static(CSP))),
    ];
    for (name, value) in headers {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
