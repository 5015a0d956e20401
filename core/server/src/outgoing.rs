//! Queueing texts to patients: each as its carrier takes it.

use anteroom_carriers::CarrierKind;
use anteroom_model::{ids::MessageId, segments::texts};
use anteroom_store::{Extra, NewOutbound, Org, StoreError};

/// Queues `new` as `first`; a text that is too long for the carrier goes out as several, cut between words, in
/// order. Gives all of them.
pub(crate) async fn queue(
    org: &mut Org<'_>,
    carrier: CarrierKind,
    first: MessageId,
    new: NewOutbound,
) -> Result<Vec<MessageId>, StoreError> {
    let mut ids = Vec::new();
    for body in texts(&new.body, carrier.longest_text()) {
        let id = if ids.is_empty() { first } else { org.new_id() };
        // Files and the like go with the first.
        let extra = if ids.is_empty() { new.extra.clone() } else { Extra::default() };
        let piece = NewOutbound { body: body.to_owned(), extra, ..new.clone() };
        org.insert_outbound_as(id, &piece).await?;
        ids.push(id);
    }
    Ok(ids)
}
