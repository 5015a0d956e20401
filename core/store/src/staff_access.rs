//! How somebody gets in, and how that ends: passwords, one-time links, sessions.

use anteroom_model::{
    ids::{StaffId, TokenId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// A link with which somebody may set a password, once.
#[derive(Clone, Debug, FromRow)]
pub struct StaffLink {
    /// Whose.
    pub staff_id: StaffId,
    /// The first password, and not another one.
    pub invites: bool,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A browser that somebody is signed in with.
#[derive(Clone, Debug, FromRow)]
pub struct OpenSession {
    /// SHA-256 of the cookie's secret; of 256 random bits, so it says nothing of them.
    pub secret_hash: Vec<u8>,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl Org<'_> {
    /// Replaces somebody's password (argon2id as a PHC string).
    pub async fn set_password(&mut self, staff: StaffId, password_hash: &str) -> Result<(), StoreError> {
        execute!(self, "staff/set_password", staff, password_hash);
        Ok(())
    }

    /// Keeps a one-time link, in the place of the one they had.
    pub async fn put_staff_link(
        &mut self,
        link: &StaffLink,
        secret_hash: &[u8],
        by: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "staff/put_link", link.staff_id, secret_hash, link.invites, by, now, link.expires_at);
        Ok(())
    }

    /// All links that were not used, also those whose time is over.
    pub async fn staff_links(&mut self) -> Result<Vec<StaffLink>, StoreError> {
        Ok(fetch_all!(self, StaffLink, "staff/links"))
    }

    /// The link of that secret, if it still counts.
    pub async fn staff_link(
        &mut self,
        staff: StaffId,
        secret_hash: &[u8],
    ) -> Result<Option<StaffLink>, StoreError> {
        let now = self.now;
        Ok(fetch_optional!(self, StaffLink, "staff/link", staff, secret_hash, now))
    }

    /// Uses a link up; whether it still counted.
    pub async fn use_staff_link(&mut self, staff: StaffId, secret_hash: &[u8]) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "staff/use_link", staff, secret_hash, now) > 0)
    }

    /// Takes somebody's link away.
    pub async fn drop_staff_link(&mut self, staff: StaffId) -> Result<(), StoreError> {
        execute!(self, "staff/drop_link", staff);
        Ok(())
    }

    /// Somebody's open sessions, newest first.
    pub async fn sessions_of(&mut self, staff: StaffId) -> Result<Vec<OpenSession>, StoreError> {
        let now = self.now;
        Ok(fetch_all!(self, OpenSession, "staff/sessions_of", staff, now))
    }

    /// Ends somebody's sessions, but for the one to be kept.
    pub async fn end_sessions(&mut self, staff: StaffId, kept: Option<&[u8]>) -> Result<u64, StoreError> {
        Ok(execute!(self, "staff/end_sessions", staff, kept.unwrap_or_default()))
    }

    /// Ends one session of somebody; whether there was one.
    pub async fn end_session_of(&mut self, staff: StaffId, secret_hash: &[u8]) -> Result<bool, StoreError> {
        Ok(execute!(self, "staff/end_session_of", staff, secret_hash) > 0)
    }

    /// Ends everything that lets somebody in: sessions, tokens, a link.
    pub async fn end_access(&mut self, staff: StaffId) -> Result<(), StoreError> {
        let now = self.now;
        self.end_sessions(staff, None).await?;
        execute!(self, "staff/revoke_tokens", staff, now);
        self.drop_staff_link(staff).await
    }

    /// Remembers that a token was used now.
    pub async fn token_used(&mut self, id: TokenId) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "staff/token_used", id, now);
        Ok(())
    }
}
