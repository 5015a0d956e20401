//! Where a conversation in the Unassigned queue belongs.

use anteroom_model::{
    hooks::{HookInput, HookOutput, Placement, RoutingTurn},
    ids::{FacilityId, TeamId},
    states::Priority,
};
use anteroom_store::{Actor, Conversation, StoreError};
use serde_json::json;

use crate::{
    app::App,
    directory::Entry,
    pipeline::{
        chain::{self, Answer, OTHER_HOOK},
        gather::Facts,
        plan::Plan,
    },
};

pub(super) async fn decide(app: &App, facts: &Facts<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    // Once a person has it, people decide where it goes.
    let Some(conversation) = plan.conversation.clone().filter(|c| c.assignee_id.is_none()) else {
        return Ok(());
    };
    let input = HookInput::Routing(turn(facts, &conversation));
    let check = |output: &HookOutput| check(&facts.entry, output);
    let verdict = chain::ask(app, &facts.entry, facts.subject(&conversation), input, &check).await?;
    match plan.take("routing", verdict) {
        Answer::NoOpinion => {}
        Answer::Fault(fault) => plan.tell_fault("routing", &fault),
        Answer::Decided { output, by } => {
            let (Ok(place), HookOutput::Routing(placement)) = (place_of(&facts.entry, &output), output)
            else {
                return Ok(());
            };
            chain::mark_effect(&mut plan.decisions, by.decision, "applied");
            if let Some(conversation) = &mut plan.conversation {
                place.apply(conversation);
            }
            plan.tell(
                "conversation.routed",
                Actor::Policy,
                json!({
                    "team": placement.team,
                    "facility": placement.facility,
                    "category": placement.category,
                    "priority": placement.priority,
                    "tags": placement.tags,
                    "kept": conversation.staff_set,
                    "reason": placement.reason,
                    "policy": by.policy,
                    "policy_version": by.version,
                    "decision_id": by.decision,
                }),
            );
        }
    }
    Ok(())
}

/// Whether the host can carry out an answer of this hook.
pub(super) fn check(entry: &Entry, output: &HookOutput) -> Result<(), String> {
    place_of(entry, output).map(drop)
}

fn place_of(entry: &Entry, output: &HookOutput) -> Result<Place, String> {
    match output {
        HookOutput::Routing(placement) => resolve(entry, placement),
        _ => Err(OTHER_HOOK.to_owned()),
    }
}

fn turn(facts: &Facts<'_>, conversation: &Conversation) -> RoutingTurn {
    let entry = &facts.entry;
    let team = conversation.team_id.and_then(|id| entry.teams.iter().find(|team| team.id == id));
    let facility = conversation.facility_id.and_then(|id| entry.facility(id));
    let routed = team.is_some() || conversation.category.is_some();
    RoutingTurn {
        text: facts.work.body.clone(),
        media_count: u32::try_from(facts.work.extra.media.len()).unwrap_or(u32::MAX),
        number: facts.clinic.clone(),
        hours: facts.hours.clone(),
        turn_number: u32::try_from(conversation.turn_number).unwrap_or(1),
        identity: conversation.identity.as_str().to_owned(),
        teams: entry.teams.iter().map(|team| team.name.clone()).collect(),
        facilities: entry.facilities.iter().map(|(facility, _)| facility.name.clone()).collect(),
        current: routed.then(|| Placement {
            team: team.map(|team| team.name.clone()),
            facility: facility.map(|(facility, _)| facility.name.clone()),
            category: conversation.category.clone(),
            priority: Some(conversation.priority.as_str().to_owned()),
            tags: conversation.tags.clone(),
            reason: String::new(),
        }),
    }
}

/// A placement whose names have been found.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    team: Option<TeamId>,
    facility: Option<FacilityId>,
    category: Option<String>,
    priority: Option<Priority>,
    tags: Vec<String>,
}

impl Place {
    fn apply(self, conversation: &mut Conversation) {
        conversation.team_id = self.team.or(conversation.team_id);
        conversation.facility_id = self.facility.or(conversation.facility_id);
        let by_staff = |what: &str| conversation.staff_set.iter().any(|set| set == what);
        let [category, priority, tags] = ["category", "priority", "tags"].map(by_staff);
        if !category {
            conversation.category = self.category.or(conversation.category.take());
        }
        // What turns urgent mustn't wait because somebody thought it could: what staff set may be raised.
        let proposed = self.priority.unwrap_or(conversation.priority);
        conversation.priority = if priority { proposed.max(conversation.priority) } else { proposed };
        for tag in self.tags.into_iter().filter(|_| !tags) {
            if !conversation.tags.contains(&tag) && conversation.tags.len() < Conversation::MOST_TAGS {
                conversation.tags.push(tag);
            }
        }
    }
}

fn resolve(entry: &Entry, placement: &Placement) -> Result<Place, String> {
    let team = placement
        .team
        .as_deref()
        .map(|name| {
            let found = entry.teams.iter().find(|team| team.name == name).map(|team| team.id);
            found.ok_or_else(|| format!("there is no team {}", quoted(name)))
        })
        .transpose()?;
    let facility = placement
        .facility
        .as_deref()
        .map(|name| {
            let mut all = entry.facilities.iter();
            let found = all.find(|(facility, _)| facility.name == name).map(|(facility, _)| facility.id);
            found.ok_or_else(|| format!("there is no facility {}", quoted(name)))
        })
        .transpose()?;
    let priority = placement
        .priority
        .as_deref()
        .map(|word| word.parse::<Priority>().map_err(|error| error.to_string()))
        .transpose()?;
    Ok(Place { team, facility, category: placement.category.clone(), priority, tags: placement.tags.clone() })
}

fn quoted(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    format!("“{short}”")
}
