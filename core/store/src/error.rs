//! What can go wrong in the store.

/// A failed read or write. Nothing of a failed write is kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed: I/O, a full disk, a lock held too long.
    #[error("the database failed: {0}")]
    Database(std::sync::Arc<sqlx::Error>),
    /// A row with that key is there already.
    #[error("a row with that key is there already")]
    Conflict,
    /// A sealed column can't be opened: wrong master key, or bytes that were changed.
    #[error("column {0} can't be opened with this master key")]
    Sealed(&'static str),
    /// A stored value is not what its column promises.
    #[error("column {column} holds something unexpected: {reason}")]
    Corrupt {
        /// Table and column.
        column: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// No such organization.
    #[error("there is no such organization")]
    NoOrganization,
    /// So much waits to be written that no more is taken on. Again in a moment.
    #[error("too much waits to be written")]
    Busy,
    /// The database didn't answer in time. What was asked for may happen all the same.
    #[error("the database didn't answer in time")]
    TimedOut,
    /// The master key is not the one that the organizations' keys were wrapped with.
    #[error(
        "this master key does not open the organizations of this database: every node needs the key that they \
         were made with"
    )]
    MasterKey,
    /// The store is closing, or the write was abandoned before it began.
    #[error("the store is closed")]
    Closed,
    /// The migrations could not be applied.
    #[error("the database could not be migrated: {0}")]
    Migrate(String),
}

impl StoreError {
    /// Whether the same may well succeed a moment later: the fault is the database's, not the request's.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Database(_) | Self::Busy | Self::TimedOut | Self::Closed)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict,
            _ => Self::Database(std::sync::Arc::new(error)),
        }
    }
}
