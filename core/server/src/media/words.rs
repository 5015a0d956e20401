//! Why a file is not there, in stable words and in staff's.

use anteroom_model::states::MediaState;

/// Larger than is taken.
pub(crate) const TOO_LARGE: &str = "too_large";
/// Of a kind that isn't taken.
pub(crate) const KIND: &str = "kind";
/// Nothing in it.
pub(crate) const EMPTY: &str = "empty";
/// A picture that can't be decoded.
pub(crate) const BROKEN: &str = "broken";
/// A picture that would take far more memory than its file.
pub(crate) const BOMB: &str = "bomb";
/// At an address that isn't fetched from.
pub(crate) const ADDRESS: &str = "address";
/// The carrier account is no longer set up.
pub(crate) const ACCOUNT: &str = "account_gone";
/// The carrier has no such file any more.
pub(crate) const EXPIRED: &str = "expired";
/// The carrier won't give it to this account.
pub(crate) const FORBIDDEN: &str = "forbidden";
/// The carrier could not be reached for a day.
pub(crate) const UNREACHABLE: &str = "unreachable";
/// It was there, and the object store lacks it.
pub(crate) const LOST: &str = "lost";

/// What staff read of a file; `None` where it is there, and there is nothing to say.
pub(crate) fn text(state: MediaState, reason: Option<&str>) -> Option<&'static str> {
    Some(match (state, reason) {
        (MediaState::Ready, _) => return None,
        (MediaState::Fetching, _) => "On its way from the carrier.",
        (_, Some(TOO_LARGE)) => "A file that is larger than what is taken. Ask for a smaller one.",
        (_, Some(KIND)) => "A file of a kind that is not taken, for safety. Ask for a picture or a PDF.",
        (_, Some(EMPTY)) => "A file with nothing in it.",
        (_, Some(BROKEN)) => "A picture that can't be read. Ask the patient to send it again.",
        (_, Some(BOMB)) => "A picture that is made to be far larger than it seems. It was not opened.",
        (_, Some(ADDRESS)) => {
            "A file at an address that is not the carrier's. It was not fetched, for safety."
        }
        (_, Some(ACCOUNT)) => "The carrier account that this came through is no longer set up.",
        (_, Some(EXPIRED)) => {
            "The carrier does not have this file any more. Ask the patient to send it again."
        }
        (_, Some(FORBIDDEN)) => {
            "The carrier does not give this file out (any more). Ask the patient to send it again, and an \
             administrator to check the carrier account."
        }
        (_, Some(UNREACHABLE)) => {
            "The carrier could not be reached for this file. Ask the patient to send it again."
        }
        (_, Some(LOST)) => {
            "This file is missing from where files are kept. Tell an administrator: it is shown again as soon as it \
             is back. Or ask the patient to send it again."
        }
        (MediaState::Refused, _) => "A file that was not taken.",
        (MediaState::Gone, _) => "A file that could not be fetched.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_words_of_its_own() {
        let reasons =
            [TOO_LARGE, KIND, EMPTY, BROKEN, BOMB, ADDRESS, ACCOUNT, EXPIRED, FORBIDDEN, UNREACHABLE, LOST];
        let said: std::collections::BTreeSet<_> =
            reasons.iter().map(|reason| text(MediaState::Refused, Some(reason)).unwrap()).collect();
        assert_eq!(said.len(), reasons.len());
        assert!(!said.contains("A file that was not taken."));
        assert_eq!(text(MediaState::Ready, None), None);
    }
}
