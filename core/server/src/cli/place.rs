//! Where the database, the master key and a node's own files are.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anteroom_model::{
    ids::{Ids, NodeId},
    time::Clock,
};
use anteroom_store::{MasterKey, Store, StoreError, StoreOptions, transfer::Side};

use crate::{
    cli::Failure,
    clock::{SystemClock, system_ids},
};

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Folder of this node's own files: the master key and an embedded database, unless they are elsewhere.
    pub(crate) folder: PathBuf,
    /// `postgres://…` or `sqlite:` and a path; without it, `anteroom.db` in the folder.
    pub(crate) database_url: Option<String>,
    /// File of the master key, where it is not the one in the folder.
    pub(crate) master_key: Option<PathBuf>,
}

/// What opens a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// A node that works off queues.
    Node,
    /// A command that is over in a moment.
    Command,
    /// A command that only reads, also beside a server that has the folder.
    Reader,
}

/// An open store and the lock that keeps other processes off its files.
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// This node, the same in each of its lives.
    pub(crate) node: NodeId,
    _lock: Option<fs::File>,
}

impl Place {
    /// How to open the database.
    fn options(&self) -> Result<StoreOptions, Failure> {
        let Some(url) = &self.database_url else {
            return Ok(StoreOptions::sqlite(&self.folder.join("anteroom.db")));
        };
        if !["postgres:", "postgresql:", "sqlite:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err("a database URL begins with postgres:// or sqlite:".into());
        }
        Ok(StoreOptions::url(url))
    }

    /// Whether there can be a database: an embedded one is made where it is missing.
    fn is_there(&self) -> bool {
        self.database_url.is_some() || self.folder.join("anteroom.db").exists()
    }

    /// The database as a side of a transfer.
    pub(crate) fn side(&self) -> Result<Side, Failure> {
        Ok(match &self.database_url {
            Some(url) => Side::parse(url)?,
            None => Side::Sqlite(self.folder.join("anteroom.db")),
        })
    }

    /// Opens the database, brings it to the newest migration and ends what an earlier life of this node left.
    pub(crate) async fn open(&self, opener: Opener) -> Result<Opened, Failure> {
        if opener == Opener::Reader && !self.is_there() {
            return Err(format!("there is no database in {}", self.folder.display()).into());
        }
        create_folder(&self.folder)?;
        let options = self.options()?;
        let shared = options.is_postgres();
        let lock = match opener {
            Opener::Command if shared => None,
            // Whoever else has it: SQLite itself lets one read while another writes.
            Opener::Reader => lock(&self.folder).ok(),
            Opener::Node | Opener::Command => Some(lock(&self.folder)?),
        };
        let ids = Arc::new(system_ids());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let node = node_id(&self.folder, &ids, clock.as_ref())?;
        let key_file = self.master_key.clone().unwrap_or_else(|| self.folder.join("master.key"));
        let known = read_master_key(&key_file)?;
        let fresh = known.is_none();
        let bytes = known.unwrap_or_else(|| ids.secret());
        let store = match Store::open(&options, MasterKey::new(bytes), ids, clock).await {
            Err(StoreError::MasterKey) if fresh => {
                let path = key_file.display();
                return Err(format!(
                    "{path} is missing: this database needs the master key it was made with"
                )
                .into());
            }
            other => other?,
        };
        if store.is_half_moved().await? {
            return Err(
                "this database holds a part of a move or a restore that was never finished: run that \
                        command again, or choose another database"
                    .into(),
            );
        }
        if fresh {
            write_master_key(&key_file, &bytes)?;
        }
        if opener == Opener::Node {
            // The lock says that no other process has this node's name, or an embedded database: whatever is
            // leased to it was left by one that has ended.
            if let Err(error) = store.release_leases(shared.then_some(node)).await {
                // Another node may have had its hands on the same rows.
                tracing::warn!(%error, "what an earlier life of this node had leased is waited for");
            }
        }
        Ok(Opened { store, node, _lock: lock })
    }
}

fn named(path: &Path, error: &std::io::Error) -> Failure {
    format!("{}: {error}", path.display()).into()
}

pub(super) fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| named(folder, &error))
}

pub(super) fn lock(folder: &Path) -> Result<fs::File, Failure> {
    let path = folder.join("anteroom.lock");
    let lock = fs::File::create(&path).map_err(|error| named(&path, &error))?;
    lock.try_lock().map_err(|_| {
        format!("{} is in use by another anteroom. Stop it, or choose another folder.", folder.display())
    })?;
    Ok(lock)
}

/// The id in `folder`, or a new one written there. One that was copied, with its folder, to another place or
/// machine is not taken: two nodes of one name would take each other's leases for their own.
fn node_id(folder: &Path, ids: &Ids, clock: &dyn Clock) -> Result<NodeId, Failure> {
    use std::os::unix::fs::MetadataExt;
    let path = folder.join("node.id");
    let place = fs::metadata(folder).map_err(|error| named(folder, &error))?;
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let here = format!("{} {}:{}", host.trim(), place.dev(), place.ino());
    match fs::read_to_string(&path) {
        Ok(text) => {
            if let Some((id, there)) = text.trim().split_once(' ')
                && there == here
                && let Ok(node) = id.parse()
            {
                return Ok(node);
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(named(&path, &error)),
    }
    let node: NodeId = ids.next(clock.now());
    fs::write(&path, format!("{node} {here}\n")).map_err(|error| named(&path, &error))?;
    Ok(node)
}

/// 64 hexadecimal digits; `None` where there is no such file.
fn read_master_key(path: &Path) -> Result<Option<[u8; 32]>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
            let wrong = || format!("the master key {}: it is not 64 hexadecimal digits", path.display());
            bytes.map(Some).ok_or_else(|| wrong().into())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("the master key {}: {error}", path.display()).into()),
    }
}

/// Only the owner may read it.
fn write_master_key(path: &Path, key: &[u8; 32]) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", hex::encode(key))?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| format!("the master key {}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_folder_is_another_node() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let ids = Ids::from_seed([1; 32]);
        let id = |folder: &tempfile::TempDir| node_id(folder.path(), &ids, &SystemClock).unwrap();
        let first = id(&one);
        assert_eq!(id(&one), first, "its next life");
        fs::copy(one.path().join("node.id"), other.path().join("node.id")).unwrap();
        let second = id(&other);
        assert_ne!(second, first);
        assert_eq!(id(&other), second);
    }
}
