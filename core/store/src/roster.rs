//! Rosters: lists of patients from a clinic's own system.
//!
//! A source says how its lists are read and, perhaps, in which folder of another server they are. A run is one
//! list on its way: its row is the queue, as with backtests, but a node that takes over goes on where the last
//! batch ended, since each batch says in its own commit how far it is. `roster_entries` remembers what a source
//! said of each patient last: only what it says differently now is applied, so that what staff have corrected
//! meanwhile stays.

mod apply;
mod entries;
mod files;
mod report;
mod runs;
mod sources;

pub use apply::{Applied, NewRow, RosterOf};
pub use entries::{EntryKey, RosterEntry, RosterMembership};
pub use files::{FileState, RosterFile};
pub use report::{ReportPart, ReportRow, RosterOutcome};
pub use runs::{
    Checkpoint, NewRosterRun, RosterOrigin, RosterPhase, RosterRun, RosterState, RunProblem, Tally,
};
pub use sources::{Looked, NewRosterSource, RosterSecrets, RosterSource};
