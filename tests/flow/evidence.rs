//! Decisions are evidence: a chain that shows every change, exported whole, and run again to the bit elsewhere.

use std::{collections::BTreeMap, env, path::Path, sync::Arc};

use anteroom::{builtin, policies::Policies, replay::replay};
use anteroom_model::{
    hooks::Hook,
    ids::{DecisionId, PolicyId},
    states::{BindingMode, Role},
};
use anteroom_policy::{HostConfig, PolicyHost};
use anteroom_store::{DecisionFilter, NewBinding, Org};
use anteroom_test_support::corpus::corpus;
use axum::http::{Method, StatusCode};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Clinic, FRONT_DESK, NEW_PATIENTS, run};

const JOHN: &str = "+15125550102";
const STRANGER: &str = "+15125550177";

async fn some(clinic: &Clinic) {
    for text in ["I need a refill", "John Smith", "11/30/1962"] {
        clinic.text(JOHN, NEW_PATIENTS, text).await;
    }
    clinic.text(STRANGER, FRONT_DESK, "my bill").await;
    let id = clinic.conversation_id(JOHN, NEW_PATIENTS).await;
    clinic.list(&format!("shortcuts?conversation_id={id}")).await;
}

#[tokio::test]
async fn lists_are_narrowed() {
    run(async |clinic| {
        some(&clinic).await;
        let all = clinic.list("decisions").await;
        let places: Vec<_> = all.iter().map(|decision| decision["seq"].as_i64().unwrap()).collect();
        assert_eq!(places, (1..=i64::try_from(all.len()).unwrap()).rev().collect::<Vec<_>>());
        let count = async |query: &str| clinic.list(&format!("decisions?{query}")).await.len();
        let policy = clinic.binding(Hook::Routing).await.policy_id;
        let id = clinic.conversation_id(JOHN, NEW_PATIENTS).await;
        assert_eq!(count("hook=routing").await, 4);
        assert_eq!(count(&format!("policy_id={policy}")).await, 4);
        assert_eq!(count(&format!("policy_id={policy}&conversation_id={id}")).await, 3);
        assert_eq!(count(&format!("hook=shortcuts&conversation_id={id}")).await, 1);
        assert_eq!(count("fault=any").await, 0);
        assert_eq!(count("outcome=decided&effect=applied&hook=routing").await, 2);
        let third = &all[2];
        let since = third["created_at"].as_str().unwrap();
        assert!(all.len() > count(&format!("since={since}")).await);
        assert_eq!(
            count(&format!("since={since}")).await + count(&format!("until={since}")).await,
            all.len()
        );
        for wrong in ["hook=nothing", "outcome=none", "effect=some", "since=yesterday"] {
            let refused = clinic.get_as(&clinic.alex, &format!("decisions?{wrong}")).await;
            assert!(refused.status.is_client_error(), "{wrong}: {}", refused.status);
        }
        // Page by page.
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = clinic.get(&format!("decisions?limit=3{cursor}")).await;
            paged.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, all);
    })
    .await;
}

#[tokio::test]
async fn what_was_tampered_with_is_found_and_named() {
    run(async |clinic| {
        some(&clinic).await;
        let verify = async |query: &str| {
            let path = format!("decisions/verify{query}");
            clinic.get_as(&clinic.alex, &path).await.ok()
        };
        let end = i64::try_from(clinic.list("decisions").await.len()).unwrap();
        let whole = verify("").await;
        assert_eq!(whole["intact"], true, "{whole}");
        assert_eq!((&whole["checked"], &whole["end_seq"]), (&json!(end), &json!(end)));
        assert_eq!((&whole["next_seq"], &whole["outside_of_chain"]), (&Value::Null, &json!(0)));
        assert_eq!(verify("?limit=4").await["next_seq"], 5);
        assert_eq!(verify("?from_seq=5").await["checked"], end - 4);
        let agents = clinic.get_as(&clinic.maya, "decisions/verify").await;
        assert_eq!(agents.status, StatusCode::FORBIDDEN);
        clinic.app.sql("UPDATE decisions SET effect = 'none' WHERE seq = 2").await;
        let broken = verify("").await;
        assert_eq!((&broken["intact"], &broken["checked"]), (&json!(false), &json!(1)));
        let problem = &broken["first_problem"];
        assert_eq!((&problem["seq"], &problem["kind"]), (&json!(2), &json!("changed")));
    })
    .await;
}

