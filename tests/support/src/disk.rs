//! A disk small enough to be filled.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A file system in memory, of a few megabytes. Unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there doesn't keep the mount.
        drop(as_root("umount").arg("--lazy").arg(self.folder.path()).status());
    }
}

impl SmallDisk {
    /// Mounts it, which takes root or a `sudo` that asks no password; tells so where there is neither.
    pub fn of_megabytes(size: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("anteroom-disk-").tempdir().expect("a folder");
        let mut mount = as_root("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=1777"), "anteroom-test"]);
        let output = mount.arg(folder.path()).output().expect("mount");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "filling a disk takes one of its own: run this test as root ({errors})"
        );
        Self { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room that is left; once more, what has become free since.
    pub fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).expect("a file");
        // Ever smaller pieces: the last byte too.
        let mut piece = vec![0; 1 << 20];
        while !piece.is_empty() {
            match ballast.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
                Err(error) => panic!("{}: {error}", self.ballast().display()),
            }
        }
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("it was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    command
}
