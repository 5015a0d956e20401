//! Who is texting: what the phone tells, and what the identity policy asks.
//!
//! The policy asks and reads the answers, the host matches, and the patient is told the same thing whatever
//! came of it. Every way of failing ends with a person: a placeholder that staff verify.

use anteroom_model::{
    hooks::{self, Claim, HookInput, HookOutput, IdentityTurn, Step},
    states::{Author, Identity},
};
use anteroom_store::{Actor, Exchange, Extra, StoreError};
use serde_json::json;

use crate::{
    app::App,
    pipeline::{
        chain::{self, Answer, OTHER_HOOK, PolicyFault, Source},
        gather::Facts,
        matching::{self, Match},
        plan::{OptOutRule, Plan, PlannedText},
        replies,
    },
};

/// Questions in one verification at most, whatever the policy says.
const QUESTIONS: usize = 10;

pub(super) async fn decide(
    app: &App,
    facts: &Facts<'_>,
    plan: &mut Plan,
    with_policies: bool,
) -> Result<(), StoreError> {
    let Some(conversation) = &plan.conversation else { return Ok(()) };
    let settled = match conversation.identity {
        Identity::Verified | Identity::Placeholder => true,
        Identity::Unasked => conversation.patient_id.is_some(),
        Identity::Asking => false,
    };
    if settled {
        return Ok(());
    }
    let asks = facts.number.verification.unwrap_or(facts.entry.organization.settings.verification);
    if !asks {
        return by_phone(app, facts, plan).await;
    }
    if facts.opted_out || !with_policies {
        placeholder(plan);
        return Ok(());
    }
    ask(app, facts, plan).await
}

/// Without verification: a phone with one owner links to them, and nobody guesses among several.
async fn by_phone(app: &App, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    let owners = app.store.read(facts.work.organization).await?.patients_by_phone(&facts.work.peer).await?;
    let ([owner], Some(conversation)) = (owners.as_slice(), &mut plan.conversation) else {
        placeholder(plan);
        return Ok(());
    };
    conversation.patient_id = Some(owner.id);
    conversation.identity = Identity::Unasked;
    plan.tell("identity.linked", Actor::Host, json!({ "by": "phone", "patient_id": owner.id }));
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
    let check = |output: &HookOutput| match output {
        HookOutput::Identity(Step::Ask(prompt)) => replies::sendable(&prompt.text),
        HookOutput::Identity(_) => Ok(()),
        _ => Err(OTHER_HOOK.to_owned()),
    };
    let verdict = chain::ask(app, &facts.entry, facts.subject(&conversation), input, &check).await?;
    let answer = plan.take("identity", verdict);
    if let Some(open) = plan.conversation.as_mut().and_then(|c| c.exchanges.last_mut()) {
        open.answer.get_or_insert_with(|| facts.work.body.clone());
    }
    match answer {
        Answer::Decided { output: HookOutput::Identity(step), by } => {
            follow(app, facts, plan, step, &by).await
        }
        Answer::Decided { .. } | Answer::NoOpinion => {
            placeholder(plan);
            Ok(())
        }
        Answer::Fault(fault) => {
            plan.tell_fault("identity", &fault);
            placeholder(plan);
            Ok(())
        }
    }
}

async fn follow(
    app: &App,
    facts: &Facts<'_>,
    plan: &mut Plan,
    step: Step,
    by: &Source,
) -> Result<(), StoreError> {
    match step {
        Step::Ask(prompt) => {
            let Some(conversation) = &mut plan.conversation else { return Ok(()) };
            if conversation.exchanges.len() >= QUESTIONS {
                plan.tell("identity.gave_up", Actor::Host, json!({ "reason": "too many questions" }));
                placeholder(plan);
                return Ok(());
            }
            conversation.identity = Identity::Asking;
            let (question, text) = (prompt.question.clone(), prompt.text.clone());
            conversation.exchanges.push(Exchange { question, prompt: text, answer: None });
            plan.tell(
                "identity.asked",
                Actor::Policy,
                json!({ "question": prompt.question, "policy": by.policy }),
            );
            say(plan, prompt.text, by);
        }
        Step::Match(request) => {
            let mut org = app.store.read(facts.work.organization).await?;
            let found =
                matching::find(&mut org, &request.claims, &request.required, &facts.work.peer).await?;
            if let (Match::One(patient), Some(conversation)) = (found, &mut plan.conversation) {
                conversation.patient_id = Some(patient);
                conversation.identity = Identity::Verified;
                plan.tell(
                    "identity.matched",
                    Actor::Host,
                    json!({ "patient_id": patient, "agreed": fields(&request.claims), "policy": by.policy }),
                );
            } else {
                let outcome = if found == Match::Several { "several" } else { "nobody" };
                plan.tell(
                    "identity.unmatched",
                    Actor::Host,
                    json!({ "outcome": outcome, "claims": claims(&request.claims), "policy": by.policy }),
                );
                placeholder(plan);
            }
            say(plan, request.acknowledgement, by);
        }
        Step::GiveUp(farewell) => {
            plan.tell(
                "identity.gave_up",
                Actor::Policy,
                json!({
                    "reason": farewell.reason,
                    "claims": claims(&farewell.claims),
                    "policy": by.policy,
                }),
            );
            placeholder(plan);
            say(plan, farewell.acknowledgement, by);
        }
    }
    chain::mark_effect(&mut plan.decisions, by.decision, "applied");
    Ok(())
}

fn fields(list: &[Claim]) -> Vec<&str> {
    list.iter().map(|claim| claim.field.as_str()).collect()
}

fn claims(list: &[Claim]) -> serde_json::Value {
    list.iter()
        .map(|claim| (claim.field.clone(), claim.value.clone().into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Staff see a random readable name and decide themselves.
fn placeholder(plan: &mut Plan) {
    if let Some(conversation) = &mut plan.conversation {
        conversation.identity = Identity::Placeholder;
        plan.placeholder = conversation.patient_id.is_none();
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
