//! Applying delivery receipts.
//!
//! Receipts come in any order, twice, and before the answer to the send itself: they name our own id (we
//! give it to the carrier with the status address) or the carrier's.

use anteroom_carriers::{Failure, FailureKind, Receipt};
use anteroom_model::{ids::MessageId, states::Registration};
use anteroom_store::{Actor, NewEvent, Org, ReceiptMatch, StoreError};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use crate::{app::App, ingress::Hook, problem::Problem};

/// The query parameter of the status address that holds our id.
pub(crate) const OUR_ID: &str = "m";

/// Moves the messages that the receipts are about.
pub(super) async fn apply(app: &App, hook: &Hook, receipts: Vec<Receipt>) -> Result<(), Problem> {
    let ours = hook.query.as_deref().and_then(our_id);
    for receipt in receipts {
        let by = ours
            .map_or_else(|| ReceiptMatch::Carriers(receipt.carrier_message_id.clone()), ReceiptMatch::Ours);
        let account = hook.account.row.id;
        let outcome: Result<&'static str, StoreError> = app
            .store
            .write(hook.organization, move |mut org| {
                async move {
                    let Some(message) = org.message_of_receipt(account, &by).await? else {
                        return Ok("unmatched");
                    };
                    let next = receipt.state.message_state();
                    if !message.state.receipt_moves_to(next) {
                        return Ok("late");
                    }
                    let failure = receipt.failure.as_ref();
                    let error = failure.map(|failure| (failure.code.as_str(), failure.text.as_ref()));
                    if !org.apply_receipt(&message, next, error, &receipt.carrier_message_id).await? {
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
                        learn_from(&mut org, failure, &message.peer, message.number_id).await?;
                    }
                    Ok("applied")
                }
                .boxed()
            })
            .await;
        counter!("anteroom_receipts_total", "outcome" => outcome?).increment(1);
    }
    Ok(())
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
            if org.record_opt_out(peer, Some(number), "carrier").await? {
                let conversation = org.conversation_with(number, peer).await?;
                org.tell(NewEvent {
                    kind: "opt_out.recorded",
                    conversation_id: conversation.map(|conversation| conversation.id),
                    actor: Actor::Host,
                    data: json!({ "source": "carrier" }),
                });
            }
        }
        FailureKind::Unregistered => {
            if let Some(mut number) = org.number(number).await? {
                number.registration = Registration::Rejected;
                number.registration_note = format!("The carrier refused a text with {}.", failure.code);
                org.set_number(&number).await?;
            }
        }
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
