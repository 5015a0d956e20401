//! Texts signed as each carrier signs them, with what `demo.json` tells of an account.

use anteroom_test_support::{DemoAccount, Reply, TwilioAccount};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::Client;
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// A text that a carrier brings.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The carrier's, of the message.
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) body: String,
    /// When the carrier signs, in seconds since 1970; not every carrier says.
    pub(crate) at: i64,
}

/// A signed request: headers and body.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Signed {
    /// Posts it to this address.
    pub(crate) async fn send(&self, client: &Client, address: &str) -> reqwest::Result<Reply> {
        let mut request = client.post(address).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Reply::of(request).await
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the server runs by the real clock, and so must who signs")]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("not yet")
}

fn hmac_256(secret: &str, message: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes())
}

fn json_body(headers: Vec<(&'static str, String)>, body: &Value) -> Signed {
    let json = ("content-type", "application/json".to_owned());
    Signed { headers: [vec![json], headers].concat(), body: body.to_string() }
}

fn basic(user: &Value, password: &Value) -> Vec<(&'static str, String)> {
    let pair = format!("{}:{}", user.as_str().expect("a user"), password.as_str().expect("a password"));
    vec![("authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)))]
}

fn telnyx(account: &DemoAccount, text: &Text) -> Signed {
    let at = text.at.to_string();
    let body = json!({ "data": {
        "id": "event-1", "event_type": "message.received", "occurred_at": "2026-11-23T10:00:00Z",
        "payload": { "id": text.id, "from": { "phone_number": text.from }, "to": [{ "phone_number": text.to }], "text": text.body },
    } });
    let seed =
        BASE64_STANDARD.decode(account.signing["private_key"].as_str().expect("a key")).expect("base64");
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
    let signature = BASE64_STANDARD.encode(key.sign(format!("{at}|{body}").as_bytes()));
    json_body(vec![("telnyx-signature-ed25519", signature), ("telnyx-timestamp", at)], &body)
}

fn plivo(account: &DemoAccount, text: &Text) -> Signed {
    let mut params = [
        ("From", text.from.as_str()),
        ("To", &text.to),
        ("Text", &text.body),
        ("MessageUUID", &text.id),
        ("Type", "sms"),
    ];
    params.sort_unstable();
    let joined: String = params.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let signed = format!("{}?{joined}.nonce-1", account.public_url);
    let token = account.credentials["auth_token"].as_str().expect("a token");
    let body = params.iter().map(|(name, value)| format!("{name}={}", percent(value)));
    Signed {
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".into()),
            ("x-plivo-signature-v3", BASE64_STANDARD.encode(hmac_256(token, &signed))),
            ("x-plivo-signature-v3-nonce", "nonce-1".into()),
        ],
        body: body.collect::<Vec<_>>().join("&"),
    }
}

fn percent(text: &str) -> String {
    let escaped = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escaped).collect()
}

fn vonage(account: &DemoAccount, text: &Text) -> Signed {
    let body = json!({
        "channel": "sms", "message_uuid": text.id, "from": &text.from[1..], "to": &text.to[1..], "message_type": "text",
        "text": text.body, "timestamp": "2026-11-23T10:00:00Z",
    });
    let claims = json!({
        "iss": "Vonage", "iat": text.at, "jti": "1", "api_key": account.credentials["api_key"],
        "payload_hash": hex::encode(digest(&SHA256, body.to_string().as_bytes())),
    });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let secret = account.credentials["signature_secret"].as_str().expect("a secret");
    let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(hmac_256(secret, &signed)));
    json_body(vec![("authorization", format!("Bearer {token}"))], &body)
}

