//! Applying delivery receipts.
//!
//! Receipts come in any order, twice, and before the answer to the send itself: they name our own id (we
//! give it to the carrier with the status address) or the carrier's. One that names an id of the carrier's that isn't
//! known yet is kept until the answer to the send tells it.

use anteroom_carriers::{CarrierKind, Failure, FailureKind, Receipt, explain};
use anteroom_model::{
    ids::{CarrierAccountId, MessageId},
    states::MessageState,
};
use anteroom_store::{Actor, EarlyReceipt, Message, NewEvent, NewOptOut, Org, ReceiptMatch, StoreError};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use crate::{app::App, ingress::Hook, opt_outs, problem::Problem, registration};

/// The query parameter of the status address that holds our id.
pub(crate) const OUR_ID: &str = "m";

/// Moves the messages that the receipts are about.
pub(crate) async fn apply(app: &App, hook: &Hook, receipts: Vec<Receipt>) -> Result<(), Problem> {
    let ours = hook.query.as_deref().and_then(our_id);
    let closes = |receipt: &Receipt| {
        receipt.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Unregistered)
    };
    let closing = receipts.iter().any(closes);
    for receipt in receipts {
        let by = ours
            .map_or_else(|| ReceiptMatch::Carriers(receipt.carrier_message_id.clone()), ReceiptMatch::Ours);
        let account = hook.account.row.id;
        let outcome: Result<&'static str, StoreError> = app
            .store
            .write(hook.organization, move |mut org| {
                async move {
                    let (next, failure) = (receipt.state.message_state(), receipt.failure.as_ref());
                    let id = &receipt.carrier_message_id;
                    if let Some(message) = org.message_of_receipt(account, &by).await? {
                        return move_to(&mut org, &message, next, failure, id).await;
                    }
                    if ours.is_some() {
                        return Ok("unmatched");
                    }
                    // The answer to the send may be on its way: it tells which text this is about.
                    org.lock_receipts(account, id).await?;
                    if let Some(message) = org.message_of_receipt(account, &by).await? {
                        return move_to(&mut org, &message, next, failure, id).await;
                    }
                    let error_code = failure.map(|failure| failure.code.clone());
                    org.keep_early_receipt(account, id, &EarlyReceipt { state: next, error_code }).await?;
                    Ok("early")
                }
                .boxed()
            })
            .await;
        counter!("anteroom_receipts_total", "outcome" => outcome?).increment(1);
    }
    if closing {
        app.directory.forget(hook.organization);
    }
    Ok(())
}

/// Applies what came for a text before its carrier's id was known.
pub(crate) async fn catch_up(
    org: &mut Org<'_>,
    id: MessageId,
    carrier: CarrierKind,
    account: CarrierAccountId,
    carrier_message_id: &str,
) -> Result<(), StoreError> {
    for EarlyReceipt { state, error_code } in org.take_early_receipts(account, carrier_message_id).await? {
        let Some(message) = org.message(id).await? else { return Ok(()) };
        let failure = error_code.map(|code| explain(carrier, &code));
        move_to(org, &message, state, failure.as_ref(), carrier_message_id).await?;
    }
    Ok(())
}

/// Moves a text as a receipt says; what became of the receipt.
async fn move_to(
    org: &mut Org<'_>,
    message: &Message,
    next: MessageState,
    failure: Option<&Failure>,
    carrier_message_id: &str,
) -> Result<&'static str, StoreError> {
    if !message.state.receipt_moves_to(next) {
        return Ok("late");
    }
    let error = failure.map(|failure| (failure.code.as_str(), failure.text.as_ref()));
    if !org.apply_receipt(message, next, error, carrier_message_id).await? {
        return Ok("late");
    }
    org.tell(NewEvent {
        kind: "message.state",
        conversation_id: message.conversation_id,
        actor: Actor::Host,
        data: json!({
            "message_id": message.id,
            "state": next,
            "error_text": failure.map(|failure| failure.text.as_ref()),
        }),
    });
    if let Some(failure) = failure {
        learn_from(org, failure, &message.peer, message.number_id).await?;
    }
    Ok("applied")
}

/// A refusal by the carrier that says something lasting: the patient has opted out there, or the number
/// may not send.
pub(crate) async fn learn_from(
    org: &mut Org<'_>,
    failure: &Failure,
    peer: &str,
    number: anteroom_model::ids::NumberId,
) -> Result<(), StoreError> {
    match failure.kind {
        FailureKind::OptedOut => {
            let new = NewOptOut::told_by(peer, Some(number), "carrier");
            let conversation = org.conversation_with(number, peer).await?;
            opt_outs::record(org, &new, conversation.map(|conversation| conversation.id), Actor::Host)
                .await?;
        }
        FailureKind::Unregistered => registration::refused(org, number, &failure.code).await?,
        FailureKind::Unreachable
        | FailureKind::Landline
        | FailureKind::Spam
        | FailureKind::Account
        | FailureKind::Other => {}
    }
    Ok(())
}

fn our_id(query: &str) -> Option<MessageId> {
    query.split('&').find_map(|pair| pair.strip_prefix(OUR_ID)?.strip_prefix('=')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_id_is_found_among_other_parameters() {
        let id = "019a9d3c-0000-7000-8000-000000000001";
        let found = our_id(&format!("a=1&m={id}&mm=2")).unwrap();
        assert_eq!(found.to_string(), id);
        assert_eq!(our_id("mm=019a9d3c-0000-7000-8000-000000000001"), None);
        assert_eq!(our_id("m=nonsense"), None);
    }
}
