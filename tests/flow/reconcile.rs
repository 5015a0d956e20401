//! What a lost webhook never told is found in the carrier's list, once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anteroom_model::states::MessageState;
use anteroom_store::Reconciliation;
use serde_json::{Value, json};
use wiremock::{Mock, Request, ResponseTemplate, matchers};

use crate::{
    media::twilio_account,
    support::{Clinic, eventually, files::Files, pictures::png, run},
};

const ANA: &str = "+15125550101";
const JOHN: &str = "+15125550102";
const TWILIO_NUMBER: &str = "+18885550199";
const LIST: &str = "/2010-04-01/Accounts/AC1/Messages.json";

/// A message as Twilio's list has it.
fn listed(sid: &str, from: &str, body: &str) -> Value {
    json!({
        "sid": sid, "account_sid": "AC1", "direction": "inbound", "from": from, "to": TWILIO_NUMBER, "body": body,
        "status": "received", "error_code": null, "num_media": "0", "num_segments": "1",
        "date_created": "Mon, 23 Nov 2026 15:59:00 +0000", "date_sent": "Mon, 23 Nov 2026 15:59:00 +0000",
    })
}

/// Only what Twilio would answer: with the account's own credentials, for a time that is named.
fn is_strict(request: &Request) -> bool {
    let asked: Vec<_> = request.url.query_pairs().collect();
    let has = |name: &str| asked.iter().any(|(asked, value)| asked == name && !value.is_empty());
    request.headers.get("authorization").is_some_and(|proof| proof == "Basic QUMxOm1haW4=")
        && ((has("DateSent>") && has("DateSent<") && has("PageSize")) || has("PageToken"))
}

/// The pages of the list; the next is asked for by the token that the one before named.
async fn pages(clinic: &Clinic, pages: Vec<Vec<Value>>) {
    let answer = move |request: &Request| {
        if !is_strict(request) {
            return ResponseTemplate::new(400);
        }
        let token = request.url.query_pairs().find(|(name, _)| name == "PageToken");
        let page = token.map_or(0, |(_, token)| token.parse::<usize>().unwrap());
        let next = (page + 1 < pages.len()).then(|| format!("{LIST}?PageSize=2&PageToken={}", page + 1));
        ResponseTemplate::new(200).set_body_json(json!({ "messages": pages[page], "next_page_uri": next }))
    };
    Mock::given(matchers::method("GET"))
        .and(matchers::path(LIST))
        .respond_with(answer)
        .mount(&clinic.app.files.api)
        .await;
}

/// Requests for the list so far.
async fn asked(clinic: &Clinic) -> usize {
    let requests = Files::asked(&clinic.app.files.api, LIST).await;
    requests.into_iter().filter(|request| request.method == axum::http::Method::GET).count()
}

async fn state(clinic: &Clinic) -> Option<Reconciliation> {
    let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
    org.reconciliations().await.unwrap().pop()
}

/// Waits for the end of a look that began after `before` had ended.
async fn looked(clinic: &Clinic, outcome: &str, before: usize) -> usize {
    let now = clinic.app.server.store.now();
    let over = || async {
        let ended = |state: Reconciliation| {
            state.last_outcome.as_deref() == Some(outcome) && state.last_at.is_some_and(|at| at >= now)
        };
        state(clinic).await.is_some_and(ended) && asked(clinic).await > before
    };
    eventually("a look is over", over).await;
    asked(clinic).await
}

