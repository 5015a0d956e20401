//! Trying a policy version on a made-up conversation: nothing of it is stored, sent or counted.

mod play;

use std::collections::BTreeMap;

use anteroom_model::{
    hooks::{Exchange, Hook, Hours},
    ids::{FacilityId, NumberId, PolicyId},
    states::Identity,
    time::Timestamp,
};
use anteroom_policy::{LogLine, PATIENT_FIELDS};
use anteroom_store::Number;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        policies::{TRIERS, bindings::fitting_settings, versions::runnable},
        views::Named,
    },
    pipeline::{gather::hours_of, number_for_policies},
    problem::Problem,
};
use play::Scene;

/// Texts of a made-up conversation at most.
const MOST_TEXTS: usize = 12;
/// Characters of one: as many as a carrier brings in parts.
const LONGEST_TEXT: usize = 1_600;
/// How far the next open or closed moment is looked for, and in which steps.
const FORTNIGHT: std::time::Duration = std::time::Duration::from_hours(14 * 24);
const STEP: std::time::Duration = std::time::Duration::from_mins(30);

/// A made-up conversation for a policy to be tried on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct Trial {
    /// Which hook is asked.
    #[schema(value_type = String)]
    hook: Hook,
    /// Absent: the policy's default settings.
    settings: Option<Value>,
    /// What the patient writes, one text after the other; 12 at most. Shortcuts need none.
    #[serde(default)]
    texts: Vec<String>,
    /// The clinic's number; absent: one of them.
    number_id: Option<NumberId>,
    /// The number's facility is taken to be this one.
    facility_id: Option<FacilityId>,
    /// The moment; now, by default.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// While it is open or closed: the first such moment from `at` on is taken.
    open: Option<bool>,
    /// Pictures and files that come with each text.
    #[serde(default)]
    media_count: u32,
    /// Who is texting, as routing is told; `placeholder`, by default.
    identity: Option<Identity>,
    /// Questions that were asked before, oldest first; the last one may have no answer yet.
    #[serde(default)]
    asked: Vec<Asked>,
    /// A patient with made-up fields, by their names in a policy's manifest.
    #[serde(default)]
    patient: BTreeMap<String, String>,
    /// Fields that the policy may read of them; absent: all that it asks for.
    granted_fields: Option<Vec<String>>,
    /// Names of the teams of who is writing, for shortcuts.
    #[serde(default)]
    teams: Vec<String>,
    /// The shortcut to be filled; absent: they are listed.
    shortcut: Option<String>,
}

/// A question of a verification and what came back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct Asked {
    /// The policy's own name for it.
    question: String,
    /// What was sent.
    prompt: String,
    answer: Option<String>,
}

/// What a policy made of a made-up conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct TrialView {
    policy: Named<PolicyId>,
    policy_version: String,
    hook: &'static str,
    number: Named<NumberId>,
    /// The moment that it was tried at.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What the policy is told of the opening hours then: `open`, `time_zone`, `local`, `holiday`, `opens`, `closes`.
    #[schema(value_type = Object)]
    hours: Hours,
    /// One for each text, as far as the policy is asked: once it knows who is texting, identity is not.
    turns: Vec<TriedTurn>,
    /// Fuel that one call may use.
    fuel_limit: u64,
}

/// One call of the policy.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct TriedTurn {
    /// What the patient wrote.
    text: Option<String>,
    /// `decided`, `no_opinion`, `fault` or `overload`.
    outcome: &'static str,
    /// The decision in words, as a timeline would say it.
    summary: String,
    /// What the patient would be sent.
    says: Vec<Said>,
    /// The decision as the policy gave it.
    #[schema(value_type = Option<Object>)]
    output: Option<Value>,
    fault: Option<TriedFault>,
    /// What the policy logged: `level` and `line`.
    #[schema(value_type = Vec<Object>)]
    log: Vec<LogLine>,
    /// Fields of the patient that it read.
    read: Vec<String>,
    fuel: u64,
    /// Bytes of memory at the highest.
    memory_peak: u64,
    micros: u64,
}

/// A text that the policy wants sent.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Said {
    body: String,
    /// False: the host would hold it back, since the same was said just before.
    sent: bool,
}

/// How the policy failed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct TriedFault {
    /// `trap`, `fuel`, `memory`, `invalid_output`, …
    kind: &'static str,
    message: String,
    /// What its author can do about it.
    hint: &'static str,
    /// Innermost function first.
    backtrace: Vec<String>,
}

/// Tries a policy version on a made-up conversation, with all the limits of a live call. Nothing is stored, sent or
/// counted. For leads and admins; so many times a minute.
#[utoipa::path(post, path = "/api/v1/policies/{id}/try", tag = "policies", request_body = Trial,
    params(("id" = PolicyId, Path)),
    responses((status = 200, body = TrialView), (status = 403), (status = 404),
        (status = 422, description = "`errors` names the fields of the settings that don't fit the schema"),
        (status = 429, description = "Too fast: `Retry-After`")))]
