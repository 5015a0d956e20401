//! Compiled policies, by digest, and the host that runs them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use anteroom_model::ids::OrganizationId;
use anteroom_policy::{Digest, Policy, PolicyHost, Refusal};
use anteroom_store::{Store, StoreError};

/// Policies of all organizations: content-addressed, so a component that many use is compiled once.
#[derive(Clone)]
pub struct Policies {
    host: Arc<PolicyHost>,
    loaded: Arc<RwLock<HashMap<Digest, Arc<Policy>>>>,
}

/// Why a bound policy can't be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The component is not in the store.
    #[error("the component is not in the store")]
    Missing,
    /// The host refuses it: an upgrade of the host may have raised its standards.
    #[error("the component is refused: {0}")]
    Refused(Refusal),
    /// The compiling task was lost.
    #[error("the compilation was abandoned")]
    Abandoned,
}

impl Policies {
    /// Nothing loaded yet.
    pub fn new(host: Arc<PolicyHost>) -> Self {
        Self { host, loaded: Arc::default() }
    }

    /// The host.
    pub fn host(&self) -> &Arc<PolicyHost> {
        &self.host
    }

    /// The policy of `digest`, compiled, from memory or from the component in the store.
    pub async fn get(
        &self,
        store: &Store,
        organization: OrganizationId,
        digest: Digest,
    ) -> Result<Arc<Policy>, LoadError> {
        if let Some(policy) = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(&digest) {
            return Ok(policy.clone());
        }
        let bytes = store.read(organization).await?.component(digest.as_bytes()).await?;
        self.load(bytes.ok_or(LoadError::Missing)?).await
    }

    /// Judges, compiles and keeps a component.
    pub async fn load(&self, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Arc<Policy>, LoadError> {
        let host = self.host.clone();
        let policy = tokio::task::spawn_blocking(move || host.load(bytes.as_ref()))
            .await
            .map_err(|_| LoadError::Abandoned)?
            .map_err(LoadError::Refused)?;
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(policy.digest, policy.clone());
        Ok(policy)
    }
}
