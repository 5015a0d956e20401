//! How bound policies fare: what the breaker, the budget and the fault pages count.

use anteroom_model::{
    ids::{BindingId, DecisionId, PolicyId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{fetch_all, fetch_optional},
    decisions::{ID_SLACK, earliest_id},
};

/// What one call cost.
#[derive(Clone, Debug, FromRow)]
pub struct CallCost {
    /// Fuel used.
    pub fuel: i64,
    /// Bytes of memory at the highest.
    pub memory_peak: i64,
    /// Microseconds taken.
    pub micros: i64,
    /// `decided`, `no_opinion`, `fault` or `overload`.
    pub outcome: String,
    /// Kind of the fault.
    pub fault: Option<String>,
}

impl Org<'_> {
    /// When the newest faults of a binding were that count against its author, newest first.
    pub async fn newest_faults(
        &mut self,
        binding: BindingId,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let rows = fetch_all!(self, (Timestamp,), "decisions/newest_faults", binding, i64::from(limit));
        Ok(rows.into_iter().map(|(at,)| at).collect())
    }

    /// How many texts met a fault of this binding.
    pub async fn faulty_messages(&mut self, binding: BindingId) -> Result<i64, StoreError> {
        let count = fetch_optional!(self, (i64,), "decisions/faulty_messages", binding);
        Ok(count.map_or(0, |(count,)| count))
    }

    /// What the newest calls of a policy's hook cost since then.
    pub async fn call_costs(
        &mut self,
        policy: PolicyId,
        hook: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<CallCost>, StoreError> {
        let since: DecisionId = earliest_id(since.minus(ID_SLACK));
        Ok(fetch_all!(self, CallCost, "decisions/costs", policy, hook, since, i64::from(limit)))
    }
}
