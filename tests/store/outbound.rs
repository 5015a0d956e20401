//! Messages on their way out: leases, doubt, receipts, opt-outs.

use std::time::Duration;

use anteroom_model::{
    ids::{MessageId, NodeId},
    states::MessageState,
    time::Timestamp,
};
use anteroom_store::{EarlyReceipt, Message, NewOutbound, OutboundWork, ReceiptMatch, SendEnd};
use futures::future::join;

use crate::harness::{Clinic, Fresh, commit, node};

const LEASE: Duration = Duration::from_mins(1);
const PEER: &str = "+15125550101";

async fn claim(db: &Fresh, by: NodeId) -> Vec<OutboundWork> {
    db.claim_outbound(by, db.now().plus(LEASE), 10).await.unwrap().work
}

async fn claim_one(db: &Fresh, by: NodeId) -> OutboundWork {
    let mut work = claim(db, by).await;
    assert_eq!(work.len(), 1, "{work:?}");
    work.remove(0)
}

fn ended(state: MessageState, due_at: Option<Timestamp>) -> SendEnd {
    SendEnd { state, carrier_message_id: None, error_code: None, error_text: None, due_at }
}

async fn end(db: &Fresh, clinic: &Clinic, id: MessageId, by: NodeId, end: SendEnd) -> bool {
    commit!(db, clinic.organization, |org| org.end_send(id, by, &end).await).unwrap()
}

async fn message(db: &Fresh, clinic: &Clinic, id: MessageId) -> Message {
    db.read(clinic.organization).await.unwrap().message(id).await.unwrap().unwrap()
}

pub(crate) async fn a_lane_is_sent_in_order(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let first = clinic.queue(db, PEER, "first").await;
    let second = clinic.queue(db, PEER, "second").await;
    let other = clinic.queue(db, "+15125550102", "to somebody else").await;
    let work = claim(db, node(1)).await;
    assert_eq!(work.iter().map(|work| work.id).collect::<Vec<_>>(), [first, other]);
    // Refused for now: what is behind it waits too, or it would arrive out of order.
    let later = db.now().plus(Duration::from_secs(2));
    assert!(end(db, &clinic, first, node(1), ended(MessageState::Queued, Some(later))).await);
    assert!(claim(db, node(1)).await.is_empty());
    db.clock.advance(Duration::from_secs(2));
    let again = claim_one(db, node(1)).await;
    assert_eq!((again.id, again.attempt, again.in_doubt), (first, 2, false));
    assert!(end(db, &clinic, first, node(1), ended(MessageState::Sent, None)).await);
    assert_eq!(claim_one(db, node(1)).await.id, second);
}

pub(crate) async fn what_nobody_saw_the_end_of_is_in_doubt(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = clinic.queue(db, PEER, "hello").await;
    assert!(!claim_one(db, node(1)).await.in_doubt);
    assert!(claim(db, node(2)).await.is_empty(), "leased");
    // The process dies; its lease ends.
    db.clock.advance(LEASE);
    let work = claim_one(db, node(2)).await;
    assert_eq!((work.id, work.attempt, work.in_doubt), (id, 2, true));
    // Still unclear: looked at again later, in doubt as before.
    let soon = db.now().plus(Duration::from_secs(5));
    let doubtful =
        SendEnd { error_code: Some("ambiguous".into()), ..ended(MessageState::Sending, Some(soon)) };
    assert!(end(db, &clinic, id, node(2), doubtful).await);
    db.clock.advance(Duration::from_secs(5));
    let work = claim_one(db, node(2)).await;
    assert_eq!((work.in_doubt, work.error_code.as_deref()), (true, Some("ambiguous")));
    // The carrier doesn't have it: queued again, and no longer in doubt.
    assert!(end(db, &clinic, id, node(2), ended(MessageState::Queued, Some(db.now()))).await);
    assert!(!claim_one(db, node(2)).await.in_doubt);
}

pub(crate) async fn a_lost_lease_still_tells_the_carriers_id(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = clinic.queue(db, PEER, "hello").await;
    claim_one(db, node(1)).await;
    db.clock.advance(LEASE);
    claim_one(db, node(2)).await;
    let sent = SendEnd { carrier_message_id: Some("SM1".into()), ..ended(MessageState::Sent, None) };
    assert!(!end(db, &clinic, id, node(1), sent).await, "the lease is another's");
    assert_eq!(message(db, &clinic, id).await.state, MessageState::Sending);
    // But a receipt that names the carrier's id is understood.
    let mut org = db.read(clinic.organization).await.unwrap();
    let by = ReceiptMatch::Carriers("SM1".into());
    assert_eq!(org.message_of_receipt(clinic.account, &by).await.unwrap().unwrap().id, id);
    let ours = ReceiptMatch::Ours(id);
    assert!(org.message_of_receipt(clinic.account, &ours).await.unwrap().is_some());
    let other_account = db.ids().next(db.now());
    for by in [by, ours] {
        assert!(org.message_of_receipt(other_account, &by).await.unwrap().is_none());
    }
}

