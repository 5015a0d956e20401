//! What a number needs before carriers let it send, and what their words about that mean.
//!
//! All of it is the table [`WORDS`]: a carrier's own word for the state of a part, what follows from it, and
//! what staff are told. A word that isn't there is not approved: carriers add states without notice, and a text
//! from a number that may not send is lost or fined.

use serde::{Deserialize, Serialize};

use crate::states::{NumberKind, Registration, RegistrationPart};

/// What a carrier says of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct PartState {
    /// Which part.
    pub part: RegistrationPart,
    /// The carrier's own word; null: it knows of none.
    pub state: Option<String>,
    /// Why, in the carrier's words, where it gives a reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// The carrier's id of it.
    #[serde(default)]
    pub reference: Option<String>,
}

/// What follows from all parts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `approved` only if every part is.
    pub registration: Registration,
    /// What is missing and what to do about it, in staff's words; empty if nothing is.
    pub missing: Vec<&'static str>,
}

/// A row of the table: carrier, part, words, what follows, what staff are told.
type Row = (&'static str, RegistrationPart, &'static [&'static str], Registration, &'static str);

use Registration::{Approved, Pending, Rejected};
use RegistrationPart::{Brand, Campaign, Number, ShortCode, TollFree};

const OPEN: &str = "";
const BRAND_WAITS: &str =
    "The clinic's brand is still being reviewed. Nothing has to be done but wait; it takes up to two weeks.";
const BRAND_FAILED: &str = "The clinic's brand was refused. An administrator must correct the brand's registration \
                            with the carrier and send it in again.";
const BRAND_GONE: &str =
    "The clinic's brand is suspended or being deleted. An administrator must ask the carrier why.";
const CAMPAIGN_WAITS: &str =
    "The campaign is still being reviewed. Nothing has to be done but wait; it takes up to three weeks.";
const CAMPAIGN_FAILED: &str = "The campaign was refused. An administrator must correct the campaign with the carrier \
                               and send it in again.";
const CAMPAIGN_GONE: &str = "The campaign is suspended or has run out. An administrator must settle that with the \
                             carrier, or register a new one.";
const NUMBER_WAITS: &str =
    "The number is still being set up at the carrier. Nothing has to be done but wait.";
const NUMBER_FAILED: &str = "The number is not part of the campaign. An administrator must add it to the campaign (or \
                             its messaging service) at the carrier.";
const NUMBER_GONE: &str =
    "The number is being taken away from the clinic. An administrator must ask the carrier why.";
const TOLL_FREE_WAITS: &str = "This toll-free number isn't verified for texting yet: its verification is still being \
                               reviewed. Nothing has to be done but wait; it takes up to two weeks.";
const TOLL_FREE_ASKS: &str = "This toll-free number isn't verified for texting yet: the carrier waits for an answer. An \
                              administrator must complete the verification with the carrier.";
const TOLL_FREE_FAILED: &str = "The toll-free verification was refused. An administrator must correct it with the \
                                carrier and send it in again.";

/// Every word that is known. Twilio: the classes `Status` of the package `twilio` 9.13.0 (`brand_registration`,
/// `tollfree_verification`), *Campaign status* there and the A2P documentation; `ASSIGNED` is ours, for a number
/// that is in the Messaging Service. Telnyx: the types of `telnyx` 4.189.0. AWS: `RegistrationStatus` and
/// `NumberStatus` of botocore 1.44.5. Bandwidth: `TfvStatusEnum` of `bandwidth-sdk` 23.3.1; `BLOCKED` is ours, for
/// its field `blocked`.
pub const WORDS: &[Row] = &[
    ("twilio", Brand, &["APPROVED"], Approved, OPEN),
    ("twilio", Brand, &["PENDING", "IN_REVIEW"], Pending, BRAND_WAITS),
    ("twilio", Brand, &["FAILED"], Rejected, BRAND_FAILED),
    ("twilio", Brand, &["SUSPENDED", "DELETION_PENDING", "DELETION_FAILED"], Rejected, BRAND_GONE),
    ("twilio", Campaign, &["VERIFIED"], Approved, OPEN),
    ("twilio", Campaign, &["IN_PROGRESS", "PENDING"], Pending, CAMPAIGN_WAITS),
    ("twilio", Campaign, &["FAILED"], Rejected, CAMPAIGN_FAILED),
    ("twilio", Campaign, &["SUSPENDED", "EXPIRED"], Rejected, CAMPAIGN_GONE),
    ("twilio", Number, &["ASSIGNED"], Approved, OPEN),
    ("twilio", Number, &["NOT_ASSIGNED"], Rejected, NUMBER_FAILED),
    ("twilio", TollFree, &["TWILIO_APPROVED"], Approved, OPEN),
    ("twilio", TollFree, &["PENDING_REVIEW", "IN_REVIEW"], Pending, TOLL_FREE_WAITS),
    ("twilio", TollFree, &["TWILIO_REJECTED"], Rejected, TOLL_FREE_FAILED),
    ("telnyx", Brand, &["OK"], Approved, OPEN),
    ("telnyx", Brand, &["REGISTRATION_PENDING"], Pending, BRAND_WAITS),
    ("telnyx", Brand, &["REGISTRATION_FAILED"], Rejected, BRAND_FAILED),
    ("telnyx", Campaign, &["MNO_PROVISIONED"], Approved, OPEN),
    (
        "telnyx",
        Campaign,
        &["TCR_PENDING", "TCR_ACCEPTED", "TELNYX_ACCEPTED", "MNO_PENDING", "MNO_ACCEPTED"],
        Pending,
        CAMPAIGN_WAITS,
    ),
    (
        "telnyx",
        Campaign,
        &["TCR_FAILED", "TELNYX_FAILED", "MNO_REJECTED", "MNO_PROVISIONING_FAILED"],
        Rejected,
        CAMPAIGN_FAILED,
    ),
    ("telnyx", Campaign, &["TCR_SUSPENDED", "TCR_EXPIRED"], Rejected, CAMPAIGN_GONE),
    ("telnyx", Number, &["ASSIGNED"], Approved, OPEN),
    ("telnyx", Number, &["PENDING_ASSIGNMENT"], Pending, NUMBER_WAITS),
    ("telnyx", Number, &["FAILED_ASSIGNMENT", "NOT_ASSIGNED"], Rejected, NUMBER_FAILED),
    ("telnyx", Number, &["PENDING_UNASSIGNMENT", "FAILED_UNASSIGNMENT"], Rejected, NUMBER_GONE),
    ("telnyx", TollFree, &["Verified"], Approved, OPEN),
    (
        "telnyx",
        TollFree,
        &["In Progress", "Waiting For Vendor", "Waiting For Telnyx"],
        Pending,
        TOLL_FREE_WAITS,
    ),
    ("telnyx", TollFree, &["Waiting For Customer"], Pending, TOLL_FREE_ASKS),
    ("telnyx", TollFree, &["Rejected"], Rejected, TOLL_FREE_FAILED),
    ("bandwidth", TollFree, &["VERIFIED"], Approved, OPEN),
    ("bandwidth", TollFree, &["PENDING"], Pending, TOLL_FREE_WAITS),
    ("bandwidth", TollFree, &["UNVERIFIED", "BLOCKED"], Rejected, TOLL_FREE_FAILED),
    ("aws", Brand, &["COMPLETE"], Approved, OPEN),
    ("aws", Brand, AWS_WAITS, Pending, BRAND_WAITS),
    ("aws", Brand, AWS_ASKS, Rejected, BRAND_FAILED),
    ("aws", Brand, AWS_GONE, Rejected, BRAND_GONE),
    ("aws", Campaign, &["COMPLETE"], Approved, OPEN),
    ("aws", Campaign, AWS_WAITS, Pending, CAMPAIGN_WAITS),
    ("aws", Campaign, AWS_ASKS, Rejected, CAMPAIGN_FAILED),
    ("aws", Campaign, AWS_GONE, Rejected, CAMPAIGN_GONE),
    ("aws", TollFree, &["COMPLETE"], Approved, OPEN),
    ("aws", TollFree, AWS_WAITS, Pending, TOLL_FREE_WAITS),
    ("aws", TollFree, AWS_ASKS, Rejected, TOLL_FREE_FAILED),
    ("aws", TollFree, AWS_GONE, Rejected, TOLL_FREE_FAILED),
    ("aws", Number, &["ACTIVE"], Approved, OPEN),
    ("aws", Number, &["PENDING", "ASSOCIATING"], Pending, NUMBER_WAITS),
    ("aws", Number, &["DISASSOCIATING", "DELETED"], Rejected, NUMBER_GONE),
    ("aws", ShortCode, &["ACTIVE"], Approved, OPEN),
    ("aws", ShortCode, &["PENDING", "ASSOCIATING"], Pending, NUMBER_WAITS),
    ("aws", ShortCode, &["DISASSOCIATING", "DELETED"], Rejected, NUMBER_GONE),
];

const AWS_WAITS: &[&str] = &["CREATED", "SUBMITTED", "AWS_REVIEWING", "REVIEWING", "PROVISIONING"];
const AWS_ASKS: &[&str] = &["REQUIRES_UPDATES", "REQUIRES_AUTHENTICATION"];
const AWS_GONE: &[&str] = &["CLOSED", "DELETED"];

/// What a carrier's API is asked about a number of that kind, all of which must be approved. Empty: it tells
/// nothing, a person has to.
pub fn needs(carrier: &str, kind: NumberKind) -> &'static [RegistrationPart] {
    match (carrier, kind) {
        ("twilio" | "telnyx" | "aws", NumberKind::TenDlc) => &[Brand, Campaign, Number],
        ("twilio" | "telnyx" | "bandwidth", NumberKind::TollFree) => &[TollFree],
        ("aws", NumberKind::TollFree) => &[TollFree, Number],
        ("aws", NumberKind::ShortCode) => &[ShortCode],
        _ => &[],
    }
}

