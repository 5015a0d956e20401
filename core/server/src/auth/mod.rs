//! Who is calling: a signed-in browser or a program with a token.
//!
//! A session's cookie and a token both name their organization, so that every look-up leads with it:
//! `atr_<organization>_<token id>_<secret>` and `<organization>.<secret>`. Only hashes are stored.

mod caller;
pub mod limits;
pub mod links;
pub mod password;

use anteroom_model::ids::{Ids, OrganizationId, StaffId, TokenId};
use anteroom_store::{Store, StoreError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use caller::{Caller, Via};

/// The session's cookie.
pub const COOKIE: &str = "anteroom_session";
/// The header that writes of a session must carry.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// How long a session lasts: a working day.
pub const SESSION: std::time::Duration = std::time::Duration::from_hours(12);

const TOKEN_PREFIX: &str = "atr";

/// What a token may be allowed.
pub const SCOPES: [&str; 2] = ["read", "write"];

/// A new secret and the hash that is stored of it.
pub fn new_secret(ids: &Ids) -> (String, Vec<u8>) {
    let secret = URL_SAFE_NO_PAD.encode(ids.secret::<32>());
    let hash = hash(&secret);
    (secret, hash)
}

/// SHA-256 is enough for a secret of 256 random bits.
fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A session just opened.
#[derive(Debug)]
pub struct OpenedSession {
    /// Value of the cookie.
    pub cookie: String,
    /// What writes must carry.
    pub csrf_token: String,
}

/// Opens a session for `staff`.
pub async fn open_session(
    store: &Store,
    organization: OrganizationId,
    staff: StaffId,
) -> Result<OpenedSession, StoreError> {
    let (secret, secret_hash) = new_secret(store.ids());
    let (csrf_token, _) = new_secret(store.ids());
    let csrf = csrf_token.clone();
    store
        .write(organization, move |mut org| {
            async move {
                let until = org.now().plus(SESSION);
                org.insert_session(&secret_hash, staff, &csrf, until).await
            }
            .boxed()
        })
        .await?;
    Ok(OpenedSession { cookie: format!("{}.{secret}", organization.0.simple()), csrf_token })
}

/// Makes an API token for `staff`; its text is shown once.
pub async fn create_token(
    store: &Store,
    organization: OrganizationId,
    staff: StaffId,
    name: &str,
    scopes: &[&str],
) -> Result<String, StoreError> {
    let (secret, secret_hash) = new_secret(store.ids());
    let name = name.to_owned();
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let id: TokenId = store
        .write(organization, move |mut org| {
            async move { org.insert_token(staff, &name, &secret_hash, &scopes).await }.boxed()
        })
        .await?;
    Ok(format!("{TOKEN_PREFIX}_{}_{}_{secret}", organization.0.simple(), id.0.simple()))
}

/// The parts of a session's cookie.
fn read_cookie(cookie: &str) -> Option<(OrganizationId, Vec<u8>)> {
    let (organization, secret) = cookie.split_once('.')?;
    Some((OrganizationId(Uuid::parse_str(organization).ok()?), hash(secret)))
}

/// The parts of a token. The secret may itself contain the separator.
fn read_token(token: &str) -> Option<(OrganizationId, TokenId, Vec<u8>)> {
    let mut parts = token.splitn(4, '_');
    if parts.next()? != TOKEN_PREFIX {
        return None;
    }
    let organization = Uuid::parse_str(parts.next()?).ok()?;
    let id = Uuid::parse_str(parts.next()?).ok()?;
    Some((OrganizationId(organization), TokenId(id), hash(parts.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_cookies_are_taken_apart() {
        let (organization, id) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let token = format!("atr_{}_{}_a_b-c", organization.simple(), id.simple());
        let read = read_token(&token).unwrap();
        assert_eq!(read, (OrganizationId(organization), TokenId(id), hash("a_b-c")));
        assert!(read_token("xyz_1_2_3").is_none());
        assert!(read_cookie("nonsense").is_none());
    }
}
