//! What a link hands on, and who takes it.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;
use rusmpp::Pdu;

use super::{Fingerprint, SmppCredentials, frames::Frame, pdu};
use crate::{Inbound, Malformed};

/// What came in by a link.
#[derive(Debug)]
pub struct Delivered {
    /// Of ours. A repetition has the id of the first time.
    pub id: String,
    /// What tells it from others.
    pub fingerprint: Fingerprint,
    /// A text or a receipt, or what can't be read and yet must not be lost.
    pub content: Result<Inbound, Unread>,
}

/// A `deliver_sm` that can't be read.
pub struct Unread {
    /// Why.
    pub malformed: Malformed,
    /// All of it, as it came: for [`read_again`].
    pub octets: Bytes,
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").field("malformed", &self.malformed).finish_non_exhaustive()
    }
}

/// Where texts and receipts go, and what a link must not forget.
///
/// For each text that is stored an inbox keeps id and fingerprint until the link says that the message centre has
/// seen the acknowledgement. A process that is killed in between leaves them to the next link ([`Self::doubtful`]),
/// which knows the repetition by them.
pub trait Inbox: Send + Sync + 'static {
    /// Stores what came in. Only then is the message centre told that we have it; after an error it is told
    /// to send again. Ids may come twice: what is there already is stored.
    fn store(&self, delivered: Delivered) -> BoxFuture<'_, Result<(), NotStored>>;

    /// A hash of `identity` that tells nothing to who lacks the key: an inbox keeps it in the clear.
    fn fingerprint(&self, identity: &[u8]) -> Fingerprint;

    /// What earlier links of the account left behind, oldest first. A link isn't made before it is known.
    fn doubtful(&self) -> BoxFuture<'_, Result<Vec<(Fingerprint, String)>, NotStored>>;

    /// The message centre won't send these again. Must not wait.
    fn settled(&self, ids: Vec<String>);
}

/// It could not be stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery could not be stored")]
pub struct NotStored;

/// Reads what could not be read when it came, under the id that was made for it then.
pub fn read_again(credentials: &SmppCredentials, octets: Vec<u8>, id: &str) -> Result<Inbound, Malformed> {
    read(credentials, &Frame::read(octets.into()).ok_or(Malformed::Pdu)?, id)
}

/// A text or a receipt.
pub(super) fn read(credentials: &SmppCredentials, frame: &Frame, id: &str) -> Result<Inbound, Malformed> {
    match &frame.pdu {
        Some(Pdu::DeliverSm(deliver)) => pdu::read(credentials, deliver, id),
        _ => Err(Malformed::Pdu),
    }
}

/// All that tells one delivery from another. Of one that can be read, what a repetition may write otherwise is left
/// out.
pub(super) fn identity(frame: &Frame) -> Vec<u8> {
    match &frame.pdu {
        Some(Pdu::DeliverSm(deliver)) => pdu::identity(deliver),
        _ => frame.identity(),
    }
}
