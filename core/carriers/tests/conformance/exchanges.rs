//! Requests as the carriers' packages made them, and what they were answered: a server that answers those and no others.

use std::collections::BTreeMap;

use anteroom_carriers::{CarrierKind, Credentials};
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// The accounts that the requests are made with.
#[derive(Deserialize)]
pub(crate) struct Accounts {
    credentials: BTreeMap<String, Value>,
    /// What follows the host where the carrier's API is.
    suffixes: BTreeMap<String, String>,
}

impl Accounts {
    /// The carrier's, which is at `base`.
    pub(crate) fn of(&self, carrier: CarrierKind, base: &str) -> Credentials {
        let mut json = self.credentials[carrier.as_str()].clone();
        let suffix = self.suffixes.get(carrier.as_str()).map(String::as_str).unwrap_or_default();
        json["api_base_url"] = json!(format!("{base}{suffix}"));
        Credentials::from_json(carrier, json.to_string().as_bytes()).unwrap()
    }
}

/// A request of the package's and its answer.
#[derive(Clone, Deserialize)]
pub(crate) struct Exchange {
    request: Value,
    status: u16,
    answer: Value,
}

/// Whether the request is the package's, but for the order of parameters.
fn is_same(request: &Request, wanted: &Value) -> bool {
    let mut query: Vec<_> = request.url.query_pairs().into_owned().collect();
    query.sort();
    let headers = wanted["headers"].as_object().unwrap();
    let same_headers = headers.iter().all(|(name, value)| {
        request.headers.get(name.as_str()).and_then(|found| found.to_str().ok()) == value.as_str()
    });
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let same_path =
        request.url.path().replace("%2B", "+") == wanted["path"].as_str().unwrap().replace("%2B", "+");
    request.method.as_str() == wanted["method"]
        && same_path
        && json!(query) == wanted["query"]
        && same_headers
        && body == wanted["json"]
}

/// Answers each of them once; it fails if one is not asked for.
pub(crate) async fn serve(exchanges: &[Exchange]) -> MockServer {
    let server = MockServer::start().await;
    for exchange in exchanges {
        let wanted = exchange.request.clone();
        // Links to further pages lead to the carrier; they are followed at the address that stands in for it.
        Mock::given(move |request: &Request| is_same(request, &wanted))
            .respond_with(ResponseTemplate::new(exchange.status).set_body_json(&exchange.answer))
            .expect(1)
            .mount(&server)
            .await;
    }
    server
}
