//! Ten thousand forged, stale, replayed and cross-account deliveries for each carrier, over the wire: none is
//! taken, and no table has a row more, while genuine ones are taken. How many ways there are to forge each
//! carrier's signature, byte by byte and scheme by scheme, is `core/carriers/tests/conformance`'s.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anteroom_test_support::{Anteroom, DemoAccount};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, stream};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sqlx::{Row, SqlitePool, sqlite::SqliteConnectOptions};

use crate::{
    Clinic,
    signing::{Signed, Text, now, signed},
};

const FORGED: usize = 10_000;
const GENUINE: usize = 500;
/// The texts that were stored.
const FRESH: &str = "anteroom_inbound_messages_total{outcome=\"fresh\"}";
/// Requests under way at once.
const AT_ONCE: usize = 32;
/// More than any carrier tries again, in seconds.
const MONTH: i64 = 30 * 24 * 3_600;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// Another text than the signed one; for a carrier that only sends a password, another password.
    Changed,
    Unsigned,
    /// Signed by another account of the carrier, sent to this one's address.
    OtherSecret,
    /// Signed by this account, sent to the other one's address.
    OtherAddress,
    /// The other account's own, wholly genuine, for a number of this account.
    OtherNumber,
    Stale,
    Early,
    /// A genuine one that was taken before, once more: answered like the first, kept once.
    Replayed,
}

const WAYS: [Way; 8] = [
    Way::Changed,
    Way::Unsigned,
    Way::OtherSecret,
    Way::OtherAddress,
    Way::OtherNumber,
    Way::Stale,
    Way::Early,
    Way::Replayed,
];

/// Whether a password is all that proves who calls.
fn only_password(carrier: &str) -> bool {
    matches!(carrier, "bandwidth" | "infobip")
}

/// Whether the signature says when.
fn has_moment(carrier: &str) -> bool {
    matches!(carrier, "telnyx" | "vonage" | "sinch" | "aws")
}

/// Made of the events and messages a moment after them, and so later than the text that is taken first.
const FOLLOWING: [&str; 5] =
    ["conversation_spans", "report_counts", "report_progress", "search_blocks", "search_segments"];

/// Every table's rows.
async fn rows(database: &SqlitePool) -> BTreeMap<String, i64> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .fetch_all(database)
    .await
    .expect("tables");
    let mut rows = BTreeMap::new();
    assert!(FOLLOWING.iter().all(|name| tables.iter().any(|table| table == name)), "{tables:?}");
    for table in tables.into_iter().filter(|table| !FOLLOWING.contains(&table.as_str())) {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\""));
        let count = sqlx::query(query).fetch_one(database).await.expect("a count").get(0);
        rows.insert(table, count);
    }
    rows
}

async fn open(folder: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(folder.join("anteroom.db")).read_only(true);
    SqlitePool::connect_with(options).await.expect("the database")
}

/// Another account of the same carrier in the same clinic, with secrets of its own.
async fn another(clinic: &Clinic, account: &DemoAccount) -> DemoAccount {
    let mut other = account.clone();
    let (field, secret) = match account.carrier.as_str() {
        "twilio" | "plivo" => ("auth_token", json!("another secret")),
        "signalwire" => ("signing_key", json!("another secret")),
        "bandwidth" => ("callback_password", json!("another secret")),
        "vonage" => ("signature_secret", json!("another secret, long enough for HMAC")),
        "sinch" => ("webhook_secret", json!("another secret")),
        "infobip" => ("webhook_password", json!("another secret")),
        // All topics are signed with AWS's keys: the topic is what tells accounts apart.
        "aws" => ("topic_arns", json!(["arn:aws:sns:us-east-1:123456789012:another"])),
        "telnyx" => {
            let seed = [7; 32];
            let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
            other.signing = json!({ "private_key": BASE64_STANDARD.encode(seed) });
            ("public_key", json!(BASE64_STANDARD.encode(key.public_key())))
        }
        other => panic!("what is {other}'s secret?"),
    };
    other.credentials[field] = secret;
    let mut credentials = other.credentials.as_object().expect("an object").clone();
    // Where the carrier is, only the operator may say.
    credentials.retain(|name, _| !name.ends_with("api_base_url") && name != "rest_base_url");
    for (name, place) in
        [("space_url", "https://x.signalwire.com"), ("base_url", "https://x.api.infobip.com")]
    {
        if let Some(value) = credentials.get_mut(name) {
            *value = json!(place);
        }
    }
    let form = json!({
        "carrier": account.carrier, "label": "Another", "credentials": credentials,
        "public_url": format!("https://another.example/webhooks/{}/{{id}}", account.carrier),
    });
    let made = clinic.api("admin").post("/api/v1/carrier-accounts", &form).await.expect(201);
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    other.id = text("id");
    other.webhook_url = account.webhook_url.replace(&account.id, &other.id);
    other.public_url = text("public_url");
    other
}

