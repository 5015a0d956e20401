//! What the webhook refuses, how it says so, and that nothing of it is kept.

use anteroom_test_support::{Delivery, Sse, TwilioAccount, fresh_sid};
use http::Method;
use serde_json::Value;

use crate::{
    Clinic,
    clinic::{NOBODYS, STRANGER, TOLL_FREE},
};

/// Everything that would show it if something had been stored or sent.
#[derive(Debug, PartialEq)]
struct Footprint {
    queues: Value,
    opt_outs: usize,
    patients: usize,
    /// Of the newest event.
    position: Option<i64>,
    /// Texts stored and receipts applied since the start.
    stored: [u64; 2],
    attempts: usize,
}

impl Footprint {
    async fn of(clinic: &Clinic) -> Self {
        let (admin, anteroom) = (clinic.api("admin"), &clinic.anteroom);
        let token = &anteroom.demo().staff("admin").token;
        let mut stream = Sse::open(anteroom.client(), anteroom.base(), token, None).await;
        let count = async |series| {
            let value = anteroom.metric(series).await;
            format!("{value:.0}").parse::<u64>().expect("a count")
        };
        Self {
            queues: admin.get("/api/v1/queues").await.expect(200),
            opt_outs: admin.items("/api/v1/opt-outs").await.len(),
            patients: admin.items("/api/v1/patients").await.len(),
            position: stream.until(|event| event.kind == "ready").await[0].id,
            stored: [
                count("anteroom_inbound_messages_total{outcome=\"fresh\"}").await,
                count("anteroom_receipts_total{outcome=\"applied\"}").await,
            ],
            attempts: clinic.twilio.attempts().len(),
        }
    }
}

/// What is spoilt, the delivery, the status and the kind of problem it must be answered with.
type Case = (&'static str, Delivery, u16, &'static str);

fn text(account: &TwilioAccount) -> Delivery {
    account.text(STRANGER, TOLL_FREE, "Is anybody there?")
}

fn signatures(account: &TwilioAccount) -> Vec<Case> {
    let other_token = TwilioAccount { auth_token: "another".into(), ..account.clone() };
    let other_url = TwilioAccount { public_url: account.webhook_url.clone(), ..account.clone() };
    let stranger = TwilioAccount { account_sid: format!("AC{}", "0".repeat(32)), ..account.clone() };
    let strangers_token = TwilioAccount { auth_token: "another".into(), ..stranger.clone() };
    let unsigned = Delivery { signature: None, ..text(account) };
    let nonsense = Delivery { signature: Some("not base64!".into()), ..text(account) };
    let empty = Delivery { signature: Some(String::new()), ..text(account) };
    let changed = Delivery {
        signature: text(account).signature,
        ..account.text(STRANGER, TOLL_FREE, "Is anybody there??")
    };
    let mut added = text(account);
    added.body.extend_from_slice(b"&MediaUrl0=https%3A%2F%2Fevil.example%2F");
    let mut query = text(account);
    query.url.push_str("?x=1");
    let replayed = {
        // A good signature of a receipt is none of a text: the address is signed too.
        let receipt = account.receipt(&format!("{}/status", account.public_url), "SM1", "sent", None);
        Delivery { url: account.webhook_url.clone(), ..receipt }
    };
    let json = r#"{"MessageSid":"SM1","From":"+15125550177","To":"+18005550100","Body":"x"}"#;
    let uncovered = Delivery {
        url: account.webhook_url.clone(),
        signature: Some(account.signer().sign::<&str, &str>(&account.public_url, &[])),
        ..account.json(json)
    };
    let swapped = Delivery { body: json.replace('x', "y").into_bytes(), ..account.json(json) };
    let receipt_url = format!("{}/status", account.public_url);
    let forged_receipt = other_token.receipt(&receipt_url, "SM1", "delivered", None);
    let unsigned_receipt =
        Delivery { signature: None, ..account.receipt(&receipt_url, "SM1", "failed", Some(21610)) };
    vec![
        ("signed with another token", text(&other_token), 403, "signature-invalid"),
        ("signed for the private address", text(&other_url), 403, "signature-invalid"),
        ("not signed", unsigned, 403, "signature-missing"),
        ("a signature that is no base64", nonsense, 403, "signature-invalid"),
        ("an empty signature", empty, 403, "signature-missing"),
        ("a changed body", changed, 403, "signature-invalid"),
        ("an added parameter", added, 403, "signature-invalid"),
        ("an added query", query, 403, "signature-invalid"),
        ("the signature of another endpoint", replayed, 403, "signature-invalid"),
        ("JSON that nothing covers", uncovered, 403, "signature-invalid"),
        ("JSON that was changed", swapped, 403, "signature-invalid"),
        ("another account, signed with our token", text(&stranger), 403, "wrong-account"),
        ("another account with its own token", text(&strangers_token), 403, "signature-invalid"),
        ("a forged receipt", forged_receipt, 403, "signature-invalid"),
        ("a receipt that is not signed", unsigned_receipt, 403, "signature-missing"),
    ]
}

fn addresses(account: &TwilioAccount, sandbox_id: &str) -> Vec<Case> {
    let own_id = account.webhook_url.rsplit('/').next().expect("an id").to_owned();
    let elsewhere = |part: &str, instead: &str| Delivery {
        url: account.webhook_url.replace(part, instead),
        ..text(account)
    };
    let method = |method: Method| Delivery { method, ..text(account) };
    vec![
        ("an unknown account", elsewhere(&own_id, "01a20000-0000-7000-8000-000000000000"), 404, "not-found"),
        ("an account that is no id", elsewhere(&own_id, "1"), 404, "not-found"),
        ("an account of another carrier", elsewhere(&own_id, sandbox_id), 404, "not-found"),
        ("a carrier that there isn't", elsewhere("/twilio/", "/twillio/"), 404, "not-found"),
        ("a carrier not supported", elsewhere("/twilio/", "/telnyx/"), 404, "not-found"),
        ("a number of nobody", account.text(STRANGER, NOBODYS, "Is anybody there?"), 404, "number-unknown"),
        (
            "a number of another account",
            account.text(STRANGER, "+15005550100", "Is anybody there?"),
            404,
            "number-unknown",
        ),
        ("PUT", method(Method::PUT), 405, "method-not-allowed"),
        ("DELETE", method(Method::DELETE), 405, "method-not-allowed"),
    ]
}

