//! Pages embedded in the binary: the plain Hub and the demo's phone simulator.

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use crate::{app::App, problem::Problem};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../hub"]
#[include = "plain/*"]
#[include = "simulator/*"]
struct Files;

/// No inline script or style, nothing from elsewhere.
const CSP: &str = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// The pages; the simulator's only where there is one.
pub fn router(simulator: bool) -> Router<App> {
    let router = Router::new().route("/", get(|| async { file("plain/index.html") })).route(
        "/assets/plain/{*path}",
        get(|Path(path): Path<String>| async move { file(&format!("plain/{path}")) }),
    );
    if !simulator {
        return router;
    }
    router.route("/simulator", get(|| async { file("simulator/index.html") })).route(
        "/assets/simulator/{*path}",
        get(|Path(path): Path<String>| async move { file(&format!("simulator/{path}")) }),
    )
}

fn file(path: &str) -> Response {
    let Some(file) = Files::get(path) else { return Problem::not_found("page").into_response() };
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..8]));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(file.metadata.mimetype())),
        (header::ETAG, HeaderValue::from_str(&etag)),
        (header::CACHE_CONTROL, Ok(HeaderValue::from_static("no-cache"))),
        (header::CONTENT_SECURITY_POLICY, Ok(HeaderValue::from_static(CSP))),
    ];
    let mut response = (StatusCode::OK, file.data.into_owned()).into_response();
    for (name, value) in headers {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
