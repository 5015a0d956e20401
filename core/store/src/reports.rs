//! What reports are made of: spans of conversations and counts by quarter of an hour, drawn from the events.
//!
//! The server reads events behind the position, makes figures of them and hands them to [`Org::draw_report`], which
//! stores them and moves the position in one transaction: each event is counted once, whoever was killed meanwhile.

use anteroom_model::{
    ids::{ConversationId, FacilityId, MessageId, NumberId, OrganizationId, StaffId, TeamId},
    time::Timestamp,
};
use sqlx::{FromRow, Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

use crate::{
    Org, Store, StoreError,
    conn::{Conn, execute, fetch_all, fetch_optional, on},
    sql,
};

/// Rows written by one statement: `SQLite` takes 32,766 values.
const ROWS: usize = 500;

/// One time that a conversation was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Span {
    /// When.
    pub opened_at: Timestamp,
    /// The event that opened it.
    pub opened_seq: i64,
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Where it is: `LEAST` stands for none.
    #[sqlx(flatten)]
    pub place: Place,
    /// When the patient's first text in it arrived.
    pub waiting_from: Option<Timestamp>,
    /// When a person first replied after that.
    pub first_reply_at: Option<Timestamp>,
    /// Who.
    pub first_reply_by: Option<StaffId>,
    /// From that text to that reply, in microseconds.
    pub reply_micros: Option<i64>,
    /// Of these, within opening hours.
    pub reply_open_micros: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// By whom.
    pub closed_by: Option<StaffId>,
    /// From opening to closing, in microseconds.
    pub close_micros: Option<i64>,
    /// Of these, within opening hours.
    pub close_open_micros: Option<i64>,
}

/// What a conversation belongs to; `LEAST` stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromRow)]
pub struct Place {
    /// The clinic's number.
    pub number_id: NumberId,
    /// The facility.
    pub facility_id: FacilityId,
    /// The team.
    pub team_id: TeamId,
}

impl Place {
    /// Nowhere in particular.
    pub const NONE: Self =
        Self { number_id: NumberId::LEAST, facility_id: FacilityId::LEAST, team_id: TeamId::LEAST };
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// The beginning of the quarter of an hour.
    pub quarter: Timestamp,
    /// What happened.
    pub kind: &'static str,
    /// Where.
    pub place: Place,
    /// Who did it; `LEAST`: nobody of staff.
    pub staff_id: StaffId,
}

/// Figures drawn from a stretch of events.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// Spans that are new or have changed.
    pub spans: Vec<Span>,
    /// What is to be added to the counts.
    pub counts: Vec<(CountKey, i64)>,
}

/// Which figures.
#[derive(Clone, Copy, Debug)]
pub struct ReportFilter {
    /// From then on.
    pub since: Timestamp,
    /// Before then.
    pub until: Timestamp,
    /// Only of this number.
    pub number_id: Option<NumberId>,
    /// Only of this facility.
    pub facility_id: Option<FacilityId>,
    /// Only of this team.
    pub team_id: Option<TeamId>,
    /// Only what this person did. Spans are given whole; the caller looks at who replied and who closed.
    pub staff_id: Option<StaffId>,
}

/// Events of a kind within a quarter of an hour.
#[derive(Clone, Debug, FromRow)]
pub struct QuarterCount {
    /// Its beginning.
    pub quarter: Timestamp,
    /// What happened.
    pub kind: String,
    /// How often.
    pub happened: i64,
}

/// Events of a kind by number, facility, team or person.
#[derive(Clone, Debug, FromRow)]
pub struct KeyCount {
    /// Which; nil: none.
    pub key: Uuid,
    /// What happened.
    pub kind: String,
    /// How often.
    pub happened: i64,
}

/// A span as times are made of it.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct SpanTimes {
    /// When it began.
    pub opened_at: Timestamp,
    /// The patient has texted in it.
    pub waited: bool,
    /// It is over.
    pub closed: bool,
    /// Number, facility or team, as asked for; nil: none.
    pub key: Option<Uuid>,
    /// Who replied first, where it is asked by person.
    pub replied_by: Option<StaffId>,
    /// Who closed it, where it is asked by person.
    pub closed_by: Option<StaffId>,
    /// To the first reply.
    pub reply_micros: Option<i64>,
    /// The same within opening hours.
    pub reply_open_micros: Option<i64>,
    /// To closing.
    pub close_micros: Option<i64>,
    /// The same within opening hours.
    pub close_open_micros: Option<i64>,
}

/// Open conversations whose patients wait, of one place and person.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct WaitingCount {
    /// The clinic's number.
    pub number_id: NumberId,
    /// The facility.
    pub facility_id: Option<FacilityId>,
    /// The team.
    pub team_id: Option<TeamId>,
    /// Who has them; `None`: unassigned.
    pub assignee_id: Option<StaffId>,
    /// How many.
    pub waiting: i64,
    /// Since when the longest of them waits.
    pub since: Timestamp,
}

impl Store {
    /// Organizations whose figures don't hold all events yet, at most a hundred.
    pub async fn reports_behind(&self) -> Result<Vec<OrganizationId>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_scalar(sql!("reports/behind")).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// The last event that the figures hold, and the last there is.
    pub async fn report_position(&mut self) -> Result<(i64, i64), StoreError> {
        Ok(fetch_optional!(self, (i64, i64), "reports/position").unwrap_or((0, 0)))
    }

