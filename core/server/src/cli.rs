//! The command line.

mod admin;
mod backup;
mod compile;
mod hours;
mod import;
mod media_files;
pub(crate) mod place;
mod policy;
mod start;
mod tickets;
mod transfer;

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::config::{self, LogFormat, NodeRole};
use place::{Opener, Place};

/// The open front door for patients' texts.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve webhooks, the API and the Hub.
    Serve {
        /// The configuration file.
        #[arg(long, env = "ANTEROOM_CONFIG")]
        config: Option<PathBuf>,
        /// Address to serve on, over that of the file.
        #[arg(long, env = "ANTEROOM_LISTEN")]
        listen: Option<SocketAddr>,
        /// Folder of the database, the master key and compiled policies, over that of the file.
        #[arg(long, env = "ANTEROOM_DATA_DIR")]
        data_dir: Option<PathBuf>,
        /// A database elsewhere, over that of the file: postgres://… for one that many nodes share.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
        /// File of the master key, over that of the file: all nodes of a database need the same.
        #[arg(long, env = "ANTEROOM_MASTER_KEY_FILE")]
        master_key: Option<PathBuf>,
        /// What this process does, over the file; everything unless told otherwise.
        #[arg(long, env = "ANTEROOM_ROLES", value_enum, value_delimiter = ',')]
        roles: Vec<NodeRole>,
        /// Compiled code of policies that stays in memory, in MiB, over the file.
        #[arg(long, env = "ANTEROOM_POLICY_MEMORY_MIB")]
        policy_memory_mib: Option<u64>,
    },
    /// Try everything: a seeded clinic with a phone simulator, kept in one folder.
    Demo(DemoArgs),
    /// Bring the database to this version's form, or move a clinic to another one (--from, --to).
    Migrate {
        #[command(flatten)]
        place: PlaceArgs,
        #[command(flatten)]
        sides: transfer::MoveArgs,
    },
    /// Write the whole database to one verified file, while it is served.
    Backup {
        #[command(flatten)]
        place: PlaceArgs,
        /// The file; it must not be there yet.
        #[arg(long, value_name = "PATH")]
        to: PathBuf,
    },
    /// Bring a backup back, into an empty database.
    Restore {
        #[command(flatten)]
        place: PlaceArgs,
        /// A file that anteroom backup wrote.
        #[arg(long, value_name = "PATH")]
        from: PathBuf,
        /// Another database than that of the folder: postgres://… or sqlite:PATH.
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// Import a list of patients, as a source says how.
    Import(import::ImportArgs),
    /// Set up organizations, facilities, staff, carrier accounts and numbers.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Write, build, check and try policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Print the OpenAPI document.
    Openapi,
}

/// Where a command finds the database.
#[derive(Clone, Debug, clap::Args)]
pub struct PlaceArgs {
    /// Folder of the database and the master key.
    #[arg(long, env = "ANTEROOM_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
    /// A database elsewhere: postgres://…
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// File of the master key; by default master.key in the folder.
    #[arg(long, env = "ANTEROOM_MASTER_KEY_FILE")]
    master_key: Option<PathBuf>,
}

impl PlaceArgs {
    fn place(self) -> Place {
        Place { folder: self.data_dir, database_url: self.database_url, master_key: self.master_key }
    }
}

/// What a demo can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Folder of everything the demo keeps.
    #[arg(long, default_value = "demo")]
    pub dir: PathBuf,
    /// Port on 127.0.0.1; 0 for any that is free.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// A database elsewhere: postgres://… It is filled with the demo's clinic, so don't name one in use.
    #[arg(long)]
    pub database_url: Option<String>,
    /// File of the master key; by default master.key in the folder.
    #[arg(long)]
    pub master_key: Option<PathBuf>,
    /// Where Twilio's API is taken to be; by default a look-alike within the demo.
    #[arg(long, env = "ANTEROOM_TWILIO_API_URL")]
    pub twilio_api_url: Option<String>,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,
    /// What the demo does; everything unless told otherwise.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = NodeRole::ALL)]
    pub roles: Vec<NodeRole>,
}

/// An error for whoever typed the command: what failed and why.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line; 1 and a sentence on standard error when it fails, 1 where the answer is no.
pub fn main() -> ExitCode {
    if let Some(code) = compile::asked(std::env::args_os().skip(1)) {
        return code;
    }
    if let Some(code) = crate::media::preview::asked(std::env::args_os().skip(1)) {
        return code;
    }
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the user's terminal")]
            {
                eprintln!("anteroom: {}", crate::problem::Chain(error.as_ref()));
            }
            ExitCode::FAILURE
        }
    }
}

/// `false` where a command's answer is no, which it has said itself.
fn run(cli: Cli) -> Result<bool, Failure> {
    // Only fails where a provider is installed already, which does as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let done = match cli.command {
        // The only ones that answer.
        Command::Policy(command) => return policy::run(command),
        Command::Import(args) => return answer(import::run(args)),
        Command::Serve { config, listen, data_dir, database_url, master_key, roles, policy_memory_mib } => {
            let mut config = config::read(config.as_deref())?;
            config.listen = listen.unwrap_or(config.listen);
            config.data_dir = data_dir.unwrap_or(config.data_dir);
            config.database_url = database_url.or(config.database_url);
            config.master_key = master_key.or(config.master_key);
            config.policy_memory_mib = policy_memory_mib.unwrap_or(config.policy_memory_mib);
            if !roles.is_empty() {
                config.roles = roles;
            }
            block_on(start::serve(config))
        }
        Command::Demo(args) => block_on(start::demo(args)),
        Command::Migrate { place, sides } => block_on(async move {
            match sides.sides()? {
                Some((from, to)) => transfer::run(&from, &to, &place).await,
                None => place.place().open(Opener::Command).await.map(drop),
            }
        }),
        Command::Backup { place, to } => block_on(async move { backup::back_up(&place, &to).await }),
        Command::Restore { place, from, to } => {
            block_on(async move { backup::restore(&place, &from, to.as_deref()).await })
        }
        Command::Admin(command) => block_on(admin::run(command)),
        Command::Openapi => {
            let document = crate::hub::openapi_document().to_pretty_json()?;
            // Whoever reads only the beginning closes the pipe; that is no error.
            match writeln!(std::io::stdout(), "{document}") {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
                _ => Ok(()),
            }
        }
    };
    done.map(|()| true)
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    answer(work)
}

fn answer<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // What still blocks a thread is work that was given up: a component that somebody's upload had compiled.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}
