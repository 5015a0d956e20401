//! The chain of an organization's decisions: each one's hash covers the one before, so that a record that was
//! changed, left out or cut off is found.
//!
//! A hash is SHA-256 over [`TAG`], the hash before (32 zero bytes for the first), and every column of the row in
//! the order of [`Link::hash`]. A column is one byte, 0 where it is NULL and else 1, then its length (8 bytes,
//! big-endian) and its bytes: ids as their 16 bytes, numbers as 8 bytes, big-endian. The record goes in as the
//! JSON that was sealed and not as the cell, so that sealing it again under another key breaks nothing.
//!
//! The chain shows that nobody has changed a part of it. Who can write to the database *and* to the code could
//! make all of it anew: against that, keep the end of it elsewhere (an export has it).

use anteroom_model::{
    ids::{BindingId, ConversationId, DecisionId, MessageId, OrganizationId, PolicyId},
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};

use crate::{
    Org, StoreError,
    conn::{fetch_all, fetch_optional},
    decisions::{Decision, PendingDecision},
};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What this hash is of, so that it is none of anything else.
const TAG: &[u8] = b"anteroom decision v1\0";
/// What the first one follows on.
const NOTHING: Hash = [0; 32];

/// Every column of a decision, as its hash takes them.
pub(crate) struct Link<'a> {
    organization: OrganizationId,
    seq: i64,
    id: DecisionId,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    binding_id: BindingId,
    policy_id: PolicyId,
    hook: &'a str,
    outcome: &'a str,
    fault: Option<&'a str>,
    effect: &'a str,
    fuel: i64,
    memory_peak: i64,
    micros: i64,
    record: &'a [u8],
    created_at: Timestamp,
}

impl<'a> Link<'a> {
    pub(crate) fn of_pending(organization: OrganizationId, seq: i64, decision: &'a PendingDecision) -> Self {
        let new = &decision.new;
        Self {
            organization,
            seq,
            id: new.id,
            conversation_id: new.conversation_id,
            message_id: new.message_id,
            binding_id: new.binding_id,
            policy_id: new.policy_id,
            hook: new.hook,
            outcome: new.outcome,
            fault: new.fault,
            effect: new.effect,
            fuel: new.fuel,
            memory_peak: new.memory_peak,
            micros: new.micros,
            record: &new.record,
            created_at: decision.created_at,
        }
    }

    fn of_row(organization: OrganizationId, seq: i64, row: &'a Decision, record: &'a [u8]) -> Self {
        Self {
            organization,
            seq,
            id: row.id,
            conversation_id: row.conversation_id,
            message_id: row.message_id,
            binding_id: row.binding_id,
            policy_id: row.policy_id,
            hook: &row.hook,
            outcome: &row.outcome,
            fault: row.fault.as_deref(),
            effect: &row.effect,
            fuel: row.fuel,
            memory_peak: row.memory_peak,
            micros: row.micros,
            record,
            created_at: row.created_at,
        }
    }

    /// Its hash, after the one before it.
    pub(crate) fn hash(&self, before: &Hash) -> Hash {
        let mut sha = Sha256::new();
        sha.update(TAG);
        sha.update(before);
        let mut column = |bytes: Option<&[u8]>| {
            sha.update([u8::from(bytes.is_some())]);
            if let Some(bytes) = bytes {
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
        };
        column(Some(self.organization.0.as_bytes()));
        column(Some(&self.seq.to_be_bytes()));
        column(Some(self.id.0.as_bytes()));
        column(self.conversation_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
        column(self.message_id.as_ref().map(|id| id.0.as_bytes().as_slice()));
        column(Some(self.binding_id.0.as_bytes()));
        column(Some(self.policy_id.0.as_bytes()));
        column(Some(self.hook.as_bytes()));
        column(Some(self.outcome.as_bytes()));
        column(self.fault.map(str::as_bytes));
        column(Some(self.effect.as_bytes()));
        column(Some(&self.fuel.to_be_bytes()));
        column(Some(&self.memory_peak.to_be_bytes()));
        column(Some(&self.micros.to_be_bytes()));
        column(Some(self.record));
        column(Some(&self.created_at.micros().to_be_bytes()));
        sha.finalize().into()
    }
}

/// The end of a chain as a column keeps it.
pub(crate) fn end_of(column: Option<Vec<u8>>) -> Result<Hash, StoreError> {
    let Some(bytes) = column else { return Ok(NOTHING) };
    let wrong = |bytes: Vec<u8>| StoreError::Corrupt {
        column: "organizations.decision_hash",
        reason: format!("{} bytes are no SHA-256", bytes.len()),
    };
    bytes.try_into().map_err(wrong)
}

/// The end of an organization's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The last place given out; 0 while there is none.
    pub seq: i64,
    /// The hash of the decision there.
    pub hash: Option<Vec<u8>>,
    /// Decisions from before there was a chain.
    pub outside: i64,
    /// The last place that a row has.
    last_row: i64,
}

/// The first thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// At which place.
    pub seq: i64,
    /// `missing`, `record_changed`, `changed` or `added`.
    pub kind: &'static str,
    /// The same in words.
    pub what: String,
}

