//! What happens to a text, from the webhook to staff and back: the real server over a real store, with the
//! real policies, driven through its routes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]

mod access;
mod accounts;
mod backtests;
mod conversations;
mod dead_letters;
mod decisions;
mod deliveries;
mod directory;
mod evidence;
mod help;
mod identity;
mod inbox;
mod isolation;
mod media;
mod media_bucket;
mod media_lost;
mod media_sent;
mod messaging;
mod nodes;
mod numbers;
mod openapi;
mod opt_out_table;
mod opt_outs;
mod pages;
mod parts;
mod people;
mod places;
mod policies;
mod reconcile;
mod replies;
mod reports;
mod reports_by_team;
mod reports_speed;
mod revocations;
mod roster;
mod roster_sftp;
mod routing;
mod search;
mod shortcuts;
mod smpp;
mod staff_verification;
mod support;
mod tickets;
mod together;
mod trial;
mod verification;
mod webhooks;
