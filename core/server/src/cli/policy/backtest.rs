//! `anteroom policy backtest`: a policy on recorded turns, nothing of it stored.

use std::{fs, io::Write, path::PathBuf, sync::Arc, time::Duration};

use anteroom_model::{
    hooks::Hook,
    ids::{NumberId, PolicyId},
    time::Timestamp,
};
use anteroom_policy::{Digest, Policy};
use anteroom_store::TurnWindow;

use super::records::{Here, WhereArgs};
use crate::{
    backtest::{
        report::Report,
        walk::{Candidate, Progress, walk},
    },
    cli::Failure,
};

const DAY: Duration = Duration::from_hours(24);
/// Between two lines of progress.
const TELL: Duration = Duration::from_secs(1);
/// Changes that are shown.
const SHOWN: usize = 40;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BacktestArgs {
    #[command(flatten)]
    place: WhereArgs,
    #[command(flatten)]
    candidate: WhichArgs,
    /// The hook that it would serve; needed where it serves several.
    #[arg(long)]
    hook: Option<Hook>,
    /// File of its settings, JSON; its own defaults otherwise.
    #[arg(long, value_name = "PATH")]
    settings: Option<PathBuf>,
    /// On the turns of so many days until now.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Only on turns on this number.
    #[arg(long, value_name = "ID")]
    number: Option<NumberId>,
    /// Write the whole report there, JSON. It quotes patients.
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhichArgs {
    /// A version of a policy that is stored.
    #[arg(long, value_name = "ID")]
    policy: Option<PolicyId>,
    /// A component that is not: its file.
    #[arg(long, value_name = "PATH")]
    component: Option<PathBuf>,
}

pub(super) async fn run(args: BacktestArgs) -> Result<(), Failure> {
    let here = Here::open(args.place).await?;
    let policy = policy(&here, &args.candidate).await?;
    let hook = match (args.hook, policy.hooks.as_slice()) {
        (Some(hook), hooks) if hooks.contains(&hook) => hook,
        (Some(hook), _) => return Err(format!("the policy doesn't serve {hook}").into()),
        (None, [only]) => *only,
        (None, _) => return Err("the policy serves several hooks: say which one with --hook".into()),
    };
    let settings = match &args.settings {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let json: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            json.to_string()
        }
        None => policy.manifest.default_settings.to_string(),
    };
    let candidate = Candidate { policy, settings: settings.into(), hook, id: args.candidate.policy };
    let now: Timestamp = here.store().now();
    let window = TurnWindow {
        hook: hook.as_str().to_owned(),
        since: now.minus(DAY * args.days),
        until: now,
        last_seq: here.store().read(here.organization).await?.decision_chain().await?.seq,
        number: args.number,
    };
    let report = tried(&here, &candidate, &window).await?;
    if let Some(path) = &args.report {
        fs::write(path, report.to_json()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(print(&report, &mut std::io::stdout())?)
}

async fn policy(here: &Here, which: &WhichArgs) -> Result<Arc<Policy>, Failure> {
    if let Some(path) = &which.component {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let host = here.policies.host().clone();
        let loaded = tokio::task::spawn_blocking(move || host.load(&bytes)).await?;
        return loaded.map_err(|refusal| format!("the component is refused: {refusal}").into());
    }
    let id = which.policy.ok_or("say which policy")?;
    let row = here.store().read(here.organization).await?.policy(id).await?;
    let row = row.ok_or("there is no such policy")?;
    let digest = Digest::try_from(row.digest.as_slice()).map_err(|_| "the policy's digest is none")?;
    Ok(here.policies.get(here.store(), here.organization, digest).await?)
}

/// Tries it, with a line of progress each second.
async fn tried(here: &Here, candidate: &Candidate, window: &TurnWindow) -> Result<Report, Failure> {
    let progress = Arc::new(Progress::default());
    let tell = async {
        let mut before = 0;
        loop {
            tokio::time::sleep(TELL).await;
            let (total, done) = progress.read();
            #[expect(clippy::print_stderr, reason = "the user's terminal")]
            {
                eprintln!("{done} of {total} turns, {} a second", done - before);
            }
            before = done;
        }
    };
    let host = here.policies.host();
    tokio::select! {
        report = walk(here.store(), host, here.organization, candidate, window, &progress) => Ok(report?),
        () = tell => Err("the backtest was abandoned".into()),
    }
}

fn print(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let (turns, changed) = report.counts();
    for (what, from, to, count) in report.moves().take(SHOWN) {
        writeln!(out, "{count:>8}  {what}: {from} → {to}")?;
    }
    writeln!(out, "{turns} turns: {} the same, {changed} otherwise", turns - changed)
}
