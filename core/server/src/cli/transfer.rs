//! `anteroom migrate --from … --to …`: a clinic moves to another database.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anteroom_model::time::Clock;
use anteroom_store::transfer::{self, Progress, Side, Summary};

use crate::{
    cli::{Failure, PlaceArgs, place},
    clock::SystemClock,
};

/// Where a clinic moves.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct MoveArgs {
    /// Move a clinic: the database it is in, sqlite:PATH or postgres://… It must not be served meanwhile.
    #[arg(long, requires = "to", value_name = "URL")]
    from: Option<String>,
    /// The empty database it moves to, postgres://… or sqlite:PATH. Run again after an interruption.
    #[arg(long, requires = "from", value_name = "URL")]
    to: Option<String>,
}

impl MoveArgs {
    /// Both sides, where a move is asked for.
    pub(super) fn sides(&self) -> Result<Option<(Side, Side)>, Failure> {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => Ok(Some((Side::parse(from)?, Side::parse(to)?))),
            _ => Ok(None),
        }
    }
}

pub(super) async fn run(from: &Side, to: &Side, place: &PlaceArgs) -> Result<(), Failure> {
    if let Some(folder) = folder(to) {
        place::create_folder(&folder)?;
    }
    let mut folders: Vec<_> =
        [from, to].into_iter().filter_map(folder).filter(|folder| folder.exists()).collect();
    folders.dedup();
    // The lock of a server that has its database there.
    let locks: Vec<_> = folders.iter().map(|folder| place::lock(folder)).collect::<Result<_, _>>()?;
    let mut reporter = Reporter::default();
    let summary = transfer::move_to(from, to, SystemClock.now(), &mut |step| reporter.tell(step)).await?;
    drop(locks);
    reporter.end();
    let key = key_file(place, folder(from).as_deref());
    say(&format!(
        "{}\n{from} has moved to {to}, and both hold the same.\n\
         The master key stays the same: give {} to whatever serves the new database (--master-key), and keep \
         a copy apart from it.\n\
         Don't serve the old database again: its queues would be worked off a second time.\n",
        table(&summary),
        key.display(),
    ))
}

/// The folder of an embedded database, whose lock its server holds.
pub(super) fn folder(side: &Side) -> Option<PathBuf> {
    let folder = side.path()?.parent()?;
    Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
}

/// The master key of a place, or of the folder where its database is.
pub(super) fn key_file(place: &PlaceArgs, folder: Option<&Path>) -> PathBuf {
    let beside = || folder.unwrap_or(&place.data_dir).join("master.key");
    place.master_key.clone().unwrap_or_else(beside)
}

/// Tells on standard error how far it is: at the end of each table, and every few seconds within one.
pub(super) struct Reporter {
    last: Instant,
    begun: Instant,
    rows: u64,
    comparing: bool,
}

impl Default for Reporter {
    fn default() -> Self {
        let now = Instant::now();
        Self { last: now, begun: now, rows: 0, comparing: false }
    }
}

impl Reporter {
    const EVERY: Duration = Duration::from_secs(2);

    pub(super) fn tell(&mut self, step: Progress<'_>) {
        match step {
            Progress::Copied { table, rows, of } => {
                if rows >= of || self.last.elapsed() >= Self::EVERY {
                    self.last = Instant::now();
                    note(&format!("copied    {table}: {rows} of {of}"));
                }
                if rows >= of {
                    self.rows += of;
                }
            }
            Progress::Compared { table, rows } => {
                if !self.comparing {
                    self.comparing = true;
                    note(&format!("{} rows after {:.1?}", self.rows, self.begun.elapsed()));
                }
                note(&format!("compared  {table}: {rows}"));
            }
        }
    }

    pub(super) fn end(&self) {
        note(&format!("done after {:.1?}", self.begun.elapsed()));
    }
}

fn note(line: &str) {
    // Nobody may be listening; the work goes on.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Prints what a command has to say at its end.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Per table the rows and the beginning of the digest of both sides.
pub(super) fn table(summary: &Summary) -> String {
    const DIGITS: usize = 8;
    let width = summary.0.iter().map(|table| table.table.len()).max().unwrap_or(0);
    let line = |name: &str, cells: [&str; 4]| {
        let [rows, digest, rows_there, digest_there] = cells;
        format!("{name:width$}  {rows:>10} {digest:16}  {rows_there:>10} {digest_there:16}\n")
    };
    let mut text = line("table", ["source", "sha256", "target", "sha256"]);
    for table in &summary.0 {
        let [source, target] = [table.source, table.target]
            .map(|side| (side.rows.to_string(), hex::encode(&side.digest[..DIGITS])));
        text.push_str(&line(&table.table, [&source.0, &source.1, &target.0, &target.1]));
    }
    text
}
