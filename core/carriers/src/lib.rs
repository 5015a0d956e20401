//! The network edge: what a carrier says and wants to hear, turned into Anteroom's words and back.
//!
//! Each carrier is one module with four jobs: *verify* (is this webhook really the carrier's?), *parse*
//! (its messages and receipts), *send*, and *answer* (what its webhook wants to read). Nothing here touches
//! the store, a clock or a conversation; `core/server`'s ingress and outbox call in, rows come of it.
//!
//! # To add a carrier
//!
//! Say it is called Telnyx. The compiler leads through most of it once the first step is done:
//!
//! 1. `CarrierKind::Telnyx` in [`kind`], with its word (`telnyx`): that is the webhook's path and the
//!    stored value.
//! 2. `src/telnyx.rs` (a folder beside it once it passes 500 lines; see [`twilio`]):
//!    - `TelnyxCredentials`, deserialized from the account's sealed JSON **with the carrier's own field
//!      names**, so that an administrator copies what the carrier's console shows. Secrets are [`Secret`]s.
//!    - `verify_and_parse(&TelnyxCredentials, &Delivery) -> Result<Inbound, Rejection>`. First the method,
//!      then the signature over *exactly the bytes received*, compared in constant time
//!      (`Mac::verify_slice`, `subtle`), then the content. An unsigned or forged request must learn
//!      nothing but `403`. Addresses go through [`Address::parse_lenient`], text through
//!      [`inbound::text`], which refuses NUL. Parameters that are not known are ignored.
//!    - `send(&reqwest::Client, &TelnyxCredentials, &OutboundText) -> Result<Sent, SendError>`. Hand
//!      transport errors to [`client::transport`], which knows what "never sent" means; everything between
//!      writing the request and reading the whole answer is [`SendError::Ambiguous`]. A carrier with an
//!      idempotency key gets `our_id` there.
//!    - `find_sent(…)` where the carrier can list messages, so that an ambiguous send can be settled.
//!    - a table of its error codes in staff's words, each with a [`FailureKind`]. The carrier's own error
//!      texts repeat phone numbers: never pass them on.
//! 3. An arm in [`Credentials`], [`verify_and_parse`], [`accept_response`], [`Carriers::send`] and
//!    [`Carriers::find_sent`].
//! 4. Tests: the carrier's published signature vectors, each rejection, each answer of its API against
//!    `wiremock` (accepted, refused, 429, 5xx, time-out, refused connection, reset after the request).
//!
//! What is known of ten carriers' contracts, and how far it can be trusted, is written down in the
//! project's `CARRIERS.md`; put what you verified beside the code that relies on it.

pub mod client;
pub mod credentials;
mod form;
pub mod inbound;
pub mod kind;
pub mod outbound;
pub mod sandbox;
pub mod twilio;

pub use anteroom_model::phone::Address;
pub use client::{Carriers, ClientConfig, ClientError};
pub use credentials::{Credentials, CredentialsError, Secret};
pub use inbound::{
    Delivery, Endpoint, Inbound, InboundMessage, Malformed, MediaRef, OptOutType, Receipt, ReceiptState,
    Rejection,
};
pub use kind::CarrierKind;
pub use outbound::{
    Failure, FailureKind, FindError, FoundMessage, NextStep, OutboundText, SendError, Sent, SentQuery,
};

/// Checks that `delivery` comes from the account's carrier and reads it.
pub fn verify_and_parse(credentials: &Credentials, delivery: &Delivery<'_>) -> Result<Inbound, Rejection> {
    match credentials {
        Credentials::Twilio(twilio) => twilio::verify_and_parse(twilio, delivery),
        Credentials::Sandbox(sandbox) => sandbox::verify_and_parse(sandbox, delivery),
    }
}

/// What a carrier's webhook is answered once its delivery is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Always a success.
    pub status: http::StatusCode,
    /// Value of `Content-Type`; some carriers report an error without one.
    pub content_type: &'static str,
    /// The whole body.
    pub body: &'static str,
}

/// The answer that tells `carrier`: stored, nothing to say.
pub const fn accept_response(carrier: CarrierKind) -> Answer {
    match carrier {
        CarrierKind::Twilio => twilio::ACCEPTED,
        CarrierKind::Sandbox => sandbox::ACCEPTED,
    }
}
