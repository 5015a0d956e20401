//! The server: everything between carriers and staff, in one process.
//!
//! A text goes one way round, each stage knowing the next only through rows of the store:
//! [`ingress`] verifies and stores it, [`pipeline`] asks the policies and applies their decisions, [`hub`]
//! shows it to staff and takes their answers, [`outbox`] sends them. [`app::App`] holds what they share.
//!
//! Each stage's own module says how it works. To add an endpoint: a file in `hub/` with its handler, its
//! body types and its `#[utoipa::path]`, and a line in `hub::router`.

pub mod app;
pub mod auth;
pub mod backtest;
pub mod builtin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod directory;
mod dispatch;
mod help;
pub mod housekeeping;
pub mod http_server;
pub mod hub;
pub mod ingress;
pub mod links;
pub mod media;
mod opt_outs;
pub mod outbox;
mod outgoing;
pub mod pages;
pub mod pipeline;
pub mod policies;
pub mod presence;
pub mod problem;
pub mod reconcile;
pub mod registration;
pub mod replay;
pub mod reports;
pub mod roster;
mod scheduled;
pub mod support;
pub mod telemetry;
mod text_index;
mod unread;
pub mod uploads;
pub mod webhooks;
