//! What goes into a policy's hook and what comes out, as plain records.
//!
//! They mirror `wit/*.wit` field by field, in the host's words, and know nothing of WebAssembly. Their JSON
//! is what a decision records, what a replay reads and what a backtest compares, so it is stable: fields
//! may be added with `#[serde(default)]`, never renamed or removed.
//!
//! Everything here can hold a patient's words: seal it at rest, keep it out of logs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A question that a policy may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// Who is texting?
    Identity,
    /// Where does the conversation belong?
    Routing,
    /// What is answered at once, with no person in between?
    Replies,
    /// Which saved replies are there, and what do they say here?
    Shortcuts,
}

impl Hook {
    /// Every hook, in the order in which the pipeline asks them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Routing, Self::Replies, Self::Shortcuts];

    /// The one spelling for SQL, REST, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Routing => "routing",
            Self::Replies => "replies",
            Self::Shortcuts => "shortcuts",
        }
    }

    /// The hook of that name; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.as_str() == text)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hook is `identity`, `routing`, `replies` or `shortcuts`")]
pub struct UnknownHook;

impl FromStr for Hook {
    type Err = UnknownHook;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or(UnknownHook)
    }
}

/// The clinic's number that was texted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClinicNumber {
    /// E.164, for example `+18005550100`.
    pub address: String,
    /// `toll_free`, `ten_dlc`, `short_code` or `sandbox`.
    pub kind: String,
    /// What staff call it.
    pub label: String,
    /// Name of the facility it belongs to, if it belongs to one.
    pub facility: Option<String>,
    /// Name of the organization.
    pub organization: String,
}

/// A wall-clock moment in a facility's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// `monday` … `sunday`.
    pub weekday: String,
    /// Minutes since local midnight, 0–1439.
    pub minute: u16,
}

/// Opening hours as the host computed them for one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Open at this moment?
    pub open: bool,
    /// IANA name, for example `America/Chicago`.
    pub time_zone: String,
    /// This moment on the facility's wall clock.
    pub local: LocalTime,
    /// Name of today's holiday, if today is one.
    pub holiday: Option<String>,
    /// When it opens next; absent while open, or when no opening is known within 30 days.
    pub opens: Option<LocalTime>,
    /// When it closes; absent while closed.
    pub closes: Option<LocalTime>,
}

/// One message of a conversation as the patient has seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryMessage {
    /// `inbound` or `outbound`.
    pub direction: String,
    /// `patient`, `staff` or `automatic`.
    pub author: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The text.
    pub body: String,
}

/// One question of a verification and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The name the policy gave the question.
    pub question: String,
    /// The text that was sent.
    pub prompt: String,
    /// The answer; absent while the current turn's text is the answer.
    pub answer: Option<String>,
}

/// What `identity.next` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityTurn {
    /// What the patient just texted.
    pub text: String,
    /// The clinic's number.
    pub number: ClinicNumber,
    /// Its facility's hours.
    pub hours: Hours,
    /// Earlier questions of this verification, oldest first; empty on the first turn.
    pub asked: Vec<Exchange>,
}

/// Something the texter says of themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// `first-name`, `last-name`, `date-of-birth` (`YYYY-MM-DD`) or `mrn`; others are recorded and ignored.
    pub field: String,
    /// What they said.
    pub value: String,
}

/// A question to the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The policy's own name for the question.
    pub question: String,
    /// What is sent.
    pub text: String,
}

/// Claims to match against the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchRequest {
    /// What the texter said of themselves.
    pub claims: Vec<Claim>,
    /// Sent whatever the outcome is.
    pub acknowledgement: String,
    /// Claims that must agree besides the host's own floor.
    pub required: Vec<String>,
}

/// The end of a verification without a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    /// For staff: `exit`, `attempts`, `declined` or the policy's own word.
    pub reason: String,
    /// Sent to the patient.
    pub acknowledgement: String,
    /// Claims gathered until then, for staff to see.
    pub claims: Vec<Claim>,
}

/// What `identity.next` decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Send this question and wait for the next text.
    Ask(Prompt),
    /// Have the host match these claims.
    Match(MatchRequest),
    /// Stop asking: staff take over with a placeholder.
    GiveUp(Farewell),
}

/// What `routing.route` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTurn {
    /// What the patient just texted.
    pub text: String,
    /// How many pictures or other media came with it.
    pub media_count: u32,
    /// The clinic's number.
    pub number: ClinicNumber,
    /// Its facility's hours.
    pub hours: Hours,
    /// 1 for the first text of an open conversation.
    pub turn_number: u32,
    /// `unasked`, `asking`, `verified` or `placeholder`.
    pub identity: String,
    /// Names of the organization's teams.
    pub teams: Vec<String>,
    /// Names of the organization's facilities.
    pub facilities: Vec<String>,
    /// The placement so far.
    pub current: Option<Placement>,
}

