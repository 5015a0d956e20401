//! Organizations, their facilities and teams.

use anteroom_model::{
    hours::OpeningHours,
    ids::{FacilityId, OrganizationId, TeamId},
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
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
}

/// What an organization sets for itself. Absent fields take their defaults, so that settings stored by an
/// earlier version keep working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganizationSettings {
    /// Ask unknown texters who they are; a number may say otherwise.
    pub verification: bool,
    /// Minutes within which the same automatic reply is not sent again to the same conversation.
    pub throttle_minutes: u32,
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
            verification: false,
            throttle_minutes: 15,
            opt_out_everywhere: true,
            opt_out_text: "You will get no more texts from {{organization}}. Reply START to get them again."
                .into(),
            policy_rules: PolicyRules::default(),
            opt_in_text: "You will get texts from {{organization}} again. Reply STOP to end them.".into(),
            help_text:
                "{{organization}}: text us and our staff will answer. In an emergency call 911. Message and \
                        data rates may apply. Reply STOP to end texts."
                    .into(),
        }
    }
}

/// A location.
#[derive(Clone, Debug)]
pub struct Facility {
    /// Its id.
    pub id: FacilityId,
    /// Unique in the organization.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// When it is open.
    pub hours: OpeningHours,
}

/// A group of staff.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Unique in the organization.
    pub name: String,
}

#[derive(FromRow)]
struct OrganizationRow {
    id: OrganizationId,
    name: String,
    settings: Json<OrganizationSettings>,
}

#[derive(FromRow)]
struct FacilityRow {
    id: FacilityId,
    name: String,
    time_zone: String,
    hours: Json<OpeningHours>,
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
        Ok(row.map(|row| Organization { id: row.id, name: row.name, settings: row.settings.0 }))
    }

    /// Replaces the settings.
    pub async fn set_settings(&mut self, settings: &OrganizationSettings) -> Result<(), StoreError> {
        execute!(self, "organizations/set_settings", Json(settings));
        Ok(())
    }

    /// Makes a facility.
    pub async fn insert_facility(
        &mut self,
        name: &str,
        time_zone: &str,
        hours: &OpeningHours,
    ) -> Result<FacilityId, StoreError> {
        let id: FacilityId = self.new_id();
        execute!(self, "organizations/insert_facility", id, name, time_zone, Json(hours));
        Ok(id)
    }

    /// Changes a facility's hours.
    pub async fn set_hours(
        &mut self,
        id: FacilityId,
        time_zone: &str,
        hours: &OpeningHours,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "organizations/set_hours", id, time_zone, Json(hours)) > 0)
    }

    /// All facilities, by name.
    pub async fn facilities(&mut self) -> Result<Vec<Facility>, StoreError> {
        let rows = fetch_all!(self, FacilityRow, "organizations/facilities");
        Ok(rows
            .into_iter()
            .map(|row| Facility { id: row.id, name: row.name, time_zone: row.time_zone, hours: row.hours.0 })
            .collect())
    }

    /// Makes a team.
    pub async fn insert_team(&mut self, name: &str) -> Result<TeamId, StoreError> {
        let id: TeamId = self.new_id();
        execute!(self, "organizations/insert_team", id, name);
        Ok(id)
    }

    /// All teams, by name.
    pub async fn teams(&mut self) -> Result<Vec<Team>, StoreError> {
        Ok(fetch_all!(self, Team, "organizations/teams"))
    }
}
