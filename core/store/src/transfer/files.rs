//! Files that are whole or not there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::TransferError;

/// A file that is written under another name until it is whole.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    wanted: PathBuf,
    /// Open, and locked against another process that writes the same, for as long as this lives: closing it
    /// would also release the locks that `SQLite` holds.
    file: File,
    published: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Draft {
    /// Begins a file that will be `wanted`, which must not be there yet. Only the owner may read it. What a
    /// process that was killed has left is written over.
    pub(super) fn begin(wanted: &Path) -> Result<Self, TransferError> {
        refuse_present(wanted)?;
        let mut name = wanted.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let path = wanted.with_file_name(name);
        let open =
            || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open().map_err(|error| at(&path, error))?;
        if file.try_lock().is_err() {
            let path = path.display();
            return TransferError::refused(format!("{path} is being written by another process"));
        }
        file.set_len(0).map_err(|error| at(&path, error))?;
        Ok(Self { path, wanted: wanted.to_owned(), file, published: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything written so far is on the disk.
    pub(super) fn sync(&self) -> Result<(), TransferError> {
        self.file.sync_all().map_err(|error| at(&self.path, error))
    }

    /// Gives the file its name, unless that has been taken meanwhile.
    pub(super) fn publish(mut self) -> Result<(), TransferError> {
        self.sync()?;
        match fs::hard_link(&self.path, &self.wanted) {
            Ok(()) => fs::remove_file(&self.path).map_err(|error| at(&self.path, error))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return present(&self.wanted),
            // Not every file system has links.
            Err(_) => {
                refuse_present(&self.wanted)?;
                fs::rename(&self.path, &self.wanted).map_err(|error| at(&self.wanted, error))?;
            }
        }
        self.published = true;
        sync_folder(&self.wanted).map_err(|error| at(&self.wanted, error))
    }
}

/// Makes an empty file that only the owner may read, where there is none.
pub(super) fn create_private(path: &Path) -> Result<(), TransferError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(at(path, error)),
    }
}

/// Copies the bytes of `from` over those of the draft.
pub(super) fn copy_into(draft: &Draft, from: &Path) -> Result<(), TransferError> {
    let mut read = File::open(from).map_err(|error| at(from, error))?;
    io::copy(&mut read, &mut &draft.file).map(drop).map_err(|error| at(draft.path(), error))
}

fn refuse_present(path: &Path) -> Result<(), TransferError> {
    match fs::symlink_metadata(path) {
        Ok(_) => present(path),
        Err(_) => Ok(()),
    }
}

fn present(path: &Path) -> Result<(), TransferError> {
    let path = path.display();
    TransferError::refused(format!(
        "{path} is there already, and nothing is ever overwritten: choose another name"
    ))
}

fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn at(path: &Path, error: io::Error) -> TransferError {
    TransferError::File { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_draft_never_takes_a_name_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("backup.db");
        let draft = Draft::begin(&wanted).unwrap();
        assert!(Draft::begin(&wanted).unwrap_err().to_string().contains("another process"));
        fs::write(draft.path(), b"rows").unwrap();
        draft.publish().unwrap();
        assert_eq!(fs::read(&wanted).unwrap(), b"rows");
        assert_eq!(fs::metadata(&wanted).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Draft::begin(&wanted).unwrap_err().to_string().contains("there already"));

        let other = folder.path().join("other.db");
        let draft = Draft::begin(&other).unwrap();
        fs::write(&other, b"somebody's").unwrap();
        assert!(draft.publish().unwrap_err().to_string().contains("there already"));
        assert_eq!(fs::read(&other).unwrap(), b"somebody's");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft is left");
    }
}
