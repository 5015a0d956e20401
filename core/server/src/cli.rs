//! The command line.

mod admin;
mod start;

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::config::{self, LogFormat, NodeRole};

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
        /// What this process does, over the file; everything unless told otherwise.
        #[arg(long, env = "ANTEROOM_ROLES", value_enum, value_delimiter = ',')]
        roles: Vec<NodeRole>,
    },
    /// Try everything: a seeded clinic with a phone simulator, kept in one folder.
    Demo(DemoArgs),
    /// Bring the database to this version's form.
    Migrate {
        /// Folder of the database.
        #[arg(long, env = "ANTEROOM_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
    },
    /// Set up organizations, staff, carrier accounts and numbers.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Print the OpenAPI document.
    Openapi,
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

/// Runs the command line; 1 and a sentence on standard error when it fails.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the user's terminal")]
            {
                eprintln!("anteroom: {}", crate::problem::Chain(error.as_ref()));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    // Only fails where a provider is installed already, which does as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    match cli.command {
        Command::Serve { config, listen, data_dir, roles } => {
            let mut config = config::read(config.as_deref())?;
            config.listen = listen.unwrap_or(config.listen);
            config.data_dir = data_dir.unwrap_or(config.data_dir);
            if !roles.is_empty() {
                config.roles = roles;
            }
            block_on(start::serve(config))
        }
        Command::Demo(args) => block_on(start::demo(args)),
        Command::Migrate { data_dir } => block_on(async move {
            drop(start::open_store(&data_dir).await?);
            Ok(())
        }),
        Command::Admin(command) => block_on(admin::run(command)),
        Command::Openapi => {
            let document = crate::hub::openapi_document().to_pretty_json()?;
            // Whoever reads only the beginning closes the pipe; that is no error.
            match writeln!(std::io::stdout(), "{document}") {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
                _ => Ok(()),
            }
        }
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
