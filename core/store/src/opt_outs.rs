//! Opt-outs: who must not be texted.

use anteroom_model::{
    ids::{NumberId, OptOutId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, on},
    sql,
};

/// A STOP, however it came.
#[derive(Clone)]
pub struct OptOut {
    /// Its id.
    pub id: OptOutId,
    /// Who, E.164.
    pub peer: String,
    /// Which number; `None` for every one of the organization.
    pub number_id: Option<NumberId>,
    /// `keyword`, `staff` or `carrier`.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if it was taken back.
    pub cleared_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct OptOutRow {
    id: OptOutId,
    peer: Vec<u8>,
    number_id: Option<NumberId>,
    source: String,
    created_at: Timestamp,
    cleared_at: Option<Timestamp>,
}

impl Org<'_> {
    /// Whether `peer` (E.164) must not be texted from `number`.
    pub async fn is_opted_out(&mut self, peer: &str, number: NumberId) -> Result<bool, StoreError> {
        self.stands(peer, Some(number)).await
    }

    /// Whether an opt-out that covers `scope` stands; only one of all numbers covers all.
    async fn stands(&mut self, peer: &str, scope: Option<NumberId>) -> Result<bool, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let organization = self.organization;
        let standing: i64 = on!(self.conn(), c => {
            sqlx::query_scalar(sql!("opt_outs/standing"))
                .bind(organization)
                .bind(hash)
                .bind(scope)
                .fetch_one(c)
                .await?
        });
        Ok(standing > 0)
    }

    /// Records an opt-out from one number, or from all (`scope` none). Whether it is new: not covered by one
    /// that stands. One of all numbers is new where only one of a single number stands.
    pub async fn record_opt_out(
        &mut self,
        peer: &str,
        scope: Option<NumberId>,
        source: &str,
    ) -> Result<bool, StoreError> {
        if self.stands(peer, scope).await? {
            return Ok(false);
        }
        let (id, now): (OptOutId, _) = (self.new_id(), self.now);
        let hash = self.keys.lookup("phone", peer);
        let sealed = self.keys.seal("opt_outs.peer", id.0, peer.as_bytes())?;
        execute!(self, "opt_outs/insert", id, hash, sealed, scope, source, now);
        Ok(true)
    }

    /// Takes back every opt-out that keeps `number` from texting `peer`. Whether there was one.
    pub async fn clear_opt_out(&mut self, peer: &str, number: NumberId) -> Result<bool, StoreError> {
        let (hash, now) = (self.keys.lookup("phone", peer), self.now);
        Ok(execute!(self, "opt_outs/clear", hash, number, now) > 0)
    }

    /// Opt-outs before `before`, newest first.
    pub async fn opt_outs(&mut self, before: OptOutId, limit: u32) -> Result<Vec<OptOut>, StoreError> {
        let rows = fetch_all!(self, OptOutRow, "opt_outs/all", before, i64::from(limit));
        rows.into_iter()
            .map(|row| {
                Ok(OptOut {
                    peer: self.keys.open_text("opt_outs.peer", row.id.0, &row.peer)?,
                    id: row.id,
                    number_id: row.number_id,
                    source: row.source,
                    created_at: row.created_at,
                    cleared_at: row.cleared_at,
                })
            })
            .collect()
    }
}
