//! One byte changed anywhere in what is signed, and it is refused.

use anteroom_carriers::Rejection;
use serde_json::Value;

use crate::vectors::{CARRIERS, Signed, Vectors};

/// A change, and what it was.
type Changed = (String, Signed);

/// The delivery with each byte changed of each part that its signature covers, and its method.
fn changed(delivery: &Signed) -> Vec<Changed> {
    let mut changed = Vec::new();
    let mut add = |what: String, signed: Signed| changed.push((what, signed));
    for method in ["GET", "POST", "PUT", "DELETE"].into_iter().filter(|method| *method != delivery.method) {
        add(format!("method {method}"), Signed { method: method.into(), ..delivery.clone() });
    }
    if delivery.covers("body") {
        for at in 0..delivery.body.len() {
            for mask in [0x01, 0x80] {
                let mut body = delivery.body.clone();
                body[at] ^= mask;
                add(format!("body byte {at}"), Signed { body, ..delivery.clone() });
            }
        }
        let mut longer = delivery.body.clone();
        longer.push(b'x');
        add("a byte more".into(), Signed { body: longer, ..delivery.clone() });
        let shorter = delivery.body[..delivery.body.len().saturating_sub(1)].to_vec();
        add("a byte less".into(), Signed { body: shorter, ..delivery.clone() });
    }
    for (name, value) in delivery.headers.iter().filter(|(name, _)| !delivery.loose_headers.contains(name)) {
        // A content type is no signature: it says how to read what is signed.
        if name == "content-type" {
            continue;
        }
        for at in 0..value.len() {
            let mut bytes = value.clone().into_bytes();
            bytes[at] ^= 0x01;
            // The scheme's name and case are HTTP's business.
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let mut signed = delivery.clone();
            signed.headers.insert(name.clone(), text);
            add(format!("header {name} byte {at}"), signed);
        }
        let mut without = delivery.clone();
        without.headers.remove(name);
        add(format!("without {name}"), without);
    }
    if delivery.covers("url") {
        for at in 0..delivery.public_url.len() {
            let mut bytes = delivery.public_url.clone().into_bytes();
            bytes[at] ^= 0x01;
            let public_url = String::from_utf8(bytes).unwrap();
            add(format!("address byte {at}"), Signed { public_url, ..delivery.clone() });
        }
    }
    if delivery.covers("query")
        && let Some((path, query)) = delivery.path_and_query.split_once('?')
    {
        for at in 0..query.len() {
            let mut bytes = query.to_owned().into_bytes();
            bytes[at] ^= 0x01;
            let path_and_query = format!("{path}?{}", String::from_utf8(bytes).unwrap());
            add(format!("query byte {at}"), Signed { path_and_query, ..delivery.clone() });
        }
    }
    if delivery.covers("envelope") {
        changed.extend(envelope(delivery));
    }
    changed
}

/// Each byte of each signed field of SNS's envelope, and of what else it is checked by.
fn envelope(delivery: &Signed) -> Vec<Changed> {
    let envelope: Value = serde_json::from_slice(&delivery.body).unwrap();
    let mut changed = Vec::new();
    for (name, value) in envelope.as_object().unwrap() {
        // Told, not signed: whoever follows it leaves the topic, and we don't.
        if name == "UnsubscribeURL" {
            continue;
        }
        let value = value.as_str().unwrap();
        for (at, old) in value.char_indices() {
            let new = char::from_u32(u32::from(old) ^ 0x01).unwrap();
            let text = format!("{}{new}{}", &value[..at], &value[at + old.len_utf8()..]);
            let mut other = envelope.clone();
            other[name] = text.into();
            let body = other.to_string().into_bytes();
            changed.push((format!("{name} character {at}"), Signed { body, ..delivery.clone() }));
        }
        let mut other = envelope.clone();
        other.as_object_mut().unwrap().remove(name);
        changed
            .push((format!("without {name}"), Signed { body: other.to_string().into(), ..delivery.clone() }));
    }
    changed
}

#[test]
fn one_byte_changed_is_refused() {
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        let (mut refused, mut same) = (0, 0);
        for delivery in &vectors.deliveries {
            let account = vectors.account(delivery);
            for (what, signed) in changed(delivery) {
                let Err(rejection) = vectors.receive(&account, &signed) else {
                    same += 1;
                    let form = delivery.is_the_same_form(&signed);
                    assert!(form, "{carrier}: {}: {what} was taken", delivery.name);
                    continue;
                };
                refused += 1;
                // (Twilio's scheme doesn't cover the method: by another one there is nothing to read.)
                assert!(
                    !matches!(rejection, Rejection::Malformed(_)) || what.starts_with("method"),
                    "{carrier}: {}: {what}: a forger learns {rejection:?}",
                    delivery.name
                );
            }
        }
        println!(
            "{carrier}: {refused} changed deliveries refused, {same} that write the same form otherwise taken"
        );
        assert!(refused > 100, "{carrier}");
    }
}
