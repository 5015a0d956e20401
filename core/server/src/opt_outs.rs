//! Recording that a patient must not be texted any more, however it was said.

use anteroom_model::{ids::ConversationId, ids::OptOutId, states::MessageState};
use anteroom_store::{Actor, NewEvent, NewOptOut, Org, StoreError};
use serde_json::json;

/// Why a text is not sent, in staff's words: at the reply, at the gate and for what waited.
pub(crate) const OPTED_OUT: &str =
    "This patient has opted out of texts. They can text START to get them again.";

/// Records an opt-out and blocks what waits to be sent. Its id, if it is new.
pub(crate) async fn record(
    org: &mut Org<'_>,
    new: &NewOptOut<'_>,
    conversation: Option<ConversationId>,
    actor: Actor,
) -> Result<Option<OptOutId>, StoreError> {
    let Some(id) = org.record_opt_out(new).await? else { return Ok(None) };
    for (message, conversation) in org.block_queued(new.peer, new.scope, OPTED_OUT).await? {
        let data = json!({ "message_id": message, "state": MessageState::Blocked, "error_text": OPTED_OUT });
        org.tell(NewEvent { kind: "message.state", conversation_id: conversation, actor: Actor::Host, data });
    }
    let data = json!({ "source": new.source, "via": new.via });
    org.tell(NewEvent { kind: "opt_out.recorded", conversation_id: conversation, actor, data });
    Ok(Some(id))
}
