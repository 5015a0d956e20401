//! Links to message centres: npm's `smpp` is the other side (`core/carriers/tests/smpp/peer.js`).

use std::{collections::BTreeSet, time::Duration};

use anteroom::{links, outbox};
use anteroom_model::{
    ids::CarrierAccountId,
    states::{Direction, LinkState, MessageState, NumberKind, Registration},
};
use anteroom_store::{NewCarrierAccount, NewNumber};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::support::{Clinic, eventually, run};

#[path = "../../core/carriers/tests/smpp/peer.rs"]
mod peer;
use peer::Peer;

const PATIENT: &str = "+15558675310";
const NUMBER: &str = "+18005550100";

/// An account at the message centre, with one number.
async fn account(clinic: &Clinic, port: u16) -> CarrierAccountId {
    let credentials = json!({
        "host": "127.0.0.1", "port": port, "system_id": "clinic", "password": "secret", "tls": false,
        "enquire_link_seconds": 1,
    });
    let credentials = credentials.to_string();
    clinic
        .change(move |mut org| {
            async move {
                let account = org
                    .insert_account(&NewCarrierAccount {
                        carrier: "smpp".into(),
                        label: "Direct".into(),
                        public_url: "https://clinic.example/webhooks/smpp/{id}".into(),
                        credentials,
                        answers_opt_outs: false,
                    })
                    .await?;
                org.insert_number(&NewNumber {
                    carrier_account_id: account,
                    facility_id: None,
                    address: NUMBER.into(),
                    kind: NumberKind::TollFree,
                    label: "Direct".into(),
                    texting_enabled: true,
                    verification: None,
                    registration: Registration::Approved,
                    registration_note: "Set by hand.".into(),
                })
                .await?;
                Ok(account)
            }
            .boxed()
        })
        .await
}

/// A text of the patient's, as the message centre puts it.
fn text(to: &str, body: &str) -> Value {
    json!({
        "source_addr": "15558675310", "source_addr_ton": 1, "destination_addr": to, "dest_addr_ton": 1,
        "short_message": body,
    })
}

async fn link(clinic: &Clinic, account: CarrierAccountId) -> Value {
    let shown = clinic.get_as(&clinic.alex, &format!("carrier-accounts/{account}")).await.ok();
    shown["link"].clone()
}

async fn is_up(clinic: &Clinic, account: CarrierAccountId) {
    eventually("the link is up", || async { link(clinic, account).await["state"] == "up" }).await;
}

