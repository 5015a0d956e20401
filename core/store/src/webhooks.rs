//! Programs that are told what happens: where they are, how far they have been told, what came of each try.
//!
//! The row is the queue, and `events` what waits in it: a node leases an endpoint, tells it one event after the
//! other, and moves its position with each. What is told and not yet stored when a node ends is told again.

use std::fmt;

use anteroom_model::{
    ids::{NodeId, OrganizationId, StaffId, WebhookAttemptId, WebhookId},
    states::WebhookState,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// Tries that are kept of each endpoint.
const KEPT: i64 = 200;

/// Where an endpoint is and what it is signed with; sealed as one JSON text, since addresses often hold secrets too.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct WebhookSetup {
    /// Its address.
    pub url: String,
    /// What it is for, in staff's words.
    pub description: String,
    /// What it is signed with.
    pub secret: Vec<u8>,
    /// What it was signed with before, as long as both count.
    #[serde(default)]
    pub previous: Option<PreviousSecret>,
}

/// A secret that is on its way out.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: Vec<u8>,
    /// It signs until then.
    #[zeroize(skip)]
    pub until: Timestamp,
}

impl fmt::Debug for WebhookSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSetup(…)")
    }
}

impl fmt::Debug for PreviousSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviousSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A program that is told what happens.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where it is, and its secrets.
    pub setup: WebhookSetup,
    /// Kinds of events that it is told; none: all.
    pub kinds: Vec<String>,
    /// Whether it is told.
    pub state: WebhookState,
    /// The last event that is dealt with.
    pub position: i64,
    /// Tries of the next one that failed.
    pub failures: i32,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// What the last try came to, where it failed.
    pub failure: Option<String>,
    /// The next try is not before.
    pub due_at: Option<Timestamp>,
    /// The last success.
    pub told_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
    /// When an administrator last changed it.
    pub updated_at: Timestamp,
    /// For `If-Match`.
    pub version: i64,
}

#[derive(FromRow)]
struct Row {
    id: WebhookId,
    setup: Vec<u8>,
    kinds: Json<Vec<String>>,
    state: WebhookState,
    position: i64,
    failures: i32,
    failing_since: Option<Timestamp>,
    failure: Option<String>,
    due_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    created_by: Option<StaffId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

/// One try to tell an endpoint something.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct WebhookAttempt {
    /// Its id.
    pub id: WebhookAttemptId,
    /// The event; `None` for a test.
    pub seq: Option<i64>,
    /// The event's kind.
    pub kind: String,
    /// `delivered`, or what failed.
    pub outcome: String,
    /// What was answered, if anything.
    pub status: Option<i32>,
    /// How long it took.
    pub millis: i64,
    /// When.
    pub created_at: Timestamp,
}

/// A try to be noted.
#[derive(Clone, Copy, Debug)]
pub struct NewWebhookAttempt<'a> {
    /// The event; `None` for a test.
    pub seq: Option<i64>,
    /// The event's kind.
    pub kind: &'a str,
    /// `delivered`, or what failed.
    pub outcome: &'static str,
    /// What was answered, if anything.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: i64,
}

/// Endpoints in a state, of all organizations.
#[derive(Clone, Debug, FromRow)]
pub struct WebhookBacklog {
    /// Which state.
    pub state: WebhookState,
    /// How many.
    pub count: i64,
    /// Events that they are behind, summed.
    pub behind: i64,
}

const SETUP: &str = "webhook_endpoints.setup";

