//! The network edge: what a carrier says and wants to hear, turned into Anteroom's words and back.
//!
//! Each carrier is one module with four jobs: *verify* (is this webhook really the carrier's?), *parse*
//! (its messages and receipts), *send*, and *answer* (what its webhook wants to read). Nothing here touches
//! the store, a clock or a conversation; `core/server`'s ingress and outbox call in, rows come of it.
//!
//! # To add a carrier
//!
//! It is a file here and a page in `docs/carriers`. Say it is called Telnyx; the compiler leads through most
//! of it once the first step is done:
//!
//! 1. `CarrierKind::Telnyx` in [`kind`], with its word (`telnyx`): that is the webhook's path and the
//!    stored value. `dedupes_by_our_id` only if the carrier documents it.
//! 2. `src/telnyx.rs` (a folder beside it once it has a second subject; see [`plivo`], [`aws`]):
//!    - `TelnyxCredentials`, deserialized from the account's sealed JSON **with the carrier's own field
//!      names**, so that an administrator copies what the carrier's console shows. What webhooks are signed
//!      with is a [`rotation::Rotating`], so that it can be changed without losing a text; other secrets are
//!      [`Secret`]s; ids that become part of an address are read by `identifier`.
//!    - `verify_and_parse(&TelnyxCredentials, &Delivery) -> Result<Inbound, Rejection>`. First the method,
//!      then the signature over *exactly the bytes received*, then the signed moment, then the content; all
//!      from `verify`, which compares in constant time. The algorithm is the account's, never the
//!      request's. An unsigned or forged request must learn nothing but `403`. Addresses go through
//!      [`Address::parse_lenient`], text through [`inbound::text`], which refuses NUL. Parameters that are
//!      not known are ignored. A window for moments is as long as the carrier's repeated attempts, unless it
//!      is known to sign each anew: replays within it are the store's business, which takes each id once.
//!    - `send(&reqwest::Client, &TelnyxCredentials, &OutboundText) -> Result<Sent, SendError>`. Hand the
//!      answer to `client::answer`, which knows what "never sent" and "perhaps sent" mean. A carrier with an
//!      idempotency key or a reference gets `our_id` there.
//!    - `media_access(&TelnyxCredentials) -> Access`: how its files are fetched, and to which hosts the account's
//!      credentials are shown for that; and its line in `media::limits`, what may go with a text.
//!    - `find_sent(…)` where the carrier can list messages, so that an ambiguous send can be settled.
//!    - a `CodeTable` of its error codes in staff's words, each with a [`FailureKind`]. The carrier's own
//!      error texts repeat phone numbers: never pass them on.
//! 3. An arm in [`Credentials`], [`verify_and_parse`], [`accept_response`], [`Carriers::send`] and
//!    [`Carriers::find_sent`].
//! 4. Vectors: `tests/generate/make_telnyx.py`, in which the carrier's own package signs deliveries and
//!    sends texts (`scripts/carrier-vectors`), and the word in `tests/conformance/vectors.rs`. The tests there
//!    then do the rest: taken as signed, refused with one byte changed, ten thousand forgeries, sends as the
//!    package makes them, and what each answer of its API means.
//!
//! A carrier without webhooks is [`smpp`]: a link that is kept up, and an inbox.

pub mod aws;
pub mod bandwidth;
pub mod client;
mod codes;
pub mod credentials;
mod form;
mod identifier;
pub mod inbound;
pub mod infobip;
mod json;
pub mod kind;
pub mod limits;
pub mod media;
pub mod outbound;
pub mod plivo;
mod post;
pub mod probe;
pub mod reconcile;
pub mod registration;
pub mod rotation;
pub mod sandbox;
pub mod signalwire;
pub mod sinch;
pub mod smpp;
pub mod telnyx;
pub mod twilio;
mod verify;
pub mod vonage;

pub use anteroom_model::phone::Address;
pub use aws::Certificates;
pub use client::{Carriers, ClientConfig, ClientError};
pub use codes::explain;
pub use credentials::{Credentials, CredentialsError, Secret};
pub use inbound::{
    Delivery, Endpoint, Inbound, InboundMessage, Malformed, MediaRef, OptOutType, Part, Receipt,
    ReceiptState, Rejection, fallback_url,
};
pub use kind::CarrierKind;
pub use media::{FetchError, Fetched, MediaLimits, media_limits};
pub use outbound::{
    Failure, FailureKind, FindError, FoundMessage, NextStep, OutboundText, SendError, Sent, SentQuery,
};
pub use post::{PostConfig, PostError, Posted};
pub use probe::Probed;
pub use reconcile::{ListPage, Listed, Look};
pub use registration::{CheckError, RegistrationQuery};

/// Checks that `delivery` comes from the account's carrier and reads it, with what is known already: a
/// certificate of AWS's that isn't is [`Rejection::KeyUnavailable`]. [`Carriers::receive`] fetches it.
pub fn verify_and_parse(
    credentials: &Credentials,
    delivery: &Delivery<'_>,
    certificates: &Certificates,
) -> Result<Inbound, Rejection> {
    match credentials {
        Credentials::Aws(account) => aws::verify_and_parse(account, certificates, delivery),
        Credentials::Twilio(account) => twilio::verify_and_parse(account, delivery),
        Credentials::SignalWire(account) => signalwire::verify_and_parse(account, delivery),
        Credentials::Telnyx(account) => telnyx::verify_and_parse(account, delivery),
        Credentials::Bandwidth(account) => bandwidth::verify_and_parse(account, delivery),
        Credentials::Plivo(account) => plivo::verify_and_parse(account, delivery),
        Credentials::Vonage(account) => vonage::verify_and_parse(account, delivery),
        Credentials::Sinch(account) => sinch::verify_and_parse(account, delivery),
        Credentials::Infobip(account) => infobip::verify_and_parse(account, delivery),
        // Its texts come by its own link; no webhook of its exists.
        Credentials::Smpp(_) => Err(Rejection::SignatureMissing),
        Credentials::Sandbox(account) => sandbox::verify_and_parse(account, delivery),
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
        // They read TwiML, or what they call so; Plivo's is the same element.
        CarrierKind::Twilio | CarrierKind::SignalWire | CarrierKind::Plivo => twilio::ACCEPTED,
        CarrierKind::Telnyx
        | CarrierKind::Bandwidth
        | CarrierKind::Vonage
        | CarrierKind::Sinch
        | CarrierKind::Infobip
        | CarrierKind::Aws
        | CarrierKind::Smpp
        | CarrierKind::Sandbox => sandbox::ACCEPTED,
    }
}
