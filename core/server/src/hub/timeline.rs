//! What happened in a conversation and why, in sentences.

use std::collections::{BTreeMap, HashMap};

use anteroom_model::{
    ids::{ConversationId, StaffId},
    states::Author,
    time::Timestamp,
};
use anteroom_store::Event;
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::Names,
    },
    problem::Problem,
};

/// Entries of a page where nothing is said.
const LONGEST: u32 = 1_000;

/// An entry of the timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimelineEntry {
    /// Position in the organization's event sequence.
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// For example `conversation.routed`.
    kind: String,
    actor: Author,
    actor_name: Option<String>,
    /// A sentence for staff, in English.
    summary: String,
    /// Depends on the kind: names, reasons, ids of decisions.
    data: Value,
    /// The staff and teams whose ids are in `data`, for sentences in other languages.
    names: BTreeMap<String, String>,
}

/// The timeline of a conversation: what the patient, policies and people did, and why. A page of the newest
/// entries, in the order in which they happened; `next_cursor` leads to older ones. 1,000 entries unless
/// `limit` says fewer.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/timeline", tag = "conversations",
    params(("id" = ConversationId, Path), PageQuery),
    responses((status = 200, body = Page<TimelineEntry>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let limit = page.limit.map_or(LONGEST, |_| page.limit());
    let mut events = org.events_of(id, page.position()?.unwrap_or(i64::MAX), limit).await?;
    let oldest = events.last().map(|event| event.seq);
    events.reverse();
    let names = Names::read(&mut org).await?;
    drop(org);
    caller.audit_read(&app, "timeline.read", id.0).await?;
    let teams: HashMap<String, String> =
        entry.teams.iter().map(|team| (team.id.to_string(), team.name.clone())).collect();
    let items = events
        .into_iter()
        .map(|event| TimelineEntry {
            summary: summary(&event, &names, &teams),
            names: named_in(&event.data, &names, &teams),
            seq: event.seq,
            at: event.created_at,
            kind: event.kind,
            actor: event.actor,
            actor_name: event.actor_id.map(|id| names.staff_name(id)),
            data: event.data,
        })
        .collect();
    Ok(Json(Page::cut(items, limit, oldest)))
}

/// Who and what the ids among the data are.
fn named_in(data: &Value, names: &Names, teams: &HashMap<String, String>) -> BTreeMap<String, String> {
    let ids = data.as_object().into_iter().flat_map(|data| data.values()).filter_map(Value::as_str);
    ids.filter_map(|id| {
        let name = teams.get(id).cloned().or_else(|| names.known(id.parse().ok()?).map(str::to_owned));
        Some((id.to_owned(), name?))
    })
    .collect()
}

/// What the timeline would say of something that a policy does, to nobody in particular.
pub(super) fn of_policy(kind: &str, data: Value) -> String {
    let event = Event {
        seq: 0,
        kind: kind.to_owned(),
        conversation_id: None,
        actor: Author::Policy,
        actor_id: None,
        data,
        created_at: Timestamp::from_micros(0),
    };
    summary(&event, &Names::default(), &HashMap::new())
}

fn summary(event: &Event, names: &Names, teams: &HashMap<String, String>) -> String {
    let who = event.actor_id.map_or_else(|| "Anteroom".to_owned(), |id| names.staff_name(id));
    let data = &event.data;
    let text = |key: &str| data[key].as_str().unwrap_or_default();
    let policy =
        || format!("the policy “{}” {}", text("policy"), text("policy_version")).trim_end().to_owned();
    match event.kind.as_str() {
        "patient.merged" if text("reason").is_empty() => format!("{who} merged two records of this patient"),
        "patient.merged" => format!("{who} merged two records of this patient: {}", text("reason")),
        "patient.unmerged" => format!("{who} took two merged records apart again: {}", text("reason")),
        "patient.deleted" => format!("{who} deleted the patient; a placeholder stands for them"),
        "conversation.opened" => format!("A first text to {}", text("number")),
        "conversation.routed" => routed(data, &policy()),
        "conversation.accepted" if text("by") == "reply" => format!("{who} answered and has it now"),
        "conversation.accepted" => format!("{who} accepted it"),
        "conversation.assigned" => assigned(data, &who, names, teams),
        "conversation.closed" => match named(&data["returns_to"], names) {
            Some(holder) => format!("{who} closed it; a new text comes back to {holder}"),
            None => format!("{who} closed it"),
        },
        "conversation.tagged" => format!("{who} {}", labelled(data)),
        "conversation.reopened" if text("by") == "text" => reopened(data, names),
        "conversation.reopened" if text("by") == "snooze" => "Back from snooze".to_owned(),
        "conversation.reopened" => format!("{who} reopened it"),
        "conversation.snoozed" => format!("{who} snoozed it until {}", text("until")),
        "message.received" if text("found") == "list" => {
            "The patient texted; the carrier had not told, it was found in its list".to_owned()
        }
        "message.received" if text("found") == "list_wordless" => {
            "The patient texted; the carrier had not told, and its list keeps no words: please ask what it was"
                .to_owned()
        }
        "message.received" => "The patient texted".to_owned(),
        "message.queued" if event.actor == Author::Staff && data["scheduled_id"].is_string() => {
            format!("A text that {who} had written was sent at its time")
        }
        "message.queued" if event.actor == Author::Staff => format!("{who} answered"),
        "message.queued" if data["scheduled_id"].is_string() => {
            "Quiet hours are over: an automatic reply was sent".to_owned()
        }
        "message.queued" => automatic(data),
        "message.scheduled" if event.actor == Author::Staff => {
            format!("{who} wrote a text to be sent {}", text("send_at"))
        }
        "message.scheduled" => {
            format!("An automatic reply waits for the end of quiet hours, {}", text("send_at"))
        }
        "message.rescheduled" => format!("{who} changed a text to be sent {}", text("send_at")),
        "message.unscheduled" if text("by") == "reply" => {
            "An automatic reply that waited is not sent any more".to_owned()
        }
        "message.unscheduled" => format!("{who} gave up a text that was to be sent later"),
        "message.state" if data["error_text"].is_string() => {
            format!("A text is {}: {}", text("state"), text("error_text"))
        }
        "message.state" => format!("A text is {}", text("state")),
        "media.state" if text("state") == "ready" => "A file of a text is here".to_owned(),
        "media.state" => format!("A file of a text is {}: {}", text("state"), text("text")),
        "note.added" => format!("{who} added a note"),
        "identity.linked" => "The phone number belongs to one patient; not verified".to_owned(),
        "identity.asked" => format!("Asked who is texting ({})", text("question")),
        "identity.matched" => format!("Verified as a patient: {} agreed", joined(&data["agreed"])),
        "identity.unmatched" if text("outcome") == "several" => {
            "The answers fit several patients; please verify".to_owned()
        }
        "identity.unmatched" if text("outcome") == "locked" => {
            "Too many attempts: the answers were not looked up; please verify".to_owned()
        }
        "identity.unmatched" if text("outcome") == "another" => {
            "The answers fit another patient than before; please verify".to_owned()
        }
        "identity.unmatched" => "The answers fit no patient; please verify".to_owned(),
        "identity.expired" => "It is long ago that this was verified: asking again".to_owned(),
        "identity.timed_out" => "Nobody answered the question who is texting".to_owned(),
        "identity.locked" => {
            format!("No more attempts are looked up until {} ({})", text("until"), text("reason"))
        }
        "identity.unlocked" => format!("{who} lets attempts be looked up again"),
        "identity.verified" => format!("{who} verified the patient"),
        "identity.created" => format!("{who} added the patient to the directory"),
        "identity.repointed" => format!("{who} says it is another patient"),
        "identity.split" => format!("{who} says it is not this patient"),
        "identity.gave_up" => format!("Stopped asking who is texting ({})", text("reason")),
        "policy.fault" => {
            format!(
                "{} failed in {} ({}): {}",
                capital(&policy()),
                text("hook"),
                text("fault"),
                text("message")
            )
        }
        "policy.skipped" => "Policies were left out after repeated failures".to_owned(),
        "replies.loop" => "Automatic replies stopped: another machine seems to be answering".to_owned(),
        "replies.quiet" => format!("Quiet hours until {}: no automatic reply", text("until")),
        "opt_out.recorded" if text("source") == "staff" => {
            format!("{who} recorded that the patient wants no texts")
        }
        "opt_out.dismissed" => format!("{who} says that the patient did not opt out"),
        "opt_out.recorded" if text("source") == "carrier" => {
            "The carrier says the patient has opted out".to_owned()
        }
        "opt_out.recorded" => "The patient opted out of texts".to_owned(),
        "opt_out.cleared" => "The patient wants texts again".to_owned(),
        "opt_out.suggested" => "The patient may want no more texts: read this one with care".to_owned(),
        other => other.to_owned(),
    }
}

fn routed(data: &Value, policy: &str) -> String {
    let mut parts = Vec::new();
    for (key, before) in
        [("team", "team "), ("facility", "facility "), ("category", ""), ("priority", "priority ")]
    {
        if let Some(value) = data[key].as_str() {
            parts.push(format!("{before}{value}"));
        }
    }
    let place = if parts.is_empty() { "where it is".to_owned() } else { parts.join(", ") };
    let kept = joined(&data["kept"]);
    let kept = if kept.is_empty() { kept } else { format!(" (set by staff: {kept})") };
    format!("Routed to {place} by {policy}{kept}: {}", data["reason"].as_str().unwrap_or_default())
}

fn named(id: &Value, names: &Names) -> Option<String> {
    let id = id.as_str()?.parse::<StaffId>().ok()?;
    Some(names.staff_name(id))
}

/// To whom, where that was wished for.
fn reopened(data: &Value, names: &Names) -> String {
    if let Some(holder) = named(&data["assignee_id"], names) {
        return format!("Reopened by a new text, for {holder}");
    }
    match named(&data["left"], names) {
        Some(holder) => {
            format!("Reopened by a new text; {holder} works here no longer, so it is in Unassigned")
        }
        None => "Reopened by a new text".to_owned(),
    }
}

/// What staff set: only what changed.
fn labelled(data: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(priority) = data["priority"]["to"].as_str() {
        parts.push(format!("set the priority to {priority}"));
    }
    match (data["category"]["from"].as_str(), data["category"]["to"].as_str()) {
        (_, Some(category)) => parts.push(format!("set the category to {category}")),
        (Some(category), None) => parts.push(format!("took it out of the category {category}")),
        (None, None) => {}
    }
    for (key, words) in [("added", "tagged it"), ("removed", "took off the tag")] {
        let tags = joined(&data["tags"][key]);
        if !tags.is_empty() {
            parts.push(format!("{words} {tags}"));
        }
    }
    parts.join(" and ")
}

/// Only what changed: to whom, to which team, or both.
fn assigned(data: &Value, who: &str, names: &Names, teams: &HashMap<String, String>) -> String {
    let mut parts = Vec::new();
    if data["assignee_id"] != data["from"] {
        let staff = data["assignee_id"].as_str().and_then(|id| id.parse::<StaffId>().ok());
        parts.push(match staff {
            Some(staff) => format!("assigned it to {}", names.staff_name(staff)),
            None => "put it back into Unassigned".to_owned(),
        });
    }
    if data["team_id"] != data["from_team"] {
        let team = data["team_id"].as_str().and_then(|id| teams.get(id));
        parts.push(match team {
            Some(team) => format!("gave it to {team}"),
            None => "took it from its team".to_owned(),
        });
    }
    let before = data["from"].as_str().and_then(|id| id.parse::<StaffId>().ok());
    let because = match (data["because"].as_str(), before) {
        (Some("left"), Some(before)) => {
            format!(": {} doesn't work on conversations any more", names.staff_name(before))
        }
        _ => String::new(),
    };
    format!("{who} {}{because}", parts.join(" and "))
}

fn automatic(data: &Value) -> String {
    let why = &data["why"];
    let text = |key: &str| why[key].as_str().unwrap_or_default();
    match (why["keyword"].as_str(), text("hook")) {
        (Some(keyword), _) => format!("Answered {} automatically", keyword.to_uppercase()),
        (None, "replies") => {
            format!("Automatic reply by the policy “{}”: {}", text("policy"), text("reason"))
        }
        (None, _) => format!("Automatic text by the policy “{}”", text("policy")),
    }
}

fn joined(values: &Value) -> String {
    let words: Vec<_> = values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    words.join(", ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
