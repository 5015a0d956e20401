//! `anteroom import`: a list of patients from a terminal, on the same path as one that is sent or pulled.

use std::{
    fs::File,
    io::{IsTerminal, Read, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use anteroom_model::ids::{NodeId, OrganizationId, RosterRunId};
use anteroom_store::{NewRosterRun, RosterOrigin, RosterPhase, RosterRun, RosterSource, RosterState, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Failure, PlaceArgs, place::Opener, transfer::say},
    roster::{
        intake::{Arrived, Ending, Intake},
        work::{Progress, Worker},
    },
};

/// What is imported.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whose; not needed where there is one organization only.
    #[arg(long)]
    organization: Option<OrganizationId>,
    /// Name of the source that says how the list is read (see docs/roster.md).
    #[arg(long)]
    source: String,
    /// Change nothing: only say what would become of each row.
    #[arg(long)]
    dry_run: bool,
    /// Import it although it is what was imported last.
    #[arg(long)]
    force: bool,
    /// The list.
    file: PathBuf,
}

/// Bytes read at once.
const PIECE: usize = 256 * 1024;
/// How often the bar is drawn, and how often a line is written where there is no terminal.
const DRAW: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(2);
/// Between looks at a run that another node works on.
const WATCH: Duration = Duration::from_millis(500);
/// Rows of the report that are printed.
const SHOWN: usize = 20;

/// Whether all of it was taken over.
pub(super) async fn run(args: ImportArgs) -> Result<bool, Failure> {
    let opened = args.place.clone().place().open(Opener::Command).await?;
    let store = &opened.store;
    let organization = match args.organization {
        Some(organization) => organization,
        None => match store.organizations().await?.as_slice() {
            [one] => *one,
            [] => return Err("there is no organization yet: anteroom admin organization".into()),
            _ => return Err("there are several organizations: say which with --organization".into()),
        },
    };
    let source = store.read(organization).await?.roster_source_by_name(&args.source).await?;
    let Some(source) = source else {
        return Err(unknown_source(store, organization, &args.source).await?);
    };
    // Not this folder's: a server may have the same, and take what it has leased for its own.
    let node: NodeId = store.ids().next(store.now());
    let stop = CancellationToken::new();
    let interrupted = stop.clone();
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    let id = match send(store, organization, &source, &args).await? {
        Arrived::Run(id) | Arrived::Again(id) => id,
        Arrived::Same(id) => {
            let run = store.read(organization).await?.roster_run(id).await?.ok_or("the run is gone")?;
            if run.state.is_over() {
                say(&format!(
                    "{} is what was imported last, by run {id}. Nothing was done; --force imports it again.\n",
                    args.file.display()
                ))?;
                return Ok(true);
            }
            say(&format!("Run {id} has the same file and isn't over: it goes on.\n"))?;
            id
        }
    };
    let worker = Worker { store: store.clone(), node, stop };
    let ended = Box::pin(finish(&worker, organization, id)).await;
    listening.abort();
    let run = ended?;
    report(store, organization, &run).await?;
    Ok(run.state == RosterState::Done)
}

async fn unknown_source(store: &Store, organization: OrganizationId, name: &str) -> Result<Failure, Failure> {
    let sources = store.read(organization).await?.roster_sources().await?;
    let names: Vec<_> = sources.into_iter().map(|source| source.name).collect();
    Ok(match names.as_slice() {
        [] => "there is no source yet: make one with POST /api/v1/roster-sources (docs/roster.md)".into(),
        names => format!("there is no source {name}; there is {}", names.join(", ")).into(),
    })
}

async fn send(
    store: &Store,
    organization: OrganizationId,
    source: &RosterSource,
    args: &ImportArgs,
) -> Result<Arrived, Failure> {
    let named = |error: std::io::Error| -> Failure { format!("{}: {error}", args.file.display()).into() };
    let mut file = File::open(&args.file).map_err(named)?;
    let name = Path::new(&args.file).file_name().map(|name| name.to_string_lossy().into_owned());
    let new = NewRosterRun {
        source_id: source.id,
        origin: RosterOrigin::Terminal,
        file_name: name,
        settings: source.settings.clone(),
        dry_run: args.dry_run,
        created_by: None,
    };
    let mut intake = Intake::begin(store, organization, new).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let taken = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => intake.push(&piece[..length]).await.map_err(Failure::from),
            Err(error) => Err(named(error)),
        };
        if let Err(error) = taken {
            intake.discard().await?;
            return Err(error);
        }
    }
    Ok(intake.end(Ending { force: args.force, ..Ending::default() }).await?)
}

