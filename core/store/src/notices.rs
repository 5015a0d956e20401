//! What an organization's administrators must know of.

use anteroom_model::{
    ids::{NoticeId, StaffId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Actor, NewEvent, Org, StoreError,
    conn::{execute, fetch_all},
};

/// A notice.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// For example `policy.rolled_back`.
    pub kind: String,
    /// Depends on the kind.
    pub data: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
    /// When somebody had seen to it.
    pub dismissed_at: Option<Timestamp>,
    /// Who had.
    pub dismissed_by: Option<StaffId>,
}

#[derive(FromRow)]
struct NoticeRow {
    id: NoticeId,
    kind: String,
    data: Vec<u8>,
    created_at: Timestamp,
    dismissed_at: Option<Timestamp>,
    dismissed_by: Option<StaffId>,
}

impl Org<'_> {
    /// Leaves a notice; listeners are told that there is one, not what it says.
    pub async fn insert_notice(
        &mut self,
        kind: &'static str,
        data: &serde_json::Value,
    ) -> Result<NoticeId, StoreError> {
        let (id, now): (NoticeId, _) = (self.new_id(), self.now);
        let sealed = self.keys.seal_json("notices.data", id.0, data)?;
        execute!(self, "notices/insert", id, kind, &sealed, now);
        self.tell(NewEvent {
            kind: "notice.created",
            conversation_id: None,
            actor: Actor::Host,
            data: serde_json::json!({ "notice_id": id, "kind": kind }),
        });
        Ok(id)
    }

    /// Notices before `before`, newest first; `all`: also those that were dismissed.
    pub async fn notices(
        &mut self,
        before: NoticeId,
        all: bool,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows = fetch_all!(self, NoticeRow, "notices/list", before, all, i64::from(limit));
        rows.into_iter()
            .map(|row| {
                Ok(Notice {
                    data: self.keys.open_json("notices.data", row.id.0, &row.data)?,
                    id: row.id,
                    kind: row.kind,
                    created_at: row.created_at,
                    dismissed_at: row.dismissed_at,
                    dismissed_by: row.dismissed_by,
                })
            })
            .collect()
    }

    /// Somebody has seen to a notice; whether it was open until now.
    pub async fn dismiss_notice(&mut self, id: NoticeId, by: StaffId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "notices/dismiss", id, now, by) > 0)
    }
}
