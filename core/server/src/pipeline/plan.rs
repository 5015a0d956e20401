//! What a turn has decided, as data, before anything of it is stored.

use anteroom_model::{ids::DecisionId, states::Author, time::Timestamp};
use anteroom_store::{Actor, ClaimedIdentity, Conversation, Extra, NewDecision, NewEvent};
use serde_json::Value;

use crate::pipeline::chain::{Answer, PolicyFault, Verdict};

/// Everything that one transaction will store.
#[derive(Debug)]
pub(super) struct Plan {
    /// The conversation as it will be; `None`: the text belongs to none.
    pub(super) conversation: Option<Conversation>,
    /// The conversation is made by this turn.
    pub(super) is_new: bool,
    /// A placeholder must be linked, unless one is.
    pub(super) placeholder: bool,
    /// What becomes of the verification.
    pub(super) verification: Option<VerificationStep>,
    /// The text reads like a revocation: staff must look at it in time.
    pub(super) revocation: bool,
    /// What is done about opt-outs.
    pub(super) opt_out: OptOutChange,
    /// Policy calls to record.
    pub(super) decisions: Vec<NewDecision>,
    /// What to tell, in order.
    pub(super) events: Vec<PlannedEvent>,
    /// What to send, in order.
    pub(super) texts: Vec<PlannedText>,
    /// What to send later, and when.
    pub(super) later: Vec<(Timestamp, PlannedText)>,
}

impl Plan {
    pub(super) fn new(conversation: Option<Conversation>, is_new: bool) -> Self {
        Self {
            conversation,
            is_new,
            placeholder: false,
            verification: None,
            revocation: false,
            opt_out: OptOutChange::Keep,
            decisions: Vec::new(),
            events: Vec::new(),
            texts: Vec::new(),
            later: Vec::new(),
        }
    }

    pub(super) fn tell(&mut self, kind: &'static str, actor: Actor, data: Value) {
        self.events.push(PlannedEvent { kind, actor, data });
    }

    /// Takes what a chain came to: its decisions are recorded, failed canaries told; the answer is left.
    pub(super) fn take(&mut self, hook: &str, verdict: Verdict) -> Answer {
        self.decisions.extend(verdict.decisions);
        for fault in &verdict.failed_canaries {
            self.tell_fault(hook, fault);
        }
        verdict.answer
    }

    /// A policy failed: staff see it in the timeline, its author in the decision.
    pub(super) fn tell_fault(&mut self, hook: &str, fault: &PolicyFault) {
        let PolicyFault { by, kind, message } = fault;
        tracing::warn!(hook, fault = *kind, policy = by.policy, decision = %by.decision, "a policy failed");
        self.tell(
            "policy.fault",
            Actor::Policy,
            serde_json::json!({
                "hook": hook,
                "fault": kind,
                "message": message,
                "policy": by.policy,
                "policy_version": by.version,
                "decision_id": by.decision,
            }),
        );
    }
}

/// What a turn does to a verification.
#[derive(Debug)]
pub(super) enum VerificationStep {
    /// A question is put; it times out then.
    Ask { question: String, due_at: Timestamp },
    /// The questions are over: the host looks at what was claimed, once this is committed.
    End { claimed: ClaimedIdentity, decision: DecisionId },
    /// It came to an end without the texter's doing, and why; the turn says what the conversation is instead.
    Dropped(&'static str),
}

/// What a turn does about opt-outs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptOutChange {
    /// Nothing.
    Keep,
    /// Record one; the confirmation is sent only if it is new.
    Record,
    /// Take it back.
    Clear,
}

/// An event whose conversation is known only when it is stored.
#[derive(Debug)]
pub(super) struct PlannedEvent {
    kind: &'static str,
    actor: Actor,
    data: Value,
}

impl PlannedEvent {
    /// A text's arrival says besides whom it concerns: who has the conversation, or whose team.
    pub(super) fn of(mut self, conversation: Option<&Conversation>) -> NewEvent {
        if let ("message.received", Some(c)) = (self.kind, conversation) {
            self.data["assignee_id"] = serde_json::json!(c.assignee_id);
            self.data["team_id"] = serde_json::json!(c.team_id);
        }
        let conversation_id = conversation.map(|c| c.id);
        NewEvent { kind: self.kind, conversation_id, actor: self.actor, data: self.data }
    }
}

/// How a text stands to the patient's opt-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptOutRule {
    /// Not sent to somebody who has opted out.
    Obeys,
    /// The answer to HELP: whoever asks is answered.
    Answers,
    /// The confirmation of an opt-out: sent all the same, and only if the opt-out is new.
    Confirms,
}

/// A text to be queued.
#[derive(Debug)]
pub(super) struct PlannedText {
    pub(super) body: String,
    pub(super) author: Author,
    pub(super) extra: Extra,
    /// How it stands to an opt-out.
    pub(super) opt_out: OptOutRule,
    /// Why, for the timeline.
    pub(super) reason: Value,
}
