//! Where carriers' lists of messages have been read up to: what a lost webhook never told is looked for there.

use anteroom_model::{
    ids::{CarrierAccountId, NodeId, OrganizationId},
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, on, twin},
    sql,
};

const PAGE: &str = "reconciliations.page";

/// A look into a carrier's list that a node has leased.
#[derive(Clone)]
pub struct ReconcileWork {
    /// Whose.
    pub organization: OrganizationId,
    /// Of which account.
    pub account: CarrierAccountId,
    /// Everything before was compared.
    pub listed_until: Option<Timestamp>,
    /// Where a look that was not finished goes on, as whoever kept it wrote it.
    pub page: Option<String>,
    /// Looks that failed in a row.
    pub failures: i32,
}

/// How looking is going.
#[derive(Clone, Debug, FromRow)]
pub struct Reconciliation {
    /// Of which account.
    pub carrier_account_id: CarrierAccountId,
    /// Everything before was compared.
    pub listed_until: Option<Timestamp>,
    /// When it is looked again.
    pub due_at: Timestamp,
    /// Looks that failed in a row.
    pub failures: i32,
    /// `ok`, or what failed: a stable word.
    pub last_outcome: Option<String>,
    /// When the last look ended.
    pub last_at: Option<Timestamp>,
    /// Texts taken in that no webhook told of.
    pub found_messages: i64,
    /// Texts of ours that were further than any receipt had said.
    pub found_receipts: i64,
}

/// How a look ended.
#[derive(Clone, Debug)]
pub struct ReconcileEnd {
    /// Everything before is compared now; `None` where it was not finished.
    pub listed_until: Option<Timestamp>,
    /// Whether to go on from the page that was kept last.
    pub goes_on: bool,
    /// When to look again.
    pub due_at: Timestamp,
    /// `ok`, or what failed.
    pub outcome: &'static str,
}

#[derive(FromRow)]
struct WorkRow {
    organization_id: OrganizationId,
    carrier_account_id: CarrierAccountId,
    listed_until: Option<Timestamp>,
    page: Option<Vec<u8>>,
    failures: i32,
}

impl Store {
    /// Leases the look that has been due longest to `node` until `until`.
    pub async fn claim_reconciliation(
        &self,
        node: NodeId,
        until: Timestamp,
    ) -> Result<Option<ReconcileWork>, StoreError> {
        let now = self.now();
        let mut conn = self.reader().await?;
        let found: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("reconciliations/claimable")).bind(now).fetch_one(c).await?
        });
        drop(conn);
        if !found {
            return Ok(None);
        }
        let row: Option<WorkRow> = self
            .write_across(move |conn| {
                async move {
                    let query = conn.pick(twin!("reconciliations/claim"));
                    on!(conn, c => sqlx::query_as(query).bind(now).bind(until).bind(node).fetch_optional(c).await)
                }
                .boxed()
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let keys = self.keys(row.organization_id).await?;
        let page =
            row.page.map(|sealed| keys.open_text(PAGE, row.carrier_account_id.0, &sealed)).transpose()?;
        Ok(Some(ReconcileWork {
            organization: row.organization_id,
            account: row.carrier_account_id,
            listed_until: row.listed_until,
            page,
            failures: row.failures,
        }))
    }

    /// Gives back what an earlier life of `node` had leased.
    pub async fn release_reconciliations(&self, node: NodeId) -> Result<u64, StoreError> {
        let now = self.now();
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    let query = sqlx::query(sql!("reconciliations/release")).bind(now).bind(node);
                    query.execute(c).await.map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// Sees to it that this account's list is looked into, from `due_at` on.
    pub async fn expect_reconciliation(
        &mut self,
        account: CarrierAccountId,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(self, "reconciliations/expect", account, due_at);
        Ok(())
    }

    /// Keeps where the look has come to, what it has found, and its lease. `false`: it isn't `node`'s any more.
    pub async fn keep_reconciliation(
        &mut self,
        account: CarrierAccountId,
        node: NodeId,
        page: Option<&str>,
        until: Timestamp,
        found: (i64, i64),
    ) -> Result<bool, StoreError> {
        let page = page.map(|page| self.keys.seal(PAGE, account.0, page.as_bytes())).transpose()?;
        Ok(execute!(self, "reconciliations/keep", account, node, page, until, found.0, found.1) > 0)
    }

    /// Ends a look. `false`: it isn't `node`'s any more.
    pub async fn finish_reconciliation(
        &mut self,
        account: CarrierAccountId,
        node: NodeId,
        end: &ReconcileEnd,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let ended = execute!(
            self,
            "reconciliations/finish",
            account,
            node,
            end.listed_until,
            end.goes_on,
            end.due_at,
            end.outcome,
            now
        );
        Ok(ended > 0)
    }

    /// How looking is going, for each account that is looked at.
    pub async fn reconciliations(&mut self) -> Result<Vec<Reconciliation>, StoreError> {
        Ok(fetch_all!(self, Reconciliation, "reconciliations/all"))
    }
}
