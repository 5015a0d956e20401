//! The Hub's API: who may do what, who wins, and what is refused.

use std::{collections::BTreeMap, time::Duration};

use anteroom_test_support::{Api, Plan, Reply, Sse};
use http::Method;
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::{ANAS_PHONE, PENDING, STRANGER, TEN_DLC, TOLL_FREE, id},
};

fn at(conversation: &str, action: &str) -> String {
    format!("/api/v1/conversations/{conversation}/{action}")
}

/// Fifty people press Accept at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_accepts_one_wins() {
    let clinic = Clinic::open().await;
    let staff = ["Maya Torres", "Sam Okafor", "Priya Raman", "Alex Kim"];
    let apis: Vec<Api> = staff.iter().map(|name| clinic.api(name)).collect();
    for number in [TOLL_FREE, TEN_DLC, "72345"] {
        let conversation = clinic.begin(STRANGER, number).await;
        let path = at(&conversation, "accept");
        let everybody = (0..50).map(|turn| {
            let (api, path) = (&apis[turn % apis.len()], &path);
            async move { (turn % 4, api.post(path, &Value::Null).await) }
        });
        let answers = futures::future::join_all(everybody).await;
        let won: Vec<_> =
            answers.iter().filter(|(_, answer)| answer.status == 200).map(|(who, _)| *who).collect();
        let winner = *won.first().expect("somebody wins");
        assert!(won.iter().all(|who| *who == winner), "several won: {won:?}");
        for (who, answer) in &answers {
            if *who == winner {
                assert_eq!(answer.expect(200)["assignee"]["name"], staff[winner]);
            } else {
                assert_eq!(answer.problem(409, "held")["winner"]["name"], staff[winner]);
            }
        }
        let accepted = clinic.told(&conversation, "conversation.accepted").await;
        let [accepted] = &accepted[..] else { panic!("told several times: {accepted:#?}") };
        assert_eq!(accepted["actor_name"], staff[winner]);
        // Nobody else can answer either.
        let loser = &apis[(winner + 1) % apis.len()];
        let answer = loser.post(&at(&conversation, "messages"), &json!({ "body": "Mine!" })).await;
        assert_eq!(answer.problem(409, "held")["winner"]["name"], staff[winner]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_scopes() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    let writes = [
        (at(&conversation, "accept"), Value::Null),
        (at(&conversation, "assign"), json!({ "assignee_id": null })),
        (at(&conversation, "close"), Value::Null),
        (at(&conversation, "snooze"), json!({ "until": "2099-01-01T00:00:00Z" })),
        (at(&conversation, "messages"), json!({ "body": "Hello" })),
        (at(&conversation, "notes"), json!({ "body": "Hello" })),
        ("/api/v1/tokens".to_owned(), json!({ "name": "x", "scopes": ["read"] })),
    ];
    let before = clinic.timeline(&conversation).await;
    let auditor = clinic.api("auditor");
    for (path, body) in &writes {
        auditor.post(path, body).await.problem(403, "forbidden");
        clinic.anteroom.anonymous().post(path, body).await.problem(401, "unauthenticated");
    }
    for list in ["/api/v1/audit", "/api/v1/tokens"] {
        for role in ["agent", "lead"] {
            clinic.api(role).get(list).await.problem(403, "forbidden");
        }
        assert!(!auditor.items(list).await.is_empty(), "{list}");
    }

    let admin = clinic.api("admin");
    for role in ["agent", "lead"] {
        let new = json!({ "name": "mine", "scopes": ["read", "write"] });
        clinic.api(role).post("/api/v1/tokens", &new).await.problem(403, "forbidden");
    }
    let new = json!({ "name": "a display on the wall", "scopes": ["read"] });
    let made = admin.post("/api/v1/tokens", &new).await.expect(201);
    let token = made["token"].as_str().expect("a token");
    let reader = Api::with_token(clinic.anteroom.client(), clinic.anteroom.base(), token);
    reader.get("/api/v1/queues").await.expect(200);
    for (path, body) in &writes {
        reader.post(path, body).await.problem(403, "forbidden");
    }
    assert_eq!(clinic.timeline(&conversation).await, before, "nothing of it was done");

    let tokens = admin.items("/api/v1/tokens").await;
    let wall = tokens.iter().find(|token| token["name"] == new["name"]).expect("it is listed");
    assert_eq!(admin.delete(&format!("/api/v1/tokens/{}", id(wall))).await.status, 204);
    reader.get("/api/v1/queues").await.problem(401, "unauthenticated");
    let mut forged = token.to_owned();
    forged.push('x');
    let guesser = Api::with_token(clinic.anteroom.client(), clinic.anteroom.base(), &forged);
    guesser.get("/api/v1/queues").await.problem(401, "unauthenticated");

    // An agent takes what is free and what is theirs; taking it from a colleague is for leads.
    let (maya, sam, priya) = (clinic.api("Maya"), clinic.api("Sam"), clinic.api("Priya"));
    maya.post(&at(&conversation, "accept"), &Value::Null).await.expect(200);
    let everybody = maya.items("/api/v1/staff").await;
    let sams_id = everybody.iter().find(|staff| staff["name"] == "Sam Okafor").expect("Sam")["id"].clone();
    let to_sam = json!({ "assignee_id": sams_id });
    sam.post(&at(&conversation, "assign"), &to_sam).await.problem(409, "held");
    let given = priya.post(&at(&conversation, "assign"), &to_sam).await.expect(200);
    assert_eq!(given["assignee"]["name"], "Sam Okafor");
    let auditor = everybody.iter().find(|staff| staff["role"] == "auditor").expect("an auditor");
    let to_auditor = json!({ "assignee_id": auditor["id"] });
    priya.post(&at(&conversation, "assign"), &to_auditor).await.problem(422, "invalid");
    let back = sam.post(&at(&conversation, "assign"), &json!({ "assignee_id": null })).await.expect(200);
    assert_eq!(back["assignee"], Value::Null);
    assert_eq!(sam.items("/api/v1/conversations?queue=unassigned").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_needs_its_csrf_token_to_write() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    let maya = clinic.anteroom.demo().staff("Maya").clone();
    let (client, base) = (clinic.anteroom.client(), clinic.anteroom.base());
    let session = Api::sign_in(client, base, &maya.email.to_uppercase(), &maya.password).await;
    let other = Api::sign_in(client, base, &maya.email, &maya.password).await;
    let other_csrf = other.get("/api/v1/session").await.expect(200)["csrf_token"].clone();

    let accept = at(&conversation, "accept");
    for csrf in [None, Some(""), Some("guess"), other_csrf.as_str()] {
        let forged = session.with_csrf(csrf);
        forged.get(&accept.replace("/accept", "")).await.expect(200);
        forged.post(&accept, &Value::Null).await.problem(403, "forbidden");
    }
    assert_eq!(clinic.told(&conversation, "conversation.accepted").await, Vec::<Value>::new());
    assert_eq!(session.post(&accept, &Value::Null).await.expect(200)["assignee"]["name"], "Maya Torres");

    let me = session.get("/api/v1/session").await.expect(200);
    assert_eq!((&me["staff"]["email"], &me["staff"]["role"]), (&json!(maya.email), &json!("agent")));
    assert_eq!(session.with_csrf(None).delete("/api/v1/session").await.status, 403);
    let signed_out = session.delete("/api/v1/session").await;
    assert_eq!(signed_out.status, 204);
    session.get("/api/v1/session").await.problem(401, "unauthenticated");
    other.get("/api/v1/session").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down() {
    let clinic = Clinic::open().await;
    let anonymous = clinic.anteroom.anonymous();
    let try_with = async |email: &str, password: &str| {
        anonymous.post("/api/v1/session", &json!({ "email": email, "password": password })).await
    };
    let sam = clinic.anteroom.demo().staff("Sam").clone();
    let right = try_with(&sam.email, &sam.password).await;
    right.expect(200);
    let cookie = right.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }

    let email = "maya@riverside.example";
    let mut answers = BTreeMap::<u16, usize>::new();
    let mut last = None;
    for attempt in 0..14 {
        let email = if attempt % 2 == 0 { email.to_owned() } else { email.to_uppercase() };
        let answer = try_with(&email, &format!("guess {attempt}")).await;
        *answers.entry(answer.status.as_u16()).or_default() += 1;
        last = Some(answer);
    }
    assert_eq!(answers, BTreeMap::from([(401, 10), (429, 4)]));
    let last: Reply = last.expect("answers");
    last.problem(429, "too-many-tries");
    let wait: u64 = last.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    // Not even with the right password; everybody else as before, and nobody learns who has an account.
    try_with(email, &clinic.anteroom.demo().staff("Maya").password).await.problem(429, "too-many-tries");
    let wrong = try_with(&sam.email, "wrong").await.problem(401, "sign-in");
    let unknown = try_with("nobody@riverside.example", "wrong").await.problem(401, "sign-in");
    assert_eq!(wrong["detail"], unknown["detail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_one_form() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    let maya = clinic.api("Maya");
    let missing = "/api/v1/conversations/01a20000-0000-7000-8000-000000000000";
    for (path, status, kind) in [
        ("/nowhere", 404, "not-found"),
        (missing, 404, "not-found"),
        ("/api/v1/conversations?cursor=%00", 400, "cursor"),
        ("/api/v1/conversations?queue=lost", 400, "malformed"),
        ("/api/v1/conversations/7", 400, "malformed"),
        ("/api/v1/patients/01a20000-0000-7000-8000-000000000000", 404, "not-found"),
    ] {
        maya.get(path).await.problem(status, kind);
    }
    clinic.anteroom.anonymous().get("/api/v1/queues").await.problem(401, "unauthenticated");
    let messages = at(&conversation, "messages");
    for (body, status, kind) in [
        (json!({ "body": "" }), 422, "invalid"),
        (json!({ "body": " \n\t" }), 422, "invalid"),
        (json!({ "body": "x".repeat(1_601) }), 422, "invalid"),
        (json!({ "body": "a\0b" }), 422, "invalid"),
        (json!({ "text": "no body" }), 422, "invalid"),
        (json!("no object"), 422, "malformed"),
    ] {
        maya.post(&messages, &body).await.problem(status, kind);
    }
    let raw = async |method: Method, content_type: &str, body: &str| {
        let request = maya.request(method, &messages).header("content-type", content_type);
        Reply::of(request.body(body.to_owned())).await.expect("an answer")
    };
    let (json, large) = ("application/json", format!("{{\"body\":\"{}\"}}", "x".repeat(300 * 1024)));
    raw(Method::POST, json, "{").await.problem(400, "malformed");
    raw(Method::POST, "text/plain", r#"{"body":"x"}"#).await.problem(415, "media-type");
    raw(Method::POST, json, &large).await.problem(413, "too-large");
    raw(Method::PATCH, json, "{}").await.problem(405, "method-not-allowed");
    let no_key = [("idempotency-key", "")];
    maya.post_with(&messages, &no_key, &json!({ "body": "x" })).await.problem(400, "idempotency-key");
    let past = json!({ "until": "2020-01-01T00:00:00Z" });
    maya.post(&at(&conversation, "snooze"), &past).await.problem(422, "invalid");
    assert_eq!(clinic.twilio.attempts().len(), 1, "the automatic answer and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_changes_is_told_so() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(ANAS_PHONE, TOLL_FREE).await;
    let (maya, priya) = (clinic.api("Maya"), clinic.api("Priya"));
    let path = format!("/api/v1/conversations/{conversation}");
    let seen = format!("\"{}\"", maya.get(&path).await.expect(200)["version"]);
    let if_match = [("if-match", seen.as_str())];
    maya.post_with(&at(&conversation, "accept"), &if_match, &Value::Null).await.expect(200);
    let second = priya.post_with(&at(&conversation, "close"), &if_match, &Value::Null).await;
    let problem = second.problem(409, "changed");
    assert_eq!(problem["winner"]["name"], "Maya Torres");
    let now = maya.get(&path).await.expect(200);
    assert_eq!((&now["state"], &now["version"]), (&json!("open"), &problem["version"]));
    let seen = format!("\"{}\"", now["version"]);
    let if_match = [("if-match", seen.as_str())];
    priya.post_with(&at(&conversation, "close"), &if_match, &Value::Null).await.expect(200);
    let nonsense = [("if-match", "\"yesterday\"")];
    priya.post_with(&at(&conversation, "reopen"), &nonsense, &Value::Null).await.problem(400, "if-match");
    // A patient's text is a change too.
    let seen = format!("\"{}\"", maya.get(&path).await.expect(200)["version"]);
    clinic.text(ANAS_PHONE, TOLL_FREE, "One more thing").await;
    clinic.idle().await;
    let if_match = [("if-match", seen.as_str())];
    priya.post_with(&at(&conversation, "close"), &if_match, &Value::Null).await.problem(409, "changed");
    let reopened = clinic.told(&conversation, "conversation.reopened").await;
    assert_eq!(reopened.len(), 1, "{reopened:#?}");
    assert_eq!(maya.get(&path).await.expect(200)["assignee"], Value::Null, "it is in Unassigned again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_texts_at_once() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    // A reply that still waits when the STOP comes.
    clinic.twilio.plan("Still waiting", &[Plan::SlowDown(3)]);
    let waiting = clinic.reply("Maya", &conversation, "Still waiting").await;
    clinic.twilio.wait_for("Still waiting", 1).await;
    clinic.text(STRANGER, TOLL_FREE, "Stop!").await;
    let blocked = clinic.message_in(&conversation, &waiting, "blocked").await;
    assert!(blocked["error_text"].as_str().expect("a reason").contains("opted out"), "{blocked}");

    let messages = at(&conversation, "messages");
    let maya = clinic.api("Maya");
    maya.post(&messages, &json!({ "body": "Please don't go" })).await.problem(409, "opted-out");
    let path = format!("/api/v1/conversations/{conversation}");
    assert_eq!(maya.get(&path).await.expect(200)["opted_out"], true);
    clinic.idle().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(clinic.twilio.attempts_of("Still waiting").len(), 1);
    assert_eq!(clinic.twilio.attempts_of("Please don't go").len(), 0);
    let confirmations = |clinic: &Clinic| {
        let attempts = clinic.twilio.attempts();
        attempts.iter().filter(|attempt| attempt.param("Body").contains("no more texts")).count()
    };
    assert_eq!(confirmations(&clinic), 1);
    clinic.text(STRANGER, TOLL_FREE, "STOP").await;
    clinic.idle().await;
    assert_eq!(confirmations(&clinic), 1);

    clinic.text(STRANGER, TOLL_FREE, "Start").await;
    clinic.idle().await;
    clinic.reply("Maya", &conversation, "Welcome back").await;
    let attempts = clinic.twilio.wait_for("Welcome back", 1).await;
    assert_eq!(attempts[0].param("To"), STRANGER);
    let told: Vec<_> = clinic.timeline(&conversation).await;
    for kind in ["opt_out.recorded", "opt_out.cleared"] {
        assert_eq!(told.iter().filter(|entry| entry["kind"] == kind).count(), 1, "{told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unregistered_number_sends_nothing() {
    let clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, PENDING).await;
    let messages = at(&conversation, "messages");
    let refused = clinic.api("Maya").post(&messages, &json!({ "body": "Hello" })).await;
    let problem = refused.problem(409, "not-registered");
    assert!(problem["detail"].as_str().expect("what is missing").contains("registration"), "{problem}");
    clinic.text(STRANGER, PENDING, "STOP").await;
    clinic.text(STRANGER, PENDING, "HELP").await;
    clinic.idle().await;
    assert_eq!(clinic.twilio.attempts().len(), 0);
    let texts = clinic.api("Maya").messages(&conversation).await;
    let outbound: Vec<_> = texts.iter().filter(|m| m["direction"] == "outbound").collect();
    assert!(!outbound.is_empty(), "the automatic answer is there for staff to see");
    assert!(outbound.iter().all(|m| m["state"] == "blocked" && m["error_text"].is_string()), "{outbound:#?}");
}

/// SIGTERM while a text is being sent: it is finished, its end is recorded, nothing is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_finishes_what_is_under_way() {
    let mut clinic = Clinic::open().await;
    let conversation = clinic.begin(STRANGER, TOLL_FREE).await;
    let token = clinic.anteroom.demo().staff("agent").token.clone();
    let mut stream = Sse::open(clinic.anteroom.client(), clinic.anteroom.base(), &token, None).await;
    clinic.twilio.plan("Almost there", &[Plan::TakeSlowly(Duration::from_millis(1_500))]);
    let message = clinic.reply("Maya", &conversation, "Almost there").await;
    clinic.twilio.wait_for("Almost there", 1).await;
    // Still in the pipeline, or just stored.
    for number in 0..20 {
        clinic.text(ANAS_PHONE, TOLL_FREE, &format!("Last minute {number}")).await;
    }
    let (status, took) = clinic.anteroom.stop().await;
    assert!(status.success(), "{status}");
    assert!((Duration::from_secs(1)..Duration::from_secs(8)).contains(&took), "{took:?}");
    let rest = stream.drain(Duration::from_secs(1)).await;
    assert!(!rest.is_empty(), "the stream ended with the process, not before");

    clinic.anteroom.start().await;
    assert_eq!(clinic.message(&conversation, &message).await["state"], "sent");
    clinic.idle().await;
    assert_eq!(clinic.twilio.attempts_of("Almost there").len(), 1);
    let anas = clinic.conversation_with(ANAS_PHONE, TOLL_FREE, "Last minute 19").await;
    assert_eq!(clinic.told(id(&anas), "message.received").await.len(), 20);
}
