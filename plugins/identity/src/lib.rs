//! Asks a texter who they are and reads the answers.
//!
//! Every turn holds all questions and answers so far, and the next step is worked out from them anew: nothing is
//! kept between turns. The host matches the claims and never says what came of it, and each text sent here is
//! the same for patients and strangers.

mod birth;
mod claims;
mod language;
mod name;
mod numbers;
mod refusal;
mod relation;
mod settings;
mod surnames;

use anteroom_sdk::date::Date;
use anteroom_sdk::identity::{Farewell, Identity, MatchRequest, Prompt, Step, Turn};
use anteroom_sdk::template::Template;
use anteroom_sdk::{PolicyError, export_identity};

use claims::Claims;
use settings::{Language, Question};

pub use settings::Settings;

/// The default identity policy.
pub struct Questions;

impl Identity for Questions {
    type Settings = Settings;

    fn next(settings: &Settings, turn: &Turn) -> Result<Option<Step>, PolicyError> {
        // The facility's own date: a person born "today" in Honolulu is not from the future.
        let today = Date::parse(&turn.hours.local.date)
            .ok_or_else(|| PolicyError::new("turn", "hours.local.date is not YYYY-MM-DD"))?;
        Ok(Some(step(settings, turn, today)))
    }
}

export_identity!(Questions);

fn step(settings: &Settings, turn: &Turn, today: Date) -> Step {
    // The first text is the reason for texting, whatever it looks like.
    let refusal = if turn.asked.is_empty() { None } else { refusal::find(settings, &turn.text) };
    let claims = read_answers(settings, turn, today, refusal.is_some());
    let language = language::of(settings, turn);
    let farewell = |reason: &str, acknowledgement: &Template| {
        Step::GiveUp(Farewell {
            reason: reason.into(),
            acknowledgement: settings.say(acknowledgement, turn, language),
            claims: claims.to_list(),
        })
    };
    let (acknowledgement, exit_acknowledgement, attempts_acknowledgement) = match language {
        Some(own) => (&own.acknowledgement, &own.exit_acknowledgement, &own.attempts_acknowledgement),
        None => {
            (&settings.acknowledgement, &settings.exit_acknowledgement, &settings.attempts_acknowledgement)
        }
    };

    if let Some(reason) = refusal {
        return farewell(reason, exit_acknowledgement);
    }

    let Some(open) = settings.questions.iter().find(|question| !claims.answer(question)) else {
        return Step::Match(MatchRequest {
            claims: claims.to_list(),
            acknowledgement: settings.say(acknowledgement, turn, language),
            required: settings.required.clone(),
        });
    };
    let attempts = turn.asked.iter().filter(|exchange| exchange.question == open.name).count();
    if attempts >= usize::from(settings.max_attempts) {
        return farewell("attempts", attempts_acknowledgement);
    }
    let first = turn.asked.is_empty() && relation::find(head(&turn.text)).is_some();
    let for_another = claims.for_another() || first || was_for_another(settings, turn);
    let wording = wording(open, language, for_another, attempts > 0);
    Step::Ask(Prompt { question: open.name.clone(), text: settings.say(wording, turn, language) })
}

/// What is looked at of a text: beyond it somebody tells a story, and looking costs fuel.
fn head(text: &str) -> &str {
    text.char_indices().nth(240).map_or(text, |(end, _)| &text[..end])
}

/// How a question is put.
fn wording<'s>(
    question: &'s Question,
    language: Option<&'s Language>,
    for_another: bool,
    repeated: bool,
) -> &'s Template {
    let (ask, again, another) = match language.and_then(|own| own.wordings(&question.name)) {
        Some(own) => (&own.ask, &own.again, own.for_another.as_ref()),
        None => (&question.ask, &question.again, question.for_another.as_ref()),
    };
    let own = if repeated { again } else { ask };
    if for_another { another.unwrap_or(own) } else { own }
}

/// Whether somebody who writes for the patient was asked before: their first text is not handed over again, the
/// question it led to is.
fn was_for_another(settings: &Settings, turn: &Turn) -> bool {
    let languages = || settings.languages.iter().map(Some).chain([None]);
    turn.asked.iter().any(|exchange| {
        let Some(question) = settings.question(&exchange.question) else { return false };
        languages().any(|language| {
            let another = match language.map(|own| own.wordings(&question.name)) {
                Some(own) => own.and_then(|own| own.for_another.as_ref()),
                None => question.for_another.as_ref(),
            };
            another.is_some_and(|another| settings.say(another, turn, language) == exchange.prompt)
        })
    })
}

/// What all answers together say. A question that the settings no longer have is passed over, and so is a text
/// that answers none (`refused`).
fn read_answers(settings: &Settings, turn: &Turn, today: Date, refused: bool) -> Claims {
    let mut claims = Claims::default();
    let last = turn.asked.len().saturating_sub(1);
    for (index, exchange) in turn.asked.iter().enumerate() {
        let answer = exchange.answer.as_deref().or((index == last && !refused).then_some(turn.text.as_str()));
        if let (Some(question), Some(answer)) = (settings.question(&exchange.question), answer) {
            claims.read(question, head(answer), settings, today);
        }
    }
    claims
}

impl Settings {
    fn question(&self, name: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.name == name)
    }

    /// Every variable that settings may use has a value.
    fn say(&self, template: &Template, turn: &Turn, language: Option<&Language>) -> String {
        let value = |name: &str| match name {
            "organization" => Some(turn.number.organization.clone()),
            "facility" => {
                Some(turn.number.facility.clone().unwrap_or_else(|| turn.number.organization.clone()))
            }
            "exit_word" => Some(self.exit_word.clone()),
            "date_format" => {
                let own = language.and_then(|language| language.date_format.clone());
                Some(own.unwrap_or_else(|| self.date_order.format().into()))
            }
            "date_example" => Some(self.date_order.example().into()),
            _ => None,
        };
        template.fill(value).body
    }
}

#[cfg(test)]
mod tests;
