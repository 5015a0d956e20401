//! The queues: which conversations staff look at, narrowed by filters.
//!
//! The statement is put together for what is asked, since a condition that may be absent hides an index from the
//! planner. Each queue reads one index in its order (migration 11), which also holds what filters look at.

use std::fmt::Write as _;

use anteroom_model::{
    ids::{ConversationId, FacilityId, NumberId, StaffId, TeamId},
    states::Priority,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow};

use crate::{
    Conversation, Org, StoreError,
    conn::{fetch_optional, on},
    conversations::ConversationRow,
    sql,
};

/// A queue, as somebody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Open with nobody's name on it.
    Unassigned,
    /// Open or snoozed with this person's name on it.
    Mine(StaffId),
    /// Open or snoozed in this person's teams.
    Team(StaffId),
    /// Open or snoozed.
    All,
    /// Out of sight for now, the soonest back first.
    Snoozed,
    /// Done, newest first.
    Closed,
}

/// What a queue is narrowed by: any of the values of a field, of each field that has some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    /// Where they belong.
    pub facilities: Vec<FacilityId>,
    /// Which of the clinic's numbers was texted.
    pub numbers: Vec<NumberId>,
    /// Which team has them.
    pub teams: Vec<TeamId>,
    /// One of these.
    pub tags: Vec<String>,
    /// The organization's words.
    pub categories: Vec<String>,
    /// How urgent.
    pub priorities: Vec<Priority>,
}

/// How many there are in each queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct QueueCounts {
    /// Open with nobody's name on it.
    pub unassigned: i64,
    /// With this person's name on it.
    pub mine: i64,
    /// In this person's teams.
    pub team: i64,
    /// Open or snoozed.
    pub all_open: i64,
    /// Out of sight for now.
    pub snoozed: i64,
    /// Done.
    pub closed: i64,
}

impl Queue {
    const fn staff(self) -> Option<StaffId> {
        match self {
            Self::Mine(staff) | Self::Team(staff) => Some(staff),
            Self::Unassigned | Self::All | Self::Snoozed | Self::Closed => None,
        }
    }

    /// What it is ordered by, besides the id; closed ones downwards.
    const fn order(self) -> &'static str {
        match self {
            Self::Unassigned | Self::Mine(_) | Self::Team(_) | Self::All => "sort_at",
            Self::Snoozed => "snoozed_until",
            Self::Closed => "last_message_at",
        }
    }

    /// Where a conversation of this queue stands in it: what the next page begins after.
    pub fn position(self, conversation: &Conversation) -> (Timestamp, ConversationId) {
        let end = Timestamp::from_micros(i64::MAX);
        let at = match self {
            Self::Unassigned | Self::Mine(_) | Self::Team(_) | Self::All => {
                conversation.waiting_since.unwrap_or(end)
            }
            Self::Snoozed => conversation.snoozed_until.unwrap_or(end),
            Self::Closed => conversation.last_message_at,
        };
        (at, conversation.id)
    }

    /// The conditions with the number of the last value. `state <> 'closed'` stands in the index's own words, and
    /// nothing here is `state = …` beside it: `SQLite` would put the one into the other and not know the index.
    fn conditions(self, filters: &Filters) -> (String, usize) {
        let mut sql = match self {
            Self::Unassigned => " AND state <> 'closed' AND state <> 'snoozed' AND assignee_id IS NULL",
            Self::Mine(_) => " AND state <> 'closed' AND assignee_id = $2",
            Self::Team(_) => {
                " AND state <> 'closed' AND team_id IN (SELECT team_id FROM team_members WHERE organization_id = $1 AND staff_id = $2)"
            }
            Self::All => " AND state <> 'closed'",
            Self::Snoozed => " AND state = 'snoozed'",
            Self::Closed => " AND state = 'closed'",
        }
        .to_owned();
        let mut value = if self.staff().is_some() { 2 } else { 1 };
        let mut among = |count: usize, before: &str, after: &str| {
            if count > 0 {
                let values: Vec<_> = (value + 1..=value + count).map(|number| format!("${number}")).collect();
                value += count;
                let _ = write!(sql, " AND {before} IN ({}){after}", values.join(", "));
            }
        };
        among(filters.facilities.len(), "facility_id", "");
        among(filters.numbers.len(), "number_id", "");
        among(filters.teams.len(), "team_id", "");
        // Of the closed there are too many to look at the tags of each.
        let tagged = if matches!(self, Self::Closed) {
            "id IN (SELECT conversation_id FROM conversation_tags WHERE organization_id = $1 AND tag"
        } else {
            "EXISTS (SELECT 1 FROM conversation_tags t WHERE t.organization_id = $1 \
             AND t.conversation_id = conversations.id AND t.tag"
        };
        among(filters.tags.len(), tagged, ")");
        among(filters.categories.len(), "category", "");
        among(filters.priorities.len(), "priority", "");
        (sql, value)
    }

    /// The statement that reads a page: tests look at its plan.
    #[doc(hidden)]
    pub fn page_sql(self, filters: &Filters) -> String {
        let ((conditions, last), order) = (self.conditions(filters), self.order());
        let (at, id, limit) = (last + 1, last + 2, last + 3);
        let (beyond, down) = if matches!(self, Self::Closed) { ("<", " DESC") } else { (">", "") };
        format!(
            "{}{conditions} AND ({order}, id) {beyond} (${at}, ${id}) ORDER BY {order}{down}, id{down} LIMIT ${limit}",
            sql!("conversations/list").trim_end(),
        )
    }

    /// The statement that counts: tests look at its plan.
    #[doc(hidden)]
    pub fn count_sql(self, filters: &Filters) -> String {
        format!("SELECT COUNT(*) FROM conversations WHERE organization_id = $1{}", self.conditions(filters).0)
    }
}

