//! What a backtest found. The same turns and the same candidate give the same report, to the byte: it holds no
//! time but those of its window, and nothing that depends on the machine.

use std::collections::{BTreeMap, BTreeSet};

use anteroom_model::{
    hooks::{Hook, Step},
    ids::{ConversationId, DecisionId, MessageId, NumberId, PolicyId},
    time::Timestamp,
};
use anteroom_policy::{Digest, Outcome};
use anteroom_store::{TurnWindow, Turns};
use serde::Serialize;
use utoipa::ToSchema;

use super::{compare::Move, labelled::LabelledReport, walk::Candidate};

/// Changed decisions that are listed; the rest is counted.
const LISTED: usize = 10_000;

/// The report. It quotes patients: keep it as sealed as the records.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    #[schema(value_type = String)]
    hook: Hook,
    candidate: TriedVersion,
    window: WindowView,
    /// Turns that the candidate was tried on.
    turns: u64,
    /// Those on which it decided the same. Reasons are not compared.
    same: u64,
    /// Those on which it decided otherwise.
    changed: u64,
    /// In so many conversations.
    conversations_changed: u64,
    /// Turns that it was not tried on, by why: what was recorded was ended by the machine and not by a policy, or
    /// can't be read.
    skipped: BTreeMap<&'static str, u64>,
    faults: Faults,
    /// Fields of the patient that the candidate asked for and that were not recorded, by the turns it asked on: it
    /// was told nothing, and may decide otherwise on live turns.
    unknown_fields: BTreeMap<String, u64>,
    fuel: Both,
    /// Bytes at the highest.
    memory: Both,
    /// What changed, counted; most frequent first.
    moves: Vec<MoveView>,
    /// Where turns led to and where they would lead to, also where that is the same; most frequent first. Reports
    /// from before there were any have none.
    flows: Vec<FlowView>,
    /// The first 10,000 of `changed`.
    changes: Vec<Change>,
    /// Of the hook `identity`: how verifications would have come out of which staff said who it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<LabelledReport>,
}

/// What was tried.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedVersion {
    policy_id: Option<PolicyId>,
    name: String,
    version: String,
    /// SHA-256 of the component, hex.
    #[schema(value_type = String)]
    digest: Digest,
    /// SHA-256 of the settings, hex.
    #[schema(value_type = String)]
    settings_digest: Digest,
}

/// What it was tried on.
#[derive(Debug, Serialize, ToSchema)]
pub struct WindowView {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    number_id: Option<NumberId>,
    /// Places in the chain of decisions; 0 if there is none.
    first_seq: i64,
    last_seq: i64,
}

/// Faults by their kind.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Faults {
    recorded: BTreeMap<&'static str, u64>,
    candidate: BTreeMap<&'static str, u64>,
}

/// What was recorded and what the candidate used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Both {
    recorded: Spread,
    candidate: Spread,
}

/// How much most calls used (nearest rank).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spread {
    /// Half of them, no more.
    pub p50: u64,
    /// All but one in a hundred, no more.
    pub p99: u64,
    /// The most.
    pub max: u64,
}

impl Spread {
    /// Of these values.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let rank = |percent: usize| {
            let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
            values.get(at).copied().unwrap_or(0)
        };
        Self { p50: rank(50), p99: rank(99), max: rank(100) }
    }
}

/// A change, and how often.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveView {
    /// For example `team`.
    what: String,
    from: String,
    to: String,
    count: u64,
}

/// Turns that led to one place and would lead to another, or to the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowView {
    /// Of routing the team, of the other hooks how the call ended.
    from: String,
    to: String,
    turns: u64,
    /// In so many conversations.
    conversations: u64,
}

/// One thing that changed on a turn.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct ChangedWord {
    /// For example `team`.
    pub(super) what: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// A turn on which the candidate decided otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub(super) decision_id: DecisionId,
    pub(super) message_id: Option<MessageId>,
    pub(super) conversation_id: Option<ConversationId>,
    #[schema(value_type = Object)]
    pub(super) recorded: Outcome,
    #[schema(value_type = Object)]
    pub(super) candidate: Outcome,
    /// What changed, in words. Reports from before there were any have none.
    pub(super) moves: Vec<ChangedWord>,
}

