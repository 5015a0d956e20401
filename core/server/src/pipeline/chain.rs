//! Asking the policies bound to a hook, one after the other, and recording what they answer.

use std::collections::BTreeMap;

use anteroom_model::{
    hooks::{ClinicNumber, HistoryMessage, Hook, HookInput, HookOutput},
    ids::{ConversationId, DecisionId, MessageId, OrganizationId},
    states::{Author, BindingMode, Direction},
    time::Timestamp,
};
use anteroom_policy::{Call, CallRecord, Digest, Outcome, Policy};
use anteroom_store::{Binding, Conversation, Message, NewDecision, Number, StoreError};

use crate::{app::App, directory::Entry};

/// Texts of a conversation that a policy may look back on.
const HISTORY: u32 = 50;

/// What a chain came to.
#[derive(Debug)]
pub struct Verdict {
    /// The first opinion, and whose it was.
    pub answer: Answer,
    /// Every call, to be recorded.
    pub decisions: Vec<NewDecision>,
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// A policy decided.
    Decided {
        /// What.
        output: HookOutput,
        /// Which policy, and where its decision is recorded.
        by: Source,
    },
    /// No policy is bound, or none has an opinion.
    NoOpinion,
    /// A policy failed: the hook's own way of failing applies.
    Fault {
        /// Which policy.
        by: Source,
        /// The kind of fault.
        kind: &'static str,
        /// For the author and staff.
        message: String,
    },
}

/// Which policy answered, for the timeline.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub policy: String,
    /// Its version.
    pub version: String,
    /// The record.
    pub decision: DecisionId,
}

/// Whom and what a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Whose policies.
    pub organization: OrganizationId,
    /// The number, whose own bindings come first.
    pub number: &'a Number,
    /// The conversation, if there is one already.
    pub conversation: Option<&'a Conversation>,
    /// The text that asks for a decision.
    pub message: Option<MessageId>,
    /// The moment of the turn: every policy of it is told the same.
    pub now: Timestamp,
}

/// Asks the chain of the hook that `input` belongs to.
pub async fn ask(
    app: &App,
    entry: &Entry,
    subject: Subject<'_>,
    input: HookInput,
) -> Result<Verdict, StoreError> {
    let hook = input.hook();
    let mut decisions = Vec::new();
    for binding in bindings_of(entry, hook, subject.number) {
        let record = match call(app, binding, subject, input.clone()).await? {
            Ok(record) => record,
            // Beside the chain, not in it: whatever is wrong with it has no effect.
            Err(_) if binding.mode == BindingMode::Shadow => continue,
            Err(reason) => {
                let by = Source::of(binding, DecisionId::LEAST);
                let answer = Answer::Fault { by, kind: "host", message: reason };
                return Ok(Verdict { answer, decisions });
            }
        };
        let id: DecisionId = app.store.ids().next(app.store.now());
        decisions.push(decision(id, binding, subject, &record)?);
        let by = Source::of(binding, id);
        let answer = match record.outcome {
            _ if binding.mode == BindingMode::Shadow => continue,
            Outcome::NoOpinion => continue,
            Outcome::Decided(output) => Answer::Decided { output, by },
            Outcome::Fault(fault) => Answer::Fault { by, kind: fault.kind.as_str(), message: fault.message },
            Outcome::Overload => {
                let message = "no place was free in time; nothing is wrong with the policy".to_owned();
                Answer::Fault { by, kind: "overload", message }
            }
        };
        return Ok(Verdict { answer, decisions });
    }
    Ok(Verdict { answer: Answer::NoOpinion, decisions })
}

impl Source {
    fn of(binding: &Binding, decision: DecisionId) -> Self {
        Self { policy: binding.policy_name.clone(), version: binding.policy_version.clone(), decision }
    }
}

fn bindings_of<'a>(entry: &'a Entry, hook: Hook, number: &'a Number) -> impl Iterator<Item = &'a Binding> {
    entry.bindings.iter().filter(move |binding| {
        // Nothing binds a canary yet; one that can't choose its conversations must not take them all.
        binding.hook == hook.as_str()
            && binding.mode != BindingMode::Canary
            && binding.number_id.is_none_or(|id| id == number.id)
    })
}

