//! Unusual deliveries that are none the less good: taken, and taken exactly as they were sent.

use std::fmt::Write;

use anteroom_test_support::{Delivery, fresh_sid};
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::{NO_TEXTING, STRANGER, TEN_DLC, TOLL_FREE, id},
};

/// Bodies of all texts that the patient sent, oldest first.
async fn bodies(clinic: &Clinic, number: &str, last: &str) -> Vec<String> {
    let conversation = clinic.conversation_with(STRANGER, number, last).await;
    let messages = clinic.api("lead").messages(id(&conversation)).await;
    let inbound = messages.iter().filter(|m| m["direction"] == "inbound");
    inbound.map(|m| m["body"].as_str().expect("a body").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_that_twilio_may_use() {
    let clinic = Clinic::open().await;
    let account = clinic.account();
    let (sid, extra) = (fresh_sid(), fresh_sid());
    let whole = |body: &'static str, sid: &'static str| {
        vec![
            ("MessageSid", sid),
            ("AccountSid", account.account_sid.as_str()),
            ("From", STRANGER),
            ("To", TOLL_FREE),
            ("Body", body),
        ]
    };
    let repeated = [("Z", "b"), ("Z", "a"), ("A", "2"), ("Z", "b"), ("Body", "not this"), ("Empty", "")];
    let repeated = [whole("the first of two", "SM-repeated"), repeated.to_vec()].concat();
    let json = json!({
        "MessageSid": sid, "AccountSid": account.account_sid, "From": STRANGER, "To": TOLL_FREE,
        "Body": "as JSON", "NumMedia": 0, "Nested": { "a": [1] },
    });
    let media = [
        ("NumMedia", "1"),
        ("MediaUrl0", "https://api.twilio.invalid/2010-04-01/Media/ME1"),
        ("MediaContentType0", "image/png"),
    ];
    let with_media = [whole("", "SM-media"), media.to_vec()].concat();
    let with_port = anteroom_test_support::TwilioAccount {
        public_url: account.public_url.replace("clinic.example", "clinic.example:443"),
        ..account.clone()
    };
    let capital = Delivery {
        content_type: Some("Application/X-WWW-Form-UrlEncoded".into()),
        ..account.text(STRANGER, TOLL_FREE, "capital letters in the content type")
    };
    let untyped =
        Delivery { content_type: None, ..account.text(STRANGER, TOLL_FREE, "without a content type") };
    let mut long = String::new();
    for number in 0..320 {
        write!(long, "{number:04} ").expect("a string");
    }
    let cases: Vec<(Delivery, &str)> = vec![
        (account.text(STRANGER, TOLL_FREE, "  leading and trailing \n\t "), "  leading and trailing \n\t "),
        (account.text(STRANGER, TOLL_FREE, "a+b&c=d%20e%"), "a+b&c=d%20e%"),
        (account.text(STRANGER, TOLL_FREE, "ñandú 👩🏽‍⚕️ اختبار \u{feff}"), "ñandú 👩🏽‍⚕️ اختبار \u{feff}"),
        (account.text(STRANGER, TOLL_FREE, &long), &long),
        (account.form(&repeated), "the first of two"),
        (account.get(&whole("by GET", "SM-get")), "by GET"),
        (account.json(&json.to_string()), "as JSON"),
        (account.form(&with_media), ""),
        (with_port.text(STRANGER, TOLL_FREE, "signed with the port"), "signed with the port"),
        (capital, "capital letters in the content type"),
        (untyped, "without a content type"),
        (account.text_as(&extra, STRANGER, TOLL_FREE, "the last"), "the last"),
    ];
    for (delivery, _) in &cases {
        clinic.deliver(delivery).await;
    }
    let expected: Vec<_> = cases.iter().map(|(_, body)| *body).collect();
    assert_eq!(bodies(&clinic, TOLL_FREE, "the last").await, expected);

    let conversation = clinic.conversation_with(STRANGER, TOLL_FREE, "the last").await;
    let messages = clinic.api("lead").messages(id(&conversation)).await;
    let pictures: Vec<_> = messages.iter().filter(|m| m["media"] != json!([])).collect();
    let [picture] = &pictures[..] else { panic!("{pictures:#?}") };
    assert_eq!(picture["media"][0]["content_type"], "image/png");
}

/// Patients may not start a conversation on this number: their texts are kept, nobody is bothered, and STOP
/// is honoured all the same.
#[tokio::test(flavor = "multi_thread")]
async fn texting_off_holds_texts_and_honours_stop() {
    let clinic = Clinic::open().await;
    let (admin, held) = (clinic.api("admin"), "anteroom_inbound_messages_total{outcome=\"fresh\"}");
    let empty =
        json!({ "unassigned": 0, "mine": 0, "team": 0, "all": 0, "snoozed": 0, "closed": 0, "views": {} });
    let nobody_bothered = async || {
        clinic.idle().await;
        assert_eq!(admin.get("/api/v1/queues").await.expect(200), empty);
    };

    clinic.text(STRANGER, NO_TEXTING, "Can I move my appointment?").await;
    nobody_bothered().await;
    assert!((clinic.anteroom.metric(held).await - 1.0).abs() < 0.5, "it is kept");
    assert_eq!(clinic.twilio.attempts().len(), 0);

    for (count, stop) in ["STOP", " stop. ", "Unsubscribe!"].into_iter().enumerate() {
        clinic.text(STRANGER, NO_TEXTING, stop).await;
        nobody_bothered().await;
        let attempts = clinic.twilio.attempts();
        let [confirmation] = &attempts[..] else { panic!("after {} STOPs: {attempts:#?}", count + 1) };
        assert_eq!((confirmation.param("To"), confirmation.param("From")), (STRANGER, NO_TEXTING));
        assert!(confirmation.param("Body").contains("no more texts"), "{confirmation:?}");
    }
    let opt_outs = admin.items("/api/v1/opt-outs").await;
    let [opt_out] = &opt_outs[..] else { panic!("{opt_outs:#?}") };
    assert_eq!((&opt_out["peer"], &opt_out["source"]), (&json!(STRANGER), &json!("keyword")));
    assert_eq!(opt_out["cleared_at"], Value::Null);

    // It counts for all of the clinic's numbers: a text elsewhere is heard, and not answered by a policy.
    clinic.text(STRANGER, TEN_DLC, "Hello again").await;
    let conversation = clinic.conversation_with(STRANGER, TEN_DLC, "Hello again").await;
    assert_eq!(conversation["opted_out"], true);
    clinic.idle().await;
    assert_eq!(clinic.twilio.attempts().len(), 1);

    clinic.text(STRANGER, NO_TEXTING, "START").await;
    clinic.idle().await;
    let attempts = clinic.twilio.attempts();
    assert_eq!(attempts.len(), 2);
    assert!(attempts[1].param("Body").contains("again"), "{attempts:#?}");
    assert!(admin.items("/api/v1/opt-outs").await[0]["cleared_at"].is_string());

    clinic.text("+15125550178", NO_TEXTING, "help").await;
    clinic.idle().await;
    let attempts = clinic.twilio.attempts();
    assert_eq!(attempts.len(), 3);
    assert!(attempts[2].param("Body").contains("Reply STOP"), "{attempts:#?}");
}
