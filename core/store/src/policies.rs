//! Policies, their settings and what binds them.

use anteroom_model::{
    ids::{BindingId, NumberId, PolicyId, StaffId},
    states::BindingMode,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
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
    /// The hooks it serves, words of `model::hooks::Hook`; `None` where only the component tells.
    pub hooks: Option<Json<Vec<String>>>,
    /// The functions it imports.
    pub imports: Option<Json<Vec<String>>>,
    /// What its hooks cost on the sample turns of its upload, a list of `policy::Probe`; `None`: not probed.
    pub probe: Option<Json<serde_json::Value>>,
    /// Who uploaded it; `None`: it comes with Anteroom.
    pub created_by: Option<StaffId>,
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
    /// The hooks it serves, words of `model::hooks::Hook`.
    pub hooks: Vec<String>,
    /// The functions it imports.
    pub imports: Vec<String>,
    /// What its hooks cost on the sample turns of its upload, a list of `policy::Probe`; `None`: not probed.
    pub probe: Option<serde_json::Value>,
    /// Who uploads it; `None`: it comes with Anteroom.
    pub created_by: Option<StaffId>,
}

/// Which conversations a canary takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Share of conversations, in per cent; a conversation stays with what it fell to.
    #[serde(default)]
    pub percent: u8,
    /// Numbers whose conversations it takes all of.
    #[serde(default)]
    pub numbers: Vec<NumberId>,
}

/// Why a binding has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// Staff ended it.
    ByStaff,
    /// Another binding took its place.
    Replaced,
    /// Staff went back to the version before.
    RolledBack,
    /// It failed too often.
    Faults,
}

impl Retired {
    /// The word in the database and over REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByStaff => "staff",
            Self::Replaced => "replaced",
            Self::RolledBack => "rolled_back",
            Self::Faults => "faults",
        }
    }
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
    /// Which conversations it takes, if it is a canary.
    pub canary: Option<Json<Canary>>,
    /// The binding whose place it took.
    pub replaced_id: Option<BindingId>,
    /// Off until then, after faults.
    pub halted_until: Option<Timestamp>,
    /// How often in a row it was switched off.
    pub halts: i32,
    /// Who bound it.
    pub created_by: Option<StaffId>,
    /// When it was bound.
    pub created_at: Timestamp,
    /// When it ended.
    pub retired_at: Option<Timestamp>,
    /// Why it ended: a word of [`Retired`].
    pub retired_because: Option<String>,
    /// SHA-256 of the settings.
    pub settings_digest: Vec<u8>,
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
    /// Which conversations it takes, if it is a canary.
    pub canary: Option<Canary>,
    /// The binding whose place it takes.
    pub replaced_id: Option<BindingId>,
    /// Who binds it; `None`: Anteroom itself.
    pub created_by: Option<StaffId>,
}

impl Binding {
    /// The same once more, to be bound by `by` in the place of `replaced`.
    pub fn again(&self, hook: &'static str, replaced: Option<BindingId>, by: Option<StaffId>) -> NewBinding {
        NewBinding {
            hook,
            number_id: self.number_id,
            position: self.position,
            mode: BindingMode::Active,
            policy_id: self.policy_id,
            settings: self.settings.clone(),
            granted_fields: self.granted_fields.0.clone(),
            canary: None,
            replaced_id: replaced,
            created_by: by,
        }
    }
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
            Json(&policy.hooks),
            Json(&policy.imports),
            policy.probe.as_ref().map(Json),
            policy.created_by,
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

    /// Keeps settings; gives their SHA-256.
    pub async fn insert_settings(&mut self, settings: &str) -> Result<Vec<u8>, StoreError> {
        let now = self.now;
        let digest = Sha256::digest(settings.as_bytes()).to_vec();
        execute!(self, "policies/insert_settings", &digest, settings, now);
        Ok(digest)
    }

    /// Whether the policy has been tried for `hook` on the organization's history.
    pub async fn is_backtested(&mut self, id: PolicyId, hook: &str) -> Result<bool, StoreError> {
        Ok(fetch_optional!(self, (i32,), "policies/backtested", id, hook).is_some())
    }

    /// Binds a policy to a hook. [`StoreError::Conflict`] where an active one has that place.
    pub async fn insert_binding(&mut self, new: &NewBinding) -> Result<BindingId, StoreError> {
        let id = self.new_id();
        self.insert_binding_as(id, new).await?;
        Ok(id)
    }

    /// The same with an id that is known already.
    pub async fn insert_binding_as(&mut self, id: BindingId, new: &NewBinding) -> Result<(), StoreError> {
        let now = self.now;
        let digest = self.insert_settings(&new.settings).await?;
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
            new.canary.as_ref().map(Json),
            new.replaced_id,
            new.created_by,
            now,
        );
        Ok(())
    }

    /// Ends a binding; whether it stood until now.
    pub async fn retire_binding(
        &mut self,
        id: BindingId,
        why: Retired,
        by: Option<StaffId>,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "policies/retire_binding", id, now, why.as_str(), by) > 0)
    }

    /// Switches a binding off until `until`, if it has been switched off `halts` times in a row as yet.
    pub async fn halt_binding(
        &mut self,
        id: BindingId,
        until: Timestamp,
        halts: i32,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "policies/halt_binding", id, until, halts) > 0)
    }

    /// A binding that was switched off works again; whether it was off until now.
    pub async fn resume_binding(&mut self, id: BindingId) -> Result<bool, StoreError> {
        Ok(execute!(self, "policies/resume_binding", id) > 0)
    }

    /// A binding, standing or ended.
    pub async fn binding(&mut self, id: BindingId) -> Result<Option<Binding>, StoreError> {
        Ok(fetch_optional!(self, Binding, "policies/binding", id))
    }

    /// Bindings that have ended, those made last first.
    pub async fn past_bindings(&mut self, before: BindingId, limit: u32) -> Result<Vec<Binding>, StoreError> {
        Ok(fetch_all!(self, Binding, "policies/past_bindings", before, i64::from(limit)))
    }

    /// All standing bindings, in the order in which their chains run: those of a number first.
    pub async fn bindings(&mut self) -> Result<Vec<Binding>, StoreError> {
        Ok(fetch_all!(self, Binding, "policies/bindings"))
    }
}
