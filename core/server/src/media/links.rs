//! Links by which a carrier fetches what staff send: signed, and good for a while.
//!
//! A link is the organization, the file, the moment until which it is good, and an HMAC-SHA-256 over them under a
//! key of the organization's. The same file and moment give the same link, to the byte.

use anteroom_model::{
    ids::{MediaId, OrganizationId},
    time::Timestamp,
};
use anteroom_store::OrgKeys;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Kind of the keyed hash.
const DOMAIN: &str = "media_link";
/// Organization, file, moment.
const SAID: usize = 16 + 16 + 8;
/// The hash.
const PROOF: usize = 32;

/// What a link says; true only once [`Link::is_ours`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) organization: OrganizationId,
    pub(crate) id: MediaId,
    pub(crate) until: Timestamp,
    proof: [u8; PROOF],
}

/// The last part of the link's address.
pub(crate) fn token(keys: &OrgKeys, organization: OrganizationId, id: MediaId, until: Timestamp) -> String {
    let said = said(organization, id, until);
    BASE64_URL_SAFE_NO_PAD.encode([&said[..], &keys.lookup(DOMAIN, said)].concat())
}

impl Link {
    /// Reads the last part of a link's address.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let bytes: [u8; SAID + PROOF] = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (organization, rest) = bytes.split_first_chunk::<16>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (until, proof) = rest.split_first_chunk::<8>()?;
        Some(Self {
            organization: OrganizationId(Uuid::from_bytes(*organization)),
            id: MediaId(Uuid::from_bytes(*id)),
            until: Timestamp::from_micros(i64::from_be_bytes(*until)),
            proof: proof.try_into().ok()?,
        })
    }

    /// Whether we made it, and it is still good.
    pub(crate) fn is_ours(&self, keys: &OrgKeys, now: Timestamp) -> bool {
        let proof = keys.lookup(DOMAIN, said(self.organization, self.id, self.until));
        bool::from(proof.ct_eq(&self.proof)) && now < self.until
    }
}

fn said(organization: OrganizationId, id: MediaId, until: Timestamp) -> [u8; SAID] {
    let mut said = [0; SAID];
    said[..16].copy_from_slice(organization.0.as_bytes());
    said[16..32].copy_from_slice(id.0.as_bytes());
    said[32..].copy_from_slice(&until.micros().to_be_bytes());
    said
}

/// The address of the server that an account's webhooks come to: what stands before `/webhooks/` in it, or its
/// origin.
pub(crate) fn public_base(public_url: &str) -> String {
    if let Some((before, _)) = public_url.split_once("/webhooks/") {
        return before.to_owned();
    }
    url::Url::parse(public_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anteroom_store::{MasterKey, OrganizationSettings, Store, StoreOptions};

    use super::*;
    use crate::clock::{SystemClock, system_ids};

    #[tokio::test]
    async fn a_link_is_good_as_it_was_made_and_no_other_way() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::sqlite(&folder.path().join("anteroom.db"));
        let ids = Arc::new(system_ids());
        let store = Store::open(&options, MasterKey::new([2; 32]), ids, Arc::new(SystemClock)).await.unwrap();
        let organization = store.create_organization("A", &OrganizationSettings::default()).await.unwrap();
        let keys = store.keys(organization).await.unwrap();
        let (id, until) = (MediaId(Uuid::from_u128(9)), Timestamp::from_micros(1_000));
        let token = token(&keys, organization, id, until);
        assert_eq!(token, super::token(&keys, organization, id, until), "the same to the byte");
        let link = Link::read(&token).unwrap();
        assert_eq!((link.organization, link.id, link.until), (organization, id, until));
        assert!(link.is_ours(&keys, Timestamp::from_micros(999)));
        assert!(!link.is_ours(&keys, until), "it is over");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let forged = Link::read(&BASE64_URL_SAFE_NO_PAD.encode(forged)).unwrap();
            assert!(!forged.is_ours(&keys, Timestamp::from_micros(0)), "byte {at}");
        }
        for none in ["", "AAAA", &token[1..], &format!("{token}A"), "..%2f"] {
            assert_eq!(Link::read(none), None, "{none}");
        }
    }

    #[test]
    fn links_are_where_webhooks_are() {
        assert_eq!(public_base("https://c.example/webhooks/twilio/7"), "https://c.example");
        assert_eq!(public_base("https://c.example/texts/webhooks/twilio/7?x=1"), "https://c.example/texts");
        assert_eq!(public_base("https://c.example:8443/hook"), "https://c.example:8443");
    }
}
