//! AWS's exceptions and events in staff's words.

use http::StatusCode;
use serde::Deserialize;

use crate::{
    FailureKind::{Account, OptedOut, Other, Spam, Unreachable, Unregistered},
    SendError,
    codes::{CodeTable, words},
};

#[derive(Deserialize)]
struct Exception {
    /// `ConflictException`, perhaps with a namespace and `#` before it.
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(rename = "Reason")]
    reason: Option<String>,
}

/// What an exception means: its reason where it has one, which is of a fixed list, else its type.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> SendError {
    let Ok(exception) = serde_json::from_slice::<Exception>(body) else { return CODES.http(status).into() };
    let kind = exception.kind.as_deref().map(|kind| kind.rsplit('#').next().unwrap_or(kind));
    match kind {
        Some("ThrottlingException") => SendError::RateLimited { retry_after: None },
        Some("InternalServerException") => {
            SendError::Unavailable { status: status.as_u16(), retry_after: None }
        }
        kind => CODES.refusal(status, exception.reason.as_deref().or(kind)).into(),
    }
}

/// <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html> and the
/// event types of configuration sets, without their channel.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "AWS",
    rows: &[
        (&["DESTINATION_PHONE_NUMBER_OPTED_OUT"], OptedOut, words::OPTED_OUT),
        (
            &["INVALID", "COUNTRY_CODE_MISMATCH", "CANNOT_PARSE", "FIELD_VALIDATION_FAILED"],
            Unreachable,
            words::NO_NUMBER,
        ),
        (
            &[
                "DESTINATION_COUNTRY_BLOCKED",
                "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
                "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
                "PROTECT_BLOCKED",
                "INTERNATIONAL_SENDING_NOT_SUPPORTED",
                "COUNTRY_NOT_ENABLED",
            ],
            Unreachable,
            "The AWS account is set up not to text the patient's country or number.",
        ),
        (&["UNREACHABLE", "CARRIER_UNREACHABLE"], Unreachable, words::OUT_OF_REACH),
        (&["TTL_EXPIRED"], Unreachable, words::TOO_LATE),
        (&["BLOCKED"], Unreachable, "The patient's phone blocks messages from this number."),
        (&["SPAM", "CARRIER_BLOCKED"], Spam, words::FILTERED),
        (
            &[
                "REGISTRATION_NOT_COMPLETE",
                "SENDER_ID_NOT_REGISTERED",
                "SENDER_ID_REQUIRES_REGISTRATION",
                "RESOURCE_NOT_ACTIVE",
            ],
            Unregistered,
            "The clinic's number is not registered, or not active yet, so it may not send texts.",
        ),
        (
            &["DESTINATION_PHONE_NUMBER_NOT_VERIFIED"],
            Account,
            "The AWS account is in the sandbox, which can only text numbers that were verified there.",
        ),
        (
            &[
                "AccessDeniedException",
                "UnrecognizedClientException",
                "InvalidSignatureException",
                "IncompleteSignature",
                "MissingAuthenticationTokenException",
                "ExpiredTokenException",
                "OptInRequired",
                "ACCOUNT_DISABLED",
                "INSUFFICIENT_ACCOUNT_REPUTATION",
            ],
            Account,
            "AWS refused the account's credentials. An administrator must check the carrier account.",
        ),
        (
            &[
                "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
                "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA",
                "ServiceQuotaExceededException",
            ],
            Account,
            "The AWS account has reached its limit. An administrator must raise it.",
        ),
        (
            &[
                "ResourceNotFoundException",
                "NO_ORIGINATION_IDENTITIES_FOUND",
                "MESSAGE_TYPE_MISMATCH",
                "NUMBER_CAPABILITIES_MISMATCH",
                "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY",
                "RESOURCE_NOT_ACCESSIBLE",
                "SENDER_ID_NOT_SUPPORTED",
            ],
            Account,
            "The clinic's number can't send texts through this AWS account.",
        ),
        (
            &["INVALID_MESSAGE", "MAXIMUM_SIZE_EXCEEDED"],
            Other,
            "The message is too long, or has characters that can't be sent.",
        ),
        (
            &[
                "FILE_INACCESSIBLE",
                "FILE_TYPE_UNSUPPORTED",
                "FILE_SIZE_EXCEEDED",
                "MEDIA_TYPE_NOT_SUPPORTED",
                "ATTACHMENT_TYPE_NOT_SUPPORTED",
            ],
            Other,
            "The picture or file can't be sent: AWS could not fetch it, or it is too large or of the wrong kind.",
        ),
        (
            &["ValidationException", "INVALID_PARAMETER", "INVALID_REQUEST", "OTHER"],
            Other,
            "AWS could not read the message.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    #[test]
    fn exceptions_are_told_apart() {
        crate::codes::check(&CODES);
        let refused = |body: &str| refusal(StatusCode::BAD_REQUEST, body.as_bytes());
        let SendError::Rejected(failure) = refused(
            r#"{"__type":"com.amazonaws.smsvoice#ConflictException","Message":"+15558675310","Reason":"DESTINATION_PHONE_NUMBER_OPTED_OUT"}"#,
        ) else {
            panic!()
        };
        assert_eq!(failure.kind, FailureKind::OptedOut);
        assert!(!format!("{failure:?}").contains("867"));
        assert!(matches!(refused(r#"{"__type":"ThrottlingException"}"#), SendError::RateLimited { .. }));
        assert!(matches!(refused(r#"{"__type":"InternalServerException"}"#), SendError::Unavailable { .. }));
        assert!(matches!(refused("<html>"), SendError::Rejected(failure) if failure.code == "http_400"));
    }
}
