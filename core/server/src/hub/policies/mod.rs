//! Organizations' own policies: sent, signed, bound, tried, explained.

pub(super) mod bindings;
pub(super) mod health;
pub(super) mod notices;
pub(super) mod rules;
pub(super) mod signing;
pub(super) mod uploads;
pub(super) mod versions;

use anteroom_model::states::Role;

/// Who may look at policies' insides: their records quote patients.
pub(super) const READERS: [Role; 3] = [Role::Lead, Role::Admin, Role::Auditor];
