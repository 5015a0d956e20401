//! Reading the vectors.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anteroom_carriers::{
    CarrierKind, Certificates, Credentials, Delivery, Endpoint, Inbound, Rejection, verify_and_parse,
};
use anteroom_model::time::Timestamp;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

/// Every carrier that calls webhooks, but our own.
pub(crate) const CARRIERS: [CarrierKind; 9] = [
    CarrierKind::Twilio,
    CarrierKind::SignalWire,
    CarrierKind::Telnyx,
    CarrierKind::Bandwidth,
    CarrierKind::Plivo,
    CarrierKind::Vonage,
    CarrierKind::Sinch,
    CarrierKind::Infobip,
    CarrierKind::Aws,
];

/// A carrier's file.
#[derive(Deserialize)]
pub(crate) struct Vectors {
    pub(crate) carrier: CarrierKind,
    /// The packages that made it, with their versions.
    pub(crate) packages: Vec<String>,
    pub(crate) credentials: Value,
    /// Of an account that did not sign any of this.
    pub(crate) other_credentials: Value,
    /// The same secrets under another algorithm or scheme.
    #[serde(default)]
    pub(crate) downgraded_credentials: Vec<Value>,
    /// Seconds after which a signature is too old, where moments are signed.
    pub(crate) stale_after: Option<u64>,
    #[serde(default)]
    certificates: BTreeMap<String, String>,
    /// Which credential says where the API is; default `api_base_url`.
    pub(crate) base_url_field: Option<String>,
    /// What follows the host there.
    #[serde(default)]
    pub(crate) base_url_suffix: String,
    /// What our paths have before the package's.
    #[serde(default)]
    pub(crate) path_prefix: String,
    pub(crate) deliveries: Vec<Signed>,
    pub(crate) sends: Vec<Value>,
}

/// A request that the package signed.
#[derive(Clone, Deserialize)]
pub(crate) struct Signed {
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) path_and_query: String,
    pub(crate) public_url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body_base64: String,
    /// Decoded.
    #[serde(skip)]
    pub(crate) body: Vec<u8>,
    /// Seconds.
    pub(crate) received_at: i64,
    /// What the signature covers besides itself: `url`, `query`, `body`, `envelope`.
    pub(crate) signs: Vec<String>,
    /// Headers that it doesn't cover.
    #[serde(default)]
    pub(crate) loose_headers: Vec<String>,
    /// Where they are not the file's.
    pub(crate) credentials: Option<Value>,
    pub(crate) expect: Value,
}

impl Vectors {
    pub(crate) fn read(carrier: CarrierKind) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{carrier}.json"));
        let text = fs::read(&path).expect("run scripts/carrier-vectors");
        let mut vectors: Self = serde_json::from_slice(&text).unwrap();
        assert_eq!(vectors.carrier, carrier);
        assert!(!vectors.packages.is_empty() && !vectors.deliveries.is_empty() && !vectors.sends.is_empty());
        for delivery in &mut vectors.deliveries {
            delivery.body = BASE64_STANDARD.decode(&delivery.body_base64).unwrap();
        }
        vectors
    }

    /// The account that `delivery` was made for.
    pub(crate) fn account(&self, delivery: &Signed) -> Credentials {
        credentials(self.carrier, delivery.credentials.as_ref().unwrap_or(&self.credentials))
    }

    /// Certificates as if fetched when `delivery` comes.
    pub(crate) fn certificates(&self, at: Timestamp) -> Certificates {
        let certificates = Certificates::default();
        for (url, pem) in &self.certificates {
            assert!(certificates.trust(url, pem.as_bytes(), at));
        }
        certificates
    }

    pub(crate) fn receive(&self, account: &Credentials, delivery: &Signed) -> Result<Inbound, Rejection> {
        delivery.receive(account, &self.certificates(delivery.at()))
    }
}

pub(crate) fn credentials(carrier: CarrierKind, json: &Value) -> Credentials {
    Credentials::from_json(carrier, json.to_string().as_bytes()).unwrap()
}

impl Signed {
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.received_at * 1_000_000)
    }

    pub(crate) fn covers(&self, part: &str) -> bool {
        self.signs.iter().any(|signed| signed == part)
    }

    pub(crate) fn receive(
        &self,
        account: &Credentials,
        certificates: &Certificates,
    ) -> Result<Inbound, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            // What HTTP itself would not carry never reaches us.
            let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
            else {
                return Err(Rejection::SignatureMissing);
            };
            headers.append(name, value);
        }
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let endpoint = match self.endpoint.as_str() {
            "messages" => Endpoint::Messages,
            "status" => Endpoint::Status,
            other => panic!("{other}"),
        };
        let delivery = Delivery {
            endpoint,
            method: &method,
            path_and_query: &self.path_and_query,
            headers: &headers,
            body: &self.body,
            public_url: &self.public_url,
            received_at: self.at(),
        };
        verify_and_parse(account, &delivery, certificates)
    }

    /// Whether `other` differs only in how its form is written (`a=` and `a` are the same parameter): no
    /// signature over parameters can tell, and nothing is read differently.
    pub(crate) fn is_the_same_form(&self, other: &Self) -> bool {
        let pairs = |raw: &[u8]| -> Vec<_> { url::form_urlencoded::parse(raw).into_owned().collect() };
        let query = |signed: &Self| {
            pairs(signed.path_and_query.split_once('?').map_or("", |(_, query)| query).as_bytes())
        };
        let kind = self.headers.get("content-type").map_or("", |kind| kind.as_str());
        let bodies = self.body == other.body
            || (!kind.contains("json")
                && !self.covers("envelope")
                && pairs(&self.body) == pairs(&other.body));
        bodies
            && query(self) == query(other)
            && (&self.headers, &self.method, &self.public_url)
                == (&other.headers, &other.method, &other.public_url)
    }

    /// The same, received so much later (or, if negative, earlier).
    pub(crate) fn moved(&self, seconds: i64) -> Self {
        Self { received_at: self.received_at + seconds, ..self.clone() }
    }
}

/// The window's other end: how far a carrier's clock may be ahead.
pub(crate) const AHEAD: Duration = Duration::from_mins(5);
