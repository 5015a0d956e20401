//! What an admin can set. The same shape is described by the `settings_schema` in `manifest.json`.

use anteroom_sdk::text::Keywords;
use serde::Deserialize;

/// Everything has a default, so `{}` is a policy without opinions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub(crate) emergency: Option<Emergency>,
    /// In order: the first that matches decides.
    pub(crate) rules: Vec<Rule>,
    /// For a conversation that has no place yet and that no rule matched.
    pub(crate) default: Fallback,
}

/// Always urgent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emergency {
    pub(crate) keywords: Keywords,
    pub(crate) team: Option<String>,
    pub(crate) category: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// None at all: the rule matches any first text while `when` holds.
    #[serde(default)]
    pub(crate) any_keywords: Keywords,
    #[serde(default)]
    pub(crate) when: When,
    pub(crate) team: Option<String>,
    pub(crate) facility: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) priority: Option<Priority>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fallback {
    pub(crate) team: Option<String>,
    pub(crate) when_closed_team: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) priority: Option<Priority>,
    pub(crate) tags: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    #[default]
    Always,
    Open,
    Closed,
}

impl When {
    pub(crate) fn holds(self, open: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Open => open,
            Self::Closed => !open,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// `None` for a word this policy doesn't know.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Low, Self::Normal, Self::High, Self::Urgent].into_iter().find(|p| p.name() == name)
    }
}
