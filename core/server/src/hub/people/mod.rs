//! People: who works here, what they may do, how they get in, and how that ends.

pub(super) mod edit;
pub(super) mod leaving;
pub(super) mod links;
pub(super) mod list;
pub(super) mod password;
pub(super) mod sessions;
pub(super) mod welcome;

use anteroom_model::ids::StaffId;
use anteroom_store::{Actor, NewEvent, Org, Staff};
use serde_json::json;

use crate::problem::Problem;

async fn found(org: &mut Org<'_>, id: StaffId) -> Result<Staff, Problem> {
    org.staff_member(id).await?.ok_or_else(|| Problem::not_found("member of staff"))
}

fn tell(org: &Org<'_>, kind: &'static str, id: StaffId, by: StaffId) {
    let data = json!({ "staff_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
