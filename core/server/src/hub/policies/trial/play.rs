//! Playing a made-up conversation: what the pipeline would ask the policy, and what it would do with the answers.

use std::{collections::BTreeMap, sync::Arc};

use anteroom_model::{
    hooks::{
        ClinicNumber, Exchange, HistoryMessage, Hook, HookInput, HookOutput, Hours, IdentityTurn, Placement,
        RepliesTurn, RoutingTurn, ShortcutContext, Step, Told,
    },
    ids::OrganizationId,
    states::Identity,
    time::Timestamp,
};
use anteroom_policy::{
    Call, CallRecord, Fault, FaultKind, HostAnswer, Outcome, Policy, PolicyHost, Settings,
};
use serde_json::{Value, json};

use super::{Said, Trial, TriedFault, TriedTurn};
use crate::{
    directory::Entry,
    hub::timeline,
    pipeline::{self, QUESTIONS},
};

/// What the conversation plays in.
pub(super) struct Scene {
    pub(super) organization: OrganizationId,
    pub(super) staff_name: String,
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
    pub(super) number: ClinicNumber,
    pub(super) hours: Hours,
    pub(super) patient: BTreeMap<String, String>,
    pub(super) asked: Vec<Exchange>,
    pub(super) policy: Arc<Policy>,
    pub(super) entry: Arc<Entry>,
    pub(super) trial: Trial,
}

/// What has happened in it so far.
#[derive(Default)]
struct SoFar {
    history: Vec<HistoryMessage>,
    asked: Vec<Exchange>,
    told: Vec<Told>,
    current: Option<Placement>,
    /// The policy is not asked any more.
    over: bool,
}

impl Scene {
    /// Plays it, on this thread.
    pub(super) fn play(mut self, host: &PolicyHost) -> Vec<TriedTurn> {
        let mut so_far = SoFar { asked: std::mem::take(&mut self.asked), ..SoFar::default() };
        if self.trial.hook == Hook::Shortcuts {
            return vec![self.turn(host, None, 1, &mut so_far)];
        }
        let mut turns = Vec::new();
        for (text, number) in self.trial.texts.iter().zip(1..) {
            turns.push(self.turn(host, Some(text.as_str()), number, &mut so_far));
            if so_far.over {
                break;
            }
        }
        turns
    }

    fn turn(&self, host: &PolicyHost, text: Option<&str>, number: u32, so_far: &mut SoFar) -> TriedTurn {
        let call = Call {
            organization: self.organization,
            settings: self.settings.clone(),
            now: self.now.micros(),
            seed: u64::from(number),
            history: so_far.history.clone(),
            patient: self.patient.clone(),
            input: self.input(text.unwrap_or_default(), number, so_far),
        };
        let record = host.try_out(&self.policy, call);
        let outcome = self.carried_out(&record.outcome);
        if let Some(text) = text {
            so_far.history.push(message("inbound", "patient", self.now, text));
            if let Some(open) = so_far.asked.last_mut() {
                open.answer.get_or_insert_with(|| text.to_owned());
            }
        }
        let says = follow(&outcome, self.now, so_far);
        // Without an answer a person finds out who it is; the other hooks are asked again with the next text.
        so_far.over |= self.trial.hook == Hook::Identity && !matches!(outcome, Outcome::Decided(_));
        let sent = says.iter().filter(|said| said.sent);
        so_far.history.extend(sent.map(|said| message("outbound", "automatic", self.now, &said.body)));
        self.view(text, &record, &outcome, says)
    }

