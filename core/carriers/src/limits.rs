//! What a carrier takes in one text.

use anteroom_model::segments::LongestText;

use crate::CarrierKind;

impl CarrierKind {
    /// What one text may hold; the carriers cut it into segments themselves. A longer text goes out as several.
    ///
    /// Twilio: 1,600 characters (error 21617). Telnyx and AWS: ten parts
    /// (<https://developers.telnyx.com/docs/messaging/messages/character-and-rate-limits>,
    /// <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html>). Plivo: 1,600
    /// characters, or 737 beyond GSM-7. Vonage doesn't say how many parts; ten are taken by every interface of it.
    pub const fn longest_text(self) -> LongestText {
        let segments = match self {
            Self::Telnyx | Self::Aws | Self::Plivo | Self::Vonage => 10,
            Self::Twilio
            | Self::SignalWire
            | Self::Bandwidth
            | Self::Sinch
            | Self::Infobip
            | Self::Smpp
            | Self::Sandbox => 255,
        };
        LongestText { characters: 1_600, segments }
    }
}
