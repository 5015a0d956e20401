//! How policies fare: what they cost, how they fail.

use std::time::Duration;

use anteroom_model::{
    hooks::Hook,
    ids::{BindingId, ConversationId, DecisionId, MessageId, OrganizationId, PolicyId},
    time::Timestamp,
};
use anteroom_policy::Probe;
use anteroom_store::{CallCost, Decision, DecisionFilter, NewBinding, PolicyRow, StoreError};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    backtest::report::Spread,
    hub::{
        paging::{Page, PageQuery},
        policies::READERS,
    },
    problem::Problem,
};

/// Newest calls that are counted.
const CALLS: u32 = 20_000;
/// Calls that a comparison needs on both sides.
const ENOUGH: usize = 20;
/// How far a comparison looks back.
const COMPARED: u64 = 30;

/// What calls cost, beside what one may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Budgeted {
    #[serde(flatten)]
    spread: Spread,
    /// The most that one call may use.
    limit: u64,
}

fn spread<'a>(costs: impl IntoIterator<Item = &'a CallCost>, of: impl Fn(&CallCost) -> i64) -> Spread {
    Spread::of(costs.into_iter().map(|cost| u64::try_from(of(cost)).unwrap_or(0)).collect())
}

/// What a policy's hook has cost.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct HookBudget {
    /// `identity`, `routing`, `replies` or `shortcuts`.
    hook: &'static str,
    /// Calls counted: of the newest 20,000 in the time asked for.
    calls: usize,
    faults: usize,
    /// Calls that found no place free: not the policy's fault.
    overloads: usize,
    fuel: Budgeted,
    /// Bytes.
    memory: Budgeted,
    /// Microseconds; the limit is CPU time.
    micros: Budgeted,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::hub) struct Period {
    /// Days looked back, 1 to 365; 7 by default.
    days: Option<u32>,
}

/// What a policy version costs per hook, beside the limits. Overload is counted apart.
#[utoipa::path(get, path = "/api/v1/policies/{id}/budget", tag = "policies",
    params(("id" = PolicyId, Path), Period),
    responses((status = 200, body = Page<HookBudget>), (status = 404)))]
pub(in crate::hub) async fn budget(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyId>,
    Query(Period { days }): Query<Period>,
) -> Result<Json<Page<HookBudget>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let policy = org.policy(id).await?.ok_or_else(|| Problem::not_found("policy"))?;
    let days = Duration::from_hours(24 * u64::from(days.unwrap_or(7).clamp(1, 365)));
    let since = org.now().minus(days);
    let limits = app.policies.host().limits();
    let mut hooks = Vec::new();
    for hook in Hook::ALL {
        let serves = |hooks: &[String]| hooks.iter().any(|served| served == hook.as_str());
        if policy.hooks.as_ref().is_some_and(|hooks| !serves(&hooks.0)) {
            continue;
        }
        let costs = org.call_costs(id, hook.as_str(), since, CALLS).await?;
        let ran: Vec<_> = costs.iter().filter(|cost| cost.outcome != "overload").collect();
        let budgeted =
            |of: fn(&CallCost) -> i64, limit| Budgeted { spread: spread(ran.iter().copied(), of), limit };
        hooks.push(HookBudget {
            hook: hook.as_str(),
            calls: ran.len(),
            faults: ran.iter().filter(|cost| cost.fault.is_some()).count(),
            overloads: costs.len() - ran.len(),
            fuel: budgeted(|cost| cost.fuel, limits.fuel),
            memory: budgeted(|cost| cost.memory_peak, limits.memory_bytes as u64),
            micros: budgeted(|cost| cost.micros, limits.cpu_ms * 1_000),
        });
    }
    Ok(Json(Page::all(hooks)))
}

/// A cost that has grown from one version to the next.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Growth {
    /// `fuel p50`, `fuel p99`, `memory max` of recorded calls; `fuel of sample turns`, `memory of sample turns`
    /// where one of both versions has hardly run.
    measure: &'static str,
    before: u64,
    after: u64,
    /// By how many per cent.
    percent: i64,
}

/// What has grown by more than the organization's share, between what is active in that place and what is to
/// be bound there: from recorded calls of both where there are enough (shadows and canaries count), and else from
/// what both took on the sample turns of their uploads.
pub(super) async fn growth(
    app: &App,
    organization: OrganizationId,
    hook: Hook,
    new: &NewBinding,
) -> Result<Vec<Growth>, StoreError> {
    let entry = app.directory.get(organization).await?;
    let share = i64::from(entry.organization.settings.policy_rules.warn_growth_percent);
    let in_place = entry.bindings.iter().find(|binding| {
        binding.hook == new.hook
            && binding.number_id == new.number_id
            && binding.position == new.position
            && binding.mode == anteroom_model::states::BindingMode::Active
    });
    let Some(before) = in_place.filter(|before| before.policy_id != new.policy_id) else {
        return Ok(Vec::new());
    };
    let mut org = app.store.read(organization).await?;
    let since = org.now().minus(Duration::from_hours(24 * COMPARED));
    let old = org.call_costs(before.policy_id, hook.as_str(), since, CALLS).await?;
    let recorded = org.call_costs(new.policy_id, hook.as_str(), since, CALLS).await?;
    let measures = if old.len() >= ENOUGH && recorded.len() >= ENOUGH {
        of_calls(&old, &recorded)
    } else {
        let (old, new) = (org.policy(before.policy_id).await?, org.policy(new.policy_id).await?);
        match (probe_of(old, hook), probe_of(new, hook)) {
            (Some(old), Some(new)) => vec![
                ("fuel of sample turns", old.fuel, new.fuel),
                ("memory of sample turns", old.memory_peak, new.memory_peak),
            ],
            _ => Vec::new(),
        }
    };
    Ok(grown(measures, share))
}

