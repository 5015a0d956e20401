//! The record of every policy call.

use anteroom_model::{
    ids::{BindingId, ConversationId, DecisionId, MessageId, PolicyId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// A recorded policy call.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Which conversation it was about.
    pub conversation_id: Option<ConversationId>,
    /// Which text asked for it.
    pub message_id: Option<MessageId>,
    /// What bound the policy.
    pub binding_id: BindingId,
    /// Which version answered.
    pub policy_id: PolicyId,
    /// Which hook.
    pub hook: String,
    /// `decided`, `no_opinion`, `fault` or `overload`.
    pub outcome: String,
    /// Kind of the fault.
    pub fault: Option<String>,
    /// What the host did: `applied`, `none`, `refused` or `superseded`.
    pub effect: String,
    /// Fuel used.
    pub fuel: i64,
    /// Bytes of memory at the highest.
    pub memory_peak: i64,
    /// Microseconds taken.
    pub micros: i64,
    /// Input, host answers, output, log: `policy::CallRecord` as JSON.
    pub record: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
}

/// A policy call to be recorded.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// Its id.
    pub id: DecisionId,
    /// Which conversation it is about.
    pub conversation_id: Option<ConversationId>,
    /// Which text asked for it.
    pub message_id: Option<MessageId>,
    /// What bound the policy.
    pub binding_id: BindingId,
    /// Which version answered.
    pub policy_id: PolicyId,
    /// Which hook.
    pub hook: &'static str,
    /// `decided`, `no_opinion`, `fault` or `overload`.
    pub outcome: &'static str,
    /// Kind of the fault.
    pub fault: Option<&'static str>,
    /// What the host did.
    pub effect: &'static str,
    /// Fuel used.
    pub fuel: i64,
    /// Bytes of memory at the highest.
    pub memory_peak: i64,
    /// Microseconds taken.
    pub micros: i64,
    /// `policy::CallRecord` as JSON text.
    pub record: Vec<u8>,
}

#[derive(FromRow)]
struct DecisionRow {
    id: DecisionId,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    binding_id: BindingId,
    policy_id: PolicyId,
    hook: String,
    outcome: String,
    fault: Option<String>,
    effect: String,
    fuel: i64,
    memory_peak: i64,
    micros: i64,
    record: Vec<u8>,
    created_at: Timestamp,
}

impl Org<'_> {
    /// Records a policy call.
    pub async fn insert_decision(&mut self, new: &NewDecision) -> Result<(), StoreError> {
        let (id, now) = (new.id, self.now);
        let sealed = self.keys.seal("decisions.record", id.0, &new.record)?;
        execute!(
            self,
            "decisions/insert",
            id,
            new.conversation_id,
            new.message_id,
            new.binding_id,
            new.policy_id,
            new.hook,
            new.outcome,
            new.fault,
            new.effect,
            new.fuel,
            new.memory_peak,
            new.micros,
            sealed,
            now,
        );
        Ok(())
    }

    /// Decisions before `before`, newest first, of one conversation or of all.
    pub async fn decisions(
        &mut self,
        conversation: Option<ConversationId>,
        before: DecisionId,
        limit: u32,
    ) -> Result<Vec<Decision>, StoreError> {
        let rows = fetch_all!(self, DecisionRow, "decisions/list", conversation, before, i64::from(limit));
        rows.into_iter().map(|row| self.open_decision(row)).collect()
    }

    /// One decision.
    pub async fn decision(&mut self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        let row = fetch_optional!(self, DecisionRow, "decisions/get", id);
        row.map(|row| self.open_decision(row)).transpose()
    }

    fn open_decision(&self, row: DecisionRow) -> Result<Decision, StoreError> {
        Ok(Decision {
            record: self.keys.open_json("decisions.record", row.id.0, &row.record)?,
            id: row.id,
            conversation_id: row.conversation_id,
            message_id: row.message_id,
            binding_id: row.binding_id,
            policy_id: row.policy_id,
            hook: row.hook,
            outcome: row.outcome,
            fault: row.fault,
            effect: row.effect,
            fuel: row.fuel,
            memory_peak: row.memory_peak,
            micros: row.micros,
            created_at: row.created_at,
        })
    }
}
