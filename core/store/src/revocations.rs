//! Texts that read like a revocation in the patient's own words, until somebody of staff has looked.

use anteroom_model::{
    deadlines,
    ids::{ConversationId, MessageId, NumberId, OrganizationId, StaffId},
    states::RevocationState,
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// A text that may be a revocation.
#[derive(Clone, Debug, FromRow)]
pub struct Revocation {
    /// The text.
    pub message_id: MessageId,
    /// Where it stands.
    pub conversation_id: ConversationId,
    /// Which number was texted.
    pub number_id: NumberId,
    /// When it came.
    pub asked_at: Timestamp,
    /// When it must be honoured at the latest.
    pub due_at: Timestamp,
    /// Whether somebody has looked.
    pub state: RevocationState,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// Who; none where the patient sent a STOP after it.
    pub resolved_by: Option<StaffId>,
}

impl Store {
    /// Those that admins should be reminded of, of whatever organization.
    pub async fn revocations_to_remind(&self) -> Result<Vec<(OrganizationId, MessageId)>, StoreError> {
        let (mut conn, now) = (self.reader().await?, self.now());
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("revocations/to_remind")).bind(now).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Keeps a text as a possible revocation; `zone` (IANA) is where its business days are counted.
    pub async fn flag_revocation(
        &mut self,
        message: MessageId,
        conversation: ConversationId,
        (peer, number): (&str, NumberId),
        asked_at: Timestamp,
        zone: &str,
    ) -> Result<(), StoreError> {
        let due_at = deadlines::revocation_due(asked_at, zone);
        let (hash, remind_at) = (self.keys.lookup("phone", peer), due_at.minus(deadlines::REMINDER));
        execute!(
            self,
            "revocations/insert",
            message,
            conversation,
            hash,
            number,
            asked_at,
            due_at,
            remind_at
        );
        Ok(())
    }

    /// Whether one of `peer` is open.
    pub async fn may_have_revoked(&mut self, peer: &str) -> Result<bool, StoreError> {
        let (hash, organization) = (self.keys.lookup("phone", peer), self.organization);
        let open: i64 = on!(self.conn(), c => {
            sqlx::query_scalar(sql!("revocations/open_of_peer")).bind(organization).bind(hash).fetch_one(c).await?
        });
        Ok(open > 0)
    }

    /// Open ones after `after`, the one that is due first before the others.
    pub async fn open_revocations(
        &mut self,
        after: Option<(Timestamp, MessageId)>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let (due, id) = after.unwrap_or((Timestamp::from_micros(i64::MIN), MessageId::LEAST));
        Ok(fetch_all!(self, Revocation, "revocations/open", due, id, i64::from(limit)))
    }

    /// One of them.
    pub async fn revocation(&mut self, message: MessageId) -> Result<Option<Revocation>, StoreError> {
        Ok(fetch_optional!(self, Revocation, "revocations/get", message))
    }

    /// Says what it was. `false`: somebody has said so already.
    pub async fn resolve_revocation(
        &mut self,
        message: MessageId,
        state: RevocationState,
        by: StaffId,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "revocations/resolve", message, state, now, by) > 0)
    }

    /// `peer` has opted out: what they asked in their own words is done.
    pub(crate) async fn revocations_done(
        &mut self,
        peer: &str,
        scope: Option<NumberId>,
        by: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let (hash, now) = (self.keys.lookup("phone", peer), self.now);
        execute!(self, "revocations/resolve_of_peer", hash, now, by, scope);
        Ok(())
    }

    /// Takes one for reminding. `false`: somebody was faster.
    pub async fn remind_of_revocation(&mut self, message: MessageId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "revocations/reminded", message, now) > 0)
    }
}
