//! Against a message centre by npm's `smpp`: nothing lost, nothing doubled, whatever breaks.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod peer;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anteroom_carriers::{
    Address, CarrierKind, Carriers, ClientConfig, Credentials, FailureKind, Inbound, OutboundText, Part,
    ReceiptState, SendError,
    smpp::{Delivered, Fingerprint, Inbox, Link, NotStored, Unread, read_again},
};
use anteroom_model::time::Timestamp;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use peer::Peer;
use serde_json::{Value, json};

/// Stores as the store does: each id once.
#[derive(Default)]
struct Store {
    messages: Mutex<BTreeMap<String, String>>,
    parts: Mutex<Vec<Option<Part>>>,
    receipts: Mutex<BTreeSet<(String, String)>>,
    /// Ids that came again.
    repeated: Mutex<usize>,
    /// How many times it shall fail first.
    failures: Mutex<usize>,
    /// What could not be read.
    unread: Mutex<Vec<(String, Unread)>>,
    /// What may come again; survives a link, as a table does.
    expected: Mutex<BTreeMap<String, Fingerprint>>,
}

impl Store {
    fn put(&self, delivered: Delivered) -> Result<(), NotStored> {
        let Delivered { id, fingerprint, content } = delivered;
        self.expected.lock().unwrap().insert(id.clone(), fingerprint);
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(NotStored);
        }
        match content {
            Ok(inbound) => self.take(inbound),
            Err(unread) => self.unread.lock().unwrap().push((id, unread)),
        }
        Ok(())
    }

    fn take(&self, inbound: Inbound) {
        for message in inbound.messages {
            let mut messages = self.messages.lock().unwrap();
            if messages.insert(message.carrier_message_id, message.body).is_some() {
                *self.repeated.lock().unwrap() += 1;
            } else {
                self.parts.lock().unwrap().push(message.part);
            }
        }
        for receipt in inbound.receipts {
            let state = format!("{:?} {:?}", receipt.state, receipt.failure.map(|failure| failure.code));
            self.receipts.lock().unwrap().insert((receipt.carrier_message_id, state));
        }
    }

    fn bodies(&self) -> Vec<String> {
        self.messages.lock().unwrap().values().cloned().collect()
    }
}

impl Inbox for Store {
    fn store(&self, delivered: Delivered) -> BoxFuture<'_, Result<(), NotStored>> {
        async {
            // A commit takes a moment.
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.put(delivered)
        }
        .boxed()
    }

    fn fingerprint(&self, identity: &[u8]) -> Fingerprint {
        identity.to_vec()
    }

    fn doubtful(&self) -> BoxFuture<'_, Result<Vec<(Fingerprint, String)>, NotStored>> {
        let expected = self.expected.lock().unwrap().clone();
        async { Ok(expected.into_iter().map(|(id, fingerprint)| (fingerprint, id)).collect()) }.boxed()
    }

    fn settled(&self, ids: Vec<String>) {
        let mut expected = self.expected.lock().unwrap();
        for id in ids {
            assert!(expected.remove(&id).is_some(), "{id} is settled twice");
        }
    }
}

struct Setup {
    peer: Peer,
    carriers: Carriers,
    account: Credentials,
    link: Link,
    store: Arc<Store>,
}

fn account(port: u16, also: &Value) -> Credentials {
    let mut json = json!({
        "host": "127.0.0.1", "port": port, "system_id": "clinic", "password": "secret", "tls": false,
        "window": 50, "enquire_link_seconds": 1,
    });
    json.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
    Credentials::from_json(CarrierKind::Smpp, json.to_string().as_bytes()).unwrap()
}

fn start(peer: Peer, also: &Value) -> Setup {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let carriers = Carriers::new(&ClientConfig::default()).unwrap();
    let account = account(peer.port, also);
    let store = Arc::new(Store::default());
    let Credentials::Smpp(smpp) = &account else { unreachable!() };
    let link = carriers.links().start(smpp, "session-1".into(), Arc::clone(&store) as Arc<dyn Inbox>);
    Setup { peer, carriers, account, link, store }
}

