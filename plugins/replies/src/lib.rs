//! Automatic replies: emergency wording, after hours, welcome.
//!
//! At most one is proposed for a text, the one that matters most. Nothing here knows whether the texter is a
//! patient: the turn doesn't say.

mod settings;

use anteroom_sdk::date::spoken;
use anteroom_sdk::replies::{AutomaticReply, Replies, Turn};
use anteroom_sdk::template::Template;
use anteroom_sdk::text::words;
use anteroom_sdk::{PolicyError, export_replies};

use settings::AfterHours;

pub use settings::Settings;

/// The default replies policy.
pub struct ClinicReplies;

impl Replies for ClinicReplies {
    type Settings = Settings;

    fn reply(settings: &Settings, turn: &Turn) -> Result<Option<Vec<AutomaticReply>>, PolicyError> {
        let reply = if let Some(reply) = emergency(settings, turn) {
            Some(reply?)
        } else if turn.hours.open {
            welcome(settings, turn).transpose()?
        } else {
            after_hours(settings, turn).transpose()?
        };
        Ok(reply.map(|reply| vec![reply]))
    }
}

export_replies!(ClinicReplies);

/// Each time an emergency word comes up; the host's throttle keeps it from repeating within minutes.
fn emergency(settings: &Settings, turn: &Turn) -> Option<Result<AutomaticReply, PolicyError>> {
    let emergency = settings.emergency.as_ref()?;
    let text = words(&turn.text);
    let keyword = emergency.keywords.find(&text)?;
    Some(reply(&emergency.body, "emergency", format!("emergency keyword '{keyword}'"), turn))
}

/// Once, with the first text of a conversation that was never welcomed.
fn welcome(settings: &Settings, turn: &Turn) -> Option<Result<AutomaticReply, PolicyError>> {
    let welcome = settings.welcome.as_ref()?;
    let key = "welcome";
    if turn.turn_number != 1 || was_told(turn, key) {
        return None;
    }
    Some(reply(&welcome.body, key, "first text while open".into(), turn))
}

/// Once in each closed time: the key names the next opening.
fn after_hours(settings: &Settings, turn: &Turn) -> Option<Result<AutomaticReply, PolicyError>> {
    let after_hours = settings.after_hours.as_ref()?;
    let key = match &turn.hours.opens {
        Some(opens) => format!("after-hours:{}:{}", opens.date, opens.minute),
        None => "after-hours".into(),
    };
    if was_told(turn, &key) {
        return None;
    }
    let (body, reason) = after_hours.body_for(turn);
    Some(reply(body, &key, reason, turn))
}

impl AfterHours {
    fn body_for(&self, turn: &Turn) -> (&Template, String) {
        match (&turn.hours.opens, &turn.hours.holiday) {
            (None, _) => (&self.unknown_opening_body, "closed; no opening is known".into()),
            (Some(_), Some(holiday)) if self.holiday_body.is_some() => {
                (self.holiday_body.as_ref().unwrap_or(&self.body), format!("closed for {holiday}"))
            }
            (Some(_), _) => (&self.body, "closed".into()),
        }
    }
}

fn was_told(turn: &Turn, key: &str) -> bool {
    turn.told.iter().any(|told| told.throttle_key == key)
}

/// Fails where a variable has neither value nor fallback: silence and a fault that staff see are better than a
/// text with braces in it.
fn reply(body: &Template, key: &str, reason: String, turn: &Turn) -> Result<AutomaticReply, PolicyError> {
    let filled = body.fill(|name| variable(name, turn));
    if !filled.missing.is_empty() {
        let missing = filled.missing.join(", ");
        return Err(PolicyError::new("variable", format!("{key}: no value and no fallback for {missing}")));
    }
    Ok(AutomaticReply { body: filled.body, throttle_key: key.into(), reason })
}

fn variable(name: &str, turn: &Turn) -> Option<String> {
    let hours = &turn.hours;
    let moment = |at: &Option<_>| at.as_ref().map(|at| spoken(at, &hours.local));
    match name {
        "organization" => Some(turn.number.organization.clone()),
        // A number that belongs to no facility speaks for the whole organization.
        "facility" => turn.number.facility.clone().or_else(|| Some(turn.number.organization.clone())),
        "number" => Some(turn.number.address.clone()),
        "holiday" => hours.holiday.clone(),
        "opens" => moment(&hours.opens),
        "closes" => moment(&hours.closes),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
