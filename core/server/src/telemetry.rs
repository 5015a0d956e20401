//! Request ids, tracing and metrics. No body, name or number is ever a field of any of them.

use std::time::Instant;

use anteroom_model::states::Direction;
use axum::{
    extract::{MatchedPath, Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Instrument;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{app::App, config::LogFormat};

/// The id of one HTTP request: in its answer's `X-Request-Id`, in problems, logs and the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub anteroom_model::ids::RequestId);

/// Seconds; from below a millisecond to the carriers' time-out.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Sends log lines to standard error. Level by `RUST_LOG`, by default `info`.
pub fn init_tracing(format: LogFormat) {
    let mut filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Quotes what it refuses, and that may be a patient's name or text.
    if let Ok(silent) = "axum::rejection=off".parse() {
        filter = filter.add_directive(silent);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        LogFormat::Pretty => registry.with(layer.compact()).try_init(),
    };
    if installed.is_err() {
        tracing::debug!("a subscriber is installed already");
    }
}

/// Installs the metrics recorder, once per process.
pub fn init_metrics() -> Option<PrometheusHandle> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS).ok()?;
    builder.install_recorder().ok()
}

/// Middleware: a request id, a span and the request metrics. The path in both is the route's pattern,
/// never the path itself.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId(app.store.ids().next(app.store.now()));
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = %id.0, %method, route);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let took = started.elapsed();
    span.in_scope(|| tracing::debug!(status, micros = took.as_micros(), "answered"));
    let labels = [("route", route), ("method", method.to_string()), ("status", status.to_string())];
    counter!("anteroom_http_requests_total", &labels).increment(1);
    histogram!("anteroom_http_request_seconds", "route" => labels[0].1.clone()).record(took.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Sets the gauges that tell how much waits: read from the store when `/metrics` is asked and now and then.
pub async fn measure_queues(app: &App) {
    for (direction, stage) in [(Direction::Inbound, "pipeline"), (Direction::Outbound, "outbox")] {
        match app.store.oldest_due(direction).await {
            Ok(due) => {
                let age = due.oldest.map_or(0.0, |oldest| app.store.now().since(oldest).as_secs_f64());
                #[expect(clippy::cast_precision_loss, reason = "a count of waiting messages fits 52 bits")]
                gauge!("anteroom_waiting_messages", "stage" => stage).set(due.count as f64);
                gauge!("anteroom_oldest_waiting_seconds", "stage" => stage).set(age);
            }
            Err(error) => tracing::warn!(%error, "the queues could not be measured"),
        }
    }
}
