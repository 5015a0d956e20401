//! Texts with variables: `Hi {{patient.first_name|there}}, this is {{staff.name}}.`

use serde::Deserialize;

/// A text with `{{name}}` and `{{name|fallback}}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, fallback: Option<String>, written: String },
}

/// A template with its variables filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The text. A variable that could not be filled stands as it was written.
    pub body: String,
    /// Names of those variables, each once, in order.
    pub missing: Vec<String>,
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl Template {
    /// Fails on `{{` without `}}` and on a variable without a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, after)) = after.split_once("}}") else {
                return Err("`{{` without `}}`".into());
            };
            let (name, fallback) = match inside.split_once('|') {
                Some((name, fallback)) => (name.trim(), Some(fallback.trim().to_owned())),
                None => (inside.trim(), None),
            };
            if name.is_empty() {
                return Err("a variable without a name".into());
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let written = format!("{{{{{inside}}}}}");
            parts.push(Part::Variable { name: name.to_owned(), fallback, written });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fails with the first variable that is not among `known`.
    pub fn check(&self, known: &[&str]) -> Result<(), String> {
        match self.variables().find(|name| !known.contains(name)) {
            Some(name) => Err(format!("unknown variable {{{{{name}}}}}; there are {}", known.join(", "))),
            None => Ok(()),
        }
    }

    /// Asks `value` for each variable; where it answers `None` or an empty text, the fallback stands in.
    pub fn fill(&self, mut value: impl FnMut(&str) -> Option<String>) -> Filled {
        let mut filled = Filled { body: String::new(), missing: Vec::new() };
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.body.push_str(text),
                Part::Variable { name, fallback, written } => {
                    let found = value(name).filter(|v| !v.trim().is_empty()).or_else(|| fallback.clone());
                    filled.body.push_str(found.as_deref().unwrap_or(written));
                    if found.is_none() && !filled.missing.contains(name) {
                        filled.missing.push(name.clone());
                    }
                }
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Filled {
        Template::parse(text).unwrap().fill(|name| match name {
            "name" => Some("Ana".into()),
            "blank" => Some(" ".into()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_filled() {
        let cases = [
            ("Hi {{name}}!", "Hi Ana!", vec![]),
            ("Hi {{ name | there }}!", "Hi Ana!", vec![]),
            ("Hi {{nick|there}}!", "Hi there!", vec![]),
            ("Hi {{blank|there}}!", "Hi there!", vec![]),
            ("Hi {{nick|}}!", "Hi !", vec![]),
            ("{{nick}} {{ nick }} {{other}}", "{{nick}} {{ nick }} {{other}}", vec!["nick", "other"]),
            ("no variables }} here", "no variables }} here", vec![]),
            ("", "", vec![]),
        ];
        for (text, body, missing) in cases {
            assert_eq!(
                fill(text),
                Filled { body: body.into(), missing: missing.into_iter().map(Into::into).collect() }
            );
        }
    }

    #[test]
    fn a_value_is_not_read_as_a_template() {
        let filled = Template::parse("{{a}}").unwrap().fill(|_| Some("{{b}}".into()));
        assert_eq!(filled, Filled { body: "{{b}}".into(), missing: vec![] });
    }

    #[test]
    fn broken_templates_are_refused() {
        for text in ["{{", "a {{b", "{{}}", "{{ |x}}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert!(Template::parse("{{opnes}}").unwrap().check(&["opens"]).unwrap_err().contains("{{opnes}}"));
    }
}