async fn bound(also: Value) -> Setup {
    let setup = start(Peer::start(&[]).await, &also);
    within(setup.link.wait(true)).await;
    setup
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), future).await.expect("it takes too long")
}

/// Until `done`, but not for ever.
async fn until(mut done: impl FnMut() -> bool) {
    within(async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

fn text(to: &str, body: &str) -> OutboundText {
    OutboundText {
        our_id: uuid::Uuid::from_u128(7).into(),
        to: Address::parse(to).unwrap(),
        from: Address::parse("+18005550100").unwrap(),
        body: body.into(),
        status_callback: String::new(),
        media_urls: Vec::new(),
        messaging_service: None,
        at: Timestamp::from_micros(0),
    }
}

const PATIENT: &str = "+15558675310";

#[tokio::test]
async fn ten_thousand_each_way_with_the_link_cut_in_the_middle() {
    const COUNT: usize = 10_000;
    let mut setup = bound(json!({ "enquire_link_seconds": 5 })).await;
    setup.peer.order(&json!({ "deliver": COUNT })).await;
    let started = Instant::now();
    let (carriers, account) = (setup.carriers.clone(), setup.account.clone());
    let sending = tokio::spawn(async move {
        let (carriers, account) = (&carriers, &account);
        let sends = (0..COUNT).map(|number| async move {
            let text = text(PATIENT, &format!("reply {number}"));
            loop {
                match carriers.send(account, &text).await {
                    Ok(sent) => return (number, Some(sent.carrier_message_id)),
                    // Never sent, for certain: again.
                    Err(SendError::Connect) => tokio::time::sleep(Duration::from_millis(20)).await,
                    Err(SendError::Ambiguous) => return (number, None),
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        stream::iter(sends).buffer_unordered(100).collect::<Vec<_>>().await
    });
    let mut cuts = 0;
    while !sending.is_finished() && cuts < 5 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        setup.peer.order(&json!({ "cut": true })).await;
        cuts += 1;
        within(setup.link.wait(false)).await;
        within(setup.link.wait(true)).await;
    }
    let sent = within(sending).await.unwrap();
    println!("sent after {:.1} s", started.elapsed().as_secs_f64());
    let store = Arc::clone(&setup.store);
    until(|| store.messages.lock().unwrap().len() >= COUNT).await;
    let stats = setup.peer.settled().await;
    let seconds = started.elapsed().as_secs_f64();

    let bodies = store.bodies();
    let distinct: HashSet<_> = bodies.iter().collect();
    assert_eq!((bodies.len(), distinct.len()), (COUNT, COUNT), "each text once");
    let submitted = stats["submitted"].as_array().unwrap();
    let texts: HashSet<_> = submitted.iter().map(|submit| submit["text"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), submitted.len(), "no text was sent twice");
    let by_id: BTreeMap<_, _> = submitted
        .iter()
        .map(|submit| (submit["id"].as_str().unwrap(), submit["text"].as_str().unwrap()))
        .collect();
    let mut in_doubt = 0;
    for (number, id) in &sent {
        match id {
            Some(id) => assert_eq!(by_id[id.as_str()], format!("reply {number}")),
            None => in_doubt += 1,
        }
    }
    let receipts = store.receipts.lock().unwrap();
    let delivered = submitted.iter().filter(|submit| {
        receipts.contains(&(submit["id"].as_str().unwrap().to_owned(), "Delivered None".to_owned()))
    });
    assert_eq!(delivered.count(), submitted.len(), "a receipt for each");
    assert!(cuts > 0 && in_doubt <= cuts * 50, "no more in doubt than were under way");
    println!(
        "{COUNT} texts in and {} out with {} receipts in {seconds:.1} s, {cuts} cuts: none lost, none doubled; \
         {in_doubt} sends in doubt, {} repetitions recognised",
        submitted.len(),
        receipts.len(),
        store.repeated.lock().unwrap(),
    );
}

#[tokio::test]
async fn a_wrong_password_never_binds() {
    let mut setup = start(Peer::start(&[]).await, &json!({ "password": "wrong" }));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!setup.link.is_bound());
    let error = setup.carriers.send(&setup.account, &text(PATIENT, "hi")).await.unwrap_err();
    assert_eq!(error, SendError::Connect);
    assert_eq!(setup.peer.stats().await["submitted"], json!([]));
}

#[tokio::test]
async fn tls_with_the_accounts_own_certificate() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
    let (key, certificate) = (format!("{keys}/localhost.pem"), format!("{keys}/localhost.crt"));
    let pem = std::fs::read_to_string(&certificate).unwrap();
    let peer = Peer::start(&[&key, &certificate]).await;
    let tls = json!({ "host": "localhost", "tls": true, "ca_certificate": pem, "interface_version": "5.0" });
    let mut setup = start(peer, &tls);
    within(setup.link.wait(true)).await;
    assert_eq!(setup.peer.fact("bound").await["bound"], 0x50);
    setup.carriers.send(&setup.account, &text(PATIENT, "hi")).await.unwrap();

    // The machine's roots don't know it.
    let peer = Peer::start(&[&key, &certificate]).await;
    let stranger = start(peer, &json!({ "host": "localhost", "tls": true }));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!stranger.link.is_bound());
}

#[tokio::test]
async fn refusals_mean_what_they_say() {
    let setup = bound(json!({})).await;
    let send = async |to: &str| setup.carriers.send(&setup.account, &text(to, "hi")).await.unwrap_err();
    assert!(matches!(send("+15558670058").await, SendError::RateLimited { .. }));
    let SendError::Rejected(failure) = send("+15558670011").await else { panic!() };
    assert_eq!((failure.code.as_str(), failure.kind), ("0x0b", FailureKind::Unreachable));
    let picture = OutboundText { media_urls: vec!["https://x.example/1".into()], ..text(PATIENT, "hi") };
    let error = setup.carriers.send(&setup.account, &picture).await.unwrap_err();
    assert!(matches!(error, SendError::Rejected(failure) if failure.code == "no_media"));
}

#[tokio::test]
async fn long_texts_go_in_pieces_and_short_ones_whole() {
    let mut setup = bound(json!({})).await;
    let long_plain = "Bring [your] card & 5 € ".repeat(12);
    let long_unicode = "Your knee 😀 at 3 ".repeat(10);
    let texts = ["hi", "é@[€]", "😀", &long_plain, &long_unicode];
    for body in texts {
        let sent = setup.carriers.send(&setup.account, &text(PATIENT, body)).await.unwrap();
        assert_eq!(sent.state, ReceiptState::Queued);
        let stats = setup.peer.stats().await;
        let submitted = stats["submitted"].as_array().unwrap();
        let last = submitted.last().unwrap();
        assert_eq!(last["id"], json!(sent.carrier_message_id), "{body}");
        assert_eq!(
            (&last["to"], &last["from"], &last["ton"]),
            (&json!("15558675310"), &json!("18005550100"), &json!(1))
        );
    }
    let stats = setup.peer.stats().await;
    let submitted = stats["submitted"].as_array().unwrap();
    let whole: Vec<_> = submitted.iter().filter(|submit| submit["udh"].is_null()).collect();
    let read: Vec<_> = whole.iter().map(|submit| submit["text"].as_str().unwrap()).collect();
    assert_eq!(read, &texts[..3]);
    assert_eq!((&whole[0]["coding"], &whole[2]["coding"]), (&json!(0), &json!(8)));
    for (text, reference) in [(texts[3], 3), (texts[4], 4)] {
        let pieces: Vec<_> = submitted
            .iter()
            .filter(|submit| {
                submit["udh"][0].as_str().is_some_and(|udh| udh.starts_with(&format!("0003{reference:02x}")))
            })
            .collect();
        assert!(pieces.len() > 1, "{submitted:?}");
        let joined: String = pieces.iter().map(|piece| piece["text"].as_str().unwrap()).collect();
        assert_eq!(joined, text);
        for (at, piece) in pieces.iter().enumerate() {
            let header = format!("0003{reference:02x}{:02x}{:02x}", pieces.len(), at + 1);
            assert_eq!(piece["udh"][0], json!(header));
            assert_eq!(
                piece["receipt"],
                json!(u8::from(at + 1 == pieces.len())),
                "only the last one's receipt"
            );
        }
    }
}

#[tokio::test]
async fn what_comes_in_is_read() {
    let mut setup = bound(json!({})).await;
    let store = Arc::clone(&setup.store);
    let from = json!({ "source_addr": "15558675310", "destination_addr": "18005550100" });
    let pdu = |also: Value| {
        let mut pdu = from.clone();
        pdu.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
        json!({ "pdu": pdu })
    };
    for order in [
        pdu(json!({ "message_hex": "00051b3c", "data_coding": 0 })),
        pdu(json!({ "message_hex": "00e9d83dde00", "data_coding": 8 })),
        pdu(json!({ "message_hex": "e940", "data_coding": 3 })),
        // The second of three pieces, by 8 and by 16 bits of reference.
        pdu(json!({ "message_hex": "050003a5030268", "esm_class": 0x40 })),
        pdu(json!({ "message_hex": "0608040102030369", "esm_class": 0x40 })),
        pdu(
            json!({ "message_hex": "6a", "sar_msg_ref_num": 9, "sar_total_segments": 2, "sar_segment_seqnum": 1 }),
        ),
    ] {
        setup.peer.order(&order).await;
    }
    until(|| store.messages.lock().unwrap().len() == 6).await;
    let mut bodies = store.bodies();
    bodies.sort();
    assert_eq!(bodies, ["@é[", "h", "i", "j", "é@", "é😀"]);
    let mut parts: Vec<_> = store.parts.lock().unwrap().iter().flatten().cloned().collect();
    parts.sort_by(|left, right| left.reference.cmp(&right.reference));
    let part = |reference: &str, number, count| Part { reference: reference.into(), number, count };
    assert_eq!(parts, [part("165", 2, 3), part("258", 3, 3), part("9", 1, 2)]);

    // Receipts by text and by parameters.
    let receipt = |also: Value| {
        let mut all = json!({ "esm_class": 4 });
        all.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
        pdu(all)
    };
    for order in [
        receipt(json!({ "short_message": "id:a sub:001 dlvrd:000 stat:UNDELIV err:027 text:x" })),
        receipt(json!({ "short_message": "", "receipted_message_id": "b", "message_state": 2 })),
        receipt(json!({ "short_message": "id:c stat:ENROUTE err:000" })),
    ] {
        setup.peer.order(&order).await;
    }
    until(|| store.receipts.lock().unwrap().len() == 3).await;
    let wanted = [("a", "Failed Some(\"UNDELIV\")"), ("b", "Delivered None"), ("c", "Sent None")];
    let wanted: BTreeSet<_> = wanted.map(|(id, state)| (id.to_owned(), state.to_owned())).into();
    assert_eq!(*store.receipts.lock().unwrap(), wanted);
}

#[tokio::test]
async fn what_cannot_be_read_is_handed_on_acknowledged_and_in_nobodys_way() {
    let mut setup = bound(json!({})).await;
    let store = Arc::clone(&setup.store);
    // An alphabet that is none of a text's; then a command that ends within its first field.
    let binary = json!({
        "source_addr": "15558675310", "destination_addr": "18005550100", "message_hex": "00", "data_coding": 4,
    });
    setup.peer.order(&json!({ "pdu": binary })).await;
    setup.peer.order(&json!({ "raw": "000000120000000500000000000f42400001" })).await;
    assert_eq!(setup.peer.fact("raw_answered").await["raw_answered"], 0);
    setup.peer.order(&json!({ "deliver": 1 })).await;
    until(|| store.messages.lock().unwrap().len() == 1).await;
    assert_eq!(setup.peer.settled().await["acknowledged"], 2, "the readable and the one of another alphabet");
    assert!(setup.link.is_bound());

    let Credentials::Smpp(account) = &setup.account else { unreachable!() };
    let unread = std::mem::take(&mut *store.unread.lock().unwrap());
    let codes: Vec<_> = unread.iter().map(|(_, unread)| unread.malformed.code()).collect();
    assert_eq!(codes, ["bad_field", "bad_pdu"]);
    for (id, unread) in &unread {
        // By a version that knows no more, the same again.
        assert_eq!(read_again(account, unread.octets.to_vec(), id), Err(unread.malformed));
    }
    // By one that does: the alphabet is written otherwise, the octets are those that came.
    let mut known = unread[0].1.octets.to_vec();
    let coding = known.len() - 4;
    assert_eq!(known[coding..], [4, 0, 1, 0]);
    known[coding] = 0;
    let read = read_again(account, known, &unread[0].0).unwrap();
    assert_eq!((read.messages[0].body.as_str(), &read.messages[0].carrier_message_id), ("@", &unread[0].0));
}

#[tokio::test]
async fn the_next_process_recognises_what_a_killed_one_had_stored() {
    let mut setup = bound(json!({})).await;
    let store = Arc::clone(&setup.store);
    setup.peer.order(&json!({ "deliver": 10 })).await;
    setup.peer.settled().await;
    // Acknowledged, and known to be: nothing of it is expected again.
    until(|| store.expected.lock().unwrap().is_empty()).await;
    // From now on no acknowledgement gets through.
    setup.peer.order(&json!({ "deaf": true })).await;
    setup.peer.order(&json!({ "deliver": 10 })).await;
    until(|| store.messages.lock().unwrap().len() == 20).await;
    // The process is gone without a word; another one with the same store takes the link.
    let Credentials::Smpp(smpp) = &setup.account else { unreachable!() };
    let next = Carriers::new(&ClientConfig::default()).unwrap();
    setup.peer.order(&json!({ "cut": true })).await;
    within(setup.link.wait(false)).await;
    setup.carriers.links().stop(smpp);
    drop(setup.link);
    let link = next.links().start(smpp, "session-2".into(), Arc::clone(&store) as Arc<dyn Inbox>);
    within(link.wait(true)).await;
    setup.peer.settled().await;
    assert_eq!((store.messages.lock().unwrap().len(), *store.repeated.lock().unwrap()), (20, 10));
    until(|| store.expected.lock().unwrap().is_empty()).await;
    // And what is written once more is new.
    setup.peer.order(&json!({ "deliver": 1 })).await;
    until(|| store.messages.lock().unwrap().len() == 21).await;
    assert!(link.is_bound());
}

#[tokio::test]
async fn what_cannot_be_stored_is_sent_again() {
    let mut setup = bound(json!({})).await;
    *setup.store.failures.lock().unwrap() = 5;
    setup.peer.order(&json!({ "deliver": 3 })).await;
    let store = Arc::clone(&setup.store);
    until(|| store.messages.lock().unwrap().len() == 3).await;
    let stats = setup.peer.settled().await;
    assert_eq!(stats["acknowledged"], 3);
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_left() {
    let mut setup = bound(json!({})).await;
    setup.peer.order(&json!({ "mute": true })).await;
    // Two signs of life are a second apart each; the peer speaks again once it is bound anew.
    within(setup.link.wait(false)).await;
    within(setup.link.wait(true)).await;
    assert!(setup.carriers.send(&setup.account, &text(PATIENT, "hi")).await.is_ok());
}

#[tokio::test]
async fn a_link_that_nobody_holds_unbinds() {
    let mut setup = bound(json!({})).await;
    let Credentials::Smpp(smpp) = &setup.account else { unreachable!() };
    setup.carriers.links().stop(smpp);
    drop(setup.link);
    assert_eq!(setup.peer.fact("unbound").await["unbound"], true);
    let error = setup.carriers.send(&setup.account, &text(PATIENT, "hi")).await.unwrap_err();
    assert_eq!(error, SendError::Connect);
}
