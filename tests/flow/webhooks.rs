//! Programs of the organization are told what happens: all of it, in order, signed, whatever fails on the way.

use std::time::Duration;

use anteroom::webhooks;
use anteroom_model::{ids::WebhookId, states::Role, time::Timestamp};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

use crate::support::{Clinic, FRONT_DESK, eventually, run};

const ANA: &str = "+15125550101";
const JOHN: &str = "+15125550102";

/// A program on another host, and what it was told.
struct Program<'a> {
    clinic: &'a Clinic,
    id: String,
}

impl<'a> Program<'a> {
    /// One that is told of these kinds.
    async fn new(clinic: &'a Clinic, kinds: &[&str]) -> Self {
        clinic.app.start_webhooks();
        Self::of(clinic, kinds).await
    }

    /// The same, where somebody tells already.
    async fn of(clinic: &'a Clinic, kinds: &[&str]) -> Self {
        let url = format!("{}/hook", clinic.app.files.cdn.uri());
        let body = json!({ "url": url, "description": "Reports", "kinds": kinds });
        let made = clinic.post(&clinic.alex, "webhooks", body).await.ok();
        Self { clinic, id: made["webhook"]["id"].as_str().unwrap().to_owned() }
    }

    fn host(&self) -> &MockServer {
        &self.clinic.app.files.cdn
    }

    async fn answers(&self, response: ResponseTemplate) {
        self.host().reset().await;
        Mock::given(matchers::path("/hook")).respond_with(response).mount(self.host()).await;
    }

    async fn asked(&self) -> Vec<Request> {
        self.host().received_requests().await.unwrap()
    }

    /// The sequence numbers that it was told, in the order in which they came.
    async fn told(&self) -> Vec<i64> {
        self.asked().await.iter().filter_map(|request| body(request)["seq"].as_i64()).collect()
    }

    async fn was_told(&self, count: usize) {
        eventually(&format!("{count} were told"), || async { self.asked().await.len() >= count }).await;
    }

    async fn state(&self) -> Value {
        self.clinic.get_as(&self.clinic.alex, &format!("webhooks/{}", self.id)).await.ok()
    }

    async fn fails(&self, times: i64) {
        eventually(&format!("it failed {times} times"), || async {
            self.state().await["failures"] == json!(times)
        })
        .await;
    }

    async fn caught_up(&self) {
        eventually("it has been told everything", || async {
            let state = self.state().await;
            state["behind"] == json!(0) && state["failures"] == json!(0)
        })
        .await;
    }

    async fn attempts(&self) -> Vec<Value> {
        let path = format!("webhooks/{}/attempts", self.id);
        let page = self.clinic.get_as(&self.clinic.alex, &path).await.ok();
        page["items"].as_array().unwrap().clone()
    }

    async fn act(&self, action: &str, body: Value) -> Value {
        self.clinic.post(&self.clinic.alex, &format!("webhooks/{}/{action}", self.id), body).await.ok()
    }

    async fn change(&self, body: Value) -> Value {
        let path = format!("webhooks/{}", self.id);
        self.clinic.api(&self.clinic.alex, Method::PATCH, &path, &body).await.ok()
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

fn well() -> ResponseTemplate {
    ResponseTemplate::new(204)
}

#[tokio::test]
async fn a_program_is_told_what_happens_in_order_and_nothing_of_a_patient() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.*", "conversation.opened"]).await;
        program.answers(well()).await;
        clinic.text(ANA, FRONT_DESK, "My number is Morales").await;
        clinic.text(JOHN, FRONT_DESK, "I need a refill").await;
        program.caught_up().await;
        let asked = program.asked().await;
        let kinds: Vec<_> = asked.iter().map(|one| body(one)["kind"].as_str().unwrap().to_owned()).collect();
        assert!(kinds.iter().all(|kind| kind.starts_with("message.") || kind == "conversation.opened"));
        assert!(
            kinds.contains(&"message.received".to_owned())
                && kinds.contains(&"conversation.opened".to_owned())
        );
        let told = program.told().await;
        assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
        let all: String = asked.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
        for secret in ["Morales", "refill", ANA, JOHN, FRONT_DESK] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        let first = &asked[0];
        let seq = body(first)["seq"].as_i64().unwrap();
        let id = format!("evt_{}_{seq}", clinic.organization.0.simple());
        assert_eq!(header(first, "webhook-id"), id);
        assert!(header(first, "webhook-signature").starts_with("v1,"));
        assert_eq!(header(first, "content-type"), "application/json");
        let state = program.state().await;
        assert_eq!((&state["state"], &state["failures"]), (&json!("active"), &json!(0)));
        assert!(state["told_at"].is_string());
        let attempts = program.attempts().await;
        assert_eq!((&attempts[0]["outcome"], &attempts[0]["status"]), (&json!("delivered"), &json!(204)));
        assert_eq!(attempts.len(), asked.len());
    })
    .await;
}

