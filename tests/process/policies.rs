//! Organizations' own policies on the running server: hostile uploads, versions tried under load, and the
//! examples deciding on a patient's text.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use anteroom_test_support::{
    Api, Reply,
    corpus::marked,
    eventually,
    load::{Crowd, Door, Findings, Lane, Load, number, say, seed},
    uploads,
};
use http::{Method, header};
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::{STRANGER, TEN_DLC, TOLL_FREE, id, launch},
};

const MOODY: &[u8] = include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/test/traps_on_word.wasm"));
/// What else a compile bomb may be refused for where the compiler has more time and memory.
const BOMBED: [&str; 4] = ["compile_time", "compile_memory", "compiled_too_large", "signature"];
/// What the server may grow by, whatever is sent to it.
const GROWTH: u64 = 256 * 1024 * 1024;

/// Sends a component; the upload once it has ended, or the problem it was turned away with.
async fn upload(api: &Api, component: &[u8]) -> Value {
    loop {
        let request = api.request(Method::POST, "/api/v1/policies").body(component.to_vec());
        let request = request.header(header::CONTENT_TYPE, "application/wasm");
        let reply = Reply::of(request).await.expect("an answer");
        match reply.status.as_u16() {
            202 => {
                let location = reply.header("location").to_owned();
                let ended = async || {
                    let upload = api.get(&location).await.expect(200);
                    (upload["state"] != "checking").then_some(upload)
                };
                return eventually("the end of an upload", Duration::from_mins(3), ended).await;
            }
            503 => tokio::time::sleep(Duration::from_millis(200)).await,
            _ => return reply.json(),
        }
    }
}

async fn policy(api: &Api, component: &[u8]) -> String {
    let upload = upload(api, component).await;
    assert_eq!(upload["state"], "stored", "{upload}");
    upload["policy_id"].as_str().expect("an id").to_owned()
}

async fn bind(api: &Api, binding: Value) -> String {
    let bound = api.post("/api/v1/bindings", &binding).await.expect(201);
    id(&bound["binding"]).to_owned()
}

