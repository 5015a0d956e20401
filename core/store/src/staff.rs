//! Staff, their sessions and API tokens.

use anteroom_model::{
    ids::{OrganizationId, StaffId, TeamId, TokenId},
    states::Role,
    time::Timestamp,
};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, Store, StoreError, Team,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

/// A member of staff.
#[derive(Clone, Debug, FromRow)]
pub struct Staff {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Their id.
    pub id: StaffId,
    /// Shown to colleagues.
    pub name: String,
    /// Lower case; what they sign in with.
    pub email: String,
    /// argon2id as a PHC string.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Grows with every change but that of the password.
    pub version: i64,
}

impl Staff {
    /// Whether conversations can be theirs.
    pub fn works(&self) -> bool {
        self.active && self.role != Role::Auditor
    }
}

/// Somebody new.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// Shown to colleagues.
    pub name: String,
    /// Made lower case when stored.
    pub email: String,
    /// argon2id as a PHC string.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
}

/// A signed-in browser.
#[derive(Clone, Debug, FromRow)]
pub struct Session {
    /// Who.
    pub staff_id: StaffId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What writes must carry.
    pub csrf_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A program's access.
#[derive(Clone, Debug, FromRow)]
pub struct Token {
    /// Its id, part of the token's text.
    pub id: TokenId,
    /// On whose behalf.
    pub staff_id: StaffId,
    /// Their name.
    pub name: String,
    /// What the token is for.
    pub token_name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What it may do at most.
    pub scopes: Json<Vec<String>>,
    /// What its owner may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to ten minutes.
    pub last_used_at: Option<Timestamp>,
}

impl Store {
    /// Active staff with this e-mail address, in whatever organization: who they are is settled by the
    /// password.
    pub async fn staff_by_email(&self, email: &str) -> Result<Vec<Staff>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => {
            sqlx::query_as(sql!("staff/by_email")).bind(email.to_lowercase()).fetch_all(c).await?
        }))
    }
}

impl Org<'_> {
    /// Adds somebody.
    pub async fn insert_staff(&mut self, staff: &NewStaff) -> Result<StaffId, StoreError> {
        let (id, now): (StaffId, _) = (self.new_id(), self.now);
        let email = staff.email.to_lowercase();
        execute!(self, "staff/insert", id, &staff.name, email, &staff.password_hash, staff.role, now);
        Ok(id)
    }

    /// One member of staff.
    pub async fn staff_member(&mut self, id: StaffId) -> Result<Option<Staff>, StoreError> {
        Ok(fetch_optional!(self, Staff, "staff/get", id))
    }

    /// Everybody, by name.
    pub async fn staff(&mut self) -> Result<Vec<Staff>, StoreError> {
        Ok(fetch_all!(self, Staff, "staff/all"))
    }

    /// Stores name, address, role and whether they may sign in; false where somebody changed them since `staff` was
    /// read.
    pub async fn update_staff(&mut self, staff: &Staff) -> Result<bool, StoreError> {
        let Staff { id, name, email, role, active, version, .. } = staff;
        Ok(execute!(self, "staff/update", *id, name, email.to_lowercase(), *role, *active, *version) > 0)
    }

    /// Those who may run the clinic. Until the end of this unit of work nobody else takes that from them.
    pub async fn admins(&mut self) -> Result<Vec<StaffId>, StoreError> {
        let organization = self.organization;
        let query = self.conn().pick(twin!("staff/admins"));
        let rows: Vec<(StaffId,)> = on!(self.conn(), c => {
            sqlx::query_as(query).bind(organization).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Takes somebody out of all teams.
    pub async fn leave_teams(&mut self, staff: StaffId) -> Result<(), StoreError> {
        execute!(self, "staff/leave_teams", staff);
        Ok(())
    }

    /// Takes everybody out of a team.
    pub async fn clear_team(&mut self, team: TeamId) -> Result<(), StoreError> {
        execute!(self, "staff/clear_team", team);
        Ok(())
    }

    /// Puts somebody in a team.
    pub async fn add_to_team(&mut self, team: TeamId, staff: StaffId) -> Result<(), StoreError> {
        execute!(self, "staff/add_to_team", team, staff);
        Ok(())
    }

    /// The teams somebody is in.
    pub async fn teams_of(&mut self, staff: StaffId) -> Result<Vec<Team>, StoreError> {
        Ok(fetch_all!(self, Team, "staff/teams_of", staff))
    }

    /// Who is in which team.
    pub async fn memberships(&mut self) -> Result<Vec<(TeamId, StaffId)>, StoreError> {
        Ok(fetch_all!(self, (TeamId, StaffId), "staff/memberships"))
    }

    /// Opens a session.
    pub async fn insert_session(
        &mut self,
        secret_hash: &[u8],
        staff: StaffId,
        csrf_token: &str,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "staff/delete_expired_sessions", now);
        execute!(self, "staff/insert_session", secret_hash, staff, csrf_token, now, expires_at);
        Ok(())
    }

    /// The session of a cookie, unless it has ended.
    pub async fn session(&mut self, secret_hash: &[u8]) -> Result<Option<Session>, StoreError> {
        let now = self.now;
        Ok(fetch_optional!(self, Session, "staff/session", secret_hash, now))
    }

    /// Ends a session.
    pub async fn delete_session(&mut self, secret_hash: &[u8]) -> Result<(), StoreError> {
        execute!(self, "staff/delete_session", secret_hash);
        Ok(())
    }

    /// Makes an API token for `staff`.
    pub async fn insert_token(
        &mut self,
        staff: StaffId,
        name: &str,
        secret_hash: &[u8],
        scopes: &[String],
    ) -> Result<TokenId, StoreError> {
        let (id, now): (TokenId, _) = (self.new_id(), self.now);
        execute!(self, "staff/insert_token", id, staff, name, secret_hash, Json(scopes), now);
        Ok(id)
    }

    /// A token that has not been revoked.
    pub async fn token(&mut self, id: TokenId) -> Result<Option<Token>, StoreError> {
        Ok(fetch_optional!(self, Token, "staff/token", id))
    }

    /// All tokens that have not been revoked.
    pub async fn tokens(&mut self) -> Result<Vec<Token>, StoreError> {
        Ok(fetch_all!(self, Token, "staff/tokens"))
    }

    /// Ends a token; whether there was one.
    pub async fn revoke_token(&mut self, id: TokenId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "staff/revoke_token", id, now) > 0)
    }
}