async fn arrived(clinic: &Clinic) -> Vec<String> {
    let messages = clinic.messages_with(PATIENT, NUMBER).await.into_iter();
    messages.filter(|message| message.direction == Direction::Inbound).map(|message| message.body).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_arrives_by_the_link_and_the_reply_leaves_by_it() {
    run(async |clinic| {
        let mut peer = Peer::start(&[]).await;
        let account = account(&clinic, peer.port).await;
        assert_eq!(link(&clinic, account).await["state"], "down");
        let tested = format!("carrier-accounts/{account}/test");
        assert_eq!(clinic.post(&clinic.alex, &tested, Value::Null).await.ok()["outcome"], "link_down");
        clinic.app.start_links();
        is_up(&clinic, account).await;
        assert_eq!(clinic.post(&clinic.alex, &tested, Value::Null).await.ok()["outcome"], "link_up");

        peer.order(&json!({ "pdu": text("18005550100", "I need a refill") })).await;
        eventually("the text is stored", || async { !arrived(&clinic).await.is_empty() }).await;
        clinic.app.settled().await;
        let id = clinic.conversation_id(PATIENT, NUMBER).await;
        assert!(clinic.queue("unassigned").await.contains(&id));

        // Cut in the middle of a hundred, again and again: every one arrives, and once.
        peer.order(&json!({ "deliver": 100 })).await;
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            peer.order(&json!({ "cut": true })).await;
            is_bound_again(&mut peer).await;
        }
        peer.settled().await;
        clinic.app.settled().await;
        let all = arrived(&clinic).await;
        let once: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), once.len()), (101, 101), "none lost, none doubled");

        is_up(&clinic, account).await;
        let before = peer.stats().await["submitted"].as_array().unwrap().len();
        clinic.act(&clinic.maya, id, "messages", json!({ "body": "Come at 3" })).await.ok();
        clinic.app.settled().await;
        let submitted = peer.stats().await["submitted"].as_array().unwrap()[before..].to_vec();
        let ours: Vec<_> = submitted.iter().filter(|text| text["text"] == "Come at 3").collect();
        assert_eq!((ours.len(), &ours[0]["to"]), (1, &json!("15558675310")));
        let delivered =
            || async { clinic.sent_states(PATIENT, NUMBER).await.last() == Some(&MessageState::Delivered) };
        eventually("the receipt has arrived", delivered).await;

        // For a number that is not set up: kept, and taken once it is.
        peer.order(&json!({ "pdu": text("18005550199", "astray") })).await;
        peer.settled().await;
        let list = clinic.get_as(&clinic.alex, "deliveries?state=undeliverable").await.ok();
        let [kept] = &list["items"].as_array().unwrap()[..] else { panic!("{list}") };
        let form = json!({
            "address": "+18005550199", "kind": "toll_free", "label": "x", "carrier_account_id": account,
        });
        clinic.post(&clinic.alex, "numbers", form).await.ok();
        let retry = format!("deliveries/{}/retry", kept["id"].as_str().unwrap());
        clinic.post(&clinic.alex, &retry, Value::Null).await.ok();
        clinic.app.settled().await;
        assert_eq!(clinic.messages_with(PATIENT, "+18005550199").await[0].body, "astray");

        // The process says goodbye when it stops.
        clinic.app.server.stop.cancel();
        peer.fact("unbound").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_brings_and_nobody_can_read_is_kept_and_shown() {
    run(async |clinic| {
        let mut peer = Peer::start(&[]).await;
        let account = account(&clinic, peer.port).await;
        clinic.app.start_links();
        is_up(&clinic, account).await;
        // The octets of another alphabet; a command that is broken; and a text behind them.
        let mut binary = text("18005550100", "");
        binary["data_coding"] = json!(4);
        binary["message_hex"] = json!("0001fe");
        peer.order(&json!({ "pdu": binary })).await;
        peer.settled().await;
        peer.order(&json!({ "raw": "000000120000000500000000000f42400001" })).await;
        assert_eq!(peer.fact("raw_answered").await["raw_answered"], 0, "acknowledged once it is kept");
        peer.order(&json!({ "pdu": text("18005550100", "I need a refill") })).await;
        peer.settled().await;
        clinic.app.settled().await;
        assert_eq!(arrived(&clinic).await, ["I need a refill"]);

        let list = clinic.get_as(&clinic.alex, "deliveries").await.ok();
        let kept = list["items"].as_array().unwrap();
        let mut said: Vec<_> = kept
            .iter()
            .map(|kept| (kept["endpoint"].as_str().unwrap(), kept["reason"].as_str().unwrap()))
            .collect();
        said.sort_unstable();
        assert_eq!(said, [("link", "bad_field"), ("link", "bad_pdu")]);
        assert!(kept.iter().any(|kept| kept["content"] == "000000120000000500000000000f42400001"), "{list}");
        let notices = clinic.get_as(&clinic.alex, "notices").await.ok();
        let told = notices["items"].as_array().unwrap().iter();
        assert_eq!(told.filter(|notice| notice["kind"] == "delivery.unparsed").count(), 1, "{notices}");
        // This version knows no better.
        let broken = kept.iter().find(|kept| kept["reason"] == "bad_pdu").unwrap();
        let retry = format!("deliveries/{}/retry", broken["id"].as_str().unwrap());
        let again = clinic.post(&clinic.alex, &retry, Value::Null).await;
        assert_eq!((again.status.as_u16(), again.problem()), (409, "not-taken"));
        let list = clinic.get_as(&clinic.alex, "deliveries").await.ok();
        let broken = list["items"].as_array().unwrap().iter().find(|kept| kept["reason"] == "bad_pdu");
        assert_eq!(broken.unwrap()["attempts"], 1);
    })
    .await;
}

async fn is_bound_again(peer: &mut Peer) {
    peer.fact("bound").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_one_holds_the_link() {
    run(async |clinic| {
        if !clinic.app.server.store.is_shared() {
            return;
        }
        let mut peer = Peer::start(&[]).await;
        let account = account(&clinic, peer.port).await;
        let other = clinic.app.another_node().await;
        let other_links = tokio::spawn(links::run(other.clone()));
        is_up(&clinic, account).await;
        clinic.app.start_links();
        let other_sends = tokio::spawn(outbox::run(other.clone()));
        let holder = async || {
            let mut org = clinic.app.server.store.read(clinic.organization).await.unwrap();
            let link = org.link(account).await.unwrap().unwrap();
            (link.node, link.state)
        };
        // Long enough for several looks of the second one.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(holder().await, (other.node, LinkState::Up));

        // Whichever node takes a reply up, it leaves by the link, once.
        peer.order(&json!({ "pdu": text("18005550100", "I need a refill") })).await;
        eventually("the text is stored", || async { !arrived(&clinic).await.is_empty() }).await;
        clinic.app.worked().await;
        let id = clinic.conversation_id(PATIENT, NUMBER).await;
        let sent = async |peer: &mut Peer, body: &str| {
            let all = peer.stats().await["submitted"].as_array().unwrap().clone();
            all.iter().filter(|text| text["text"] == body).count()
        };
        for number in 0..5 {
            let body = format!("reply {number}");
            clinic.act(&clinic.maya, id, "messages", json!({ "body": body })).await.ok();
            // The clock stands still, and a text that is offered to the other node is due a moment later.
            for _ in 0..600 {
                clinic.app.advance(Duration::from_millis(100));
                if sent(&mut peer, &body).await > 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(sent(&mut peer, &body).await, 1, "{body}");
        }

        // The one that has it stops, in the middle of a hundred texts: the other takes it at once.
        peer.order(&json!({ "deliver": 100 })).await;
        other.stop.cancel();
        peer.fact("unbound").await;
        peer.fact("bound").await;
        other_links.await.unwrap();
        other_sends.await.unwrap();
        let node = clinic.app.server.node;
        eventually("the second node has it", || async { holder().await == (node, LinkState::Up) }).await;
        peer.settled().await;
        clinic.app.settled().await;
        let all = arrived(&clinic).await;
        let once: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), once.len()), (101, 101), "none lost, none doubled");
    })
    .await;
}
