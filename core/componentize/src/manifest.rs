//! What a component says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The hooks of package `anteroom:policy@1`, each an interface and a world.
pub const HOOKS: [&str; 4] = ["identity", "routing", "replies", "shortcuts"];

/// The fields that `anteroom:policy/patient.field` knows.
pub const PATIENT_FIELDS: [&str; 6] =
    ["first-name", "last-name", "preferred-name", "date-of-birth", "language", "facility"];

/// The description a component of any language carries in its `anteroom:manifest` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Short name in lower case, for example `routing`: letters, digits and hyphens, at most 64 bytes.
    pub name: String,
    /// Version of the component, `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// What the admin page calls it.
    pub title: String,
    /// One or two sentences for the admin page.
    pub description: String,
    /// The hooks it serves; exactly the interfaces that it exports.
    pub hooks: Vec<String>,
    /// The fields of the linked patient that it wants to read; an admin grants them.
    #[serde(default)]
    pub patient_fields: Vec<String>,
    /// JSON Schema (2020-12) of its settings. The settings form is rendered from it.
    #[serde(default = "any_object")]
    pub settings_schema: Value,
    /// Settings it starts with.
    #[serde(default = "empty_object")]
    pub default_settings: Value,
}

fn any_object() -> Value {
    serde_json::json!({ "type": "object" })
}

fn empty_object() -> Value {
    Value::Object(Map::new())
}

/// What is wrong with a manifest; `path` is a JSON pointer into it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("manifest{path}: {problem}")]
pub struct ManifestError {
    /// Where, for example `/hooks/0`; empty for the whole.
    pub path: String,
    /// What was found and what is expected.
    pub problem: String,
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn parse(json: &Value) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_value(json.clone()).map_err(|e| err("", e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let name_ok = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !name_ok {
            return Err(err("/name", "expected 1 to 64 lower-case letters, digits or hyphens"));
        }
        let numbers: Vec<_> = self.version.split('.').collect();
        if numbers.len() != 3 || numbers.iter().any(|n| n.parse::<u32>().is_err()) {
            return Err(err("/version", "expected MAJOR.MINOR.PATCH"));
        }
        if self.title.trim().is_empty() {
            return Err(err("/title", "expected a title for the admin page"));
        }
        if self.hooks.is_empty() {
            return Err(err("/hooks", format!("expected at least one of {HOOKS:?}")));
        }
        each_known("/hooks", &self.hooks, &HOOKS)?;
        each_known("/patient_fields", &self.patient_fields, &PATIENT_FIELDS)?;
        if !self.settings_schema.is_object() {
            return Err(err("/settings_schema", "expected a JSON Schema object"));
        }
        if !self.default_settings.is_object() {
            return Err(err("/default_settings", "expected an object"));
        }
        Ok(())
    }
}

fn each_known(path: &str, found: &[String], known: &[&str]) -> Result<(), ManifestError> {
    for (index, item) in found.iter().enumerate() {
        if !known.contains(&item.as_str()) {
            return Err(err(format!("{path}/{index}"), format!("found {item:?}, expected one of {known:?}")));
        }
        if found[..index].contains(item) {
            return Err(err(format!("{path}/{index}"), format!("{item:?} is listed twice")));
        }
    }
    Ok(())
}

fn err(path: impl Into<String>, problem: impl Into<String>) -> ManifestError {
    ManifestError { path: path.into(), problem: problem.into() }
}