/// A request and where it goes; `None` where this carrier has no such thing.
fn forge(way: Way, account: &DemoAccount, other: &DemoAccount, text: &Text) -> Option<(Signed, String)> {
    let here = || account.webhook_url.clone();
    let carrier = account.carrier.as_str();
    let at = |moment: i64| signed(account, &Text { at: moment, ..text.clone() });
    Some(match way {
        Way::Changed => {
            let mut forged = signed(account, text);
            if only_password(carrier) {
                let (_, password) = forged.headers.last_mut().expect("a password");
                let changed = if password.ends_with('A') { 'B' } else { 'A' };
                password.replace_range(20..21, &changed.to_string());
                if *password == signed(account, text).headers.last().expect("a password").1 {
                    return None;
                }
            } else {
                forged.body = forged.body.replace("refill", "cancel");
                assert_ne!(forged.body, signed(account, text).body, "{carrier}");
            }
            (forged, here())
        }
        Way::Unsigned => {
            let mut forged = signed(account, text);
            forged.headers.retain(|(name, _)| *name == "content-type");
            if carrier == "aws" {
                let mut envelope: Value = serde_json::from_str(&forged.body).expect("an envelope");
                envelope.as_object_mut().expect("an envelope").remove("Signature");
                forged.body = envelope.to_string();
            }
            (forged, here())
        }
        Way::OtherSecret => (signed(other, text), here()),
        Way::OtherAddress => (signed(account, text), other.webhook_url.clone()),
        // Such a call of these may carry texts for several numbers, and those that nobody has here are kept.
        Way::OtherNumber if only_password(carrier) => return None,
        Way::OtherNumber => (signed(other, text), other.webhook_url.clone()),
        Way::Stale if has_moment(carrier) => (at(text.at - MONTH), here()),
        Way::Early if has_moment(carrier) => (at(text.at + MONTH), here()),
        Way::Stale | Way::Early => return None,
        Way::Replayed => (signed(account, text), here()),
    })
}

/// Sends them all; the statuses, and how many were answered in a second.
async fn send(anteroom: &Anteroom, requests: Vec<(Signed, String)>) -> (Vec<u16>, f64) {
    let count = requests.len();
    let started = Instant::now();
    let statuses = stream::iter(requests)
        .map(async |(signed, address)| {
            let reply = signed.send(anteroom.client(), &address).await.expect("an answer");
            reply.status.as_u16()
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    (statuses, f64::from(u32::try_from(count).expect("few")) / started.elapsed().as_secs_f64())
}

fn text(account: &DemoAccount, number: usize) -> Text {
    Text {
        id: format!("{}-{number}", account.carrier),
        from: format!("+1512556{:04}", number % 10_000),
        to: account.numbers[0].clone(),
        body: format!("I need a refill, {number}"),
        at: now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_deliveries_of_each_carrier_leave_no_row() {
    let clinic = Clinic::open().await;
    let database = open(&clinic.anteroom.dir()).await;
    let accounts = clinic.anteroom.demo().carrier_accounts.clone();
    let accounts = accounts.iter().filter(|one| !matches!(one.carrier.as_str(), "sandbox" | "smpp"));
    let mut carriers = 0;
    for account in accounts {
        let carrier = account.carrier.as_str();
        carriers += 1;
        let other = another(&clinic, account).await;
        // One that is taken, to be replayed.
        let taken = text(account, 0);
        let (statuses, _) =
            send(&clinic.anteroom, vec![(signed(account, &taken), account.webhook_url.clone())]).await;
        assert_eq!(statuses, [200], "{carrier}");
        clinic.idle().await;

        let before = rows(&database).await;
        let (mut requests, mut ways) = (Vec::new(), Vec::new());
        for number in 1.. {
            let way = WAYS[number % WAYS.len()];
            let replayed = way == Way::Replayed;
            let text = if replayed { taken.clone() } else { text(account, number) };
            if let Some(request) = forge(way, account, &other, &text) {
                requests.push(request);
                ways.push(way);
            }
            if requests.len() == FORGED {
                break;
            }
        }
        let (statuses, refused_a_second) = send(&clinic.anteroom, requests).await;
        let mut answers: BTreeMap<(Way, u16), usize> = BTreeMap::new();
        for (way, status) in ways.into_iter().zip(statuses) {
            let expected = match way {
                Way::Replayed => 200,
                // That account has no such number.
                Way::OtherNumber => 404,
                _ => 403,
            };
            assert_eq!(status, expected, "{carrier}: {way:?}");
            *answers.entry((way, status)).or_default() += 1;
        }
        clinic.idle().await;
        assert_eq!(rows(&database).await, before, "{carrier}");

        let fresh_before = clinic.anteroom.metric(FRESH).await;
        // Those that differ from them in nothing but being genuine are taken.
        let genuine = (FORGED..FORGED + GENUINE).map(|number| signed(account, &text(account, number)));
        let genuine = genuine.map(|signed| (signed, account.webhook_url.clone())).collect();
        let (statuses, taken_a_second) = send(&clinic.anteroom, genuine).await;
        assert!(statuses.iter().all(|status| *status == 200), "{carrier}: {statuses:?}");
        clinic.anteroom.idle(Duration::from_mins(2)).await;
        let fresh = clinic.anteroom.metric(FRESH).await - fresh_before;
        assert_eq!(format!("{fresh:.0}"), GENUINE.to_string(), "{carrier}");
        println!(
            "{carrier}: {FORGED} forged, 0 taken, {refused_a_second:.0} answered a second; {GENUINE} genuine, {GENUINE} \
             taken, {taken_a_second:.0} a second; {answers:?}"
        );
    }
    assert_eq!(carriers, 9);
}
