//! What carriers say of the numbers' registrations, beside `numbers.registration`, which follows from it.

use anteroom_model::{
    ids::{NodeId, NumberId, OrganizationId, StaffId},
    registration::PartState,
    states::RegistrationSource,
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

/// What is known of a number's registration. A number without one was set by hand when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRegistration {
    /// Which number.
    pub number_id: NumberId,
    /// Who said what `numbers.registration` is.
    pub source: RegistrationSource,
    /// The carrier's own words, part by part.
    pub parts: Vec<PartState>,
    /// By hand: who.
    pub set_by: Option<StaffId>,
    /// When the carrier was last asked and answered.
    pub checked_at: Option<Timestamp>,
    /// When it is asked again; `None`: never.
    pub due_at: Option<Timestamp>,
    /// Checks that failed in a row.
    pub failures: i32,
    /// Why the last one did.
    pub failure: Option<String>,
    /// The carrier's code of the refused text that closed it.
    pub closed_code: Option<String>,
    /// When that was.
    pub closed_at: Option<Timestamp>,
    /// When any of this last changed.
    pub updated_at: Timestamp,
}

impl NumberRegistration {
    /// One of which nothing is known yet.
    pub const fn new(number_id: NumberId, source: RegistrationSource, at: Timestamp) -> Self {
        Self {
            number_id,
            source,
            parts: Vec::new(),
            set_by: None,
            checked_at: None,
            due_at: None,
            failures: 0,
            failure: None,
            closed_code: None,
            closed_at: None,
            updated_at: at,
        }
    }
}

#[derive(FromRow)]
struct Row {
    number_id: NumberId,
    source: RegistrationSource,
    parts: Vec<u8>,
    set_by: Option<StaffId>,
    checked_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
    failures: i32,
    failure: Option<String>,
    closed_code: Option<String>,
    closed_at: Option<Timestamp>,
    updated_at: Timestamp,
}

const PARTS: &str = "number_registrations.parts";

impl Store {
    /// Leases a number whose carrier is to be asked about it to `node` until `until`.
    pub async fn claim_registration(
        &self,
        node: NodeId,
        until: Timestamp,
    ) -> Result<Option<(OrganizationId, NumberId)>, StoreError> {
        let now = self.now();
        // Mostly there is none, and looking needs no transaction.
        let mut conn = self.reader().await?;
        let due: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("registrations/due")).bind(now).bind(node).fetch_one(c).await?
        });
        drop(conn);
        if !due {
            return Ok(None);
        }
        self.write_across(move |conn| {
            async move {
                let query = conn.pick(twin!("registrations/claim"));
                on!(conn, c => sqlx::query_as(query).bind(now).bind(node).bind(until).fetch_optional(c).await)
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// All that is known of registrations.
    pub async fn registrations(&mut self) -> Result<Vec<NumberRegistration>, StoreError> {
        let rows = fetch_all!(self, Row, "registrations/all");
        rows.into_iter().map(|row| self.open_registration(row)).collect()
    }

    /// What is known of one number's.
    pub async fn registration(&mut self, id: NumberId) -> Result<Option<NumberRegistration>, StoreError> {
        let row = fetch_optional!(self, Row, "registrations/get", id);
        row.map(|row| self.open_registration(row)).transpose()
    }

    /// Stores what is known, and ends the lease.
    pub async fn put_registration(&mut self, registration: &NumberRegistration) -> Result<(), StoreError> {
        let (id, now) = (registration.number_id, self.now);
        let parts = self.keys.seal_json(PARTS, id.0, &registration.parts)?;
        execute!(
            self,
            "registrations/put",
            id,
            registration.source,
            parts,
            registration.set_by,
            registration.checked_at,
            registration.due_at,
            registration.failures,
            registration.failure.as_deref(),
            registration.closed_code.as_deref(),
            registration.closed_at,
            now,
        );
        Ok(())
    }

    fn open_registration(&self, row: Row) -> Result<NumberRegistration, StoreError> {
        Ok(NumberRegistration {
            parts: self.keys.open_json(PARTS, row.number_id.0, &row.parts)?,
            number_id: row.number_id,
            source: row.source,
            set_by: row.set_by,
            checked_at: row.checked_at,
            due_at: row.due_at,
            failures: row.failures,
            failure: row.failure,
            closed_code: row.closed_code,
            closed_at: row.closed_at,
            updated_at: row.updated_at,
        })
    }
}
