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
    /// The store is closing, or the write was abandoned before it began.
    #[error("the store is closed")]
    Closed,
    /// The migrations could not be applied.
    #[error("the database could not be migrated: {0}")]
    Migrate(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict,
            _ => Self::Database(std::sync::Arc::new(error)),
        }
    }
}
