//! Organizations and what they have set.

use std::collections::BTreeMap;

use anteroom_model::{
    ids::{NumberId, OrganizationId},
    matching,
    quiet::QuietHours,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, StoreError,
    conn::{execute, fetch_optional},
};

/// A tenant.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Shown to patients and staff.
    pub name: String,
    /// What it has set.
    pub settings: OrganizationSettings,
    /// Grows with every change of the name and the time zone.
    pub version: i64,
}

/// What an organization sets for itself. Absent fields take their defaults, so that settings stored by an
/// earlier version keep working; those of a later one are kept as they are, since nodes are replaced one after the
/// other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationSettings {
    /// Where the organization's days are counted (IANA name); absent: as its first facility.
    pub time_zone: Option<String>,
    /// Ask unknown texters who they are; a number may say otherwise.
    pub verification: bool,
    /// Minutes within which the same automatic reply is not sent again to the same conversation.
    pub throttle_minutes: u32,
    /// When automatic replies stay silent; absent: never.
    pub quiet_hours: Option<QuietHours>,
    /// Patients may start a conversation; a number may say that they may not on it.
    pub patient_initiated: bool,
    /// A STOP counts for every number of the organization, not only for the one that was texted.
    pub opt_out_everywhere: bool,
    /// The one confirmation of a STOP.
    pub opt_out_text: String,
    /// The confirmation of a START.
    pub opt_in_text: String,
    /// The answer to HELP.
    pub help_text: String,
    /// What uploaded policies must show before they take effect.
    pub policy_rules: PolicyRules,
    /// How texters are verified.
    pub identity: IdentityRules,
    /// Minutes without a key or a pointer after which the Hub locks itself; absent: never.
    pub idle_lock_minutes: Option<u32>,
    /// What only a later version knows.
    #[serde(flatten)]
    pub of_later_versions: serde_json::Map<String, serde_json::Value>,
}

/// How texters are verified. What they are asked, and in which words, is the identity policy's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityRules {
    /// Which claims must agree.
    pub matching: matching::Rules,
    /// Minutes after which a question that nobody answers is given up.
    pub timeout_minutes: u32,
    /// Days after which somebody verified is asked again; 0: never.
    pub reverify_days: u32,
    /// Minutes after which somebody who was not verified is asked again; 0: never.
    pub ask_again_minutes: u32,
    /// Against guessing.
    pub limits: IdentityLimits,
    /// What is otherwise on some numbers.
    pub numbers: BTreeMap<NumberId, NumberIdentityRules>,
}

/// What one number has otherwise; absent: as the organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberIdentityRules {
    /// See [`IdentityRules::timeout_minutes`].
    pub timeout_minutes: Option<u32>,
    /// See [`IdentityRules::reverify_days`].
    pub reverify_days: Option<u32>,
    /// See [`IdentityRules::ask_again_minutes`].
    pub ask_again_minutes: Option<u32>,
}

/// How many claims that don't match there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityLimits {
    /// Of one phone within a day.
    pub attempts_per_phone: u32,
    /// People that one phone says to be within a day, unmatched: more is enumeration.
    pub identities_per_phone: u32,
    /// On one number within an hour.
    pub attempts_per_number: u32,
    /// In the organization within an hour.
    pub attempts_per_organization: u32,
    /// How long nothing is matched then.
    pub lock_minutes: u32,
}

impl Default for IdentityLimits {
    fn default() -> Self {
        Self {
            attempts_per_phone: 5,
            identities_per_phone: 3,
            attempts_per_number: 60,
            attempts_per_organization: 300,
            lock_minutes: 24 * 60,
        }
    }
}

impl Default for IdentityRules {
    fn default() -> Self {
        Self {
            matching: matching::Rules::default(),
            timeout_minutes: 24 * 60,
            reverify_days: 365,
            ask_again_minutes: 0,
            limits: IdentityLimits::default(),
            numbers: BTreeMap::new(),
        }
    }
}

impl IdentityRules {
    /// The rules on `number`.
    pub fn on(&self, number: NumberId) -> NumberIdentityRules {
        let own = self.numbers.get(&number).copied().unwrap_or_default();
        NumberIdentityRules {
            timeout_minutes: own.timeout_minutes.or(Some(self.timeout_minutes)),
            reverify_days: own.reverify_days.or(Some(self.reverify_days)),
            ask_again_minutes: own.ask_again_minutes.or(Some(self.ask_again_minutes)),
        }
    }
}

/// What an organization asks of uploaded policies before they take effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyRules {
    /// A signature of one of the organization's keys.
    pub require_signature: bool,
    /// A backtest of that version for that hook on the organization's own history, done.
    pub require_backtest: bool,
    /// An activation warns when a version costs more than the one before by this share, in per cent.
    pub warn_growth_percent: u32,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self { require_signature: false, require_backtest: false, warn_growth_percent: 50 }
    }
}

impl Default for OrganizationSettings {
    fn default() -> Self {
        Self {
            time_zone: None,
            verification: false,
            patient_initiated: true,
            throttle_minutes: 15,
            quiet_hours: None,
            opt_out_everywhere: true,
            opt_out_text: "You will get no more texts from {{organization}}. Reply START to get them again."
                .into(),
            policy_rules: PolicyRules::default(),
            identity: IdentityRules::default(),
            idle_lock_minutes: Some(15),
            opt_in_text: "You will get texts from {{organization}} again. Reply STOP to end them.".into(),
            help_text:
                "{{organization}}: text us and our staff will answer. In an emergency call 911. Message and \
                        data rates may apply. Reply STOP to end texts."
                    .into(),
            of_later_versions: serde_json::Map::new(),
        }
    }
}

#[derive(FromRow)]
struct OrganizationRow {
    id: OrganizationId,
    name: String,
    settings: Json<OrganizationSettings>,
    version: i64,
}

impl Org<'_> {
    pub(crate) async fn insert_organization(
        &mut self,
        name: &str,
        settings: &OrganizationSettings,
        wrapped_key: &[u8],
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "organizations/insert", name, Json(settings), wrapped_key, now);
        Ok(())
    }

    /// This organization.
    pub async fn organization_row(&mut self) -> Result<Option<Organization>, StoreError> {
        let row = fetch_optional!(self, OrganizationRow, "organizations/get");
        Ok(row.map(|row| Organization {
            id: row.id,
            name: row.name,
            settings: row.settings.0,
            version: row.version,
        }))
    }

    /// Stores name and time zone, unless somebody changed them since `organization` was read.
    pub async fn set_organization(&mut self, organization: &Organization) -> Result<bool, StoreError> {
        let Organization { name, settings, version, .. } = organization;
        Ok(execute!(self, "organizations/set_name", name, Json(settings), *version) > 0)
    }

    /// Replaces the settings.
    pub async fn set_settings(&mut self, settings: &OrganizationSettings) -> Result<(), StoreError> {
        execute!(self, "organizations/set_settings", Json(settings));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_other_versions_are_read_and_kept() {
        let later = r#"{"throttle_minutes":7,"answers_in_verse":{"metre":"iambic"}}"#;
        let mut settings: OrganizationSettings = serde_json::from_str(later).unwrap();
        assert_eq!((settings.throttle_minutes, settings.patient_initiated), (7, true));
        settings.throttle_minutes = 8;
        let stored = serde_json::to_value(&settings).unwrap();
        assert_eq!(stored["answers_in_verse"]["metre"], "iambic");
        assert_eq!(stored["throttle_minutes"], 8);
    }
}
