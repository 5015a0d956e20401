//! The only unsafe code of the workspace: turning compiled bytes back into a component.

#![expect(
    unsafe_code,
    reason = "compiled code can't be checked by looking at it, so Wasmtime leaves the promise to us"
)]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use wasmtime::{Engine, component::Component};

use crate::compile::Form;

const TAG_BYTES: usize = 32;

/// Signs a compiled form: an HMAC-SHA256 of what it is (`label`) and its bytes, then the bytes.
pub(crate) fn seal(key: &[u8; 32], label: &str, compiled: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(TAG_BYTES + compiled.len());
    sealed.extend_from_slice(&mac(key, label, compiled).finalize().into_bytes());
    sealed.extend_from_slice(compiled);
    sealed
}

/// The component in `sealed` if we signed exactly these bytes under this label; `None` if we did not, or if
/// this engine can't run it.
pub(crate) fn open(engine: &Engine, key: &[u8; 32], label: &str, sealed: &[u8]) -> Option<Component> {
    let (tag, compiled) = sealed.split_at_checked(TAG_BYTES)?;
    mac(key, label, compiled).verify_slice(tag).ok()?;
    // SAFETY: `deserialize` needs bytes that `Component::serialize` made and nobody changed. The HMAC
    // verifies under a key that never leaves the host, the host signs nothing but what its own compiler
    // returned, and these are the verified bytes themselves, in memory, not a path read a second time.
    unsafe { Component::deserialize(engine, compiled) }.ok()
}

/// The component in a form that was compiled just now.
pub(crate) fn fresh(engine: &Engine, form: &Form) -> wasmtime::Result<Component> {
    // SAFETY: as above, without the way over the disk: a `Form` is made only by the process that this host
    // started to compile, of its own program, and of what that wrote nothing was changed.
    unsafe { Component::deserialize(engine, form.bytes()) }
}

fn mac(key: &[u8; 32], label: &str, compiled: &[u8]) -> Hmac<Sha256> {
    // A key of any length is valid for HMAC, and this one's is fixed; the array makes it infallible.
    let mut mac = Hmac::<Sha256>::new(&(*key).into_padded());
    mac.update(&(label.len() as u64).to_le_bytes());
    mac.update(label.as_bytes());
    mac.update(compiled);
    mac
}

/// HMAC pads a short key with zeros to its block; done here, its constructor can't fail.
trait IntoPadded {
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoPadded for [u8; 32] {
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&self);
        block
    }
}
