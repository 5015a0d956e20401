//! Each hostile guest bound to its hook, and what a patient's text comes to.

use anteroom_model::hooks::Hook;
use anteroom_policy::{CallRecord, Outcome};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    guest,
    support::{Clinic, FRONT_DESK, NEW_PATIENTS, run},
};

const STRANGER: &str = "+15125550177";

/// The design's limits of one call.
const FUEL: u64 = 20_000_000;
const MEMORY: u64 = 32 << 20;
/// The wall's ceiling, which these tests allow, and as much again for a machine that was asleep.
const MICROS: u64 = 2_000_000;

/// Binds the guest, texts, and looks at everything that came of it.
async fn ends_as(name: &str, hook: Hook, fault: &str) {
    run(async |clinic| {
        clinic.bind(hook, guest(name), None, &[]).await;
        let number = if hook == Hook::Identity { NEW_PATIENTS } else { FRONT_DESK };
        clinic.text(STRANGER, number, "I need a refill").await;
        let id = clinic.conversation_id(STRANGER, number).await;
        if hook == Hook::Shortcuts {
            let here = json!({ "conversation_id": id });
            let path = format!("shortcuts?conversation_id={id}");
            for answer in [
                clinic.api(&clinic.maya, Method::GET, &path, &Value::Null).await,
                clinic.post(&clinic.maya, "shortcuts/hello/expand", here).await,
            ] {
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
                assert_eq!((answer.problem(), &answer.body["fault"]), ("policy-fault", &json!(fault)));
            }
        } else {
            let told = clinic.told(id, "policy.fault").await;
            assert_eq!(told.len(), 1, "{told:?}");
            let data = &told[0]["data"];
            assert_eq!((&data["hook"], &data["fault"]), (&json!(hook.as_str()), &json!(fault)));
            let summary = told[0]["summary"].as_str().unwrap();
            assert!(summary.contains(&format!("failed in {hook} ({fault})")), "{summary}");
        }

        assert_eq!(clinic.queue("unassigned").await, [id], "a person sees it");
        what_still_works(&clinic, number, hook).await;
        let decisions = clinic.decisions_of(id, hook.as_str()).await;
        assert_eq!(decisions.len(), if hook == Hook::Shortcuts { 2 } else { 1 });
        for decision in &decisions {
            within_limits(&clinic, decision, fault).await;
        }

        // The next text meets a fresh instance, and the same end.
        clinic.text(STRANGER, number, "Hello?").await;
        for path in ["/healthz", "/readyz"] {
            assert_eq!(clinic.app.request(Method::GET, path, &[], "").await.status, StatusCode::OK);
        }
    })
    .await;
}

/// The other hooks' policies do their work, and the host fails closed for the one that doesn't.
async fn what_still_works(clinic: &Clinic, number: &str, hook: Hook) {
    let conversation = clinic.conversation(STRANGER, number).await;
    let guest = conversation["patient"]["display_name"].as_str().unwrap();
    assert!(guest.starts_with("Guest "), "{guest}");
    let team = if hook == Hook::Routing { Value::Null } else { json!("Pharmacy") };
    assert_eq!(conversation["team"]["name"], team);
    let texts = usize::from(hook != Hook::Replies);
    assert_eq!(clinic.received(STRANGER, number).await.len(), texts, "the welcome");
}

async fn within_limits(clinic: &Clinic, decision: &Value, fault: &str) {
    assert_eq!((&decision["outcome"], &decision["fault"]), (&json!("fault"), &json!(fault)));
    assert_eq!(decision["effect"], "none");
    assert!(decision["fuel"].as_u64().unwrap() <= FUEL, "{decision}");
    assert!(decision["memory_peak"].as_u64().unwrap() <= MEMORY, "{decision}");
    assert!(decision["micros"].as_u64().unwrap() <= MICROS, "{decision}");

    let id = decision["id"].as_str().unwrap();
    let record = clinic.get(&format!("decisions/{id}")).await["record"].take();
    let record: CallRecord = serde_json::from_value(record).unwrap();
    let Outcome::Fault(recorded) = &record.outcome else { panic!("{:?}", record.outcome) };
    assert_eq!(recorded.kind.as_str(), fault);
    assert!(recorded.is_authors());
    assert!(record.answers.len() <= 200, "{} host calls", record.answers.len());
    assert!(record.log.iter().map(|line| line.line.len()).sum::<usize>() <= 16 << 10);
}

macro_rules! guests {
    ($($guest:ident: $hook:ident ends as $fault:literal)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $guest() {
            ends_as(stringify!($guest), Hook::$hook, $fault).await;
        }
    )*};
}

guests! {
    endless_loop: Routing ends as "fuel"
    memory_bomb: Routing ends as "memory"
    memory_bomb_many: Routing ends as "memory"
    deep_recursion: Routing ends as "stack"
    stack_overflow: Routing ends as "stack"
    huge_output: Routing ends as "output_too_large"
    host_call_flood: Routing ends as "host_calls"
    log_flood: Routing ends as "log"
    trap: Routing ends as "trap"
    trap_identity: Identity ends as "trap"
    trap_replies: Replies ends as "trap"
    trap_shortcuts: Shortcuts ends as "trap"
    wrong_settings: Routing ends as "settings"
    bad_names: Routing ends as "invalid_output"
}
