//! The default policies, embedded in the binary, and giving them to an organization.

use std::sync::LazyLock;

use anteroom_model::{
    hooks::Hook,
    ids::{OrganizationId, PolicyId},
    states::BindingMode,
};
use anteroom_policy::Digest;
use anteroom_store::{NewBinding, Store};
use futures::FutureExt;

use crate::policies::{LoadError, Policies, row};

/// The default policy of a hook.
pub fn component(hook: Hook) -> &'static [u8] {
    match hook {
        Hook::Identity => include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/identity.wasm")),
        Hook::Routing => include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/routing.wasm")),
        Hook::Replies => include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/replies.wasm")),
        Hook::Shortcuts => include_bytes!(concat!(env!("ANTEROOM_GUESTS_DIR"), "/shortcuts.wasm")),
    }
}

/// Whether this is one of the default policies.
pub fn is_default(digest: Digest) -> bool {
    static DEFAULTS: LazyLock<[Digest; 4]> =
        LazyLock::new(|| Hook::ALL.map(|hook| Digest::of(component(hook))));
    DEFAULTS.contains(&digest)
}

/// Stores a component for `organization` as one of its policies.
pub async fn add_policy(
    store: &Store,
    policies: &Policies,
    organization: OrganizationId,
    bytes: impl AsRef<[u8]> + Clone + Send + 'static,
    origin: &'static str,
) -> Result<(PolicyId, serde_json::Value), LoadError> {
    let policy = policies.load(store, organization, bytes.clone()).await?;
    let defaults = policy.manifest.default_settings.clone();
    let new = row(&policy, bytes.as_ref(), origin, None)?;
    let id = store
        .write(organization, move |mut org| async move { org.insert_policy(&new).await }.boxed())
        .await?;
    Ok((id, defaults))
}

/// Gives `organization` the four defaults, each bound to its hook with its default settings.
pub async fn bind_defaults(
    store: &Store,
    policies: &Policies,
    organization: OrganizationId,
) -> Result<(), LoadError> {
    for hook in Hook::ALL {
        let (policy_id, settings) =
            add_policy(store, policies, organization, component(hook), "builtin").await?;
        let granted = match hook {
            Hook::Shortcuts => vec!["first-name".to_owned(), "preferred-name".to_owned()],
            _ => Vec::new(),
        };
        let binding = NewBinding {
            hook: hook.as_str(),
            number_id: None,
            position: 0,
            mode: BindingMode::Active,
            policy_id,
            settings: settings.to_string(),
            granted_fields: granted,
            canary: None,
            replaced_id: None,
            created_by: None,
        };
        store
            .write(organization, move |mut org| async move { org.insert_binding(&binding).await }.boxed())
            .await?;
    }
    Ok(())
}
