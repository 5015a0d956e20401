//! Keys that an organization trusts, and their signatures.

use anteroom_model::{
    ids::{PolicyId, SigningKeyId},
    states::Role,
    time::Timestamp,
};
use anteroom_policy::Digest;
use anteroom_store::{Org, PolicyRow};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, hub::paging::Page, problem::Problem, uploads};

/// A DER `SubjectPublicKeyInfo` of an ed25519 key is this and the key (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key whose signatures count.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct KeyView {
    id: SigningKeyId,
    name: String,
    /// ed25519, base64 of its 32 bytes.
    public_key: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// A key to be trusted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct NewKey {
    /// Whose it is.
    name: String,
    /// ed25519: base64 of its 32 bytes, or what `openssl pkey -pubout` prints.
    public_key: String,
}

/// All signing keys, also those that were revoked.
#[utoipa::path(get, path = "/api/v1/signing-keys", tag = "policies",
    responses((status = 200, body = Page<KeyView>)))]
pub(in crate::hub) async fn keys(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<KeyView>>, Problem> {
    let keys = app.store.read(caller.organization).await?.signing_keys().await?;
    let items = keys.into_iter().map(|key| KeyView {
        id: key.id,
        name: key.name,
        public_key: STANDARD.encode(key.public_key),
        created_at: key.created_at,
        revoked_at: key.revoked_at,
    });
    Ok(Json(Page::all(items.collect())))
}

/// Trusts a key. For admins.
#[utoipa::path(post, path = "/api/v1/signing-keys", tag = "policies", request_body = NewKey,
    responses((status = 201, body = KeyView), (status = 403), (status = 409), (status = 422)))]
pub(in crate::hub) async fn add_key(
    State(app): State<App>,
    caller: Caller,
    Json(NewKey { name, public_key }): Json<NewKey>,
) -> Result<(StatusCode, Json<KeyView>), Problem> {
    caller.require(&[Role::Admin])?;
    if name.trim().is_empty() || name.chars().count() > 100 {
        return Err(Problem::invalid("name has 1 to 100 characters."));
    }
    let public_key = read_key(&public_key).ok_or_else(|| {
        Problem::invalid("public_key is an ed25519 key: base64 of its 32 bytes, or PEM of a public key.")
    })?;
    let (by, key, key_name) = (caller.staff, public_key.clone(), name.clone());
    let request = caller.clone();
    let (id, created_at) = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let id = org.insert_signing_key(&key_name, &key, by).await?;
                org.insert_audit(&request.audit("signing_key.added", Some(id.0))).await?;
                Ok::<_, anteroom_store::StoreError>((id, org.now()))
            }
            .boxed()
        })
        .await?;
    let public_key = STANDARD.encode(public_key);
    Ok((StatusCode::CREATED, Json(KeyView { id, name, public_key, created_at, revoked_at: None })))
}

fn read_key(text: &str) -> Option<Vec<u8>> {
    let base64: String =
        text.lines().filter(|line| !line.starts_with("-----")).flat_map(|line| line.trim().chars()).collect();
    let bytes = STANDARD.decode(base64).ok()?;
    let key = bytes.strip_prefix(&SPKI).unwrap_or(&bytes);
    (key.len() == 32).then(|| key.to_vec())
}

/// A key counts no more, nor do its signatures; what is bound stays bound. For admins.
#[utoipa::path(delete, path = "/api/v1/signing-keys/{id}", tag = "policies",
    params(("id" = SigningKeyId, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SigningKeyId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("signing_key.revoked", Some(id.0));
    let revoked = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                org.insert_audit(&audit).await?;
                org.revoke_signing_key(id).await
            }
            .boxed()
        })
        .await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("signing key")) }
}

/// A signature.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct NewSignature {
    /// base64: ed25519 over the component's SHA-256, by one of the organization's keys.
    signature: String,
}

/// Approves a policy version with a signature. For leads and admins.
#[utoipa::path(post, path = "/api/v1/policies/{id}/signatures", tag = "policies",
    params(("id" = PolicyId, Path)), request_body = NewSignature,
    responses((status = 204), (status = 403), (status = 404),
        (status = 422, description = "No key of the organization has signed this component")))]
pub(in crate::hub) async fn sign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyId>,
    Json(NewSignature { signature }): Json<NewSignature>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Lead, Role::Admin])?;
    let signature = STANDARD
        .decode(signature.trim())
        .map_err(|_| Problem::invalid("signature is base64 of 64 bytes."))?;
    let (by, audit) = (caller.staff, caller.audit("policy.signed", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let policy = org.policy(id).await?.ok_or_else(|| Problem::not_found("policy"))?;
                let keys = org.signing_keys().await?;
                let digest = digest(&policy)?;
                let Some(signer) = uploads::signer(&keys, digest, &signature) else {
                    return Err(Problem::invalid(
                        "None of the organization's keys has signed the SHA-256 (32 bytes) of this component.",
                    ));
                };
                org.insert_signature(id, signer.id, &signature, by).await?;
                org.insert_audit(&audit).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a key that counts has signed the policy; the signature itself is checked once more.
pub(super) async fn is_signed(org: &mut Org<'_>, policy: &PolicyRow) -> Result<bool, Problem> {
    let digest = digest(policy)?;
    let keys = org.signing_keys().await?;
    let signatures = org.signatures(policy.id).await?;
    Ok(signatures.iter().any(|signature| {
        uploads::signer(&keys, digest, &signature.signature).is_some_and(|key| key.id == signature.key_id)
    }))
}

pub(super) fn digest(policy: &PolicyRow) -> Result<Digest, Problem> {
    Digest::try_from(policy.digest.as_slice()).map_err(|error| Problem::internal(&error))
}
