//! Settings of a policy against the schema that the component brings along.

use std::fmt;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde::Serialize;
use serde_json::Value;

use crate::{MANIFEST_SECTION, Refusal};

/// Errors that are named; a form needs no more.
const MOST: usize = 50;

/// What is wrong with one field of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the settings; empty for the whole.
    pub field: String,
    /// What the schema asks for.
    pub message: String,
}

/// Checks `settings`; every field that doesn't fit is named. A schema that is none is an error of the whole.
///
/// Nothing is fetched: a `$ref` to another document is an error. Patterns run in linear time.
pub fn check(schema: &Value, settings: &Value) -> Result<(), Vec<FieldError>> {
    let validator = compile(schema).map_err(|error| {
        vec![FieldError { field: String::new(), message: format!("the policy's schema is none: {error}") }]
    })?;
    let errors: Vec<_> = validator
        .iter_errors(settings)
        .take(MOST)
        .map(|error| FieldError { field: error.instance_path().to_string(), message: error.to_string() })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// What the manifest says of its settings must hold together: the schema is one, of an object, and the default
/// settings fit it. Asked at an upload only: what was once taken stays so.
pub(crate) fn check_manifest(schema: &Value, defaults: &Value) -> Result<(), Refusal> {
    let refuse = |part: &str, expected: &str, found: String, fix: &str| {
        Err(Refusal::new("manifest", format!("{MANIFEST_SECTION}/{part}"), expected, found, fix))
    };
    let is_object = schema.get("type").is_none_or(|kind| kind == "object");
    if !is_object {
        let (found, fix) = (format!("type: {}", schema["type"]), "Settings are an object: say so.");
        return refuse("settings_schema", "a schema of an object", found, fix);
    }
    if let Err(error) = compile(schema) {
        let found = format!("{error}, at `{}`", error.instance_path());
        let fix = "Correct settings_schema: https://json-schema.org/understanding-json-schema.";
        return refuse("settings_schema", "a JSON Schema that needs no other document", found, fix);
    }
    let Err(errors) = check(schema, defaults) else { return Ok(()) };
    let all: Vec<_> = errors.iter().map(FieldError::to_string).collect();
    let fix = "Correct the defaults, or the schema: an admin who changes nothing binds the defaults.";
    refuse("default_settings", "default settings that fit settings_schema", all.join("; "), fix)
}

fn compile(schema: &Value) -> Result<Validator, ValidationError<'_>> {
    jsonschema::options().with_pattern_options(PatternOptions::regex()).build(schema)
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, message } = self;
        if field.is_empty() { f.write_str(message) } else { write!(f, "{field}: {message}") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_field_is_named_where_it_is() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "minutes": { "type": "integer", "minimum": 1 },
                "rules": { "type": "array", "items": { "type": "object", "required": ["team"] } },
            },
        });
        assert_eq!(check(&schema, &json!({ "minutes": 5, "rules": [{ "team": "Nurses" }] })), Ok(()));
        let errors = check(&schema, &json!({ "minutes": 0, "rules": [{ "team": "a" }, {}], "x": 1 }));
        let fields: Vec<_> = errors.unwrap_err().into_iter().map(|error| error.field).collect();
        assert!(fields.contains(&"/minutes".to_owned()), "{fields:?}");
        assert!(fields.contains(&"/rules/1".to_owned()), "{fields:?}");
        assert!(fields.contains(&String::new()), "{fields:?}");
    }

    #[test]
    fn a_schema_that_is_none_or_wants_the_network_is_an_error() {
        for schema in [json!({ "type": "no such type" }), json!({ "$ref": "https://example.org/schema" })] {
            let errors = check(&schema, &json!({})).unwrap_err();
            assert!(errors[0].message.contains("schema"), "{errors:?}");
        }
    }

    #[test]
    fn a_manifest_that_contradicts_itself_is_refused_where_it_does() {
        let object = json!({ "type": "object", "properties": { "minutes": { "type": "integer" } } });
        assert_eq!(check_manifest(&object, &json!({ "minutes": 5 })), Ok(()));
        for (schema, defaults, path) in [
            (json!({ "type": "array" }), json!({}), "settings_schema"),
            (json!({ "properties": { "a": { "type": "txt" } } }), json!({}), "settings_schema"),
            (json!({ "properties": { "a": { "maxLength": -1 } } }), json!({}), "settings_schema"),
            (json!({ "anyOf": [true, 1] }), json!({}), "settings_schema"),
            (json!({ "$ref": "https://example.org/schema" }), json!({}), "settings_schema"),
            (object, json!({ "minutes": "five" }), "default_settings"),
        ] {
            let refusal = check_manifest(&schema, &defaults).unwrap_err();
            assert_eq!(refusal.code, "manifest", "{schema}");
            assert!(refusal.path.ends_with(path), "{refusal}");
        }
    }

    #[test]
    fn a_schema_that_goes_in_circles_ends() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#" }, { "type": "object" }] }),
            json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "not": { "$ref": "#/$defs/a" } } },
                "$ref": "#/$defs/a" }),
            json!({ "$dynamicAnchor": "x", "anyOf": [{ "$dynamicRef": "#x" }] }),
        ] {
            drop(check(&schema, &json!({})));
        }
    }

    #[test]
    fn patterns_take_linear_time() {
        let schema = json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } });
        let text = format!("{}!", "a".repeat(50_000));
        assert!(check(&schema, &json!({ "a": text })).is_err());
    }
}
