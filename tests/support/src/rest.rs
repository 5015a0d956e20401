//! A client of the REST API, as one member of staff.

use std::{sync::Once, time::Duration};

use http::{HeaderMap, Method, StatusCode, header};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// A client that gives up after ten seconds and keeps no cookies. Make one per test: its connections belong to
/// the test's runtime.
pub fn http_client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Only fails where one is installed already.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    // Everything is on this machine: no root certificates are needed, and none may be there.
    let builder = Client::builder().timeout(Duration::from_secs(10)).no_proxy().tls_certs_only([]);
    builder.build().expect("an HTTP client")
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

impl Reply {
    /// Sends `request` and reads the answer.
    pub async fn of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    /// The body as JSON; null where it is empty.
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The body of an answer that must have `status`.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// The body of a problem document that must have `status` and the `kind` at the end of its type; checks
    /// everything else that RFC 9457 and Anteroom promise of one.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header(header::CONTENT_TYPE.as_str()), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:anteroom:problem:{kind}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["title", "detail", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {problem}");
        }
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        problem
    }

    /// A header as text; empty where it isn't there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Token(String),
    Session { cookie: String, csrf: Option<String> },
}

/// The API as one caller sees it.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: String,
    proof: Proof,
}

impl Api {
    /// Without any credentials.
    pub fn anonymous(client: &Client, base: &str) -> Self {
        Self { client: client.clone(), base: base.to_owned(), proof: Proof::Nothing }
    }

    /// With a token.
    pub fn with_token(client: &Client, base: &str, token: &str) -> Self {
        Self { proof: Proof::Token(token.to_owned()), ..Self::anonymous(client, base) }
    }

    /// Signs in; with the session's cookie and CSRF token from then on.
    pub async fn sign_in(client: &Client, base: &str, email: &str, password: &str) -> Self {
        let api = Self::anonymous(client, base);
        let body = serde_json::json!({ "email": email, "password": password });
        let reply = api.post("/api/v1/session", &body).await;
        let csrf = reply.expect(200)["csrf_token"].as_str().map(str::to_owned);
        assert!(csrf.is_some(), "a session has a CSRF token: {}", reply.text);
        let cookie = reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        Self { proof: Proof::Session { cookie, csrf }, ..api }
    }

    /// The same session with another CSRF token, or none.
    #[must_use]
    pub fn with_csrf(&self, token: Option<&str>) -> Self {
        let Proof::Session { cookie, .. } = &self.proof else { panic!("no session: {self:?}") };
        let proof = Proof::Session { cookie: cookie.clone(), csrf: token.map(str::to_owned) };
        Self { proof, ..self.clone() }
    }

    /// The same caller at another address, after a restart.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// A request to `path` with the caller's proof.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.proof {
            Proof::Nothing => request,
            Proof::Token(token) => request.bearer_auth(token),
            Proof::Session { cookie, csrf } => {
                let request = request.header(header::COOKIE, cookie);
                match csrf {
                    Some(csrf) => request.header("x-csrf-token", csrf),
                    None => request,
                }
            }
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// POST of JSON; null sends no body.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_with(path, &[], body).await
    }

    /// POST of JSON with further headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let reply = self.try_post(path, headers, body).await;
        reply.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// POST that may meet a server which is gone.
    pub async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> reqwest::Result<Reply> {
        let mut request = self.request(Method::POST, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        Reply::of(request).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        let reply = Reply::of(self.request(Method::DELETE, path)).await;
        reply.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The items of a list that fits one page.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        let mut page = self.get(path).await.expect(200);
        serde_json::from_value(page["items"].take()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// All texts of a conversation, oldest first, page by page.
    pub async fn messages(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/api/v1/conversations/{conversation}/messages?limit=200");
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}{cursor}")).await.expect(200);
            let items: Vec<Value> = serde_json::from_value(page["items"].take()).expect("items");
            pages.push(items);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages.into_iter().rev().flatten().collect(),
            }
        }
    }
}
