//! What each carrier takes with a text, so that the composer can say so before anything is sent.

use anteroom_model::states::NumberKind;

use crate::CarrierKind;

/// What may go with one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaLimits {
    /// Files.
    pub count: usize,
    /// Bytes of all together.
    pub total_bytes: u64,
    /// Bytes of one that is not a JPEG, PNG or GIF.
    pub other_bytes: u64,
    /// MIME types.
    pub kinds: &'static [&'static str],
}

/// Every carrier's picture formats.
const PICTURES: &[&str] = &["image/jpeg", "image/png", "image/gif"];
/// What phones show besides.
const USUAL: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/3gpp",
    "video/mp4",
    "audio/amr",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "application/pdf",
    "text/vcard",
    "text/plain",
];
/// Of Telnyx: <https://support.telnyx.com/en/articles/4450150-mms-faqs>.
const OF_TELNYX: &[&str] =
    &["image/jpeg", "image/png", "image/gif", "video/3gpp", "video/mp4", "text/vcard", "text/plain"];
/// What every US carrier takes from a toll-free number or a short code:
/// <https://developers.telnyx.com/docs/messaging/messages/mms-transcoding>.
const SHARED_NUMBERS: u64 = 600_000;

/// What `carrier` takes from a number of this kind; `None` where it takes texts only.
///
/// Sources: <https://www.twilio.com/docs/messaging/guides/accepted-mime-types> (5 MB in all; other than pictures
/// 600 KB), Telnyx as above (1 MB in all, 10 files), <https://dev.bandwidth.com/docs/messaging/> (3.75 MB),
/// Plivo's *file size limitations* (10 files of 2 MB, 5 MB in all), Vonage's MMS (one picture of 600 KB),
/// Sinch's `mt_media` (one file of 1 MB).
pub fn media_limits(carrier: CarrierKind, number: NumberKind) -> Option<MediaLimits> {
    let most =
        |count, total_bytes, kinds| MediaLimits { count, total_bytes, other_bytes: SHARED_NUMBERS, kinds };
    let mut limits = match carrier {
        CarrierKind::Twilio | CarrierKind::SignalWire | CarrierKind::Plivo => most(10, 5_000_000, USUAL),
        CarrierKind::Telnyx => most(10, 1_000_000, OF_TELNYX),
        CarrierKind::Bandwidth => most(10, 3_750_000, USUAL),
        CarrierKind::Vonage => most(1, 600_000, PICTURES),
        CarrierKind::Sinch => most(1, 1_000_000, USUAL),
        CarrierKind::Sandbox => {
            MediaLimits { count: 10, total_bytes: 10_485_760, other_bytes: 10_485_760, kinds: USUAL }
        }
        // Infobip sends pictures by another API, AWS from a bucket of the account's own, SMPP not at all.
        CarrierKind::Infobip | CarrierKind::Aws | CarrierKind::Smpp => return None,
    };
    // Twilio makes pictures fit by itself.
    let fits = matches!(carrier, CarrierKind::Twilio | CarrierKind::SignalWire | CarrierKind::Sandbox);
    if !fits && matches!(number, NumberKind::TollFree | NumberKind::ShortCode) {
        limits.total_bytes = limits.total_bytes.min(SHARED_NUMBERS);
    }
    Some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_differ_in_what_they_take() {
        let total = |carrier, number| media_limits(carrier, number).map(|limits| limits.total_bytes);
        assert_eq!(total(CarrierKind::Twilio, NumberKind::TollFree), Some(5_000_000));
        assert_eq!(total(CarrierKind::Telnyx, NumberKind::TenDlc), Some(1_000_000));
        assert_eq!(total(CarrierKind::Telnyx, NumberKind::TollFree), Some(600_000));
        assert_eq!(total(CarrierKind::Bandwidth, NumberKind::ShortCode), Some(600_000));
        for none in [CarrierKind::Aws, CarrierKind::Smpp, CarrierKind::Infobip] {
            assert_eq!(media_limits(none, NumberKind::TenDlc), None);
        }
        // What a carrier's file can't send isn't offered.
        for one in [CarrierKind::Vonage, CarrierKind::Sinch] {
            assert_eq!(media_limits(one, NumberKind::TenDlc).unwrap().count, 1);
        }
    }
}
