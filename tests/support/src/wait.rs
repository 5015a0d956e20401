//! Waiting for what happens by and by.

use std::time::{Duration, Instant};

/// How long something may take on a busy machine before a test calls it lost.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Looks until `look` finds something, at most `patience` long; then fails, naming `what`.
pub async fn eventually<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < patience, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
