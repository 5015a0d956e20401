//! Keys that an organization trusts, and their signatures of policies.

use anteroom_model::{
    ids::{PolicyId, SigningKeyId, StaffId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all},
};

/// A key whose signatures count.
#[derive(Clone, Debug, FromRow)]
pub struct SigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// Whose it is, for people.
    pub name: String,
    /// ed25519, 32 bytes.
    pub public_key: Vec<u8>,
    /// Who entered it.
    pub created_by: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
    /// Since when it counts no more.
    pub revoked_at: Option<Timestamp>,
}

/// A signature of a policy.
#[derive(Clone, Debug, FromRow)]
pub struct PolicySignature {
    /// By which key.
    pub key_id: SigningKeyId,
    /// The key's name.
    pub key_name: String,
    /// Since when the key counts no more.
    pub revoked_at: Option<Timestamp>,
    /// ed25519 over the component's digest, 64 bytes.
    pub signature: Vec<u8>,
    /// Who sent it.
    pub created_by: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
}

impl Org<'_> {
    /// Trusts a key; [`StoreError::Conflict`] where it is known, be it revoked.
    pub async fn insert_signing_key(
        &mut self,
        name: &str,
        public_key: &[u8],
        by: StaffId,
    ) -> Result<SigningKeyId, StoreError> {
        let (id, now): (SigningKeyId, _) = (self.new_id(), self.now);
        execute!(self, "signing/insert_key", id, name, public_key, by, now);
        Ok(id)
    }

    /// All keys, also those that were revoked.
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKey>, StoreError> {
        Ok(fetch_all!(self, SigningKey, "signing/keys"))
    }

    /// A key counts no more; whether it did until now.
    pub async fn revoke_signing_key(&mut self, id: SigningKeyId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "signing/revoke_key", id, now) > 0)
    }

    /// Keeps a signature, once.
    pub async fn insert_signature(
        &mut self,
        policy: PolicyId,
        key: SigningKeyId,
        signature: &[u8],
        by: StaffId,
    ) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "signing/insert_signature", policy, key, signature, by, now);
        Ok(())
    }

    /// The signatures of a policy, also those whose key was revoked since.
    pub async fn signatures(&mut self, policy: PolicyId) -> Result<Vec<PolicySignature>, StoreError> {
        Ok(fetch_all!(self, PolicySignature, "signing/signatures", policy))
    }
}
