//! From a case to the calls of its conversation: what isn't said has a sensible default, and what an earlier
//! text brought about (a placement, a reply, a question) is there when the next one comes.

use anteroom_model::{
    hooks::{
        ClinicNumber, Exchange, HistoryMessage, Hook, HookInput, HookOutput, Hours, IdentityTurn, LocalTime,
        Placement, RepliesTurn, RoutingTurn, ShortcutContext, Step, Told,
    },
    ids::OrganizationId,
};
use anteroom_policy::{Call, Outcome};
use jiff::{ToSpan, civil::date};
use serde_json::{Map, Value};

use super::{
    cases::{self, Setting, over},
    moment::Moment,
};

/// One minute, in microseconds: texts of a conversation are that far apart.
const MINUTE: i64 = 60_000_000;

/// A conversation under way.
pub(super) struct Conversation {
    hook: Hook,
    settings: String,
    setting: Setting,
    hours: Hours,
    number: ClinicNumber,
    now: i64,
    turn_number: u32,
    history: Vec<HistoryMessage>,
    current: Option<Placement>,
    told: Vec<Told>,
    asked: Vec<Exchange>,
}

impl Conversation {
    /// Before its first text. Fails on a time zone that there is not.
    pub(super) fn begin(hook: Hook, setting: Setting, defaults: &Map<String, Value>) -> Result<Self, String> {
        let (hours, now) = hours(setting.hours.as_ref())?;
        let own = setting.settings.clone().unwrap_or_default();
        let past = setting.history.clone().unwrap_or_default();
        let before = |index: usize| now - MINUTE * i64::try_from(past.len() - index).unwrap_or(1);
        let history = past.iter().enumerate().map(|(index, message)| said(message, before(index))).collect();
        let told = setting.told.iter().flatten();
        let told = told.map(|key| Told { throttle_key: key.clone(), at: now - MINUTE }).collect();
        let exchange = |asked: &cases::Exchange| Exchange {
            question: asked.question.clone(),
            prompt: asked.prompt.clone(),
            answer: asked.answer.clone(),
        };
        Ok(Self {
            hook,
            settings: Value::Object(over(defaults, &own)).to_string(),
            number: number(setting.number.as_ref()),
            turn_number: setting.turn_number.unwrap_or(1),
            current: setting.current.as_ref().map(placement),
            asked: setting.asked.iter().flatten().map(exchange).collect(),
            history,
            told,
            hours,
            now,
            setting,
        })
    }

    /// The call that a text brings about before the last one, which pictures may come with.
    pub(super) fn call(&self, text: &str) -> Call {
        self.call_with(text, 0, None)
    }

    /// The call of the last text, or of a look at the shortcuts.
    pub(super) fn last_call(&self, text: &str, expand: Option<&str>) -> Call {
        self.call_with(text, self.setting.media_count.unwrap_or(0), expand)
    }

    fn call_with(&self, text: &str, media_count: u32, expand: Option<&str>) -> Call {
        Call {
            organization: OrganizationId::from(uuid::Uuid::from_u128(1)),
            settings: self.settings.as_str().into(),
            now: self.now,
            seed: self.setting.seed.unwrap_or(42),
            history: self.history.clone(),
            patient: self.setting.patient.clone().unwrap_or_default(),
            input: self.input(text.to_owned(), media_count, expand),
        }
    }

    fn input(&self, text: String, media_count: u32, expand: Option<&str>) -> HookInput {
        let (number, hours, turn_number) = (self.number.clone(), self.hours.clone(), self.turn_number);
        let setting = &self.setting;
        let names = |given: &Option<Vec<String>>, otherwise: &[&str]| {
            given.clone().unwrap_or_else(|| otherwise.iter().map(|&name| name.to_owned()).collect())
        };
        match self.hook {
            Hook::Identity => {
                HookInput::Identity(IdentityTurn { text, number, hours, asked: self.asked.clone() })
            }
            Hook::Routing => HookInput::Routing(RoutingTurn {
                text,
                media_count,
                number,
                hours,
                turn_number,
                identity: setting.identity.clone().unwrap_or_else(|| "unasked".to_owned()),
                teams: names(&setting.teams, &["Front desk", "Nurses", "Pharmacy", "Billing"]),
                facilities: names(&setting.facilities, &["Riverside Main"]),
                current: self.current.clone(),
            }),
            Hook::Replies => HookInput::Replies(RepliesTurn {
                text,
                media_count,
                number,
                hours,
                turn_number,
                told: self.told.clone(),
            }),
            Hook::Shortcuts => {
                let context = ShortcutContext {
                    staff_name: setting.staff_name.clone().unwrap_or_else(|| "Sam Poole".to_owned()),
                    teams: names(&setting.teams, &["Front desk"]),
                    number,
                    hours,
                };
                match expand {
                    Some(name) => HookInput::ShortcutExpand { name: name.to_owned(), context },
                    None => HookInput::ShortcutList(context),
                }
            }
        }
    }

