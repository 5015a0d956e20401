//! Automatic replies: what the policy writes, and what the host lets through.

use std::{collections::HashSet, time::Duration};

use anteroom_model::{
    hooks::{HookInput, HookOutput, RepliesTurn, Reply, Told},
    quiet::QuietReplies,
    states::Author,
    time::Timestamp,
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
    if facts.silent() {
        return Ok(());
    }
    let Some(conversation) = plan.conversation.clone() else { return Ok(()) };
    let Said { told, since_staff, later } = Said::read(app, facts).await?;
    let input = HookInput::Replies(RepliesTurn {
        text: facts.work.body.clone(),
        media_count: u32::try_from(facts.work.extra.media.len()).unwrap_or(u32::MAX),
        number: facts.clinic.clone(),
        hours: facts.hours.clone(),
        turn_number: u32::try_from(conversation.turn_number).unwrap_or(1),
        told: told.iter().filter_map(as_told).collect(),
    });
    let verdict = chain::ask(app, &facts.entry, facts.subject(&conversation), input, &check).await?;
    match plan.take("replies", verdict) {
        Answer::Fault(fault) => plan.tell_fault("replies", &fault),
        Answer::Decided { output: HookOutput::Replies(replies), by } => {
            let allowed = allowed(facts, &told, since_staff, &later, replies);
            let quiet = quiet(facts).filter(|_| !allowed.is_empty());
            let effect = match quiet {
                _ if allowed.is_empty() => "throttled",
                None => "applied",
                Some((QuietReplies::Skip, _)) => "quiet",
                Some((QuietReplies::Defer, _)) => "deferred",
            };
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
            match quiet {
                None => {
                    plan.texts.splice(0..0, texts);
                }
                Some((QuietReplies::Skip, until)) => {
                    plan.tell("replies.quiet", Actor::Host, json!({ "until": until }));
                }
                Some((QuietReplies::Defer, until)) => plan.later.extend(texts.map(|text| (until, text))),
            }
        }
        // Another hook's answer has not passed the check.
        Answer::NoOpinion | Answer::Decided { .. } => {}
    }
    Ok(())
}

/// Whether the host can carry out an answer of this hook.
pub(super) fn check(output: &HookOutput) -> Result<(), String> {
    match output {
        // How many, how long a key: the policy host has checked. What can be sent is ours to know.
        HookOutput::Replies(replies) => replies.iter().try_for_each(|reply| sendable(&reply.body)),
        _ => Err(OTHER_HOOK.to_owned()),
    }
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

/// What was said in the conversation, and is going to be.
#[derive(Default)]
struct Said {
    /// Policies' replies, newest first.
    told: Vec<Message>,
    /// When staff wrote last.
    since_staff: Option<Timestamp>,
    /// Throttle keys of replies that quiet hours have put off.
    later: Vec<String>,
}

impl Said {
    async fn read(app: &App, facts: &Facts<'_>) -> Result<Self, StoreError> {
        let Some(known) = &facts.conversation else { return Ok(Self::default()) };
        let mut org = app.store.read(facts.work.organization).await?;
        let waiting = org.scheduled_of(known.id).await?;
        Ok(Self {
            told: org.automatic_replies(known.id, facts.now.minus(TOLD_WINDOW), TOLD).await?,
            since_staff: org.last_staff_reply(known.id).await?,
            later: waiting.into_iter().filter_map(|text| text.extra.throttle_key).collect(),
        })
    }
}

/// Leaves out what was said under the same key within the throttle time and since staff wrote last, or is put off.
fn allowed(
    facts: &Facts<'_>,
    told: &[Message],
    since_staff: Option<Timestamp>,
    later: &[String],
    replies: Vec<Reply>,
) -> Vec<Reply> {
    let minutes = u64::from(facts.entry.organization.settings.throttle_minutes);
    let window = facts.now.minus(Duration::from_secs(60 * minutes));
    let since = since_staff.map_or(window, |staff| staff.max(window));
    let mut taken: HashSet<&str> = told
        .iter()
        .filter(|message| message.created_at >= since)
        .filter_map(|message| message.extra.throttle_key.as_deref())
        .collect();
    taken.extend(later.iter().map(String::as_str));
    replies.into_iter().filter(|reply| !taken.contains(reply.throttle_key.as_str())).collect()
}

/// What becomes of replies now, and until when, in quiet hours.
fn quiet(facts: &Facts<'_>) -> Option<(QuietReplies, Timestamp)> {
    let hours = facts.entry.organization.settings.quiet_hours.as_ref()?;
    Some((hours.replies, hours.end(facts.now, &facts.hours.time_zone)?))
}

fn in_a_loop(facts: &Facts<'_>, told: &[Message]) -> bool {
    let since = facts.now.minus(LOOP_WINDOW);
    told.iter().filter(|message| message.created_at >= since).count() >= LOOP_REPLIES
}
