//! Which carriers there are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A carrier: the word in the webhook's path and in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CarrierKind {
    /// <https://www.twilio.com/docs/messaging/api/message-resource>.
    Twilio,
    /// <https://developer.signalwire.com/compatibility-api>.
    SignalWire,
    /// <https://developers.telnyx.com/docs/messaging>.
    Telnyx,
    /// <https://dev.bandwidth.com/docs/messaging>.
    Bandwidth,
    /// <https://www.plivo.com/docs/messaging>.
    Plivo,
    /// <https://developer.vonage.com/en/messages/overview>, and the older SMS API.
    Vonage,
    /// <https://developers.sinch.com/docs/sms>.
    Sinch,
    /// <https://www.infobip.com/docs/sms>.
    Infobip,
    /// AWS End User Messaging, <https://docs.aws.amazon.com/sms-voice>.
    Aws,
    /// A message centre, directly: SMPP 3.4 and 5.0.
    Smpp,
    /// Anteroom's own: demo, tests, and trying a policy without a carrier.
    Sandbox,
}

/// A word that names no carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such carrier; expected one of twilio, signalwire, telnyx, bandwidth, plivo, vonage, sinch, infobip, aws, smpp, sandbox"
)]
pub struct UnknownCarrier;

impl CarrierKind {
    /// Every carrier.
    pub const ALL: &'static [Self] = &[
        Self::Twilio,
        Self::SignalWire,
        Self::Telnyx,
        Self::Bandwidth,
        Self::Plivo,
        Self::Vonage,
        Self::Sinch,
        Self::Infobip,
        Self::Aws,
        Self::Smpp,
        Self::Sandbox,
    ];

    /// The word in paths, SQL, REST and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::SignalWire => "signalwire",
            Self::Telnyx => "telnyx",
            Self::Bandwidth => "bandwidth",
            Self::Plivo => "plivo",
            Self::Vonage => "vonage",
            Self::Sinch => "sinch",
            Self::Infobip => "infobip",
            Self::Aws => "aws",
            Self::Smpp => "smpp",
            Self::Sandbox => "sandbox",
        }
    }

    /// Whether one call of its webhook may bring several texts, to different numbers
    /// (<https://dev.bandwidth.com/docs/messaging/webhooks>,
    /// <https://www.infobip.com/docs/api/channels/sms>): one that can't be taken must not refuse the others.
    pub const fn batches(self) -> bool {
        matches!(self, Self::Bandwidth | Self::Infobip)
    }

    /// Whether sending a text again under the same id of ours is the same text to the carrier: then one that
    /// is in doubt is simply sent again. Telnyx keeps `Idempotency-Key`s for 24 hours
    /// (<https://developers.telnyx.com/docs/development/api-fundamentals/idempotency>). The request must then be
    /// the same to the byte: addresses of media, too, must not change between attempts.
    pub const fn dedupes_by_our_id(self) -> bool {
        matches!(self, Self::Sandbox | Self::Telnyx)
    }
}

impl fmt::Display for CarrierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CarrierKind {
    type Err = UnknownCarrier;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or(UnknownCarrier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_everywhere() {
        for kind in CarrierKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
            assert!(UnknownCarrier.to_string().contains(kind.as_str()));
        }
        assert_eq!("Twilio".parse::<CarrierKind>(), Err(UnknownCarrier));
    }
}
