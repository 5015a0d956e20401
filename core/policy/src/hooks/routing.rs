//! `routing.route`

use anteroom_model::hooks::{Placement, RoutingTurn};
use wasmtime::Store;

use super::{Answer, Checked, filled, name};
use crate::{
    bindings::routing::{RoutingPolicyPre, exports::anteroom::policy::routing as wit},
    state::State,
};

const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];
const TAGS: usize = 20;
/// How the check of a name that the turn didn't list begins.
pub(super) const UNKNOWN: &str = "the organization has no";

pub(super) fn call(
    pre: &RoutingPolicyPre<State>,
    store: &mut Store<State>,
    turn: &RoutingTurn,
) -> wasmtime::Result<Answer<Placement>> {
    let policy = pre.instantiate(&mut *store)?;
    let answer = policy.anteroom_policy_routing().call_route(store, &turn.into())?;
    Ok(answer.map(|placement| placement.map(Into::into)))
}

/// Names must be among those that the turn listed: an unknown one is a fault that staff see.
pub(super) fn check(turn: &RoutingTurn, placement: &Placement) -> Checked {
    known(placement.team.as_deref(), &turn.teams, "team")?;
    known(placement.facility.as_deref(), &turn.facilities, "facility")?;
    if let Some(category) = &placement.category {
        name(category, "the category")?;
    }
    if let Some(priority) = &placement.priority
        && !PRIORITIES.contains(&priority.as_str())
    {
        return Err(format!("priority {priority:?} is none of low, normal, high, urgent"));
    }
    if placement.tags.len() > TAGS {
        return Err(format!("{} tags; {TAGS} at most", placement.tags.len()));
    }
    placement.tags.iter().try_for_each(|tag| name(tag, "a tag"))?;
    filled(&placement.reason, "the reason")
}

fn known(chosen: Option<&str>, names: &[String], what: &str) -> Checked {
    match chosen {
        Some(chosen) if !names.iter().any(|name| name == chosen) => {
            Err(format!("{UNKNOWN} {what} {chosen:?}"))
        }
        _ => Ok(()),
    }
}

impl From<&RoutingTurn> for wit::Turn {
    fn from(turn: &RoutingTurn) -> Self {
        Self {
            text: turn.text.clone(),
            media_count: turn.media_count,
            number: (&turn.number).into(),
            hours: (&turn.hours).into(),
            turn_number: turn.turn_number,
            identity: turn.identity.clone(),
            teams: turn.teams.clone(),
            facilities: turn.facilities.clone(),
            current: turn.current.clone().map(Into::into),
        }
    }
}

impl From<Placement> for wit::Placement {
    fn from(Placement { team, facility, category, priority, tags, reason }: Placement) -> Self {
        Self { team, facility, category, priority, tags, reason }
    }
}

impl From<wit::Placement> for Placement {
    fn from(wit::Placement { team, facility, category, priority, tags, reason }: wit::Placement) -> Self {
        Self { team, facility, category, priority, tags, reason }
    }
}

#[cfg(test)]
mod tests {
    use anteroom_model::hooks::{ClinicNumber, Hours, LocalTime};

    use super::*;

    fn turn() -> RoutingTurn {
        let local = LocalTime { date: "2026-11-23".into(), weekday: "monday".into(), minute: 600 };
        RoutingTurn {
            text: "refill please".into(),
            media_count: 0,
            number: ClinicNumber {
                address: "+18005550100".into(),
                kind: "sandbox".into(),
                label: "Front desk".into(),
                facility: None,
                organization: "Clinic".into(),
            },
            hours: Hours {
                open: true,
                time_zone: "America/Chicago".into(),
                local,
                holiday: None,
                opens: None,
                closes: None,
            },
            turn_number: 1,
            identity: "unasked".into(),
            teams: vec!["Pharmacy".into()],
            facilities: vec!["North".into()],
            current: None,
        }
    }

    #[test]
    fn only_names_that_the_organization_has() {
        let good = Placement {
            team: Some("Pharmacy".into()),
            facility: Some("North".into()),
            priority: Some("urgent".into()),
            reason: "keyword".into(),
            ..Placement::default()
        };
        assert_eq!(check(&turn(), &good), Ok(()));
        let team = Placement { team: Some("pharmacy".into()), ..good.clone() };
        assert!(check(&turn(), &team).unwrap_err().contains("no team"));
        let facility = Placement { facility: Some("South".into()), ..good.clone() };
        assert!(check(&turn(), &facility).unwrap_err().contains("no facility"));
        let priority = Placement { priority: Some("asap".into()), ..good.clone() };
        assert!(check(&turn(), &priority).unwrap_err().contains("priority"));
        let tags = Placement { tags: vec!["t".into(); 21], ..good };
        assert!(check(&turn(), &tags).unwrap_err().contains("tags"));
    }
}