    /// Goes on to the next text: what was said and decided is the past now.
    pub(super) fn go_on(&mut self, text: &str, outcome: &Outcome) {
        let message = |author: &str, body: &str, at: i64| HistoryMessage {
            direction: if author == "patient" { "inbound" } else { "outbound" }.to_owned(),
            author: author.to_owned(),
            at,
            body: body.to_owned(),
        };
        self.history.push(message("patient", text, self.now));
        if let Some(last) = self.asked.last_mut() {
            last.answer.get_or_insert_with(|| text.to_owned());
        }
        match outcome {
            Outcome::Decided(HookOutput::Routing(placed)) => self.place(placed.clone()),
            Outcome::Decided(HookOutput::Replies(replies)) => {
                for reply in replies {
                    self.history.push(message("automatic", &reply.body, self.now));
                    self.told.insert(0, Told { throttle_key: reply.throttle_key.clone(), at: self.now });
                }
                self.told.truncate(20);
            }
            Outcome::Decided(HookOutput::Identity(Step::Ask(prompt))) => {
                self.history.push(message("automatic", &prompt.text, self.now));
                let (question, prompt) = (prompt.question.clone(), prompt.text.clone());
                self.asked.push(Exchange { question, prompt, answer: None });
            }
            _ => {}
        }
        self.turn_number += 1;
        self.now += MINUTE;
    }

    /// Absent fields leave what is there.
    fn place(&mut self, placed: Placement) {
        let mut now = self.current.take().unwrap_or_default();
        now.team = placed.team.or(now.team);
        now.facility = placed.facility.or(now.facility);
        now.category = placed.category.or(now.category);
        now.priority = placed.priority.or(now.priority);
        now.tags.extend(placed.tags);
        now.tags.sort();
        now.tags.dedup();
        now.reason = placed.reason;
        self.current = Some(now);
    }
}

fn said(message: &cases::Message, at: i64) -> HistoryMessage {
    let direction = if message.author == "patient" { "inbound" } else { "outbound" };
    HistoryMessage {
        direction: direction.to_owned(),
        author: message.author.clone(),
        at,
        body: message.body.clone(),
    }
}

fn placement(current: &cases::Current) -> Placement {
    let cases::Current { team, facility, category, priority, tags, reason } = current.clone();
    Placement { team, facility, category, priority, tags, reason }
}

/// A toll-free number of an example clinic.
fn number(given: Option<&cases::Number>) -> ClinicNumber {
    let or =
        |value: Option<&String>, otherwise: &str| value.map_or_else(|| otherwise.to_owned(), Clone::clone);
    ClinicNumber {
        address: or(given.and_then(|number| number.address.as_ref()), "+18005550100"),
        kind: or(given.and_then(|number| number.kind.as_ref()), "toll_free"),
        label: or(given.and_then(|number| number.label.as_ref()), "Front desk"),
        facility: Some(or(given.and_then(|number| number.facility.as_ref()), "Riverside Main")),
        organization: or(given.and_then(|number| number.organization.as_ref()), "Riverside Family Clinic"),
    }
}

/// Friday at 10:00 in Chicago, open until 17:00; where closed, 20:00 until Monday at 8:00.
fn hours(given: Option<&cases::Hours>) -> Result<(Hours, i64), String> {
    let open = given.and_then(|hours| hours.open).unwrap_or(true);
    let friday = date(2026, 3, 6);
    let usual = if open { friday.at(10, 0, 0, 0) } else { friday.at(20, 0, 0, 0) };
    let at = given.and_then(|hours| hours.at).unwrap_or(Moment(usual));
    let later = |days: i64, hour: i8| -> Option<LocalTime> {
        let day = at.0.date().checked_add(days.days()).ok()?;
        Some(Moment(day.at(hour, 0, 0, 0)).local())
    };
    let time_zone = given.and_then(|hours| hours.time_zone.clone());
    let time_zone = time_zone.unwrap_or_else(|| "America/Chicago".to_owned());
    let now = at.micros(&time_zone).ok_or_else(|| format!("hours.time_zone: there is no \"{time_zone}\""))?;
    let opens = given.and_then(|hours| hours.opens).map(Moment::local);
    let closes = given.and_then(|hours| hours.closes).map(Moment::local);
    let hours = Hours {
        open,
        time_zone,
        local: at.local(),
        holiday: given.and_then(|hours| hours.holiday.clone()),
        opens: if open { None } else { opens.or_else(|| later(3, 8)) },
        closes: if open { closes.or_else(|| later(0, 17)) } else { None },
    };
    Ok((hours, now))
}
