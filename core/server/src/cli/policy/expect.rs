//! What a case expects, and how what came differs from it, field by field.

use anteroom_policy::{FaultKind, Outcome};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

/// `"no_opinion"`, `{ fault = "settings" }`, or what must be in the decision.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    NoOpinion,
    /// A fault's kind, and what its message holds.
    Fault(FaultKind, Option<String>),
    /// A part of the decision: fields left out may be anything.
    Decision(Value),
}

const FAULTS: [FaultKind; 14] = [
    FaultKind::Fuel,
    FaultKind::CpuTime,
    FaultKind::WallTime,
    FaultKind::Memory,
    FaultKind::Stack,
    FaultKind::Trap,
    FaultKind::OutputTooLarge,
    FaultKind::InputTooLarge,
    FaultKind::HostCalls,
    FaultKind::Log,
    FaultKind::Settings,
    FaultKind::PolicyError,
    FaultKind::InvalidOutput,
    FaultKind::Host,
];

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::String(word) if word == "no_opinion" => Ok(Self::NoOpinion),
            Value::Object(fields) if fields.contains_key("fault") => {
                let kind = fields["fault"].as_str().unwrap_or_default();
                let kind = FAULTS.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
                    let known: Vec<_> = FAULTS.iter().map(|kind| kind.as_str()).collect();
                    D::Error::custom(format!("fault: found \"{kind}\", expected one of {}", known.join(", ")))
                })?;
                if let Some(other) = fields.keys().find(|name| !["fault", "message"].contains(&name.as_str()))
                {
                    return Err(D::Error::custom(format!("{other}: a fault has only fault and message")));
                }
                Ok(Self::Fault(kind, fields.get("message").and_then(Value::as_str).map(str::to_owned)))
            }
            Value::Object(_) | Value::Array(_) => Ok(Self::Decision(value)),
            _ => {
                Err(D::Error::custom("expected \"no_opinion\", { fault = \"…\" }, or fields of the decision"))
            }
        }
    }
}

/// One difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where in the decision: `tags[0]`; empty for the whole.
    pub(super) field: String,
    pub(super) expected: String,
    pub(super) got: String,
}

impl Expect {
    /// How the outcome differs; nothing where it is as expected.
    pub(super) fn differences(&self, outcome: &Outcome) -> Vec<Difference> {
        let whole =
            |expected: String| vec![Difference { field: String::new(), expected, got: describe(outcome) }];
        match (self, outcome) {
            (Self::NoOpinion, Outcome::NoOpinion) => Vec::new(),
            (Self::NoOpinion, _) => whole("no opinion".to_owned()),
            (Self::Fault(kind, message), Outcome::Fault(fault)) if fault.kind == *kind => match message {
                Some(part) if !fault.message.contains(part) => vec![Difference {
                    field: "message".to_owned(),
                    expected: format!("a text with {part:?} in it"),
                    got: format!("{:?}", fault.message),
                }],
                _ => Vec::new(),
            },
            (Self::Fault(kind, _), _) => whole(format!("the fault {kind}")),
            (Self::Decision(expected), Outcome::Decided(_)) => {
                let mut differences = Vec::new();
                compare(expected, &decision(outcome), "", &mut differences);
                differences
            }
            (Self::Decision(expected), _) => whole(expected.to_string()),
        }
    }
}

/// The decision as cases write it: without the hook's name around it.
pub(super) fn decision(outcome: &Outcome) -> Value {
    let Outcome::Decided(output) = outcome else { return Value::Null };
    match serde_json::to_value(output) {
        Ok(Value::Object(fields)) => fields.into_iter().next().map_or(Value::Null, |(_, value)| value),
        Ok(other) => other,
        Err(error) => json!(error.to_string()),
    }
}

/// The outcome in one line.
pub(super) fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Decided(_) => decision(outcome).to_string(),
        Outcome::NoOpinion => "no opinion".to_owned(),
        Outcome::Fault(fault) => {
            let place = fault.backtrace.first().map(|name| format!(" in {name}")).unwrap_or_default();
            format!("the fault {}{place}: {}", fault.kind, fault.message)
        }
        Outcome::Overload => "no free place to run".to_owned(),
    }
}

fn compare(expected: &Value, got: &Value, field: &str, differences: &mut Vec<Difference>) {
    let mut differ = |expected: String, got: String| {
        differences.push(Difference { field: field.to_owned(), expected, got });
    };
    match (expected, got) {
        (Value::Object(wanted), Value::String(text))
            if wanted.len() == 1 && wanted.get("contains").is_some_and(Value::is_string) =>
        {
            let part = wanted["contains"].as_str().unwrap_or_default();
            if !text.contains(part) {
                differ(format!("a text with {part:?} in it"), got.to_string());
            }
        }
        (Value::Object(wanted), Value::Object(there)) => {
            for (name, expected) in wanted {
                let within = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                if let Some(got) = there.get(name) {
                    compare(expected, got, &within, differences);
                    continue;
                }
                let known: Vec<_> = there.keys().map(String::as_str).collect();
                let got = format!("no such field; there are {}", known.join(", "));
                differences.push(Difference { field: within, expected: expected.to_string(), got });
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            for (index, (expected, got)) in wanted.iter().zip(there).enumerate() {
                compare(expected, got, &format!("{field}[{index}]"), differences);
            }
        }
        // TOML has no null: an empty text stands for an absent one.
        (Value::String(text), Value::Null) if text.is_empty() => {}
        (expected, got) if expected == got => {}
        (expected, Value::Null) => differ(expected.to_string(), "nothing".to_owned()),
        (expected, got) => differ(expected.to_string(), got.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use anteroom_model::hooks::{HookOutput, Placement};

    use super::*;

    fn placed() -> Outcome {
        Outcome::Decided(HookOutput::Routing(Placement {
            team: Some("Pharmacy".into()),
            tags: vec!["refill".into()],
            reason: "keyword 'refill'".into(),
            ..Placement::default()
        }))
    }

    fn differences(expect: Value) -> Vec<String> {
        let expect: Expect = serde_json::from_value(expect).unwrap();
        let shown = |one: Difference| format!("{}: {} / {}", one.field, one.expected, one.got);
        expect.differences(&placed()).into_iter().map(shown).collect()
    }

    #[test]
    fn a_part_of_the_decision_is_enough() {
        assert!(differences(json!({ "team": "Pharmacy", "reason": { "contains": "refill" } })).is_empty());
        assert!(differences(json!({ "tags": ["refill"], "facility": "" })).is_empty());
    }

    #[test]
    fn differences_are_by_field() {
        let found =
            differences(json!({ "team": "Nurses", "category": "refill", "tags": ["a"], "teem": "B" }));
        assert_eq!(
            found,
            [
                "category: \"refill\" / nothing",
                "tags[0]: \"a\" / \"refill\"",
                "team: \"Nurses\" / \"Pharmacy\"",
                "teem: \"B\" / no such field; there are category, facility, priority, reason, tags, team",
            ]
        );
        assert_eq!(differences(json!("no_opinion")).len(), 1);
        assert_eq!(differences(json!({ "fault": "trap" })).len(), 1);
        assert!(serde_json::from_value::<Expect>(json!({ "fault": "sulk" })).is_err());
    }
}
