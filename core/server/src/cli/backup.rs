//! `anteroom backup` and `anteroom restore`.

use std::path::{Path, PathBuf};

use anteroom_model::time::Clock;
use anteroom_store::transfer::{self, Side};

use crate::{
    cli::{
        Failure, PlaceArgs, place,
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
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    say(&format!(
        "{}\n{} holds {from} as of {} ({rows} rows, schema {}), verified.\n\
         It is sealed with the master key, which is not in it. Keep {} too, and keep it apart: whoever has both \
         can read everything, and without the key the backup is worth nothing.\n",
        table(&summary),
        to.display(),
        manifest.made_at,
        manifest.schema,
        key_file(place, None).display(),
    ))
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
    let key: PathBuf = key_file(place, folder.as_deref());
    let there = if key.exists() { "is what it will be read with" } else { "has to be put there" };
    say(&format!(
        "{}\n{to} holds the backup of {} (from {}), verified.\n\
         The master key that it was sealed with is needed to serve it: {} {there}.\n",
        table(&summary),
        manifest.made_at,
        manifest.engine,
        key.display(),
    ))
}
