//! Keywords and opening hours to team, category and priority.
//!
//! Emergency keywords are looked for first, then the rules in their order: the first that matches decides. A
//! conversation that is placed already moves only when a rule's keyword says so, and one that is urgent stays
//! where it is until staff move it.

mod settings;

use anteroom_sdk::routing::{Placement, Routing, Turn};
use anteroom_sdk::text::words;
use anteroom_sdk::{PolicyError, export_routing};

use settings::{Emergency, Fallback, Priority, Rule};

pub use settings::Settings;

/// The default routing policy.
pub struct KeywordRouting;

impl Routing for KeywordRouting {
    type Settings = Settings;

    fn route(settings: &Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError> {
        Ok(place(settings, turn))
    }
}

export_routing!(KeywordRouting);

fn place(settings: &Settings, turn: &Turn) -> Option<Placement> {
    let text = words(&turn.text);
    let placed = turn.current.as_ref().filter(|p| p.team.is_some() || p.category.is_some());

    let emergency = settings.emergency.as_ref().and_then(|e| Some(e.place(e.keywords.find(&text)?)));
    let Some(current) = placed else {
        return emergency
            .or_else(|| first_match(settings, turn, &text).map(|(rule, keyword)| rule.place(keyword)))
            .or_else(|| settings.default.place(turn.hours.open));
    };

    let proposed = emergency.or_else(|| {
        let (rule, keyword) = first_match(settings, turn, &text)?;
        keyword.map(|keyword| rule.place(Some(keyword)))
    })?;
    move_to(proposed, current)
}

/// The first rule that matches and the keyword that did it, if the rule has keywords.
fn first_match<'a>(
    settings: &'a Settings,
    turn: &Turn,
    text: &[String],
) -> Option<(&'a Rule, Option<&'a str>)> {
    settings.rules.iter().filter(|rule| rule.when.holds(turn.hours.open)).find_map(|rule| {
        if rule.any_keywords.is_empty() {
            return Some((rule, None));
        }
        rule.any_keywords.find(text).map(|keyword| (rule, Some(keyword)))
    })
}

/// A later text may move a conversation and raise its priority, never lower it or pull it out of the urgent.
fn move_to(mut proposed: Placement, current: &Placement) -> Option<Placement> {
    let priority = |p: &Placement| p.priority.as_deref().and_then(Priority::of);
    let (before, after) = (priority(current), priority(&proposed));
    if before == Some(Priority::Urgent) && after != before {
        return None;
    }
    if after < before {
        proposed.priority = None;
    }
    let keeps = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
    let nothing_new = keeps(&proposed.team, &current.team)
        && keeps(&proposed.facility, &current.facility)
        && keeps(&proposed.category, &current.category)
        && keeps(&proposed.priority, &current.priority)
        && proposed.tags.iter().all(|tag| current.tags.contains(tag));
    (!nothing_new).then_some(proposed)
}

impl Emergency {
    fn place(&self, keyword: &str) -> Placement {
        Placement {
            team: self.team.clone(),
            facility: None,
            category: self.category.clone(),
            priority: Some(Priority::Urgent.name().into()),
            tags: self.tags.clone(),
            reason: format!("emergency keyword '{keyword}'"),
        }
    }
}

impl Rule {
    fn place(&self, keyword: Option<&str>) -> Placement {
        let reason = match keyword {
            Some(keyword) => format!("rule '{}', keyword '{keyword}'", self.name),
            None => format!("rule '{}'", self.name),
        };
        Placement {
            team: self.team.clone(),
            facility: self.facility.clone(),
            category: self.category.clone(),
            priority: self.priority.map(|p| p.name().into()),
            tags: self.tags.clone(),
            reason,
        }
    }
}

impl Fallback {
    /// `None` where nothing is set: then there is nothing to say.
    fn place(&self, open: bool) -> Option<Placement> {
        let closed_team = self.when_closed_team.as_ref().filter(|_| !open);
        let placement = Placement {
            team: closed_team.or(self.team.as_ref()).cloned(),
            facility: None,
            category: self.category.clone(),
            priority: self.priority.map(|p| p.name().into()),
            tags: self.tags.clone(),
            reason: format!("no rule matched; {}", if open { "open" } else { "closed" }),
        };
        let says_something = placement.team.is_some()
            || placement.category.is_some()
            || placement.priority.is_some()
            || !placement.tags.is_empty();
        says_something.then_some(placement)
    }
}

#[cfg(test)]
mod tests;
