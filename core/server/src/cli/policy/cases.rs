//! `cases.toml`: conversations and what the policy is to decide. Its format is described for authors in
//! `docs/policies/reference.md`.

use std::{collections::BTreeMap, fs, path::Path};

use anteroom_model::hooks::Hook;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{at, expect::Expect, moment::Moment};
use crate::cli::Failure;

/// The whole file.
#[derive(Debug)]
pub(super) struct Cases {
    /// What holds for every case that doesn't say otherwise.
    pub(super) defaults: Setting,
    pub(super) cases: Vec<Case>,
}

/// The same, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Setting,
    #[serde(default)]
    case: Vec<Setting>,
}

/// A conversation and the decision expected at its end.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) hook: Hook,
    /// Asked one after the other; the last one's decision counts. None at all where it is about a shortcut.
    pub(super) texts: Vec<String>,
    /// Of `shortcuts`: the name to expand. Without it, they are listed.
    pub(super) expand: Option<String>,
    pub(super) expect: Expect,
    pub(super) setting: Setting,
}

/// What a case says, and `[defaults]` for all of them. Everything but name and expect has a default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    name: Option<String>,
    hook: Option<Hook>,
    text: Option<String>,
    texts: Option<Vec<String>>,
    expand: Option<String>,
    expect: Option<Expect>,
    /// Over the manifest's default settings, field by field.
    pub(super) settings: Option<Map<String, Value>>,
    pub(super) media_count: Option<u32>,
    pub(super) turn_number: Option<u32>,
    pub(super) number: Option<Number>,
    pub(super) hours: Option<Hours>,
    pub(super) seed: Option<u64>,
    pub(super) history: Option<Vec<Message>>,
    pub(super) patient: Option<BTreeMap<String, String>>,
    /// Of `routing`.
    pub(super) identity: Option<String>,
    pub(super) teams: Option<Vec<String>>,
    pub(super) facilities: Option<Vec<String>>,
    pub(super) current: Option<Current>,
    /// Of `replies`: throttle keys of what was sent already, newest first.
    pub(super) told: Option<Vec<String>>,
    /// Of `identity`.
    pub(super) asked: Option<Vec<Exchange>>,
    /// Of `shortcuts`.
    pub(super) staff_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    pub(super) address: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) label: Option<String>,
    pub(super) facility: Option<String>,
    pub(super) organization: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hours {
    pub(super) open: Option<bool>,
    pub(super) at: Option<Moment>,
    pub(super) time_zone: Option<String>,
    pub(super) holiday: Option<String>,
    pub(super) opens: Option<Moment>,
    pub(super) closes: Option<Moment>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(default = "patient")]
    pub(super) author: String,
    pub(super) body: String,
}

fn patient() -> String {
    "patient".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Current {
    pub(super) team: Option<String>,
    pub(super) facility: Option<String>,
    pub(super) category: Option<String>,
    pub(super) priority: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) question: String,
    #[serde(default)]
    pub(super) prompt: String,
    pub(super) answer: Option<String>,
}

impl Setting {
    /// What this one says, and `defaults` for the rest.
    pub(super) fn or(self, defaults: &Self) -> Self {
        macro_rules! each {
            ($($field:ident)*) => { Self { $($field: self.$field.or_else(|| defaults.$field.clone())),* } };
        }
        let settings = match (&self.settings, &defaults.settings) {
            (Some(own), Some(others)) => Some(over(others, own)),
            _ => self.settings.clone().or_else(|| defaults.settings.clone()),
        };
        let merged = each!(name hook text texts expand expect settings media_count turn_number number hours seed history patient identity teams
            facilities current told asked staff_name);
        Self { settings, ..merged }
    }
}

/// `own` over `others`, field by field.
pub(super) fn over(others: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = others.clone();
    merged.extend(own.clone());
    merged
}

