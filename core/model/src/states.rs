//! States and kinds, each with one spelling for SQL, REST and logs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A stored or received word that is none of those expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {kind}; expected one of {expected}")]
pub struct UnknownWord {
    /// What kind of word was expected.
    pub kind: &'static str,
    /// What was found.
    pub found: String,
    /// The words that would do.
    pub expected: String,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:tt),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT"))]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] #[cfg_attr(feature = "sqlx", sqlx(rename = $text))] $variant),*
        }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in SQL, REST and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(UnknownWord {
                        kind: stringify!($name),
                        found: text.chars().take(40).collect(),
                        expected: [$($text),*].join(", "),
                    }),
                }
            }
        }
    )*};
}

words! {
    /// What a member of staff may do; each endpoint names the roles it takes.
    Role {
        /// Works the queues.
        Agent = "agent",
        /// Also assigns to others and sees the team's work.
        Lead = "lead",
        /// Also changes the organization's set-up.
        Admin = "admin",
        /// Reads everything, including the audit log; changes nothing.
        Auditor = "auditor",
    }

    /// Kind of a clinic's number.
    NumberKind {
        /// 800, 833, 844, 855, 866, 877 or 888.
        TollFree = "toll_free",
        /// A local ten-digit number used by software.
        TenDlc = "ten_dlc",
        /// Five or six digits.
        ShortCode = "short_code",
        /// Exists only in Anteroom's sandbox carrier.
        Sandbox = "sandbox",
    }

    /// How far a picture or document is.
    MediaState {
        /// Still at the carrier.
        Fetching = "fetching",
        /// Here.
        Ready = "ready",
        /// Not taken: too large, of a kind that isn't, or at an address that isn't the carrier's.
        Refused = "refused",
        /// The carrier doesn't have it any more.
        Gone = "gone",
    }

    /// Whether carriers let a number send. Everything but `approved` refuses before any HTTP call.
    Registration {
        /// Nothing is known yet.
        Unknown = "unknown",
        /// Submitted; toll-free and 10DLC numbers are blocked meanwhile.
        Pending = "pending",
        /// May send.
        Approved = "approved",
        /// Refused by the registry or the carrier.
        Rejected = "rejected",
    }

    /// One of the things that must be approved before a number may send.
    RegistrationPart {
        /// Who sends: the clinic, in the carriers' registry (10DLC).
        Brand = "brand",
        /// What is sent (10DLC).
        Campaign = "campaign",
        /// The number itself: assigned to the campaign, or active.
        Number = "number",
        /// The verification of a toll-free number.
        TollFree = "toll_free",
        /// The lease and the approval of a short code.
        ShortCode = "short_code",
    }

    /// Who said how far a number's registration is.
    RegistrationSource {
        /// The carrier, asked over its API.
        Carrier = "carrier",
        /// A person.
        Hand = "hand",
        /// The carrier, by refusing a text.
        Refusal = "refusal",
    }

    /// A genuine delivery that could not be taken when it came.
    DeliveryState {
        /// It was not understood.
        Unparsed = "unparsed",
        /// It is for a number that is not set up.
        Undeliverable = "undeliverable",
        /// Taken meanwhile.
        Taken = "taken",
    }

    /// Whether a link to a message centre is up.
    LinkState {
        /// Texts come and go.
        Up = "up",
        /// It is being made, or made anew.
        Down = "down",
    }

    /// Whether a webhook is told what happens.
    WebhookState {
        /// It is.
        Active = "active",
        /// An administrator holds it back: what happens meanwhile is told later.
        Paused = "paused",
        /// It failed for too long, or said that it wants no more.
        Disabled = "disabled",
    }

    /// How far a verification is, or how it ended.
    VerificationState {
        /// A question is open.
        Asking = "asking",
        /// The texter has been answered; the directory is asked next.
        Matching = "matching",
        /// One patient fits.
        Matched = "matched",
        /// Nobody fits.
        None = "none",
        /// Several fit.
        Several = "several",
        /// Asked again, they say to be another patient than before.
        Another = "another",
        /// Too many attempts: not looked at.
        Locked = "locked",
        /// The questions ended without claims to match: the texter wanted no more, or could not be understood.
        GaveUp = "gave_up",
        /// No answer came.
        TimedOut = "timed_out",
        /// Nobody was asked: the phone has one owner.
        Linked = "linked",
        /// Nobody was asked, and nobody was found.
        Unasked = "unasked",
        /// Staff said who it is.
        Staff = "staff",
    }

    /// What staff found of an automatic outcome.
    VerificationLabel {
        /// It was right.
        Right = "right",
        /// It named another patient than the one who was texting.
        Wrong = "wrong",
        /// The patient is in the directory, and it did not find them.
        Missed = "missed",
    }

    /// Whose claims a lock keeps from being matched.
    LockScope {
        /// One phone's.
        Phone = "phone",
        /// Everybody's on one of the clinic's numbers.
        Number = "number",
        /// Everybody's.
        Organization = "organization",
    }

    /// Who sent a message towards whom.
    Direction {
        /// From a patient (MO).
        Inbound = "inbound",
        /// To a patient (MT).
        Outbound = "outbound",
    }

    /// Whether a text still waits for its time.
    ScheduledState {
        /// It will be sent.
        Waiting = "waiting",
        /// It became a message.
        Sent = "sent",
        /// Somebody gave it up.
        Canceled = "canceled",
    }

    /// How far a question to whoever runs Anteroom is.
    TicketState {
        /// It waits for an answer.
        Open = "open",
        /// Somebody has answered.
        Answered = "answered",
        /// It is done.
        Closed = "closed",
    }

    /// How far a message of a ticket is as a mail.
    MailState {
        /// It goes by no mail.
        None = "none",
        /// It is still to be sent.
        Waiting = "waiting",
        /// The mail server has taken it.
        Mailed = "mailed",
        /// It was given up.
        Failed = "failed",
    }

    /// What a text that reads like a revocation was.
    RevocationState {
        /// Nobody has looked yet.
        Open = "open",
        /// The patient has opted out.
        Recorded = "recorded",
        /// It was none.
        Dismissed = "dismissed",
    }

    /// How a revocation reached the clinic.
    RevocationVia {
        /// In a text.
        Text = "text",
        /// On the phone.
        Phone = "phone",
        /// By e-mail.
        Email = "email",
        /// By letter.
        Letter = "letter",
        /// Said to somebody's face.
        InPerson = "in_person",
        /// From a list of the clinic's former system.
        List = "list",
        /// Another way.
        Other = "other",
    }

    /// Life of a message. Inbound: `received` → `processing` → `processed` or `held` or `dead` or `joined`. Outbound:
    /// `queued` → `sending` → `sent` → `delivered`, or `failed`, `unknown`, `blocked`.
    MessageState {
        /// Inbound, stored, waiting for the pipeline.
        Received = "received",
        /// Inbound, leased by a pipeline worker.
        Processing = "processing",
        /// Inbound, in a conversation.
        Processed = "processed",
        /// Inbound to a number with patient-initiated texting off: kept, in no conversation.
        Held = "held",
        /// Inbound that failed over and over: kept for an administrator.
        Dead = "dead",
        /// Inbound, a piece of a long text that another message tells.
        Joined = "joined",
        /// Outbound, waiting for its turn.
        Queued = "queued",
        /// Outbound, leased by an outbox worker: the carrier may have it already.
        Sending = "sending",
        /// The carrier has it.
        Sent = "sent",
        /// The handset has it.
        Delivered = "delivered",
        /// It will not arrive; the reason stands beside it.
        Failed = "failed",
        /// Nobody can tell whether the carrier took it; never resent without a person's word.
        Unknown = "unknown",
        /// Not sent: opted out or not registered.
        Blocked = "blocked",
    }

    /// Who wrote a message, or did something.
    Author {
        /// The person texting.
        Patient = "patient",
        /// A member of staff.
        Staff = "staff",
        /// A policy's automatic reply.
        Policy = "policy",
        /// Anteroom itself: opt-out confirmations and the like.
        Host = "host",
    }

    /// State of a conversation.
    ConversationState {
        /// Somebody should look at it.
        Open = "open",
        /// Comes back at a set time or with the next text.
        Snoozed = "snoozed",
        /// Done; a new text reopens it.
        Closed = "closed",
    }

    /// What is known of who is texting.
    Identity {
        /// Nobody has asked.
        Unasked = "unasked",
        /// The identity policy waits for an answer.
        Asking = "asking",
        /// The claims matched one patient.
        Verified = "verified",
        /// Nobody could be identified: staff see a random readable name.
        Placeholder = "placeholder",
    }

    /// How urgent a conversation is.
    Priority {
        /// Can wait.
        Low = "low",
        /// As most are.
        Normal = "normal",
        /// Soon.
        High = "high",
        /// Staff should look at once.
        Urgent = "urgent",
    }

    /// A list of conversations to work on.
    QueueName {
        /// Open with nobody's name on it.
        Unassigned = "unassigned",
        /// With the reader's name on it.
        Mine = "mine",
        /// In the reader's teams.
        Team = "team",
        /// Open or snoozed.
        All = "all",
        /// Out of sight until a moment, the soonest first.
        Snoozed = "snoozed",
        /// Done, newest first.
        Closed = "closed",
    }

    /// Who sees a saved view besides whoever made it.
    Sharing {
        /// Nobody.
        Nobody = "nobody",
        /// Everybody of the organization.
        Everybody = "everybody",
        /// One team.
        Team = "team",
    }

    /// How a binding takes part.
    BindingMode {
        /// Its decisions take effect.
        Active = "active",
        /// Runs beside, is recorded, has no effect.
        Shadow = "shadow",
        /// Takes effect for a share of conversations.
        Canary = "canary",
    }

    /// Kind of a patient's profile.
    PatientKind {
        /// A person of the directory.
        Profile = "profile",
        /// A random readable name for somebody not identified.
        Placeholder = "placeholder",
    }

    /// Life of a record of the directory.
    PatientState {
        /// Somebody's own.
        Active = "active",
        /// Found through another record that it was merged into.
        Merged = "merged",
        /// Emptied on an administrator's word; only its id is left.
        Deleted = "deleted",
    }

    /// Where a phone rings.
    PhoneKind {
        /// Can be texted.
        Mobile = "mobile",
        /// At home.
        Home = "home",
        /// At work.
        Work = "work",
        /// Anything else.
        Other = "other",
    }

    /// Whose phone it is.
    PhoneOwner {
        /// The patient's own.
        Own = "self",
        /// A family's or a household's: it never says by itself who is texting.
        Shared = "shared",
        /// That of somebody who may speak for the patient.
        Caregiver = "caregiver",
    }
}

impl MessageState {
    /// Whether a receipt may still move an outbound message from `self` to `next`. Receipts come in any order and
    /// twice: the states are ordered (sent, failed, delivered), so that whatever the order, the last state is the
    /// same.
    pub fn receipt_moves_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Sending | Self::Unknown, Self::Sent | Self::Delivered | Self::Failed)
                | (Self::Sent, Self::Delivered | Self::Failed)
                // The handset has it, whatever was said before.
                | (Self::Failed, Self::Delivered)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_named() {
        for state in MessageState::ALL {
            assert_eq!(state.as_str().parse::<MessageState>().unwrap(), *state);
        }
        let error = "snd".parse::<Priority>().unwrap_err();
        assert_eq!(error.to_string(), "`snd` is not a Priority; expected one of low, normal, high, urgent");
    }

    #[test]
    fn late_receipts_do_not_undo_final_states() {
        assert!(MessageState::Sent.receipt_moves_to(MessageState::Delivered));
        assert!(!MessageState::Delivered.receipt_moves_to(MessageState::Sent));
        assert!(!MessageState::Failed.receipt_moves_to(MessageState::Sent));
        assert!(!MessageState::Delivered.receipt_moves_to(MessageState::Failed));
    }
}
