//! Asking the policies bound to a hook, one after the other, and recording what they answer.

use std::collections::BTreeMap;

use anteroom_model::{
    hooks::{ClinicNumber, HistoryMessage, Hook, HookInput, HookOutput},
    ids::{ConversationId, DecisionId, MessageId, NumberId, OrganizationId},
    states::{Author, BindingMode, Direction},
    time::Timestamp,
};
use anteroom_policy::{Call, CallRecord, Digest, HostAnswer, Outcome, Policy};
use anteroom_store::{Binding, Conversation, Message, NewDecision, Number, Store, StoreError};
use futures::future::{join, join_all};
use sha2::{Digest as _, Sha256};

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
    /// Canaries that failed; the version they are tried beside was asked in their place.
    pub failed_canaries: Vec<PolicyFault>,
}

/// A policy failed.
#[derive(Clone, Debug)]
pub struct PolicyFault {
    /// Which policy.
    pub by: Source,
    /// The kind of fault.
    pub kind: &'static str,
    /// For the author and staff.
    pub message: String,
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
    Fault(PolicyFault),
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

/// What is wrong with an output that is not the hook's: the policy host lets none through.
pub(super) const OTHER_HOOK: &str = "the answer belongs to another hook";

/// Whether the host can carry an answer out; otherwise what is wrong with it.
pub type Check<'a> = &'a (dyn Fn(&HookOutput) -> Result<(), String> + Sync);

/// Asks the chain of the hook that `input` belongs to. Shadows are asked at the same time, to no effect.
pub async fn ask(
    app: &App,
    entry: &Entry,
    subject: Subject<'_>,
    input: HookInput,
    check: Check<'_>,
) -> Result<Verdict, StoreError> {
    let hook = input.hook();
    let question = Question { app, subject, input: &input, check };
    let shadows = standing(entry, hook, subject.number)
        .filter(|binding| binding.mode == BindingMode::Shadow && !is_off(binding, subject.now))
        .map(|binding| question.put_to_shadow(binding));
    let (verdict, shadows) = join(question.first_opinion(entry), join_all(shadows)).await;
    let mut verdict = verdict?;
    for decision in shadows {
        verdict.decisions.extend(decision?);
    }
    Ok(verdict)
}

/// What is asked of every policy of a chain.
#[derive(Clone, Copy)]
struct Question<'a> {
    app: &'a App,
    subject: Subject<'a>,
    input: &'a HookInput,
    check: Check<'a>,
}

impl Question<'_> {
    async fn first_opinion(&self, entry: &Entry) -> Result<Verdict, StoreError> {
        let mut verdict =
            Verdict { answer: Answer::NoOpinion, decisions: Vec::new(), failed_canaries: Vec::new() };
        for place in places(entry, self.input.hook(), self.subject) {
            if let Some(canary) = place.canary {
                match self.put_to(canary, &mut verdict.decisions).await? {
                    // It must not cost a patient anything that a version is being tried.
                    Answer::Fault(fault) => verdict.failed_canaries.push(fault),
                    Answer::NoOpinion => continue,
                    decided @ Answer::Decided { .. } => return Ok(Verdict { answer: decided, ..verdict }),
                }
            }
            let Some(active) = place.active else { continue };
            match self.put_to(active, &mut verdict.decisions).await? {
                Answer::NoOpinion => {}
                answer => return Ok(Verdict { answer, ..verdict }),
            }
        }
        Ok(verdict)
    }

    /// Asks one policy and records that.
    async fn put_to(
        &self,
        binding: &Binding,
        decisions: &mut Vec<NewDecision>,
    ) -> Result<Answer, StoreError> {
        let fault = |decision, kind, message| {
            Answer::Fault(PolicyFault { by: Source::of(binding, decision), kind, message })
        };
        if is_off(binding, self.subject.now) {
            let message = "it failed too often and is off for now; its page says more".to_owned();
            return Ok(fault(DecisionId::LEAST, "off", message));
        }
        let record = match self.call(binding).await? {
            Ok(record) => record,
            Err(reason) => return Ok(fault(DecisionId::LEAST, "host", reason)),
        };
        let recorded = self.recorded(binding, &record)?;
        let id = recorded.id;
        decisions.push(recorded);
        Ok(match record.outcome {
            Outcome::NoOpinion => Answer::NoOpinion,
            Outcome::Decided(output) => match (self.check)(&output) {
                Ok(()) => Answer::Decided { output, by: Source::of(binding, id) },
                Err(reason) => fault(id, "invalid_output", reason),
            },
            Outcome::Fault(inner) => fault(id, inner.kind.as_str(), inner.message),
            Outcome::Overload => {
                let message = "no place was free in time; nothing is wrong with the policy".to_owned();
                fault(id, "overload", message)
            }
        })
    }

    /// What a shadow says, for the record. Whatever is wrong with it has no effect.
    async fn put_to_shadow(&self, binding: &Binding) -> Result<Option<NewDecision>, StoreError> {
        let Ok(record) = self.call(binding).await? else { return Ok(None) };
        self.recorded(binding, &record).map(Some)
    }

    /// Calls one policy. `Err` is a reason of ours for which it can't even be loaded.
    async fn call(&self, binding: &Binding) -> Result<Result<CallRecord, String>, StoreError> {
        let Self { app, subject, .. } = *self;
        let Ok(digest) = Digest::try_from(binding.digest.as_slice()) else {
            return Ok(Err("the stored digest of the component is not one".to_owned()));
        };
        let policy = match app.policies.get(&app.store, subject.organization, digest).await {
            Ok(policy) => policy,
            Err(crate::policies::LoadError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(binding = %binding.id, %error, "a bound policy can't be loaded");
                return Ok(Err(error.to_string()));
            }
        };
        let (history, patient) =
            (history(app, &policy, subject).await?, patient_fields(app, &policy, binding, subject).await?);
        let event =
            subject.message.map(|id| id.0).or(subject.conversation.map(|conversation| conversation.id.0));
        let seed = event.map_or(0, |id| id.as_u64_pair().1);
        let call = Call {
            organization: subject.organization,
            settings: binding.settings.as_str().into(),
            now: subject.now.micros(),
            seed,
            history,
            patient,
            input: self.input.clone(),
        };
        Ok(Ok(app.policies.host().call(&policy, call).await))
    }

    /// The record of a call; an answer that can't be carried out is a fault of the policy.
    fn recorded(&self, binding: &Binding, record: &CallRecord) -> Result<NewDecision, StoreError> {
        let id: DecisionId = self.app.store.ids().next(self.app.store.now());
        let mut decision = decision(id, binding, self.subject, record)?;
        if let Outcome::Decided(output) = &record.outcome
            && (self.check)(output).is_err()
        {
            decision.fault = Some("invalid_output");
            if binding.mode != BindingMode::Shadow {
                decision.effect = "refused";
            }
        }
        Ok(decision)
    }
}

