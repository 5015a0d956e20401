//! Ten thousand forged, stale, replayed, downgraded and cross-account deliveries for each carrier: none is
//! taken, while genuine ones between them are.

use std::time::Instant;

use anteroom_carriers::{CarrierKind, Credentials};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use crate::vectors::{AHEAD, CARRIERS, Signed, Vectors, credentials};

const FORGED: usize = 10_000;

/// The ways, with how often each was tried.
const WAYS: [&str; 7] =
    ["changed", "unsigned", "other secret", "other account", "stale", "early", "downgraded"];

/// A forgery, and the account it is sent to; `None` where this carrier's scheme has no such thing.
fn forge(
    rng: &mut StdRng,
    way: &str,
    vectors: &Vectors,
    accounts: &Accounts,
) -> Option<(Signed, Credentials)> {
    let genuine = &vectors.deliveries[rng.random_range(0..vectors.deliveries.len())];
    let own = vectors.account(genuine);
    Some(match way {
        "changed" => (change(rng, genuine)?, own),
        "unsigned" => {
            let mut forged = genuine.clone();
            forged.headers.retain(|name, _| name == "content-type" || genuine.loose_headers.contains(name));
            if vectors.carrier == CarrierKind::Aws {
                let mut envelope: serde_json::Value = serde_json::from_slice(&forged.body).unwrap();
                envelope["Signature"] = random_text(rng, 344).into();
                forged.body = envelope.to_string().into();
            }
            // The SMS API's signature is among the parameters.
            if genuine.headers.keys().all(|name| name == "content-type") {
                forged.path_and_query = forged.path_and_query.replace("sig=", "sog=");
                forged.body = String::from_utf8(forged.body)
                    .unwrap()
                    .replace("sig=", "sog=")
                    .replace("\"sig\"", "\"sog\"")
                    .into();
            }
            (forged, own)
        }
        "other secret" => {
            // The same account, whose secret is another: as if signed by somebody who guessed.
            if genuine.credentials.is_some() {
                return None;
            }
            (genuine.clone(), accounts.other.clone())
        }
        "other account" => {
            // Sent to the address of another account of ours, where it covers the address.
            if !genuine.covers("url") {
                return None;
            }
            let public_url = format!("{}{}", genuine.public_url, rng.random_range(0..1_000_000));
            (Signed { public_url, ..genuine.clone() }, own)
        }
        "stale" => {
            let after = i64::try_from(vectors.stale_after?).unwrap();
            (genuine.moved(after + 301 + rng.random_range(0..1_000_000)), own)
        }
        "early" => {
            let after =
                i64::try_from(vectors.stale_after?).unwrap() + i64::try_from(AHEAD.as_secs()).unwrap();
            (genuine.moved(-after - 1 - rng.random_range(0..1_000_000)), own)
        }
        "downgraded" => {
            // The account wants another scheme than the one that this was signed by, with the same secret.
            let wanted = if genuine.credentials.is_some() {
                &accounts.own
            } else {
                accounts.downgraded.get(rng.random_range(0..accounts.downgraded.len().max(1)))?
            };
            (genuine.clone(), wanted.clone())
        }
        other => panic!("{other}"),
    })
}

struct Accounts {
    own: Credentials,
    other: Credentials,
    downgraded: Vec<Credentials>,
}

