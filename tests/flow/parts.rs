//! Long texts whose pieces come in any order, twice, late or never.

use std::time::Duration;

use anteroom_model::states::{Direction, MessageState};
use axum::http::StatusCode;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::json;

use crate::support::{Clinic, FRONT_DESK, run};

const ANA: &str = "+15125550101";
const PIECES: [&str; 4] =
    ["I have had a fever ", "since Tuesday, and now ", "my arm hurts, too. ", "Can I come in?"];

/// Orders that are tried.
const CASES: usize = 12;

async fn deliver(clinic: &Clinic, id: &str, reference: &str, number: usize, body: &str) {
    let part = json!({ "reference": reference, "number": number, "count": PIECES.len() });
    let body = json!({ "id": id, "from": ANA, "to": FRONT_DESK, "text": body, "part": part });
    assert_eq!(clinic.deliver_body(&body).await, StatusCode::OK);
}

/// Lets the clock go on until nothing waits any more: a second of it for each that passes here.
async fn pass(clinic: &Clinic) {
    for _ in 0..15 {
        for _ in 0..100 {
            if clinic.app.server.store.oldest_due(Direction::Inbound).await.unwrap().count == 0 {
                return clinic.app.settled().await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        clinic.app.advance(Duration::from_secs(1));
    }
    panic!("a text waits for ever");
}

/// Bodies of the messages staff see, oldest first.
async fn shown(clinic: &Clinic) -> Vec<String> {
    let id = clinic.conversation_id(ANA, FRONT_DESK).await;
    let messages = clinic.list(&format!("conversations/{id}/messages?limit=200")).await;
    let patients = messages.iter().filter(|message| message["author"] == "patient");
    patients.map(|message| message["body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whatever_order_they_come_in_they_make_one_text() {
    run(async |clinic| {
        let strategy = (
            Just([0_usize, 1, 2, 3].to_vec()).prop_shuffle(),
            proptest::collection::vec(0..4_usize, 0..4),
            proptest::collection::vec(any::<bool>(), 8),
        );
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        for case in 0..CASES {
            let (order, again, pauses) = strategy.new_tree(&mut runner).unwrap().current();
            let reference = format!("{}", case % 3);
            // Each piece is delivered, and some a second time: under the carrier's same id.
            for (at, piece) in order.iter().chain(again.iter()).enumerate() {
                deliver(&clinic, &format!("case-{case}-{piece}"), &reference, piece + 1, PIECES[*piece])
                    .await;
                if pauses[at] {
                    clinic.app.advance(Duration::from_secs(1));
                }
            }
            pass(&clinic).await;
            assert_eq!(
                shown(&clinic).await,
                vec![PIECES.concat(); case + 1],
                "{order:?} {again:?} {pauses:?}"
            );
        }
        let stored = clinic.messages_with(ANA, FRONT_DESK).await;
        let joined = stored.iter().filter(|message| message.state == MessageState::Joined).count();
        assert_eq!(joined, CASES * (PIECES.len() - 1));
        let id = clinic.conversation_id(ANA, FRONT_DESK).await;
        assert_eq!(
            clinic.told(id, "message.received").await.len(),
            CASES,
            "policies are asked once for each text"
        );
    })
    .await;
}

#[tokio::test]
async fn what_never_comes_is_marked_and_what_comes_late_is_shown() {
    run(async |clinic| {
        deliver(&clinic, "one", "7", 1, PIECES[0]).await;
        deliver(&clinic, "three", "7", 3, PIECES[2]).await;
        // A STOP behind them keeps its order.
        clinic.deliver_as("stop", ANA, FRONT_DESK, "STOP").await;
        clinic.app.advance(Duration::from_secs(19));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(clinic.stored(ANA, FRONT_DESK).await.is_none(), "still waiting");
        clinic.app.advance(Duration::from_secs(1));
        pass(&clinic).await;
        assert_eq!(shown(&clinic).await, ["I have had a fever […]my arm hurts, too. […]", "STOP"]);
        assert!(clinic.conversation(ANA, FRONT_DESK).await["opted_out"].as_bool().unwrap());

        deliver(&clinic, "four", "7", 4, PIECES[3]).await;
        clinic.app.advance(Duration::from_secs(21));
        pass(&clinic).await;
        assert_eq!(shown(&clinic).await[2..], ["[…]Can I come in?"]);
    })
    .await;
}

#[tokio::test]
async fn two_texts_with_the_same_reference_stay_two() {
    run(async |clinic| {
        for (text, prefix) in [("A", "first "), ("B", "second ")] {
            for number in 1..=PIECES.len() {
                deliver(&clinic, &format!("{text}{number}"), "9", number, &format!("{prefix}{number} "))
                    .await;
            }
        }
        pass(&clinic).await;
        assert_eq!(
            shown(&clinic).await,
            ["first 1 first 2 first 3 first 4 ", "second 1 second 2 second 3 second 4 "]
        );
    })
    .await;
}
