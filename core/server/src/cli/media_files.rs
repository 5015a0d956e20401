//! The files of texts beside a backup: a folder, as the backup is a file.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::cli::Failure;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// The folder that belongs to a backup.
pub(super) fn beside(backup: &Path) -> PathBuf {
    let mut name: OsString = backup.as_os_str().to_owned();
    name.push(".media");
    name.into()
}

/// Copies all files of `from`, if there are any, to the new folder `to`, which has its name once it is whole. What
/// is written to `from` meanwhile may be in it or not: a file is never changed.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Copied, Failure> {
    if !from.exists() {
        return Ok(Copied::default());
    }
    if to.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} is there already: choose another name", to.display()).into());
    }
    let mut partial: OsString = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let copied = copy_folder(from, &partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    // An empty one is in the way of the name.
    drop(fs::remove_dir(to));
    fs::rename(&partial, to).map_err(|error| format!("{}: {error}", to.display()))?;
    Ok(copied)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<Copied> {
    let mut copied = Copied::default();
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            let inside = copy_folder(&path, &to.join(name))?;
            copied.files += inside.files;
            copied.bytes += inside.bytes;
            continue;
        }
        // One that is being written.
        if name.to_string_lossy().contains('#') {
            continue;
        }
        let target = to.join(name);
        match fs::copy(&path, &target) {
            Ok(bytes) => {
                File::open(&target)?.sync_all()?;
                copied.files += 1;
                copied.bytes += bytes;
            }
            // An upload that was never sent, and is dropped now.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(to)?.sync_all()?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_whole_and_over_nothing() {
        let place = tempfile::tempdir().unwrap();
        let (from, backup) = (place.path().join("media"), place.path().join("clinic.backup"));
        let to = beside(&backup);
        assert_eq!(copy(&from, &to).unwrap(), Copied::default(), "there are none");
        fs::create_dir_all(from.join("a")).unwrap();
        fs::write(from.join("a/1-1"), b"sealed").unwrap();
        fs::write(from.join("a/2-1#3"), b"half").unwrap();
        assert_eq!(copy(&from, &to).unwrap(), Copied { files: 1, bytes: 6 });
        assert_eq!(fs::read(to.join("a/1-1")).unwrap(), b"sealed");
        assert!(!to.join("a/2-1#3").exists());
        assert!(copy(&from, &to).unwrap_err().to_string().contains("there already"));
    }
}
