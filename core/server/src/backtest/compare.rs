//! What a candidate decided otherwise than what was recorded, in words that can be counted.

use std::collections::{BTreeMap, BTreeSet};

use anteroom_model::hooks::{HookOutput, Placement, Reply, Shortcut, Step};
use anteroom_policy::Outcome;

/// One thing that changed: what, from, to.
pub(super) type Move = (String, String, String);

/// What a conversation goes to or has where there is nothing.
const NOTHING: &str = "–";

/// What is otherwise; empty where both decided the same. Reasons are not compared: they say why, and lead nowhere.
pub(super) fn moves(recorded: &Outcome, candidate: &Outcome) -> Vec<Move> {
    match (recorded, candidate) {
        (Outcome::Decided(a), Outcome::Decided(b)) => outputs(a, b),
        (a, b) => {
            let (a, b) = (outcome(a), outcome(b));
            if a == b { Vec::new() } else { vec![("outcome".to_owned(), a, b)] }
        }
    }
}

fn outputs(recorded: &HookOutput, candidate: &HookOutput) -> Vec<Move> {
    match (recorded, candidate) {
        (HookOutput::Routing(a), HookOutput::Routing(b)) => placements(a, b),
        (HookOutput::Identity(a), HookOutput::Identity(b)) => labelled("step", step(a), step(b), a == b),
        (HookOutput::Replies(a), HookOutput::Replies(b)) => {
            let plain = |all: &[Reply]| -> Vec<_> {
                all.iter().map(|reply| (reply.throttle_key.clone(), reply.body.clone())).collect()
            };
            labelled("replies", replies(a), replies(b), plain(a) == plain(b))
        }
        (HookOutput::ShortcutList(a), HookOutput::ShortcutList(b)) => shortcuts(a, b),
        (HookOutput::ShortcutExpand(a), HookOutput::ShortcutExpand(b)) => {
            labelled("expansion", "filled".to_owned(), "filled".to_owned(), a == b)
        }
        (a, b) => labelled("answer", a.hook().to_string(), b.hook().to_string(), a == b),
    }
}

/// A change of what something is called, or else of its words.
fn labelled(what: &str, from: String, to: String, same: bool) -> Vec<Move> {
    if same {
        return Vec::new();
    }
    let what = if from == to { format!("{what} (wording)") } else { what.to_owned() };
    vec![(what, from, to)]
}

fn placements(a: &Placement, b: &Placement) -> Vec<Move> {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| NOTHING.to_owned());
    let tags = |tags: &[String]| {
        let tags: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
        if tags.is_empty() { NOTHING.to_owned() } else { tags.into_iter().collect::<Vec<_>>().join(", ") }
    };
    let fields = [
        ("team", word(&a.team), word(&b.team)),
        ("facility", word(&a.facility), word(&b.facility)),
        ("category", word(&a.category), word(&b.category)),
        ("priority", word(&a.priority), word(&b.priority)),
        ("tags", tags(&a.tags), tags(&b.tags)),
    ];
    let changed = fields.into_iter().filter(|(_, from, to)| from != to);
    changed.map(|(what, from, to)| (what.to_owned(), from, to)).collect()
}

fn shortcuts(a: &[Shortcut], b: &[Shortcut]) -> Vec<Move> {
    let [a, b] = [a, b].map(|all| all.iter().map(|one| (one.name.as_str(), one)).collect::<BTreeMap<_, _>>());
    let names: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
    let changed = names.into_iter().filter(|name| a.get(name) != b.get(name));
    changed
        .flat_map(|name| {
            let there = |all: &BTreeMap<_, _>| if all.contains_key(name) { name } else { NOTHING }.to_owned();
            labelled("shortcut", there(&a), there(&b), false)
        })
        .collect()
}

