//! A policy host on the author's machine: the one place where `check` and `test` load a component.

use std::{
    env, fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use anteroom_policy::{Digest, HostConfig, Policy, PolicyHost, Refusal};

use crate::{cli::Failure, clock::system_ids};

/// Compiled forms kept, the newest; a Python policy's takes seconds to make and 50 MB.
const KEPT: usize = 8;

/// A host with the limits of an upload.
pub(super) fn start() -> Result<Arc<PolicyHost>, Failure> {
    let mut config = HostConfig { global_concurrency: 1, ..HostConfig::new(system_ids().secret()) };
    // Without a place for compiled forms each run compiles again, which is all.
    if let Some((folder, key)) = cache() {
        prune(&folder);
        config.cache_dir = Some(folder);
        config.cache_key = key;
    }
    Ok(PolicyHost::new(config)?)
}

/// What the upload does with a component.
pub(super) fn judge(host: &PolicyHost, component: &[u8]) -> Result<Arc<Policy>, Refusal> {
    host.judge(component, &mut |_| {})
}

/// What a node does with a component that was judged before.
pub(super) fn load(host: &PolicyHost, component: &[u8]) -> Result<Arc<Policy>, Refusal> {
    host.load(component)
}

/// Size of the compiled form.
pub(super) fn compiled_bytes(host: &PolicyHost, digest: Digest) -> Option<usize> {
    host.signed_form(digest).map(|form| form.len())
}

/// The user's own folder of compiled forms, and the key that signs them: both for the user alone.
fn cache() -> Option<(PathBuf, [u8; 32])> {
    let base = env::var_os("ANTEROOM_CACHE").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME").map(PathBuf::from)?;
        Some(
            env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from).join("anteroom"),
        )
    })?;
    let folder = base.join("compiled");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    let path = base.join("compiled.key");
    let known = |path: &Path| -> Option<[u8; 32]> { fs::read(path).ok()?.try_into().ok() };
    if let Some(key) = known(&path) {
        return Some((folder, key));
    }
    let key: [u8; 32] = system_ids().secret();
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => file.write_all(&key).ok().map(|()| (folder, key)),
        Err(_) => known(&path).map(|key| (folder, key)),
    }
}

fn prune(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = files
        .filter_map(|file| {
            let file = file.ok()?;
            Some((file.metadata().ok()?.modified().ok()?, file.path()))
        })
        .collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT) {
        // Another run may have been faster.
        drop(fs::remove_file(path));
    }
}
