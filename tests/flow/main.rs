//! What happens to a text, from the webhook to staff and back: the real server over a real store, with the
//! real policies, driven through its routes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]

mod access;
mod backtests;
mod conversations;
mod dead_letters;
mod decisions;
mod directory;
mod evidence;
mod identity;
mod isolation;
mod nodes;
mod openapi;
mod opt_outs;
mod policies;
mod replies;
mod roster;
mod roster_sftp;
mod routing;
mod shortcuts;
mod staff_verification;
mod support;
mod verification;
