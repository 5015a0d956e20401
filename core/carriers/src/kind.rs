//! Which carriers there are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A carrier: the word in the webhook's path and in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CarrierKind {
    /// <https://www.twilio.com/docs/messaging/api/message-resource>.
    Twilio,
    /// Anteroom's own: demo, tests, and trying a policy without a carrier.
    Sandbox,
}

/// A word that names no carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such carrier; expected one of twilio, sandbox")]
pub struct UnknownCarrier;

impl CarrierKind {
    /// Every carrier.
    pub const ALL: &'static [Self] = &[Self::Twilio, Self::Sandbox];

    /// The word in paths, SQL, REST and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Sandbox => "sandbox",
        }
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
