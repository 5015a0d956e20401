//! How each member of staff wants the Hub to be.

use anteroom_model::ids::StaffId;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_optional},
};

/// What somebody wants to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alerts {
    /// Nothing.
    Off,
    /// Texts in their own conversations and in their teams' unassigned ones, and mentions.
    #[default]
    Mine,
    /// Every text.
    All,
}

/// How a page looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the computer says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As strong as can be.
    Contrast,
}

/// What somebody has chosen. Absent fields take their defaults, so that what an earlier version stored works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// What they are told of.
    pub alerts: Alerts,
    /// With a sound.
    pub sound: bool,
    /// Again each minute, until somebody looks.
    pub repeat: bool,
    /// Single keys and those with Alt do things.
    pub keys: bool,
    /// How pages look.
    pub theme: Theme,
    /// Two letters; `None`: as the browser says.
    pub language: Option<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            alerts: Alerts::Mine,
            sound: true,
            repeat: false,
            keys: true,
            theme: Theme::System,
            language: None,
        }
    }
}

impl Org<'_> {
    /// What `staff` has chosen, or the defaults.
    pub async fn preferences(&mut self, staff: StaffId) -> Result<Preferences, StoreError> {
        let row = fetch_optional!(self, (Json<Preferences>,), "preferences/get", staff);
        Ok(row.map(|(Json(preferences),)| preferences).unwrap_or_default())
    }

    /// Keeps what `staff` has chosen.
    pub async fn put_preferences(
        &mut self,
        staff: StaffId,
        preferences: &Preferences,
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "preferences/put", staff, Json(preferences), now);
        Ok(())
    }
}