/// A turn that was tried.
#[derive(Debug)]
pub(super) struct Tried {
    /// The recorded decision.
    pub(super) decision_id: DecisionId,
    pub(super) conversation_id: Option<ConversationId>,
    /// Where it led to, and where it would.
    pub(super) flow: [String; 2],
    /// The candidate's, of the hook `identity`.
    pub(super) step: Option<Step>,
    /// How it changed, if it did.
    pub(super) change: Option<Box<Change>>,
    /// Faults by their kind: recorded, the candidate's.
    pub(super) faults: [Option<&'static str>; 2],
    pub(super) unknown_fields: Vec<String>,
    /// Recorded, the candidate's.
    pub(super) fuel: [u64; 2],
    pub(super) memory: [u64; 2],
}

/// What became of a turn.
#[derive(Debug)]
pub(super) enum Turn {
    Tried(Box<Tried>),
    /// Not tried, and why.
    Skipped(&'static str),
}

/// Adds up turns in their order.
#[derive(Debug, Default)]
pub(super) struct Tally {
    turns: u64,
    changed: u64,
    conversations: BTreeSet<ConversationId>,
    skipped: BTreeMap<&'static str, u64>,
    faults: Faults,
    unknown_fields: BTreeMap<String, u64>,
    fuel: [Vec<u64>; 2],
    memory: [Vec<u64>; 2],
    moves: BTreeMap<Move, u64>,
    /// Turns, and the conversations they are of.
    flows: BTreeMap<[String; 2], (u64, BTreeSet<ConversationId>)>,
    changes: Vec<Change>,
}

impl Tally {
    pub(super) fn add(&mut self, turn: Turn) {
        let tried = match turn {
            Turn::Tried(tried) => *tried,
            Turn::Skipped(why) => return *self.skipped.entry(why).or_default() += 1,
        };
        self.turns += 1;
        let [recorded, candidate] = tried.faults;
        for (kind, faults) in [(recorded, &mut self.faults.recorded), (candidate, &mut self.faults.candidate)]
        {
            if let Some(kind) = kind {
                *faults.entry(kind).or_default() += 1;
            }
        }
        for field in tried.unknown_fields {
            *self.unknown_fields.entry(field).or_default() += 1;
        }
        for at in 0..2 {
            self.fuel[at].push(tried.fuel[at]);
            self.memory[at].push(tried.memory[at]);
        }
        let (turns, conversations) = self.flows.entry(tried.flow).or_default();
        *turns += 1;
        conversations.extend(tried.conversation_id);
        let Some(change) = tried.change else { return };
        self.changed += 1;
        self.conversations.extend(change.conversation_id);
        for ChangedWord { what, from, to } in &change.moves {
            *self.moves.entry((what.clone(), from.clone(), to.clone())).or_default() += 1;
        }
        if self.changes.len() < LISTED {
            self.changes.push(*change);
        }
    }

    pub(super) fn report(
        self,
        candidate: &Candidate,
        window: &TurnWindow,
        turns: Turns,
        identity: Option<LabelledReport>,
    ) -> Report {
        let manifest = &candidate.policy.manifest;
        let mut moves: Vec<_> = self
            .moves
            .into_iter()
            .map(|((what, from, to), count)| MoveView { what, from, to, count })
            .collect();
        // Sorted by name already, and this keeps the order of what is as frequent.
        moves.sort_by_key(|one| std::cmp::Reverse(one.count));
        let flow = |([from, to], (turns, conversations)): ([String; 2], (u64, BTreeSet<_>))| FlowView {
            from,
            to,
            turns,
            conversations: conversations.len() as u64,
        };
        let mut flows: Vec<_> = self.flows.into_iter().map(flow).collect();
        flows.sort_by_key(|one| std::cmp::Reverse(one.turns));
        Report {
            hook: candidate.hook,
            candidate: TriedVersion {
                policy_id: candidate.id,
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                digest: candidate.policy.digest,
                settings_digest: candidate.settings.digest(),
            },
            window: WindowView {
                since: window.since,
                until: window.until,
                number_id: window.number,
                first_seq: turns.first_seq,
                last_seq: turns.last_seq,
            },
            turns: self.turns,
            same: self.turns - self.changed,
            changed: self.changed,
            conversations_changed: self.conversations.len() as u64,
            skipped: self.skipped,
            faults: self.faults,
            unknown_fields: self.unknown_fields,
            fuel: both(self.fuel),
            memory: both(self.memory),
            moves,
            flows,
            changes: self.changes,
            identity,
        }
    }
}

impl Report {
    /// As it is stored and served.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain structs with text keys always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Turns tried, and those decided otherwise.
    pub fn counts(&self) -> (u64, u64) {
        (self.turns, self.changed)
    }

    /// What changed, most frequent first: what, from, to, how often.
    pub fn moves(&self) -> impl Iterator<Item = (&str, &str, &str, u64)> {
        self.moves.iter().map(|one| (one.what.as_str(), one.from.as_str(), one.to.as_str(), one.count))
    }
}

fn both([recorded, candidate]: [Vec<u64>; 2]) -> Both {
    Both { recorded: Spread::of(recorded), candidate: Spread::of(candidate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank() {
        let spread = Spread::of((1..=200).rev().collect());
        assert_eq!((spread.p50, spread.p99, spread.max), (100, 198, 200));
        let one = Spread::of(vec![7]);
        assert_eq!((one.p50, one.p99, one.max), (7, 7, 7));
        assert_eq!(Spread::of(Vec::new()).max, 0);
    }
}
