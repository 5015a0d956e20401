//! Asks a texter who they are and reads the answers.
//!
//! Every turn holds all questions and answers so far, and the next step is worked out from them anew: nothing is
//! kept between turns. The host matches the claims and never says what came of it, and each text sent here is
//! the same for patients and strangers.

mod birth;
mod claims;
mod name;
mod settings;

use anteroom_sdk::date::Date;
use anteroom_sdk::identity::{Farewell, Identity, MatchRequest, Prompt, Step, Turn};
use anteroom_sdk::template::Template;
use anteroom_sdk::text::words;
use anteroom_sdk::{PolicyError, export_identity};

use claims::Claims;
use settings::Question;

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
    let claims = read_answers(settings, turn, today);
    let farewell = |reason: &str, acknowledgement: &Template| {
        Step::GiveUp(Farewell {
            reason: reason.into(),
            acknowledgement: settings.say(acknowledgement, turn),
            claims: claims.to_list(),
        })
    };

    // The first text is the reason for texting, whatever it looks like.
    if !turn.asked.is_empty() {
        let text = words(&turn.text);
        if text == words(&settings.exit_word) {
            return farewell("exit", &settings.exit_acknowledgement);
        }
        if settings.decline_words.iter().any(|phrase| words(phrase) == text) {
            return farewell("declined", &settings.exit_acknowledgement);
        }
    }

    let Some(open) = settings.questions.iter().find(|question| !claims.answer(question)) else {
        return Step::Match(MatchRequest {
            claims: claims.to_list(),
            acknowledgement: settings.say(&settings.acknowledgement, turn),
            required: settings.required.clone(),
        });
    };
    let attempts = turn.asked.iter().filter(|exchange| exchange.question == open.name).count();
    if attempts >= usize::from(settings.max_attempts) {
        return farewell("attempts", &settings.attempts_acknowledgement);
    }
    let wording = if attempts == 0 { &open.ask } else { &open.again };
    Step::Ask(Prompt { question: open.name.clone(), text: settings.say(wording, turn) })
}

/// What all answers together say. A question that the settings no longer have is passed over.
fn read_answers(settings: &Settings, turn: &Turn, today: Date) -> Claims {
    let mut claims = Claims::default();
    let last = turn.asked.len().saturating_sub(1);
    for (index, exchange) in turn.asked.iter().enumerate() {
        let answer = exchange.answer.as_deref().or((index == last).then_some(turn.text.as_str()));
        if let (Some(question), Some(answer)) = (settings.question(&exchange.question), answer) {
            claims.read(question, answer, settings, today);
        }
    }
    claims
}

impl Settings {
    fn question(&self, name: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.name == name)
    }

    /// Every variable that settings may use has a value.
    fn say(&self, template: &Template, turn: &Turn) -> String {
        let value = |name: &str| match name {
            "organization" => Some(turn.number.organization.clone()),
            "facility" => {
                Some(turn.number.facility.clone().unwrap_or_else(|| turn.number.organization.clone()))
            }
            "exit_word" => Some(self.exit_word.clone()),
            "date_format" => Some(self.date_order.format().into()),
            "date_example" => Some(self.date_order.example().into()),
            _ => None,
        };
        template.fill(value).body
    }
}

#[cfg(test)]
mod tests;
