//! The end of a unit of work: its events and its decisions are appended to the organization's two sequences.
//!
//! Both are numbered under the lock of the organization's row, which every unit that appends waits for: so
//! what can be done before (sealing) is, and the rest is as few statements as the engine allows.

use sqlx::{Arguments, Postgres, QueryBuilder, Sqlite, postgres::PgArguments};

use crate::{
    NewEvent, Org, StoreError,
    chain::{self, Hash, Link},
    conn::{Conn, on, twin},
    decisions::PendingDecision,
    events, sql,
};

/// An event with its place and its sealed data.
type Told = (i64, NewEvent, Vec<u8>);
/// A decision with its place in the chain.
type Decided = (i64, Hash, PendingDecision);
/// The counters after this unit of work, and the end of the chain before it.
type Counters = (i64, i64, Option<Vec<u8>>);

macro_rules! push_events {
    ($query:expr, $told:expr, $organization:expr, $now:expr) => {
        $query.push_values($told, |mut values, (seq, event, sealed)| {
            let (actor, actor_id) = event.actor.parts();
            values
                .push_bind($organization)
                .push_bind(*seq)
                .push_bind(event.kind)
                .push_bind(event.conversation_id)
                .push_bind(actor)
                .push_bind(actor_id)
                .push_bind(sealed.as_slice())
                .push_bind($now);
        })
    };
}

macro_rules! push_decisions {
    ($query:expr, $decided:expr, $organization:expr) => {
        $query.push_values($decided, |mut values, (seq, hash, decision)| {
            let new = &decision.new;
            values
                .push_bind($organization)
                .push_bind(new.id)
                .push_bind(new.conversation_id)
                .push_bind(new.message_id)
                .push_bind(new.binding_id)
                .push_bind(new.policy_id)
                .push_bind(new.hook)
                .push_bind(new.outcome)
                .push_bind(new.fault)
                .push_bind(new.effect)
                .push_bind(new.fuel)
                .push_bind(new.memory_peak)
                .push_bind(new.micros)
                .push_bind(decision.sealed.as_slice())
                .push_bind(decision.created_at)
                .push_bind(*seq)
                .push_bind(hash.as_slice());
        })
    };
}

impl Org<'_> {
    /// Appends what was told and decided. Whether there were events.
    pub(crate) async fn append(&mut self) -> Result<bool, StoreError> {
        let (events, decisions) = (self.work.take_events(), self.work.take_decisions());
        if events.is_empty() && decisions.is_empty() {
            return Ok(false);
        }
        let organization = self.organization;
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let (new_events, new_decisions) = (count(events.len()), count(decisions.len()));
        // The row of the organization is locked until the commit, so the sequences have no gaps and commit in
        // order on either engine.
        let query = self.conn().pick(twin!("events/next_seq"));
        let (event_seq, decision_seq, end): Counters = on!(self.conn(), c => {
            let query = sqlx::query_as(query).bind(organization).bind(new_events).bind(new_decisions);
            query.fetch_one(c).await?
        });
        let mut told = Vec::with_capacity(events.len());
        for (seq, event) in (event_seq - new_events + 1..).zip(events) {
            let sealed = self.keys.seal_json("events.data", events::row(seq), &event.data)?;
            told.push((seq, event, sealed));
        }
        let mut last = chain::end_of(end)?;
        let mut decided = Vec::with_capacity(decisions.len());
        for (seq, decision) in (decision_seq - new_decisions + 1..).zip(decisions) {
            last = Link::of_pending(organization, seq, &decision).hash(&last);
            decided.push((seq, last, decision));
        }
        let last = (decision_seq > 0).then_some(last);
        self.insert_all(&told, &decided, (event_seq, decision_seq, last)).await?;
        Ok(!told.is_empty())
    }

    async fn insert_all(
        &mut self,
        told: &[Told],
        decided: &[Decided],
        (event_seq, decision_seq, last): (i64, i64, Option<Hash>),
    ) -> Result<(), StoreError> {
        let (organization, now) = (self.organization, self.now);
        let last = last.as_ref().map(<[u8; 32]>::as_slice);
        match self.conn() {
            Conn::Sqlite(c) => {
                if !told.is_empty() {
                    let mut query = QueryBuilder::<Sqlite>::new(sql!("events/insert"));
                    push_events!(query, told, organization, now);
                    query.build().execute(&mut **c).await?;
                }
                if !decided.is_empty() {
                    let mut query = QueryBuilder::<Sqlite>::new(sql!("decisions/insert"));
                    push_decisions!(query, decided, organization);
                    query.build().execute(&mut **c).await?;
                    let counted = sqlx::query(sql!("events/count")).bind(organization).bind(event_seq);
                    counted.bind(decision_seq).bind(last).execute(&mut **c).await?;
                }
            }
            Conn::Postgres(c) => {
                // One trip: the row of the organization stays locked for no longer than it takes.
                let mut counted = PgArguments::default();
                let bound = counted
                    .add(organization)
                    .and_then(|()| counted.add(event_seq))
                    .and_then(|()| counted.add(decision_seq))
                    .and_then(|()| counted.add(last));
                bound.map_err(sqlx::Error::Encode)?;
                let beginning = concat!("WITH counted AS (", sql!("events/count"), ")");
                let mut query = QueryBuilder::<Postgres>::with_arguments(beginning, counted);
                if !decided.is_empty() {
                    query.push(", decided AS (").push(sql!("decisions/insert"));
                    push_decisions!(query, decided, organization);
                    query.push(")");
                }
                if !told.is_empty() {
                    query.push(", told AS (").push(sql!("events/insert"));
                    push_events!(query, told, organization, now);
                    query.push(")");
                }
                query.push(" SELECT 1").build().execute(&mut **c).await?;
            }
        }
        Ok(())
    }
}