/// Where a conversation belongs, all by name. Absent fields leave what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// A team's name.
    pub team: Option<String>,
    /// A facility's name.
    pub facility: Option<String>,
    /// The organization's own word.
    pub category: Option<String>,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: Option<String>,
    /// The organization's own words.
    pub tags: Vec<String>,
    /// Shown to staff in the timeline.
    pub reason: String,
}

/// An automatic reply that this conversation has already been sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The key the policy gave it.
    pub throttle_key: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// What `replies.reply` is given: nothing that is not known of any texter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepliesTurn {
    /// What the patient just texted.
    pub text: String,
    /// How many pictures or other media came with it.
    pub media_count: u32,
    /// The clinic's number.
    pub number: ClinicNumber,
    /// Its facility's hours.
    pub hours: Hours,
    /// 1 for the first text of an open conversation.
    pub turn_number: u32,
    /// Newest first, at most 20.
    pub told: Vec<Told>,
}

/// An automatic reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What is sent.
    pub body: String,
    /// The host sends at most one reply per key within the throttle time.
    pub throttle_key: String,
    /// Shown to staff in the timeline.
    pub reason: String,
}

/// Where a member of staff is writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortcutContext {
    /// Their name.
    pub staff_name: String,
    /// Names of their teams.
    pub teams: Vec<String>,
    /// The clinic's number.
    pub number: ClinicNumber,
    /// Its facility's hours.
    pub hours: Hours,
}

/// A saved reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortcut {
    /// What is typed after `/`.
    pub name: String,
    /// What it is called in a list.
    pub title: String,
    /// The text before its variables are filled.
    pub template: String,
}

/// A saved reply with its variables filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansion {
    /// The text.
    pub body: String,
    /// Variables that could not be filled; they stand in `body` as they were written.
    pub missing: Vec<String>,
}

/// One call of a hook: which function, and what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookInput {
    /// `identity.next`
    Identity(IdentityTurn),
    /// `routing.route`
    Routing(RoutingTurn),
    /// `replies.reply`
    Replies(RepliesTurn),
    /// `shortcuts.list`
    ShortcutList(ShortcutContext),
    /// `shortcuts.expand`
    ShortcutExpand {
        /// The shortcut's name.
        name: String,
        /// Where it is used.
        context: ShortcutContext,
    },
}

impl HookInput {
    /// The hook that answers this.
    pub const fn hook(&self) -> Hook {
        match self {
            Self::Identity(_) => Hook::Identity,
            Self::Routing(_) => Hook::Routing,
            Self::Replies(_) => Hook::Replies,
            Self::ShortcutList(_) | Self::ShortcutExpand { .. } => Hook::Shortcuts,
        }
    }
}

/// What a hook decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookOutput {
    /// Of `identity.next`.
    Identity(Step),
    /// Of `routing.route`.
    Routing(Placement),
    /// Of `replies.reply`.
    Replies(Vec<Reply>),
    /// Of `shortcuts.list`.
    ShortcutList(Vec<Shortcut>),
    /// Of `shortcuts.expand`.
    ShortcutExpand(Expansion),
}

impl HookOutput {
    /// The hook that answered this.
    pub const fn hook(&self) -> Hook {
        match self {
            Self::Identity(_) => Hook::Identity,
            Self::Routing(_) => Hook::Routing,
            Self::Replies(_) => Hook::Replies,
            Self::ShortcutList(_) | Self::ShortcutExpand(_) => Hook::Shortcuts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_has_one_spelling() {
        for hook in Hook::ALL {
            assert_eq!(hook.as_str().parse(), Ok(hook));
            assert_eq!(serde_json::to_value(hook).unwrap(), hook.as_str());
        }
        assert_eq!(Hook::parse("Identity"), None);
    }

    #[test]
    fn recorded_json_keeps_its_shape() {
        let output = HookOutput::Identity(Step::GiveUp(Farewell {
            reason: "exit".into(),
            acknowledgement: "A person will answer.".into(),
            claims: vec![Claim { field: "first-name".into(), value: "Ada".into() }],
        }));
        let json = serde_json::json!({ "identity": { "give_up": {
            "reason": "exit",
            "acknowledgement": "A person will answer.",
            "claims": [{ "field": "first-name", "value": "Ada" }],
        }}});
        assert_eq!(serde_json::to_value(&output).unwrap(), json);
        assert_eq!(serde_json::from_value::<HookOutput>(json).unwrap(), output);
    }
}
