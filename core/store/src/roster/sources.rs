//! Where lists come from.

use std::fmt;

use anteroom_model::{
    ids::{NodeId, OrganizationId, RosterSourceId, StaffId},
    roster::RosterSettings,
    time::Timestamp,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

/// What signs in to a source's server; sealed as one JSON text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct RosterSecrets {
    /// A password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A private key, as OpenSSH or PEM writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// What that key is encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

impl RosterSecrets {
    /// Whether there is nothing to sign in with.
    pub const fn is_empty(&self) -> bool {
        self.password.is_none() && self.private_key.is_none()
    }
}

impl fmt::Debug for RosterSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RosterSecrets(…)")
    }
}

/// A source.
#[derive(Clone, Debug)]
pub struct RosterSource {
    /// Its id.
    pub id: RosterSourceId,
    /// What staff call it, and the directory's external ids of it: unique in the organization.
    pub name: String,
    /// How its lists are read.
    pub settings: RosterSettings,
    /// What signs in to its server.
    pub secrets: RosterSecrets,
    /// Files of it are taken.
    pub enabled: bool,
    /// When its folder is looked into again.
    pub next_look_at: Option<Timestamp>,
    /// When it was.
    pub last_look_at: Option<Timestamp>,
    /// How that ended: `ok`, or what failed.
    pub last_look: Option<String>,
    /// Looks that failed in a row.
    pub failures: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed by staff.
    pub updated_at: Timestamp,
    /// For `If-Match`.
    pub version: i64,
}

/// A source to be made, or what one is to become.
#[derive(Clone, Debug)]
pub struct NewRosterSource {
    /// Unique in the organization.
    pub name: String,
    /// Checked already.
    pub settings: RosterSettings,
    /// What signs in to its server.
    pub secrets: RosterSecrets,
    /// Files of it are taken.
    pub enabled: bool,
}

/// How a look into a folder ended.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// `ok`, or what failed.
    pub outcome: &'static str,
    /// Looks that failed in a row by now.
    pub failures: i32,
    /// When to look again.
    pub next: Timestamp,
}

#[derive(FromRow)]
struct SourceRow {
    id: RosterSourceId,
    name: String,
    settings: Json<RosterSettings>,
    secrets: Option<Vec<u8>>,
    enabled: bool,
    next_look_at: Option<Timestamp>,
    last_look_at: Option<Timestamp>,
    last_look: Option<String>,
    failures: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

const SECRETS: &str = "roster_sources.secrets";

impl Store {
    /// Leases a source whose folder is to be looked into to `node` until `until`.
    pub async fn claim_roster_look(
        &self,
        node: NodeId,
        until: Timestamp,
    ) -> Result<Option<(OrganizationId, RosterSourceId)>, StoreError> {
        let now = self.now();
        // Mostly there is none, and looking needs no transaction.
        let mut conn = self.reader().await?;
        let due: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("roster/look_due")).bind(now).bind(node).fetch_one(c).await?
        });
        drop(conn);
        if !due {
            return Ok(None);
        }
        self.write_across(move |conn| {
            async move {
                let query = conn.pick(twin!("roster/claim_look"));
                on!(conn, c => sqlx::query_as(query).bind(now).bind(node).bind(until).fetch_optional(c).await)
            }
            .boxed()
        })
        .await
    }
}

impl Org<'_> {
    /// Adds a source; its folder is looked into at once.
    pub async fn insert_roster_source(
        &mut self,
        id: RosterSourceId,
        new: &NewRosterSource,
        by: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        let secrets = self.seal_secrets(id, &new.secrets)?;
        let (settings, next) = (Json(&new.settings), self.first_look(new));
        execute!(self, "roster/insert_source", id, &new.name, settings, secrets, new.enabled, next, by, now);
        Ok(())
    }

    /// Changes a source that is still of `version`; its folder is looked into at once. Whether it was.
    pub async fn update_roster_source(
        &mut self,
        id: RosterSourceId,
        version: i64,
        new: &NewRosterSource,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let secrets = self.seal_secrets(id, &new.secrets)?;
        let (settings, next) = (Json(&new.settings), self.first_look(new));
        Ok(execute!(
            self,
            "roster/update_source",
            id,
            version,
            &new.name,
            settings,
            secrets,
            new.enabled,
            next,
            now
        ) > 0)
    }

    fn first_look(&self, new: &NewRosterSource) -> Option<Timestamp> {
        (new.enabled && new.settings.sftp.is_some()).then_some(self.now)
    }

    fn seal_secrets(
        &self,
        id: RosterSourceId,
        secrets: &RosterSecrets,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = (!secrets.is_empty()).then(|| self.keys.seal_json(SECRETS, id.0, secrets));
        sealed.transpose()
    }

    /// All sources, by name.
    pub async fn roster_sources(&mut self) -> Result<Vec<RosterSource>, StoreError> {
        let rows = fetch_all!(self, SourceRow, "roster/sources");
        rows.into_iter().map(|row| self.open_source(row)).collect()
    }

    /// One source.
    pub async fn roster_source(&mut self, id: RosterSourceId) -> Result<Option<RosterSource>, StoreError> {
        let row = fetch_optional!(self, SourceRow, "roster/source", id);
        row.map(|row| self.open_source(row)).transpose()
    }

    /// The source of that name.
    pub async fn roster_source_by_name(&mut self, name: &str) -> Result<Option<RosterSource>, StoreError> {
        let row = fetch_optional!(self, SourceRow, "roster/source_by_name", name);
        row.map(|row| self.open_source(row)).transpose()
    }

    fn open_source(&self, row: SourceRow) -> Result<RosterSource, StoreError> {
        let secrets = row.secrets.map(|sealed| self.keys.open_json(SECRETS, row.id.0, &sealed));
        Ok(RosterSource {
            secrets: secrets.transpose()?.unwrap_or_default(),
            id: row.id,
            name: row.name,
            settings: row.settings.0,
            enabled: row.enabled,
            next_look_at: row.next_look_at,
            last_look_at: row.last_look_at,
            last_look: row.last_look,
            failures: row.failures,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }

    /// Looks into the source's folder at `at` instead of later. Whether there is a folder to look into.
    pub async fn look_into_roster(&mut self, id: RosterSourceId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/look_soon", id, at) > 0)
    }

    /// Keeps the lease of a look. `false`: it isn't `node`'s any more.
    pub async fn keep_roster_look(
        &mut self,
        id: RosterSourceId,
        node: NodeId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "roster/keep_look", id, node, until) > 0)
    }

    /// Ends a look. `false`: it isn't `node`'s any more.
    pub async fn roster_looked(
        &mut self,
        id: RosterSourceId,
        node: NodeId,
        looked: Looked,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let Looked { outcome, failures, next } = looked;
        Ok(execute!(self, "roster/looked", id, node, now, outcome, failures, next) > 0)
    }
}
