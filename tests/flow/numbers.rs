//! A number's registration: read from its carrier, set by hand, closed by a refusal; and that nothing is asked to
//! be sent while it is not approved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU16, Ordering},
    },
    time::Duration,
};

use anteroom_carriers::{Secret, twilio};
use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, NumberId},
    states::{MessageState, NumberKind, Registration},
};
use anteroom_store::{NewCarrierAccount, NewNumber};
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::support::{Clinic, FRONT_DESK, eventually, run};

const TOLL_FREE: &str = "+18005550100";
const PATIENT: &str = "+15125550101";
const MESSAGES: &str = "/2010-04-01/Accounts/AC1/Messages.json";
const VERIFICATIONS: &str = "/v1/Tollfree/Verifications";
const HOUR: Duration = Duration::from_hours(1);

/// Twilio, as far as this goes: what it says of the number, and what it makes of a text.
struct Carrier {
    server: MockServer,
    account: CarrierAccountId,
    number: NumberId,
    /// 0: the text is taken; else the code of the refusal.
    refusal: Arc<AtomicU16>,
}

impl Carrier {
    async fn new(clinic: &Clinic, registration: Registration) -> Self {
        let server = MockServer::start().await;
        let credentials =
            json!({ "account_sid": "AC1", "auth_token": "token", "api_base_url": server.uri() }).to_string();
        let (account, number) = clinic
            .change(move |mut org| {
                async move {
                    let account = org
                        .insert_account(&NewCarrierAccount {
                            carrier: "twilio".into(),
                            label: "Twilio".into(),
                            public_url: "https://clinic.example/webhooks/twilio/{id}".into(),
                            credentials,
                            answers_opt_outs: false,
                        })
                        .await?;
                    let number = org
                        .insert_number(&NewNumber {
                            carrier_account_id: account,
                            facility_id: None,
                            address: TOLL_FREE.into(),
                            kind: NumberKind::TollFree,
                            label: "Toll-free".into(),
                            texting_enabled: true,
                            verification: None,
                            registration,
                            registration_note: "Set by hand.".into(),
                        })
                        .await?;
                    Ok((account, number))
                }
                .boxed()
            })
            .await;
        let refusal = Arc::new(AtomicU16::new(0));
        let code = refusal.clone();
        Mock::given(method("POST"))
            .and(path(MESSAGES))
            .respond_with(move |_: &Request| match code.load(Ordering::SeqCst) {
                0 => ResponseTemplate::new(201)
                    .set_body_json(json!({ "sid": fresh_sid(), "status": "queued" })),
                code => ResponseTemplate::new(400).set_body_json(json!({ "code": code, "message": "no" })),
            })
            .mount(&server)
            .await;
        Self { server, account, number, refusal }
    }

    /// What it says of the number from now on.
    async fn says(&self, status: &str) {
        let item = json!({
            "sid": "HH1", "status": status, "tollfree_phone_number": TOLL_FREE,
            "rejection_reason": if status == "TWILIO_REJECTED" { json!("The website is down.") } else { Value::Null },
        });
        let page =
            json!({ "verifications": [item], "meta": { "key": "verifications", "next_page_url": null } });
        self.answers(ResponseTemplate::new(200).set_body_json(page)).await;
    }

    async fn answers(&self, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .and(path(VERIFICATIONS))
            .respond_with(answer)
            .with_priority(PRIORITY.fetch_sub(1, Ordering::SeqCst).max(1))
            .mount(&self.server)
            .await;
    }

    /// Requests to send and to tell, so far.
    async fn asked(&self) -> (usize, usize) {
        let requests = self.server.received_requests().await.unwrap();
        let of = |at: &str| requests.iter().filter(|request| request.url.path() == at).count();
        (of(MESSAGES), of(VERIFICATIONS))
    }

    /// A patient texts the number; returns with the conversation.
    async fn text(&self, clinic: &Clinic, body: &str) -> ConversationId {
        let url = format!("https://clinic.example/webhooks/twilio/{}", self.account);
        let sid = fresh_sid();
        let params = [
            ("MessageSid", sid.as_str()),
            ("AccountSid", "AC1"),
            ("From", PATIENT),
            ("To", TOLL_FREE),
            ("Body", body),
        ];
        let signature = twilio::sign(&Secret::new("token".into()), &url, &params);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            (twilio::SIGNATURE_HEADER, signature.as_str()),
        ];
        let at = format!("/webhooks/twilio/{}", self.account);
        let answer = clinic.app.request(Method::POST, &at, &headers, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        clinic.app.settled().await;
        clinic.conversation_id(PATIENT, TOLL_FREE).await
    }

