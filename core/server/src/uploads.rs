//! From a component that somebody sent to a policy version, or to a refusal its author can act on.
//!
//! The request is answered once the bytes are there; the checks go on behind it, a few at a time, and their
//! steps can be followed. Nothing but the refusal is kept of what is refused.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anteroom_model::{
    ids::{OrganizationId, PolicyId, PolicyUploadId, SigningKeyId, StaffId},
    time::Timestamp,
};
use anteroom_policy::{
    Digest, Policy, Refusal,
    settings_schema::{self, FieldError},
};
use anteroom_store::{Actor, NewAudit, NewEvent, Org, SigningKey, StoreError, UploadEnd};
use futures::FutureExt;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{app::App, policies};

/// Components held in memory at once, of all organizations: with the largest that is taken, 80 MiB.
const AT_ONCE: usize = 4;
/// Of one organization, so that its scripts leave the others a place.
const EACH: usize = 2;

/// Places for uploads.
#[derive(Clone, Debug, Default)]
pub struct Uploads(Arc<Mutex<HashMap<OrganizationId, usize>>>);

impl Uploads {
    /// A place for an upload of `organization`, if one is free.
    pub(crate) fn place(&self, organization: OrganizationId) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&organization).copied().unwrap_or(0);
        if own >= EACH || taken.values().sum::<usize>() >= AT_ONCE {
            return None;
        }
        taken.insert(organization, own + 1);
        Some(Place { uploads: self.clone(), organization })
    }
}

/// A place, kept until the component is checked and given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    uploads: Uploads,
    organization: OrganizationId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.organization) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.organization)),
        }
    }
}

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) id: PolicyUploadId,
    pub(crate) organization: OrganizationId,
    pub(crate) by: StaffId,
    pub(crate) request_id: Option<String>,
    pub(crate) component: Vec<u8>,
    /// JSON text, to be bound with it later.
    pub(crate) settings: Option<String>,
    /// ed25519 over the component's SHA-256.
    pub(crate) signature: Option<Vec<u8>>,
}

/// Checks what was sent, in a task that the process waits for before it ends. A process that is told to stop gives
/// it up: the sender reads that, and sends it again.
pub(crate) fn begin(app: &App, sent: Sent, place: Place) {
    let tasks = app.tasks.clone();
    let app = app.clone();
    tasks.spawn(async move {
        let (organization, id) = (sent.organization, sent.id);
        let checked = tokio::select! {
            checked = check(&app, sent) => checked,
            () = app.stop.cancelled() => Err(Ended::Stopped),
        };
        let end = match checked {
            Ok(()) => return,
            Err(Ended::Stopped) => {
                let refusal =
                    Refusal::host("the server was stopped while it was being checked: send it again");
                let refusal = serde_json::to_value(refusal).unwrap_or_default();
                UploadEnd::Refused { step: "stopped".to_owned(), refusal }
            }
            Err(Ended::Refused { step, refusal }) => {
                let refusal = serde_json::to_value(refusal).unwrap_or_default();
                UploadEnd::Refused { step: step.to_owned(), refusal }
            }
            Err(Ended::Store(error)) => {
                tracing::error!(upload = %id, %error, "an upload could not be stored");
                let refusal = Refusal::host("the database failed while it was being stored");
                let refusal = serde_json::to_value(refusal).unwrap_or_default();
                UploadEnd::Refused { step: "store".to_owned(), refusal }
            }
        };
        drop(place);
        let finished = app
            .store
            .write(organization, move |mut org| {
                async move {
                    let ended = org.finish_upload(id, end).await?;
                    tell(&org, id, "refused", None);
                    Ok::<_, StoreError>(ended)
                }
                .boxed()
            })
            .await;
        if let Err(error) = finished {
            tracing::error!(upload = %id, %error, "how an upload ended could not be noted");
        }
    });
}

