//! Settings of a binding against the schema that the component brings along.

use jsonschema::PatternOptions;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Errors that are named; a form needs no more.
const MOST: usize = 50;

/// What is wrong with one field of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// JSON Pointer (RFC 6901) into the settings; empty for the whole.
    pub field: String,
    /// What the schema asks for.
    pub message: String,
}

/// Checks `settings`; every field that doesn't fit is named. A schema that is none is an error of the whole.
///
/// Nothing is fetched: a `$ref` to another document is an error. Patterns run in linear time.
pub(crate) fn check(schema: &Value, settings: &Value) -> Result<(), Vec<FieldError>> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let validator = options.build(schema).map_err(|error| {
        vec![FieldError { field: String::new(), message: format!("the policy's schema is none: {error}") }]
    })?;
    let errors: Vec<_> = validator
        .iter_errors(settings)
        .take(MOST)
        .map(|error| FieldError { field: error.instance_path().to_string(), message: error.to_string() })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
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
    fn patterns_take_linear_time() {
        let schema = json!({ "type": "object", "properties": { "a": { "pattern": "^(a+)+$" } } });
        let text = format!("{}!", "a".repeat(50_000));
        assert!(check(&schema, &json!({ "a": text })).is_err());
    }
}
