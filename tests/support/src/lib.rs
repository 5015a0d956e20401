//! What the process tests share: the real binary as a child process ([`Anteroom`]), a carrier that can be
//! told to misbehave ([`FakeTwilio`]), and clients of the webhooks ([`TwilioAccount`]), the REST API
//! ([`Api`]) and the event stream ([`Sse`]). [`postgres`] runs database
//! servers; [`load`] keeps servers busy and compares what they acknowledged with what they did;
//! [`proxy`] stands between two of them and misbehaves; [`disk`] fills up. [`guests`] writes policies, and
//! [`uploads`] those that must not be accepted.
//!
//! Only the network's edge is fake, and nothing here uses Anteroom's own code: the signature, for one, is
//! computed a second time ([`TwilioSigner`]), so that a mistake can't cancel itself out.
#![expect(clippy::missing_panics_doc, reason = "a panic is how a test's support says that a test fails")]

pub mod corpus;
pub mod disk;
mod fake_twilio;
pub mod guests;
pub mod load;
pub mod postgres;
mod process;
pub mod proxy;
mod rest;
mod signer;
mod sse;
pub mod sshd;
pub mod uploads;
mod wait;
mod webhook;

pub use fake_twilio::{Attempt, FakeTwilio, Listing, Plan};
pub use process::{Anteroom, Demo, DemoAccount, DemoStaff, Launch, Snapshot};
pub use reqwest::Client;
pub use rest::{Api, Reply, http_client};
pub use signer::TwilioSigner;
pub use sse::{Event, Sse};
pub use wait::{PATIENCE, eventually};
pub use webhook::{Delivery, TwilioAccount, fresh_sid};