/// Why an upload has not become a policy.
enum Ended {
    Refused { step: &'static str, refusal: Box<Refusal> },
    Store(StoreError),
    Stopped,
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Ended {
    fn refused(step: &'static str, code: &str, path: &str, expected: &str, found: String, fix: &str) -> Self {
        Self::Refused { step, refusal: Refusal::new(code, path, expected, found, fix).into() }
    }
}

async fn check(app: &App, sent: Sent) -> Result<(), Ended> {
    let component: Arc<[u8]> = sent.component.into();
    let digest = Digest::of(&component);
    // Cheap ones first: nobody waits for a compiler to hear of a wrong signature.
    let signed_by = match &sent.signature {
        Some(signature) => Some(signed_by(app, sent.organization, digest, signature).await?),
        None => None,
    };
    let policy = judge(app, sent.organization, sent.id, component.clone()).await?;
    if let Some(settings) = &sent.settings {
        check_settings(&policy, settings)?;
    }
    // Also makes the compiled form known to the other nodes.
    if let Err(error) = app.policies.load(&app.store, sent.organization, component.clone()).await {
        return Err(Ended::Refused { step: "compile", refusal: error.refusal()?.into() });
    }
    let new = policies::row(&policy, &component, "uploaded", Some(sent.by))?;
    let (id, by, request_id) = (sent.id, sent.by, sent.request_id);
    let (settings, signature) = (sent.settings, sent.signature);
    app.store
        .write(sent.organization, move |mut org| {
            async move {
                let policy = org.insert_policy(&new).await?;
                let settings_digest = match settings {
                    Some(settings) => Some(org.insert_settings(&settings).await?),
                    None => None,
                };
                if let (Some(key), Some(signature)) = (signed_by, signature) {
                    org.insert_signature(policy, key, &signature, by).await?;
                }
                let action = "policy.uploaded";
                org.insert_audit(&NewAudit { actor_id: by, action, subject: Some(policy.0), request_id })
                    .await?;
                org.finish_upload(id, UploadEnd::Stored { policy, settings_digest }).await?;
                tell(&org, id, "stored", Some(policy));
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await?;
    Ok(())
}

fn tell(org: &Org<'_>, id: PolicyUploadId, state: &'static str, policy: Option<PolicyId>) {
    org.tell(NewEvent {
        kind: "policy.upload",
        conversation_id: None,
        actor: Actor::Host,
        data: json!({ "upload_id": id, "state": state, "policy_id": policy }),
    });
}

/// The host's judgement, its steps noted as they are reached.
async fn judge(
    app: &App,
    organization: OrganizationId,
    id: PolicyUploadId,
    component: Arc<[u8]>,
) -> Result<Arc<Policy>, Ended> {
    let (reached, mut steps) = mpsc::unbounded_channel();
    let host = app.policies.host().clone();
    let judged = tokio::task::spawn_blocking(move || {
        host.judge(&component, &mut |step| {
            // Only a server that stops has nobody to tell.
            let _ = reached.send(step.as_str());
        })
    });
    let mut at = "component";
    while let Some(step) = steps.recv().await {
        at = step;
        app.store
            .write(organization, move |mut org| async move { org.upload_at_step(id, step).await }.boxed())
            .await?;
    }
    let outcome = judged.await.unwrap_or_else(|_| Err(Refusal::host("the check was abandoned")));
    outcome.map_err(|refusal| Ended::Refused { step: at, refusal: refusal.into() })
}

/// Which of the organization's keys has signed the digest.
async fn signed_by(
    app: &App,
    organization: OrganizationId,
    digest: Digest,
    signature: &[u8],
) -> Result<SigningKeyId, Ended> {
    let keys = app.store.read(organization).await?.signing_keys().await?;
    signer(&keys, digest, signature).map(|key| key.id).ok_or_else(|| {
        let standing = keys.iter().filter(|key| key.revoked_at.is_none()).count();
        Ended::refused(
            "signature",
            "bad_signature",
            "signature",
            "an ed25519 signature (64 bytes) of the component's SHA-256 (the 32 bytes, not their hex) by one \
             of the organization's keys",
            format!("{} bytes that none of {} keys has signed", signature.len(), standing),
            "Sign exactly the file that is sent, with `openssl pkeyutl -sign -rawin -inkey key.pem -in \
             digest.bin`, and enter the public key under Signing keys first.",
        )
    })
}

/// The key that has signed the digest, of those that count.
pub(crate) fn signer<'a>(keys: &'a [SigningKey], digest: Digest, signature: &[u8]) -> Option<&'a SigningKey> {
    let has_signed = |key: &&SigningKey| {
        UnparsedPublicKey::new(&ED25519, &key.public_key).verify(digest.as_bytes(), signature).is_ok()
    };
    keys.iter().filter(|key| key.revoked_at.is_none()).find(has_signed)
}

fn check_settings(policy: &Policy, settings: &str) -> Result<(), Ended> {
    let refuse = |path: &str, found: String| {
        Ended::refused(
            "settings",
            "settings",
            path,
            "settings that fit the policy's settings_schema",
            found,
            "Correct the settings, or the schema in the manifest.",
        )
    };
    let value: Value =
        serde_json::from_str(settings).map_err(|error| refuse("", format!("no JSON: {error}")))?;
    settings_schema::check(&policy.manifest.settings_schema, &value).map_err(|errors| {
        let first = errors.first().map_or("", |error| error.field.as_str());
        let all: Vec<_> = errors.iter().map(FieldError::to_string).collect();
        refuse(first, all.join("; "))
    })
}

/// An upload that nobody works on any more: the node that had it has ended.
pub(crate) fn is_abandoned(created_at: Timestamp, now: Timestamp) -> bool {
    now.since(created_at) > std::time::Duration::from_mins(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_organization_leaves_the_others_a_place() {
        let uploads = Uploads::default();
        let of = |number| OrganizationId::from(uuid::Uuid::from_u128(number));
        let mut taken: Vec<_> = (0..EACH).map(|_| uploads.place(of(1)).unwrap()).collect();
        assert!(uploads.place(of(1)).is_none());
        taken.extend((EACH..AT_ONCE).map(|number| uploads.place(of(2 + number as u128)).unwrap()));
        assert!(uploads.place(of(9)).is_none(), "all are taken");
        drop(taken.remove(0));
        let again = uploads.place(of(1)).unwrap();
        assert!(uploads.place(of(1)).is_none());
        drop((taken, again));
        assert!(uploads.0.lock().unwrap().is_empty());
    }
}
