//! Somebody leaves, or only reads from now on: what they had goes back to Unassigned.

use anteroom_model::ids::StaffId;
use anteroom_store::{Actor, ConversationChange, Filters, NewEvent, Org, Queue, Staff};
use serde_json::json;

use crate::problem::Problem;

/// Conversations looked up at once.
const PAGE: u32 = 100;

/// What follows from a change of `before` to `after`: who leaves is let in nowhere any more, and who doesn't work on
/// conversations any more has none.
pub(super) async fn settle(
    org: &mut Org<'_>,
    before: &Staff,
    after: &Staff,
    by: StaffId,
) -> Result<(), Problem> {
    if before.active && !after.active {
        org.end_access(after.id).await?;
    }
    if before.works() && !after.works() {
        give_back(org, after.id, by).await?;
    }
    Ok(())
}

async fn give_back(org: &mut Org<'_>, staff: StaffId, by: StaffId) -> Result<(), Problem> {
    loop {
        let page = org.queue(Queue::Mine(staff), &Filters::default(), None, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for found in page {
            // Somebody may have it in hand: read again, and kept for this change.
            let Some(mut conversation) = org.conversation_to_change(found.id).await? else { continue };
            if conversation.assignee_id != Some(staff) {
                continue;
            }
            conversation.assignee_id = None;
            if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
                continue;
            }
            let team = conversation.team_id;
            org.tell(NewEvent {
                kind: "conversation.assigned",
                conversation_id: Some(conversation.id),
                actor: Actor::Staff(by),
                data: json!({
                    "assignee_id": null, "team_id": team, "from": staff, "from_team": team, "because": "left",
                }),
            });
        }
    }
}
