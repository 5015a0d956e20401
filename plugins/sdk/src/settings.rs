use serde::de::DeserializeOwned;

use crate::{PolicyError, host};

/// Parses the settings bound with the policy.
pub(crate) fn load<T: DeserializeOwned>() -> Result<T, PolicyError> {
    parse(&host::settings())
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, PolicyError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|e| {
        let at = match e.path().to_string().as_str() {
            "." => String::new(), // the settings as a whole
            path => format!("{path}: "),
        };
        PolicyError::new("settings", format!("{at}{}", e.inner()))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Rule {
        #[serde(rename = "team")]
        _team: String,
    }

    #[derive(Debug, Deserialize)]
    struct Settings {
        rules: Vec<Rule>,
    }

    #[test]
    fn a_mismatch_names_the_field() {
        let error = parse::<Settings>(r#"{"rules": [{"team": "Nurses"}, {"team": 7}]}"#).unwrap_err();
        assert_eq!(error.code, "settings");
        assert!(error.message.starts_with("rules[1].team: invalid type: integer `7`"), "{}", error.message);
    }

    #[test]
    fn what_matches_is_parsed() {
        let settings: Settings = parse(r#"{"rules": [{"team": "Nurses"}]}"#).unwrap();
        assert_eq!(settings.rules.len(), 1);
    }

    #[test]
    fn broken_json_is_a_settings_error_too() {
        assert_eq!(parse::<Settings>("{").unwrap_err().code, "settings");
    }
}
