//! Compiled policies, by digest, and the host that runs them.

use std::sync::Arc;

use anteroom_model::{
    hooks::Hook,
    ids::{OrganizationId, StaffId},
};
use anteroom_policy::{Digest, HostConfig, Policy, PolicyHost, Refusal};
use anteroom_store::{NewPolicy, Store, StoreError};
use futures::FutureExt;
use moka::future::Cache;

use crate::builtin;

/// Compiled code that stays in memory unless the operator says otherwise, in MiB.
pub const MEMORY_MIB: u64 = 512;

/// Policies of all organizations: content-addressed, so a component that many use is compiled once.
#[derive(Clone)]
pub struct Policies {
    host: Arc<PolicyHost>,
    loaded: Cache<Digest, Arc<Policy>>,
}

/// Why a bound policy can't be run.
#[derive(Clone, Debug, thiserror::Error)]
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

impl LoadError {
    /// The same for the policy's author; `Err` where the store failed, which says nothing of the policy.
    pub fn refusal(self) -> Result<Refusal, StoreError> {
        match self {
            Self::Store(error) => Err(error),
            Self::Refused(refusal) => Ok(refusal),
            Self::Missing | Self::Abandoned => Ok(Refusal::host(self.to_string())),
        }
    }
}

/// What the store keeps of a policy version and its component.
pub fn row(
    policy: &Policy,
    component: &[u8],
    origin: &'static str,
    created_by: Option<StaffId>,
) -> Result<NewPolicy, StoreError> {
    let manifest = serde_json::to_value(&policy.manifest)
        .map_err(|error| StoreError::Corrupt { column: "policies.manifest", reason: error.to_string() })?;
    Ok(NewPolicy {
        name: policy.manifest.name.clone(),
        version: policy.manifest.version.clone(),
        origin,
        digest: policy.digest.as_bytes().to_vec(),
        bytes: component.to_vec(),
        manifest,
        hooks: policy.hooks.iter().map(|hook| hook.as_str().to_owned()).collect(),
        imports: policy.imports.clone(),
        probe: policy.probe.as_ref().and_then(|probe| serde_json::to_value(probe).ok()),
        created_by,
    })
}

impl Policies {
    /// Nothing loaded yet, and room for [`MEMORY_MIB`].
    pub fn new(host: Arc<PolicyHost>) -> Self {
        Self::with_memory(host, MEMORY_MIB)
    }

    /// Nothing loaded yet. At most so many MiB of compiled code stay in memory, what is used least makes room; it
    /// is read back from its compiled form in milliseconds.
    pub fn with_memory(host: Arc<PolicyHost>, mib: u64) -> Self {
        let weight =
            |_: &Digest, policy: &Arc<Policy>| u32::try_from(policy.compiled_bytes).unwrap_or(u32::MAX);
        Self { host, loaded: Cache::builder().weigher(weight).max_capacity(mib << 20).build() }
    }

    /// How the policies of `store` are run: its key signs compiled forms.
    pub fn config(store: &Store) -> HostConfig {
        HostConfig::new(store.master().derive("anteroom compiled policies v1"))
    }

    /// The host.
    pub fn host(&self) -> &Arc<PolicyHost> {
        &self.host
    }

    /// Compiles the default policies, which nearly every turn needs, where this node hasn't them yet.
    pub async fn warm(&self) -> Result<(), LoadError> {
        for hook in Hook::ALL {
            let bytes = builtin::component(hook);
            self.once(Digest::of(bytes), self.compile(bytes)).await?;
        }
        Ok(())
    }

    /// The policy of `digest`, compiled, from memory or from the component in the store.
    pub async fn get(
        &self,
        store: &Store,
        organization: OrganizationId,
        digest: Digest,
    ) -> Result<Arc<Policy>, LoadError> {
        self.once(digest, async {
            let mut org = store.read(organization).await?;
            let bytes = org.component(digest.as_bytes()).await?.ok_or(LoadError::Missing)?;
            drop(org);
            self.compile_shared(store, organization, digest, bytes).await
        })
        .await
    }

    /// The same, of a component that is at hand.
    pub async fn load(
        &self,
        store: &Store,
        organization: OrganizationId,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Arc<Policy>, LoadError> {
        let digest = Digest::of(bytes.as_ref());
        self.once(digest, self.compile_shared(store, organization, digest, bytes)).await
    }

    /// What `load` gives, the first time: who asks for the same meanwhile waits for it.
    async fn once(
        &self,
        digest: Digest,
        load: impl Future<Output = Result<Arc<Policy>, LoadError>>,
    ) -> Result<Arc<Policy>, LoadError> {
        // Boxed: what waits for it would otherwise be as large as a compilation.
        let load = Box::pin(load);
        Box::pin(self.loaded.try_get_with(digest, load)).await.map_err(Arc::unwrap_or_clone)
    }

    /// Compiles with the compiled form that another node has made, or makes it for the others.
    async fn compile_shared(
        &self,
        store: &Store,
        organization: OrganizationId,
        digest: Digest,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Arc<Policy>, LoadError> {
        // The defaults are in every binary and most organizations: compiling them costs less than keeping a
        // copy for each.
        let label = self.host.form_label(digest);
        let Some(label) = label.filter(|_| store.is_shared() && !builtin::is_default(digest)) else {
            return self.compile(bytes).await;
        };
        let shared = store.read(organization).await?.compiled_form(&label).await?;
        let is_new = shared.is_none();
        if let Some(form) = shared {
            self.blocking(move |host| host.adopt_form(digest, &form)).await?;
        }
        let policy = self.compile(bytes).await?;
        if is_new && let Some(form) = self.blocking(move |host| host.signed_form(digest)).await? {
            store
                .write(organization, move |mut org| {
                    async move { org.insert_compiled_form(&label, &form).await }.boxed()
                })
                .await?;
        }
        Ok(policy)
    }

    async fn compile(&self, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Arc<Policy>, LoadError> {
        self.blocking(move |host| host.load(bytes.as_ref())).await?.map_err(LoadError::Refused)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PolicyHost) -> T + Send + 'static,
    ) -> Result<T, LoadError> {
        let host = self.host.clone();
        tokio::task::spawn_blocking(move || work(&host)).await.map_err(|_| LoadError::Abandoned)
    }
}
