//! Who is texting, as staff say: candidates, verifying, creating, pointing elsewhere, splitting; what the
//! organization asks for a match, who is locked out, and what came of it all.

pub(super) mod actions;
pub(super) mod candidates;
pub(super) mod locks;
pub(super) mod report;
pub(super) mod rules;
mod say;
