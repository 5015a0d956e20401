//! Compiled components on disk, trusted only with our HMAC.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use wasmtime::{Engine, component::Component};

use crate::{Digest, trusted};

/// A directory of compiled forms. Losing it, or any file in it, costs a compilation and nothing else.
pub(crate) struct Cache {
    directory: PathBuf,
    key: [u8; 32],
    compatibility: String,
    written: AtomicU64,
}

impl Cache {
    pub(crate) fn open(directory: PathBuf, key: [u8; 32], compatibility: String) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, key, compatibility, written: AtomicU64::new(0) })
    }

    /// The compiled form, if it is there, signed by us for exactly this component and this engine.
    pub(crate) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let label = self.label(digest);
        let sealed = match fs::read(self.path(&label)) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%digest, %error, "can't read a compiled policy; compiling it again");
                return None;
            }
        };
        let component = trusted::open(engine, &self.key, &label, &sealed);
        if component.is_none() {
            tracing::warn!(%digest, "a compiled policy is not what we signed; compiling it again");
        }
        component
    }

    /// The compiled form with our signature, as other hosts with the same key can [`adopt`](Self::adopt) it.
    pub(crate) fn signed(&self, digest: Digest) -> Option<Vec<u8>> {
        fs::read(self.path(&self.label(digest))).ok()
    }

    /// Keeps a compiled form. Readers see the whole file or none.
    pub(crate) fn store(&self, digest: Digest, compiled: &[u8]) {
        self.adopt(digest, &trusted::seal(&self.key, &self.label(digest), compiled));
    }

    /// Keeps what another host has signed; the signature is checked where it is loaded.
    pub(crate) fn adopt(&self, digest: Digest, sealed: &[u8]) {
        let label = self.label(digest);
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let partial = self.directory.join(format!("{label}.{}-{number}.partial", process::id()));
        let written = fs::write(&partial, sealed).and_then(|()| fs::rename(&partial, self.path(&label)));
        if let Err(error) = written {
            tracing::warn!(%digest, %error, "can't keep a compiled policy");
            // It may never have been created.
            let _ = fs::remove_file(&partial);
        }
    }

    /// What a compiled form is of: the component and the engine.
    pub(crate) fn label(&self, digest: Digest) -> String {
        format!("{digest}-{}", self.compatibility)
    }

    fn path(&self, label: &str) -> PathBuf {
        self.directory.join(Path::new(label).with_extension("cwasm"))
    }
}