#[tokio::test]
async fn an_export_has_everything_to_the_byte() {
    run(async |clinic| {
        some(&clinic).await;
        let auditor = clinic.colleague(Role::Auditor, "Ora Auditor").await;
        let lead = clinic.colleague(Role::Lead, "Lee Lead").await;
        for who in [&clinic.maya, &lead] {
            let refused = clinic.get_as(who, "decisions/export").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
        }
        let export = clinic.get_as(&auditor, "decisions/export").await;
        assert_eq!(export.headers["content-type"], "application/x-ndjson");
        let text = String::from_utf8(export.bytes.to_vec()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let all = clinic.list("decisions").await;
        assert_eq!(lines.len(), all.len());
        for (line, listed) in lines.iter().zip(&all) {
            let mut line = line.clone();
            let record = line.as_object_mut().unwrap().remove("record").unwrap();
            assert_eq!(&line, listed);
            assert_eq!(record["hook"], listed["hook"]);
        }
        // Each record as it was hashed.
        let store = &clinic.app.server.store;
        let keys = store.keys(clinic.organization).await.unwrap();
        let mut org: Org<'_> = store.read(clinic.organization).await.unwrap();
        for decision in org.decisions(&DecisionFilter::default(), DecisionId::GREATEST, 100).await.unwrap() {
            let record = String::from_utf8(decision.record(&keys).unwrap()).unwrap();
            assert!(text.contains(&record));
        }
        drop(org);
        let routed = clinic.get_as(&auditor, "decisions/export?hook=routing").await;
        assert_eq!(routed.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 4);
        let audit = clinic.get_as(&auditor, "audit").await.ok();
        let exported =
            audit["items"].as_array().unwrap().iter().filter(|one| one["action"] == "decisions.exported");
        assert_eq!(exported.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_replay_over_the_api_says_what_it_found() {
    run(async |clinic| {
        some(&clinic).await;
        for decision in clinic.list("decisions").await {
            let path = format!("decisions/{}/replay", decision["id"].as_str().unwrap());
            let replayed = clinic.post(&clinic.alex, &path, Value::Null).await.ok();
            assert_eq!(replayed["same"], true, "{replayed}");
            assert_eq!((&replayed["repeatable"], &replayed["differences"]), (&json!(true), &json!([])));
            assert_eq!(replayed["fuel"], decision["fuel"]);
            assert_eq!(replayed["engine_recorded"], replayed["engine_now"]);
        }
        let one = clinic.list("decisions").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("decisions/{one}/replay");
        assert_eq!(clinic.post(&clinic.maya, &path, Value::Null).await.status, StatusCode::FORBIDDEN);
        let gone = format!("decisions/{}/replay", clinic.organization);
        assert_eq!(clinic.post(&clinic.alex, &gone, Value::Null).await.status, StatusCode::NOT_FOUND);
        let audit = clinic.get_as(&clinic.alex, "audit").await.ok();
        let replays =
            audit["items"].as_array().unwrap().iter().filter(|one| one["action"] == "decision.replayed");
        assert_eq!(replays.count(), clinic.list("decisions").await.len());
    })
    .await;
}

/// Words that lead somewhere in the default policies, and some that don't.
const WORDS: [&str; 24] = [
    "refill",
    "bill",
    "fever",
    "hello",
    "chest pain",
    "results",
    "appointment",
    "María",
    "11/30/1962",
    "John",
    "Smith",
    "exit",
    "thanks",
    "?",
    "👋",
    "urgent",
    "my",
    "the",
    "please",
    "1985-03-04",
    "Ana Morales",
    "no",
    "insurance",
    "x",
];
const SHORTCUTS: [&str; 5] = ["hello", "call-us", "opening", "refill-sent", "none-of-that-name"];

/// A generator of tests: the same sequence in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

impl Clinic {
    /// Has the corpus, which is of four languages, decide too: beside the defaults without effect, and on the
    /// shortcuts of one number. The versions, by language and name.
    async fn try_the_corpus(&self) -> BTreeMap<PolicyId, String> {
        let server = &self.app.server;
        let number = self.number(NEW_PATIENTS).await;
        let mut versions = BTreeMap::new();
        for kept in corpus() {
            let component: Arc<[u8]> = kept.component.into();
            let policy = server.policies.load(&server.store, self.organization, component.clone()).await;
            let hooks = policy.unwrap().hooks.clone();
            let added = builtin::add_policy(
                &server.store,
                &server.policies,
                self.organization,
                component,
                "uploaded",
            );
            let (policy_id, settings) = added.await.unwrap();
            versions.insert(policy_id, kept.name);
            for hook in hooks {
                let listed = hook == Hook::Shortcuts;
                let binding = NewBinding {
                    hook: hook.as_str(),
                    number_id: listed.then_some(number),
                    position: 0,
                    mode: if listed { BindingMode::Active } else { BindingMode::Shadow },
                    policy_id,
                    settings: settings.to_string(),
                    granted_fields: Vec::new(),
                    canary: None,
                    replaced_id: None,
                    created_by: None,
                };
                self.change(move |mut org| async move { org.insert_binding(&binding).await }.boxed()).await;
            }
        }
        server.directory.forget(self.organization);
        versions
    }
}

/// `ANTEROOM_REPLAYS` sets how many; 200 without it.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "how many of which is worth knowing")]
async fn many_random_decisions_replay_to_the_bit_on_another_node() {
    let wanted: usize = env::var("ANTEROOM_REPLAYS").map_or(200, |count| count.parse().unwrap());
    run(async |clinic| {
        let mut dice = Dice(7);
        let versions = clinic.try_the_corpus().await;
        let store = &clinic.app.server.store;
        let recorded =
            async || store.read(clinic.organization).await.unwrap().decision_chain().await.unwrap().seq;
        while usize::try_from(recorded().await).unwrap() < wanted {
            for _ in 0..20 {
                let text: Vec<_> = (0..=dice.below(6)).map(|_| WORDS[dice.below(WORDS.len())]).collect();
                let phone = format!("+1512555{:04}", 100 + dice.below(wanted / 4));
                let number = [FRONT_DESK, NEW_PATIENTS][dice.below(2)];
                clinic.deliver(&phone, number, &text.join(" ")).await;
            }
            clinic.app.settled().await;
            for _ in 0..4 {
                let open = clinic.queue("all").await;
                let here = json!({ "conversation_id": open[dice.below(open.len())] });
                let path = format!("shortcuts/{}/expand", SHORTCUTS[dice.below(SHORTCUTS.len())]);
                clinic.api(&clinic.maya, Method::POST, &path, &here).await;
            }
        }
        // Another node: an engine of its own that compiles for itself.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
        let other = HostConfig { cache_dir: Some(folder), ..HostConfig::new([4; 32]) };
        let other = Policies::new(PolicyHost::new(other).unwrap());
        let mut seen = BTreeMap::<_, usize>::new();
        let mut by_policy = BTreeMap::<&str, usize>::new();
        let (mut before, mut replayed) = (DecisionId::GREATEST, 0);
        loop {
            let mut org = store.read(clinic.organization).await.unwrap();
            let batch = org.decisions(&DecisionFilter::default(), before, 100).await.unwrap();
            drop(org);
            let Some(last) = batch.last() else { break };
            before = last.id;
            for decision in &batch {
                let again = replay(store, &other, clinic.organization, decision).await.unwrap();
                if !again.record.outcome.is_repeatable() {
                    continue;
                }
                assert!(again.replay.same, "{} {:?}", decision.id, again.replay.differences);
                *seen.entry((decision.hook.clone(), decision.outcome.clone())).or_default() += 1;
                *by_policy
                    .entry(versions.get(&decision.policy_id).map_or("the defaults", String::as_str))
                    .or_default() += 1;
                replayed += 1;
            }
        }
        println!("{replayed} replayed to the bit: {seen:?}, {by_policy:?}");
        assert!(replayed >= wanted);
        for name in versions.values() {
            assert!(by_policy.contains_key(name.as_str()), "{name}: {by_policy:?}");
        }
        for hook in Hook::ALL {
            assert!(seen.keys().any(|(seen, _)| seen == hook.as_str()), "{hook}: {seen:?}");
        }
    })
    .await;
}
