//! `SQLite`'s write-ahead log is copied back beside the writers, not by whichever commit crosses a limit: a
//! commit that stops for a checkpoint is the slowest one of all.

use std::time::Duration;

use crate::conn::{Conn, on};

const EVERY: Duration = Duration::from_millis(500);

/// Runs until it is aborted.
pub(crate) async fn run(mut conn: Conn) {
    loop {
        tokio::time::sleep(EVERY).await;
        let outcome =
            on!(&mut conn, c => sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(c).await.map(drop));
        if let Err(error) = outcome {
            tracing::warn!(error = %error, "a checkpoint failed; the next one tries again");
        }
    }
}
