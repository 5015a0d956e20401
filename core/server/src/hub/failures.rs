//! Why a text did not arrive, told apart, and what can be done.

use anteroom_carriers::{CarrierKind, FailureKind, explain};
use anteroom_model::states::{Direction, MessageState};
use anteroom_store::Message;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a text did not arrive.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct FailureView {
    /// `opted_out`, `unregistered`, `unreachable`, `landline`, `spam`, `account`, `unknown` (nobody can tell whether
    /// it went out) or `other`.
    kind: &'static str,
    /// What can be done, for staff.
    advice: &'static str,
}

/// The failure of a text of ours that did not arrive; `carrier` is the one it went through.
pub(super) fn of(message: &Message, carrier: Option<CarrierKind>) -> Option<FailureView> {
    let over = matches!(message.state, MessageState::Failed | MessageState::Blocked | MessageState::Unknown);
    if message.direction != Direction::Outbound || !over {
        return None;
    }
    let code = message.error_code.as_deref().unwrap_or_default();
    Some(match (message.state, code) {
        (MessageState::Unknown, _) => view("unknown", "Ask the patient whether it came, or send it again."),
        (_, "opted_out") => of_kind(FailureKind::OptedOut),
        (MessageState::Blocked, _) => of_kind(FailureKind::Unregistered),
        (_, "address") => of_kind(FailureKind::Unreachable),
        (_, "http_401" | "http_403") => of_kind(FailureKind::Account),
        (_, code) => of_kind(carrier.map_or(FailureKind::Other, |carrier| explain(carrier, code).kind)),
    })
}

const fn view(kind: &'static str, advice: &'static str) -> FailureView {
    FailureView { kind, advice }
}

const fn of_kind(kind: FailureKind) -> FailureView {
    match kind {
        FailureKind::OptedOut => {
            view("opted_out", "Reach the patient another way. They can text START to get texts again.")
        }
        FailureKind::Unregistered => view(
            "unregistered",
            "An administrator must finish the number's registration; then send it again.",
        ),
        FailureKind::Unreachable => {
            view("unreachable", "Check the number with the patient, or call. It can be sent again later.")
        }
        FailureKind::Landline => view("landline", "This phone takes no texts: call it."),
        FailureKind::Spam => {
            view("spam", "The carrier filtered it. Write it differently, without links, and send that.")
        }
        FailureKind::Account => {
            view("account", "An administrator must look at the carrier account: no text goes out through it.")
        }
        FailureKind::Other => view("other", "Send it again; if that fails, too, call the patient."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_staff_can_do_differs_by_what_is_wrong() {
        let kinds = [
            (CarrierKind::Twilio, "21610", "opted_out"),
            (CarrierKind::Twilio, "30034", "unregistered"),
            (CarrierKind::Twilio, "30006", "landline"),
            (CarrierKind::Twilio, "30003", "unreachable"),
            (CarrierKind::Twilio, "30007", "spam"),
            (CarrierKind::Telnyx, "40300", "opted_out"),
            (CarrierKind::Bandwidth, "4773", "unregistered"),
            (CarrierKind::Bandwidth, "4770", "spam"),
            (CarrierKind::Sandbox, "sandbox", "other"),
        ];
        for (carrier, code, expected) in kinds {
            assert_eq!(of_kind(explain(carrier, code).kind).kind, expected, "{carrier} {code}");
        }
    }
}