#[tokio::test]
async fn three_lost_webhooks_are_taken_in_once_each() {
    run(async |clinic| {
        let account = twilio_account(&clinic).await;
        clinic.app.start_media();
        // Two came by webhook, one text of ours is out.
        clinic.deliver_twilio(account, "MM1", ANA, TWILIO_NUMBER, "the first").await;
        clinic.deliver_twilio(account, "MM2", JOHN, TWILIO_NUMBER, "hello").await;
        clinic.app.settled().await;
        let sent = ResponseTemplate::new(201).set_body_json(json!({ "sid": "MM9", "status": "queued" }));
        Mock::given(matchers::method("POST")).respond_with(sent).mount(&clinic.app.files.api).await;
        let conversation = clinic.conversation_id(ANA, TWILIO_NUMBER).await;
        clinic.act(&clinic.maya, conversation, "messages", json!({ "body": "We call you" })).await.ok();
        clinic.app.settled().await;
        let staffs = async || {
            let texts = clinic.messages_with(ANA, TWILIO_NUMBER).await;
            texts.into_iter().find(|text| text.body == "We call you").unwrap().state
        };
        assert_eq!(staffs().await, MessageState::Sent);

        // The list has them, three more, and what is none of ours; newest first, on three pages.
        let ours = json!({
            "sid": "MM9", "account_sid": "AC1", "direction": "outbound-api", "from": TWILIO_NUMBER, "to": ANA,
            "body": "We call you", "status": "delivered", "error_code": null, "num_media": "0",
        });
        let mut picture = listed("MM5", ANA, "and this");
        picture["num_media"] = json!("1");
        let mut not_whole = listed("MM7", ANA, "still coming in");
        not_whole["status"] = json!("receiving");
        let mut elsewhere = listed("MM8", ANA, "to a number that is not set up here");
        elsewhere["to"] = json!("+18885550000");
        pages(
            &clinic,
            vec![
                vec![picture.clone(), ours, not_whole],
                vec![listed("MM4", JOHN, "lost, too"), listed("MM2", JOHN, "hello"), elsewhere],
                vec![listed("MM3", ANA, "lost"), listed("MM1", ANA, "the first")],
            ],
        )
        .await;
        let message = "/2010-04-01/Accounts/AC1/Messages/MM5";
        let api = &clinic.app.files.api;
        Files::answer(api, &format!("{message}.json"), ResponseTemplate::new(200).set_body_json(picture))
            .await;
        let media = json!({ "media_list": [{ "sid": "ME5", "content_type": "image/png",
            "uri": format!("{message}/Media/ME5.json") }] });
        Files::answer(api, &format!("{message}/Media.json"), ResponseTemplate::new(200).set_body_json(media))
            .await;
        clinic.app.files.keep(&format!("{message}/Media/ME5"), "image/png", &png(8, 8)).await;

        clinic.app.start_reconcile();
        let mut looks = looked(&clinic, "ok", 0).await;
        assert_eq!(looks, 3, "each page once");
        clinic.app.settled().await;
        let bodies = async |phone: &str| -> Vec<String> {
            let texts = clinic.messages_with(phone, TWILIO_NUMBER).await;
            let inbound = texts.into_iter().filter(|text| text.direction.as_str() == "inbound");
            let mut bodies: Vec<_> = inbound.map(|text| text.body).collect();
            bodies.sort();
            bodies
        };
        assert_eq!(bodies(ANA).await, ["and this", "lost", "the first"]);
        assert_eq!(bodies(JOHN).await, ["hello", "lost, too"]);
        assert_eq!(staffs().await, MessageState::Delivered, "its receipt was lost");
        let found = state(&clinic).await.unwrap();
        assert_eq!((found.found_messages, found.found_receipts), (3, 1));
        let timeline = clinic.told(conversation, "message.received").await;
        let told: Vec<_> = timeline.iter().map(|entry| entry["summary"].as_str().unwrap()).collect();
        assert_eq!(
            told.iter().filter(|summary| summary.contains("found in its list")).count(),
            2,
            "{told:?}"
        );
        // The picture is fetched like any other.
        let ready = || async { clinic.app.files.kept().len() == 2 };
        eventually("the picture is here", ready).await;

        // The webhooks come after all, and the next look sees the same list.
        clinic.deliver_twilio(account, "MM3", ANA, TWILIO_NUMBER, "lost").await;
        for _ in 0..2 {
            clinic.app.advance(Duration::from_mins(16));
            looks = looked(&clinic, "ok", looks).await;
        }
        clinic.app.settled().await;
        assert_eq!(bodies(ANA).await, ["and this", "lost", "the first"]);
        assert_eq!(state(&clinic).await.unwrap().found_messages, 3);
    })
    .await;
}

#[tokio::test]
async fn a_look_that_was_cut_off_goes_on_where_it_was() {
    run(async |clinic| {
        let account = twilio_account(&clinic).await;
        clinic.deliver_twilio(account, "MM1", ANA, TWILIO_NUMBER, "the first").await;
        clinic.app.settled().await;
        // The second page can't be had for a while.
        let (first_page, broken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
        let (counts, fails) = (first_page.clone(), broken.clone());
        let answer = move |request: &Request| {
            if !is_strict(request) {
                return ResponseTemplate::new(400);
            }
            if request.url.query_pairs().any(|(name, _)| name == "PageToken") {
                if fails.load(Ordering::SeqCst) > 0 {
                    return ResponseTemplate::new(503);
                }
                let page =
                    json!({ "messages": [listed("MM3", ANA, "on the second")], "next_page_uri": null });
                return ResponseTemplate::new(200).set_body_json(page);
            }
            counts.fetch_add(1, Ordering::SeqCst);
            let next = format!("{LIST}?PageSize=200&PageToken=x");
            let page = json!({ "messages": [listed("MM2", ANA, "on the first")], "next_page_uri": next });
            ResponseTemplate::new(200).set_body_json(page)
        };
        Mock::given(matchers::method("GET"))
            .and(matchers::path(LIST))
            .respond_with(answer)
            .mount(&clinic.app.files.api)
            .await;
        clinic.app.start_reconcile();
        let before = looked(&clinic, "refused", 0).await;
        assert_eq!(state(&clinic).await.unwrap().failures, 1);
        // As after a restart: nothing but the row knows where it was.
        broken.store(0, Ordering::SeqCst);
        clinic.app.advance(Duration::from_hours(1));
        looked(&clinic, "ok", before).await;
        clinic.app.settled().await;
        assert_eq!(first_page.load(Ordering::SeqCst), 1, "the first page was read again");
        let bodies: Vec<_> =
            clinic.messages_with(ANA, TWILIO_NUMBER).await.into_iter().map(|text| text.body).collect();
        for body in ["on the first", "on the second"] {
            assert_eq!(bodies.iter().filter(|text| *text == body).count(), 1, "{bodies:?}");
        }
        assert_eq!(state(&clinic).await.unwrap().failures, 0);
    })
    .await;
}
