//! Which node holds the link of an account that has no webhooks, and which of its texts may come again.

use std::time::Duration;

use anteroom_model::{
    ids::{CarrierAccountId, NodeId, OrganizationId},
    states::LinkState,
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// No message centre repeats a text that late.
const REPEATED: Duration = Duration::from_hours(48);

/// A link as its holder last told.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct CarrierLink {
    /// Whose.
    pub carrier_account_id: CarrierAccountId,
    /// Who holds it.
    pub node: NodeId,
    /// Until when, unless it is heard of again.
    pub lease_until: Timestamp,
    /// Whether it is up.
    pub state: LinkState,
    /// Since when it is so.
    pub since: Timestamp,
}

impl Store {
    /// All accounts of a carrier, of all organizations.
    pub async fn accounts_of_carrier(
        &self,
        carrier: &str,
    ) -> Result<Vec<(OrganizationId, CarrierAccountId)>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => {
            sqlx::query_as(sql!("accounts/of_carrier")).bind(carrier).fetch_all(c).await?
        }))
    }

    /// Drops what no message centre will send again; how many.
    pub async fn forget_link_deliveries(&self) -> Result<u64, StoreError> {
        let before = self.now().minus(REPEATED);
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    let query = sqlx::query(sql!("links/forget_old"));
                    query.bind(before).execute(c).await.map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// Takes or keeps a link for `node`, and says how it is; whether it is the node's until `until`.
    pub async fn hold_link(
        &mut self,
        id: CarrierAccountId,
        node: NodeId,
        until: Timestamp,
        state: LinkState,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "links/hold", id, node, until, state, now) > 0)
    }

    /// Gives a link up, if it is the node's.
    pub async fn release_link(&mut self, id: CarrierAccountId, node: NodeId) -> Result<bool, StoreError> {
        Ok(execute!(self, "links/release", id, node) > 0)
    }

    /// Who holds an account's link.
    pub async fn link(&mut self, id: CarrierAccountId) -> Result<Option<CarrierLink>, StoreError> {
        Ok(fetch_optional!(self, CarrierLink, "links/get", id))
    }

    /// All links that are held.
    pub async fn links(&mut self) -> Result<Vec<CarrierLink>, StoreError> {
        Ok(fetch_all!(self, CarrierLink, "links/all"))
    }

    /// Notes that a text of a link may come again, under the id that it has got.
    pub async fn expect_link_delivery(
        &mut self,
        account: CarrierAccountId,
        carrier_message_id: &str,
        fingerprint: &[u8],
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "links/expect", account, carrier_message_id, fingerprint, now);
        Ok(())
    }

    /// Fingerprints and ids of the texts that may come again, oldest first.
    pub async fn expected_link_deliveries(
        &mut self,
        account: CarrierAccountId,
    ) -> Result<Vec<(Vec<u8>, String)>, StoreError> {
        let since = self.now.minus(REPEATED);
        Ok(fetch_all!(self, (Vec<u8>, String), "links/expected", account, since))
    }

    /// These won't come again.
    pub async fn settle_link_deliveries(
        &mut self,
        account: CarrierAccountId,
        carrier_message_ids: &[String],
    ) -> Result<(), StoreError> {
        for id in carrier_message_ids {
            execute!(self, "links/settle", account, id.as_str());
        }
        Ok(())
    }
}