pub(crate) async fn a_receipt_may_be_faster_than_the_answer(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let id = clinic.queue(db, PEER, "hello").await;
    claim_one(db, node(1)).await;
    let read = message(db, &clinic, id).await;
    let receipt = |read: Message, next| async move {
        commit!(db, clinic.organization, |org| org.apply_receipt(&read, next, None, "SM1").await).unwrap()
    };
    assert!(receipt(read.clone(), MessageState::Delivered).await);
    assert!(!receipt(read, MessageState::Sent).await, "it has moved since it was read");
    let sent = SendEnd { carrier_message_id: Some("SM1".into()), ..ended(MessageState::Sent, None) };
    assert!(!end(db, &clinic, id, node(1), sent).await);
    let kept = message(db, &clinic, id).await;
    assert_eq!((kept.state, kept.carrier_message_id.as_deref()), (MessageState::Delivered, Some("SM1")));
    assert!(kept.sent_at.is_some() && kept.finished_at.is_some());
    db.clock.advance(LEASE);
    assert!(claim(db, node(2)).await.is_empty(), "a delivered text is not work");
}

/// Every order of the send's own answer and up to four receipts, some of them twice.
pub(crate) async fn receipts_in_any_order_end_in_the_same_state(db: &Fresh) {
    use MessageState::{Delivered, Failed, Sent};
    let clinic = Clinic::new(db, "A").await;
    // `None` is the answer to the send.
    for (events, last) in [
        (vec![None, Some(Sent)], Sent),
        (vec![None, Some(Sent), Some(Delivered), Some(Delivered)], Delivered),
        (vec![None, Some(Sent), Some(Failed), Some(Failed)], Failed),
        // Said by the carrier and by the handset: who has it, has it.
        (vec![None, Some(Sent), Some(Failed), Some(Delivered)], Delivered),
    ] {
        for order in orders(&events) {
            let id = clinic.queue(db, PEER, "hello").await;
            claim_one(db, node(1)).await;
            let carriers = format!("SM-{id}");
            for event in &order {
                let Some(next) = *event else {
                    let carrier_message_id = Some(carriers.clone());
                    end(db, &clinic, id, node(1), SendEnd { carrier_message_id, ..ended(Sent, None) }).await;
                    continue;
                };
                let read = message(db, &clinic, id).await;
                if read.state.receipt_moves_to(next) {
                    let (read, carriers) = (read.clone(), carriers.clone());
                    let error = (next == Failed).then_some(("30003", "Unreachable."));
                    let moved = commit!(db, clinic.organization, |org| org
                        .apply_receipt(&read, next, error, &carriers)
                        .await);
                    assert!(moved.unwrap());
                }
            }
            let kept = message(db, &clinic, id).await;
            assert_eq!(kept.state, last, "{order:?}");
            assert_eq!(kept.carrier_message_id, Some(carriers), "{order:?}");
            assert_eq!(kept.error_code.is_some(), last == Failed, "{order:?}");
            assert_eq!(kept.finished_at.is_some(), last != Sent, "{order:?}");
        }
    }
    db.clock.advance(LEASE);
    assert!(claim(db, node(2)).await.is_empty(), "nothing is work any more");
}

/// By the carrier's id alone, while the answer that tells it is being written: one of the two sees the other.
pub(crate) async fn a_receipt_and_the_answer_never_pass_each_other(db: &Fresh) {
    let clinic = &Clinic::new(db, "A").await;
    let account = clinic.account;
    for round in 0..100 {
        let id = clinic.queue(db, PEER, "hello").await;
        claim_one(db, node(1)).await;
        let carriers = format!("SM-{round}");
        let answer = async {
            let (ids, sent) = (carriers.clone(), ended(MessageState::Sent, None));
            commit!(db, clinic.organization, |org| {
                let end = SendEnd { carrier_message_id: Some(ids.clone()), ..sent };
                org.end_send(id, node(1), &end).await?;
                org.take_early_receipts(account, &ids).await
            })
        };
        let receipt = async {
            let ids = carriers.clone();
            commit!(db, clinic.organization, |org| {
                let by = ReceiptMatch::Carriers(ids.clone());
                org.lock_receipts(account, &ids).await?;
                if org.message_of_receipt(account, &by).await?.is_some() {
                    return Ok(true);
                }
                let receipt = EarlyReceipt { state: MessageState::Delivered, error_code: None };
                org.keep_early_receipt(account, &ids, &receipt).await?;
                Ok(false)
            })
        };
        let (taken, known) = join(answer, receipt).await;
        assert_eq!(taken.unwrap().len(), usize::from(!known.unwrap()), "round {round}");
    }
}

