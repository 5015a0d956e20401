//! What policies were asked and what they answered.

use anteroom_model::{
    ids::{BindingId, ConversationId, DecisionId, MessageId, PolicyId},
    time::Timestamp,
};
use anteroom_store::Decision;
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::paging::{Page, PageQuery},
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// Only of this conversation.
    conversation_id: Option<ConversationId>,
}

/// A recorded policy call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionView {
    id: DecisionId,
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
    /// What the host did: `applied`, `none`, `refused`, `throttled`, `loop` or `shadow`.
    effect: String,
    fuel: i64,
    /// Bytes of memory at the highest.
    memory_peak: i64,
    /// Microseconds taken.
    micros: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Input, host answers, output, log. Only when one decision is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
}

fn view(decision: Decision, with_record: bool) -> DecisionView {
    DecisionView {
        id: decision.id,
        conversation_id: decision.conversation_id,
        message_id: decision.message_id,
        binding_id: decision.binding_id,
        policy_id: decision.policy_id,
        hook: decision.hook,
        outcome: decision.outcome,
        fault: decision.fault,
        effect: decision.effect,
        fuel: decision.fuel,
        memory_peak: decision.memory_peak,
        micros: decision.micros,
        created_at: decision.created_at,
        record: with_record.then_some(decision.record),
    }
}

/// Decisions, newest first.
#[utoipa::path(get, path = "/api/v1/decisions", tag = "policies", params(Of, PageQuery),
    responses((status = 200, body = Page<DecisionView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(of): Query<Of>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DecisionView>>, Problem> {
    let before = page.position()?.unwrap_or(DecisionId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let decisions = org.decisions(of.conversation_id, before, page.limit()).await?;
    let last = decisions.last().map(|decision| decision.id);
    let items = decisions.into_iter().map(|decision| view(decision, false)).collect();
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
    let decision = app.store.read(caller.organization).await?.decision(id).await?;
    let decision = decision.ok_or_else(|| Problem::not_found("decision"))?;
    caller.audit_read(&app, "decision.read", id.0).await?;
    Ok(Json(view(decision, true)))
}
