//! A secret is changed: what the old one signed is taken until the overlap ends, and what the new one signs
//! all the while.

use anteroom_carriers::{CarrierKind, Rejection};
use serde_json::{Value, json};

use crate::vectors::{CARRIERS, Signed, Vectors, credentials};

/// What webhooks are proven with; AWS's topics are not proven by a secret of ours.
fn field(carrier: CarrierKind) -> Option<&'static str> {
    match carrier {
        CarrierKind::Twilio | CarrierKind::Plivo => Some("auth_token"),
        CarrierKind::SignalWire => Some("signing_key"),
        CarrierKind::Telnyx => Some("public_key"),
        CarrierKind::Bandwidth => Some("callback_password"),
        CarrierKind::Vonage => Some("signature_secret"),
        CarrierKind::Sinch => Some("webhook_secret"),
        CarrierKind::Infobip => Some("webhook_password"),
        CarrierKind::Aws | CarrierKind::Smpp | CarrierKind::Sandbox => None,
    }
}

#[test]
fn the_old_secret_is_taken_until_the_overlap_ends() {
    for carrier in CARRIERS {
        let Some(field) = field(carrier) else { continue };
        let vectors = Vectors::read(carrier);
        for delivery in &vectors.deliveries {
            let json = delivery.credentials.as_ref().unwrap_or(&vectors.credentials);
            let old = json[field].clone();
            let new = vectors.other_credentials[field].clone();
            let receive = |secret: Value| {
                let mut json = json.clone();
                json[field] = secret;
                vectors.receive(&credentials(carrier, &json), delivery)
            };
            let overlap = |current: &Value, previous: &Value, until: i64| {
                let until = jiff::Timestamp::from_second(until).unwrap().to_string();
                receive(json!({ "current": current, "previous": [{ "secret": previous, "until": until }] }))
            };
            let Signed { name, received_at: now, .. } = delivery;
            assert!(overlap(&new, &old, now + 1).is_ok(), "{carrier}: {name}: within the overlap");
            assert_eq!(
                overlap(&new, &old, *now),
                Err(Rejection::SignatureInvalid),
                "{carrier}: {name}: after it"
            );
            assert!(overlap(&old, &new, now + 1).is_ok(), "{carrier}: {name}: the new one, as current");
            assert_eq!(receive(new), Err(Rejection::SignatureInvalid), "{carrier}: {name}");
        }
    }
}
