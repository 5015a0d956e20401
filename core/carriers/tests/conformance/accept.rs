//! What the packages signed is taken, and read for what it is.

use anteroom_carriers::{Inbound, InboundMessage, Receipt};
use serde_json::{Value, json};

use crate::vectors::{CARRIERS, Vectors};

fn shown(inbound: &Inbound) -> Value {
    let messages: Vec<_> = inbound.messages.iter().map(message).collect();
    let receipts: Vec<_> = inbound.receipts.iter().map(receipt).collect();
    json!({ "messages": messages, "receipts": receipts })
}

fn message(message: &InboundMessage) -> Value {
    let media: Vec<_> = message
        .media
        .iter()
        .map(|media| json!({ "url": media.url, "content_type": media.content_type }))
        .collect();
    let mut shown = json!({
        "id": message.carrier_message_id,
        "from": message.from.as_str(),
        "to": message.to.as_str(),
        "body": message.body,
        "media": media,
    });
    let mut also = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown[name] = value;
        }
    };
    also("segments", message.segments.map(Into::into));
    also("opt_out_type", message.opt_out_type.map(|kind| format!("{kind:?}").into()));
    let part = message.part.as_ref();
    also(
        "part",
        part.map(|part| json!({ "reference": part.reference, "number": part.number, "count": part.count })),
    );
    shown
}

fn receipt(receipt: &Receipt) -> Value {
    json!({
        "id": receipt.carrier_message_id,
        "state": format!("{:?}", receipt.state),
        "code": receipt.failure.as_ref().map(|failure| &failure.code),
    })
}

#[test]
fn what_the_packages_signed_is_taken_and_read() {
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        for delivery in &vectors.deliveries {
            let inbound = vectors.receive(&vectors.account(delivery), delivery);
            let inbound = inbound.unwrap_or_else(|error| panic!("{carrier}: {}: {error}", delivery.name));
            assert_eq!(shown(&inbound), delivery.expect, "{carrier}: {}", delivery.name);
        }
        println!(
            "{carrier}: {} deliveries of {} taken",
            vectors.deliveries.len(),
            vectors.packages.join(", ")
        );
    }
}

#[test]
fn failures_are_explained_in_words_without_numbers() {
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        let mut failures = 0;
        for delivery in &vectors.deliveries {
            let inbound = vectors.receive(&vectors.account(delivery), delivery).unwrap();
            for failure in inbound.receipts.iter().filter_map(|receipt| receipt.failure.as_ref()) {
                failures += 1;
                let text = format!("{failure:?}");
                assert!(!text.contains("867") && failure.text.ends_with('.'), "{carrier}: {text}");
            }
        }
        assert!(failures > 0, "{carrier} has a failed receipt among its vectors");
    }
}
