//! Which node holds the link of an account that has no webhooks.

use anteroom_model::{
    ids::{CarrierAccountId, NodeId, OrganizationId},
    states::LinkState,
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

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
}
