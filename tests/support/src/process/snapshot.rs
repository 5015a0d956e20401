//! A stopped server's folder, to begin others from.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{Anteroom, files};

/// The files of a data folder. Seeding a clinic compiles four policies, which takes seconds in a debug build:
/// done once, every test gets a copy.
#[derive(Debug)]
pub struct Snapshot(Vec<(PathBuf, u32, Vec<u8>)>);

impl Snapshot {
    /// Of a server that has been stopped.
    pub fn of(anteroom: &Anteroom) -> Self {
        assert!(anteroom.child.is_none(), "stop it first");
        let folder = anteroom.dir();
        let read = |path: PathBuf| {
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            let bytes = fs::read(&path).expect("a file");
            (path.strip_prefix(&folder).expect("a file of the folder").to_owned(), mode, bytes)
        };
        Self(files(&folder).into_iter().map(read).collect())
    }

    pub(super) fn restore(&self, folder: &Path) {
        for (path, mode, bytes) in &self.0 {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, bytes).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("a file");
        }
    }
}
