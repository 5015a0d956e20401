//! What carriers say of a number's registration: asked over their APIs, told in their own words. What the
//! words mean is [`anteroom_model::registration`]'s business.
//!
//! Where a carrier's API tells nothing ([`anteroom_model::registration::needs`] is empty), a person sets the
//! registration by hand.

use std::time::Duration;

use anteroom_model::{
    phone::Address,
    registration::PartState,
    states::{NumberKind, RegistrationPart},
    time::Timestamp,
};
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::{client, credentials::BaseUrl};

/// Characters of a carrier's reason that are kept.
const LONGEST_REASON: usize = 600;

/// Which number is asked about.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationQuery<'a> {
    /// The clinic's number.
    pub number: &'a Address,
    /// Its kind: each is registered otherwise.
    pub kind: NumberKind,
    /// The carrier's own service that it sends within, where that is not the account's.
    pub messaging_service: Option<&'a str>,
    /// Now: some carriers' requests are signed with the moment.
    pub at: Timestamp,
}

/// Why a carrier could not be asked. Nothing follows about the number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// This carrier's API doesn't tell: a person has to.
    #[error("this carrier's API doesn't tell")]
    NotOffered,
    /// No connection, no answer, or not the whole one.
    #[error("the carrier can't be reached")]
    Unreachable,
    /// Any status but 200 and, where it means that there is none, 404.
    #[error("the carrier refused to answer (HTTP {status})")]
    Refused {
        /// The answer's status. 401 and 403: the account's credentials.
        status: u16,
        /// How long the carrier asked to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was expected.
    #[error("the carrier's answer is not what was expected")]
    Malformed,
}

impl CheckError {
    /// A stable word for rows, metrics and REST.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "not_offered",
            Self::Unreachable => "unreachable",
            Self::Refused { status: 401 | 403, .. } => "credentials",
            Self::Refused { status: 429, .. } => "rate_limited",
            Self::Refused { .. } => "refused",
            Self::Malformed => "malformed",
        }
    }
}

/// A part with what is said of it; empty texts are none.
pub(crate) fn part(
    part: RegistrationPart,
    state: Option<String>,
    reason: Option<String>,
    reference: Option<String>,
) -> PartState {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let reason =
        filled(reason).map(|reason| reason.replace('\0', " ").chars().take(LONGEST_REASON).collect());
    let word = |text: Option<String>| filled(text).filter(|text| text.len() <= 128 && !text.contains('\0'));
    PartState { part, state: word(state), reason, reference: word(reference) }
}

/// The JSON of an answer; `None`: 404, there is no such thing.
pub(crate) async fn read<T: DeserializeOwned>(
    response: reqwest::Result<reqwest::Response>,
) -> Result<Option<T>, CheckError> {
    let response = response.map_err(|error| {
        client::log_cause(error);
        CheckError::Unreachable
    })?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => {
            let retry_after = client::retry_after(response.headers());
            return Err(CheckError::Refused { status: status.as_u16(), retry_after });
        }
    }
    let body = client::body(response, client::LONGEST_PAGE).await.ok_or(CheckError::Unreachable)?;
    serde_json::from_slice(&body).map(Some).map_err(|_| CheckError::Malformed)
}

/// The same where 404 is a refusal: a list is always there.
pub(crate) async fn list<T: DeserializeOwned>(
    response: reqwest::Result<reqwest::Response>,
) -> Result<T, CheckError> {
    read(response).await?.ok_or(CheckError::Refused { status: 404, retry_after: None })
}

/// The address of a carrier's other API: as configured; where the first one was replaced, the same in its place,
/// so that credentials never leave what stands in for the carrier; else the carrier's own.
pub(crate) fn base(given: Option<&BaseUrl>, first: &BaseUrl, usual: &BaseUrl, own: &str) -> BaseUrl {
    match given {
        Some(given) => given.clone(),
        None if first == usual => BaseUrl::constant(own),
        None => first.clone(),
    }
}

/// A number as part of a path.
pub(crate) fn escaped(number: &Address) -> String {
    number.as_str().replace('+', "%2B")
}

/// Whether an id that a carrier gave may become part of a path.
pub(crate) fn plain(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_stands_in_for_all_of_a_carrier() {
        let own = BaseUrl::constant("https://api.twilio.com");
        let fake = BaseUrl::constant("http://127.0.0.1:9000/x");
        let other = BaseUrl::constant("https://eu.example");
        let of = |given, first| base(given, first, &own, "https://messaging.twilio.com").join("/v1");
        assert_eq!(of(None, &own), "https://messaging.twilio.com/v1");
        assert_eq!(of(None, &fake), "http://127.0.0.1:9000/x/v1");
        assert_eq!(of(Some(&other), &fake), "https://eu.example/v1");
    }

    #[test]
    fn a_word_is_no_novel() {
        let long = part(RegistrationPart::Brand, Some("x".repeat(200)), Some("y".repeat(2_000)), None);
        assert_eq!(long.state, None);
        assert_eq!(long.reason.unwrap().len(), LONGEST_REASON);
        assert_eq!(part(RegistrationPart::Brand, Some(" ".into()), None, None).state, None);
    }
}
