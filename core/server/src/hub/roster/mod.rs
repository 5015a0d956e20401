//! Rosters: where lists of patients come from, and what became of each.

pub(super) mod runs;
pub(super) mod sources;

use anteroom_model::states::Role;

/// Who may look: names of files and of servers are for those who set them up, and for those who check them.
const READERS: [Role; 2] = [Role::Admin, Role::Auditor];
