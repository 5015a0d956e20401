//! Where a conversation belongs, and why.

use anteroom_model::hooks::Hook;
use serde_json::{Value, json};

use crate::support::{FRONT_DESK, run};

const STRANGER: &str = "+15125550177";

#[tokio::test]
async fn a_keyword_leads_to_a_team_and_the_reason_names_the_rule() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "Hi, I need a REFILL of my pills").await;
        let conversation = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!(conversation["team"]["name"], "Pharmacy");
        assert_eq!(conversation["category"], "refill");
        assert_eq!(conversation["facility"]["name"], "Riverside Main");
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert_eq!(clinic.queue("unassigned").await, [id]);
        assert_eq!(clinic.queue("team").await, [id], "Maya is of the pharmacy");
        let routed = clinic.told(id, "conversation.routed").await;
        let why = "Routed to team Pharmacy, refill, priority normal by the policy “routing” 1.0.0: rule 'Refills', \
                   keyword 'refill'";
        assert_eq!(routed[0]["summary"], why);
        let decision = &clinic.decisions_of(id, "routing").await[0];
        assert_eq!(decision["id"], routed[0]["data"]["decision_id"]);
        assert_eq!((&decision["outcome"], &decision["effect"]), (&json!("decided"), &json!("applied")));
    })
    .await;
}

#[tokio::test]
async fn a_later_keyword_moves_it_and_an_emergency_keeps_it() {
    run(async |clinic| {
        let team = async || clinic.conversation(STRANGER, FRONT_DESK).await["team"]["name"].take();
        clinic.text(STRANGER, FRONT_DESK, "Hello").await;
        assert_eq!(team().await, "Front desk");
        clinic.text(STRANGER, FRONT_DESK, "It is about my bill").await;
        assert_eq!(team().await, "Billing");
        clinic.text(STRANGER, FRONT_DESK, "And now I have chest pain").await;
        let conversation = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!(
            (&conversation["team"]["name"], &conversation["priority"]),
            (&json!("Nurses"), &json!("urgent"))
        );
        assert_eq!(conversation["tags"], json!(["emergency"]));
        clinic.text(STRANGER, FRONT_DESK, "Never mind, my bill please").await;
        assert_eq!(team().await, "Nurses");
    })
    .await;
}

#[tokio::test]
async fn a_team_that_is_not_there_is_a_fault_that_staff_see() {
    run(async |clinic| {
        clinic.adjust(Hook::Routing, |settings| settings["rules"][0]["team"] = json!("Apothecary")).await;
        clinic.text(STRANGER, FRONT_DESK, "I need a refill").await;
        let conversation = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!((&conversation["team"], &conversation["category"]), (&Value::Null, &Value::Null));
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        assert_eq!(clinic.queue("unassigned").await, [id]);
        let fault = &clinic.told(id, "policy.fault").await[0];
        assert_eq!(fault["data"]["fault"], "invalid_output");
        let summary = fault["summary"].as_str().unwrap();
        assert!(
            summary.contains("“routing” 1.0.0 failed in routing") && summary.contains("Apothecary"),
            "{summary}"
        );
        let decision = &clinic.decisions_of(id, "routing").await[0];
        assert_eq!((&decision["outcome"], &decision["fault"]), (&json!("fault"), &json!("invalid_output")));
        assert_eq!(clinic.received(STRANGER, FRONT_DESK).await.len(), 1, "the greeting doesn't depend on it");
    })
    .await;
}

#[tokio::test]
async fn what_a_person_has_is_not_routed() {
    run(async |clinic| {
        clinic.text(STRANGER, FRONT_DESK, "I need a refill").await;
        let id = clinic.conversation_id(STRANGER, FRONT_DESK).await;
        clinic.act(&clinic.maya, id, "accept", Value::Null).await.ok();
        let asked = clinic.decisions_of(id, "routing").await.len();
        clinic.text(STRANGER, FRONT_DESK, "and a question about my bill").await;
        assert_eq!(clinic.decisions_of(id, "routing").await.len(), asked);
        let conversation = clinic.conversation(STRANGER, FRONT_DESK).await;
        assert_eq!(conversation["team"]["name"], "Pharmacy");
        assert_eq!(conversation["assignee"]["name"], "Maya Torres");
    })
    .await;
}