fn random_text(rng: &mut StdRng, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

/// Changes one to eight bytes somewhere in what is signed, or cuts it, or puts something in.
fn change(rng: &mut StdRng, genuine: &Signed) -> Option<Signed> {
    let mut forged = genuine.clone();
    let headers: Vec<_> = genuine
        .headers
        .keys()
        .filter(|name| *name != "content-type" && !genuine.loose_headers.contains(name))
        .collect();
    let body = genuine.covers("body") || genuine.covers("envelope");
    if body && (headers.is_empty() || rng.random_bool(0.6)) {
        scramble(rng, &mut forged.body);
        // Neither spaces between an envelope's fields nor other fields are signed.
        if genuine.covers("envelope") {
            const SIGNED: [&str; 10] = [
                "Message",
                "MessageId",
                "Subject",
                "SubscribeURL",
                "Token",
                "Timestamp",
                "TopicArn",
                "Type",
                "Signature",
                "SignatureVersion",
            ];
            let read = |body: &[u8]| -> Option<Vec<serde_json::Value>> {
                let read: serde_json::Value = serde_json::from_slice(body).ok()?;
                let certificate = read["SigningCertURL"].clone();
                Some(SIGNED.iter().map(|name| read[name].clone()).chain([certificate]).collect())
            };
            if read(&forged.body) == read(&genuine.body) {
                return None;
            }
        }
    } else if let Some(name) = headers.get(rng.random_range(0..headers.len().max(1))) {
        let mut value = genuine.headers[*name].clone().into_bytes();
        scramble(rng, &mut value);
        forged.headers.insert((*name).clone(), String::from_utf8(value).ok()?);
    } else {
        let (path, query) = genuine.path_and_query.split_once('?')?;
        let mut query = query.to_owned().into_bytes();
        scramble(rng, &mut query);
        forged.path_and_query = format!("{path}?{}", String::from_utf8(query).ok()?);
    }
    (!genuine.is_the_same_form(&forged)).then_some(forged)
}

fn scramble(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    match rng.random_range(0..4) {
        0 if bytes.len() > 1 => bytes.truncate(rng.random_range(0..bytes.len())),
        1 => {
            let at = rng.random_range(0..=bytes.len());
            bytes.insert(at, b'a' + u8::try_from(rng.next_u32() % 26).unwrap());
        }
        _ => {
            for _ in 0..rng.random_range(1..=8) {
                let at = rng.random_range(0..bytes.len());
                // Stays within ASCII, and is another byte.
                bytes[at] = if bytes[at] == b'k' { b'q' } else { b'k' };
            }
        }
    }
}

#[test]
fn ten_thousand_forgeries_of_each_carrier_are_refused() {
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        let accounts = Accounts {
            own: credentials(carrier, &vectors.credentials),
            other: credentials(carrier, &vectors.other_credentials),
            downgraded: vectors
                .downgraded_credentials
                .iter()
                .map(|json| credentials(carrier, json))
                .collect(),
        };
        let mut rng = StdRng::seed_from_u64(0xA17E_4008);
        let mut tried = [0_usize; WAYS.len()];
        let (mut refused, mut genuine) = (0, 0);
        let started = Instant::now();
        let mut at = 0;
        while refused < FORGED {
            let way = at % WAYS.len();
            at += 1;
            assert!(at < FORGED * 20, "{carrier}: too few ways");
            let Some((forged, account)) = forge(&mut rng, WAYS[way], &vectors, &accounts) else { continue };
            let outcome = vectors.receive(&account, &forged);
            assert!(
                outcome.is_err(),
                "{carrier}: {} by {} was taken: {}",
                forged.name,
                WAYS[way],
                String::from_utf8_lossy(&forged.body)
            );
            tried[way] += 1;
            refused += 1;
            // A genuine one for every hundred: refusing everything would be no feat.
            if refused % 100 == 0 {
                let delivery = &vectors.deliveries[(refused / 100) % vectors.deliveries.len()];
                assert!(vectors.receive(&vectors.account(delivery), delivery).is_ok());
                genuine += 1;
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let ways: Vec<_> = WAYS.iter().zip(tried).map(|(way, count)| format!("{way} {count}")).collect();
        println!(
            "{carrier}: {refused} forgeries, 0 taken (100% refused); {genuine} genuine, {genuine} taken (100%); \
             {:.0} a second; {}",
            f64::from(u32::try_from(refused + genuine).unwrap()) / seconds,
            ways.join(", ")
        );
    }
}
