//! Sealed columns and keyed hashes.
//!
//! A data key per organization, wrapped by a master key that is not in the database. A cell is
//! `version (1) ‖ nonce (12) ‖ ciphertext and tag`, AES-256-GCM-SIV (RFC 8452); its associated data is the
//! column's name and the row's id, so a cell moved elsewhere doesn't open. Look-ups use HMAC-SHA-256 under
//! a key derived from the data key (HKDF, RFC 5869), so equal values are found without being shown.

use std::sync::Arc;

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anteroom_model::ids::{Ids, OrganizationId};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::StoreError;

const VERSION: u8 = 1;
const NONCE: usize = 12;

/// The key that wraps the organizations' data keys. 32 bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for another purpose of the process, such as authenticating cached policies.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        derive(&self.0, purpose)
    }

    /// Makes a data key for `organization` and wraps it.
    pub(crate) fn new_data_key(
        &self,
        organization: OrganizationId,
        ids: &Ids,
    ) -> Result<Vec<u8>, StoreError> {
        let mut key: [u8; 32] = ids.secret();
        let wrapped = seal(&cipher(&self.0)?, "organizations.wrapped_key", organization.0, &key, ids);
        key.zeroize();
        wrapped
    }

    /// Opens a wrapped data key.
    pub(crate) fn open_data_key(
        &self,
        organization: OrganizationId,
        wrapped: &[u8],
        ids: &Arc<Ids>,
    ) -> Result<OrgKeys, StoreError> {
        let column = "organizations.wrapped_key";
        let mut opened = open(&cipher(&self.0)?, column, organization.0, wrapped)?;
        let keys = OrgKeys {
            cipher: cipher(&opened)?,
            lookup: derive(&opened, "anteroom look-up v1"),
            ids: ids.clone(),
        };
        opened.zeroize();
        Ok(keys)
    }
}

/// The keys of one organization, opened.
pub struct OrgKeys {
    cipher: Aes256GcmSiv,
    lookup: [u8; 32],
    ids: Arc<Ids>,
}

impl std::fmt::Debug for OrgKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrgKeys(…)")
    }
}

impl Drop for OrgKeys {
    fn drop(&mut self) {
        self.lookup.zeroize();
    }
}

impl OrgKeys {
    /// Seals `plain` for `column` of the row `row`.
    pub fn seal(&self, column: &'static str, row: Uuid, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal(&self.cipher, column, row, plain, &self.ids)
    }

    /// Opens what [`Self::seal`] made for the same column and row.
    pub fn open(&self, column: &'static str, row: Uuid, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open(&self.cipher, column, row, sealed)
    }

    /// Opens a sealed text.
    pub fn open_text(&self, column: &'static str, row: Uuid, sealed: &[u8]) -> Result<String, StoreError> {
        let plain = self.open(column, row, sealed)?;
        String::from_utf8(plain).map_err(|error| StoreError::Corrupt { column, reason: error.to_string() })
    }

    /// Seals `value` as JSON.
    pub fn seal_json<T: serde::Serialize>(
        &self,
        column: &'static str,
        row: Uuid,
        value: &T,
    ) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(value)
            .map_err(|error| StoreError::Corrupt { column, reason: error.to_string() })?;
        self.seal(column, row, &json)
    }

    /// Opens sealed JSON.
    pub fn open_json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
        row: Uuid,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let plain = self.open(column, row, sealed)?;
        serde_json::from_slice(&plain)
            .map_err(|error| StoreError::Corrupt { column, reason: error.to_string() })
    }

    /// The keyed hash under which `value` is looked up; `domain` keeps kinds of values apart.
    pub fn lookup(&self, domain: &'static str, value: impl AsRef<[u8]>) -> Vec<u8> {
        hmac_sha256(&self.lookup, &[domain.as_bytes(), &[0], value.as_ref()]).to_vec()
    }
}

fn cipher(key: &[u8]) -> Result<Aes256GcmSiv, StoreError> {
    Aes256GcmSiv::new_from_slice(key).map_err(|_| StoreError::Sealed("organizations.wrapped_key"))
}

fn derive(key: &[u8], purpose: &str) -> [u8; 32] {
    let mut derived = [0; 32];
    hkdf::Hkdf::<Sha256>::new(None, key)
        .expand(purpose.as_bytes(), &mut derived)
        .expect("32 bytes are fewer than HKDF-SHA-256 can give");
    derived
}

fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn associated(column: &'static str, row: Uuid) -> Vec<u8> {
    [column.as_bytes(), &[0], row.as_bytes()].concat()
}

fn seal(
    cipher: &Aes256GcmSiv,
    column: &'static str,
    row: Uuid,
    plain: &[u8],
    ids: &Ids,
) -> Result<Vec<u8>, StoreError> {
    let nonce: [u8; NONCE] = ids.secret();
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &associated(column, row) })
        .map_err(|_| StoreError::Sealed(column))?;
    let mut cell = Vec::with_capacity(1 + NONCE + sealed.len());
    cell.push(VERSION);
    cell.extend_from_slice(&nonce);
    cell.extend_from_slice(&sealed);
    Ok(cell)
}

fn open(cipher: &Aes256GcmSiv, column: &'static str, row: Uuid, cell: &[u8]) -> Result<Vec<u8>, StoreError> {
    let failed = || StoreError::Sealed(column);
    let (version, rest) = cell.split_first().ok_or_else(failed)?;
    if *version != VERSION {
        return Err(failed());
    }
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(failed)?;
    cipher
        .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &associated(column, row) })
        .map_err(|_| failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> OrgKeys {
        let ids = Arc::new(Ids::from_seed([3; 32]));
        let master = MasterKey::new([9; 32]);
        let organization = OrganizationId(Uuid::from_u128(1));
        let wrapped = master.new_data_key(organization, &ids).unwrap();
        master.open_data_key(organization, &wrapped, &ids).unwrap()
    }

    #[test]
    fn opens_only_in_its_own_column_and_row() {
        let keys = keys();
        let (row, other) = (Uuid::from_u128(5), Uuid::from_u128(6));
        let cell = keys.seal("messages.body", row, b"my knee hurts").unwrap();
        assert!(!cell.windows(4).any(|w| w == b"knee"));
        assert_eq!(keys.open("messages.body", row, &cell).unwrap(), b"my knee hurts");
        assert!(keys.open("messages.peer", row, &cell).is_err());
        assert!(keys.open("messages.body", other, &cell).is_err());
        let mut changed = cell;
        *changed.last_mut().unwrap() ^= 1;
        assert!(keys.open("messages.body", row, &changed).is_err());
    }

    #[test]
    fn another_master_key_opens_nothing() {
        let ids = Arc::new(Ids::from_seed([3; 32]));
        let organization = OrganizationId(Uuid::from_u128(1));
        let wrapped = MasterKey::new([9; 32]).new_data_key(organization, &ids).unwrap();
        assert!(MasterKey::new([8; 32]).open_data_key(organization, &wrapped, &ids).is_err());
    }

    #[test]
    fn look_ups_agree_and_kinds_differ() {
        let keys = keys();
        assert_eq!(keys.lookup("phone", "+15551234567"), keys.lookup("phone", "+15551234567"));
        assert_ne!(keys.lookup("phone", "x"), keys.lookup("last_name", "x"));
    }
}