impl Source {
    fn of(binding: &Binding, decision: DecisionId) -> Self {
        Self { policy: binding.policy_name.clone(), version: binding.policy_version.clone(), decision }
    }
}

/// One place in a chain: who has it, and who is tried there.
#[derive(Clone, Copy)]
struct PlaceInChain<'a> {
    active: Option<&'a Binding>,
    canary: Option<&'a Binding>,
}

/// The chain for this conversation, in its order: a number's own places first.
fn places<'a>(entry: &'a Entry, hook: Hook, subject: Subject<'_>) -> Vec<PlaceInChain<'a>> {
    let mut places: Vec<((Option<NumberId>, i32), PlaceInChain<'a>)> = Vec::new();
    for binding in standing(entry, hook, subject.number) {
        let takes_part = match binding.mode {
            BindingMode::Active => true,
            BindingMode::Canary => is_chosen(binding, subject) && !is_off(binding, subject.now),
            BindingMode::Shadow => false,
        };
        if !takes_part {
            continue;
        }
        let key = (binding.number_id, binding.position);
        if places.last().is_none_or(|(last, _)| *last != key) {
            places.push((key, PlaceInChain { active: None, canary: None }));
        }
        let Some((_, place)) = places.last_mut() else { continue };
        match binding.mode {
            BindingMode::Canary => place.canary = place.canary.or(Some(binding)),
            _ => place.active = place.active.or(Some(binding)),
        }
    }
    places.into_iter().map(|(_, place)| place).collect()
}

/// The standing bindings of a hook for a number, in the order of the store: scope, position, age.
fn standing<'a>(entry: &'a Entry, hook: Hook, number: &Number) -> impl Iterator<Item = &'a Binding> {
    let number = number.id;
    entry.bindings.iter().filter(move |binding| {
        binding.hook == hook.as_str() && binding.number_id.is_none_or(|id| id == number)
    })
}

/// Switched off after faults, and not yet due to be tried again.
fn is_off(binding: &Binding, now: Timestamp) -> bool {
    binding.halted_until.is_some_and(|until| now < until)
}

/// Whether a canary takes this conversation: by its number, or by a draw that comes out the same every time.
fn is_chosen(binding: &Binding, subject: Subject<'_>) -> bool {
    let Some(canary) = &binding.canary else { return false };
    if canary.numbers.contains(&subject.number.id) {
        return true;
    }
    let Some(conversation) = subject.conversation else { return false };
    let drawn = Sha256::new()
        .chain_update(binding.id.0.as_bytes())
        .chain_update(conversation.id.0.as_bytes())
        .finalize();
    let drawn = drawn.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    drawn % 100 < u64::from(canary.percent)
}

async fn history(
    app: &App,
    policy: &Policy,
    subject: Subject<'_>,
) -> Result<Vec<HistoryMessage>, StoreError> {
    let Some(conversation) = subject.conversation.filter(|_| policy.uses_history) else {
        return Ok(Vec::new());
    };
    let before = subject.message.unwrap_or(MessageId::GREATEST);
    past(&app.store, subject.organization, conversation.id, before).await
}

/// What a policy may look back on: the messages of a conversation before `before`, oldest first.
pub async fn past(
    store: &Store,
    organization: OrganizationId,
    conversation: ConversationId,
    before: MessageId,
) -> Result<Vec<HistoryMessage>, StoreError> {
    let mut messages = store.read(organization).await?.messages(conversation, before, HISTORY).await?;
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
        read_patient: record
            .answers
            .iter()
            .any(|answer| matches!(answer, HostAnswer::Field { value: Some(_), .. })),
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