    fn input(&self, text: &str, turn_number: u32, so_far: &SoFar) -> HookInput {
        let (text, number, hours) = (text.to_owned(), self.number.clone(), self.hours.clone());
        let media_count = self.trial.media_count;
        match self.trial.hook {
            Hook::Identity => {
                HookInput::Identity(IdentityTurn { text, number, hours, asked: so_far.asked.clone() })
            }
            Hook::Routing => HookInput::Routing(RoutingTurn {
                text,
                media_count,
                number,
                hours,
                turn_number,
                identity: self.trial.identity.unwrap_or(Identity::Placeholder).as_str().to_owned(),
                teams: self.entry.teams.iter().map(|team| team.name.clone()).collect(),
                facilities: self.entry.facilities.iter().map(|(facility, _)| facility.name.clone()).collect(),
                current: so_far.current.clone(),
            }),
            Hook::Replies => HookInput::Replies(RepliesTurn {
                text,
                media_count,
                number,
                hours,
                turn_number,
                told: so_far.told.clone(),
            }),
            Hook::Shortcuts => {
                let (staff_name, teams) = (self.staff_name.clone(), self.trial.teams.clone());
                let context = ShortcutContext { staff_name, teams, number, hours };
                match self.trial.shortcut.clone() {
                    None => HookInput::ShortcutList(context),
                    Some(name) => HookInput::ShortcutExpand { name, context },
                }
            }
        }
    }

    /// An answer that can't be carried out is a fault, as in the pipeline.
    fn carried_out(&self, outcome: &Outcome) -> Outcome {
        if let Outcome::Decided(output) = outcome
            && let Err(message) = pipeline::check(&self.entry, self.trial.hook, output)
        {
            return Outcome::Fault(Fault { kind: FaultKind::InvalidOutput, message, backtrace: Vec::new() });
        }
        outcome.clone()
    }

    fn view(&self, text: Option<&str>, record: &CallRecord, outcome: &Outcome, says: Vec<Said>) -> TriedTurn {
        let read = record.answers.iter().filter_map(|answer| match answer {
            HostAnswer::Field { name, value: Some(_) } => Some(name.clone()),
            _ => None,
        });
        let output = match &record.outcome {
            Outcome::Decided(output) => serde_json::to_value(output).ok(),
            _ => None,
        };
        TriedTurn {
            text: text.map(str::to_owned),
            outcome: outcome.as_str(),
            summary: self.summary(outcome),
            says,
            output,
            fault: outcome.fault().map(|fault| TriedFault {
                kind: fault.kind.as_str(),
                message: fault.message.clone(),
                hint: fault.kind.hint(),
                backtrace: fault.backtrace.clone(),
            }),
            log: record.log.clone(),
            read: read.collect(),
            fuel: record.fuel,
            memory_peak: record.memory_peak,
            micros: record.micros,
        }
    }

    fn summary(&self, outcome: &Outcome) -> String {
        let by = |mut data: Value| {
            data["policy"] = json!(self.policy.manifest.name);
            data["policy_version"] = json!(self.policy.manifest.version);
            data
        };
        match outcome {
            Outcome::NoOpinion => {
                "No opinion: the next policy is asked, and after the last a person decides".into()
            }
            Outcome::Overload => "No place was free in time: try again".into(),
            Outcome::Fault(fault) => {
                let hook = self.trial.hook.as_str();
                let data = json!({ "hook": hook, "fault": fault.kind.as_str(), "message": fault.message });
                timeline::of_policy("policy.fault", by(data))
            }
            Outcome::Decided(HookOutput::Identity(Step::Ask(prompt))) => {
                timeline::of_policy("identity.asked", json!({ "question": prompt.question }))
            }
            Outcome::Decided(HookOutput::Identity(Step::GiveUp(farewell))) => {
                timeline::of_policy("identity.gave_up", json!({ "reason": farewell.reason }))
            }
            Outcome::Decided(HookOutput::Identity(Step::Match(request))) => {
                let claims = request.claims.iter().map(|claim| format!("{} {}", claim.field, claim.value));
                format!("Looks for the patient in the directory: {}", claims.collect::<Vec<_>>().join(", "))
            }
            Outcome::Decided(HookOutput::Routing(placement)) => {
                let data = serde_json::to_value(placement).unwrap_or_default();
                timeline::of_policy("conversation.routed", by(data))
            }
            Outcome::Decided(HookOutput::Replies(replies)) if replies.is_empty() => {
                "No automatic reply".into()
            }
            Outcome::Decided(HookOutput::Replies(replies)) => {
                let sentence = |reason: &str| {
                    let why = by(json!({ "hook": "replies", "reason": reason }));
                    timeline::of_policy("message.queued", json!({ "why": why }))
                };
                let all: Vec<_> = replies.iter().map(|reply| sentence(&reply.reason)).collect();
                all.join("; ")
            }
            Outcome::Decided(HookOutput::ShortcutList(all)) => format!("Offers {} saved replies", all.len()),
            Outcome::Decided(HookOutput::ShortcutExpand(filled)) if filled.missing.is_empty() => {
                "Fills in the saved reply".into()
            }
            Outcome::Decided(HookOutput::ShortcutExpand(filled)) => {
                format!("Fills in the saved reply, but knows nothing for {}", filled.missing.join(", "))
            }
        }
    }
}

