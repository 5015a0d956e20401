//! The bytes of files, sealed, in an object store: a folder beside the database, or a bucket.
//!
//! A file is cut into chunks of 64 KiB, each sealed by itself under the organization's key, bound to the file's id
//! and to whether it is the original or the preview; inside each stands which attempt it is of, its number, and
//! whether it is the last one, so that chunks can't change places or get lost. So a part of it can be read without
//! the rest, and no file is ever in memory whole while it is served.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use anteroom_model::{
    ids::{MediaId, OrganizationId},
    time::Timestamp,
};
use anteroom_store::{OrgKeys, Store, StoreError};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path as Name};

use super::bucket::Bucket;

/// Bytes of a chunk before it is sealed.
const CHUNK: u64 = 64 * 1024;
/// What stands before them: attempt, number, whether it is the last one.
const HEAD: u64 = 4 + 4 + 1;
/// What sealing adds: version, nonce, tag.
const SEAL: u64 = 1 + 12 + 16;
const SEALED: u64 = CHUNK + HEAD + SEAL;

/// Why bytes can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The object store failed, or doesn't have it.
    #[error("the object store failed")]
    Store(#[from] object_store::Error),
    /// It is not what was written.
    #[error("an object can't be opened")]
    Sealed(#[from] StoreError),
    /// Likewise.
    #[error("an object is not what was written")]
    Damaged,
    /// The folder can't be made.
    #[error("the folder of the files can't be used")]
    Folder(#[from] io::Error),
}

/// Which of a file's two objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it came.
    Original,
    /// The small picture of it.
    Preview,
}

impl ObjectError {
    /// There is no such object: no failure of the store, but an answer of its.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
}

impl Part {
    const fn column(self) -> &'static str {
        match self {
            Self::Original => "media.original",
            Self::Preview => "media.preview",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Original => "",
            Self::Preview => "-preview",
        }
    }
}

/// Which file of whom: attempts at fetching it write objects of their own, so that of two nodes that both believe
/// it theirs neither changes what the other has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose.
    pub organization: OrganizationId,
    /// Which.
    pub id: MediaId,
    /// By which attempt.
    pub attempt: i32,
}

/// Where files are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    /// Where it is a folder.
    folder: Option<PathBuf>,
}

impl Objects {
    /// In `folder`, which is made where it is missing; only the owner may read it.
    pub fn folder(folder: &Path) -> Result<Self, ObjectError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: String::new(), folder: Some(folder.to_owned()) })
    }

    /// In a bucket.
    pub fn bucket(bucket: &Bucket) -> Result<Self, ObjectError> {
        let prefix = bucket.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { store: bucket.open()?, prefix, folder: None })
    }

    fn name(&self, key: Key, part: Part) -> Name {
        let Key { organization, id, attempt } = key;
        Name::from(format!("{}{organization}/{id}-{attempt}{}", self.prefix, part.ending()))
    }

    /// Seals and keeps `bytes`.
    pub async fn put(&self, keys: &OrgKeys, key: Key, part: Part, bytes: &[u8]) -> Result<(), ObjectError> {
        let mut chunks: Vec<&[u8]> = bytes.chunks(index(CHUNK)).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        let mut sealed = Vec::with_capacity(chunks.len());
        for (number, plain) in (0_u64..).zip(&chunks) {
            let head = head(key.attempt, number, sealed.len() + 1 == chunks.len());
            let chunk = keys.seal(part.column(), key.id.0, &[&head, *plain].concat())?;
            sealed.push(Bytes::from(chunk));
        }
        self.store.put(&self.name(key, part), PutPayload::from_iter(sealed)).await?;
        Ok(())
    }

    /// The bytes of `range` of a file that has `length`, chunk by chunk as they are read.
    pub fn read(
        &self,
        store: &Store,
        key: Key,
        part: Part,
        length: u64,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, ObjectError>> + Send + use<> {
        let (objects, store, name) = (self.clone(), store.clone(), self.name(key, part));
        stream::try_unfold(range, move |wanted| {
            let (objects, store, name) = (objects.clone(), store.clone(), name.clone());
            async move {
                if wanted.is_empty() {
                    return Ok(None);
                }
                let number = wanted.start / CHUNK;
                let (begin, end) = (number * CHUNK, length.min((number + 1) * CHUNK));
                let at = number * SEALED;
                let sealed = objects.store.get_range(&name, at..at + (end - begin) + HEAD + SEAL).await?;
                let keys = store.keys(key.organization).await?;
                let mut plain = keys.open(part.column(), key.id.0, &sealed)?;
                if plain.len() != index(end - begin + HEAD)
                    || plain.drain(..index(HEAD)).ne(head(key.attempt, number, end == length))
                {
                    return Err(ObjectError::Damaged);
                }
                let piece = Bytes::from(plain);
                let until = wanted.end.min(end);
                let piece = piece.slice(index(wanted.start - begin)..index(until - begin));
                Ok(Some((piece, until..wanted.end)))
            }
        })
    }

    /// The same, once its first chunk is here: whoever answers with it knows by then that there is something.
    pub async fn open(
        &self,
        store: &Store,
        key: Key,
        part: Part,
        length: u64,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, ObjectError>> + Send + use<>, ObjectError> {
        let mut pieces = Box::pin(self.read(store, key, part, length, range));
        let first = pieces.try_next().await?;
        Ok(stream::iter(first.map(Ok)).chain(pieces))
    }

    /// Drops what was being written when a process was killed, if that was before `before`: in a folder an object is
    /// written beside its place (`…#1`) and then moved there.
    pub async fn sweep(&self, before: Timestamp) -> io::Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || sweep(&folder, before)).await.map_err(io::Error::other)?
    }

    /// Drops a file, original and preview. What isn't there is dropped already.
    pub async fn delete(&self, key: Key) -> Result<(), ObjectError> {
        for part in [Part::Original, Part::Preview] {
            match self.store.delete(&self.name(key, part)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn sweep(folder: &Path, before: Timestamp) -> io::Result<()> {
    for organization in fs::read_dir(folder)? {
        let organization = organization?.path();
        if !organization.is_dir() {
            continue;
        }
        for entry in fs::read_dir(organization)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().contains('#') && modified(&entry)? < before {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

fn modified(entry: &fs::DirEntry) -> io::Result<Timestamp> {
    let moment = entry.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_micros(i64::try_from(moment.as_micros()).unwrap_or(i64::MAX)))
}

/// A length as an index: files are far shorter than memory.
fn index(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn head(attempt: i32, number: u64, last: bool) -> [u8; 9] {
    let mut head = [0; 9];
    head[..4].copy_from_slice(&attempt.to_be_bytes());
    // A file has far fewer chunks.
    head[4..8].copy_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
    head[8] = u8::from(last);
    head
}
