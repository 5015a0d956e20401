//! The patient directory over REST.
//!
//! An id that was merged into another one goes on working: reads show the survivor, writes change it. What a
//! search is for stands in a body, never in an address. Every answer with a patient's data is audited before it
//! is given.

pub(super) mod bodies;
pub(super) mod deletion;
pub(super) mod edit;
pub(super) mod export;
pub(super) mod history;
pub(super) mod merges;
pub(super) mod read;
pub(super) mod search;
pub(super) mod views;

use anteroom_model::ids::{PatientId, StaffId};
use anteroom_store::{Actor, By, Org};
use axum::http::StatusCode;
use serde_json::json;

use crate::{auth::Caller, problem::Problem};

/// Characters of a reason at most.
const LONGEST_REASON: usize = 500;

/// On the caller's behalf.
fn by(caller: &Caller, reason: Option<String>) -> By {
    By { actor: Actor::Staff(caller.staff), reason, request_id: caller.request_id.clone() }
}

/// A reason in the caller's words.
fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_REASON {
        return Err(Problem::invalid(format!("Give a reason of 1 to {LONGEST_REASON} characters.")));
    }
    Ok(text.to_owned())
}

fn not_found() -> Problem {
    Problem::not_found("patient")
}

/// Somebody has changed the patient since the caller read it: who.
async fn outdated(org: &mut Org<'_>, id: PatientId, version: i64) -> Result<Problem, Problem> {
    let problem = Problem::new(
        StatusCode::CONFLICT,
        "changed",
        "The patient has changed",
        "Somebody changed this patient since you read it. Read it again.",
    );
    let last = org.patient_changes(id, anteroom_model::ids::ChangeId::GREATEST, 1).await?;
    let winner = last.first().and_then(|change| change.actor_id);
    with_winner(org, problem.with("version", version), winner).await
}

async fn with_winner(
    org: &mut Org<'_>,
    problem: Problem,
    winner: Option<StaffId>,
) -> Result<Problem, Problem> {
    let Some(winner) = winner else { return Ok(problem) };
    let name = org.staff_member(winner).await?.map(|staff| staff.name);
    Ok(problem.with("winner", json!({ "id": winner, "name": name })))
}
