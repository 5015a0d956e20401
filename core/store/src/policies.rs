//! Policies, their settings and what binds them.

use anteroom_model::{
    ids::{BindingId, NumberId, PolicyId},
    states::BindingMode,
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// A version of a policy.
#[derive(Clone, Debug, FromRow)]
pub struct PolicyRow {
    /// Its id.
    pub id: PolicyId,
    /// As its manifest says.
    pub name: String,
    /// As its manifest says.
    pub version: String,
    /// `builtin` or `uploaded`.
    pub origin: String,
    /// SHA-256 of the component.
    pub digest: Vec<u8>,
    /// The manifest.
    pub manifest: Json<serde_json::Value>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// A policy to be stored.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// As its manifest says.
    pub name: String,
    /// As its manifest says.
    pub version: String,
    /// `builtin` or `uploaded`.
    pub origin: &'static str,
    /// SHA-256 of the component.
    pub digest: Vec<u8>,
    /// The component.
    pub bytes: Vec<u8>,
    /// The manifest.
    pub manifest: serde_json::Value,
}

/// What serves a hook.
#[derive(Clone, Debug, FromRow)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// A word of `model::hooks::Hook`.
    pub hook: String,
    /// For one number, or for the whole organization.
    pub number_id: Option<NumberId>,
    /// Order of the chain.
    pub position: i32,
    /// How it takes part.
    pub mode: BindingMode,
    /// Which version.
    pub policy_id: PolicyId,
    /// Patient fields that an admin has granted.
    pub granted_fields: Json<Vec<String>>,
    /// When it was bound.
    pub created_at: Timestamp,
    /// SHA-256 of the component.
    pub digest: Vec<u8>,
    /// The policy's name.
    pub policy_name: String,
    /// The policy's version.
    pub policy_version: String,
    /// The settings, JSON.
    pub settings: String,
}

/// A binding to be made.
#[derive(Clone, Debug)]
pub struct NewBinding {
    /// A word of `model::hooks::Hook`.
    pub hook: &'static str,
    /// For one number, or for the whole organization.
    pub number_id: Option<NumberId>,
    /// Order of the chain.
    pub position: i32,
    /// How it takes part.
    pub mode: BindingMode,
    /// Which version.
    pub policy_id: PolicyId,
    /// The settings, JSON.
    pub settings: String,
    /// Patient fields that an admin grants.
    pub granted_fields: Vec<String>,
}

impl Org<'_> {
    /// Stores a policy version with its component; the same component twice is the same version.
    pub async fn insert_policy(&mut self, policy: &NewPolicy) -> Result<PolicyId, StoreError> {
        if let Some(row) = self.policy_by_digest(&policy.digest).await? {
            return Ok(row.id);
        }
        let (id, now): (PolicyId, _) = (self.new_id(), self.now);
        execute!(self, "policies/insert_component", &policy.digest, &policy.bytes, now);
        execute!(
            self,
            "policies/insert",
            id,
            &policy.name,
            &policy.version,
            policy.origin,
            &policy.digest,
            Json(&policy.manifest),
            now,
        );
        Ok(id)
    }

    /// The bytes of a component.
    pub async fn component(&mut self, digest: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(fetch_optional!(self, (Vec<u8>,), "policies/component", digest).map(|(bytes,)| bytes))
    }

    /// A compiled form that some node has made, by its label.
    pub async fn compiled_form(&mut self, label: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(fetch_optional!(self, (Vec<u8>,), "policies/compiled_form", label).map(|(form,)| form))
    }

    /// Keeps a compiled form for other nodes.
    pub async fn insert_compiled_form(&mut self, label: &str, form: &[u8]) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "policies/insert_compiled_form", label, form, now);
        Ok(())
    }

    /// The policy of a component.
    pub async fn policy_by_digest(&mut self, digest: &[u8]) -> Result<Option<PolicyRow>, StoreError> {
        Ok(fetch_optional!(self, PolicyRow, "policies/by_digest", digest))
    }

    /// One policy version.
    pub async fn policy(&mut self, id: PolicyId) -> Result<Option<PolicyRow>, StoreError> {
        Ok(fetch_optional!(self, PolicyRow, "policies/get", id))
    }

    /// All policy versions, by name.
    pub async fn policies(&mut self) -> Result<Vec<PolicyRow>, StoreError> {
        Ok(fetch_all!(self, PolicyRow, "policies/all"))
    }

    /// Settings by their digest: what a recorded decision ran with.
    pub async fn policy_settings(&mut self, digest: &[u8]) -> Result<Option<String>, StoreError> {
        Ok(fetch_optional!(self, (String,), "policies/settings", digest).map(|(settings,)| settings))
    }

    /// Binds a policy to a hook.
    pub async fn insert_binding(&mut self, new: &NewBinding) -> Result<BindingId, StoreError> {
        let (id, now): (BindingId, _) = (self.new_id(), self.now);
        let digest = Sha256::digest(new.settings.as_bytes()).to_vec();
        execute!(self, "policies/insert_settings", &digest, &new.settings, now);
        execute!(
            self,
            "policies/insert_binding",
            id,
            new.hook,
            new.number_id,
            new.position,
            new.mode,
            new.policy_id,
            &digest,
            Json(&new.granted_fields),
            now,
        );
        Ok(id)
    }

    /// Ends a binding.
    pub async fn retire_binding(&mut self, id: BindingId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "policies/retire_binding", id, now) > 0)
    }

    /// All standing bindings, in the order in which their chains run: those of a number first.
    pub async fn bindings(&mut self) -> Result<Vec<Binding>, StoreError> {
        Ok(fetch_all!(self, Binding, "policies/bindings"))
    }
}
