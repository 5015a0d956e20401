//! Running a recorded decision again with what the store kept of it: the component and the settings, by digest.

use std::sync::Arc;

use anteroom_model::ids::OrganizationId;
use anteroom_policy::{CallRecord, Digest, Policy, Replay, Settings};
use anteroom_store::{Decision, OrgKeys, Store, StoreError};

use crate::policies::{LoadError, Policies};

/// Why a decision can't be run again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy can't be loaded.
    #[error(transparent)]
    Policy(LoadError),
    /// The settings are not in the store.
    #[error("the settings it ran with are not in the store")]
    NoSettings,
    /// The record is not one.
    #[error("the record can't be read: {0}")]
    Record(#[from] serde_json::Error),
    /// The task was lost.
    #[error("the replay was abandoned")]
    Abandoned,
}

impl From<LoadError> for ReplayError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            other => Self::Policy(other),
        }
    }
}

/// What running a decision again came to.
#[derive(Debug)]
pub struct Replayed {
    /// The record, as it was.
    pub record: CallRecord,
    /// What came out otherwise.
    pub replay: Replay,
}

/// A policy with the settings it ran with, as a record names both by digest.
#[derive(Clone, Debug)]
pub struct Version {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The settings.
    pub settings: Settings,
}

impl Version {
    /// What `record` was made by.
    pub async fn of(
        store: &Store,
        policies: &Policies,
        organization: OrganizationId,
        record: &CallRecord,
    ) -> Result<Self, ReplayError> {
        let policy = policies.get(store, organization, record.policy).await?;
        let settings = settings(store, organization, record.settings).await?;
        Ok(Self { policy, settings: settings.ok_or(ReplayError::NoSettings)? })
    }
}

/// The settings of that digest.
pub(crate) async fn settings(
    store: &Store,
    organization: OrganizationId,
    digest: Digest,
) -> Result<Option<Settings>, StoreError> {
    let mut org = store.read(organization).await?;
    Ok(org.policy_settings(digest.as_bytes()).await?.map(Settings::from))
}

/// The record of a decision.
pub(crate) fn record(decision: &Decision, keys: &OrgKeys) -> Result<CallRecord, ReplayError> {
    Ok(serde_json::from_slice(&decision.record(keys)?)?)
}

/// Runs `decision` again, on a thread that may block.
pub async fn replay(
    store: &Store,
    policies: &Policies,
    organization: OrganizationId,
    decision: &Decision,
) -> Result<Replayed, ReplayError> {
    let record = record(decision, &*store.keys(organization).await?)?;
    let version = Version::of(store, policies, organization, &record).await?;
    let host = policies.host().clone();
    let run = move || {
        let replay = host.replay(&version.policy, &version.settings, &record);
        Replayed { record, replay }
    };
    tokio::task::spawn_blocking(run).await.map_err(|_| ReplayError::Abandoned)
}