/// What an answer leads to, and what the patient would be sent.
fn follow(outcome: &Outcome, now: Timestamp, so_far: &mut SoFar) -> Vec<Said> {
    let said = |body: &str| {
        let body = Some(body.to_owned()).filter(|body| !body.trim().is_empty());
        body.map(|body| Said { body, sent: true }).into_iter().collect::<Vec<_>>()
    };
    match outcome {
        Outcome::Decided(HookOutput::Identity(step)) => match step {
            Step::Ask(_) if so_far.asked.len() >= QUESTIONS => {
                so_far.over = true;
                Vec::new()
            }
            Step::Ask(prompt) => {
                let (question, prompt) = (prompt.question.clone(), prompt.text.clone());
                let says = said(&prompt);
                so_far.asked.push(Exchange { question, prompt, answer: None });
                says
            }
            Step::Match(request) => {
                so_far.over = true;
                said(&request.acknowledgement)
            }
            Step::GiveUp(farewell) => {
                so_far.over = true;
                said(&farewell.acknowledgement)
            }
        },
        Outcome::Decided(HookOutput::Routing(placement)) => {
            so_far.current = Some(merged(so_far.current.take(), placement));
            Vec::new()
        }
        // Within the throttle time all along: the same key is said once.
        Outcome::Decided(HookOutput::Replies(replies)) => {
            let known: Vec<_> = so_far.told.iter().map(|told| told.throttle_key.clone()).collect();
            let says = replies.iter().map(|reply| {
                let sent = !known.contains(&reply.throttle_key);
                if sent {
                    let told = Told { throttle_key: reply.throttle_key.clone(), at: now.micros() };
                    so_far.told.insert(0, told);
                }
                Said { body: reply.body.clone(), sent }
            });
            says.collect()
        }
        Outcome::Decided(HookOutput::ShortcutExpand(filled)) => said(&filled.body),
        Outcome::Decided(HookOutput::ShortcutList(_))
        | Outcome::NoOpinion
        | Outcome::Fault(_)
        | Outcome::Overload => Vec::new(),
    }
}

/// Absent fields leave what is there.
fn merged(before: Option<Placement>, new: &Placement) -> Placement {
    let before = before.unwrap_or_default();
    let mut tags = before.tags;
    tags.extend(new.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect::<Vec<_>>());
    Placement {
        team: new.team.clone().or(before.team),
        facility: new.facility.clone().or(before.facility),
        category: new.category.clone().or(before.category),
        priority: new.priority.clone().or(before.priority),
        tags,
        reason: String::new(),
    }
}

fn message(direction: &str, author: &str, at: Timestamp, body: &str) -> HistoryMessage {
    let (direction, author, body) = (direction.to_owned(), author.to_owned(), body.to_owned());
    HistoryMessage { direction, author, at: at.micros(), body }
}
