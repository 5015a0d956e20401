//! Showing that decisions are what was recorded: verified as a chain, exported, run again.

use anteroom_model::{ids::DecisionId, states::Role};
use anteroom_store::{DecisionFilter, StoreError};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        decisions::{DecisionView, Wanted},
        policies::READERS,
    },
    problem::Problem,
    replay::{self, ReplayError},
};

/// Decisions that one request verifies.
const PART: i64 = 100_000;
/// Decisions of an export in memory at once.
const BATCH: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Where to begin; 1 by default. `next_seq` of the part before.
    from_seq: Option<i64>,
    /// How many at most, 1 to 100,000, which is the default.
    limit: Option<i64>,
}

/// Whether decisions are as they were recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChainView {
    /// Decisions that are, from `from_seq` on.
    checked: i64,
    /// Nothing is wrong as far as was looked.
    intact: bool,
    first_problem: Option<ProblemView>,
    /// There is more to look at: ask again with this as `from_seq`.
    next_seq: Option<i64>,
    /// The last place in the chain.
    end_seq: i64,
    /// The hash there, hex. Who keeps it elsewhere can show later that nothing before was made anew.
    end_hash: Option<String>,
    /// Decisions from before there was a chain: they have no place in it, and nothing is said of them.
    outside_of_chain: i64,
}

/// The first thing that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemView {
    /// At which place in the chain.
    seq: i64,
    /// `missing`, `changed`, `record_changed` or `added`.
    kind: &'static str,
    /// The same in words.
    what: String,
}

/// Verifies the chain of decisions: has one been changed, left out, cut off? For leads, admins and auditors.
#[utoipa::path(get, path = "/api/v1/decisions/verify", tag = "policies", params(Part),
    responses((status = 200, body = ChainView), (status = 403), (status = 422)))]
pub(super) async fn verify(
    State(app): State<App>,
    caller: Caller,
    Query(part): Query<Part>,
) -> Result<Json<ChainView>, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    let end = org.decision_chain().await?;
    let (from, most) = (part.from_seq.unwrap_or(1), part.limit.unwrap_or(PART).clamp(1, PART));
    if from > end.seq + 1 {
        return Err(Problem::invalid(format!("from_seq is beyond the end, which is {}.", end.seq)));
    }
    let found = org.verify_decisions(&end, from, most).await?;
    Ok(Json(ChainView {
        checked: found.checked,
        intact: found.broken.is_none(),
        first_problem: found.broken.map(|broken| ProblemView {
            seq: broken.seq,
            kind: broken.kind,
            what: broken.what,
        }),
        next_seq: found.next,
        end_seq: end.seq,
        end_hash: end.hash.map(hex::encode),
        outside_of_chain: end.outside,
    }))
}

/// All decisions that are wanted, newest first, one JSON object a line, each with its whole record. For admins
/// and auditors; audited. An answer that ends before its last line is a failure of ours: ask again with the last
/// line's `created_at` as `until`.
#[utoipa::path(get, path = "/api/v1/decisions/export", tag = "policies", params(Wanted),
    responses((status = 200, body = DecisionView, content_type = "application/x-ndjson"), (status = 403), (status = 422)))]
pub(super) async fn export(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    let filter = wanted.filter()?;
    caller.audit_read(&app, "decisions.exported", caller.staff.0).await?;
    let lines = stream::try_unfold(Some(DecisionId::GREATEST), move |before| {
        let (app, caller, filter) = (app.clone(), caller.clone(), filter.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            batch(&app, &caller, &filter, before).await.inspect_err(|error| {
                tracing::error!(%error, "an export of decisions broke off");
            })
        }
    });
    let name = "attachment; filename=\"decisions.ndjson\"";
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The lines of some decisions, and where the next ones begin.
async fn batch(
    app: &App,
    caller: &Caller,
    filter: &DecisionFilter,
    before: DecisionId,
) -> Result<Option<(Bytes, Option<DecisionId>)>, StoreError> {
    // It may take long: who is locked out meanwhile gets no more.
    if !caller.still_valid(app).await? {
        return Err(StoreError::Closed);
    }
    let mut org = app.store.read(caller.organization).await?;
    let decisions = org.decisions(filter, before, BATCH).await?;
    let keys = org.keys().clone();
    drop(org);
    let next = decisions.last().map(|last| last.id).filter(|_| decisions.len() == BATCH as usize);
    let mut lines = Vec::new();
    for decision in &decisions {
        let written = serde_json::to_writer(&mut lines, &DecisionView::whole(decision, &keys));
        let column = "decisions.record";
        written.map_err(|error| StoreError::Corrupt { column, reason: error.to_string() })?;
        lines.push(b'\n');
    }
    Ok(Some((lines.into(), next)))
}

/// What running a decision again came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplayView {
    decision_id: DecisionId,
    /// Everything came out as recorded, to the bit: answer, host calls, log, fuel, memory.
    same: bool,
    /// False where the machine ended the call (time, overload): it can't be run again the same way.
    repeatable: bool,
    /// What came out otherwise.
    differences: Vec<String>,
    /// What ran it then.
    engine_recorded: String,
    /// What ran it now.
    engine_now: String,
    /// As recorded.
    outcome: &'static str,
    /// As recorded.
    fuel: u64,
    /// As recorded, in bytes.
    memory_peak: u64,
}

/// Runs a decision again from its record and compares to the bit. Nothing else happens. For leads, admins and
/// auditors; audited.
#[utoipa::path(post, path = "/api/v1/decisions/{id}/replay", tag = "policies", params(("id" = DecisionId, Path)),
    responses((status = 200, body = ReplayView), (status = 403), (status = 404),
        (status = 409, description = "The policy or its settings are gone, or the host refuses it by now")))]
pub(super) async fn rerun(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DecisionId>,
) -> Result<Json<ReplayView>, Problem> {
    caller.require(&READERS)?;
    let decision = app.store.read(caller.organization).await?.decision(id).await?;
    let decision = decision.ok_or_else(|| Problem::not_found("decision"))?;
    caller.audit_read(&app, "decision.replayed", id.0).await?;
    let replayed = replay::replay(&app.store, &app.policies, caller.organization, &decision).await;
    let replayed = replayed.map_err(|error| match error {
        ReplayError::Store(error) => Problem::from(error),
        other => Problem::new(
            StatusCode::CONFLICT,
            "not-replayable",
            "The decision can't be run again",
            format!("{other}."),
        ),
    })?;
    Ok(Json(ReplayView {
        decision_id: id,
        same: replayed.replay.same,
        repeatable: replayed.record.outcome.is_repeatable(),
        differences: replayed.replay.differences,
        engine_recorded: replayed.record.engine.to_string(),
        engine_now: app.policies.host().engine_name().to_owned(),
        outcome: replayed.record.outcome.as_str(),
        fuel: replayed.record.fuel,
        memory_peak: replayed.record.memory_peak,
    }))
}