fn orders<T: Clone>(events: &[T]) -> Vec<Vec<T>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..events.len() {
        let mut rest = events.to_vec();
        let first = rest.remove(at);
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, first.clone());
            order
        }));
    }
    all
}

pub(crate) async fn each_end_leaves_its_moments(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    // (state, was it sent, is it over)
    for (state, sent, finished) in [
        (MessageState::Sent, true, false),
        (MessageState::Delivered, true, true),
        (MessageState::Failed, false, true),
        (MessageState::Unknown, false, true),
        (MessageState::Blocked, false, true),
    ] {
        let id = clinic.queue(db, PEER, "hello").await;
        claim_one(db, node(1)).await;
        assert!(!end(db, &clinic, id, node(2), ended(state, None)).await, "not this process's");
        assert!(end(db, &clinic, id, node(1), ended(state, None)).await);
        let message = message(db, &clinic, id).await;
        let moments = (message.state, message.sent_at.is_some(), message.finished_at.is_some());
        assert_eq!(moments, (state, sent, finished));
    }
}

pub(crate) async fn only_what_did_not_go_out_is_tried_again(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let retry =
        |id| async move { commit!(db, clinic.organization, |org| org.retry_outbound(id).await).unwrap() };
    let text = clinic.receive(db, PEER, "hello").await;
    assert!(!retry(text).await, "a patient's text is not sent");
    let id = clinic.queue(db, PEER, "hello").await;
    assert!(!retry(id).await, "queued");
    for (state, again) in [
        (MessageState::Failed, true),
        (MessageState::Unknown, true),
        (MessageState::Blocked, true),
        (MessageState::Delivered, false),
    ] {
        let work = claim_one(db, node(1)).await;
        assert_eq!((work.attempt, work.in_doubt, work.error_code), (1, false, None), "a clean start");
        assert!(!retry(id).await, "being sent");
        let failed = SendEnd { error_code: Some("30003".into()), ..ended(state, None) };
        assert!(end(db, &clinic, id, node(1), failed).await);
        assert_eq!(retry(id).await, again, "{state}");
    }
}

pub(crate) async fn a_stop_blocks_what_waits_and_nothing_else(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let sending = clinic.queue(db, PEER, "being sent").await;
    claim_one(db, node(1)).await;
    let waiting = clinic.queue(db, PEER, "waiting").await;
    let from_other_number = NewOutbound { number_id: clinic.other_number, ..clinic.reply(PEER, "waiting") };
    let confirmation = NewOutbound { despite_opt_out: true, ..clinic.reply(PEER, "you will get no more") };
    let (elsewhere, confirmation) = commit!(db, clinic.organization, |org| {
        let elsewhere = org.insert_outbound(&from_other_number).await?;
        Ok((elsewhere, org.insert_outbound(&confirmation).await?))
    })
    .unwrap();
    let stranger = clinic.queue(db, "+15125550102", "to somebody else").await;
    let block = |scope| async move {
        commit!(db, clinic.organization, |org| org.block_queued(PEER, scope, "opted out").await).unwrap()
    };
    assert_eq!(block(Some(clinic.number)).await, [(waiting, None)]);
    assert_eq!(block(None).await, [(elsewhere, None)]);
    for (id, state) in [
        (sending, MessageState::Sending),
        (waiting, MessageState::Blocked),
        (elsewhere, MessageState::Blocked),
        (confirmation, MessageState::Queued),
        (stranger, MessageState::Queued),
    ] {
        assert_eq!(message(db, &clinic, id).await.state, state);
    }
    let blocked = message(db, &clinic, waiting).await;
    assert_eq!(
        (blocked.error_code.as_deref(), blocked.error_text.as_deref()),
        (Some("opted_out"), Some("opted out"))
    );
    assert!(blocked.finished_at.is_some());
}
