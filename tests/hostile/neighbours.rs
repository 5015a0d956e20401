//! One organization's policies do their worst while another's texts come in.

use std::time::{Duration, Instant};

use anteroom::builtin;
use anteroom_model::{
    hooks::Hook,
    states::{BindingMode, MessageState, NumberKind, Registration},
};
use anteroom_store::{NewBinding, NewNumber};
use axum::http::{Method, StatusCode};
use futures::FutureExt;

use crate::{
    guest,
    support::{Clinic, FRONT_DESK, eventually, run},
};

/// Each on a number of its own.
const GUESTS: [&str; 10] = [
    "endless_loop",
    "memory_bomb",
    "memory_bomb_many",
    "deep_recursion",
    "stack_overflow",
    "huge_output",
    "host_call_flood",
    "log_flood",
    "trap",
    "wrong_settings",
];
/// How long the neighbour's fifty texts may take, on a busy machine with two cores.
const BOUND: Duration = Duration::from_secs(5);

/// Gives `clinic` a number with this guest as its routing.
async fn number_with(clinic: &Clinic, index: usize, name: &str) -> String {
    let server = &clinic.app.server;
    let added =
        builtin::add_policy(&server.store, &server.policies, clinic.organization, guest(name), "uploaded");
    let (policy_id, settings) = added.await.unwrap();
    let address = format!("+1500555020{index}");
    let new = NewNumber {
        carrier_account_id: clinic.account,
        facility_id: None,
        address: address.clone(),
        kind: NumberKind::Sandbox,
        label: name.to_owned(),
        texting_enabled: true,
        verification: None,
        registration: Registration::Approved,
        registration_note: String::new(),
    };
    clinic
        .change(move |mut org| {
            async move {
                let number_id = Some(org.insert_number(&new).await?);
                let binding = NewBinding {
                    hook: Hook::Routing.as_str(),
                    number_id,
                    position: 0,
                    mode: BindingMode::Active,
                    policy_id,
                    settings: settings.to_string(),
                    granted_fields: Vec::new(),
                    canary: None,
                    replaced_id: None,
                    created_by: None,
                };
                org.insert_binding(&binding).await
            }
            .boxed()
        })
        .await;
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbours_texts_flow_meanwhile() {
    run(async |hostile| {
        let neighbour = Clinic::new(&hostile.app, "Hillside Clinic").await;
        let mut numbers = Vec::new();
        for (index, name) in GUESTS.into_iter().enumerate() {
            numbers.push(number_with(&hostile, index, name).await);
        }
        // All the harm waits first, then the neighbour's texts come in.
        let mut harm = Vec::new();
        for text in 0..50 {
            let phone = format!("+1512557{text:04}");
            let number = &numbers[text % numbers.len()];
            hostile.deliver(&phone, number, "I need a refill").await;
            harm.push((phone, number, GUESTS[text % GUESTS.len()]));
        }
        let started = Instant::now();
        for text in 0..50 {
            neighbour.deliver(&format!("+1512558{text:04}"), FRONT_DESK, "I need a refill").await;
        }
        eventually("the neighbour's texts are worked", async || {
            neighbour.queue("unassigned").await.len() == 50
        })
        .await;
        let took = started.elapsed();
        println!("beside fifty hostile texts, the neighbour's fifty took {took:?}");
        assert!(took < BOUND, "the neighbour's fifty texts took {took:?}");

        hostile.app.settled().await;
        for text in 0..50 {
            let phone = format!("+1512558{text:04}");
            let conversation = neighbour.conversation(&phone, FRONT_DESK).await;
            assert_eq!(conversation["team"]["name"], "Pharmacy");
            let sent = neighbour.sent_states(&phone, FRONT_DESK).await;
            assert_eq!(sent, [MessageState::Delivered], "the welcome");
        }
        // And nothing of the hostile clinic's own texts is lost: people see each, with its fault.
        assert_eq!(hostile.queue("unassigned").await.len(), 50);
        for (phone, number, guest) in harm {
            let id = hostile.conversation_id(&phone, number).await;
            assert_eq!(hostile.told(id, "policy.fault").await.len(), 1, "{guest}");
        }
        let alive = hostile.app.request(Method::GET, "/readyz", &[], "").await;
        assert_eq!(alive.status, StatusCode::OK);
    })
    .await;
}
