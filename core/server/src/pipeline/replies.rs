//! Automatic replies: what the policy writes, and what the host lets through.

use std::time::Duration;

use anteroom_model::{
    hooks::{HookInput, HookOutput, RepliesTurn, Reply, Told},
    states::Author,
};
use anteroom_store::{Actor, Extra, Message, StoreError};
use serde_json::json;

use crate::{
    app::App,
    pipeline::{
        chain::{self, Answer, OTHER_HOOK},
        gather::Facts,
        plan::{OptOutRule, Plan, PlannedText},
    },
};

/// Longest text sent, in characters: Twilio's own limit (error 21617).
const LONGEST: usize = 1_600;
/// Automatic replies to one conversation within [`LOOP_WINDOW`] at most: more is another machine answering.
const LOOP_REPLIES: usize = 6;
const LOOP_WINDOW: Duration = Duration::from_mins(10);
/// How far back a policy sees what it has told.
const TOLD_WINDOW: Duration = Duration::from_hours(30 * 24);
const TOLD: u32 = 20;

pub(super) async fn decide(app: &App, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    if facts.opted_out {
        return Ok(());
    }
    let Some(conversation) = plan.conversation.clone() else { return Ok(()) };
    let told = match &facts.conversation {
        Some(known) => {
            let since = facts.now.minus(TOLD_WINDOW);
            app.store.read(facts.work.organization).await?.automatic_replies(known.id, since, TOLD).await?
        }
        None => Vec::new(),
    };
    let input = HookInput::Replies(RepliesTurn {
        text: facts.work.body.clone(),
        media_count: u32::try_from(facts.work.extra.media.len()).unwrap_or(u32::MAX),
        number: facts.clinic.clone(),
        hours: facts.hours.clone(),
        turn_number: u32::try_from(conversation.turn_number).unwrap_or(1),
        told: told.iter().filter_map(as_told).collect(),
    });
    let check = |output: &HookOutput| match output {
        // How many, how long a key: the policy host has checked. What can be sent is ours to know.
        HookOutput::Replies(replies) => replies.iter().try_for_each(|reply| sendable(&reply.body)),
        _ => Err(OTHER_HOOK.to_owned()),
    };
    let verdict = chain::ask(app, &facts.entry, facts.subject(&conversation), input, &check).await?;
    match plan.take("replies", verdict) {
        Answer::Fault(fault) => plan.tell_fault("replies", &fault),
        Answer::Decided { output: HookOutput::Replies(replies), by } => {
            let allowed = allowed(facts, &told, replies);
            let effect = if allowed.is_empty() { "throttled" } else { "applied" };
            chain::mark_effect(&mut plan.decisions, by.decision, effect);
            if in_a_loop(facts, &told) && !allowed.is_empty() {
                chain::mark_effect(&mut plan.decisions, by.decision, "loop");
                plan.tell("replies.loop", Actor::Host, json!({ "replies": told.len() }));
                return Ok(());
            }
            // What the policy says comes before a question that identity asks: a greeting, then the question.
            let texts = allowed.into_iter().map(|reply| PlannedText {
                body: reply.body,
                author: Author::Policy,
                extra: Extra { throttle_key: Some(reply.throttle_key), ..Extra::default() },
                opt_out: OptOutRule::Obeys,
                reason: json!({
                    "hook": "replies",
                    "reason": reply.reason,
                    "policy": by.policy,
                    "decision_id": by.decision,
                }),
            });
            plan.texts.splice(0..0, texts);
        }
        // Another hook's answer has not passed the check.
        Answer::NoOpinion | Answer::Decided { .. } => {}
    }
    Ok(())
}

/// Whether `body` can be sent at all; otherwise what is wrong with it.
pub(super) fn sendable(body: &str) -> Result<(), String> {
    let wrong = if body.trim().is_empty() {
        "is empty"
    } else if body.chars().count() > LONGEST {
        "is longer than 1,600 characters"
    } else if body.contains('\0') {
        "contains a NUL character"
    } else {
        return Ok(());
    };
    Err(format!("the text to send {wrong}"))
}

fn as_told(message: &Message) -> Option<Told> {
    let throttle_key = message.extra.throttle_key.clone()?;
    Some(Told { throttle_key, at: message.created_at.micros() })
}

/// Leaves out what was said under the same key within the throttle time.
fn allowed(facts: &Facts<'_>, told: &[Message], replies: Vec<Reply>) -> Vec<Reply> {
    let minutes = u64::from(facts.entry.organization.settings.throttle_minutes);
    let since = facts.now.minus(Duration::from_secs(60 * minutes));
    replies
        .into_iter()
        .filter(|reply| {
            !told.iter().any(|message| {
                message.created_at >= since
                    && message.extra.throttle_key.as_deref() == Some(&reply.throttle_key)
            })
        })
        .collect()
}

fn in_a_loop(facts: &Facts<'_>, told: &[Message]) -> bool {
    let since = facts.now.minus(LOOP_WINDOW);
    told.iter().filter(|message| message.created_at >= since).count() >= LOOP_REPLIES
}
