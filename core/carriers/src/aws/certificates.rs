//! SNS's signing certificates: fetched from the topic's own host only, and kept for a day.
//!
//! The certificate is trusted because https brought it from `sns.{region}.amazonaws.com`, as AWS's own
//! validators do; its chain is not with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anteroom_model::time::Timestamp;
use http::StatusCode;
use reqwest::Client;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
    pem::PemObject,
};
use webpki::EndEntityCert;

use super::{SignatureVersion, sns::Envelope};
use crate::{Rejection, client};

/// How long a certificate is kept before it is fetched anew.
const KEPT: Duration = Duration::from_hours(24);
/// Between two fetches: whoever forges deliveries can't make this server call AWS all the time.
const BETWEEN_FETCHES: Duration = Duration::from_secs(1);
/// Regions have one or two each.
const MOST: usize = 64;
/// Bytes of a PEM file; they have 2,000.
const LONGEST: usize = 16 * 1024;

/// A signing certificate.
#[derive(Debug)]
pub(crate) struct Certificate(CertificateDer<'static>);

impl Certificate {
    fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?.into_owned();
        EndEntityCert::try_from(&der).ok()?;
        Some(Self(der))
    }

    /// Whether `signature` is the certificate's, under the algorithm of `version`.
    pub(super) fn verifies(&self, version: SignatureVersion, signed: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn SignatureVerificationAlgorithm = match version {
            SignatureVersion::Sha1 => &RsaSha1,
            SignatureVersion::Sha256 => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
        };
        EndEntityCert::try_from(&self.0)
            .is_ok_and(|certificate| certificate.verify_signature(algorithm, signed, signature).is_ok())
    }
}

/// What version 1 is signed with; no TLS library offers it any more.
#[derive(Debug)]
struct RsaSha1;

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // sha1WithRSAEncryption, RFC 3279, with its NULL.
        AlgorithmIdentifier::from_slice(&[
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00,
        ])
    }
}

/// The certificates seen so far. Cheap to clone; the clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    by_url: HashMap<String, (Timestamp, Arc<Certificate>)>,
    last_fetch: Option<Timestamp>,
}

impl Certificates {
    /// Trusts `pem` as if it had been fetched from `url` at `at`. For tests, and for machines that may not
    /// reach AWS. `false`: it is no certificate.
    pub fn trust(&self, url: &str, pem: &[u8], at: Timestamp) -> bool {
        Certificate::from_pem(pem).is_some_and(|certificate| {
            self.keep(url, Arc::new(certificate), at);
            true
        })
    }

    /// The certificate that an envelope names, if it is here and not too old.
    pub(super) fn known(&self, envelope: &Envelope, at: Timestamp) -> Option<Arc<Certificate>> {
        let url = envelope.certificate_url()?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, certificate) = known.by_url.get(url.as_str())?;
        (at < since.plus(KEPT)).then(|| Arc::clone(certificate))
    }

    /// Fetches it.
    pub(super) async fn fetch(
        &self,
        http: &Client,
        envelope: &Envelope,
        at: Timestamp,
    ) -> Result<Arc<Certificate>, Rejection> {
        let url = envelope.certificate_url().ok_or(Rejection::SignatureInvalid)?;
        if !self.may_fetch(at) {
            return Err(Rejection::KeyUnavailable);
        }
        let response = http.get(url.clone()).send().await.map_err(|error| {
            client::log_cause(error);
            Rejection::KeyUnavailable
        })?;
        if response.status() != StatusCode::OK {
            return Err(Rejection::KeyUnavailable);
        }
        let pem = client::body(response, LONGEST).await.ok_or(Rejection::KeyUnavailable)?;
        let certificate = Arc::new(Certificate::from_pem(&pem).ok_or(Rejection::KeyUnavailable)?);
        self.keep(url.as_str(), Arc::clone(&certificate), at);
        Ok(certificate)
    }

    fn may_fetch(&self, at: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = known.last_fetch.is_none_or(|last| at < last || at >= last.plus(BETWEEN_FETCHES));
        if free {
            known.last_fetch = Some(at);
        }
        free
    }

    fn keep(&self, url: &str, certificate: Arc<Certificate>, at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.by_url.len() >= MOST {
            known.by_url.clear();
        }
        known.by_url.insert(url.to_owned(), (at, certificate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgers_cannot_make_us_call_all_the_time() {
        let (certificates, now) = (Certificates::default(), Timestamp::from_micros(1_000_000));
        assert!(certificates.may_fetch(now));
        assert!(!certificates.may_fetch(now.plus(Duration::from_millis(999))));
        assert!(certificates.may_fetch(now.plus(Duration::from_secs(1))));
    }

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        let certificates = Certificates::default();
        for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(!certificates.trust("https://x", pem.as_bytes(), Timestamp::from_micros(0)));
        }
    }
}
