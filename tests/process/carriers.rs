//! The demo's accounts, one of every carrier: a text signed with what `demo.json` tells is taken, and the answer
//! is taken by what stands in for the carrier, on this machine.

use anteroom_test_support::{Anteroom, DemoAccount, PATIENCE, Reply, TwilioAccount, eventually};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA256, digest},
    hmac,
    rand::SystemRandom,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::clinic::launch;

const PATIENT: &str = "+15125550177";

/// A signed request: headers and body.
struct Signed {
    headers: Vec<(&'static str, String)>,
    body: String,
}

#[expect(clippy::disallowed_methods, reason = "the server runs by the real clock, and so must who signs")]
fn now() -> i64 {
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

fn telnyx(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let at = now().to_string();
    let body = json!({ "data": {
        "id": "event-1", "event_type": "message.received", "occurred_at": "2026-11-23T10:00:00Z",
        "payload": { "id": "telnyx-1", "from": { "phone_number": PATIENT }, "to": [{ "phone_number": to }], "text": text },
    } });
    let seed =
        BASE64_STANDARD.decode(account.signing["private_key"].as_str().expect("a key")).expect("base64");
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
    let signature = BASE64_STANDARD.encode(key.sign(format!("{at}|{body}").as_bytes()));
    json_body(vec![("telnyx-signature-ed25519", signature), ("telnyx-timestamp", at)], &body)
}

fn plivo(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let mut params =
        [("From", PATIENT), ("To", to), ("Text", text), ("MessageUUID", "plivo-1"), ("Type", "sms")];
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

fn vonage(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let body = json!({
        "channel": "sms", "message_uuid": "vonage-1", "from": &PATIENT[1..], "to": &to[1..], "message_type": "text",
        "text": text, "timestamp": "2026-11-23T10:00:00Z",
    });
    let claims = json!({
        "iss": "Vonage", "iat": now(), "jti": "1", "api_key": account.credentials["api_key"],
        "payload_hash": hex::encode(digest(&SHA256, body.to_string().as_bytes())),
    });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let secret = account.credentials["signature_secret"].as_str().expect("a secret");
    let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(hmac_256(secret, &signed)));
    json_body(vec![("authorization", format!("Bearer {token}"))], &body)
}

fn sinch(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let body = json!({
        "type": "mo_text", "id": "sinch-1", "from": &PATIENT[1..], "to": &to[1..], "body": text,
        "received_at": "2026-11-23T10:00:00Z",
    });
    let at = now().to_string();
    let secret = account.credentials["webhook_secret"].as_str().expect("a secret");
    let signature = BASE64_STANDARD.encode(hmac_256(secret, &format!("{body}.nonce-1.{at}")));
    let headers = vec![
        ("x-sinch-webhook-signature", signature),
        ("x-sinch-webhook-signature-nonce", "nonce-1".into()),
        ("x-sinch-webhook-signature-timestamp", at),
    ];
    json_body(headers, &body)
}

fn aws(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let message = json!({
        "originationNumber": PATIENT, "destinationNumber": to, "messageKeyword": "K", "messageBody": text,
        "inboundMessageId": "aws-1",
    });
    let message = message.to_string();
    let topic = account.credentials["topic_arns"][0].as_str().expect("a topic");
    let at = jiff_now();
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

fn jiff_now() -> String {
    jiff::Timestamp::from_second(now()).expect("a moment").strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn signed(account: &DemoAccount, to: &str, text: &str) -> Signed {
    let credentials = &account.credentials;
    match account.carrier.as_str() {
        "telnyx" => telnyx(account, to, text),
        "plivo" => plivo(account, to, text),
        "vonage" => vonage(account, to, text),
        "sinch" => sinch(account, to, text),
        "aws" => aws(account, to, text),
        "bandwidth" => {
            let event = json!([{
                "type": "message-received", "time": "2026-11-23T10:00:00Z", "to": to,
                "message": { "id": "bandwidth-1", "applicationId": credentials["application_id"], "from": PATIENT,
                    "to": [to], "text": text, "time": "2026-11-23T10:00:00Z" },
            }]);
            json_body(basic(&credentials["callback_user_id"], &credentials["callback_password"]), &event)
        }
        "infobip" => {
            let results = json!({ "results": [{
                "messageId": "infobip-1", "from": &PATIENT[1..], "to": &to[1..], "text": text, "cleanText": text,
                "keyword": "", "receivedAt": "2026-11-23T10:00:00.000+0000", "smsCount": 1,
            }] });
            json_body(basic(&credentials["webhook_username"], &credentials["webhook_password"]), &results)
        }
        other => panic!("how does {other} sign?"),
    }
}

async fn deliver(anteroom: &Anteroom, account: &DemoAccount, to: &str, text: &str) -> Reply {
    let client = anteroom.client();
    if account.carrier == "signalwire" {
        let credential = |name: &str| account.credentials[name].as_str().expect("a credential").to_owned();
        let twin = TwilioAccount {
            webhook_url: account.webhook_url.clone(),
            public_url: account.public_url.clone(),
            account_sid: credential("project_id"),
            auth_token: credential("signing_key"),
        };
        return twin.text(PATIENT, to, text).send(client).await.expect("an answer");
    }
    let Signed { headers, body } = signed(account, to, text);
    let mut request = client.post(&account.webhook_url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Reply::of(request).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_carriers_account_takes_a_text_and_sends_the_answer() {
    let anteroom = launch().demo(None).await;
    let (maya, admin) = (anteroom.api("agent"), anteroom.api("admin"));
    let mut seen = Vec::new();
    for account in &anteroom.demo().carrier_accounts {
        seen.push(account.carrier.as_str());
        if matches!(account.carrier.as_str(), "twilio" | "sandbox" | "smpp") {
            continue;
        }
        let number = &account.numbers[0];
        let text = format!("A refill by {}", account.carrier);
        let answer = deliver(&anteroom, account, number, &text).await;
        assert_eq!(answer.status.as_u16(), 200, "{}: {}", account.carrier, answer.text);
        let tested = admin.post(&format!("/api/v1/carrier-accounts/{}/test", account.id), &Value::Null).await;
        assert_eq!(tested.expect(200)["ok"], true, "{}", account.carrier);

        let conversation = eventually("the text is in Unassigned", PATIENCE, async || {
            let waiting = maya.items("/api/v1/conversations?queue=unassigned&limit=200").await;
            waiting.into_iter().find(|one| one["number"]["address"] == number.as_str())
        })
        .await;
        let id = conversation["id"].as_str().expect("an id").to_owned();
        let reply = json!({ "body": "Come at 3" });
        maya.post(&format!("/api/v1/conversations/{id}/messages"), &reply).await.expect(201);
        eventually("the answer is sent", PATIENCE, async || {
            let messages = maya.messages(&id).await;
            let ours = messages.into_iter().find(|message| message["body"] == "Come at 3");
            ours.filter(|message| message["state"] == "sent")
        })
        .await;
    }
    seen.sort_unstable();
    let all = [
        "aws",
        "bandwidth",
        "infobip",
        "plivo",
        "sandbox",
        "signalwire",
        "sinch",
        "smpp",
        "telnyx",
        "twilio",
        "vonage",
    ];
    assert_eq!(seen, all);
}
