//! What policies were asked and what they answered.

use anteroom_model::{
    hooks::Hook,
    ids::{BindingId, ConversationId, DecisionId, MessageId, PolicyId},
    time::Timestamp,
};
use anteroom_store::{Decision, DecisionFilter, OrgKeys};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::paging::{Page, PageQuery},
    problem::Problem,
};

const OUTCOMES: [&str; 4] = ["decided", "no_opinion", "fault", "overload"];
const EFFECTS: [&str; 8] = ["applied", "none", "refused", "throttled", "quiet", "deferred", "loop", "shadow"];

/// Which decisions are wanted: all, or those that fit each of these.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only of this conversation.
    conversation_id: Option<ConversationId>,
    /// Only by this version of a policy.
    policy_id: Option<PolicyId>,
    /// Only of `identity`, `routing`, `replies` or `shortcuts`.
    #[param(value_type = Option<String>)]
    hook: Option<Hook>,
    /// Only `decided`, `no_opinion`, `fault` or `overload`.
    outcome: Option<String>,
    /// Only with a fault of this kind; `any`: with any.
    fault: Option<String>,
    /// Only what the host did this with: `applied`, `none`, `refused`, `throttled`, `quiet`, `deferred`, `loop` or `shadow`.
    effect: Option<String>,
    /// At this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl Wanted {
    pub(super) fn filter(self) -> Result<DecisionFilter, Problem> {
        one_of("outcome", self.outcome.as_deref(), &OUTCOMES)?;
        one_of("effect", self.effect.as_deref(), &EFFECTS)?;
        Ok(DecisionFilter {
            conversation: self.conversation_id,
            policy: self.policy_id,
            hook: self.hook.map(|hook| hook.as_str().to_owned()),
            outcome: self.outcome,
            fault: self.fault,
            effect: self.effect,
            since: self.since,
            until: self.until,
        })
    }
}

fn one_of(name: &str, word: Option<&str>, words: &[&str]) -> Result<(), Problem> {
    if word.is_none_or(|word| words.contains(&word)) {
        return Ok(());
    }
    Err(Problem::invalid(format!("{name} is one of {}.", words.join(", "))))
}

/// A recorded policy call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionView {
    id: DecisionId,
    /// Its place in the organization's chain of decisions; those from before there was one have none.
    seq: Option<i64>,
    /// Its SHA-256 there, hex: over this decision and the hash of the one before it.
    hash: Option<String>,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    binding_id: BindingId,
    policy_id: PolicyId,
    /// `identity`, `routing`, `replies` or `shortcuts`.
    hook: String,
    /// `decided`, `no_opinion`, `fault` or `overload`.
    outcome: String,
    /// Kind of the fault.
    fault: Option<String>,
    /// What the host did: `applied`, `none`, `refused`, `throttled`, `quiet`, `deferred`, `loop` or `shadow`.
    effect: String,
    fuel: i64,
    /// Bytes of memory at the highest.
    memory_peak: i64,
    /// Microseconds taken.
    micros: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Input, host answers, output, log, as they were recorded, to the byte. Not in lists.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Box<RawValue>>,
}

impl DecisionView {
    fn of(decision: &Decision) -> Self {
        Self {
            id: decision.id,
            seq: decision.seq,
            hash: decision.hash.as_deref().map(hex::encode),
            conversation_id: decision.conversation_id,
            message_id: decision.message_id,
            binding_id: decision.binding_id,
            policy_id: decision.policy_id,
            hook: decision.hook.clone(),
            outcome: decision.outcome.clone(),
            fault: decision.fault.clone(),
            effect: decision.effect.clone(),
            fuel: decision.fuel,
            memory_peak: decision.memory_peak,
            micros: decision.micros,
            created_at: decision.created_at,
            record: None,
        }
    }

    /// With its record; without one where what was sealed can't be read any more.
    pub(super) fn whole(decision: &Decision, keys: &OrgKeys) -> Self {
        let text = decision.record(keys).ok().and_then(|json| String::from_utf8(json).ok());
        let record = text.and_then(|text| RawValue::from_string(text).ok());
        if record.is_none() {
            tracing::error!(decision = %decision.id, "the sealed record of a decision can't be read");
        }
        Self { record, ..Self::of(decision) }
    }
}

/// Decisions, newest first.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "policies", params(Wanted, PageQuery),
    responses((status = 200, body = Page<DecisionView>), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DecisionView>>, Problem> {
    let filter = wanted.filter()?;
    let before = page.position()?.unwrap_or(DecisionId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let decisions = org.decisions(&filter, before, page.limit()).await?;
    let last = decisions.last().map(|decision| decision.id);
    let items = decisions.iter().map(DecisionView::of).collect();
    Ok(Json(Page::cut(items, page.limit(), last)))
}

/// One decision with its whole record. The read is audited: the record quotes the patient.
#[utoipa::path(get, path = "/api/v1/decisions/{id}", tag = "policies", params(("id" = DecisionId, Path)),
    responses((status = 200, body = DecisionView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DecisionId>,
) -> Result<Json<DecisionView>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let decision = org.decision(id).await?.ok_or_else(|| Problem::not_found("decision"))?;
    let view = DecisionView::whole(&decision, org.keys());
    drop(org);
    caller.audit_read(&app, "decision.read", id.0).await?;
    Ok(Json(view))
}