fn sinch(account: &DemoAccount, text: &Text) -> Signed {
    let body = json!({
        "type": "mo_text", "id": text.id, "from": &text.from[1..], "to": &text.to[1..], "body": text.body,
        "received_at": "2026-11-23T10:00:00Z",
    });
    let at = text.at.to_string();
    let secret = account.credentials["webhook_secret"].as_str().expect("a secret");
    let signature = BASE64_STANDARD.encode(hmac_256(secret, &format!("{body}.nonce-1.{at}")));
    let headers = vec![
        ("x-sinch-webhook-signature", signature),
        ("x-sinch-webhook-signature-nonce", "nonce-1".into()),
        ("x-sinch-webhook-signature-timestamp", at),
    ];
    json_body(headers, &body)
}

fn aws(account: &DemoAccount, text: &Text) -> Signed {
    let message = json!({
        "originationNumber": text.from, "destinationNumber": text.to, "messageKeyword": "K", "messageBody": text.body,
        "inboundMessageId": text.id,
    });
    let message = message.to_string();
    let topic = account.credentials["topic_arns"][0].as_str().expect("a topic");
    let at = jiff::Timestamp::from_second(text.at)
        .expect("a moment")
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string();
    let signed = format!(
        "Message\n{message}\nMessageId\nid-1\nTimestamp\n{at}\nTopicArn\n{topic}\nType\nNotification\n"
    );
    let pem = account.signing["private_key_pem"].as_str().expect("a key");
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).expect("base64")).expect("a key");
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("it signs");
    let body = json!({
        "Type": "Notification", "MessageId": "id-1", "TopicArn": topic, "Message": message, "Timestamp": at,
        "SignatureVersion": "2", "Signature": BASE64_STANDARD.encode(signature),
        "SigningCertURL": account.signing["certificate_url"], "UnsubscribeURL": "https://x.example/",
    });
    Signed { headers: vec![("content-type", "text/plain; charset=UTF-8".into())], body: body.to_string() }
}

/// Twilio's way, which is SignalWire's as well.
fn twilio(account: &DemoAccount, sid: &str, secret: &str, text: &Text) -> Signed {
    let credential = |name: &str| account.credentials[name].as_str().expect("a credential").to_owned();
    let twin = TwilioAccount {
        webhook_url: account.webhook_url.clone(),
        public_url: account.public_url.clone(),
        account_sid: credential(sid),
        auth_token: credential(secret),
    };
    let delivery = twin.text_as(&text.id, &text.from, &text.to, &text.body);
    Signed {
        headers: vec![
            ("content-type", delivery.content_type.expect("a form")),
            ("x-twilio-signature", delivery.signature.expect("signed")),
        ],
        body: String::from_utf8(delivery.body).expect("a form is ASCII"),
    }
}

/// The text as this account's carrier signs it.
pub(crate) fn signed(account: &DemoAccount, text: &Text) -> Signed {
    let credentials = &account.credentials;
    match account.carrier.as_str() {
        "twilio" => twilio(account, "account_sid", "auth_token", text),
        "signalwire" => twilio(account, "project_id", "signing_key", text),
        "telnyx" => telnyx(account, text),
        "plivo" => plivo(account, text),
        "vonage" => vonage(account, text),
        "sinch" => sinch(account, text),
        "aws" => aws(account, text),
        "bandwidth" => {
            let event = json!([{
                "type": "message-received", "time": "2026-11-23T10:00:00Z", "to": text.to,
                "message": { "id": text.id, "applicationId": credentials["application_id"], "from": text.from,
                    "to": [text.to], "text": text.body, "time": "2026-11-23T10:00:00Z" },
            }]);
            json_body(basic(&credentials["callback_user_id"], &credentials["callback_password"]), &event)
        }
        "infobip" => {
            let results = json!({ "results": [{
                "messageId": text.id, "from": &text.from[1..], "to": &text.to[1..], "text": text.body, "cleanText": text.body,
                "keyword": "", "receivedAt": "2026-11-23T10:00:00.000+0000", "smsCount": 1,
            }] });
            json_body(basic(&credentials["webhook_username"], &credentials["webhook_password"]), &results)
        }
        other => panic!("how does {other} sign?"),
    }
}
