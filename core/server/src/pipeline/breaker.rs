//! What becomes of a policy that keeps failing.
//!
//! Counted in the transaction that records the decisions, from the decisions themselves: all nodes see the same.
//! Five faults of a binding within a minute, and the version before it is back; a canary ends; where there is
//! nothing to go back to, the binding is off for half a minute, then it may try again, and with each fault it is
//! off for twice as long. Faults of ours and overload never count.

use std::{collections::BTreeMap, time::Duration};

use anteroom_model::{
    hooks::Hook,
    ids::{BindingId, OrganizationId},
    states::BindingMode,
};
use anteroom_policy::FaultKind;
use anteroom_store::{Binding, NewDecision, Org, Retired, StoreError};
use serde_json::json;

use crate::{app::App, directory::Entry};

/// Faults within [`WINDOW`] that are too many.
const FAULTS: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// How long a binding is off at first.
const OFF: Duration = Duration::from_secs(30);
/// How often that time is doubled at most: 32 minutes.
const DOUBLED: i32 = 6;

/// Whether the bindings of an organization have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "the other nodes must hear of it"]
pub struct Bindings {
    changed: bool,
}

/// Lets every node know, after the commit.
pub fn spread(app: &App, organization: OrganizationId, bindings: Bindings) {
    if bindings.changed {
        app.directory.forget(organization);
    }
}

/// Records decisions, notes what they read of a patient, and draws the consequences for their bindings.
pub async fn record(
    org: &mut Org<'_>,
    entry: &Entry,
    decisions: Vec<NewDecision>,
) -> Result<Bindings, StoreError> {
    let mut faults: BTreeMap<BindingId, usize> = BTreeMap::new();
    for decision in &decisions {
        let counts = decision.fault.is_some_and(|kind| !FaultKind::OURS.contains(&kind));
        *faults.entry(decision.binding_id).or_default() += usize::from(counts);
    }
    let mut bindings = Bindings::default();
    for binding in &entry.bindings {
        let Some(&faults) = faults.get(&binding.id) else { continue };
        if faults > 0 {
            bindings.changed |= judge(org, binding, faults).await?;
        } else if binding.halts > 0 {
            bindings.changed |= org.resume_binding(binding.id).await?;
        }
    }
    for decision in decisions {
        if decision.read_patient {
            org.insert_policy_audit("patient.read_by_policy", decision.id.0).await?;
        }
        org.insert_decision(decision)?;
    }
    Ok(bindings)
}

/// Whether anything was done about a binding that has just failed `now` times.
async fn judge(org: &mut Org<'_>, binding: &Binding, now: usize) -> Result<bool, StoreError> {
    // One that was off and may try again has no credit.
    if binding.halts == 0 {
        let since = org.now().minus(WINDOW);
        let before = org.newest_faults(binding.id, u32::try_from(FAULTS).unwrap_or(u32::MAX)).await?;
        if before.iter().filter(|at| **at > since).count() + now < FAULTS {
            return Ok(false);
        }
    }
    match binding.mode {
        BindingMode::Canary => stop_canary(org, binding).await,
        BindingMode::Active => match last_good(org, binding).await? {
            Some(good) => roll_back(org, binding, &good).await,
            None => halt(org, binding).await,
        },
        BindingMode::Shadow => halt(org, binding).await,
    }
}

async fn stop_canary(org: &mut Org<'_>, binding: &Binding) -> Result<bool, StoreError> {
    if !org.retire_binding(binding.id, Retired::Faults, None).await? {
        return Ok(false);
    }
    notify(org, "policy.canary_stopped", binding, json!({})).await?;
    Ok(true)
}

/// The version that was active before and did not end because it failed.
async fn last_good(org: &mut Org<'_>, binding: &Binding) -> Result<Option<Binding>, StoreError> {
    let Some(before) = binding.replaced_id else { return Ok(None) };
    let before = org.binding(before).await?;
    Ok(before.filter(|before| before.retired_because.as_deref() == Some(Retired::Replaced.as_str())))
}

async fn roll_back(org: &mut Org<'_>, binding: &Binding, good: &Binding) -> Result<bool, StoreError> {
    let Some(hook) = Hook::parse(&binding.hook) else { return Ok(false) };
    if !org.retire_binding(binding.id, Retired::Faults, None).await? {
        return Ok(false);
    }
    // It stands for what it stood for: should it fail as well, the way goes on to what it had replaced.
    let again = org.insert_binding(&good.again(hook.as_str(), good.replaced_id, None)).await?;
    let data = json!({
        "back_to": { "binding_id": again, "policy": good.policy_name, "version": good.policy_version },
    });
    notify(org, "policy.rolled_back", binding, data).await?;
    Ok(true)
}

async fn halt(org: &mut Org<'_>, binding: &Binding) -> Result<bool, StoreError> {
    let times = 2_u32.pow(u32::try_from(binding.halts.clamp(0, DOUBLED)).unwrap_or(0));
    let until = org.now().plus(OFF * times);
    if !org.halt_binding(binding.id, until, binding.halts).await? {
        return Ok(false);
    }
    if binding.halts == 0 {
        notify(org, "policy.off", binding, json!({ "tried_again_at": until })).await?;
    }
    Ok(true)
}

async fn notify(
    org: &mut Org<'_>,
    kind: &'static str,
    binding: &Binding,
    more: serde_json::Value,
) -> Result<(), StoreError> {
    let mut data = json!({
        "hook": binding.hook,
        "mode": binding.mode,
        "binding_id": binding.id,
        "policy_id": binding.policy_id,
        "policy": binding.policy_name,
        "version": binding.policy_version,
        // With the one at hand, which is not recorded yet.
        "affected_messages": org.faulty_messages(binding.id).await? + 1,
    });
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.clone());
    }
    org.insert_notice(kind, &data).await.map(drop)
}
