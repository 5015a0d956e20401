//! Receipts that were faster than the carrier's answer to the send, and name the text by its id.

use std::time::Duration;

use anteroom_model::{ids::CarrierAccountId, states::MessageState};
use futures::FutureExt;
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, on, twin},
    sql,
};

/// Kept so long: an answer that comes later is looked up at the carrier. Other programs may send through the same
/// account; their receipts are never asked for.
const KEPT: Duration = Duration::from_hours(48);

/// A receipt whose text is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct EarlyReceipt {
    /// `sent`, `delivered` or `failed`.
    pub state: MessageState,
    /// The carrier's code of a failure.
    pub error_code: Option<String>,
}

impl Store {
    /// Drops those that nobody will ask for any more; how many.
    pub async fn forget_early_receipts(&self) -> Result<u64, StoreError> {
        let before = self.now().minus(KEPT);
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    let query = sqlx::query(sql!("receipts/forget_old"));
                    query.bind(before).execute(c).await.map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// Waits for whoever else learns or looks for the text that has this id at the carrier, until this unit of work
    /// ends. A receipt's text is looked for again behind it: without it, a receipt and the answer to the send could
    /// pass each other unseen.
    pub async fn lock_receipts(
        &mut self,
        account: CarrierAccountId,
        carrier_message_id: &str,
    ) -> Result<(), StoreError> {
        let query = self.conn().pick(twin!("receipts/lock"));
        on!(self.conn(), c => {
            sqlx::query(query).bind(account).bind(carrier_message_id).execute(c).await?;
        });
        Ok(())
    }

    /// Keeps a receipt until the text it is about is known; behind [`Org::lock_receipts`].
    pub async fn keep_early_receipt(
        &mut self,
        account: CarrierAccountId,
        carrier_message_id: &str,
        receipt: &EarlyReceipt,
    ) -> Result<(), StoreError> {
        let (now, code) = (self.now, receipt.error_code.as_deref());
        execute!(self, "receipts/keep", account, carrier_message_id, receipt.state, code, now);
        Ok(())
    }

    /// Takes what came for a text whose carrier's id is known now.
    pub async fn take_early_receipts(
        &mut self,
        account: CarrierAccountId,
        carrier_message_id: &str,
    ) -> Result<Vec<EarlyReceipt>, StoreError> {
        self.lock_receipts(account, carrier_message_id).await?;
        Ok(fetch_all!(self, EarlyReceipt, "receipts/take", account, carrier_message_id))
    }
}
