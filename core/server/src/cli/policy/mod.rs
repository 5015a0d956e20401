//! `anteroom policy`: what an author does before an upload, and on what was recorded after it.
//!
//! - `new` writes a project ([`scaffold`]), from the files of `core/server/templates/`.
//! - `build` wraps its language's toolchain ([`build`]) and puts the manifest into the component.
//! - `check` says what the upload would say ([`check`]), without a server.
//! - `test` runs the project's `cases.toml` ([`cases`], [`turns`]) and compares ([`expect`]).
//! - `replay` and `backtest` work on the decisions of a database ([`records`]), which they only read.
//!
//! To add a language: a folder in `core/server/templates/`, a variant of [`project::Language`], and a file in
//! `build/`.

mod backtest;
mod build;
mod cases;
mod check;
mod expect;
mod host;
mod moment;
mod project;
mod records;
mod replay;
mod scaffold;
mod test;
mod turns;

use std::{io::Write, path::PathBuf};

use anteroom_model::hooks::Hook;
use clap::Subcommand;

use crate::cli::{Failure, block_on};
pub(super) use project::Language;

/// What can be done with a policy.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Begin a policy: its source, manifest, interfaces and cases, ready to build.
    New {
        /// The policy's name: lower-case letters, digits and hyphens.
        name: String,
        /// What it is written in.
        #[arg(long, value_enum)]
        lang: Language,
        /// What it decides: identity, routing, replies or shortcuts.
        #[arg(long)]
        hook: Hook,
        /// Where to put it; by default a folder of its name.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Build a policy's component with its language's toolchain.
    Build {
        /// The policy's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Where the component goes; by default build/NAME.wasm in the folder.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Say what an upload would say: what the component is, or why it is refused and what to change.
    Check {
        /// The component.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a policy's cases.toml against its built component.
    Test {
        /// The policy's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// The component; by default build/NAME.wasm in the folder.
        #[arg(long)]
        component: Option<PathBuf>,
        /// Only cases with this in their names.
        #[arg(long)]
        only: Option<String>,
        /// Write what each case was asked and what came of it to this file, a JSON text a line.
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Run recorded decisions again and compare to the bit; 1 where any comes out otherwise.
    Replay(replay::ReplayArgs),
    /// Try a policy on recorded turns, and say what it would have decided otherwise.
    Backtest(backtest::BacktestArgs),
}

/// Does it; `false` where the policy was refused or a case failed, which has been said on standard output.
pub(super) fn run(command: PolicyCommand) -> Result<bool, Failure> {
    match command {
        PolicyCommand::New { name, lang, hook, dir } => {
            scaffold::new(&name, lang, hook, dir.as_deref()).map(|()| true)
        }
        PolicyCommand::Build { dir, output } => build::build(&dir, output.as_deref()).map(|()| true),
        PolicyCommand::Check { file, json } => check::check(&file, json),
        PolicyCommand::Test { dir, component, only, record } => {
            test::test(&dir, component.as_deref(), only.as_deref(), record.as_deref())
        }
        PolicyCommand::Replay(args) => block_on(replay::run(args)).map(|()| true),
        PolicyCommand::Backtest(args) => block_on(backtest::run(args)).map(|()| true),
    }
}

/// Writes a text to standard output. Whoever reads only the beginning closes the pipe; that is no error.
fn say(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A failure that names the file it is about.
fn at(path: &std::path::Path, problem: impl std::fmt::Display) -> Failure {
    format!("{}: {problem}", path.display()).into()
}