impl Cases {
    /// Reads and checks the file; an error names it, the line and the field.
    pub(super) fn read(path: &Path, hooks: &[Hook]) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| at(path, error))?;
        Self::parse(&text, hooks).map_err(|problem| at(path, problem))
    }

    fn parse(text: &str, hooks: &[Hook]) -> Result<Self, String> {
        let File { defaults, case } = toml::from_str(text).map_err(|error| located(text, &error))?;
        if case.is_empty() {
            return Err("no [[case]] is here".to_owned());
        }
        let cases = case.into_iter().enumerate().map(|(index, setting)| {
            let name = setting.name.clone().unwrap_or_default();
            Case::new(setting, hooks)
                .map_err(|problem| format!("line {}, case \"{name}\": {problem}", line_of_case(text, index)))
        });
        Ok(Self { cases: cases.collect::<Result<_, _>>()?, defaults })
    }
}

impl Case {
    fn new(setting: Setting, hooks: &[Hook]) -> Result<Self, String> {
        let mut setting = setting;
        let name = setting.name.take().ok_or("name: missing")?;
        let hook = match (setting.hook, hooks) {
            (Some(hook), _) if hooks.contains(&hook) => hook,
            (Some(hook), _) => return Err(format!("hook: the policy doesn't serve {hook}")),
            (None, [hook]) => *hook,
            (None, _) => return Err("hook: missing, and the policy serves several".to_owned()),
        };
        let expect = setting.expect.take().ok_or("expect: missing")?;
        let texts = match (setting.text.take(), setting.texts.take()) {
            (Some(text), None) => vec![text],
            (None, Some(texts)) if !texts.is_empty() => texts,
            (Some(_), Some(_)) => return Err("text and texts: expected one of them".to_owned()),
            (None, _) if hook == Hook::Shortcuts => Vec::new(),
            (None, _) => return Err("text: missing".to_owned()),
        };
        Ok(Self { name, hook, texts, expand: setting.expand.take(), expect, setting })
    }
}

/// Line, column and field of what the parser stumbled over.
fn located(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let Some(span) = error.span() else { return message.to_owned() };
    let before = &text[..span.start.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let whole = text.lines().nth(line - 1).unwrap_or_default();
    let field = whole.split_once('=').map(|(field, _)| field.trim()).filter(|field| !field.is_empty());
    match field {
        Some(field) => format!("line {line}, {field}: {message}"),
        None => format!("line {line}: {message}"),
    }
}

/// Where the case of that index begins.
fn line_of_case(text: &str, index: usize) -> usize {
    let starts = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("[[case]]"));
    starts.map(|(number, _)| number + 1).nth(index).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Cases::parse(text, &[Hook::Routing]).unwrap_err()
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        let case =
            |line: &str| format!("[[case]]\nname = \"a\"\ntext = \"b\"\n{line}\nexpect = \"no_opinion\"\n");
        let found = problem(&case("media_count = \"two\""));
        assert!(found.starts_with("line 4, media_count: invalid type"), "{found}");
        let found = problem(&case("hours = { at = \"8 pm\" }"));
        assert!(found.contains("line 4, hours") && found.contains("2026-03-06 20:00"), "{found}");
        let found = problem(&case("teems = []"));
        assert!(found.contains("teems"), "{found}");
        let found = problem(&case("hook = \"replies\""));
        assert_eq!(found, "line 1, case \"a\": hook: the policy doesn't serve replies");
        let found = problem("[[case]]\nname = \"a\"\nexpect = \"no_opinion\"\n");
        assert_eq!(found, "line 1, case \"a\": text: missing");
        let found = problem("[[case]]\nname = \"a\"\ntext = \"b\"\nexpect = \"shrug\"\n");
        assert!(found.contains("line 4, expect") && found.contains("no_opinion"), "{found}");
        assert_eq!(problem(""), "no [[case]] is here");
    }

    #[test]
    fn a_case_goes_over_the_defaults() {
        let text = "[defaults]\nteams = [\"A\"]\nsettings = { a = 1, b = 1 }\n[[case]]\nname = \"a\"\n\
                    text = \"b\"\nsettings = { b = 2 }\nexpect = \"no_opinion\"\n";
        let mut cases = Cases::parse(text, &[Hook::Routing]).unwrap();
        let setting = cases.cases.remove(0).setting.or(&cases.defaults);
        assert_eq!(setting.teams, Some(vec!["A".to_owned()]));
        assert_eq!(Value::Object(setting.settings.unwrap()), serde_json::json!({ "a": 1, "b": 2 }));
    }
}