pub(in crate::hub) async fn attempt(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyId>,
    Json(trial): Json<Trial>,
) -> Result<Json<TrialView>, Problem> {
    caller.require(&TRIERS)?;
    app.tries.take(caller.staff).map_err(too_fast)?;
    trial.check()?;
    let row = app.store.read(caller.organization).await?.policy(id).await?;
    let row = row.ok_or_else(|| Problem::not_found("policy"))?;
    let settings = fitting_settings(&row, trial.settings.as_ref())?;
    let policy = runnable(&app, &caller, &row, trial.hook).await?;
    let entry = app.directory.get(caller.organization).await?;
    let number = number(&entry, &trial)?;
    let (at, hours) = moment(&entry, &number, &trial, app.store.now())?;
    let granted = trial.granted_fields.as_ref().unwrap_or(&policy.manifest.patient_fields);
    let patient = trial.patient.iter().filter(|(name, _)| granted.contains(name));
    let view = TrialView {
        policy: Named { id, name: row.name },
        policy_version: row.version,
        hook: trial.hook.as_str(),
        number: Named { id: number.id, name: number.label.clone() },
        at,
        hours: hours.clone(),
        turns: Vec::new(),
        fuel_limit: app.policies.host().limits().fuel,
    };
    let scene = Scene {
        organization: caller.organization,
        staff_name: caller.name.clone(),
        settings: settings.to_string().as_str().into(),
        now: at,
        number: number_for_policies(&entry, &number),
        hours,
        patient: patient.map(|(name, value)| (name.clone(), value.clone())).collect(),
        asked: trial.asked.iter().map(Asked::exchange).collect(),
        policy,
        entry,
        trial,
    };
    let host = app.policies.host().clone();
    let turns = tokio::task::spawn_blocking(move || scene.play(&host)).await;
    let turns = turns.map_err(|error| Problem::internal(&error))?;
    Ok(Json(TrialView { turns, ..view }))
}

fn too_fast(seconds: u64) -> Problem {
    let detail = format!("That was too many tries. Try again in {seconds} seconds.");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", "Too many tries", detail)
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

impl Trial {
    fn check(&self) -> Result<(), Problem> {
        let wrong = |field: &str, detail: &'static str| Err(Problem::invalid(detail).with("field", field));
        if self.texts.len() > MOST_TEXTS {
            return wrong("texts", "A made-up conversation has 12 texts at most.");
        }
        if self.texts.iter().any(|text| text.chars().count() > LONGEST_TEXT) {
            return wrong("texts", "A text has 1,600 characters at most.");
        }
        if self.texts.is_empty() && self.hook != Hook::Shortcuts {
            return wrong("texts", "texts holds what the patient writes.");
        }
        if self.asked.len() > MOST_TEXTS {
            return wrong("asked", "12 questions at most were asked before.");
        }
        if self.patient.keys().any(|name| !PATIENT_FIELDS.contains(&name.as_str())) {
            return wrong("patient", "A patient's fields are those that a manifest can ask for.");
        }
        Ok(())
    }
}

impl Asked {
    fn exchange(&self) -> Exchange {
        let Self { question, prompt, answer } = self.clone();
        Exchange { question, prompt, answer }
    }
}

/// The number that is texted, at the facility that was asked for.
fn number(entry: &Entry, trial: &Trial) -> Result<Number, Problem> {
    let first = || entry.numbers.values().min_by_key(|number| number.id);
    let found = trial.number_id.map_or_else(first, |id| entry.numbers.get(&id));
    let missing = || Problem::invalid("There is no such number, or none yet that a patient could text to.");
    let mut number = found.ok_or_else(missing)?.clone();
    if let Some(facility) = trial.facility_id {
        entry.facility(facility).ok_or_else(|| Problem::invalid("There is no such facility."))?;
        number.facility_id = Some(facility);
    }
    Ok(number)
}

/// The moment that was asked for, and the opening hours then. Where no such moment is near (it never closes), it is
/// said to be open or closed all the same.
fn moment(
    entry: &Entry,
    number: &Number,
    trial: &Trial,
    now: Timestamp,
) -> Result<(Timestamp, Hours), Problem> {
    let from = trial.at.unwrap_or(now);
    let at_first = hours_of(entry, number, from)?;
    let Some(open) = trial.open.filter(|open| *open != at_first.open) else { return Ok((from, at_first)) };
    let mut at = from;
    while at.since(from) < FORTNIGHT {
        at = at.plus(STEP);
        let hours = hours_of(entry, number, at)?;
        if hours.open == open {
            return Ok((at, hours));
        }
    }
    Ok((from, Hours { open, opens: None, closes: None, ..at_first }))
}
