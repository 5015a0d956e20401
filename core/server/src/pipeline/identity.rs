//! Who is texting: what the phone tells, and what the identity policy asks.
//!
//! The policy asks and reads the answers; when it has them, the texter is answered and the claims are stored
//! beside, in one transaction that knows nothing of the directory. The host then looks in the directory
//! ([`settle`](super::settle)): whatever it finds, what the texter gets was committed before. Every way of failing
//! ends with a person: a placeholder that staff verify.

use std::time::Duration;

use anteroom_model::{
    hooks::{self, HookInput, HookOutput, IdentityTurn, Step},
    states::{Author, Identity},
};
use anteroom_store::{
    Actor, ClaimedIdentity, Conversation, Exchange, Extra, NumberIdentityRules, PhoneOwnership, StoreError,
};
use serde_json::json;

use crate::{
    app::App,
    pipeline::{
        chain::{self, Answer, OTHER_HOOK, PolicyFault, Source},
        gather::Facts,
        plan::{OptOutRule, Plan, PlannedText, VerificationStep},
        replies,
    },
};

/// Questions in one verification at most, whatever the policy says.
pub(crate) const QUESTIONS: usize = 10;

pub(super) async fn decide(
    app: &App,
    facts: &Facts<'_>,
    plan: &mut Plan,
    with_policies: bool,
) -> Result<(), StoreError> {
    let Some(conversation) = plan.conversation.clone() else { return Ok(()) };
    let asks = facts.number.verification.unwrap_or(facts.entry.organization.settings.verification);
    if is_settled(&conversation) {
        if !asks || facts.silent() || !with_policies || !is_due_again(app, facts, &conversation).await? {
            return Ok(());
        }
        if let Some(conversation) = &mut plan.conversation {
            conversation.exchanges.clear();
        }
        plan.tell("identity.expired", Actor::Host, json!({ "identity": conversation.identity }));
        return ask(app, facts, plan).await;
    }
    if !asks || facts.silent() || !with_policies {
        return by_phone(app, facts, plan).await;
    }
    ask(app, facts, plan).await
}

fn is_settled(conversation: &Conversation) -> bool {
    match conversation.identity {
        Identity::Verified | Identity::Placeholder => true,
        Identity::Unasked => conversation.patient_id.is_some(),
        Identity::Asking => false,
    }
}

/// Whether what is known is too old by the clinic's rules.
async fn is_due_again(app: &App, facts: &Facts<'_>, conversation: &Conversation) -> Result<bool, StoreError> {
    let NumberIdentityRules { reverify_days, ask_again_minutes, .. } =
        facts.entry.organization.settings.identity.on(facts.number.id);
    let after = |count: Option<u32>, minutes: u64| {
        count.filter(|count| *count > 0).map(|count| Duration::from_mins(u64::from(count) * minutes))
    };
    let period = match conversation.identity {
        Identity::Verified => after(reverify_days, 24 * 60),
        Identity::Placeholder => after(ask_again_minutes, 1),
        _ => None,
    };
    let Some(period) = period else { return Ok(false) };
    let mut org = app.store.read(facts.work.organization).await?;
    let since = if conversation.identity == Identity::Verified {
        org.verified_at(conversation.id).await?
    } else {
        let last = org.verifications_of(conversation.id, 1).await?.pop();
        last.and_then(|verification| verification.ended_at)
    };
    Ok(since.is_some_and(|since| facts.now.since(since) >= period))
}

/// Without questions: a phone with one owner links to them, not verified, and nobody guesses among several.
async fn by_phone(app: &App, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    let owner = app.store.read(facts.work.organization).await?.phone_ownership(&facts.work.peer).await?;
    let (PhoneOwnership::One(owner), Some(conversation)) = (owner, &mut plan.conversation) else {
        placeholder(plan, "not_asked");
        return Ok(());
    };
    conversation.patient_id = Some(owner);
    conversation.identity = Identity::Unasked;
    plan.verification = Some(VerificationStep::Dropped("not_asked"));
    plan.tell("identity.linked", Actor::Host, json!({ "by": "phone", "patient_id": owner }));
    Ok(())
}