fn contents(account: &TwilioAccount) -> Vec<Case> {
    let sid = fresh_sid();
    let form = |name: &str, value: Option<&str>| {
        let whole = [
            ("MessageSid", sid.as_str()),
            ("AccountSid", account.account_sid.as_str()),
            ("From", STRANGER),
            ("To", TOLL_FREE),
            ("Body", "Is anybody there?"),
        ];
        let mut params: Vec<_> = whole.into_iter().filter(|(key, _)| *key != name).collect();
        params.extend(value.map(|value| (name, value)));
        account.form(&params)
    };
    let raw = |encoded: &str, decoded: &[u8]| {
        let body = format!("MessageSid=SM1&From=%2B15125550177&To=%2B18005550100&Body={encoded}");
        let params: [(&str, &[u8]); 4] = [
            ("MessageSid", b"SM1"),
            ("From", STRANGER.as_bytes()),
            ("To", TOLL_FREE.as_bytes()),
            ("Body", decoded),
        ];
        account.raw(body, &params)
    };
    let long_sid = "S".repeat(2_000);
    let large = "long ".repeat(14_000);
    let status = |params: &[(&str, &str)]| {
        TwilioAccount {
            webhook_url: format!("{}/status", account.webhook_url),
            public_url: format!("{}/status", account.public_url),
            ..account.clone()
        }
        .form(params)
    };
    vec![
        ("more than 64 KiB", form("Body", Some(&large)), 413, "too-large"),
        ("a NUL in the text", form("Body", Some("a\0b")), 400, "nul"),
        ("a NUL in a parameter nobody reads", form("ToCity", Some("\0")), 400, "nul"),
        ("broken percent-encoding", raw("100%zz", b"100%zz"), 400, "bad-encoding"),
        ("half an escape at the end", raw("100%", b"100%"), 400, "bad-encoding"),
        ("text that is no UTF-8", raw("caf%E9", b"caf\xe9"), 400, "bad-encoding"),
        ("a lone surrogate", raw("%ED%A0%80", b"\xed\xa0\x80"), 400, "bad-encoding"),
        ("no MessageSid", form("MessageSid", None), 400, "missing-field"),
        ("no From", form("From", None), 400, "missing-field"),
        ("an empty From", form("From", Some("")), 400, "missing-field"),
        ("no To", form("To", None), 400, "missing-field"),
        ("no Body", form("Body", None), 400, "missing-field"),
        ("a From that is no number", form("From", Some("Riverside")), 400, "bad-address"),
        ("a From with letters", form("From", Some("+1512555x177")), 400, "bad-address"),
        ("a MessageSid with spaces", form("MessageSid", Some("SM 1")), 400, "bad-field"),
        ("an endless MessageSid", form("MessageSid", Some(&long_sid)), 400, "bad-field"),
        ("no form and no JSON", account.json("[1, 2"), 400, "bad-json"),
        ("JSON that is no object", account.json("[1, 2]"), 400, "bad-json"),
        ("a receipt without id", status(&[("MessageStatus", "sent")]), 400, "missing-field"),
        ("a receipt without status", status(&[("MessageSid", "SM1")]), 400, "missing-field"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_nothing_behind() {
    let clinic = Clinic::open().await;
    let account = clinic.account();
    let sandbox = clinic.anteroom.demo().account("sandbox").id.clone();
    // Something there already, so that an empty answer can't look like an unchanged one.
    clinic.begin(STRANGER, TOLL_FREE).await;
    let before = Footprint::of(&clinic).await;
    assert_eq!((before.stored[0], before.attempts), (1, 1), "{before:?}");

    refused(&clinic, [signatures(&account), addresses(&account, &sandbox)].concat()).await;
    clinic.idle().await;
    assert_eq!(Footprint::of(&clinic).await, before);

    // What is genuine is refused too, and leaves nothing but itself: kept for an administrator, once.
    let cases = contents(&account);
    let malformed = cases.iter().filter(|case| case.2 == 400).count();
    refused(&clinic, cases.clone()).await;
    refused(&clinic, cases).await;
    clinic.idle().await;
    let position = Footprint::of(&clinic).await.position;
    assert_eq!(Footprint::of(&clinic).await, Footprint { position, ..before });
    let kept = clinic.api("admin").items("/api/v1/deliveries?limit=200").await;
    assert_eq!(kept.len(), malformed);

    // The same account and the same form are taken once nothing is spoilt.
    clinic.deliver(&text(&account)).await;
    clinic.idle().await;
    let after = Footprint::of(&clinic).await;
    assert_eq!(after.stored[0], 2);
    assert!(after.position > position);
}

async fn refused(clinic: &Clinic, cases: Vec<Case>) {
    for (what, delivery, status, kind) in cases {
        let reply = delivery.send(clinic.anteroom.client()).await;
        let reply = reply.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.text);
        reply.problem(status, kind);
        if status == 405 {
            assert_eq!(reply.header("allow"), "GET, POST", "{what}");
        }
        assert!(
            !reply.text.contains("5125550177") && !reply.text.contains("anybody"),
            "{what}: {}",
            reply.text
        );
    }
}