    /// The latest span of a conversation.
    pub async fn last_span(&mut self, conversation: ConversationId) -> Result<Option<Span>, StoreError> {
        Ok(fetch_optional!(self, Span, "reports/last_span", conversation))
    }

    /// What a conversation belongs to now.
    pub async fn place_of(&mut self, conversation: ConversationId) -> Result<Place, StoreError> {
        type Row = (NumberId, Option<FacilityId>, Option<TeamId>);
        let row = fetch_optional!(self, Row, "reports/place", conversation);
        Ok(row.map_or(Place::NONE, |(number_id, facility, team)| Place {
            number_id,
            facility_id: facility.unwrap_or(FacilityId::LEAST),
            team_id: team.unwrap_or(TeamId::LEAST),
        }))
    }

    /// When a text was stored.
    pub async fn arrived_at(&mut self, message: MessageId) -> Result<Option<Timestamp>, StoreError> {
        Ok(fetch_optional!(self, (Timestamp,), "reports/arrived", message).map(|(at,)| at))
    }

    /// Stores what was drawn from the events after `from` up to `to`; `false`, and nothing stored, where others have
    /// done so.
    pub async fn draw_report(&mut self, from: i64, to: i64, drawn: &Drawn) -> Result<bool, StoreError> {
        if execute!(self, "reports/move", from, to) == 0 {
            return Ok(false);
        }
        for spans in drawn.spans.chunks(ROWS) {
            self.store_spans(spans).await?;
        }
        for counts in drawn.counts.chunks(ROWS) {
            self.add_counts(counts).await?;
        }
        Ok(true)
    }

    async fn store_spans(&mut self, spans: &[Span]) -> Result<(), StoreError> {
        let organization = self.organization;
        macro_rules! insert {
            ($engine:ty, $c:expr) => {{
                let mut query = QueryBuilder::<$engine>::new(sql!("reports/insert_spans"));
                query.push_values(spans, |mut values, span| {
                    values
                        .push_bind(organization)
                        .push_bind(span.opened_at)
                        .push_bind(span.opened_seq)
                        .push_bind(span.conversation_id)
                        .push_bind(span.place.number_id)
                        .push_bind(span.place.facility_id)
                        .push_bind(span.place.team_id)
                        .push_bind(span.waiting_from)
                        .push_bind(span.first_reply_at)
                        .push_bind(span.first_reply_by)
                        .push_bind(span.reply_micros)
                        .push_bind(span.reply_open_micros)
                        .push_bind(span.closed_at)
                        .push_bind(span.closed_by)
                        .push_bind(span.close_micros)
                        .push_bind(span.close_open_micros);
                });
                query.push(sql!("reports/update_spans"));
                query.build().execute(&mut **$c).await?;
            }};
        }
        match self.conn() {
            Conn::Sqlite(c) => insert!(Sqlite, c),
            Conn::Postgres(c) => insert!(Postgres, c),
        }
        Ok(())
    }

    async fn add_counts(&mut self, counts: &[(CountKey, i64)]) -> Result<(), StoreError> {
        let organization = self.organization;
        macro_rules! insert {
            ($engine:ty, $c:expr) => {{
                let mut query = QueryBuilder::<$engine>::new(sql!("reports/insert_counts"));
                query.push_values(counts, |mut values, (key, happened)| {
                    values
                        .push_bind(organization)
                        .push_bind(key.quarter)
                        .push_bind(key.kind)
                        .push_bind(key.place.number_id)
                        .push_bind(key.place.facility_id)
                        .push_bind(key.place.team_id)
                        .push_bind(key.staff_id)
                        .push_bind(*happened);
                });
                query.push(sql!("reports/add_counts"));
                query.build().execute(&mut **$c).await?;
            }};
        }
        match self.conn() {
            Conn::Sqlite(c) => insert!(Sqlite, c),
            Conn::Postgres(c) => insert!(Postgres, c),
        }
        Ok(())
    }

    /// What happened, by quarter of an hour.
    pub async fn counts_by_quarter(&mut self, of: &ReportFilter) -> Result<Vec<QuarterCount>, StoreError> {
        let ReportFilter { since, until, number_id, facility_id, team_id, staff_id } = *of;
        Ok(fetch_all!(
            self,
            QuarterCount,
            "reports/by_quarter",
            since,
            until,
            number_id,
            facility_id,
            team_id,
            staff_id
        ))
    }

    /// What happened, by `number`, `facility`, `team` or `staff`.
    pub async fn counts_by_key(
        &mut self,
        of: &ReportFilter,
        by: &'static str,
    ) -> Result<Vec<KeyCount>, StoreError> {
        let ReportFilter { since, until, number_id, facility_id, team_id, staff_id } = *of;
        Ok(fetch_all!(
            self,
            KeyCount,
            "reports/by_key",
            since,
            until,
            number_id,
            facility_id,
            team_id,
            staff_id,
            by
        ))
    }

    /// Spans that began in that time, with the key that is asked for: `number`, `facility`, `team`, `staff` or none.
    pub async fn span_times(
        &mut self,
        of: &ReportFilter,
        by: &'static str,
    ) -> Result<Vec<SpanTimes>, StoreError> {
        let ReportFilter { since, until, number_id, facility_id, team_id, .. } = *of;
        Ok(fetch_all!(self, SpanTimes, "reports/spans", since, until, number_id, facility_id, team_id, by))
    }

    /// Who waits for an answer now.
    pub async fn waiting_now(&mut self) -> Result<Vec<WaitingCount>, StoreError> {
        Ok(fetch_all!(self, WaitingCount, "reports/waiting"))
    }
}
