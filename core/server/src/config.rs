//! The configuration of `anteroom serve`.

use std::{net::SocketAddr, path::PathBuf};

use anteroom_policy::Limits;
use serde::Deserialize;

use crate::{
    media::MediaConfig, policies::MEMORY_MIB, registration::RegistrationRules, support::mailer::SmtpConfig,
    webhooks::WebhookConfig,
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For people.
    Pretty,
}

/// What a process does of the whole. In one process they are all on; with a database that several processes
/// share, each can be given its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Takes carriers' webhooks.
    Ingress,
    /// Asks the policies and applies their decisions.
    Pipeline,
    /// Sends.
    Outbox,
    /// Serves the API and the pages.
    Hub,
}

impl NodeRole {
    /// Every role, which is what a process has unless it is told otherwise.
    pub const ALL: [Self; 4] = [Self::Ingress, Self::Pipeline, Self::Outbox, Self::Hub];
}

/// `anteroom.toml`; the command line and its environment variables (`ANTEROOM_LISTEN` for `listen`) win over it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to serve on.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Folder of the database, the master key and compiled policies.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// A database elsewhere: `postgres://…` for one that many nodes share; by default `anteroom.db` in the
    /// folder.
    #[serde(default)]
    pub database_url: Option<String>,
    /// File of the master key; by default `master.key` in the folder.
    #[serde(default)]
    pub master_key: Option<PathBuf>,
    /// How log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
    /// What this process does; by default everything. Probes and `/metrics` are always served.
    #[serde(default = "default_roles")]
    pub roles: Vec<NodeRole>,
    /// Compiled code of policies that stays in memory, in MiB; what is used least makes room.
    #[serde(default = "default_policy_memory")]
    pub policy_memory_mib: u64,
    /// How often carriers are asked about numbers' registrations, and how long their word counts.
    #[serde(default)]
    pub registration: RegistrationRules,
    /// What one call of a policy may use, where that differs from the defaults: up to the ceilings.
    #[serde(default)]
    pub policy_limits: Limits,
    /// Pictures and documents of texts.
    #[serde(default)]
    pub media: MediaConfig,
    /// Where tickets of the Help Center are mailed to; nowhere unless told otherwise.
    #[serde(default)]
    pub smtp: Option<SmtpConfig>,
    /// Programs that are told what happens.
    #[serde(default)]
    pub webhooks: WebhookConfig,
    /// Minutes between two looks into each carrier's list of messages, for what a lost webhook never told; 0: none.
    #[serde(default = "default_reconcile")]
    pub reconcile_minutes: u64,
}

fn default_reconcile() -> u64 {
    15
}

fn default_policy_memory() -> u64 {
    MEMORY_MIB
}

fn default_roles() -> Vec<NodeRole> {
    NodeRole::ALL.to_vec()
}

fn default_listen() -> SocketAddr {
    ([127, 0, 0, 1], 8080).into()
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("data")
}

/// Reads the file, if one is named.
pub fn read(path: Option<&std::path::Path>) -> Result<Config, config::ConfigError> {
    let mut builder = config::Config::builder();
    if let Some(path) = path {
        builder = builder.add_source(config::File::from(path));
    }
    builder.build()?.try_deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::mailer::SmtpTls;

    #[test]
    fn a_mistake_in_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anteroom.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:9000\"\nlog_format = \"pretty\"\n").unwrap();
        let config = read(Some(&path)).unwrap();
        assert_eq!((config.listen.port(), config.log_format), (9000, LogFormat::Pretty));
        assert_eq!(config.roles, NodeRole::ALL);
        std::fs::write(&path, "roles = [\"ingress\", \"outbox\"]\n").unwrap();
        assert_eq!(read(Some(&path)).unwrap().roles, [NodeRole::Ingress, NodeRole::Outbox]);
        std::fs::write(&path, "policy_memory_mib = 64\n[policy_limits]\nfuel = 1000\n").unwrap();
        let config = read(Some(&path)).unwrap();
        assert_eq!((config.policy_memory_mib, config.policy_limits.fuel), (64, 1_000));
        assert_eq!(config.policy_limits, Limits { fuel: 1_000, ..Limits::default() });
        std::fs::write(&path, "[registration]\nmax_age_days = 3\n").unwrap();
        let registration = read(Some(&path)).unwrap().registration;
        assert_eq!(registration, RegistrationRules { check_hours: 6, max_age_days: 3 });
        let smtp = "[smtp]\nhost = \"mail.example\"\ntls = \"wrapped\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"\n";
        std::fs::write(&path, smtp).unwrap();
        assert_eq!(read(Some(&path)).unwrap().smtp.unwrap().tls, SmtpTls::Wrapped);
        std::fs::write(&path, "lisen = \"127.0.0.1:9000\"\n").unwrap();
        assert!(read(Some(&path)).err().unwrap().to_string().contains("lisen"));
    }
}