    async fn shown(&self, clinic: &Clinic) -> Value {
        clinic.get(&format!("numbers/{}", self.number)).await
    }

    async fn refresh(&self, clinic: &Clinic) -> crate::support::Answer {
        clinic.post(&clinic.alex, &format!("numbers/{}/registration/refresh", self.number), Value::Null).await
    }
}

/// Newer mocks come first.
static PRIORITY: AtomicU8 = AtomicU8::new(250);

fn fresh_sid() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    format!("SM{:032}", NEXT.fetch_add(1, Ordering::SeqCst))
}

async fn notices(clinic: &Clinic, kind: &str) -> Vec<Value> {
    let answer = clinic.get_as(&clinic.alex, "notices").await.ok();
    let items = answer["items"].as_array().unwrap().clone();
    items.into_iter().filter(|notice| notice["kind"] == kind).collect()
}

async fn reply(clinic: &Clinic, id: ConversationId, body: &str) -> crate::support::Answer {
    clinic.act(&clinic.maya, id, "messages", json!({ "body": body })).await
}

#[tokio::test]
async fn pending_blocks_before_any_request_and_approved_sends() {
    run(async |clinic| {
        let carrier = Carrier::new(&clinic, Registration::Unknown).await;
        carrier.says("PENDING_REVIEW").await;
        let number = carrier.refresh(&clinic).await.ok();
        assert_eq!(
            (&number["registration"], &number["registration_details"]["parts"][0]["state"]),
            (&json!("pending"), &json!("PENDING_REVIEW"))
        );
        assert_eq!(number["registration_details"]["source"], "carrier");
        let id = carrier.text(&clinic, "I need a refill").await;
        let refused = reply(&clinic, id, "Come at 3").await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "not-registered"));
        let told = refused.body["detail"].as_str().unwrap().to_owned();
        assert!(told.contains("being reviewed") && told.contains("wait"), "{told}");
        assert_eq!(number["blocked"].as_str(), Some(told.as_str()));
        // Automatic replies were queued all the same, and stopped at the gate.
        let states = clinic.sent_states(PATIENT, TOLL_FREE).await;
        assert!(
            !states.is_empty() && states.iter().all(|state| *state == MessageState::Blocked),
            "{states:?}"
        );
        assert_eq!(carrier.asked().await.0, 0, "the carrier was asked to send");

        // On the schedule the carrier is asked again, and says something else.
        carrier.says("TWILIO_APPROVED").await;
        clinic.app.start_registrations();
        let asked = carrier.asked().await.1;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(carrier.asked().await.1, asked, "not due yet");
        clinic.app.advance(6 * HOUR + Duration::from_secs(1));
        let approved = || async { carrier.shown(&clinic).await["registration"] == "approved" };
        eventually("the schedule has asked", approved).await;
        let number = carrier.shown(&clinic).await;
        assert_eq!(
            (&number["blocked"], &number["registration_details"]["missing"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(carrier.asked().await.1, asked + 1);
        assert_eq!(notices(&clinic, "registration.changed").await.len(), 2, "pending, then approved");
        reply(&clinic, id, "Come at 3").await.ok();
        clinic.app.settled().await;
        assert_eq!(carrier.asked().await.0, 1);
        assert_eq!(clinic.sent_states(PATIENT, TOLL_FREE).await.last(), Some(&MessageState::Sent));
    })
    .await;
}

#[tokio::test]
async fn a_refused_text_closes_the_number_and_a_refresh_opens_it() {
    run(async |clinic| {
        let carrier = Carrier::new(&clinic, Registration::Approved).await;
        carrier.says("TWILIO_APPROVED").await;
        carrier.refresh(&clinic).await.ok();
        carrier.refusal.store(30_032, Ordering::SeqCst);
        let id = carrier.text(&clinic, "Hello").await;
        // The automatic reply already met it, or the reply does.
        let _ = reply(&clinic, id, "Good morning").await;
        clinic.app.settled().await;
        let number = carrier.shown(&clinic).await;
        let details = &number["registration_details"];
        assert_eq!(
            (&number["registration"], &details["source"], &details["closed_code"]),
            (&json!("rejected"), &json!("refusal"), &json!("30032"))
        );
        assert!(number["blocked"].as_str().unwrap().contains("administrator"));
        assert_eq!(notices(&clinic, "registration.refused").await.len(), 1);
        let sends = carrier.asked().await.0;
        assert_eq!(sends, 1, "never retried");
        let refused = reply(&clinic, id, "Good morning").await;
        assert_eq!(refused.problem(), "not-registered");
        clinic.app.settled().await;
        assert_eq!(carrier.asked().await.0, sends);

        carrier.refusal.store(0, Ordering::SeqCst);
        let number = carrier.refresh(&clinic).await.ok();
        assert_eq!(
            (&number["registration"], &number["registration_details"]["closed_code"]),
            (&json!("approved"), &Value::Null)
        );
        reply(&clinic, id, "Good morning").await.ok();
        clinic.app.settled().await;
        assert_eq!(carrier.asked().await.0, sends + 1);
    })
    .await;
}

#[tokio::test]
async fn a_word_that_is_not_known_and_one_too_old_close_a_number() {
    run(async |clinic| {
        let carrier = Carrier::new(&clinic, Registration::Unknown).await;
        carrier.says("TWILIO_HALF_APPROVED").await;
        let number = carrier.refresh(&clinic).await.ok();
        assert_eq!(number["registration"], "unknown");
        assert!(number["blocked"].as_str().unwrap().contains("Anteroom doesn't know"), "{number}");
        carrier.says("TWILIO_REJECTED").await;
        let number = carrier.refresh(&clinic).await.ok();
        assert_eq!(number["registration"], "rejected");
        assert_eq!(number["registration_details"]["parts"][0]["reason"], "The website is down.");

        carrier.says("TWILIO_APPROVED").await;
        assert_eq!(carrier.refresh(&clinic).await.ok()["blocked"], Value::Null);
        let id = carrier.text(&clinic, "Hello").await;
        let sends = carrier.asked().await.0;
        // The carrier falls silent: its last word counts for a week, and administrators are told.
        carrier.answers(ResponseTemplate::new(503)).await;
        for _ in 0..3 {
            let failed = carrier.refresh(&clinic).await;
            assert_eq!(
                (failed.status, &failed.body["failure"]),
                (StatusCode::BAD_GATEWAY, &json!("refused"))
            );
        }
        let number = carrier.shown(&clinic).await;
        assert_eq!((&number["registration"], &number["blocked"]), (&json!("approved"), &Value::Null));
        assert_eq!(number["registration_details"]["failures"], 3);
        assert_eq!(notices(&clinic, "registration.unchecked").await.len(), 1);
        clinic.app.advance(7 * 24 * HOUR + HOUR);
        let stale = reply(&clinic, id, "Good morning").await;
        assert_eq!(stale.problem(), "not-registered");
        assert!(stale.body["detail"].as_str().unwrap().contains("for too long"), "{}", stale.body);
        clinic.app.settled().await;
        assert_eq!(carrier.asked().await.0, sends);
    })
    .await;
}

#[tokio::test]
async fn a_person_sets_it_with_a_note() {
    run(async |clinic| {
        let carrier = Carrier::new(&clinic, Registration::Pending).await;
        let at = format!("numbers/{}/registration", carrier.number);
        let set = async |who, body: Value| clinic.api(who, Method::PUT, &at, &body).await;
        let agent = set(&clinic.maya, json!({ "registration": "approved", "note": "I say so" })).await;
        assert_eq!(agent.status, StatusCode::FORBIDDEN);
        for bad in [json!({ "registration": "approved" }), json!({ "registration": "approved", "note": " " })]
        {
            assert_eq!(set(&clinic.alex, bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let number =
            set(&clinic.alex, json!({ "registration": "approved", "note": "Ticket 4711" })).await.ok();
        let details = &number["registration_details"];
        assert_eq!(
            (
                &number["registration"],
                &number["registration_note"],
                &details["source"],
                &details["set_by"]["name"]
            ),
            (&json!("approved"), &json!("Ticket 4711"), &json!("hand"), &json!("Alex Kim"))
        );
        assert_eq!((&number["blocked"], &details["next_check_at"]), (&Value::Null, &Value::Null));
        // What a person has said doesn't grow old.
        clinic.app.advance(30 * 24 * HOUR);
        assert_eq!(carrier.shown(&clinic).await["blocked"], Value::Null);
        let audit = clinic.get_as(&clinic.alex, "audit").await.ok();
        let told = audit["items"].as_array().unwrap().iter();
        assert_eq!(told.filter(|entry| entry["action"] == "number.registration_set").count(), 1);

        let sandbox = clinic.number(FRONT_DESK).await;
        let none =
            clinic.post(&clinic.alex, &format!("numbers/{sandbox}/registration/refresh"), Value::Null).await;
        assert_eq!((none.status, none.problem()), (StatusCode::CONFLICT, "not-offered"));
    })
    .await;
}

#[tokio::test]
async fn numbers_are_added_and_changed_while_it_runs() {
    run(async |clinic| {
        let carrier = Carrier::new(&clinic, Registration::Approved).await;
        let form = json!({
            "address": "+15125550190", "kind": "ten_dlc", "label": "North", "carrier_account_id": carrier.account,
        });
        let agent = clinic.post(&clinic.maya, "numbers", form.clone()).await;
        assert_eq!(agent.status, StatusCode::FORBIDDEN);
        let made = clinic.post(&clinic.alex, "numbers", form.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!((&made.body["registration"], &made.body["carrier"]), (&json!("unknown"), &json!("twilio")));
        assert!(made.body["registration_details"]["next_check_at"].is_string(), "asked about at once");
        assert_eq!(clinic.post(&clinic.alex, "numbers", form).await.status, StatusCode::CONFLICT);
        let at = format!("numbers/{}", made.body["id"].as_str().unwrap());
        // A request that is repeated under its key makes one number; the key is good for that request only.
        let bearer = format!("Bearer {}", clinic.alex.token);
        let keyed = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
        let again = async |label: &str| {
            let body = json!({
                "address": "+15125550191", "kind": "ten_dlc", "label": label, "carrier_account_id": carrier.account,
            });
            clinic.app.request(Method::POST, "/api/v1/numbers", &keyed, body.to_string()).await
        };
        let first = again("South").await.ok();
        assert_eq!(again("South").await.ok()["id"], first["id"]);
        assert_eq!(again("West").await.problem(), "idempotency-key-reused");
        let change = json!({ "messaging_service": "MG1", "texting_enabled": false, "label": "Reminders" });
        let changed = clinic.api(&clinic.alex, Method::PATCH, &at, &change).await.ok();
        assert_eq!((&changed["messaging_service"], &changed["takes_texts"]), (&json!("MG1"), &json!(false)));
        for bad in [json!({ "messaging_service": "MG1/../x" }), json!({ "label": "" }), json!({ "odd": 1 })] {
            let refused = clinic.api(&clinic.alex, Method::PATCH, &at, &bad).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let path = format!("/api/v1/{at}");
        let late = clinic.app.request(Method::PATCH, &path, &headers, r#"{"label":"x"}"#).await;
        assert_eq!((late.status, late.problem()), (StatusCode::CONFLICT, "changed"));
        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        assert_eq!(other.get_as(&other.alex, &at).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_organization_can_switch_texting_off_for_all_numbers() {
    run(async |clinic| {
        let rules = async |who, on: bool| {
            clinic.api(who, Method::PUT, "texting-rules", &json!({ "patient_initiated": on })).await
        };
        assert_eq!(rules(&clinic.maya, false).await.status, StatusCode::FORBIDDEN);
        rules(&clinic.alex, false).await.ok();
        assert_eq!(clinic.get("texting-rules").await["patient_initiated"], false);
        clinic.text(PATIENT, FRONT_DESK, "Hello").await;
        assert!(clinic.stored(PATIENT, FRONT_DESK).await.is_none());
        assert_eq!(clinic.list("dead-letters?state=held").await.len(), 1);
        rules(&clinic.alex, true).await.ok();
        clinic.text(PATIENT, FRONT_DESK, "Hello?").await;
        assert!(clinic.stored(PATIENT, FRONT_DESK).await.is_some());
    })
    .await;
}
