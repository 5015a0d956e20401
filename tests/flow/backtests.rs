//! A candidate is tried on what was recorded before it decides anything.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anteroom::builtin;
use anteroom_model::{
    hooks::{Hook, HookInput},
    ids::{BacktestId, ConversationId, DecisionId, MessageId, NodeId, PolicyId},
    states::Role,
};
use anteroom_policy::CallRecord;
use anteroom_store::NewDecision;
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Answer, Clinic, FRONT_DESK, NEW_PATIENTS, eventually, run};

const STRANGERS: [&str; 4] = ["+15125550171", "+15125550172", "+15125550173", "+15125550174"];

/// A guest of `tests/guests`, as built.
fn guest(name: &str) -> &'static [u8] {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let folder = env::var_os("ANTEROOM_GUESTS").map_or(built, PathBuf::from);
    fs::read(folder.join(format!("test/{name}.wasm"))).expect("run `make plugins`").leak()
}

async fn added(clinic: &Clinic, component: &'static [u8]) -> PolicyId {
    let server = &clinic.app.server;
    let add =
        builtin::add_policy(&server.store, &server.policies, clinic.organization, component, "uploaded");
    add.await.unwrap().0
}

/// The body of a backtest of a policy for routing.
fn wanted(policy: PolicyId, settings: &Value) -> Value {
    let mut body = json!({ "policy_id": policy, "hook": "routing", "days": 30 });
    if !settings.is_null() {
        body["settings"] = settings.clone();
    }
    body
}

