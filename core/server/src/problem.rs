//! Errors as clients see them: `application/problem+json` (RFC 9457).
//!
//! A handler returns a [`Problem`]; the middleware [`render`] writes its body with the request's id. A
//! failure of ours says nothing but the id: its cause goes to the log.

use std::borrow::Cow;

use anteroom_store::StoreError;
use axum::{
    Json,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use crate::telemetry::RequestId;

/// Kinds are names, not addresses: no page has to be served for them.
const TYPES: &str = "urn:anteroom:problem:";

/// Longest text of the framework that is passed on, in bytes.
const DETAIL: usize = 2_048;

/// An error for the client.
#[derive(Clone, Debug)]
pub struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// `kind` is stable and ends the `type` URI (there with hyphens); `title` is the same at every occurrence.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (detail, members, headers) = (detail.into(), Map::new(), Vec::new());
        Self(Box::new(Inner { status, kind, title, detail, members, headers }))
    }

    /// Adds an extension member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Takes the framework's own words for what is wrong with a body or a parameter: they name the field.
    async fn with_detail_of(mut self, response: Response) -> Self {
        if self.0.kind != "malformed" {
            return self;
        }
        if let Ok(text) = axum::body::to_bytes(response.into_body(), DETAIL).await
            && let Ok(text) = std::str::from_utf8(&text)
            && !text.is_empty()
        {
            self.0.detail = text.to_owned().into();
        }
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable end of its `type`.
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// What the client is told about this occurrence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// An extension member.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.members.get(name)
    }

    /// 404. The same whether it doesn't exist or belongs to somebody else.
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", format!("There is no such {what}."))
    }

    /// 422.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request can't be carried out", detail)
    }

    /// 422 because of one field, which `field` names, so that a form can say it there.
    pub fn field(field: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::invalid(detail).with("field", field)
    }

    /// 409: `what` was changed since the caller read it.
    pub fn changed(what: &str, version: i64) -> Self {
        let detail = format!("Somebody changed this {what} since you read it. Read it again.");
        Self::new(StatusCode::CONFLICT, "changed", "It has changed", detail).with("version", version)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 401.
    pub fn unauthenticated() -> Self {
        let detail = "Sign in, or send a valid token.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in", detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 503: nothing was kept, the caller should try again.
    pub fn unavailable() -> Self {
        let detail = "Nothing was stored. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available right now", detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 500: the cause is for the log only.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = %Chain(cause), "a request failed");
        Self::broken()
    }

    fn broken() -> Self {
        let detail = "Something went wrong on our side. Quote the request id when you report it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

/// Answers a request whose handler panicked. The panic itself is in the log already.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Problem::broken().into_response()
}

/// An error with all its causes, for logs.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_passing() => {
                tracing::error!(cause = %Chain(&error), "the store is not available");
                Self::unavailable()
            }
            StoreError::Conflict => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "It is there already",
                "Something with the same name or key is there already.",
            ),
            StoreError::Database(_)
            | StoreError::Closed
            | StoreError::Busy
            | StoreError::TimedOut
            | StoreError::Sealed(_)
            | StoreError::Corrupt { .. }
            | StoreError::NoOrganization
            | StoreError::MasterKey
            | StoreError::Migrate(_) => Self::internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: gives problems their body, and errors of the framework (a path that doesn't exist, a body
/// that is no JSON) the same form.
pub async fn render(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return body(problem, id);
    }
    match framework_error(&response) {
        Some(problem) => body(problem.with_detail_of(response).await, id),
        None => response,
    }
}

/// Bodies the framework wrote itself are plain texts; ours never are.
fn framework_error(response: &Response) -> Option<Problem> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|value| !value.as_bytes().starts_with(b"text/plain")) {
        return None;
    }
    let (kind, title, detail) = match status {
        StatusCode::NOT_FOUND => ("not-found", "Not found", "There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method-not-allowed", "Method not allowed", "This address takes other methods.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "Too large", "The body is larger than allowed."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("media-type", "Wrong content type", "Send application/json."),
        status if status.is_client_error() => {
            ("malformed", "Malformed request", "The request is not of the form that the documentation shows.")
        }
        _ => ("internal", "Internal error", "Something went wrong on our side."),
    };
    let mut problem = Problem::new(status, kind, title, detail);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem = problem.with_header(header::ALLOW, allow.clone());
    }
    Some(problem)
}

fn body(problem: Problem, id: Option<RequestId>) -> Response {
    let inner = *problem.0;
    let mut members = inner.members;
    members.insert("type".into(), format!("{TYPES}{}", inner.kind.replace('_', "-")).into());
    members.insert("title".into(), inner.title.into());
    members.insert("status".into(), inner.status.as_u16().into());
    members.insert("detail".into(), inner.detail.into_owned().into());
    if let Some(RequestId(id)) = id {
        members.insert("request_id".into(), id.to_string().into());
    }
    let mut response = (inner.status, Json(members)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.extend(inner.headers);
    response
}
