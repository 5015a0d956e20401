//! Folders on other servers: an SSH connection to a server that has proved who it is ([`ssh`]), and of SFTP what
//! reading files takes ([`client`], [`wire`]).

mod client;
pub mod ssh;
mod wire;

pub use client::{Attributes, Entry, OpenFile, Sftp};

/// Why a folder could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SftpError {
    /// Nobody answers, or not as an SSH server does.
    #[error("the server can't be reached")]
    Unreachable,
    /// The connection ended, or nothing came for too long.
    #[error("the connection to the server was lost")]
    Lost,
    /// The server proved another key than those that are known, or none of their kinds. Nothing was sent to it.
    #[error("the server's key is none of those that are known")]
    HostKey {
        /// `SHA256:…` of the key it has; empty where it has none of the kinds that are known.
        fingerprint: String,
    },
    /// The server refuses the account.
    #[error("the server doesn't let us sign in")]
    SignIn,
    /// The stored private key or host key can't be used.
    #[error("{0}")]
    Keys(String),
    /// A request was answered with this status of SFTP.
    #[error("the server refuses: status {0}")]
    Status(u32),
    /// The server speaks something else.
    #[error("the server doesn't speak SFTP as expected: {0}")]
    Protocol(&'static str),
}

impl SftpError {
    /// A stable word, listed in docs/roster.md.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Lost => "lost",
            Self::HostKey { .. } => "host_key",
            Self::SignIn => "sign_in",
            Self::Keys(_) => "keys",
            Self::Status(_) => "folder",
            Self::Protocol(_) => "protocol",
        }
    }

    /// Whether it may be over by itself: a notice can wait for a few more tries.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Lost)
    }
}
