//! Asking the server over HTTP, without sockets.

use anteroom_model::ids::ConversationId;
use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use serde_json::Value;
use tower::ServiceExt;

use super::{Clinic, Staff, TestApp};

/// What a request was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The JSON body; null where it is none.
    pub(crate) body: Value,
    /// The body as it came.
    pub(crate) bytes: axum::body::Bytes,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// The stable end of a problem's type.
    pub(crate) fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit(['/', ':']).next().unwrap_or_default()
    }
}

impl TestApp {
    /// One request through everything that a socket would lead to.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), bytes }
    }
}

impl Clinic {
    /// A request of somebody's program; `path` is below `/api/v1/`.
    pub(crate) async fn api(&self, who: &Staff, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", who.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", bearer.as_str())];
        self.app.request(method, &format!("/api/v1/{path}"), &headers, body).await
    }

    /// Reads as Maya.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.api(&self.maya, Method::GET, path, &Value::Null).await.ok()
    }

    /// The items of a list.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let Value::Array(items) = self.get(path).await["items"].take() else { panic!("{path} is no list") };
        items
    }

    pub(crate) async fn post(&self, who: &Staff, path: &str, body: Value) -> Answer {
        self.api(who, Method::POST, path, &body).await
    }

    /// Reads as somebody.
    pub(crate) async fn get_as(&self, who: &Staff, path: &str) -> Answer {
        self.api(who, Method::GET, path, &Value::Null).await
    }

    /// Does something to a conversation: `accept`, `close`, `messages` …
    pub(crate) async fn act(&self, who: &Staff, id: ConversationId, action: &str, body: Value) -> Answer {
        self.post(who, &format!("conversations/{id}/{action}"), body).await
    }

    /// The conversation of a phone with a number, as the API shows it.
    pub(crate) async fn conversation(&self, phone: &str, number: &str) -> Value {
        let id = self.conversation_id(phone, number).await;
        self.get(&format!("conversations/{id}")).await
    }

    /// Ids of the conversations in a queue, as Maya sees it.
    pub(crate) async fn queue(&self, name: &str) -> Vec<ConversationId> {
        let items = self.list(&format!("conversations?limit=200&queue={name}")).await;
        items.iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    pub(crate) async fn timeline(&self, id: ConversationId) -> Vec<Value> {
        self.list(&format!("conversations/{id}/timeline")).await
    }

    /// The entries of a timeline of one kind.
    pub(crate) async fn told(&self, id: ConversationId, kind: &str) -> Vec<Value> {
        let timeline = self.timeline(id).await;
        timeline.into_iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// The decisions about a conversation, oldest first.
    pub(crate) async fn decisions(&self, id: ConversationId) -> Vec<Value> {
        let mut decisions = self.list(&format!("decisions?limit=200&conversation_id={id}")).await;
        decisions.reverse();
        decisions
    }

    /// The decisions about a conversation by one hook, oldest first.
    pub(crate) async fn decisions_of(&self, id: ConversationId, hook: &str) -> Vec<Value> {
        let decisions = self.decisions(id).await;
        decisions.into_iter().filter(|decision| decision["hook"] == hook).collect()
    }
}
