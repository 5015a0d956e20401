//! A bucket: what `object_store` needs to speak to one, made of what this program uses anyway.
//!
//! Its own client and hashes would change the features of crates that everything here is built with
//! (`docs/decisions/0031`), so it is given ours: `reqwest` over the same TLS, and `ring`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::{
    ClientOptions, ObjectStore,
    aws::AmazonS3Builder,
    client::{
        CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, HttpClient, HttpConnector, HttpError,
        HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService, Signer, SigningAlgorithm,
    },
};
use ring::{digest, hmac};
use serde::Deserialize;

/// To connect.
const CONNECT: Duration = Duration::from_secs(5);
/// For one request as a whole; none is about more than a file.
const TOTAL: Duration = Duration::from_mins(1);

/// A bucket, of Amazon's or of whoever speaks the same protocol.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Its name.
    pub bucket: String,
    /// Its region.
    #[serde(default = "default_region")]
    pub region: String,
    /// Where it is, unless it is Amazon's: `https://…`.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Before the names of all objects.
    #[serde(default)]
    pub prefix: String,
    /// Of a user that may read, write and delete objects there.
    pub access_key_id: String,
    /// Likewise.
    pub secret_access_key: String,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Bucket {
    pub(super) fn open(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_access_key)
            .with_http_connector(Connector)
            .with_crypto_provider(Arc::new(Ring));
        if let Some(endpoint) = &self.endpoint {
            // A fake on this machine has no certificate; everything else must.
            let local = ["http://127.0.0.1:", "http://[::1]:"].iter().any(|this| endpoint.starts_with(this));
            builder = builder.with_endpoint(endpoint).with_allow_http(local);
        }
        Ok(Arc::new(builder.build()?))
    }
}

#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        let client = client
            .map_err(|source| object_store::Error::Generic { store: "S3", source: Box::new(source) })?;
        Ok(HttpClient::new(Client(client)))
    }
}

#[derive(Debug)]
struct Client(reqwest::Client);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url =
            parts.uri.to_string().parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        // A file is in memory whole here anyway.
        *request.body_mut() = Some(body.collect().await?.to_bytes().into());
        let response = self.0.execute(request).await.map_err(failed)?;
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(failed))))
    }
}

/// Without the address: it names the file, and may be signed.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_body() || error.is_request() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}

#[derive(Debug)]
struct Ring;

impl CryptoProvider for Ring {
    fn digest(&self, algorithm: DigestAlgorithm) -> object_store::Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Sha256(digest::Context::new(&digest::SHA256), None))),
            other => unsupported(&other),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> object_store::Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                Ok(Box::new(HmacSha256(hmac::Context::with_key(&key), None)))
            }
            other => unsupported(&other),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, _: &[u8]) -> object_store::Result<Box<dyn Signer>> {
        unsupported(&algorithm)
    }
}

fn unsupported<T>(what: &dyn std::fmt::Debug) -> object_store::Result<T> {
    Err(object_store::Error::NotSupported { source: format!("{what:?} is not used here").into() })
}

struct Sha256(digest::Context, Option<digest::Digest>);

impl DigestContext for Sha256 {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        let digest: &digest::Digest = self.1.insert(self.0.clone().finish());
        Ok(digest.as_ref())
    }
}

struct HmacSha256(hmac::Context, Option<hmac::Tag>);

impl HmacContext for HmacSha256 {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        let tag: &hmac::Tag = self.1.insert(self.0.clone().sign());
        Ok(tag.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of SHA-256 (FIPS 180-4, "abc") and of HMAC-SHA-256 (RFC 4231, test case 2), in pieces.
    #[test]
    fn hashes_are_the_published_ones() {
        let mut digest = Ring.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        assert_eq!(hex::encode(&digest.finish().unwrap()[..8]), "ba7816bf8f01cfea");
        let mut hmac = Ring.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        hmac.update(b"what do ya want ");
        hmac.update(b"for nothing?");
        assert_eq!(hex::encode(&hmac.finish().unwrap()[..8]), "5bdcc146bf60754e");
        assert!(Ring.sign(SigningAlgorithm::RS256, b"").is_err());
    }

    #[test]
    fn a_bucket_does_not_show_its_secret() {
        // Fails where another test has installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let bucket: Bucket =
            serde_json::from_str(r#"{"bucket":"b","access_key_id":"k","secret_access_key":"s3cret"}"#)
                .unwrap();
        assert_eq!(bucket.region, "us-east-1");
        assert!(!format!("{bucket:?}").contains("s3cret"));
        bucket.open().unwrap();
    }
}
