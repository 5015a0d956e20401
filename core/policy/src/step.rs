//! What an upload goes through, step by step.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step of [`PolicyHost::judge`](crate::PolicyHost::judge), told when it begins. Stable words: they are
/// stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Is it a component, and not too large?
    Component,
    /// Is it valid, with no more than the features that policies may use?
    Features,
    /// Does it import only what policies are offered?
    Imports,
    /// Does it export a hook, and a manifest that agrees?
    Hooks,
    /// Does it compile, within time and memory?
    Compile,
    /// Do its functions have the types of `wit/`, and does it start?
    Link,
    /// Does it answer sample turns, the same twice?
    Probe,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 7] =
        [Self::Component, Self::Features, Self::Imports, Self::Hooks, Self::Compile, Self::Link, Self::Probe];

    /// The one spelling for SQL, REST, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Features => "features",
            Self::Imports => "imports",
            Self::Hooks => "hooks",
            Self::Compile => "compile",
            Self::Link => "link",
            Self::Probe => "probe",
        }
    }

    /// The step of that name; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_one_spelling() {
        for step in Step::ALL {
            assert_eq!(Step::parse(step.as_str()), Some(step));
            assert_eq!(serde_json::to_value(step).unwrap(), step.as_str());
        }
        assert_eq!(Step::parse("Compile"), None);
    }
}
