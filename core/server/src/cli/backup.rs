//! `anteroom backup` and `anteroom restore`.

use std::path::{Path, PathBuf};

use anteroom_model::time::Clock;
use anteroom_store::transfer::{self, Side};

use crate::{
    cli::{
        Failure, PlaceArgs, media_files, place,
        transfer::{Reporter, folder, key_file, say, table},
    },
    clock::SystemClock,
};

/// `anteroom backup`.
pub(super) async fn back_up(place: &PlaceArgs, to: &Path) -> Result<(), Failure> {
    let from = place.clone().place().side()?;
    let mut reporter = Reporter::default();
    let now = SystemClock.now();
    let (manifest, summary) = transfer::back_up(&from, to, now, &mut |step| reporter.tell(step)).await?;
    reporter.end();
    // After the rows: what they name is there before they say so.
    let files = media_files::copy(&place.data_dir.join("media"), &media_files::beside(to))?;
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    say(&format!(
        "{}\n{} holds {from} as of {} ({rows} rows, schema {}), verified.\n\
         It is sealed with the master key, which is not in it. Keep {} too, and keep it apart: whoever has both \
         can read everything, and without the key the backup is worth nothing.\n{}",
        table(&summary),
        to.display(),
        manifest.made_at,
        manifest.schema,
        key_file(place, None).display(),
        beside(files, &media_files::beside(to)),
    ))
}

/// What there is to say of the files of texts, if there are any.
fn beside(files: media_files::Copied, folder: &Path) -> String {
    let media_files::Copied { files, bytes } = files;
    if files == 0 {
        return String::new();
    }
    format!(
        "{} holds the files of texts ({files}, {bytes} bytes): it belongs to the backup.\n",
        folder.display()
    )
}

/// `anteroom restore`.
pub(super) async fn restore(place: &PlaceArgs, from: &Path, to: Option<&str>) -> Result<(), Failure> {
    let to = match to {
        Some(url) => Side::parse(url)?,
        None => place.clone().place().side()?,
    };
    let folder = folder(&to);
    let lock = folder.as_deref().map(|folder: &Path| {
        place::create_folder(folder)?;
        place::lock(folder)
    });
    let _lock = lock.transpose()?;
    let mut reporter = Reporter::default();
    let now = SystemClock.now();
    let (manifest, summary) = transfer::restore(from, &to, now, &mut |step| reporter.tell(step)).await?;
    reporter.end();
    let data = folder.clone().unwrap_or_else(|| place.data_dir.clone());
    let files = media_files::copy(&media_files::beside(from), &data.join("media"))?;
    let key: PathBuf = key_file(place, folder.as_deref());
    let there = if key.exists() { "is what it will be read with" } else { "has to be put there" };
    say(&format!(
        "{}\n{to} holds the backup of {} (from {}), verified.\n\
         The master key that it was sealed with is needed to serve it: {} {there}.\n{}",
        table(&summary),
        manifest.made_at,
        manifest.engine,
        key.display(),
        beside(files, &data.join("media")),
    ))
}
