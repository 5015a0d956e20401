//! Pictures and documents: fetched from carriers, looked at, kept sealed, served to staff, handed to carriers.
//!
//! Whatever comes in goes one way ([`Media::take`]), whether a carrier or staff brought it: what it is, is told by
//! its bytes ([`kind`]); a picture must be one that can be decoded, which a process of its own finds out
//! ([`preview`], [`picture`]); then its bytes are sealed ([`objects`]), and only then a row says that it is there.
//! What came with a text is fetched by [`fetch`]; [`links`] are how carriers fetch what staff send.

pub mod bucket;
pub(crate) mod fetch;
pub mod kind;
pub(crate) mod links;
pub mod objects;
mod picture;
pub mod preview;
pub(crate) mod serve;
pub(crate) mod words;

use std::path::Path;

use anteroom_store::{MediaContent, OrgKeys};
use serde::Deserialize;
use tokio::sync::{Notify, Semaphore};

use bucket::Bucket;
use kind::Kind;
use objects::{Key, ObjectError, Objects, Part};
use picture::Unusable;
use preview::Previews;

pub use fetch::run;

/// Largest file that is taken, unless the configuration says otherwise.
const MAX_MIB: u64 = 10;

/// Uploads that a node takes at once.
const UPLOADS_AT_ONCE: usize = 4;

/// `[media]` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaConfig {
    /// Largest file that is taken, in MiB; 10 unless told otherwise.
    #[serde(default = "max_mib")]
    pub max_mib: u64,
    /// Where files are kept; `media` in the data folder unless told otherwise. Nodes of one database need the same.
    #[serde(default)]
    pub folder: Option<std::path::PathBuf>,
    /// A bucket to keep them in instead.
    #[serde(default)]
    pub s3: Option<Bucket>,
    /// Origins (`http://127.0.0.1:9000`) that files are fetched from although they are not on the public internet:
    /// for fakes of carriers.
    #[serde(default)]
    pub permitted_origins: Vec<String>,
}

impl MediaConfig {
    /// The permitted origins, read.
    pub fn origins(&self) -> Result<Vec<url::Url>, url::ParseError> {
        self.permitted_origins.iter().map(|origin| origin.parse()).collect()
    }
}

const fn max_mib() -> u64 {
    MAX_MIB
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self { max_mib: MAX_MIB, folder: None, s3: None, permitted_origins: Vec::new() }
    }
}

/// What all that deals with files shares.
#[derive(Debug)]
pub struct Media {
    /// The bytes.
    pub objects: Objects,
    /// Makes previews.
    pub previews: Previews,
    /// Largest file that is taken, in bytes.
    pub most: usize,
    /// Uploads that are taken at once.
    pub(crate) uploads: Semaphore,
    due: Notify,
}

impl Media {
    /// As `config` says; the folder, if there is one, is in `data` unless it says where.
    pub fn open(config: &MediaConfig, data: &Path, previews: Previews) -> Result<Self, ObjectError> {
        let objects = match (&config.s3, &config.folder) {
            (Some(bucket), _) => Objects::bucket(bucket)?,
            (None, Some(folder)) => Objects::folder(folder)?,
            (None, None) => Objects::folder(&data.join("media"))?,
        };
        let most = usize::try_from(config.max_mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX);
        let uploads = Semaphore::new(UPLOADS_AT_ONCE);
        Ok(Self { objects, previews, most, uploads, due: Notify::new() })
    }

    /// There is something to fetch.
    pub(crate) fn wake(&self) {
        self.due.notify_one();
    }

    /// Looks at `bytes` and keeps them. Why they are not taken is a word of [`words`]; the error of the outside is
    /// the machine's.
    pub(crate) async fn take(
        &self,
        keys: &OrgKeys,
        key: Key,
        bytes: &[u8],
    ) -> Result<Result<MediaContent, &'static str>, TakeError> {
        if bytes.is_empty() {
            return Ok(Err(words::EMPTY));
        }
        if bytes.len() > self.most {
            return Ok(Err(words::TOO_LARGE));
        }
        let Some(kind) = Kind::of(bytes) else { return Ok(Err(words::KIND)) };
        let preview = if kind.is_picture() {
            match self.previews.of(kind, bytes).await.map_err(TakeError::Preview)? {
                Ok(preview) => Some(preview),
                Err(Unusable::Broken) => return Ok(Err(words::BROKEN)),
                Err(Unusable::Bomb) => return Ok(Err(words::BOMB)),
            }
        } else {
            None
        };
        if let Some(preview) = &preview {
            self.objects.put(keys, key, Part::Preview, &preview.jpeg).await?;
        }
        self.objects.put(keys, key, Part::Original, bytes).await?;
        let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        Ok(Ok(MediaContent {
            kind: kind.mime().to_owned(),
            bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            preview_bytes: preview
                .as_ref()
                .map(|preview| i64::try_from(preview.jpeg.len()).unwrap_or(i64::MAX)),
            size: preview.as_ref().map(|preview| (side(preview.width), side(preview.height))),
        }))
    }
}

/// The machine could not look at a file, or not keep it; to be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeError {
    /// No process, or one that was killed.
    #[error("a preview can't be made")]
    Preview(#[source] std::io::Error),
    /// The object store.
    #[error(transparent)]
    Object(#[from] ObjectError),
}
