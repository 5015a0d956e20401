//! AWS Signature Version 4 of a JSON request to `/`.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>. The signed headers are
//! those that botocore signs for this service.

use anteroom_model::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::AwsCredentials;

/// Of the service's JSON protocol.
pub(super) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The name that the service is signed with.
const SERVICE: &str = "sms-voice";

/// What a signed request carries.
pub(super) struct Signed {
    /// `X-Amz-Date`.
    pub(super) date: String,
    /// `Authorization`.
    pub(super) authorization: String,
}

/// Signs a POST of `body` to `host`.
pub(super) fn sign(
    credentials: &AwsCredentials,
    host: &str,
    target: &str,
    body: &[u8],
    at: Timestamp,
) -> Signed {
    let date = at.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &date[..8];
    let headers = "content-type;host;x-amz-date;x-amz-target";
    let canonical = format!(
        "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:{date}\nx-amz-target:{target}\n\n\
         {headers}\n{}",
        hex::encode(Sha256::digest(body)),
    );
    let scope = format!("{day}/{}/{SERVICE}/aws4_request", credentials.region);
    let signed =
        format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical.as_bytes())));
    let secret = format!("AWS4{}", credentials.secret_access_key.expose());
    let mut key = secret.into_bytes();
    for part in [day, &credentials.region, SERVICE, "aws4_request", &signed] {
        key = mac(&key, part.as_bytes());
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={headers}, Signature={}",
        credentials.access_key_id,
        hex::encode(key),
    );
    Signed { date, authorization }
}

fn mac(key: &[u8], part: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(part);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CarrierKind, Credentials};

    /// botocore's signature of the same request (`tests/vectors/aws.json`).
    #[test]
    fn as_botocore_signs() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/aws.json")).unwrap();
        let json = vectors["credentials"].to_string();
        let Ok(Credentials::Aws(credentials)) = Credentials::from_json(CarrierKind::Aws, json.as_bytes())
        else {
            panic!()
        };
        let request = &vectors["signed_request"];
        let word = |name: &str| request[name].as_str().unwrap();
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        let signed = sign(&credentials, word("host"), word("target"), word("body").as_bytes(), at);
        assert_eq!(
            (signed.date.as_str(), signed.authorization.as_str()),
            (word("date"), word("authorization"))
        );
    }
}