/// Works until the run is over, or watches another node do it.
async fn finish(
    worker: &Worker,
    organization: OrganizationId,
    id: RosterRunId,
) -> Result<RosterRun, Failure> {
    let bar = Bar::new();
    loop {
        let run = worker.store.read(organization).await?.roster_run(id).await?.ok_or("the run is gone")?;
        if run.state.is_over() {
            bar.end();
            return Ok(run);
        }
        if worker.stop.is_cancelled() {
            bar.end();
            return Err(format!(
                "interrupted; run {id} goes on when the same command or a server is started"
            )
            .into());
        }
        // Those that were sent before come first.
        if let Some((organization, claimed)) = worker.claim().await? {
            let draw = |progress: Progress| {
                if claimed == id {
                    bar.draw(progress);
                }
            };
            worker.work(organization, claimed, &draw).await?;
        } else {
            bar.draw(Progress { phase: run.phase, total: run.total, done: run.done });
            tokio::time::sleep(WATCH).await;
        }
    }
}

async fn report(store: &Store, organization: OrganizationId, run: &RosterRun) -> Result<(), Failure> {
    let mut shown = 0;
    let mut after = 0;
    loop {
        let parts = store.read(organization).await?.roster_report(run.id, after, 50).await?;
        let Some(last) = parts.last().map(|part| part.last) else { break };
        after = last;
        for row in parts.into_iter().flat_map(|part| part.rows) {
            for problem in &row.problems {
                shown += 1;
                if shown <= SHOWN {
                    let line = row.line.map_or_else(String::new, |line| format!("line {line}: "));
                    say(&format!(
                        "{line}{} {}: expected {}, found {}; {}\n",
                        problem.column, problem.code, problem.expected, problem.found, problem.fix
                    ))?;
                }
            }
        }
    }
    if shown > SHOWN {
        say(&format!("… and {} more; GET /api/v1/roster-runs/{}/report has all\n", shown - SHOWN, run.id))?;
    }
    let tally = &run.tally;
    let would = if run.dry_run { " (a dry run: nothing was changed)" } else { "" };
    say(&format!(
        "run {} is {}: {} rows, {} created, {} changed, {} same, {} refused, {} missing{would}\n",
        run.id,
        run.state.as_str(),
        run.total,
        tally.created,
        tally.changed,
        tally.same,
        tally.refused,
        tally.missing,
    ))?;
    if let Some(problem) = &run.problem {
        say(&format!(
            "{}: expected {}, found {}; {}\n",
            problem.code, problem.expected, problem.found, problem.fix
        ))?;
    }
    Ok(())
}

/// A bar on a terminal; elsewhere a line now and then.
struct Bar {
    terminal: bool,
    begun: Instant,
    last: Mutex<Option<(Instant, RosterPhase, i64)>>,
}

impl Bar {
    fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), begun: Instant::now(), last: Mutex::default() }
    }

    fn draw(&self, progress: Progress) {
        let Ok(mut last) = self.last.lock() else { return };
        let every = if self.terminal { DRAW } else { LINE };
        let Progress { phase, total, done } = progress;
        if let Some((drawn, phase_then, done_then)) = *last
            && (drawn.elapsed() < every || done_then == done)
            && phase_then == phase
        {
            return;
        }
        *last = Some((Instant::now(), phase, done));
        let seconds = self.begun.elapsed().as_secs().max(1);
        let rate = done.unsigned_abs() / seconds;
        let text = match phase {
            RosterPhase::Applying | RosterPhase::Missing if total > 0 => {
                const WIDTH: i64 = 30;
                let full = usize::try_from(done * WIDTH / total).unwrap_or(0);
                let bar = format!("{:<30}", "#".repeat(full));
                format!("[{bar}] {:>3} %  {done} of {total} rows, {rate} a second", done * 100 / total)
            }
            phase => format!("{} …", phase.as_str()),
        };
        // Nobody may be looking; the work goes on.
        let mut stderr = std::io::stderr();
        let written =
            if self.terminal { write!(stderr, "\r\x1b[2K{text}") } else { writeln!(stderr, "{text}") };
        drop(written);
    }

    fn end(&self) {
        if self.terminal {
            drop(writeln!(std::io::stderr()));
        }
    }
}