/// What a carrier's word for the state of a part means, and what staff are told. `None`: it is none that is known.
pub fn standing(carrier: &str, part: RegistrationPart, word: &str) -> Option<(Registration, &'static str)> {
    let row = WORDS.iter().find(|row| row.0 == carrier && row.1 == part && row.2.contains(&word));
    row.map(|row| (row.3, row.4))
}

/// What follows from what a carrier says. Whatever isn't known to be approved isn't.
pub fn judge(carrier: &str, kind: NumberKind, parts: &[PartState]) -> Verdict {
    if kind == NumberKind::Sandbox {
        return Verdict { registration: Approved, missing: Vec::new() };
    }
    let needed = needs(carrier, kind);
    if needed.is_empty() {
        return Verdict { registration: Registration::Unknown, missing: vec![by_hand(kind)] };
    }
    let mut registration = Approved;
    let mut missing = Vec::new();
    for part in needed {
        let said = parts.iter().find(|said| said.part == *part).and_then(|said| said.state.as_deref());
        let (found, text) = match said {
            None => (Registration::Unknown, absent(*part)),
            Some(word) => standing(carrier, *part, word).unwrap_or((Registration::Unknown, unlisted(*part))),
        };
        if found != Approved {
            missing.push(text);
            registration = worse(registration, found);
        }
    }
    Verdict { registration, missing }
}

