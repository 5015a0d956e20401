//! How fast a number may send: who may go now, and who is next.
//!
//! A text beyond its number's pace is parked. Whoever runs the pacer picks from all that is parked, so that one
//! conversation can't hold up the others, and staff's replies don't wait behind automatic ones.

use std::{collections::HashMap, time::Duration};

use anteroom_model::{
    ids::{MessageId, NodeId, NumberId, OrganizationId},
    time::Timestamp,
};

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, on, twin},
    sql,
};

/// How long a parked text stays so where nobody runs the pacer, as every node that sends does. Its end is the order in
/// which they were parked.
const PARKED: Duration = Duration::from_hours(1);
/// After a pause so much of a number's pace may be used at once.
const BURST: Duration = Duration::from_secs(1);
/// Texts picked at once at most.
const PICKED: i64 = 200;

/// How many texts a number may send. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
}

impl Pace {
    /// So many a minute; `None` for 0: as fast as the carrier takes them.
    pub fn per_minute(texts: u32) -> Option<Self> {
        (texts > 0).then(|| Self { interval: Duration::from_mins(1) / texts })
    }

    fn interval(self) -> i64 {
        i64::try_from(self.interval.as_micros()).unwrap_or(i64::MAX)
    }

    /// Until when the number may be taken for free already at `now`.
    fn tolerance(self, now: Timestamp) -> Timestamp {
        now.plus(BURST.saturating_sub(self.interval))
    }
}

impl Store {
    /// Numbers with parked texts.
    pub async fn parked_numbers(&self) -> Result<Vec<(OrganizationId, NumberId)>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("pace/waiting")).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Texts a minute by number, where they were set; 0: not paced.
    pub async fn paces(&mut self) -> Result<HashMap<NumberId, u32>, StoreError> {
        let rows = fetch_all!(self, (NumberId, i32), "pace/paces");
        Ok(rows.into_iter().map(|(id, texts)| (id, u32::try_from(texts).unwrap_or(0))).collect())
    }

    /// Sets texts a minute; `None`: as usual for its kind.
    pub async fn set_pace(&mut self, number: NumberId, per_minute: Option<u32>) -> Result<(), StoreError> {
        let texts = per_minute.map(|texts| i32::try_from(texts).unwrap_or(i32::MAX));
        execute!(self, "pace/set", number, texts);
        Ok(())
    }

    /// Whether a text leased to `node` may go now. If not it is parked, and the lease is over.
    pub async fn may_send(
        &mut self,
        id: MessageId,
        node: NodeId,
        number: NumberId,
        pace: Pace,
    ) -> Result<bool, StoreError> {
        let (organization, now) = (self.organization, self.now);
        let others: bool = on!(self.conn(), c => {
            sqlx::query_scalar(sql!("pace/any_parked")).bind(organization).bind(number).fetch_one(c).await?
        });
        // Those parked before it are asked first, and it with them.
        if !others && execute!(self, "pace/take", number, now, pace.interval(), pace.tolerance(now)) > 0 {
            return Ok(true);
        }
        execute!(self, "pace/park", id, node, now.plus(PARKED));
        Ok(false)
    }

    /// Picks the texts of `number` that may go now; how many.
    pub async fn pick_parked(&mut self, number: NumberId, pace: Option<Pace>) -> Result<usize, StoreError> {
        let (organization, now) = (self.organization, self.now);
        let query = self.conn().pick(twin!("pace/free_at"));
        let free_at: Option<Timestamp> = on!(self.conn(), c => {
            sqlx::query_scalar(query).bind(organization).bind(number).fetch_optional(c).await?
        });
        let (mut free_at, mut room) = (free_at.unwrap_or(now).max(now.minus(BURST)), 0);
        match pace {
            None => room = PICKED,
            Some(pace) => {
                while room < PICKED && free_at <= pace.tolerance(now) {
                    free_at = free_at.max(now).plus(pace.interval);
                    room += 1;
                }
            }
        }
        if room == 0 {
            return Ok(0);
        }
        let next = fetch_all!(self, (MessageId,), "pace/parked", number, room);
        let mut picked = 0;
        for (id,) in &next {
            picked += execute!(self, "pace/pick", id, now);
        }
        if let Some(pace) = pace {
            let unused = u32::try_from(room).unwrap_or(0).saturating_sub(u32::try_from(picked).unwrap_or(0));
            execute!(self, "pace/advance", number, free_at.minus(pace.interval * unused));
        }
        if picked > 0 {
            self.work.queued_outbound();
        }
        Ok(usize::try_from(picked).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_no_pace() {
        assert_eq!(Pace::per_minute(0), None);
        assert_eq!(Pace::per_minute(180).map(Pace::interval), Some(333_333));
    }
}
