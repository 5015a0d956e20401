//! The configuration of `anteroom serve`.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

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

/// `anteroom.toml`; the command line and its environment variables (`ANTEROOM_LISTEN` for `listen`) win over it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to serve on.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Folder of the database, the master key and compiled policies.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// How log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
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

    #[test]
    fn a_mistake_in_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anteroom.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:9000\"\nlog_format = \"pretty\"\n").unwrap();
        let config = read(Some(&path)).unwrap();
        assert_eq!((config.listen.port(), config.log_format), (9000, LogFormat::Pretty));
        std::fs::write(&path, "lisen = \"127.0.0.1:9000\"\n").unwrap();
        assert!(read(Some(&path)).unwrap_err().to_string().contains("lisen"));
    }
}
