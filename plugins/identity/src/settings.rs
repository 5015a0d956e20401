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
    /// More words that end the questions, alone or with a "please" around them.
    pub(crate) exit_words: Vec<String>,
    /// Whole answers that mean "no".
    pub(crate) decline_words: Vec<String>,
    /// What means "no" anywhere in a short answer.
    pub(crate) decline_phrases: Vec<String>,
    /// Wordings for those who write in another language.
    pub(crate) languages: Vec<Language>,
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
    /// For somebody who writes for the patient.
    pub(crate) for_another: Option<Template>,
}

/// The wordings of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    /// BCP 47, for example `es`.
    #[serde(rename = "language")]
    pub(crate) tag: String,
    /// Words that tell it, besides those known of Spanish.
    #[serde(default)]
    pub(crate) words: Vec<String>,
    pub(crate) questions: Vec<Wordings>,
    pub(crate) acknowledgement: Template,
    pub(crate) exit_acknowledgement: Template,
    pub(crate) attempts_acknowledgement: Template,
    /// What `{{date_format}}` is.
    pub(crate) date_format: Option<String>,
}

impl Language {
    pub(crate) fn wordings(&self, question: &str) -> Option<&Wordings> {
        self.questions.iter().find(|wordings| wordings.name == question)
    }
}

/// A question in another language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wordings {
    /// The question's.
    pub(crate) name: String,
    pub(crate) ask: Template,
    pub(crate) again: Template,
    pub(crate) for_another: Option<Template>,
}

impl Wordings {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Template> {
        [&self.ask, &self.again].into_iter().chain(&self.for_another)
    }
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
    #[serde(default = "exit_words")]
    exit_words: Vec<String>,
    #[serde(default)]
    decline_words: Vec<String>,
    #[serde(default = "decline_phrases")]
    decline_phrases: Vec<String>,
    #[serde(default)]
    languages: Vec<Language>,
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

/// Settings from before there were more words than one.
fn exit_words() -> Vec<String> {
    ["exit", "salir"].map(Into::into).to_vec()
}

/// Settings from before there were phrases. The same as the manifest's defaults.
fn decline_phrases() -> Vec<String> {
    DECLINE_PHRASES.map(Into::into).to_vec()
}

/// What means "no" inside an answer.
pub(crate) const DECLINE_PHRASES: [&str; 40] = [
    "stop asking",
    "leave me alone",
    "none of your business",
    "rather not",
    "prefer not to",
    "don't want to",
    "do not want to",
    "won't give",
    "not giving you",
    "not comfortable",
    "not a patient",
    "I'm a new patient",
    "wrong number",
    "real person",
    "a human",
    "speak to a person",
    "talk to a person",
    "speak to someone",
    "talk to someone",
    "no quiero",
    "prefiero no",
    "mejor no",
    "dejen de preguntar",
    "deje de preguntar",
    "deja de preguntar",
    "no pregunten",
    "no me pregunte",
    "no le importa",
    "no les importa",
    "no soy paciente",
    "soy nuevo",
    "soy nueva",
    "soy paciente nuevo",
    "soy paciente nueva",
    "persona real",
    "hablar con una persona",
    "hablar con alguien",
    "déjeme en paz",
    "déjenme en paz",
    "número equivocado",
];

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
        for (index, language) in written.languages.iter().enumerate() {
            let tag = &language.tag;
            if written.languages[..index].iter().any(|other| other.tag == *tag) {
                return Err(format!("languages: two are {tag:?}"));
            }
            if let Some(question) = written.questions.iter().find(|q| language.wordings(&q.name).is_none()) {
                return Err(format!("languages: {tag:?} has no wording of {:?}", question.name));
            }
        }
        let of_languages = written.languages.iter().flat_map(|language| {
            language.questions.iter().flat_map(Wordings::all).chain([
                &language.acknowledgement,
                &language.exit_acknowledgement,
                &language.attempts_acknowledgement,
            ])
        });
        let of_questions =
            written.questions.iter().flat_map(|q| [&q.ask, &q.again].into_iter().chain(&q.for_another));
        let wordings = of_questions.chain(of_languages).chain([
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
            exit_words: written.exit_words,
            decline_words: written.decline_words,
            decline_phrases: written.decline_phrases,
            languages: fold_words(written.languages),
            required: written.required,
            acknowledgement: written.acknowledgement,
            exit_acknowledgement: written.exit_acknowledgement,
            attempts_acknowledgement: written.attempts_acknowledgement,
        })
    }
}

/// Words are compared folded.
fn fold_words(mut languages: Vec<Language>) -> Vec<Language> {
    for language in &mut languages {
        language.words = language.words.iter().flat_map(|word| words(word)).collect();
    }
    languages
}