/// Calls one policy. `Err` is a reason of ours for which it can't even be loaded.
async fn call(
    app: &App,
    binding: &Binding,
    subject: Subject<'_>,
    input: HookInput,
) -> Result<Result<CallRecord, String>, StoreError> {
    let Ok(digest) = <[u8; 32]>::try_from(binding.digest.as_slice()) else {
        return Ok(Err("the stored digest of the component is not one".to_owned()));
    };
    let policy = match app.policies.get(&app.store, subject.organization, Digest::from_bytes(digest)).await {
        Ok(policy) => policy,
        Err(crate::policies::LoadError::Store(error)) => return Err(error),
        Err(error) => {
            tracing::error!(binding = %binding.id, %error, "a bound policy can't be loaded");
            return Ok(Err(error.to_string()));
        }
    };
    let (history, patient) =
        (history(app, &policy, subject).await?, patient_fields(app, &policy, binding, subject).await?);
    let event = subject.message.map(|id| id.0).or(subject.conversation.map(|conversation| conversation.id.0));
    let seed = event.map_or(0, |id| id.as_u64_pair().1);
    let call = Call {
        organization: subject.organization,
        settings: binding.settings.as_str().into(),
        now: subject.now.micros(),
        seed,
        history,
        patient,
        input,
    };
    Ok(Ok(app.policies.host().call(&policy, call).await))
}

async fn history(
    app: &App,
    policy: &Policy,
    subject: Subject<'_>,
) -> Result<Vec<HistoryMessage>, StoreError> {
    let Some(conversation) = subject.conversation.filter(|_| policy.uses_history) else {
        return Ok(Vec::new());
    };
    let mut org = app.store.read(subject.organization).await?;
    let before = subject.message.unwrap_or(MessageId::GREATEST);
    let mut messages = org.messages(conversation.id, before, HISTORY).await?;
    messages.reverse();
    Ok(messages.into_iter().map(history_message).collect())
}

fn history_message(message: Message) -> HistoryMessage {
    HistoryMessage {
        direction: message.direction.as_str().to_owned(),
        author: match (message.direction, message.author) {
            (Direction::Inbound, _) => "patient".to_owned(),
            (Direction::Outbound, Author::Staff) => "staff".to_owned(),
            (Direction::Outbound, _) => "automatic".to_owned(),
        },
        at: message.created_at.micros(),
        body: message.body,
    }
}

/// The granted fields of the linked patient. The policy host keeps them from hooks whose output is sent
/// unread; here only what an admin has granted is read at all.
async fn patient_fields(
    app: &App,
    policy: &Policy,
    binding: &Binding,
    subject: Subject<'_>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let linked = subject.conversation.and_then(|conversation| conversation.patient_id);
    let Some(id) = linked.filter(|_| policy.uses_patient && !binding.granted_fields.0.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let Some(patient) = app.store.read(subject.organization).await?.patient(id).await? else {
        return Ok(BTreeMap::new());
    };
    let profile = patient.profile;
    let known = [
        ("first-name", Some(profile.first_name)),
        ("last-name", Some(profile.last_name)),
        ("preferred-name", profile.preferred_name),
        ("date-of-birth", profile.date_of_birth),
        ("language", profile.language),
    ];
    Ok(known
        .into_iter()
        .filter(|(name, _)| binding.granted_fields.0.iter().any(|granted| granted == name))
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect())
}

fn decision(
    id: DecisionId,
    binding: &Binding,
    subject: Subject<'_>,
    record: &CallRecord,
) -> Result<NewDecision, StoreError> {
    let column = "decisions.record";
    let json = serde_json::to_vec(record)
        .map_err(|error| StoreError::Corrupt { column, reason: error.to_string() })?;
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Ok(NewDecision {
        id,
        conversation_id: subject.conversation.map(|conversation| conversation.id),
        message_id: subject.message,
        binding_id: binding.id,
        policy_id: binding.policy_id,
        hook: record.hook.as_str(),
        outcome: record.outcome.as_str(),
        fault: record.outcome.fault().map(|fault| fault.kind.as_str()),
        effect: if binding.mode == BindingMode::Shadow { "shadow" } else { "none" },
        fuel: count(record.fuel),
        memory_peak: count(record.memory_peak),
        micros: count(record.micros),
        record: json,
    })
}

/// Marks what the host did with the newest decision.
pub fn mark_effect(decisions: &mut [NewDecision], id: DecisionId, effect: &'static str) {
    if let Some(decision) = decisions.iter_mut().find(|decision| decision.id == id) {
        decision.effect = effect;
    }
}

/// Links decisions to a conversation that the turn makes.
pub fn belong_to(decisions: &mut [NewDecision], conversation: Option<ConversationId>) {
    for decision in decisions {
        decision.conversation_id = conversation;
    }
}

/// The number as policies see it.
pub fn number_for_policies(entry: &Entry, number: &Number) -> ClinicNumber {
    ClinicNumber {
        address: number.address.clone(),
        kind: number.kind.as_str().to_owned(),
        label: number.label.clone(),
        facility: number
            .facility_id
            .and_then(|id| entry.facility(id))
            .map(|(facility, _)| facility.name.clone()),
        organization: entry.organization.name.clone(),
    }
}