/// What a version took for that hook when it was uploaded, if that was noted.
fn probe_of(policy: Option<PolicyRow>, hook: Hook) -> Option<Probe> {
    let probes: Vec<Probe> = serde_json::from_value(policy?.probe?.0).ok()?;
    probes.into_iter().find(|probe| probe.hook == hook)
}

fn of_calls(old: &[CallCost], new: &[CallCost]) -> Vec<(&'static str, u64, u64)> {
    let [old_fuel, new_fuel] = [old, new].map(|costs| spread(costs, |cost| cost.fuel));
    let [old_memory, new_memory] = [old, new].map(|costs| spread(costs, |cost| cost.memory_peak));
    vec![
        ("fuel p50", old_fuel.p50, new_fuel.p50),
        ("fuel p99", old_fuel.p99, new_fuel.p99),
        ("memory max", old_memory.max, new_memory.max),
    ]
}

/// What has grown by more than `share` per cent.
fn grown(measures: Vec<(&'static str, u64, u64)>, share: i64) -> Vec<Growth> {
    measures
        .into_iter()
        .map(|(measure, before, after)| {
            let [old, new] = [before, after].map(|cost| i64::try_from(cost).unwrap_or(i64::MAX));
            let percent = (new - old).saturating_mul(100) / old.max(1);
            Growth { measure, before, after, percent }
        })
        .filter(|growth| growth.percent > share)
        .collect()
}

/// A call that failed, for the policy's author.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct FaultView {
    decision_id: DecisionId,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    binding_id: BindingId,
    hook: String,
    /// `trap`, `fuel`, `memory`, `invalid_output`, …
    fault: String,
    /// What the host did: `none`, `refused` or `shadow`.
    effect: String,
    /// SHA-256 of the input as JSON, hex: equal inputs are seen without being read.
    input_digest: String,
    message: Option<String>,
    /// Innermost function first.
    backtrace: Vec<String>,
    /// What the policy logged.
    log: Value,
    fuel: i64,
    /// Bytes of memory at the highest.
    memory_peak: i64,
    micros: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn fault_view(decision: &Decision, record: &Value) -> FaultView {
    let fault = record.pointer("/outcome/fault");
    let input = record.get("input").map(Value::to_string).unwrap_or_default();
    FaultView {
        decision_id: decision.id,
        conversation_id: decision.conversation_id,
        message_id: decision.message_id,
        binding_id: decision.binding_id,
        hook: decision.hook.clone(),
        fault: decision.fault.clone().unwrap_or_default(),
        effect: decision.effect.clone(),
        input_digest: hex::encode(Sha256::digest(input)),
        message: fault.and_then(|fault| fault.get("message")?.as_str().map(str::to_owned)),
        backtrace: fault
            .and_then(|fault| fault.get("backtrace"))
            .and_then(|lines| serde_json::from_value(lines.clone()).ok())
            .unwrap_or_default(),
        log: record.get("log").cloned().unwrap_or(Value::Null),
        fuel: decision.fuel,
        memory_peak: decision.memory_peak,
        micros: decision.micros,
        created_at: decision.created_at,
    }
}

/// How a policy version has failed, newest first. Logs and messages may quote patients: the read is audited.
/// For leads, admins and auditors.
#[utoipa::path(get, path = "/api/v1/policies/{id}/faults", tag = "policies",
    params(("id" = PolicyId, Path), PageQuery),
    responses((status = 200, body = Page<FaultView>), (status = 403)))]
pub(in crate::hub) async fn faults(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<FaultView>>, Problem> {
    caller.require(&READERS)?;
    let before = page.position()?.unwrap_or(DecisionId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let filter =
        DecisionFilter { policy: Some(id), fault: Some("any".to_owned()), ..DecisionFilter::default() };
    let decisions = org.decisions(&filter, before, page.limit()).await?;
    let keys = org.keys().clone();
    drop(org);
    caller.audit_read(&app, "policy.faults_read", id.0).await?;
    let last = decisions.last().map(|decision| decision.id);
    let items = decisions
        .into_iter()
        .map(|decision| {
            let record = serde_json::from_slice(&decision.record(&keys)?);
            Ok(fault_view(&decision, &record.map_err(|error| Problem::internal(&error))?))
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Json(Page::cut(items, page.limit(), last)))
}