#[tokio::test]
async fn one_that_is_down_is_tried_later_and_later_and_misses_nothing() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.received"]).await;
        program.answers(ResponseTemplate::new(503)).await;
        clinic.text(ANA, FRONT_DESK, "One").await;
        program.fails(1).await;
        clinic.text(JOHN, FRONT_DESK, "Two").await;
        let state = program.state().await;
        assert_eq!(state["failure"], "failed");
        assert_eq!(program.asked().await.len(), 1, "the second text waits behind the first");
        clinic.app.advance(Duration::from_secs(5));
        program.fails(2).await;
        clinic.app.advance(Duration::from_secs(29));
        program.answers(well()).await;
        clinic.app.advance(Duration::from_secs(1));
        program.caught_up().await;
        let told = program.told().await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0] < told[1]);
        let outcomes: Vec<_> =
            program.attempts().await.iter().map(|attempt| attempt["outcome"].clone()).collect();
        assert_eq!(outcomes, ["delivered", "delivered", "failed", "failed"]);
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_for_three_days_is_given_up_with_a_notice_and_begins_again_where_it_stopped() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.received"]).await;
        program.answers(ResponseTemplate::new(500)).await;
        clinic.text(ANA, FRONT_DESK, "One").await;
        let mut tries = 1;
        program.fails(tries).await;
        while program.state().await["state"] == "active" {
            assert!(tries < 30, "it is never given up");
            clinic.app.advance(Duration::from_hours(8));
            tries += 1;
            program.fails(tries).await;
        }
        assert_eq!(tries, 10, "three days after the first, eight hours apart");
        assert_eq!(program.state().await["state"], "disabled");
        let notices = clinic.get_as(&clinic.alex, "notices").await.ok();
        let notice = &notices["items"][0];
        assert_eq!(
            (&notice["kind"], &notice["data"]["description"]),
            (&json!("webhook.disabled"), &json!("Reports"))
        );
        assert_eq!(notice["data"]["webhook_id"], program.id.as_str());

        program.answers(well()).await;
        clinic.text(JOHN, FRONT_DESK, "Two").await;
        assert!(program.asked().await.is_empty(), "it is told nothing while it is off");
        program.change(json!({ "state": "active" })).await;
        program.caught_up().await;
        assert_eq!(program.told().await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn gone_is_for_good_redirects_are_not_followed_and_waits_that_are_asked_for_are_kept() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.received"]).await;
        program.answers(ResponseTemplate::new(307).insert_header("location", "/elsewhere")).await;
        clinic.text(ANA, FRONT_DESK, "One").await;
        program.fails(1).await;
        assert_eq!(program.state().await["failure"], "redirected");
        assert!(program.asked().await.iter().all(|request| request.url.path() == "/hook"));

        program.answers(ResponseTemplate::new(429).insert_header("retry-after", "600")).await;
        clinic.app.advance(Duration::from_secs(5));
        program.fails(2).await;
        let state = program.state().await;
        let next: Timestamp = serde_json::from_value(state["next_try_at"].clone()).unwrap();
        assert_eq!(next.since(clinic.app.server.store.now()), Duration::from_mins(10));

        program.answers(ResponseTemplate::new(410)).await;
        clinic.app.advance(Duration::from_mins(10));
        eventually("it is off", || async { program.state().await["state"] == "disabled" }).await;
        assert_eq!(program.state().await["failure"], "gone");
    })
    .await;
}

#[tokio::test]
async fn one_that_is_slow_gets_one_at_a_time_and_no_answer_is_a_failure() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.received"]).await;
        program.answers(well().set_delay(Duration::from_millis(150))).await;
        for text in ["One", "Two", "Three", "Four"] {
            clinic.text(ANA, FRONT_DESK, text).await;
        }
        program.caught_up().await;
        let told = program.told().await;
        assert!(told.len() == 4 && told.is_sorted(), "{told:?}");

        program.answers(well().set_delay(Duration::from_mins(1))).await;
        clinic.text(ANA, FRONT_DESK, "Five").await;
        program.fails(1).await;
        assert_eq!(program.state().await["failure"], "timed_out");
    })
    .await;
}

