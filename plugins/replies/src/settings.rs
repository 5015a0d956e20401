//! What an admin can set. The same shape is described by the `settings_schema` in `manifest.json`.

use anteroom_sdk::template::Template;
use anteroom_sdk::text::Keywords;
use serde::{Deserialize, Deserializer, de::Error};

const VARIABLES: [&str; 6] = ["organization", "facility", "number", "holiday", "opens", "closes"];

/// What is absent is not sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub(crate) emergency: Option<Emergency>,
    pub(crate) after_hours: Option<AfterHours>,
    pub(crate) welcome: Option<Welcome>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emergency {
    pub(crate) keywords: Keywords,
    #[serde(deserialize_with = "body")]
    pub(crate) body: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AfterHours {
    #[serde(deserialize_with = "body")]
    pub(crate) body: Template,
    /// Instead of `body` on a holiday.
    #[serde(default, deserialize_with = "optional_body")]
    pub(crate) holiday_body: Option<Template>,
    /// Instead of both when the host knows of no opening.
    #[serde(deserialize_with = "body")]
    pub(crate) unknown_opening_body: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Welcome {
    #[serde(deserialize_with = "body")]
    pub(crate) body: Template,
}

fn body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let template = Template::deserialize(deserializer)?;
    template.check(&VARIABLES).map_err(D::Error::custom)?;
    Ok(template)
}

fn optional_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Template>, D::Error> {
    let template = Option::<Template>::deserialize(deserializer)?;
    template.as_ref().map_or(Ok(()), |t| t.check(&VARIABLES)).map_err(D::Error::custom)?;
    Ok(template)
}
