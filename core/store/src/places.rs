//! Facilities and teams: where people work, and with whom.

use anteroom_model::{
    hours::OpeningHours,
    ids::{ConversationId, FacilityId, TeamId},
};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

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
    /// Grows with every change.
    pub version: i64,
}

/// A group of staff.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Unique in the organization.
    pub name: String,
    /// Grows with every change, also of its members.
    pub version: i64,
}

#[derive(FromRow)]
struct FacilityRow {
    id: FacilityId,
    name: String,
    time_zone: String,
    hours: Json<OpeningHours>,
    version: i64,
}

impl From<FacilityRow> for Facility {
    fn from(row: FacilityRow) -> Self {
        let FacilityRow { id, name, time_zone, hours, version } = row;
        Self { id, name, time_zone, hours: hours.0, version }
    }
}

impl Org<'_> {
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

    /// Stores what can change of a facility; false where somebody changed it since it was read.
    pub async fn update_facility(&mut self, facility: &Facility) -> Result<bool, StoreError> {
        let Facility { id, name, time_zone, hours, version } = facility;
        let changed =
            execute!(self, "organizations/update_facility", *id, name, time_zone, Json(hours), *version);
        Ok(changed > 0)
    }

    /// Takes away a facility that no number and no conversation belongs to.
    pub async fn delete_facility(&mut self, id: FacilityId) -> Result<bool, StoreError> {
        Ok(execute!(self, "organizations/delete_facility", id) > 0)
    }

    /// All facilities, by name.
    pub async fn facilities(&mut self) -> Result<Vec<Facility>, StoreError> {
        let rows = fetch_all!(self, FacilityRow, "organizations/facilities");
        Ok(rows.into_iter().map(Facility::from).collect())
    }

    /// One facility.
    pub async fn facility(&mut self, id: FacilityId) -> Result<Option<Facility>, StoreError> {
        Ok(self.facilities().await?.into_iter().find(|facility| facility.id == id))
    }

    /// Whether any conversation, also a closed one, belongs to that facility.
    pub async fn facility_has_conversations(&mut self, id: FacilityId) -> Result<bool, StoreError> {
        Ok(fetch_optional!(self, (ConversationId,), "conversations/any_in_facility", id).is_some())
    }

    /// Makes a team.
    pub async fn insert_team(&mut self, name: &str) -> Result<TeamId, StoreError> {
        let id: TeamId = self.new_id();
        execute!(self, "organizations/insert_team", id, name);
        Ok(id)
    }

    /// Stores a team's name; false where somebody changed the team since it was read.
    pub async fn update_team(&mut self, team: &Team) -> Result<bool, StoreError> {
        Ok(execute!(self, "organizations/update_team", team.id, &team.name, team.version) > 0)
    }

    /// Takes away a team that no conversation was ever given to, with who is in it.
    pub async fn delete_team(&mut self, id: TeamId) -> Result<bool, StoreError> {
        self.clear_team(id).await?;
        Ok(execute!(self, "organizations/delete_team", id) > 0)
    }

    /// All teams, by name.
    pub async fn teams(&mut self) -> Result<Vec<Team>, StoreError> {
        Ok(fetch_all!(self, Team, "organizations/teams"))
    }

    /// Whether any conversation, also a closed one, was given to that team.
    pub async fn team_has_conversations(&mut self, id: TeamId) -> Result<bool, StoreError> {
        Ok(fetch_optional!(self, (ConversationId,), "conversations/any_in_team", id).is_some())
    }
}
