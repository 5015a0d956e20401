//! An organization's own policies: sent, refused, signed, bound, tried, and taken back when they fail.

use anteroom_model::hooks::Hook;
use anteroom_test_support::corpus::corpus;
use axum::http::{Method, StatusCode};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Clinic, FRONT_DESK, NEW_PATIENTS, eventually, run};

const STRANGER: &str = "+15125550177";
const MOODY: &[u8] = include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/test/traps_on_word.wasm"));
const SILENT: &[u8] = include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/test/no_opinion.wasm"));
const TRAP: &[u8] = include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/test/trap.wasm"));

impl Clinic {
    async fn send(&self, component: &[u8], headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.alex.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.app.request(Method::POST, "/api/v1/policies", &all, component.to_vec()).await
    }

    /// Sends a component and waits until it is stored or refused.
    async fn upload(&self, component: &[u8]) -> Value {
        self.settled_upload(self.send(component, &[]).await).await
    }

    async fn settled_upload(&self, answer: Answer) -> Value {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let location = answer.headers["location"].to_str().unwrap();
        let path = location.strip_prefix("/api/v1/").unwrap();
        eventually("the upload has ended", || async { self.get(path).await["state"] != "checking" }).await;
        self.get(path).await
    }

    async fn stored_policy(&self, component: &[u8]) -> String {
        let upload = self.upload(component).await;
        assert_eq!(upload["state"], "stored", "{upload}");
        upload["policy_id"].as_str().unwrap().to_owned()
    }

    async fn bind_over_rest(&self, binding: Value) -> Answer {
        self.post(&self.alex, "bindings", binding).await
    }

    async fn category(&self, phone: &str) -> Value {
        self.conversation(phone, FRONT_DESK).await["category"].take()
    }

