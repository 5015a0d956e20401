//! Who read or changed what.

use anteroom_model::{
    ids::{AuditId, StaffId},
    states::Author,
    time::Timestamp,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all},
};

/// An entry of the audit log.
#[derive(Clone, Debug, FromRow)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// What kind of actor.
    pub actor: Author,
    /// Which member of staff.
    pub actor_id: Option<StaffId>,
    /// For example `conversation.read`.
    pub action: String,
    /// Id of what was read or changed.
    pub subject: Option<Uuid>,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// An entry to be made.
#[derive(Clone, Debug)]
pub struct NewAudit {
    /// Which member of staff.
    pub actor_id: StaffId,
    /// For example `conversation.read`.
    pub action: &'static str,
    /// Id of what was read or changed.
    pub subject: Option<Uuid>,
    /// The HTTP request.
    pub request_id: Option<String>,
}

impl Org<'_> {
    /// Adds an entry.
    pub async fn insert_audit(&mut self, entry: &NewAudit) -> Result<(), StoreError> {
        let (id, now): (AuditId, _) = (self.new_id(), self.now);
        let (actor, actor_id) = (Author::Staff, entry.actor_id);
        execute!(
            self,
            "audit/insert",
            id,
            actor,
            actor_id,
            entry.action,
            entry.subject,
            entry.request_id.as_deref(),
            now
        );
        Ok(())
    }

    /// Adds an entry for what a policy read of a patient.
    pub async fn insert_policy_audit(
        &mut self,
        action: &'static str,
        subject: Uuid,
    ) -> Result<(), StoreError> {
        let (id, now): (AuditId, _) = (self.new_id(), self.now);
        let nobody = (None::<StaffId>, None::<&str>);
        execute!(self, "audit/insert", id, Author::Policy, nobody.0, action, subject, nobody.1, now);
        Ok(())
    }

    /// Adds an entry for what Anteroom did by itself.
    pub async fn insert_host_audit(&mut self, action: &'static str, subject: Uuid) -> Result<(), StoreError> {
        let (id, now): (AuditId, _) = (self.new_id(), self.now);
        let nobody = (None::<StaffId>, None::<&str>);
        execute!(self, "audit/insert", id, Author::Host, nobody.0, action, subject, nobody.1, now);
        Ok(())
    }

    /// Entries before `before`, newest first.
    pub async fn audit(&mut self, before: AuditId, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(fetch_all!(self, AuditEntry, "audit/list", before, i64::from(limit)))
    }

    /// Entries about one subject before `before`, newest first.
    pub async fn audit_of(
        &mut self,
        subject: Uuid,
        before: AuditId,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(fetch_all!(self, AuditEntry, "audit/of_subject", subject, before, i64::from(limit)))
    }
}