async fn begin(clinic: &Clinic, body: Value) -> String {
    // What was recorded at this very moment is before the next one.
    clinic.app.advance(Duration::from_secs(1));
    let answer = clinic.post(&clinic.alex, "backtests", body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/api/v1/backtests/{id}"));
    id
}

async fn state(clinic: &Clinic, id: &str) -> Value {
    clinic.get(&format!("backtests/{id}")).await
}

async fn report(clinic: &Clinic, id: &str) -> Answer {
    eventually("the backtest is over", || async { state(clinic, id).await["ended_at"].is_string() }).await;
    let state = state(clinic, id).await;
    assert_eq!(state["state"], "done", "{state}");
    let answer = clinic.get_as(&clinic.alex, &format!("backtests/{id}/report")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers["etag"], format!("\"{}\"", state["report_digest"].as_str().unwrap()));
    answer
}

/// The default routing's settings with another team for refills.
async fn refills_to_nurses(clinic: &Clinic) -> Value {
    let mut settings: Value = serde_json::from_str(&clinic.binding(Hook::Routing).await.settings).unwrap();
    settings["rules"][0]["team"] = json!("Nurses");
    settings
}

#[tokio::test]
async fn a_changed_keyword_shows_exactly_the_conversations_that_would_move() {
    run(async |clinic| {
        clinic.app.start_backtests();
        let texts = ["I need a refill", "A question about my bill", "Refill and bill please", "Hello"];
        for (phone, text) in STRANGERS.into_iter().zip(texts) {
            clinic.text(phone, FRONT_DESK, text).await;
        }
        clinic.text(STRANGERS[3], FRONT_DESK, "my prescription").await;
        let policy = clinic.binding(Hook::Routing).await.policy_id;

        let same = report(&clinic, &begin(&clinic, wanted(policy, &Value::Null)).await).await.body;
        assert_eq!((&same["turns"], &same["same"], &same["changed"]), (&json!(5), &json!(5), &json!(0)));
        assert_eq!((&same["moves"], &same["changes"]), (&json!([]), &json!([])));
        assert_eq!(same["fuel"]["recorded"], same["fuel"]["candidate"]);

        let settings = refills_to_nurses(&clinic).await;
        let id = begin(&clinic, wanted(policy, &settings)).await;
        let moved = report(&clinic, &id).await.body;
        assert_eq!((&moved["turns"], &moved["changed"]), (&json!(5), &json!(3)), "{moved}");
        let from_to = json!([{ "what": "team", "from": "Pharmacy", "to": "Nurses", "count": 3 }]);
        assert_eq!(moved["moves"], from_to);
        let mut expected = Vec::new();
        for phone in [STRANGERS[0], STRANGERS[2], STRANGERS[3]] {
            expected.push(clinic.conversation_id(phone, FRONT_DESK).await.to_string());
        }
        let changes = moved["changes"].as_array().unwrap();
        let conversations: Vec<_> =
            changes.iter().map(|change| change["conversation_id"].as_str().unwrap()).collect();
        assert_eq!(conversations, expected);
        let [was, would] =
            ["recorded", "candidate"].map(|side| &changes[0][side]["decided"]["routing"]["team"]);
        assert_eq!((was, would), (&json!("Pharmacy"), &json!("Nurses")));
        let conversation = clinic.conversation(STRANGERS[0], FRONT_DESK).await;
        assert_eq!(conversation["team"]["name"], "Pharmacy", "nothing has moved");
        assert_eq!(clinic.list("backtests").await.len(), 2);
        let state = state(&clinic, &id).await;
        assert_eq!((&state["total"], &state["done"]), (&json!(5), &json!(5)));
    })
    .await;
}

#[tokio::test]
async fn the_same_turns_give_the_same_report_to_the_byte() {
    run(async |clinic| {
        clinic.app.start_backtests();
        for text in ["I need a refill", "John Smith", "11/30/1962", "Hello", "my bill"] {
            clinic.text(STRANGERS[0], NEW_PATIENTS, text).await;
            clinic.text(STRANGERS[1], FRONT_DESK, text).await;
        }
        clinic.app.advance(Duration::from_mins(1));
        let now = clinic.app.server.store.now();
        let since = now.minus(Duration::from_hours(24));
        // One that looks back, asks for a field that nobody recorded, and says the time.
        let echo = added(&clinic, guest("echo")).await;
        for (hook, policy) in [
            ("routing", echo),
            ("routing", clinic.binding(Hook::Routing).await.policy_id),
            ("identity", clinic.binding(Hook::Identity).await.policy_id),
            ("replies", clinic.binding(Hook::Replies).await.policy_id),
        ] {
            let body = json!({ "policy_id": policy, "hook": hook, "since": since, "until": now });
            let first = report(&clinic, &begin(&clinic, body.clone()).await).await;
            clinic.text(STRANGERS[2], FRONT_DESK, "later").await;
            let second = report(&clinic, &begin(&clinic, body).await).await;
            assert_eq!(first.bytes, second.bytes, "{hook}");
            if policy == echo {
                assert_eq!(first.body["turns"], 10, "{}", first.body);
                assert_eq!(first.body["unknown_fields"], json!({ "first-name": 10 }));
                let last = &first.body["changes"][9]["candidate"]["decided"]["routing"];
                assert_eq!(last["reason"], "my bill");
                let tags = last["tags"].to_string();
                assert!(tags.contains("history=3:") && tags.contains("|Hello\""), "{tags}");
                assert!(!tags.contains("now=0"), "{tags}");
            } else {
                assert_eq!(first.body["changed"], 0, "{hook}: {}", first.body);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_is_cancelled_ends_at_once() {
    run(async |clinic| {
        clinic.app.start_backtests();
        record_many(&clinic, 4_000).await;
        let endless = added(&clinic, guest("endless_loop")).await;
        let id = begin(&clinic, wanted(endless, &Value::Null)).await;
        eventually("it is under way", || async { state(&clinic, &id).await["done"].as_i64() > Some(0) })
            .await;
        let busy = state(&clinic, &id).await;
        assert_eq!((&busy["state"], &busy["total"]), (&json!("running"), &json!(4_000)));
        let early = clinic.get_as(&clinic.alex, &format!("backtests/{id}/report")).await;
        assert_eq!((early.status, early.problem()), (StatusCode::CONFLICT, "no-report"));
        let cancel = format!("backtests/{id}/cancel");
        assert_eq!(clinic.post(&clinic.alex, &cancel, Value::Null).await.ok()["state"], "cancelled");
        let again = clinic.post(&clinic.alex, &cancel, Value::Null).await;
        assert_eq!((again.status, again.problem()), (StatusCode::CONFLICT, "ended"));
        // The node is free for the next one, though this one had minutes to go.
        let started = Instant::now();
        let policy = clinic.binding(Hook::Routing).await.policy_id;
        let next = begin(&clinic, wanted(policy, &Value::Null)).await;
        eventually("the next one begins", || async { state(&clinic, &next).await["started_at"].is_string() })
            .await;
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        report(&clinic, &next).await;
        assert_eq!(state(&clinic, &id).await["state"], "cancelled");
    })
    .await;
}

#[tokio::test]
async fn one_whose_node_is_gone_begins_again_elsewhere() {
    run(async |clinic| {
        for phone in STRANGERS {
            clinic.text(phone, FRONT_DESK, "I need a refill").await;
        }
        let policy = clinic.binding(Hook::Routing).await.policy_id;
        let settings = refills_to_nurses(&clinic).await;
        let id = begin(&clinic, wanted(policy, &settings)).await;
        let store = &clinic.app.server.store;
        let gone: NodeId = store.ids().next(store.now());
        let until = store.now().plus(Duration::from_secs(15));
        let (organization, claimed): (_, BacktestId) =
            store.claim_backtest(gone, until).await.unwrap().unwrap();
        assert_eq!((organization, claimed.to_string()), (clinic.organization, id.clone()));
        let kept = clinic.change(move |mut org| {
            async move { org.backtest_progress(claimed, gone, (4, 3), until).await }.boxed()
        });
        assert!(kept.await);
        clinic.app.start_backtests();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let held = state(&clinic, &id).await;
        assert_eq!((&held["state"], &held["done"]), (&json!("running"), &json!(3)), "its lease is not over");
        clinic.app.advance(Duration::from_secs(16));
        assert_eq!(report(&clinic, &id).await.body["changed"], 4);
        let late = clinic.change(move |mut org| {
            async move { org.finish_backtest(claimed, gone, (4, 4), b"{}").await }.boxed()
        });
        assert!(!late.await, "who was given up has nothing to say");
    })
    .await;
}

#[tokio::test]
async fn who_may_and_what_is_refused() {
    run(async |clinic| {
        let policy = clinic.binding(Hook::Routing).await.policy_id;
        let lead = clinic.colleague(Role::Lead, "Lee Lead").await;
        let auditor = clinic.colleague(Role::Auditor, "Ora Auditor").await;
        let body = wanted(policy, &Value::Null);
        for (who, status) in [
            (&clinic.maya, StatusCode::FORBIDDEN),
            (&auditor, StatusCode::FORBIDDEN),
            (&lead, StatusCode::ACCEPTED),
        ] {
            assert_eq!(clinic.post(who, "backtests", body.clone()).await.status, status);
        }
        let with = |name: &str, value: Value| {
            let mut body = body.clone();
            body[name] = value;
            body
        };
        for wrong in [
            with("days", json!(0)),
            with("days", json!(366)),
            with("since", json!("2026-01-01T00:00:00Z")),
            with("hook", json!("replies")),
            with("policy_id", json!(clinic.organization)),
            with("number_id", json!(clinic.organization)),
        ] {
            let refused = clinic.post(&clinic.alex, "backtests", wrong.clone()).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.body);
        }
        // The same key makes one.
        let bearer = format!("Bearer {}", clinic.alex.token);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "once")];
        let post = || clinic.app.request(Method::POST, "/api/v1/backtests", &headers, body.to_string());
        let (first, second) = (post().await, post().await);
        assert_eq!(second.status, StatusCode::ACCEPTED);
        assert_eq!(first.body["id"], second.body["id"]);
        assert_eq!(clinic.list("backtests").await.len(), 2);
        for _ in 2..10 {
            clinic.post(&clinic.alex, "backtests", body.clone()).await.ok();
        }
        let refused = clinic.post(&clinic.alex, "backtests", body.clone()).await;
        assert_eq!((refused.status, refused.problem()), (StatusCode::CONFLICT, "too-many"));
        let id = first.body["id"].as_str().unwrap();
        let report = clinic.get_as(&clinic.maya, &format!("backtests/{id}/report")).await;
        assert_eq!(report.status, StatusCode::FORBIDDEN);
    })
    .await;
}

/// Records calls of the default routing as the pipeline does, many at a time.
async fn record_many(clinic: &Clinic, count: usize) {
    const TEXTS: [&str; 6] = [
        "I need a refill",
        "about my bill",
        "I have a fever",
        "Hello",
        "my test results",
        "an appointment, please",
    ];
    clinic.text(STRANGERS[0], FRONT_DESK, "Hello").await;
    let id = clinic.conversation_id(STRANGERS[0], FRONT_DESK).await;
    let decision = &clinic.decisions_of(id, "routing").await[0];
    let whole = clinic.get(&format!("decisions/{}", decision["id"].as_str().unwrap())).await;
    let base: CallRecord = serde_json::from_value(whole["record"].clone()).unwrap();
    let server = &clinic.app.server;
    let policy = server.policies.get(&server.store, clinic.organization, base.policy).await.unwrap();
    let binding = clinic.binding(Hook::Routing).await;
    let settings = binding.settings.as_str().into();
    for first in (1..count).step_by(500) {
        let mut conversation: ConversationId = server.store.ids().next(server.store.now());
        let decisions: Vec<_> = (first..(first + 500).min(count))
            .map(|number| {
                let mut asked = base.clone();
                let HookInput::Routing(turn) = &mut asked.input else { panic!("no routing") };
                turn.text = format!("{} {number}", TEXTS[number % TEXTS.len()]);
                let record = server.policies.host().rerun(&policy, &settings, &asked, &[]).record;
                if number % 5 == 0 {
                    conversation = server.store.ids().next(server.store.now());
                }
                let message: MessageId = server.store.ids().next(server.store.now());
                let id: DecisionId = server.store.ids().next(server.store.now());
                NewDecision {
                    id,
                    conversation_id: Some(conversation),
                    message_id: Some(message),
                    binding_id: binding.id,
                    policy_id: binding.policy_id,
                    hook: "routing",
                    outcome: record.outcome.as_str(),
                    fault: None,
                    effect: "applied",
                    fuel: i64::try_from(record.fuel).unwrap(),
                    memory_peak: i64::try_from(record.memory_peak).unwrap(),
                    micros: i64::try_from(record.micros).unwrap(),
                    record: serde_json::to_vec(&record).unwrap(),
                    read_patient: false,
                }
            })
            .collect();
        clinic
            .change(|mut org| {
                async move { decisions.into_iter().try_for_each(|one| org.insert_decision(one)) }.boxed()
            })
            .await;
    }
}

/// `ANTEROOM_BACKTEST_TURNS` sets how many; 2,000 without it.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the figure is what this is for")]
async fn many_turns() {
    /// Texts that are lived through beside, for comparison.
    const LIVED: u32 = 200;
    let count = env::var("ANTEROOM_BACKTEST_TURNS").map_or(2_000, |count| count.parse().unwrap());
    run(async |clinic| {
        clinic.app.start_backtests();
        let recording = Instant::now();
        record_many(&clinic, count).await;
        println!("{count} turns recorded in {:?}", recording.elapsed());
        let policy = clinic.binding(Hook::Routing).await.policy_id;
        let settings = refills_to_nurses(&clinic).await;
        let id = begin(&clinic, wanted(policy, &settings)).await;
        let progress = async |name: &str| state(&clinic, &id).await[name].as_u64();
        eventually("it begins", || async { state(&clinic, &id).await["started_at"].is_string() }).await;
        let started = Instant::now();
        while progress("done").await < Some(count as u64) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = started.elapsed();
        let report = report(&clinic, &id).await;
        let rate = f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64();
        println!(
            "{count} turns tried in {took:?}: {rate:.0} turns/s; a report of {} bytes",
            report.bytes.len()
        );
        assert_eq!(report.body["turns"], count);
        assert_eq!(report.body["moves"][0]["from"], "Pharmacy");
        let living = Instant::now();
        for number in 0..LIVED {
            clinic.deliver(&format!("+1512556{number:04}"), FRONT_DESK, "I need a refill").await;
        }
        clinic.app.settled().await;
        let lived = f64::from(LIVED) / living.elapsed().as_secs_f64();
        println!(
            "texts that arrive, are decided upon and answered here: {lived:.0} turns/s, {:.0} times slower",
            rate / lived
        );
        let verifying = Instant::now();
        let chain = clinic.get_as(&clinic.alex, "decisions/verify").await.ok();
        println!("the chain: {} verified in {:?}", chain["checked"], verifying.elapsed());
        assert_eq!(chain["intact"], true);
    })
    .await;
}
