//! Every call of a policy is recorded so that it can be explained and run again, to the bit.

use anteroom_model::hooks::Hook;
use anteroom_policy::{CallRecord, Digest, Replay};
use anteroom_store::{Binding, PolicyRow};
use serde_json::{Value, json};

use crate::support::{Clinic, NEW_PATIENTS, run};

const JOHN: &str = "+15125550102";

/// One call of every hook: an identity's three questions, routing and replies at each text, shortcuts.
async fn every_hook(clinic: &Clinic) -> Vec<Value> {
    for text in ["I need a refill", "John Smith", "11/30/1962"] {
        clinic.text(JOHN, NEW_PATIENTS, text).await;
    }
    let id = clinic.conversation_id(JOHN, NEW_PATIENTS).await;
    let here = json!({ "conversation_id": id });
    clinic.list(&format!("shortcuts?conversation_id={id}")).await;
    clinic.post(&clinic.maya, "shortcuts/hello/expand", here).await.ok();
    clinic.decisions(id).await
}

/// The whole record of a decision.
async fn record(clinic: &Clinic, decision: &Value) -> Value {
    clinic.get(&format!("decisions/{}", decision["id"].as_str().unwrap())).await["record"].take()
}

/// Runs a record again with what the store kept: the component by its digest, the settings of its binding.
async fn replay(clinic: &Clinic, decision: &Value, record: &CallRecord) -> Replay {
    let server = &clinic.app.server;
    let mut org = server.store.read(clinic.organization).await.unwrap();
    let id = decision["policy_id"].as_str().unwrap().parse().unwrap();
    let row: PolicyRow = org.policy(id).await.unwrap().unwrap();
    assert_eq!(row.digest, record.policy.as_bytes());
    let bindings: Vec<Binding> = org.bindings().await.unwrap();
    let binding = bindings.into_iter().find(|one| decision["binding_id"] == one.id.to_string()).unwrap();
    drop(org);
    let digest = Digest::from_bytes(row.digest.try_into().unwrap());
    let policy = server.policies.get(&server.store, clinic.organization, digest).await.unwrap();
    server.policies.host().replay(&policy, &binding.settings.as_str().into(), record)
}

#[tokio::test]
async fn every_decision_replays_to_the_bit() {
    run(async |clinic| {
        let decisions = every_hook(&clinic).await;
        let hooks: Vec<_> = decisions.iter().map(|decision| decision["hook"].as_str().unwrap()).collect();
        let turn = ["identity", "routing", "replies"];
        assert_eq!(hooks, [&turn[..], &turn, &turn, &["shortcuts", "shortcuts"]].concat());
        for decision in &decisions {
            let json = record(&clinic, decision).await;
            let record: CallRecord = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&record).unwrap(), json, "the record says all there is");
            assert_eq!(decision["fuel"], record.fuel);
            assert_eq!(decision["memory_peak"], record.memory_peak);
            let replay = replay(&clinic, decision, &record).await;
            assert!(replay.same, "{}: {:?}", decision["hook"], replay.differences);
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_that_was_changed_does_not_replay() {
    run(async |clinic| {
        let decisions = every_hook(&clinic).await;
        let decision = &decisions[1];
        let json = record(&clinic, decision).await;
        let record: CallRecord = serde_json::from_value(json.clone()).unwrap();
        let dearer = CallRecord { fuel: record.fuel + 1, ..record.clone() };
        let replayed = replay(&clinic, decision, &dearer).await;
        assert_eq!(replayed.differences.len(), 1, "{:?}", replayed.differences);
        // Another text leads elsewhere, and the replay names where.
        let mut other = json;
        other["input"]["routing"]["text"] = json!("a question about my bill");
        let other: CallRecord = serde_json::from_value(other).unwrap();
        assert_ne!(other.input, record.input, "this test changes the text");
        let replayed = replay(&clinic, decision, &other).await;
        assert!(replayed.differences.iter().any(|difference| difference.contains("team")), "{replayed:?}");
    })
    .await;
}

#[tokio::test]
async fn a_decision_outlives_the_binding_that_made_it() {
    run(async |clinic| {
        let decisions = every_hook(&clinic).await;
        let before = clinic.binding(Hook::Routing).await.id.to_string();
        clinic.adjust(Hook::Routing, |settings| settings["rules"] = json!([])).await;
        let id = clinic.conversation_id(JOHN, NEW_PATIENTS).await;
        clinic.text(JOHN, NEW_PATIENTS, "Another refill, please").await;
        let routed = clinic.decisions_of(id, "routing").await;
        assert_eq!(routed.len(), 4);
        assert_eq!(routed[2]["binding_id"], before);
        assert_ne!(routed[3]["binding_id"], before);
        assert_eq!(routed[2], decisions[7], "what was decided before stays as it was");
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_unread_was_decided_without_knowing_who_it_is() {
    run(async |clinic| {
        let mut read = 0;
        for decision in every_hook(&clinic).await {
            let json = record(&clinic, &decision).await;
            let record: CallRecord = serde_json::from_value(json.clone()).unwrap();
            let fields = record.answers.iter().filter(|answer| answer.function() == "field").count();
            match record.hook {
                Hook::Identity | Hook::Replies => {
                    assert_eq!(fields, 0, "{} reads the patient", record.hook);
                    let input = json["input"].to_string();
                    assert!(!input.contains("verified") && !input.contains("Pharmacy"), "{input}");
                }
                Hook::Routing => assert_eq!(json["input"]["routing"]["teams"].as_array().unwrap().len(), 4),
                Hook::Shortcuts => read += fields,
            }
        }
        assert!(read > 0, "a shortcut is read by staff before it is sent, and may be filled");
    })
    .await;
}
