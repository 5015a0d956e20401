//! Genuine deliveries that could not be taken: kept sealed, so that none is lost to a mistake of ours.

use std::fmt;

use anteroom_model::{
    ids::{CarrierAccountId, DeliveryId},
    states::DeliveryState,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// A request as it came; sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawDelivery {
    /// `POST`.
    pub method: String,
    /// As in the request line.
    pub path_and_query: String,
    /// Names and values, both as text; a value that is none is left out.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// The address that was called, as the carrier knows it.
    pub public_url: String,
}

/// A text that came by a link, for a number that is not set up; sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkText {
    /// Of the link.
    pub carrier_message_id: String,
    /// Who texted.
    pub from: String,
    /// Whom.
    pub to: String,
    /// What.
    pub body: String,
    /// Reference, number and count, where it is a piece of a longer text.
    #[serde(default)]
    pub part: Option<(String, u8, u8)>,
}

/// What came by a link and could not be read; sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOctets {
    /// The id that was made for it.
    pub carrier_message_id: String,
    /// The whole command.
    pub octets: Vec<u8>,
}

/// What was kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryContent {
    /// A webhook's.
    Request(RawDelivery),
    /// A link's.
    Text(LinkText),
    /// A link's that could not be read.
    Octets(LinkOctets),
}

/// One that was kept.
#[derive(Clone)]
pub struct KeptDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Whose carrier's.
    pub carrier_account_id: CarrierAccountId,
    /// `messages`, `status` or `link`.
    pub endpoint: String,
    /// Why it was kept, or that it was taken meanwhile.
    pub state: DeliveryState,
    /// What was wrong: `missing_field`, `number_unknown`, …
    pub reason: String,
    /// As it came.
    pub content: DeliveryContent,
    /// How often it was retried.
    pub attempts: i32,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was last retried.
    pub retried_at: Option<Timestamp>,
}

/// One to be kept.
#[derive(Clone)]
pub struct NewKeptDelivery {
    /// Whose carrier's.
    pub carrier_account_id: CarrierAccountId,
    /// `messages`, `status` or `link`.
    pub endpoint: &'static str,
    /// `unparsed` or `undeliverable`.
    pub state: DeliveryState,
    /// What is wrong with it.
    pub reason: &'static str,
    /// As it came.
    pub content: DeliveryContent,
}

impl fmt::Debug for KeptDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptDelivery").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for NewKeptDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKeptDelivery").field("reason", &self.reason).finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct Row {
    id: DeliveryId,
    carrier_account_id: CarrierAccountId,
    endpoint: String,
    state: DeliveryState,
    reason: String,
    content: Vec<u8>,
    attempts: i32,
    received_at: Timestamp,
    retried_at: Option<Timestamp>,
}

const CONTENT: &str = "deliveries.content";

impl DeliveryContent {
    /// What makes two of them the same: what carriers repeat to the byte. Signatures and their moments change
    /// with every attempt.
    fn identity(&self) -> Vec<u8> {
        match self {
            Self::Request(raw) => {
                let query = raw.path_and_query.split_once('?').map_or("", |(_, query)| query);
                let body = if raw.body.is_empty() { query.as_bytes() } else { &raw.body };
                [b"request\n".as_slice(), body].concat()
            }
            Self::Text(LinkText { carrier_message_id, .. })
            | Self::Octets(LinkOctets { carrier_message_id, .. }) => {
                format!("text\n{carrier_message_id}").into_bytes()
            }
        }
    }
}

impl Org<'_> {
    /// Keeps a delivery. `None`: the same one is there already; else its id, and whether it is the only one of
    /// the account in that state.
    pub async fn keep_delivery(
        &mut self,
        new: &NewKeptDelivery,
    ) -> Result<Option<(DeliveryId, bool)>, StoreError> {
        let (id, now): (DeliveryId, _) = (self.new_id(), self.now);
        let account = new.carrier_account_id;
        let hash = self.keys.lookup("delivery", new.content.identity());
        let content = self.keys.seal_json(CONTENT, id.0, &new.content)?;
        let (endpoint, state, reason) = (new.endpoint, new.state, new.reason);
        if execute!(self, "deliveries/insert", id, account, endpoint, state, reason, content, hash, now) == 0
        {
            return Ok(None);
        }
        let first = fetch_optional!(self, (bool,), "deliveries/is_first", state, account, id);
        Ok(Some((id, first.is_some_and(|(first,)| first))))
    }

    /// Those in `state` before `before`, newest first.
    pub async fn kept_deliveries(
        &mut self,
        state: DeliveryState,
        before: DeliveryId,
        limit: u32,
    ) -> Result<Vec<KeptDelivery>, StoreError> {
        let rows = fetch_all!(self, Row, "deliveries/list", state, before, i64::from(limit));
        rows.into_iter().map(|row| self.open_delivery(row)).collect()
    }

    /// One of them.
    pub async fn kept_delivery(&mut self, id: DeliveryId) -> Result<Option<KeptDelivery>, StoreError> {
        let row = fetch_optional!(self, Row, "deliveries/get", id);
        row.map(|row| self.open_delivery(row)).transpose()
    }

    /// Records how a retry ended.
    pub async fn delivery_retried(
        &mut self,
        id: DeliveryId,
        state: DeliveryState,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "deliveries/retried", id, state, reason, now) > 0)
    }

    fn open_delivery(&self, row: Row) -> Result<KeptDelivery, StoreError> {
        Ok(KeptDelivery {
            content: self.keys.open_json(CONTENT, row.id.0, &row.content)?,
            id: row.id,
            carrier_account_id: row.carrier_account_id,
            endpoint: row.endpoint,
            state: row.state,
            reason: row.reason,
            attempts: row.attempts,
            received_at: row.received_at,
            retried_at: row.retried_at,
        })
    }
}
