//! The event stream as a Hub reads it: followed live, through any server, resumed where it broke off.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::watch;

use super::{Dice, Door, Ledger};
use crate::Sse;

/// A stream that is quiet for so long is left for another.
const PATIENCE: Duration = Duration::from_secs(2);

/// An event, and when it came.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its place in the sequence.
    pub seq: i64,
    /// Its kind.
    pub kind: String,
    /// Its `data`.
    pub data: Value,
    /// When it was first seen.
    pub at: Instant,
}

/// Follows from the beginning until it is `over` and quiet.
pub(super) async fn follow(
    ledger: Arc<Ledger>,
    doors: watch::Receiver<Vec<Door>>,
    token: String,
    over: watch::Receiver<bool>,
    mut dice: Dice,
) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    loop {
        let last = *over.borrow();
        let door = dice.one(&doors.borrow()).clone();
        let position = shown.last().map_or(0, |event| event.seq);
        let opening = Sse::try_open(&door.client, &door.base, &token, Some(position));
        let Ok(Ok(mut stream)) = tokio::time::timeout(PATIENCE, opening).await else {
            dice.pause(50).await;
            continue;
        };
        while let Some(event) = stream.next(PATIENCE).await {
            let expected = shown.last().map_or(1, |event| event.seq + 1);
            match (event.kind.as_str(), event.id) {
                ("ready", _) => {}
                (_, Some(seq)) if seq == expected => {
                    let at = Instant::now();
                    shown.push(Shown { seq, kind: event.kind, data: event.data, at });
                    // A Hub's connection doesn't last for ever either.
                    if !last && dice.below(200) == 0 {
                        break;
                    }
                }
                (kind, id) => {
                    ledger.saw_wrong(format!("event {id:?} ({kind}) followed live instead of {expected}"));
                    return shown;
                }
            }
        }
        // This look began after everything was over, and has been through it all.
        if last {
            return shown;
        }
    }
}