/// The one that keeps a number from sending for longer; what is unknown says less than a refusal.
const fn worse(a: Registration, b: Registration) -> Registration {
    match (a, b) {
        (Rejected, _) | (_, Rejected) => Rejected,
        (Registration::Unknown, _) | (_, Registration::Unknown) => Registration::Unknown,
        (Pending, _) | (_, Pending) => Pending,
        (Approved, Approved) => Approved,
    }
}

/// Where the carrier knows of none.
const fn absent(part: RegistrationPart) -> &'static str {
    match part {
        Brand => {
            "The carrier knows of no brand for this number. An administrator must register the clinic's brand \
             (10DLC) with the carrier."
        }
        Campaign => {
            "The carrier knows of no campaign for this number. An administrator must register a campaign (10DLC) \
             with the carrier and enter the messaging service that it belongs to."
        }
        Number => NUMBER_FAILED,
        TollFree => {
            "This toll-free number isn't verified for texting yet. An administrator must send in its toll-free \
             verification to the carrier."
        }
        ShortCode => "The carrier knows of no such short code. An administrator must ask the carrier.",
    }
}

/// Where the carrier uses a word that is none of those known.
const fn unlisted(part: RegistrationPart) -> &'static str {
    match part {
        Brand => {
            "The carrier says something about the clinic's brand that Anteroom doesn't know. An administrator must \
             look there, and may then set the registration by hand."
        }
        Campaign => {
            "The carrier says something about the campaign that Anteroom doesn't know. An administrator must look \
             there, and may then set the registration by hand."
        }
        Number => {
            "The carrier says something about the number that Anteroom doesn't know. An administrator must look \
             there, and may then set the registration by hand."
        }
        TollFree => {
            "The carrier says something about the toll-free verification that Anteroom doesn't know. An \
             administrator must look there, and may then set the registration by hand."
        }
        ShortCode => {
            "The carrier says something about the short code that Anteroom doesn't know. An administrator must look \
             there, and may then set the registration by hand."
        }
    }
}