/// Binds what `conditions` numbers, in its order.
macro_rules! bound {
    ($query:expr, $queue:expr, $filters:expr) => {{
        let mut query = $query;
        if let Some(staff) = $queue.staff() {
            query = query.bind(staff);
        }
        for id in &$filters.facilities {
            query = query.bind(*id);
        }
        for id in &$filters.numbers {
            query = query.bind(*id);
        }
        for id in &$filters.teams {
            query = query.bind(*id);
        }
        for word in $filters.tags.iter().chain(&$filters.categories) {
            query = query.bind(word.clone());
        }
        for priority in &$filters.priorities {
            query = query.bind(*priority);
        }
        query
    }};
}

impl Org<'_> {
    /// A page of a queue; `after` is the [`Queue::position`] of the last one seen.
    pub async fn queue(
        &mut self,
        queue: Queue,
        filters: &Filters,
        after: Option<(Timestamp, ConversationId)>,
        limit: u32,
    ) -> Result<Vec<Conversation>, StoreError> {
        let begin = if queue == Queue::Closed { i64::MAX } else { i64::MIN };
        let (at, id) = after.unwrap_or((Timestamp::from_micros(begin), ConversationId::LEAST));
        let (organization, sql) = (self.organization, queue.page_sql(filters));
        let rows: Vec<ConversationRow> = on!(self.conn(), c => {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(organization);
            bound!(query, queue, filters).bind(at).bind(id).bind(i64::from(limit)).fetch_all(c).await?
        });
        rows.into_iter().map(|row| self.open_conversation(row)).collect()
    }

    /// How many of a queue pass `filters`.
    pub async fn count_in_queue(&mut self, queue: Queue, filters: &Filters) -> Result<i64, StoreError> {
        let (organization, sql) = (self.organization, queue.count_sql(filters));
        let (count,): (i64,) = on!(self.conn(), c => {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(organization);
            bound!(query, queue, filters).fetch_one(c).await?
        });
        Ok(count)
    }

    /// Sizes of the queues as `staff` sees them.
    pub async fn queue_counts(&mut self, staff: StaffId) -> Result<QueueCounts, StoreError> {
        Ok(fetch_optional!(self, QueueCounts, "conversations/counts", staff).unwrap_or_default())
    }
}
