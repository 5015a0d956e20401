//! Is it a JSON Schema? As far as forms are rendered from it and settings are checked with it.

use serde_json::Value;

const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];

/// Says where `schema` is none: the path to the place, and what should be there.
pub(crate) fn check(schema: &Value) -> Result<(), (String, &'static str)> {
    match schema.get("type") {
        None => {}
        Some(Value::String(kind)) if kind == "object" => {}
        Some(_) => return Err(("type".to_owned(), "\"object\": settings are an object")),
    }
    at("", schema)
}

fn at(path: &str, schema: &Value) -> Result<(), (String, &'static str)> {
    let Value::Object(keywords) = schema else {
        let fine = schema.is_boolean();
        return if fine { Ok(()) } else { Err((path.to_owned(), "a schema: an object, true or false")) };
    };
    for (keyword, value) in keywords {
        let path = if path.is_empty() { keyword.clone() } else { format!("{path}.{keyword}") };
        let is = |good: bool, expected| if good { Ok(()) } else { Err((path.clone(), expected)) };
        match keyword.as_str() {
            "type" => is(is_type(value), "one of JSON's types, or a list of them")?,
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                let Value::Object(schemas) = value else {
                    return Err((path, "an object of schemas"));
                };
                schemas.iter().try_for_each(|(name, schema)| at(&format!("{path}.{name}"), schema))?;
            }
            "items"
            | "additionalProperties"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames" => at(&path, value)?,
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                let Value::Array(schemas) = value else { return Err((path, "a list of schemas")) };
                let mut schemas = schemas.iter().enumerate();
                schemas.try_for_each(|(index, schema)| at(&format!("{path}[{index}]"), schema))?;
            }
            "required" => is(is_texts(value), "a list of names")?,
            "enum" | "examples" => is(value.is_array(), "a list of values")?,
            "title" | "description" | "pattern" | "format" | "$ref" | "$id" | "$schema" | "$comment" => {
                is(value.is_string(), "a text")?;
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                is(value.is_number(), "a number")?;
            }
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
                is(value.is_u64(), "a whole number")?;
            }
            "uniqueItems" | "readOnly" | "writeOnly" | "deprecated" => {
                is(value.is_boolean(), "true or false")?;
            }
            // `default`, `const` and words of others hold anything.
            _ => {}
        }
    }
    Ok(())
}

fn is_type(value: &Value) -> bool {
    let known = |value: &Value| value.as_str().is_some_and(|kind| TYPES.contains(&kind));
    known(value) || value.as_array().is_some_and(|kinds| !kinds.is_empty() && kinds.iter().all(known))
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_pass_and_other_objects_are_named() {
        assert_eq!(check(&json!({})), Ok(()));
        assert_eq!(
            check(
                &json!({ "type": "object", "required": ["a"], "additionalProperties": false, "properties": {
                "a": { "type": ["string", "null"], "minLength": 1, "default": 7 },
                "b": { "type": "array", "items": { "enum": [1, "x"] }, "x-widget": [] },
                "c": { "anyOf": [true, { "type": "integer", "minimum": 0 }] } } })
            ),
            Ok(())
        );
        for (schema, path) in [
            (json!({ "type": "array" }), "type"),
            (json!({ "properties": [] }), "properties"),
            (json!({ "properties": { "a": "text" } }), "properties.a"),
            (json!({ "properties": { "a": { "type": "txt" } } }), "properties.a.type"),
            (json!({ "properties": { "a": { "items": 1 } } }), "properties.a.items"),
            (json!({ "required": "a" }), "required"),
            (json!({ "anyOf": [true, 1] }), "anyOf[1]"),
            (json!({ "properties": { "a": { "maxLength": -1 } } }), "properties.a.maxLength"),
        ] {
            assert_eq!(check(&schema).unwrap_err().0, path, "{schema}");
        }
    }
}
