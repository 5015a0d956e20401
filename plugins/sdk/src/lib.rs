//! Write what your clinic does with a patient's text.
//!
//! A *policy* is a small WebAssembly component that Anteroom runs when a text arrives. It gets a *turn* (the
//! text, the number, the opening hours …) and returns a *decision* as data; the host checks it, applies it and
//! records it. A policy has no clock, network, files or randomness of its own: everything it may know is in the
//! turn or comes from [`host`], so every decision can be replayed years later.
//!
//! There are four hooks. Implement the trait of the one you need; one component may serve several.
//!
//! | hook | trait | decides |
//! |---|---|---|
//! | identity | [`identity::Identity`] | what to ask a texter, and what the answers say |
//! | routing | [`routing::Routing`] | team, facility, category, priority, tags |
//! | replies | [`replies::Replies`] | automatic replies |
//! | shortcuts | [`shortcuts::Shortcuts`] | saved replies with variables |
//!
//! # A policy in a dozen lines
//!
//! ```
//! use anteroom_sdk::routing::{Placement, Routing, Turn};
//! use anteroom_sdk::{PolicyError, export_routing};
//!
//! #[derive(serde::Deserialize)]
//! struct Settings { night_team: String }
//!
//! struct NightDesk;
//!
//! impl Routing for NightDesk {
//!     type Settings = Settings;
//!
//!     fn route(settings: &Settings, turn: &Turn) -> Result<Option<Placement>, PolicyError> {
//!         if turn.hours.open {
//!             return Ok(None); // no opinion: the next policy bound to the hook is asked
//!         }
//!         let team = Some(settings.night_team.clone());
//!         Ok(Some(Placement { team, reason: "closed".into(), ..Placement::default() }))
//!     }
//! }
//!
//! export_routing!(NightDesk);
//! ```
//!
//! # From there to a running policy
//!
//! 1. `cargo new --lib night-desk`, `crate-type = ["cdylib", "rlib"]`, and in the release profile
//!    `opt-level = "s"`, `lto = true`, `codegen-units = 1`, `panic = "abort"`, `strip = true`.
//! 2. Keep the work in plain functions of settings and turn, and test them with `cargo test`: on your machine
//!    [`host`] answers from a stand-in that [`testing`] lets you fill.
//! 3. Write `manifest.json`: name, version, title, description, hooks, `patient_fields`, a JSON Schema for the
//!    settings (the admin page makes its form from it) and `default_settings`. See `plugins/routing`.
//! 4. `cargo build --release --target wasm32-unknown-unknown`, then
//!    `anteroom-componentize --manifest manifest.json in.wasm out.wasm`, and upload `out.wasm`.
//!
//! # Rules that save a fault
//!
//! - Settings are parsed for you; a mismatch becomes a [`PolicyError`] with the code `settings` that names the
//!   field. Prefer types that can't hold nonsense (`#[serde(try_from = …)]`) over checks at every use.
//! - Return `Ok(None)` for "no opinion" and an error for "can't work"; never panic on what a patient typed.
//!   A panic is a trap: staff see a fault, and the hook fails closed.
//! - Team and facility names must be the organization's own: they are listed in the routing turn.
//! - Cost is counted in fuel, 20 million by default: about that many WebAssembly instructions.
//!
//! # Adding a hook to this SDK
//!
//! A file here like `routing.rs` (types, trait, `run`, macro), a world in `bindings.rs`, and a row above.

#[doc(hidden)]
pub mod bindings;
pub mod date;
mod error;
pub mod host;
pub mod identity;
pub mod replies;
pub mod routing;
mod settings;
pub mod shortcuts;
pub mod template;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod text;

pub use bindings::shared::anteroom::policy::types::{
    ClinicNumber, Hours, LocalTime, Message, PolicyError, Timestamp,
};
