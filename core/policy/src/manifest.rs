//! What a component says of itself.

use anteroom_model::hooks::Hook;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Refusal;

/// Name of the custom section that holds the manifest as JSON, in the component or (where a toolchain
/// knows no other place) in one of its modules.
pub const MANIFEST_SECTION: &str = "anteroom:manifest";

/// Fields of a patient that a policy may ask to read, as `wit/host.wit` names them.
pub const PATIENT_FIELDS: [&str; 6] =
    ["first-name", "last-name", "preferred-name", "date-of-birth", "language", "facility"];

/// Longest manifest, in bytes: its settings must leave room for a turn in what a call is given.
const MANIFEST_BYTES: usize = 128 * 1024;

/// A component's own description. Without one it is unnamed, takes any settings and sees no patient field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name, for programs: `acme-routing`.
    pub name: String,
    /// Its version, in the author's own scheme.
    pub version: String,
    /// Its name, for people.
    #[serde(default)]
    pub title: String,
    /// What it does, for people.
    #[serde(default)]
    pub description: String,
    /// The hooks it is meant to serve; must all be exported. Empty means all that are.
    #[serde(default)]
    pub hooks: Vec<Hook>,
    /// Fields of the linked patient that it wants to read, of [`PATIENT_FIELDS`].
    #[serde(default)]
    pub patient_fields: Vec<String>,
    /// JSON Schema of its settings; the admin page renders a form from it.
    #[serde(default = "any_object")]
    pub settings_schema: Value,
    /// Settings that work before anybody changed one.
    #[serde(default = "no_settings")]
    pub default_settings: Value,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            name: "unnamed".to_owned(),
            version: "0".to_owned(),
            title: String::new(),
            description: String::new(),
            hooks: Vec::new(),
            patient_fields: Vec::new(),
            settings_schema: any_object(),
            default_settings: no_settings(),
        }
    }
}

fn any_object() -> Value {
    serde_json::json!({ "type": "object" })
}

fn no_settings() -> Value {
    Value::Object(Map::new())
}

impl Manifest {
    /// Reads the section's bytes and checks them against the hooks that the component exports.
    pub(crate) fn parse(section: &[u8], exported: &[Hook]) -> Result<Self, Refusal> {
        let refuse = |expected: String, found: String, fix: &str| {
            Refusal::new("manifest", MANIFEST_SECTION, expected, found, fix)
        };
        if section.len() > MANIFEST_BYTES {
            let found = format!("{} bytes", section.len());
            let fix = "Shorten the settings' defaults and descriptions.";
            return Err(refuse(format!("at most {MANIFEST_BYTES} bytes"), found, fix));
        }
        let manifest: Self = serde_json::from_slice(section).map_err(|error| {
            let expected = "JSON with name, version, title, description, hooks, patient_fields, \
                            settings_schema and default_settings";
            refuse(expected.to_owned(), error.to_string(), "Correct the manifest and build again.")
        })?;
        if manifest.name.trim().is_empty() || manifest.version.trim().is_empty() {
            let found = "an empty one".to_owned();
            return Err(refuse("a name and a version".to_owned(), found, "Fill both in."));
        }
        if let Some(hook) = manifest.hooks.iter().find(|hook| !exported.contains(hook)) {
            let fix = "Export the hook's interface, or take the hook out of the manifest.";
            return Err(refuse(format!("an export for the hook `{hook}`"), "none".to_owned(), fix));
        }
        if let Some(field) =
            manifest.patient_fields.iter().find(|field| !PATIENT_FIELDS.contains(&field.as_str()))
        {
            let expected = format!("patient fields among {}", PATIENT_FIELDS.join(", "));
            return Err(refuse(expected, field.clone(), "Take the field out of the manifest."));
        }
        if !manifest.settings_schema.is_object() || !manifest.default_settings.is_object() {
            let expected = "objects as settings_schema and default_settings".to_owned();
            return Err(refuse(expected, "something else".to_owned(), "Make both JSON objects."));
        }
        Ok(manifest)
    }
}