    async fn notices(&self) -> Vec<Value> {
        let body = self.api(&self.alex, Method::GET, "notices", &Value::Null).await.ok();
        body["items"].as_array().unwrap().clone()
    }
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--frontier--\r\n");
    body
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=frontier");

#[tokio::test]
async fn a_version_that_costs_more_is_warned_of_before_its_first_text() {
    run(async |clinic| {
        let kept = corpus().into_iter().find(|kept| kept.name == "refill-triage").unwrap();
        let (small, large) =
            (clinic.stored_policy(SILENT).await, clinic.stored_policy(&kept.component).await);
        let active = async |policy: &str| {
            let binding = json!({ "hook": "routing", "mode": "active", "policy_id": policy });
            clinic.bind_over_rest(binding).await.ok()["warnings"].take()
        };
        assert_eq!(active(&small).await, json!([]), "what comes with Anteroom is not compared");
        let warnings = active(&large).await;
        let fuel = warnings.as_array().unwrap().iter().find(|one| one["measure"] == "fuel of sample turns");
        let fuel = fuel.unwrap_or_else(|| panic!("{warnings}"));
        assert!(fuel["after"].as_u64() > fuel["before"].as_u64() && fuel["percent"].as_i64() > Some(20));
        assert_eq!(active(&small).await, json!([]), "going back costs less");
        let shown = clinic.get(&format!("policies/{large}")).await;
        assert_eq!(shown["probe"][0]["fuel"], fuel["after"]);
    })
    .await;
}

#[tokio::test]
async fn a_component_is_sent_checked_bound_and_decides() {
    run(async |clinic| {
        let upload = clinic.upload(MOODY).await;
        assert_eq!((&upload["state"], &upload["step"]), (&json!("stored"), &json!("stored")), "{upload}");
        assert_eq!(upload["digest"], hex::encode(Sha256::digest(MOODY)));
        let policy = upload["policy_id"].as_str().unwrap();
        assert_eq!(clinic.stored_policy(MOODY).await, policy, "the same component is the same version");
        let shown = clinic.get(&format!("policies/{policy}")).await;
        assert_eq!((&shown["origin"], &shown["hooks"]), (&json!("uploaded"), &json!(["routing"])));

        clinic.text(STRANGER, FRONT_DESK, "I need a refill").await;
        assert_eq!(clinic.category(STRANGER).await, "refill");
        let bound =
            clinic.bind_over_rest(json!({ "hook": "routing", "mode": "active", "policy_id": policy })).await;
        assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
        clinic.text("+15125550178", FRONT_DESK, "I need a refill").await;
        assert_eq!(clinic.category("+15125550178").await, "moody");

        // The one before is one call away, with its settings.
        let id = bound.body["binding"]["id"].as_str().unwrap();
        let back = clinic.post(&clinic.alex, &format!("bindings/{id}/rollback"), Value::Null).await.ok();
        assert_eq!(back["policy"]["name"], "routing");
        clinic.text("+15125550179", FRONT_DESK, "I need a refill").await;
        assert_eq!(clinic.category("+15125550179").await, "refill");
        let past = clinic.list("bindings/past").await;
        let why: Vec<_> = past.iter().map(|binding| &binding["retired_because"]).collect();
        assert_eq!(why, ["rolled_back", "replaced"]);
    })
    .await;
}

#[tokio::test]
async fn what_can_be_no_policy_is_refused_with_a_way_to_mend_it() {
    run(async |clinic| {
        let before = clinic.list("policies").await.len();
        let cases: [(&[u8], &str, &str); 3] = [
            (b"\0asm\x01\0\0\0", "core_module", "component"),
            (b"#!/bin/sh", "not_a_component", "component"),
            (TRAP, "probe_fault", "probe"),
        ];
        for (bytes, code, step) in cases {
            let upload = clinic.upload(bytes).await;
            assert_eq!(
                (&upload["state"], &upload["step"], &upload["refusal"]["code"]),
                (&json!("refused"), &json!(step), &json!(code)),
                "{upload}"
            );
            assert!(!upload["refusal"]["fix"].as_str().unwrap().is_empty());
        }
        let most = clinic.app.server.policies.host().limits().component_bytes;
        let answer = clinic.send(&vec![0; most + 1], &[]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.body["refusal"]["code"], "too_large");
        assert_eq!(clinic.list("policies").await.len(), before, "nothing is stored");
        let answer = clinic.post(&clinic.maya, "policies", json!("x")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "agents don't send policies");
    })
    .await;
}

#[tokio::test]
async fn settings_and_grants_are_checked_before_anything_is_bound() {
    run(async |clinic| {
        let routing = clinic.binding(Hook::Routing).await.policy_id;
        let answer = clinic
            .bind_over_rest(json!({
                "hook": "routing", "mode": "active", "policy_id": routing, "settings": { "rules": 7 },
            }))
            .await;
        assert_eq!((answer.status, answer.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "settings"));
        assert_eq!(answer.body["errors"][0]["field"], "/rules", "{}", answer.body);
        let wrong = [
            json!({ "hook": "replies", "mode": "active", "policy_id": routing }),
            json!({ "hook": "routing", "mode": "canary", "policy_id": routing }),
            json!({ "hook": "routing", "mode": "active", "policy_id": routing, "position": -1 }),
            json!({ "hook": "routing", "mode": "active", "policy_id": routing,
                "granted_fields": ["date-of-birth"] }),
            json!({ "hook": "routing", "mode": "active", "policy_id": routing, "canary": { "percent": 5 } }),
        ];
        for binding in wrong {
            let answer = clinic.bind_over_rest(binding.clone()).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{binding}: {}", answer.body);
        }
        let answer = clinic.post(&clinic.maya, "bindings", json!({ "hook": "routing" })).await;
        assert!(answer.status.is_client_error());
        assert_eq!(clinic.list("bindings").await.len(), 4, "all as it was");
    })
    .await;
}

#[tokio::test]
async fn a_version_that_keeps_failing_is_taken_back_and_admins_hear_of_it() {
    run(async |clinic| {
        let policy = clinic.stored_policy(MOODY).await;
        let binding = json!({ "hook": "routing", "mode": "active", "policy_id": policy });
        clinic.bind_over_rest(binding).await.ok();
        for number in 0..5 {
            clinic.text(&format!("+1512555020{number}"), FRONT_DESK, "kaboom, a refill").await;
        }
        let standing = clinic.list("bindings").await;
        let routing: Vec<_> = standing.iter().filter(|binding| binding["hook"] == "routing").collect();
        assert_eq!((routing.len(), &routing[0]["policy"]["name"]), (1, &json!("routing")));
        clinic.text("+15125550209", FRONT_DESK, "kaboom, a refill").await;
        assert_eq!(clinic.category("+15125550209").await, "refill");
        let notices = clinic.notices().await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0]["kind"], "policy.rolled_back");
        assert_eq!(notices[0]["data"]["affected_messages"], 5);
        assert_eq!(notices[0]["data"]["back_to"]["policy"], "routing");
        // Nobody's text was lost: they wait for a person.
        assert_eq!(clinic.queue("unassigned").await.len(), 6);
        let faults = format!("policies/{policy}/faults");
        let faults = clinic.api(&clinic.alex, Method::GET, &faults, &Value::Null).await.ok();
        assert_eq!(faults["items"].as_array().unwrap().len(), 5);
        assert_eq!(faults["items"][0]["fault"], "trap");
        assert!(!faults["items"][0]["backtrace"].as_array().unwrap().is_empty(), "{faults}");
        let id = notices[0]["id"].as_str().unwrap();
        let dismissed = clinic.post(&clinic.alex, &format!("notices/{id}/dismiss"), Value::Null).await;
        assert_eq!(dismissed.status, StatusCode::NO_CONTENT);
        assert!(clinic.notices().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn where_there_is_nothing_to_go_back_to_it_is_off_for_a_while() {
    run(async |clinic| {
        let policy = clinic.stored_policy(MOODY).await;
        for binding in clinic.list("bindings").await.iter().filter(|one| one["hook"] == "routing") {
            let path = format!("bindings/{}", binding["id"].as_str().unwrap());
            clinic.api(&clinic.alex, Method::DELETE, &path, &Value::Null).await.ok();
        }
        let binding = json!({ "hook": "routing", "mode": "active", "policy_id": policy });
        clinic.bind_over_rest(binding).await.ok();
        for number in 0..5 {
            clinic.text(&format!("+1512555021{number}"), FRONT_DESK, "kaboom").await;
        }
        clinic.text("+15125550216", FRONT_DESK, "hello").await;
        assert_eq!(clinic.category("+15125550216").await, Value::Null, "it is off");
        let id = clinic.conversation_id("+15125550216", FRONT_DESK).await;
        assert_eq!(clinic.told(id, "policy.fault").await[0]["data"]["fault"], "off");
        assert_eq!(clinic.notices().await[0]["kind"], "policy.off");
        clinic.app.advance(std::time::Duration::from_secs(31));
        clinic.text("+15125550217", FRONT_DESK, "hello").await;
        assert_eq!(clinic.category("+15125550217").await, "moody", "it may try again");
        assert_eq!(clinic.list("bindings").await.iter().filter(|one| !one["off_until"].is_null()).count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_shadow_is_recorded_and_has_no_effect() {
    run(async |clinic| {
        let policy = clinic.stored_policy(MOODY).await;
        let binding = json!({ "hook": "routing", "mode": "shadow", "policy_id": policy });
        clinic.bind_over_rest(binding).await.ok();
        for (phone, text) in [("+15125550221", "I need a refill"), ("+15125550222", "kaboom, a refill")] {
            clinic.text(phone, FRONT_DESK, text).await;
            assert_eq!(clinic.category(phone).await, "refill");
            let id = clinic.conversation_id(phone, FRONT_DESK).await;
            let effects: Vec<_> = clinic.decisions_of(id, "routing").await;
            let mut effects: Vec<_> =
                effects.iter().map(|decision| decision["effect"].as_str().unwrap()).collect();
            // Both are asked at the same time.
            effects.sort_unstable();
            assert_eq!(effects, ["applied", "shadow"]);
            assert!(clinic.told(id, "policy.fault").await.is_empty(), "staff are not told of a shadow");
        }
        let budget = clinic.list(&format!("policies/{policy}/budget")).await;
        assert_eq!((&budget[0]["calls"], &budget[0]["faults"]), (&json!(2), &json!(1)));
        assert!(budget[0]["fuel"]["max"].as_i64().unwrap() > 0);
    })
    .await;
}

#[tokio::test]
async fn a_canary_takes_its_share_and_ends_when_it_traps_with_no_text_unrouted() {
    run(async |clinic| {
        let policy = clinic.stored_policy(MOODY).await;
        let desk = clinic.number(NEW_PATIENTS).await;
        let binding = json!({ "hook": "routing", "mode": "canary", "policy_id": policy,
            "canary": { "percent": 50, "numbers": [desk] } });
        clinic.bind_over_rest(binding).await.ok();
        let phones: Vec<_> = (0..30).map(|number| format!("+151255503{number:02}")).collect();
        let mut chosen = Vec::new();
        for phone in &phones {
            clinic.text(phone, FRONT_DESK, "I need a refill").await;
            if clinic.category(phone).await == "moody" {
                chosen.push(phone);
            }
        }
        assert!((5..=25).contains(&chosen.len()), "{} of 30 at 50 %", chosen.len());
        for phone in &chosen[..3] {
            clinic.text(phone, FRONT_DESK, "and a bill").await;
            assert_eq!(clinic.category(phone).await, "moody", "a conversation stays where it fell");
        }
        // It traps: the active version answers in its place, and soon it is tried no more.
        for phone in &chosen[..5] {
            clinic.text(phone, FRONT_DESK, "kaboom, my bill").await;
            let conversation = clinic.conversation(phone, FRONT_DESK).await;
            assert_eq!(conversation["team"]["name"], "Billing", "{conversation}");
        }
        let notices = clinic.notices().await;
        assert_eq!(notices[0]["kind"], "policy.canary_stopped");
        assert_eq!(notices[0]["data"]["affected_messages"], 5);
        assert!(clinic.list("bindings").await.iter().all(|binding| binding["mode"] == "active"));
    })
    .await;
}

#[tokio::test]
async fn an_organization_can_ask_for_signatures_and_backtests() {
    run(async |clinic| {
        let rules =
            json!({ "require_signature": true, "require_backtest": false, "warn_growth_percent": 50 });
        clinic.api(&clinic.alex, Method::PUT, "policy-rules", &rules).await.ok();
        let policy = clinic.stored_policy(SILENT).await;
        let binding = json!({ "hook": "routing", "mode": "active", "policy_id": policy });
        let answer = clinic.bind_over_rest(binding.clone()).await;
        assert_eq!((answer.status, answer.problem()), (StatusCode::CONFLICT, "unsigned"));
        let shadow = json!({ "hook": "routing", "mode": "shadow", "policy_id": policy });
        clinic.bind_over_rest(shadow).await.ok();

        let pair = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[6; 32]).unwrap();
        let key = json!({ "name": "Release", "public_key": STANDARD.encode(pair.public_key()) });
        let key = clinic.post(&clinic.alex, "signing-keys", key).await.ok();
        let digest = Sha256::digest(SILENT);
        let sign = async |pair: &Ed25519KeyPair| {
            let signature = STANDARD.encode(pair.sign(&digest));
            let body = json!({ "signature": signature });
            clinic.post(&clinic.alex, &format!("policies/{policy}/signatures"), body).await.status
        };
        assert_eq!(sign(&other).await, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(sign(&pair).await, StatusCode::NO_CONTENT);
        clinic.bind_over_rest(binding.clone()).await.ok();

        // Sent along with the component; a wrong one refuses the upload.
        let mut signature = STANDARD.encode(pair.sign(&Sha256::digest(MOODY)));
        let parts: [(&str, &[u8]); 3] =
            [("component", MOODY), ("settings", b"{}"), ("signature", signature.as_bytes())];
        let upload = clinic.settled_upload(clinic.send(&form(&parts), &[FORM]).await).await;
        assert_eq!((&upload["state"], &upload["settings"]), (&json!("stored"), &json!({})), "{upload}");
        let shown = clinic.get(&format!("policies/{}", upload["policy_id"].as_str().unwrap())).await;
        assert_eq!(shown["signatures"][0]["key_name"], "Release");
        signature = STANDARD.encode(other.sign(&Sha256::digest(MOODY)));
        let parts: [(&str, &[u8]); 2] = [("component", MOODY), ("signature", signature.as_bytes())];
        let upload = clinic.settled_upload(clinic.send(&form(&parts), &[FORM]).await).await;
        assert_eq!(upload["refusal"]["code"], "bad_signature", "{upload}");

        let path = format!("signing-keys/{}", key["id"].as_str().unwrap());
        clinic.api(&clinic.alex, Method::DELETE, &path, &Value::Null).await.ok();
        assert_eq!(clinic.bind_over_rest(binding.clone()).await.problem(), "unsigned", "the key is revoked");

        let rules =
            json!({ "require_signature": false, "require_backtest": true, "warn_growth_percent": 50 });
        clinic.api(&clinic.alex, Method::PUT, "policy-rules", &rules).await.ok();
        assert_eq!(clinic.bind_over_rest(binding).await.problem(), "not-backtested");
        let audit = clinic.api(&clinic.alex, Method::GET, "audit?limit=200", &Value::Null).await.ok();
        let audit = audit["items"].to_string();
        for action in ["policy.uploaded", "policy.signed", "binding.made", "signing_key.revoked"] {
            assert!(audit.contains(action), "{action} is not in the audit");
        }
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_says_what_it_means_for_what_is_stored() {
    run(async |clinic| {
        clinic.stored_policy(SILENT).await;
        let report = clinic.get("policies/compat").await;
        let policies = report["policies"].as_array().unwrap();
        assert_eq!(policies.len(), 5);
        assert!(policies.iter().all(|policy| policy["works"] == true), "{report}");
        assert!(report["engine"].as_str().unwrap().contains("wasmtime"));
    })
    .await;
}