async fn ask(app: &App, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    let Some(conversation) = plan.conversation.clone() else { return Ok(()) };
    let asked = conversation
        .exchanges
        .iter()
        .map(|exchange| hooks::Exchange {
            question: exchange.question.clone(),
            prompt: exchange.prompt.clone(),
            answer: exchange.answer.clone(),
        })
        .collect();
    let input = HookInput::Identity(IdentityTurn {
        text: facts.work.body.clone(),
        number: facts.clinic.clone(),
        hours: facts.hours.clone(),
        asked,
    });
    let verdict = chain::ask(app, &facts.entry, facts.subject(&conversation), input, &check).await?;
    let answer = plan.take("identity", verdict);
    if let Some(open) = plan.conversation.as_mut().and_then(|c| c.exchanges.last_mut()) {
        open.answer.get_or_insert_with(|| facts.work.body.clone());
    }
    match answer {
        Answer::Decided { output: HookOutput::Identity(step), by } => {
            follow(facts, plan, step, &by);
            Ok(())
        }
        Answer::Decided { .. } | Answer::NoOpinion => by_phone(app, facts, plan).await,
        Answer::Fault(fault) => {
            plan.tell_fault("identity", &fault);
            placeholder(plan, "fault");
            Ok(())
        }
    }
}

/// Whether the host can carry out an answer of this hook.
pub(super) fn check(output: &HookOutput) -> Result<(), String> {
    match output {
        HookOutput::Identity(Step::Ask(prompt)) => replies::sendable(&prompt.text),
        HookOutput::Identity(_) => Ok(()),
        _ => Err(OTHER_HOOK.to_owned()),
    }
}

fn follow(facts: &Facts<'_>, plan: &mut Plan, step: Step, by: &Source) {
    match step {
        Step::Ask(prompt) => {
            let Some(conversation) = &mut plan.conversation else { return };
            if conversation.exchanges.len() >= QUESTIONS {
                let claimed = ClaimedIdentity { gave_up: Some("too many questions".into()), ..claimed(by) };
                conversation.identity = Identity::Asking;
                plan.verification = Some(VerificationStep::End { claimed, decision: by.decision });
                return;
            }
            conversation.identity = Identity::Asking;
            let (question, text) = (prompt.question.clone(), prompt.text.clone());
            conversation.exchanges.push(Exchange { question, prompt: text, answer: None });
            let rules = facts.entry.organization.settings.identity.on(facts.number.id);
            let timeout = Duration::from_mins(u64::from(rules.timeout_minutes.unwrap_or(0).max(1)));
            plan.verification = Some(VerificationStep::Ask {
                question: prompt.question.clone(),
                due_at: facts.now.plus(timeout),
            });
            plan.tell(
                "identity.asked",
                Actor::Policy,
                json!({ "question": prompt.question, "policy": by.policy }),
            );
            say(plan, prompt.text, by);
        }
        Step::Match(request) => {
            let claimed =
                ClaimedIdentity { claims: request.claims, required: request.required, ..claimed(by) };
            end(plan, claimed, request.acknowledgement, by);
        }
        Step::GiveUp(farewell) => {
            let claimed =
                ClaimedIdentity { claims: farewell.claims, gave_up: Some(farewell.reason), ..claimed(by) };
            end(plan, claimed, farewell.acknowledgement, by);
        }
    }
    chain::mark_effect(&mut plan.decisions, by.decision, "applied");
}

fn claimed(by: &Source) -> ClaimedIdentity {
    ClaimedIdentity { policy: by.policy.clone(), ..ClaimedIdentity::default() }
}

/// The texter is answered, and the claims wait for the host.
fn end(plan: &mut Plan, claimed: ClaimedIdentity, acknowledgement: String, by: &Source) {
    if let Some(conversation) = &mut plan.conversation {
        conversation.identity = Identity::Asking;
    }
    plan.verification = Some(VerificationStep::End { claimed, decision: by.decision });
    say(plan, acknowledgement, by);
}

/// Staff see a random readable name and decide themselves.
fn placeholder(plan: &mut Plan, why: &'static str) {
    if let Some(conversation) = &mut plan.conversation {
        conversation.identity = Identity::Placeholder;
        plan.placeholder = true;
        plan.verification = Some(VerificationStep::Dropped(why));
    }
}

fn say(plan: &mut Plan, body: String, by: &Source) {
    if let Err(reason) = replies::sendable(&body) {
        // An acknowledgement may be empty: then nothing is said.
        if !body.is_empty() {
            let by = by.clone();
            plan.tell_fault("identity", &PolicyFault { by, kind: "invalid_output", message: reason });
        }
        return;
    }
    plan.texts.push(PlannedText {
        body,
        author: Author::Policy,
        extra: Extra::default(),
        opt_out: OptOutRule::Obeys,
        reason: json!({ "hook": "identity", "policy": by.policy, "decision_id": by.decision }),
    });
}