impl Store {
    /// Endpoints that `node` may tell something: of all organizations.
    pub async fn due_webhooks(&self, node: NodeId) -> Result<Vec<(OrganizationId, WebhookId)>, StoreError> {
        let now = self.now();
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("webhooks/due")).bind(now).bind(node).fetch_all(c).await?))
    }

    /// How many there are in each state, and how far they are behind.
    pub async fn webhook_backlog(&self) -> Result<Vec<WebhookBacklog>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("webhooks/backlog")).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// All endpoints, in the order in which they were made.
    pub async fn webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        let rows = fetch_all!(self, Row, "webhooks/all");
        rows.into_iter().map(|row| self.open_webhook(row)).collect()
    }

    /// One endpoint.
    pub async fn webhook(&mut self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let row = fetch_optional!(self, Row, "webhooks/get", id);
        row.map(|row| self.open_webhook(row)).transpose()
    }

    /// Adds an endpoint, which is told what happens after the event `position`.
    pub async fn insert_webhook(
        &mut self,
        id: WebhookId,
        setup: &WebhookSetup,
        kinds: &[String],
        position: i64,
        by: StaffId,
    ) -> Result<(), StoreError> {
        let (now, setup) = (self.now, self.keys.seal_json(SETUP, id.0, setup)?);
        execute!(self, "webhooks/insert", id, setup, Json(kinds), position, by, now);
        Ok(())
    }

    /// Stores what an administrator made of an endpoint that is still of `webhook.version`: address, secrets, kinds,
    /// state and position. Whether it was. What was failing begins anew.
    pub async fn update_webhook(&mut self, webhook: &Webhook) -> Result<bool, StoreError> {
        let Webhook { id, setup, kinds, state, position, version, .. } = webhook;
        let (now, setup) = (self.now, self.keys.seal_json(SETUP, id.0, setup)?);
        let updated =
            execute!(self, "webhooks/update", *id, *version, setup, Json(kinds), *state, *position, now);
        Ok(updated > 0)
    }

    /// Forgets an endpoint. Whether there was one.
    pub async fn delete_webhook(&mut self, id: WebhookId) -> Result<bool, StoreError> {
        execute!(self, "webhooks/delete_attempts", id);
        Ok(execute!(self, "webhooks/delete", id) > 0)
    }

    /// Leases an endpoint to `node` until `until`. Whether it is the node's.
    pub async fn claim_webhook(
        &mut self,
        id: WebhookId,
        node: NodeId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "webhooks/claim", id, node, until, now) > 0)
    }

    /// Gives an endpoint back, and forgets old tries of it.
    pub async fn release_webhook(&mut self, id: WebhookId, node: NodeId) -> Result<(), StoreError> {
        execute!(self, "webhooks/forget_attempts", id, KEPT - 1);
        execute!(self, "webhooks/release", id, node);
        Ok(())
    }

    /// Stores how far `node` has come with an endpoint (position, state and failures), and keeps it until `until`.
    /// `false`: it isn't the node's any more, or somebody has changed it, and nothing is stored.
    pub async fn put_webhook_progress(
        &mut self,
        webhook: &Webhook,
        node: NodeId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(
            self,
            "webhooks/told",
            webhook.id,
            node,
            webhook.version,
            webhook.position,
            webhook.state,
            webhook.failures,
            webhook.failing_since,
            webhook.failure.as_deref(),
            webhook.due_at,
            webhook.told_at,
            until,
        ) > 0)
    }

    /// Notes a try.
    pub async fn insert_webhook_attempt(
        &mut self,
        webhook: WebhookId,
        attempt: NewWebhookAttempt<'_>,
    ) -> Result<WebhookAttemptId, StoreError> {
        let (id, now): (WebhookAttemptId, _) = (self.new_id(), self.now);
        let NewWebhookAttempt { seq, kind, outcome, status, millis } = attempt;
        let status = status.map(i32::from);
        execute!(self, "webhooks/insert_attempt", webhook, id, seq, kind, outcome, status, millis, now);
        Ok(id)
    }

    /// Tries before `before`, newest first.
    pub async fn webhook_attempts(
        &mut self,
        webhook: WebhookId,
        before: WebhookAttemptId,
        limit: u32,
    ) -> Result<Vec<WebhookAttempt>, StoreError> {
        Ok(fetch_all!(self, WebhookAttempt, "webhooks/attempts", webhook, before, i64::from(limit)))
    }

    fn open_webhook(&self, row: Row) -> Result<Webhook, StoreError> {
        Ok(Webhook {
            setup: self.keys.open_json(SETUP, row.id.0, &row.setup)?,
            id: row.id,
            kinds: row.kinds.0,
            state: row.state,
            position: row.position,
            failures: row.failures,
            failing_since: row.failing_since,
            failure: row.failure,
            due_at: row.due_at,
            told_at: row.told_at,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}
