//! One listener for webhooks, the API, pages and probes.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use crate::{app::App, config::NodeRole, demo, hub, ingress, media, pages, problem, telemetry, unread};

/// Largest JSON body taken.
const BODY_LIMIT: usize = 256 * 1024;
/// How long connections may take to end once the process is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Everything that is served.
pub fn router(app: App) -> Router {
    let simulator = app.demo.is_some();
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    if app.has_role(NodeRole::Ingress) {
        router = router.merge(ingress::router()).merge(media::serve::router());
    }
    if app.has_role(NodeRole::Hub) {
        router = router.merge(hub::router()).merge(pages::router(simulator));
    }
    if simulator {
        router = router.merge(demo::simulator::router());
    }
    let set = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .fallback(|| async { problem::Problem::not_found("page").into_response() })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(middleware::from_fn(problem::render))
        .layer(middleware::from_fn_with_state(app.clone(), telemetry::observe))
        .layer(middleware::from_fn(unread::discard))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::CACHE_CONTROL, "no-store"))
        .with_state(app)
}

/// Ready to take webhooks: the store answers and the process is not about to stop.
async fn ready(State(app): State<App>) -> Response {
    if app.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    match app.store.ping().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready: the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer").into_response()
        }
    }
}

async fn metrics(State(app): State<App>) -> Response {
    telemetry::measure_queues(&app).await;
    match &app.metrics {
        Some(handle) => {
            let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            ([(header::CONTENT_TYPE, text)], handle.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves until the app is told to stop, then lets requests under way finish.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    let stop = app.stop.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let graceful = stop.clone();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(async move { graceful.cancelled().await })
        .into_future();
    tokio::select! {
        done = server => done,
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => {
            tracing::warn!("some connections did not end in time");
            Ok(())
        }
    }
}