/// How a call ended, in a word or two.
fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Decided(HookOutput::Identity(a)) => step(a),
        Outcome::Decided(HookOutput::Replies(all)) => replies(all),
        Outcome::Decided(HookOutput::Routing(_)) => "placed".to_owned(),
        Outcome::Decided(_) => "answered".to_owned(),
        Outcome::NoOpinion => "no opinion".to_owned(),
        Outcome::Fault(fault) => format!("fault: {}", fault.kind),
        Outcome::Overload => "overload".to_owned(),
    }
}

/// Where a call leads to, in a word or two: for routing the team, otherwise how it ended.
pub(super) fn destination(end: &Outcome) -> String {
    match end {
        Outcome::Decided(HookOutput::Routing(place)) => {
            place.team.clone().unwrap_or_else(|| NOTHING.to_owned())
        }
        _ => outcome(end),
    }
}

fn step(step: &Step) -> String {
    match step {
        Step::Ask(prompt) => format!("asked: {}", prompt.question),
        Step::Match(_) => "matched".to_owned(),
        Step::GiveUp(farewell) => format!("gave up: {}", farewell.reason),
    }
}

fn replies(all: &[Reply]) -> String {
    let keys: Vec<_> = all.iter().map(|reply| reply.throttle_key.as_str()).collect();
    if keys.is_empty() { "silent".to_owned() } else { format!("replied: {}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use anteroom_policy::{Fault, FaultKind};

    use super::*;

    fn placed(team: Option<&str>, tags: &[&str], reason: &str) -> Outcome {
        Outcome::Decided(HookOutput::Routing(Placement {
            team: team.map(Into::into),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            reason: reason.to_owned(),
            ..Placement::default()
        }))
    }

    fn replied(body: &str, reason: &str) -> Outcome {
        let (body, throttle_key, reason) = (body.into(), "welcome".into(), reason.into());
        Outcome::Decided(HookOutput::Replies(vec![Reply { body, throttle_key, reason }]))
    }

    fn named(moves: Vec<Move>) -> Vec<String> {
        moves.into_iter().map(|(what, from, to)| format!("{what}: {from} → {to}")).collect()
    }

    #[test]
    fn what_leads_elsewhere_is_named_and_reasons_are_not() {
        let here = placed(Some("Billing"), &["b", "a"], "one rule");
        assert!(moves(&here, &placed(Some("Billing"), &["a", "b"], "another rule")).is_empty());
        let there = placed(Some("Pharmacy"), &[], "");
        assert_eq!(named(moves(&here, &there)), ["team: Billing → Pharmacy", "tags: a, b → –"]);
        let fault = Fault { kind: FaultKind::Fuel, message: "a".into(), backtrace: Vec::new() };
        let other = Fault { message: "b".into(), ..fault.clone() };
        assert!(moves(&Outcome::Fault(fault.clone()), &Outcome::Fault(other)).is_empty());
        assert_eq!(named(moves(&here, &Outcome::Fault(fault))), ["outcome: placed → fault: fuel"]);
        assert_eq!(named(moves(&Outcome::NoOpinion, &here)), ["outcome: no opinion → placed"]);
    }

    #[test]
    fn a_call_leads_to_a_team_or_to_how_it_ended() {
        assert_eq!(destination(&placed(Some("Billing"), &[], "")), "Billing");
        assert_eq!(destination(&placed(None, &["a"], "")), NOTHING);
        assert_eq!(destination(&Outcome::NoOpinion), "no opinion");
        assert_eq!(destination(&replied("Hello", "")), "replied: welcome");
    }

    #[test]
    fn words_that_a_patient_reads_count() {
        assert!(moves(&replied("Hello", "a"), &replied("Hello", "b")).is_empty());
        let changed = named(moves(&replied("Hello", ""), &replied("Hi", "")));
        assert_eq!(changed, ["replies (wording): replied: welcome → replied: welcome"]);
        let silent = Outcome::Decided(HookOutput::Replies(Vec::new()));
        assert_eq!(named(moves(&replied("Hello", ""), &silent)), ["replies: replied: welcome → silent"]);
    }
}
