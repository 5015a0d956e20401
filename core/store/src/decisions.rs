//! The record of every policy call.

use std::time::Duration;

use anteroom_model::{
    ids::{BindingId, ConversationId, DecisionId, MessageId, PolicyId},
    time::Timestamp,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Org, OrgKeys, StoreError,
    conn::{fetch_optional, on},
    sql,
};

/// A recorded policy call.
#[derive(Clone, Debug, FromRow)]
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
    /// What the host did: `applied`, `none`, `refused`, `throttled`, `loop` or `shadow`.
    pub effect: String,
    /// Fuel used.
    pub fuel: i64,
    /// Bytes of memory at the highest.
    pub memory_peak: i64,
    /// Microseconds taken.
    pub micros: i64,
    /// The record, sealed: see [`Decision::record`].
    #[sqlx(rename = "record")]
    pub(crate) sealed: Vec<u8>,
    /// When.
    pub created_at: Timestamp,
    /// Its place in the organization's chain; those from before there was one have none.
    pub seq: Option<i64>,
    /// Its hash there.
    pub hash: Option<Vec<u8>>,
}

/// Which decisions are wanted: all, or those that fit each of these.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// About this conversation.
    pub conversation: Option<ConversationId>,
    /// Of this version of a policy.
    pub policy: Option<PolicyId>,
    /// Of this hook.
    pub hook: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// With a fault of this kind, or of `any`.
    pub fault: Option<String>,
    /// With this effect.
    pub effect: Option<String>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
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
    /// Whether the policy was told a field of the patient: an entry of the audit log.
    pub read_patient: bool,
}

/// A decision that is appended when its unit of work ends.
#[derive(Debug)]
pub(crate) struct PendingDecision {
    pub(crate) new: NewDecision,
    pub(crate) sealed: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

impl Decision {
    /// Input, host answers, output, log: `policy::CallRecord` as JSON text, as it was recorded.
    pub fn record(&self, keys: &OrgKeys) -> Result<Vec<u8>, StoreError> {
        keys.open("decisions.record", self.id.0, &self.sealed)
    }
}

/// How far the time in an id may be from the moment of its row: clocks of nodes differ, and a burst borrows
/// from the milliseconds to come.
pub(crate) const ID_SLACK: Duration = Duration::from_hours(1);

impl Org<'_> {
    /// Records a policy call: it is appended to the chain of decisions when this unit of work is committed.
    pub fn insert_decision(&mut self, new: NewDecision) -> Result<(), StoreError> {
        let sealed = self.keys.seal("decisions.record", new.id.0, &new.record)?;
        self.work.decide(PendingDecision { new, sealed, created_at: self.now });
        Ok(())
    }

    /// Decisions before `before`, newest first.
    pub async fn decisions(
        &mut self,
        filter: &DecisionFilter,
        before: DecisionId,
        limit: u32,
    ) -> Result<Vec<Decision>, StoreError> {
        let since = filter.since.unwrap_or(Timestamp::from_micros(i64::MIN));
        let until = filter.until.unwrap_or(Timestamp::from_micros(i64::MAX));
        let least: DecisionId = earliest_id(since.minus(ID_SLACK));
        let most = before.min(earliest_id(until.plus(ID_SLACK)));
        let query = match filter {
            DecisionFilter { conversation: Some(_), .. } => sql!("decisions/of_conversation"),
            DecisionFilter { policy: Some(_), .. } => sql!("decisions/of_policy"),
            _ => sql!("decisions/list"),
        };
        let organization = self.organization;
        Ok(on!(self.conn(), c => {
            let mut query = sqlx::query_as(query)
                .bind(organization)
                .bind(least)
                .bind(most)
                .bind(i64::from(limit))
                .bind(filter.hook.as_deref())
                .bind(filter.outcome.as_deref())
                .bind(filter.fault.as_deref())
                .bind(filter.effect.as_deref())
                .bind(since)
                .bind(until)
                .bind(filter.policy);
            if let Some(conversation) = filter.conversation {
                query = query.bind(conversation);
            }
            query.fetch_all(c).await?
        }))
    }

    /// One decision.
    pub async fn decision(&mut self, id: DecisionId) -> Result<Option<Decision>, StoreError> {
        Ok(fetch_optional!(self, Decision, "decisions/get", id))
    }
}

/// The least id that can have been made at `at` or later.
pub(crate) fn earliest_id<T: From<Uuid>>(at: Timestamp) -> T {
    T::from(Uuid::from_u128(u128::from(at.millis().min((1 << 48) - 1)) << 80))
}