#[tokio::test]
async fn what_a_node_was_telling_when_it_was_killed_another_tells_in_order() {
    run(async |clinic| {
        let program = Program::of(&clinic, &["message.received"]).await;
        for text in ["One", "Two", "Three"] {
            clinic.text(ANA, FRONT_DESK, text).await;
        }
        program.answers(well().set_delay(Duration::from_secs(2))).await;
        let doomed = tokio::spawn(webhooks::run(clinic.app.server.clone()));
        program.was_told(1).await;
        doomed.abort();
        assert!(doomed.await.unwrap_err().is_cancelled(), "killed in the middle of the first");
        let first = program.told().await[0];
        assert!(program.state().await["position"].as_i64().unwrap() < first, "it doesn't count as told");

        let other = clinic.app.another_node().await;
        let running = tokio::spawn(webhooks::run(other.clone()));
        program.answers(well()).await;
        clinic.app.advance(Duration::from_secs(61));
        program.caught_up().await;
        let told = program.told().await;
        assert!(told.len() == 3 && told.is_sorted(), "all three, the first one again: {told:?}");
        other.stop.cancel();
        running.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_changed_without_a_gap_and_history_is_told_again() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["message.received"]).await;
        program.answers(well()).await;
        clinic.text(ANA, FRONT_DESK, "One").await;
        program.caught_up().await;
        let one = program.told().await[0];

        let rotated = program.act("rotate", json!({ "overlap_hours": 1 })).await;
        assert!(rotated["secret"].as_str().unwrap().starts_with("whsec_"));
        assert!(rotated["webhook"]["previous_secret_until"].is_string());
        clinic.text(ANA, FRONT_DESK, "Two").await;
        program.caught_up().await;
        let asked = program.asked().await;
        assert_eq!(header(&asked[1], "webhook-signature").split(' ').count(), 2, "signed with both");
        clinic.app.advance(Duration::from_hours(2));
        clinic.text(ANA, FRONT_DESK, "Three").await;
        program.caught_up().await;
        let asked = program.asked().await;
        assert_eq!(header(&asked[2], "webhook-signature").split(' ').count(), 1, "the old one has ended");

        program.act("replay", json!({ "after_seq": one - 1 })).await;
        program.was_told(6).await;
        program.caught_up().await;
        let (asked, told) = (program.asked().await, program.told().await);
        assert_eq!(told[3..], told[..3], "the same again");
        assert_eq!(header(&asked[3], "webhook-id"), header(&asked[0], "webhook-id"), "under the same id");
    })
    .await;
}

#[tokio::test]
async fn a_test_is_sent_at_once_and_changes_nothing() {
    run(async |clinic| {
        let program = Program::new(&clinic, &["note.added"]).await;
        program.answers(well()).await;
        let before = program.state().await["position"].clone();
        let tested = program.act("test", Value::Null).await;
        assert_eq!((&tested["outcome"], &tested["kind"]), (&json!("delivered"), &json!("webhook.test")));
        let asked = program.asked().await;
        assert_eq!(asked.len(), 1);
        assert!(header(&asked[0], "webhook-id").starts_with("test_"));
        assert_eq!(body(&asked[0])["kind"], "webhook.test");
        program.answers(ResponseTemplate::new(404)).await;
        let refused = program.act("test", Value::Null).await;
        assert_eq!((&refused["outcome"], &refused["status"]), (&json!("refused"), &json!(404)));
        let state = program.state().await;
        assert_eq!(state["failures"], 0, "a test that fails counts for nothing: {before}");
    })
    .await;
}

#[tokio::test]
async fn only_admins_set_them_up_and_only_to_where_they_may_lead() {
    run(async |clinic| {
        for url in [
            "http://hooks.example.com/a",
            "https://127.0.0.1/a",
            "https://192.168.1.5/a",
            "https://user:password@hooks.example.com/",
            "nonsense",
        ] {
            let refused = clinic.post(&clinic.alex, "webhooks", json!({ "url": url })).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}: {}", refused.body);
            assert_eq!(refused.body["field"], "url");
        }
        let body = json!({ "url": "https://hooks.example.com/a?key=b", "kinds": ["message.*"] });
        let lead = clinic.colleague(Role::Lead, "Priya Shah").await;
        let auditor = clinic.colleague(Role::Auditor, "Jordan Lee").await;
        for who in [&clinic.maya, &lead, &auditor] {
            assert_eq!(clinic.post(who, "webhooks", body.clone()).await.status, StatusCode::FORBIDDEN);
        }
        let made = clinic.post(&clinic.alex, "webhooks", body.clone()).await.ok();
        let id = made["webhook"]["id"].as_str().unwrap().to_owned();
        let secret = made["secret"].as_str().unwrap().to_owned();
        let list = clinic.get_as(&auditor, "webhooks").await.ok();
        assert!(!list.to_string().contains(&secret), "a secret is shown once");
        assert_eq!(clinic.get_as(&lead, "webhooks").await.status, StatusCode::FORBIDDEN);

        let path = format!("webhooks/{id}");
        let paused = clinic.api(&clinic.alex, Method::PATCH, &path, &json!({ "state": "paused" })).await.ok();
        assert_eq!(paused["state"], "paused");
        let too_far =
            clinic.post(&clinic.alex, &format!("{path}/replay"), json!({ "after_seq": 1_000_000 })).await;
        assert_eq!(
            (too_far.status, &too_far.body["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("after_seq"))
        );
        for kinds in [json!(["Message"]), json!([""]), json!(["a b"])] {
            let refused = clinic.api(&clinic.alex, Method::PATCH, &path, &json!({ "kinds": kinds })).await;
            assert_eq!(refused.body["field"], "kinds");
        }

        let other = Clinic::new(&clinic.app, "Hillside Clinic").await;
        for action in ["test", "rotate"] {
            let foreign = other.post(&other.alex, &format!("{path}/{action}"), json!({})).await;
            assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{action}");
        }
        assert_eq!(
            other.api(&other.alex, Method::DELETE, &path, &Value::Null).await.status,
            StatusCode::NOT_FOUND
        );
        let gone = clinic.api(&clinic.alex, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        let id: WebhookId = id.parse().unwrap();
        let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
        assert!(org.webhook(id).await.unwrap().is_none());
    })
    .await;
}
