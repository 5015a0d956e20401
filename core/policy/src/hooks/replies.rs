//! `replies.reply`

use anteroom_model::hooks::{RepliesTurn, Reply, Told};
use wasmtime::Store;

use super::{Answer, Checked, filled, name};
use crate::{
    bindings::replies::{RepliesPolicyPre, exports::anteroom::policy::replies as wit},
    state::State,
};

/// Texts that one turn may send: each costs the clinic money and the patient patience.
const REPLIES: usize = 5;

pub(super) fn call(
    pre: &RepliesPolicyPre<State>,
    store: &mut Store<State>,
    turn: &RepliesTurn,
) -> wasmtime::Result<Answer<Vec<Reply>>> {
    let policy = pre.instantiate(&mut *store)?;
    let answer = policy.anteroom_policy_replies().call_reply(store, &turn.into())?;
    Ok(answer.map(|replies| replies.map(|replies| replies.into_iter().map(Into::into).collect())))
}

pub(super) fn check(replies: &[Reply]) -> Checked {
    if replies.len() > REPLIES {
        return Err(format!("{} replies to one text; {REPLIES} at most", replies.len()));
    }
    replies.iter().try_for_each(|reply| {
        filled(&reply.body, "a reply's body")?;
        name(&reply.throttle_key, "a reply's throttle key")?;
        filled(&reply.reason, "a reply's reason")
    })
}

impl From<&RepliesTurn> for wit::Turn {
    fn from(turn: &RepliesTurn) -> Self {
        Self {
            text: turn.text.clone(),
            media_count: turn.media_count,
            number: (&turn.number).into(),
            hours: (&turn.hours).into(),
            turn_number: turn.turn_number,
            told: turn.told.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Told> for wit::Told {
    fn from(told: &Told) -> Self {
        Self { throttle_key: told.throttle_key.clone(), at: told.at }
    }
}

impl From<wit::AutomaticReply> for Reply {
    fn from(wit::AutomaticReply { body, throttle_key, reason }: wit::AutomaticReply) -> Self {
        Self { body, throttle_key, reason }
    }
}
