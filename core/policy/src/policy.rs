//! A policy version, ready to be called.

use std::fmt;

use anteroom_model::hooks::Hook;

use crate::{Digest, Manifest, Probe, hooks::Hooks};

/// A component that was accepted: compiled, linked, and sure to serve its hooks. Immutable; share it behind
/// an `Arc`, and swap the `Arc` when another version is bound (calls in flight finish on theirs).
pub struct Policy {
    /// SHA-256 of the component's bytes.
    pub digest: Digest,
    /// The hooks it serves, at least one.
    pub hooks: Vec<Hook>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Functions it imports, for example `host.history`.
    pub imports: Vec<String>,
    /// Does it import `host.history`? Where it doesn't, nobody needs to load one.
    pub uses_history: bool,
    /// Does it import `patient.field`?
    pub uses_patient: bool,
    /// Size of the component, in bytes.
    pub component_bytes: usize,
    /// Size of what was compiled from it, in bytes: what it takes in memory while it is loaded, at most.
    pub compiled_bytes: usize,
    /// What its hooks cost when they were probed; absent where it was only loaded.
    pub probe: Option<Vec<Probe>>,
    pub(crate) pre: Hooks,
}

impl Policy {
    /// Does it serve `hook`?
    pub fn serves(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("digest", &self.digest)
            .field("hooks", &self.hooks)
            .field("name", &self.manifest.name)
            .field("version", &self.manifest.version)
            .finish_non_exhaustive()
    }
}