/// The most memory that the process has had, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok());
    kib.expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_uploads_are_refused_and_cost_the_server_nothing() {
    let clinic = Clinic::open().await;
    let api = clinic.api("admin");
    let before = api.items("/api/v1/policies").await.len();
    let process = clinic.anteroom.demo().pid;
    let memory = peak_memory(process);
    let hostile = uploads::hostile();
    assert!(hostile.len() >= 30, "{}", hostile.len());
    for sent in &hostile {
        if sent.bytes.is_empty() {
            continue; // a request without a body is no upload
        }
        let answer = upload(&api, &sent.bytes).await;
        let refusal = &answer["refusal"];
        let code = refusal["code"].as_str().unwrap_or_default();
        // What is too much for the compiler of the tests may only keep that of a server busy.
        let is_bomb = sent.code.starts_with("compile_");
        assert!(code == sent.code || is_bomb && BOMBED.contains(&code), "{}: {answer}", sent.name);
        assert!(refusal["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{}: {answer}", sent.name);
        assert!(answer["policy_id"].is_null(), "{}: {answer}", sent.name);
    }
    assert_eq!(api.items("/api/v1/policies").await.len(), before, "nothing of them is kept");
    let growth = peak_memory(process).saturating_sub(memory);
    say(&format!("{} hostile uploads refused; the server grew by {} MiB", hostile.len(), growth >> 20));
    assert!(growth < GROWTH, "the server grew by {growth} bytes");
    clinic.text(STRANGER, TOLL_FREE, "I need a refill").await;
    clinic.conversation_with(STRANGER, TOLL_FREE, "I need a refill").await;
}

/// Load by patients and staff, until `meanwhile` is over; then everything is checked.
async fn under_load(clinic: &Clinic, meanwhile: impl Future<Output = ()>) -> Findings {
    clinic.twilio.set_latency(Duration::from_millis(5));
    let token = |who: &str| clinic.anteroom.demo().staff(who).token.clone();
    let crowd = Crowd {
        lanes: Lane::between(12, &[TOLL_FREE, TEN_DLC]),
        patients: 6,
        staff: vec![token("Maya")],
        agent: token("agent"),
        seed: seed(),
    };
    let door = || vec![Door::of(&clinic.anteroom, clinic.anteroom.demo())];
    let mut load = Load::start(crowd, door(), &clinic.twilio);
    meanwhile.await;
    load.stop().await;
    clinic.idle().await;
    let demo = clinic.anteroom.demo();
    let tokens = ["lead", "auditor", "agent"].map(|who| demo.staff(who).token.as_str());
    let findings = load.check(&door(), tokens, &clinic.twilio).await;
    say(&findings.to_string());
    findings.assert_good(50, 1);
    findings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn activations_under_load_drop_nothing() {
    let clinic = Clinic::open().await;
    let api = clinic.api("admin");
    let moody = policy(&api, MOODY).await;
    let meanwhile = async {
        for _ in 0..10 {
            let binding = json!({ "hook": "routing", "mode": "active", "policy_id": moody });
            let id = bind(&api, binding).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            api.post(&format!("/api/v1/bindings/{id}/rollback"), &Value::Null).await.expect(200);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    under_load(&clinic, meanwhile).await;
    let faults = api.items("/api/v1/decisions?hook=routing&fault=any").await;
    assert!(faults.is_empty(), "{faults:?}");
    let decisions = api.items("/api/v1/decisions?hook=routing&limit=200").await;
    let new = decisions.iter().filter(|decision| decision["policy_id"] == moody).count();
    assert!(0 < new && new < decisions.len(), "{new} of {} by the one that was bound", decisions.len());
}

/// `ANTEROOM_FLOOD_SECONDS` sets how long a thousand texts a second come in; 3 without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn activations_amid_a_thousand_texts_a_second_drop_none() {
    const EACH_SECOND: u32 = 1_000;
    const SENDERS: u32 = 32;
    let texts = EACH_SECOND * u32::try_from(number("ANTEROOM_FLOOD_SECONDS").unwrap_or(3)).expect("small");
    let clinic = Clinic::open().await;
    let api = clinic.api("admin");
    let policies = [policy(&api, MOODY).await, policy(&api, &marked(MOODY, 1)).await];
    let account = clinic.anteroom.demo().account("twilio").as_twilio();
    let begun = tokio::time::Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (account, client) = (account.clone(), clinic.anteroom.client().clone());
        senders.spawn(async move {
            for number in (sender..texts).step_by(SENDERS as usize) {
                tokio::time::sleep_until(begun + Duration::from_secs(1) * number / EACH_SECOND).await;
                let phone = format!("+1512{:07}", 7_000_000 + number % 2_000);
                account.text(&phone, TOLL_FREE, &format!("Text {number}")).taken(&client).await;
            }
        });
    }
    let activations = async {
        let mut made = 0;
        while begun.elapsed() < Duration::from_secs(1) * texts / EACH_SECOND {
            let policy_id = &policies[made % 2];
            bind(&api, json!({ "hook": "routing", "mode": "active", "policy_id": policy_id })).await;
            made += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        made
    };
    let (made, ()) = tokio::join!(activations, async {
        while let Some(sent) = senders.join_next().await {
            sent.expect("taken");
        }
    });
    let took = begun.elapsed();
    clinic.idle().await;

    let (mut decided, mut cursor) = (BTreeMap::<String, Vec<String>>::new(), String::new());
    loop {
        let page = api.get(&format!("/api/v1/decisions?hook=routing&limit=200{cursor}")).await.expect(200);
        for decision in page["items"].as_array().expect("items") {
            assert_eq!(decision["fault"], Value::Null, "{decision}");
            let by = text(decision, "policy_id").to_owned();
            decided.entry(text(decision, "message_id").to_owned()).or_default().push(by);
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let by = |policy: &String| decided.values().filter(|by| by.contains(policy)).count();
    let share: Vec<_> = policies.iter().map(by).collect();
    say(&format!(
        "{made} activations amid {texts} texts in {took:.1?}: decided upon {}, by the two versions {share:?}",
        decided.len()
    ));
    assert_eq!(decided.len(), texts as usize, "a text without a decision");
    assert!(decided.values().all(|by| by.len() == 1), "a text decided upon twice");
    assert!(share.iter().all(|count| *count > 0), "{share:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_canary_that_traps_and_a_shadow_leave_no_text_unrouted() {
    let clinic = Clinic::open().await;
    let api = clinic.api("admin");
    let moody = policy(&api, MOODY).await;
    let shadow = json!({ "hook": "routing", "mode": "shadow", "policy_id": moody });
    bind(&api, shadow).await;
    // An empty word is in every text: it traps at each.
    let canary = json!({ "hook": "routing", "mode": "canary", "policy_id": moody,
        "settings": { "word": "" }, "canary": { "percent": 50 } });
    let canary = bind(&api, canary).await;
    let stopped = async || {
        let bindings = api.items("/api/v1/bindings").await;
        bindings.iter().all(|binding| id(binding) != canary).then_some(())
    };
    let meanwhile = async {
        eventually("the end of the canary", Duration::from_secs(40), stopped).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    };
    under_load(&clinic, meanwhile).await;

    let notices = api.items("/api/v1/notices").await;
    assert_eq!(notices[0]["kind"], "policy.canary_stopped", "{notices:?}");
    assert!(notices[0]["data"]["affected_messages"].as_u64().is_some_and(|texts| texts >= 5), "{notices:?}");
    let faults = api.items("/api/v1/decisions?hook=routing&fault=any&limit=200").await;
    say(&format!("the canary trapped {} times before it was stopped", faults.len()));
    assert!(faults.len() >= 5);
    for fault in &faults {
        let of = format!(
            "/api/v1/decisions?hook=routing&limit=200&conversation_id={}",
            text(fault, "conversation_id")
        );
        let decisions = api.items(&of).await;
        let same = decisions.iter().filter(|decision| decision["message_id"] == fault["message_id"]);
        let effects: Vec<_> = same.map(|decision| text(decision, "effect")).collect();
        assert!(
            effects.contains(&"applied") || effects.contains(&"none") && effects.len() > 1,
            "{effects:?}"
        );
    }
    let shadows = api.items("/api/v1/decisions?hook=routing&effect=shadow&limit=200").await;
    assert!(!shadows.is_empty());
    let moved = clinic.api("lead").items("/api/v1/conversations?queue=all&limit=200").await;
    assert!(moved.iter().all(|conversation| conversation["category"] != "moody"), "a shadow had an effect");
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// In four languages, built from the registries, sent to the running server, bound, and asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_decide_on_a_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = tokio::task::spawn_blocking({
        let script = root.join("scripts/build-examples");
        move || Command::new(script).env("ANTEROOM_BIN", env!("CARGO_BIN_EXE_anteroom")).output()
    });
    let built = built.await.expect("no panic").expect("scripts/build-examples");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let clinic = Clinic::open_with(launch()).await;
    let api = clinic.api("admin");
    let examples = [
        ("refill-triage", "routing", "Hi, can I get a refill of my lisinopril?"),
        ("language-routing", "routing", "Hola, necesito una cita por favor"),
        ("appointment-keywords", "routing", "CONFIRM"),
        ("insurance-card", "replies", "Do you take my new insurance?"),
    ];
    for (number, (example, hook, asked)) in examples.into_iter().enumerate() {
        let component = fs::read(root.join(format!("target/guests/examples/{example}.wasm"))).expect("built");
        let policy = policy(&api, &component).await;
        bind(&api, json!({ "hook": hook, "mode": "active", "policy_id": policy })).await;
        let phone = format!("+1512555016{number}");
        clinic.text(&phone, TOLL_FREE, asked).await;
        let conversation = clinic.conversation_with(&phone, TOLL_FREE, asked).await;
        let of = format!("/api/v1/decisions?hook={hook}&conversation_id={}", id(&conversation));
        let decided = async || {
            let decisions = api.items(&of).await;
            decisions.into_iter().find(|decision| decision["policy_id"] == policy)
        };
        let decision = eventually("a decision of the example", Duration::from_secs(30), decided).await;
        say(&format!(
            "{example}: {} with {} fuel in {} µs",
            decision["outcome"], decision["fuel"], decision["micros"]
        ));
        assert_eq!(
            (&decision["outcome"], &decision["fault"]),
            (&json!("decided"), &Value::Null),
            "{example}"
        );
    }
}
