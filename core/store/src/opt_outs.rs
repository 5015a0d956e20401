//! Opt-outs: who must not be texted.

use anteroom_model::{
    ids::{NumberId, OptOutId, StaffId},
    states::RevocationVia,
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, OrgKeys, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
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
    /// `keyword`, `staff`, `carrier` or `import`.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, if it was taken back.
    pub cleared_at: Option<Timestamp>,
    /// When the patient asked for it, where that was before it was recorded.
    pub asked_at: Option<Timestamp>,
    /// How the clinic was asked.
    pub via: Option<RevocationVia>,
    /// What whoever recorded it wrote.
    pub note: Option<String>,
    /// Who recorded it, of staff.
    pub recorded_by: Option<StaffId>,
    /// Who took it back, of staff; none where the patient did.
    pub cleared_by: Option<StaffId>,
    /// Why.
    pub clear_note: Option<String>,
}

/// What is known of an opt-out that is recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewOptOut<'a> {
    /// Who, E.164.
    pub peer: &'a str,
    /// Which number; `None` for every one of the organization.
    pub scope: Option<NumberId>,
    /// `keyword`, `staff`, `carrier` or `import`.
    pub source: &'a str,
    /// When the patient asked for it, where that was before now.
    pub asked_at: Option<Timestamp>,
    /// How the clinic was asked.
    pub via: Option<RevocationVia>,
    /// In the words of whoever records it.
    pub note: Option<&'a str>,
    /// Who records it, of staff.
    pub recorded_by: Option<StaffId>,
}

impl<'a> NewOptOut<'a> {
    /// One that came with a text, or that the carrier told of.
    pub fn told_by(peer: &'a str, scope: Option<NumberId>, source: &'a str) -> Self {
        Self { peer, scope, source, asked_at: None, via: None, note: None, recorded_by: None }
    }
}

#[derive(FromRow)]
struct OptOutRow {
    id: OptOutId,
    peer: Vec<u8>,
    number_id: Option<NumberId>,
    source: String,
    created_at: Timestamp,
    cleared_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    via: Option<RevocationVia>,
    note: Option<Vec<u8>>,
    recorded_by: Option<StaffId>,
    cleared_by: Option<StaffId>,
    clear_note: Option<Vec<u8>>,
}

impl OptOutRow {
    fn open(self, keys: &OrgKeys) -> Result<OptOut, StoreError> {
        let text = |column, sealed: Option<Vec<u8>>| {
            sealed.map(|sealed| keys.open_text(column, self.id.0, &sealed)).transpose()
        };
        Ok(OptOut {
            peer: keys.open_text("opt_outs.peer", self.id.0, &self.peer)?,
            note: text("opt_outs.note", self.note)?,
            clear_note: text("opt_outs.clear_note", self.clear_note)?,
            id: self.id,
            number_id: self.number_id,
            source: self.source,
            created_at: self.created_at,
            cleared_at: self.cleared_at,
            asked_at: self.asked_at,
            via: self.via,
            recorded_by: self.recorded_by,
            cleared_by: self.cleared_by,
        })
    }
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

    /// Records an opt-out. Its id if it is new: not covered by one that stands. One of all numbers is new where only
    /// one of a single number stands.
    pub async fn record_opt_out(&mut self, new: &NewOptOut<'_>) -> Result<Option<OptOutId>, StoreError> {
        self.revocations_done(new.peer, new.scope, new.recorded_by).await?;
        if self.stands(new.peer, new.scope).await? {
            return Ok(None);
        }
        let (id, now): (OptOutId, _) = (self.new_id(), self.now);
        let hash = self.keys.lookup("phone", new.peer);
        let peer = self.keys.seal("opt_outs.peer", id.0, new.peer.as_bytes())?;
        let note = new.note.map(|note| self.keys.seal("opt_outs.note", id.0, note.as_bytes())).transpose()?;
        execute!(
            self,
            "opt_outs/insert",
            id,
            hash,
            peer,
            new.scope,
            new.source,
            now,
            new.asked_at,
            new.via,
            note,
            new.recorded_by,
        );
        Ok(Some(id))
    }

    /// The opt-out that stands for `peer` and covers `scope`; the newest where there are several.
    pub async fn standing_opt_out(
        &mut self,
        peer: &str,
        scope: Option<NumberId>,
    ) -> Result<Option<OptOutId>, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        Ok(fetch_optional!(self, (OptOutId,), "opt_outs/standing_one", hash, scope).map(|(id,)| id))
    }

    /// One opt-out.
    pub async fn opt_out(&mut self, id: OptOutId) -> Result<Option<OptOut>, StoreError> {
        let row = fetch_optional!(self, OptOutRow, "opt_outs/get", id);
        row.map(|row| row.open(&self.keys)).transpose()
    }

    /// Takes back one opt-out on a person's word. `false`: it doesn't stand.
    pub async fn clear_one_opt_out(
        &mut self,
        id: OptOutId,
        by: StaffId,
        note: &str,
    ) -> Result<bool, StoreError> {
        let (now, note) = (self.now, self.keys.seal("opt_outs.clear_note", id.0, note.as_bytes())?);
        Ok(execute!(self, "opt_outs/clear_one", id, now, by, note) > 0)
    }

    /// Takes back every opt-out that keeps `number` from texting `peer`. Whether there was one.
    pub async fn clear_opt_out(&mut self, peer: &str, number: NumberId) -> Result<bool, StoreError> {
        let (hash, now) = (self.keys.lookup("phone", peer), self.now);
        Ok(execute!(self, "opt_outs/clear", hash, number, now) > 0)
    }

    /// Opt-outs before `before`, newest first.
    pub async fn opt_outs(&mut self, before: OptOutId, limit: u32) -> Result<Vec<OptOut>, StoreError> {
        let rows = fetch_all!(self, OptOutRow, "opt_outs/all", before, i64::from(limit));
        rows.into_iter().map(|row| row.open(&self.keys)).collect()
    }
}
