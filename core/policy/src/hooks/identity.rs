//! `identity.next`

use anteroom_model::hooks::{Claim, Exchange, Farewell, IdentityTurn, MatchRequest, Prompt, Step};
use wasmtime::Store;

use super::{Answer, Checked, filled, name};
use crate::{
    bindings::identity::{IdentityPolicyPre, exports::anteroom::policy::identity as wit},
    state::State,
};

pub(super) fn call(
    pre: &IdentityPolicyPre<State>,
    store: &mut Store<State>,
    turn: &IdentityTurn,
) -> wasmtime::Result<Answer<Step>> {
    let policy = pre.instantiate(&mut *store)?;
    let answer = policy.anteroom_policy_identity().call_next(store, &turn.into())?;
    Ok(answer.map(|step| step.map(Into::into)))
}

pub(super) fn check(step: &Step) -> Checked {
    match step {
        Step::Ask(prompt) => {
            name(&prompt.question, "the question's name")?;
            filled(&prompt.text, "the question")
        }
        Step::Match(request) => {
            claims(&request.claims)?;
            filled(&request.acknowledgement, "the acknowledgement")?;
            request.required.iter().try_for_each(|field| name(field, "a required field"))
        }
        Step::GiveUp(farewell) => {
            claims(&farewell.claims)?;
            name(&farewell.reason, "the reason")?;
            filled(&farewell.acknowledgement, "the acknowledgement")
        }
    }
}

fn claims(claims: &[Claim]) -> Checked {
    claims.iter().try_for_each(|claim| name(&claim.field, "a claim's field"))
}

impl From<&IdentityTurn> for wit::Turn {
    fn from(turn: &IdentityTurn) -> Self {
        Self {
            text: turn.text.clone(),
            number: (&turn.number).into(),
            hours: (&turn.hours).into(),
            asked: turn.asked.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Exchange> for wit::Exchange {
    fn from(exchange: &Exchange) -> Self {
        Self {
            question: exchange.question.clone(),
            prompt: exchange.prompt.clone(),
            answer: exchange.answer.clone(),
        }
    }
}

impl From<wit::Step> for Step {
    fn from(step: wit::Step) -> Self {
        match step {
            wit::Step::Ask(wit::Prompt { question, text }) => Self::Ask(Prompt { question, text }),
            wit::Step::Match(wit::MatchRequest { claims, acknowledgement, required }) => {
                let claims = claims.into_iter().map(Into::into).collect();
                Self::Match(MatchRequest { claims, acknowledgement, required })
            }
            wit::Step::GiveUp(wit::Farewell { reason, acknowledgement, claims }) => {
                let claims = claims.into_iter().map(Into::into).collect();
                Self::GiveUp(Farewell { reason, acknowledgement, claims })
            }
        }
    }
}

impl From<wit::Claim> for Claim {
    fn from(wit::Claim { field, value }: wit::Claim) -> Self {
        Self { field, value }
    }
}
