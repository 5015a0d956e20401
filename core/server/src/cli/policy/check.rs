//! `anteroom policy check`: what the upload would say.

use std::{fmt::Write, fs, path::Path};

use anteroom_policy::{Policy, Refusal};
use serde_json::json;

use super::{at, host, say};
use crate::cli::Failure;

/// Judges a component; `false` where it is refused.
pub(super) fn check(file: &Path, as_json: bool) -> Result<bool, Failure> {
    let bytes = fs::read(file).map_err(|error| at(file, error))?;
    let host = host::start()?;
    match host::judge(&host, &bytes) {
        Ok(policy) => {
            let compiled = host::compiled_bytes(&host, policy.digest);
            say(&if as_json {
                accepted_json(&policy, compiled)?
            } else {
                accepted(file, &policy, compiled)
            })?;
            Ok(true)
        }
        Err(refusal) => {
            say(&if as_json {
                serde_json::to_string_pretty(&json!({ "accepted": false, "refusal": refusal }))?
            } else {
                refused(file, &refusal)
            })?;
            Ok(false)
        }
    }
}

fn accepted(file: &Path, policy: &Policy, compiled: Option<usize>) -> String {
    let manifest = &policy.manifest;
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let hooks: Vec<String> = policy.hooks.iter().map(ToString::to_string).collect();
    let mut text =
        format!("{}: accepted\n  name            {} {}\n", file.display(), manifest.name, manifest.version);
    let mut row = |name: &str, value: &str| {
        // Writing to a text can't fail.
        let _ = writeln!(text, "  {name:<15} {value}");
    };
    if !manifest.title.is_empty() {
        row("title", &manifest.title);
    }
    row("hooks", &hooks.join(", "));
    row("imports", &list(&policy.imports));
    row("patient fields", &list(&manifest.patient_fields));
    let settings: Vec<String> =
        manifest.default_settings.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    row("settings", &list(&settings));
    let compiled = compiled.map(|bytes| format!(", {bytes} compiled")).unwrap_or_default();
    row("bytes", &format!("{}{compiled}", policy.component_bytes));
    row("sha256", &policy.digest.to_string());
    text.truncate(text.trim_end().len());
    text
}

fn accepted_json(policy: &Policy, compiled: Option<usize>) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(&json!({
        "accepted": true,
        "hooks": policy.hooks,
        "imports": policy.imports,
        "component_bytes": policy.component_bytes,
        "compiled_bytes": compiled,
        "sha256": policy.digest.to_string(),
        "manifest": policy.manifest,
    }))?)
}

/// The five parts of a refusal, each on a line of its own.
pub(super) fn refused(file: &Path, refusal: &Refusal) -> String {
    let Refusal { code, path, expected, found, fix } = refusal;
    let place = if path.is_empty() { String::new() } else { format!("\n  at        {path}") };
    format!(
        "{}: refused: {code}{place}\n  expected  {expected}\n  found     {found}\n  fix       {fix}",
        file.display()
    )
}
