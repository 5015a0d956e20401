//! Saved views: a queue with filters, under a name. What somebody called it is sealed, as all that people write.

use anteroom_model::{
    ids::{StaffId, TeamId, ViewId},
    states::{QueueName, Sharing},
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Filters, Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// A saved view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its id.
    pub id: ViewId,
    /// Who made it.
    pub owner_id: StaffId,
    /// Who else sees it.
    pub shared: Sharing,
    /// The team, where it is shared with one.
    pub team_id: Option<TeamId>,
    /// What it is.
    pub content: ViewContent,
    /// Grows with every change.
    pub version: i64,
}

/// What a view shows, and under which name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewContent {
    /// In the words of whoever made it.
    pub name: String,
    /// The queue; `mine` and `team` are those of who looks.
    pub queue: QueueName,
    /// What it is narrowed by.
    pub filters: Filters,
}

#[derive(FromRow)]
struct ViewRow {
    id: ViewId,
    owner_id: StaffId,
    shared: Sharing,
    team_id: Option<TeamId>,
    content: Vec<u8>,
    version: i64,
}

const CONTENT: &str = "views.content";

impl Org<'_> {
    /// The views that `staff` sees: their own, and those shared with everybody or with one of their teams. The
    /// oldest first.
    pub async fn views_of(&mut self, staff: StaffId) -> Result<Vec<SavedView>, StoreError> {
        let rows = fetch_all!(self, ViewRow, "views/visible", staff);
        rows.iter().map(|row| self.open_view(row)).collect()
    }

    /// One view, whoever may see it.
    pub async fn view(&mut self, id: ViewId) -> Result<Option<SavedView>, StoreError> {
        let row = fetch_optional!(self, ViewRow, "views/get", id);
        row.as_ref().map(|row| self.open_view(row)).transpose()
    }

    /// Stores a new view.
    pub async fn insert_view(
        &mut self,
        owner: StaffId,
        (shared, team): (Sharing, Option<TeamId>),
        content: &ViewContent,
    ) -> Result<ViewId, StoreError> {
        let (id, now): (ViewId, _) = (self.new_id(), self.now);
        let sealed = self.keys.seal_json(CONTENT, id.0, content)?;
        execute!(self, "views/insert", id, owner, shared, team, sealed, now);
        Ok(id)
    }

    /// Stores a changed view; false where somebody changed it since it was read.
    pub async fn update_view(&mut self, view: &SavedView) -> Result<bool, StoreError> {
        let sealed = self.keys.seal_json(CONTENT, view.id.0, &view.content)?;
        let changed =
            execute!(self, "views/update", view.id, view.shared, view.team_id, sealed, view.version);
        Ok(changed > 0)
    }

    /// Forgets a view.
    pub async fn delete_view(&mut self, id: ViewId) -> Result<(), StoreError> {
        execute!(self, "views/delete", id);
        Ok(())
    }

    fn open_view(&self, row: &ViewRow) -> Result<SavedView, StoreError> {
        Ok(SavedView {
            content: self.keys.open_json(CONTENT, row.id.0, &row.content)?,
            id: row.id,
            owner_id: row.owner_id,
            shared: row.shared,
            team_id: row.team_id,
            version: row.version,
        })
    }
}