impl Broken {
    fn new(seq: i64, kind: &'static str, what: impl Into<String>) -> Self {
        Self { seq, kind, what: what.into() }
    }
}

/// What a part of a chain came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Decisions looked at that are as they were recorded.
    pub checked: i64,
    /// Where the next part begins; `None`: this was the end, or something is wrong.
    pub next: Option<i64>,
    /// What is wrong.
    pub broken: Option<Broken>,
}

/// Rows in memory at once.
const BATCH: i64 = 200;

impl Org<'_> {
    /// The end of the chain.
    pub async fn decision_chain(&mut self) -> Result<ChainEnd, StoreError> {
        type Row = (i64, Option<Vec<u8>>, i64, i64);
        let row = fetch_optional!(self, Row, "decisions/chain_end");
        let (seq, hash, last_row, outside) = row.ok_or(StoreError::NoOrganization)?;
        Ok(ChainEnd { seq, hash, outside, last_row })
    }

    /// Looks at `most` decisions from `from` on (1 is the first), up to `end`: are they those that were
    /// recorded, each following on the one before it?
    pub async fn verify_decisions(
        &mut self,
        end: &ChainEnd,
        from: i64,
        most: i64,
    ) -> Result<Verified, StoreError> {
        let before = from.max(1) - 1;
        let found = |checked, broken| Ok(Verified { checked, next: None, broken: Some(broken) });
        let mut last = match before {
            0 => NOTHING,
            _ => match fetch_optional!(self, (Option<Vec<u8>>,), "decisions/link", before) {
                Some((hash,)) => end_of(hash)?,
                None => return found(0, Broken::new(before, "missing", "there is no such decision")),
            },
        };
        let (mut seq, stop) = (before, end.seq.min(before.saturating_add(most.max(1))));
        while seq < stop {
            let rows = fetch_all!(self, Decision, "decisions/chain", seq, stop, BATCH);
            if rows.is_empty() {
                let what = if seq + 1 == end.seq { "this one is" } else { "it and what follows are" };
                return found(
                    seq - before,
                    Broken::new(
                        seq + 1,
                        "missing",
                        format!("{what} missing: the chain goes on to {}", end.seq),
                    ),
                );
            }
            for row in rows {
                match self.follows(&row, seq + 1, &last) {
                    Ok(hash) => (seq, last) = (seq + 1, hash),
                    Err(broken) => return found(seq - before, broken),
                }
            }
        }
        if stop < end.seq {
            return Ok(Verified { checked: seq - before, next: Some(seq + 1), broken: None });
        }
        let broken = if end.last_row > end.seq {
            Some(Broken::new(end.seq + 1, "added", "it comes after the end that was recorded"))
        } else if end.seq > 0 && end.hash.as_deref() != Some(last.as_slice()) && seq == end.seq {
            Some(Broken::new(end.seq, "changed", "it is not the decision that was recorded as the last"))
        } else {
            None
        };
        Ok(Verified { checked: seq - before, next: None, broken })
    }

    /// The hash of `row`, if it is what was recorded at `seq` after `before`.
    fn follows(&self, row: &Decision, seq: i64, before: &Hash) -> Result<Hash, Broken> {
        if row.seq != Some(seq) {
            return Err(Broken::new(seq, "missing", "it is missing, while later ones are there"));
        }
        let record = row.record(&self.keys).map_err(|_| {
            Broken::new(seq, "record_changed", format!("the sealed record of {} was changed", row.id))
        })?;
        let hash = Link::of_row(self.organization, seq, row, &record).hash(before);
        if row.hash.as_deref() == Some(hash.as_slice()) {
            return Ok(hash);
        }
        let what = format!("{} is not as it was recorded, or doesn't follow on the one before it", row.id);
        Err(Broken::new(seq, "changed", what))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_stands_in_one_column_can_not_be_moved_into_the_next() {
        let link = |hook, outcome, fault| {
            Link {
                organization: OrganizationId(Uuid::from_u128(1)),
                seq: 1,
                id: DecisionId(Uuid::from_u128(2)),
                conversation_id: None,
                message_id: None,
                binding_id: BindingId(Uuid::from_u128(3)),
                policy_id: PolicyId(Uuid::from_u128(4)),
                hook,
                outcome,
                fault,
                effect: "none",
                fuel: 1,
                memory_peak: 2,
                micros: 3,
                record: b"{}",
                created_at: Timestamp::from_micros(4),
            }
            .hash(&NOTHING)
        };
        let all = [
            link("routing", "decided", None),
            link("routingd", "ecided", None),
            link("routing", "decided", Some("")),
        ];
        assert!(all[0] != all[1] && all[0] != all[2]);
    }
}
