//! What an admin can set. The same shape is described by the `settings_schema` in `manifest.json`.

use anteroom_sdk::template::Template;
use anteroom_sdk::text::words;
use serde::Deserialize;

const VARIABLES: [&str; 5] = ["organization", "facility", "exit_word", "date_format", "date_example"];

/// Questions, wordings and limits.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Settings {
    pub(crate) questions: Vec<Question>,
    /// How often one question is asked.
    pub(crate) max_attempts: u8,
    pub(crate) date_order: DateOrder,
    pub(crate) exit_word: String,
    /// Whole answers that mean "no".
    pub(crate) decline_words: Vec<String>,
    /// Claims that must agree besides the host's own floor.
    pub(crate) required: Vec<String>,
    pub(crate) acknowledgement: Template,
    pub(crate) exit_acknowledgement: Template,
    pub(crate) attempts_acknowledgement: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// For the kind `text`: the claim that the answer becomes.
    pub(crate) field: Option<String>,
    pub(crate) ask: Template,
    /// For an answer that could not be read.
    pub(crate) again: Template,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    FullName,
    FirstName,
    LastName,
    DateOfBirth,
    Mrn,
    Text,
}

/// How `3/4/85` is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DateOrder {
    #[default]
    Mdy,
    Dmy,
    Ymd,
}

impl DateOrder {
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Mdy => "MM/DD/YYYY",
            Self::Dmy => "DD/MM/YYYY",
            Self::Ymd => "YYYY-MM-DD",
        }
    }

    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Mdy => "03/25/1985",
            Self::Dmy => "25/03/1985",
            Self::Ymd => "1985-03-25",
        }
    }
}

/// The settings as they arrive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    questions: Vec<Question>,
    #[serde(default = "three")]
    max_attempts: u8,
    #[serde(default)]
    date_order: DateOrder,
    #[serde(default = "exit")]
    exit_word: String,
    #[serde(default)]
    decline_words: Vec<String>,
    #[serde(default)]
    required: Vec<String>,
    acknowledgement: Template,
    exit_acknowledgement: Template,
    attempts_acknowledgement: Template,
}

fn three() -> u8 {
    3
}

fn exit() -> String {
    "EXIT".into()
}

impl TryFrom<Written> for Settings {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        if written.questions.is_empty() {
            return Err("questions: expected at least one".into());
        }
        for (index, question) in written.questions.iter().enumerate() {
            if written.questions[..index].iter().any(|q| q.name == question.name) {
                return Err(format!("questions: two are named {:?}", question.name));
            }
            if (question.kind == Kind::Text) != question.field.is_some() {
                return Err(format!("questions: {:?}: `field` belongs to the kind `text`", question.name));
            }
        }
        if !(1..=10).contains(&written.max_attempts) {
            return Err("max_attempts: expected 1 to 10".into());
        }
        if words(&written.exit_word).is_empty() {
            return Err("exit_word: expected a word".into());
        }
        let wordings = written.questions.iter().flat_map(|q| [&q.ask, &q.again]).chain([
            &written.acknowledgement,
            &written.exit_acknowledgement,
            &written.attempts_acknowledgement,
        ]);
        for wording in wordings {
            wording.check(&VARIABLES)?;
        }
        Ok(Self {
            questions: written.questions,
            max_attempts: written.max_attempts,
            date_order: written.date_order,
            exit_word: written.exit_word,
            decline_words: written.decline_words,
            required: written.required,
            acknowledgement: written.acknowledgement,
            exit_acknowledgement: written.exit_acknowledgement,
            attempts_acknowledgement: written.attempts_acknowledgement,
        })
    }
}
