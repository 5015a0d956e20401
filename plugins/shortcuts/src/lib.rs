//! Saved replies with variables, for everyone or for some teams.

use anteroom_sdk::date::spoken;
use anteroom_sdk::host::{PatientField, patient};
use anteroom_sdk::shortcuts::{Context, Expansion, Shortcut, Shortcuts};
use anteroom_sdk::template::Template;
use anteroom_sdk::{PolicyError, export_shortcuts};
use serde::Deserialize;

/// Described by the `settings_schema` in `manifest.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    shortcuts: Vec<Saved>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    name: String,
    title: String,
    template: String,
    /// None: for everyone.
    #[serde(default)]
    teams: Vec<String>,
}

impl Saved {
    fn is_for(&self, context: &Context) -> bool {
        self.teams.is_empty() || self.teams.iter().any(|team| context.teams.contains(team))
    }
}

/// The default shortcuts policy.
pub struct SavedReplies;

impl Shortcuts for SavedReplies {
    type Settings = Settings;

    fn list(settings: &Settings, context: &Context) -> Result<Option<Vec<Shortcut>>, PolicyError> {
        let shortcuts = settings.shortcuts.iter().filter(|saved| saved.is_for(context));
        Ok(Some(
            shortcuts
                .map(|saved| Shortcut {
                    name: saved.name.clone(),
                    title: saved.title.clone(),
                    template: saved.template.clone(),
                })
                .collect(),
        ))
    }

    fn expand(settings: &Settings, name: &str, context: &Context) -> Result<Option<Expansion>, PolicyError> {
        let Some(saved) = settings.shortcuts.iter().find(|s| s.name == name && s.is_for(context)) else {
            return Ok(None);
        };
        // Parsed here and not with the settings: one broken shortcut must not take the others with it.
        let template = Template::parse(&saved.template)
            .map_err(|problem| PolicyError::new("template", format!("shortcut '{name}': {problem}")))?;
        let filled = template.fill(|variable| value(variable, context));
        Ok(Some(Expansion { body: filled.body, missing: filled.missing }))
    }
}

export_shortcuts!(SavedReplies);

/// Unknown variables have no value either: staff see them as missing, in the text.
fn value(variable: &str, context: &Context) -> Option<String> {
    match variable {
        "patient.first_name" => patient(PatientField::FirstName),
        "patient.preferred_name" => {
            patient(PatientField::PreferredName).or_else(|| patient(PatientField::FirstName))
        }
        "staff.name" => Some(context.staff_name.clone()),
        "facility" => context.number.facility.clone(),
        "organization" => Some(context.number.organization.clone()),
        "number" => Some(context.number.address.clone()),
        "hours.opens" => context.hours.opens.as_ref().map(|opens| spoken(opens, &context.hours.local)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