/// Where no API tells.
const fn by_hand(kind: NumberKind) -> &'static str {
    refusal_by_hand(kind, Registration::Unknown)
}

/// Why a number may not send whose registration a person has set, in staff's words.
pub const fn refusal_by_hand(kind: NumberKind, registration: Registration) -> &'static str {
    match (kind, registration) {
        (_, Rejected) => {
            "The carriers refuse texts from this number. An administrator must correct its registration before you \
             can reply."
        }
        (NumberKind::TollFree, _) => {
            "This toll-free number isn't verified for texting yet. Finish the toll-free verification to reply."
        }
        (NumberKind::ShortCode, _) => "This short code isn't active yet. Finish its registration to reply.",
        (NumberKind::TenDlc | NumberKind::Sandbox, _) => {
            "This number isn't registered for texting yet. Finish the campaign registration to reply."
        }
    }
}

/// The carrier was not asked for too long.
pub const STALE: &str = "Nobody could ask the carrier for too long whether this number may still send. An administrator \
                         must check the carrier account and refresh the number's registration.";

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: RegistrationPart, state: &str) -> PartState {
        PartState { part, state: Some(state.into()), reason: None, reference: None }
    }

    type Words = &'static [&'static str];

    /// Carrier, part; what is approved, pending, refused: word by word as the carriers' packages have them.
    const EVERY: &[(&str, RegistrationPart, Words, Words, Words)] = &[
        (
            "twilio",
            Brand,
            &["APPROVED"],
            &["PENDING", "IN_REVIEW"],
            &["FAILED", "DELETION_PENDING", "DELETION_FAILED", "SUSPENDED"],
        ),
        ("twilio", Campaign, &["VERIFIED"], &["IN_PROGRESS"], &["FAILED"]),
        ("twilio", TollFree, &["TWILIO_APPROVED"], &["PENDING_REVIEW", "IN_REVIEW"], &["TWILIO_REJECTED"]),
        (
            "telnyx",
            Campaign,
            &["MNO_PROVISIONED"],
            &["TCR_PENDING", "TCR_ACCEPTED", "TELNYX_ACCEPTED", "MNO_PENDING", "MNO_ACCEPTED"],
            &[
                "TCR_FAILED",
                "TCR_SUSPENDED",
                "TCR_EXPIRED",
                "TELNYX_FAILED",
                "MNO_REJECTED",
                "MNO_PROVISIONING_FAILED",
            ],
        ),
        (
            "telnyx",
            Number,
            &["ASSIGNED"],
            &["PENDING_ASSIGNMENT"],
            &["FAILED_ASSIGNMENT", "PENDING_UNASSIGNMENT", "FAILED_UNASSIGNMENT"],
        ),
        (
            "telnyx",
            TollFree,
            &["Verified"],
            &["Waiting For Vendor", "Waiting For Customer", "Waiting For Telnyx", "In Progress"],
            &["Rejected"],
        ),
        (
            "aws",
            Campaign,
            &["COMPLETE"],
            &["CREATED", "SUBMITTED", "REVIEWING", "PROVISIONING", "AWS_REVIEWING"],
            &["REQUIRES_UPDATES", "REQUIRES_AUTHENTICATION", "CLOSED", "DELETED"],
        ),
        ("aws", Number, &["ACTIVE"], &["PENDING", "ASSOCIATING"], &["DISASSOCIATING", "DELETED"]),
        ("bandwidth", TollFree, &["VERIFIED"], &["PENDING"], &["UNVERIFIED"]),
    ];

    #[test]
    fn every_word_of_the_carriers_is_known() {
        for (carrier, part, approved, pending, rejected) in EVERY {
            for (words, expected) in [(approved, Approved), (pending, Pending), (rejected, Rejected)] {
                for word in *words {
                    let (found, text) = standing(carrier, *part, word).expect(word);
                    assert_eq!(found, expected, "{carrier} {part} {word}");
                    assert_eq!(text.is_empty(), expected == Approved, "{carrier} {part} {word}");
                }
            }
        }
    }

    #[test]
    fn no_word_is_there_twice_and_each_tells_what_to_do() {
        for (at, row) in WORDS.iter().enumerate() {
            for word in row.2 {
                let again =
                    WORDS[at + 1..].iter().any(|r| r.0 == row.0 && r.1 == row.1 && r.2.contains(word));
                assert!(!again, "{} {} {word}", row.0, row.1);
            }
            assert!(row.4.is_empty() || row.4.ends_with('.'), "{}", row.4);
            assert!(row.3 == Approved || row.4.contains("administrator") || row.4.contains("wait"));
        }
    }

    #[test]
    fn only_all_parts_together_open_a_number() {
        let parts = [part(Brand, "APPROVED"), part(Campaign, "VERIFIED"), part(Number, "ASSIGNED")];
        let kind = NumberKind::TenDlc;
        assert_eq!(judge("twilio", kind, &parts).registration, Approved);
        for at in 0..parts.len() {
            let mut fewer = parts.to_vec();
            fewer.remove(at);
            let verdict = judge("twilio", kind, &fewer);
            assert_eq!((verdict.registration, verdict.missing.len()), (Registration::Unknown, 1));
            for word in ["", "approved", "VERIFIED ", "SOMETHING_NEW"] {
                let mut odd = parts.to_vec();
                odd[at].state = Some(word.into());
                assert_eq!(judge("twilio", kind, &odd).registration, Registration::Unknown, "{word}");
            }
        }
    }

    /// Every word of every part, with all else approved.
    #[test]
    fn one_part_that_is_not_approved_keeps_a_number_closed() {
        for carrier in ["twilio", "telnyx", "bandwidth", "aws"] {
            for kind in NumberKind::ALL {
                let needed = needs(carrier, *kind);
                let approved = |part: &RegistrationPart| {
                    let row =
                        WORDS.iter().find(|row| row.0 == carrier && row.1 == *part && row.3 == Approved);
                    self::part(*part, row.expect("every part can be approved").2[0])
                };
                let open: Vec<_> = needed.iter().map(approved).collect();
                for row in WORDS.iter().filter(|row| row.0 == carrier && needed.contains(&row.1)) {
                    for word in row.2 {
                        let mut parts = open.clone();
                        let changed = parts.iter_mut().find(|part| part.part == row.1).unwrap();
                        changed.state = Some((*word).into());
                        let verdict = judge(carrier, *kind, &parts);
                        assert_eq!(verdict.registration, row.3, "{carrier} {kind} {word}");
                        let told = if row.3 == Approved { Vec::new() } else { vec![row.4] };
                        assert_eq!(verdict.missing, told, "{carrier} {kind} {word}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_worse_counts() {
        let said = |brand, campaign| {
            let parts = [part(Brand, brand), part(Campaign, campaign), part(Number, "ASSIGNED")];
            judge("twilio", NumberKind::TenDlc, &parts)
        };
        assert_eq!(said("PENDING", "FAILED").registration, Rejected);
        assert_eq!(said("PENDING", "FAILED").missing.len(), 2);
        assert_eq!(said("PENDING", "NEW").registration, Registration::Unknown);
        assert_eq!(said("SUSPENDED", "NEW").registration, Rejected);
    }

    #[test]
    fn where_no_api_tells_a_person_must() {
        for carrier in ["signalwire", "plivo", "vonage", "sinch", "infobip", "smpp", "another"] {
            for kind in [NumberKind::TenDlc, NumberKind::TollFree, NumberKind::ShortCode] {
                assert!(needs(carrier, kind).is_empty());
                assert_eq!(
                    judge(carrier, kind, &[part(TollFree, "VERIFIED")]).registration,
                    Registration::Unknown
                );
            }
        }
        assert_eq!(judge("sandbox", NumberKind::Sandbox, &[]).registration, Approved);
    }
}
