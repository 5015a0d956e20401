//! Opt-outs: who must not be texted, how the clinic learnt of it, and what shows that it was honoured in time.

pub(super) mod list;
pub(super) mod record;
pub(super) mod revocations;
pub(super) mod transfer;

use anteroom_model::{
    ids::{NumberId, OptOutId, StaffId},
    states::RevocationVia,
    time::Timestamp,
};
use anteroom_store::OptOut;
use serde::Serialize;
use utoipa::ToSchema;

use crate::hub::views::{Named, Names};

/// Longest note of somebody who records or takes back an opt-out, in characters.
const LONGEST_NOTE: usize = 1_000;

/// A patient's STOP.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct OptOutView {
    id: OptOutId,
    /// E.164.
    peer: String,
    /// Null: every number of the organization.
    number_id: Option<NumberId>,
    /// `keyword`, `staff`, `carrier` or `import`.
    source: String,
    /// How the clinic was asked; null where a keyword or the carrier said so.
    via: Option<RevocationVia>,
    /// When the patient asked for it; the same as `created_at` where nothing earlier is known.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// When it was recorded: no text was sent from then on but the one confirmation.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Ten business days after `asked_at`: when it had to be honoured (47 CFR 64.1200(a)(10)).
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Whether it was recorded by `due_at`; null for one of a list: it was honoured elsewhere before.
    in_time: Option<bool>,
    note: Option<String>,
    recorded_by: Option<Named<StaffId>>,
    /// When it was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    cleared_at: Option<Timestamp>,
    /// Null where the patient took it back by a START.
    cleared_by: Option<Named<StaffId>>,
    clear_note: Option<String>,
}

/// `zone` (IANA) is where business days are counted.
fn view(opt_out: OptOut, names: &Names, zone: &str) -> OptOutView {
    let asked_at = opt_out.asked_at.unwrap_or(opt_out.created_at);
    let due_at = anteroom_model::deadlines::revocation_due(asked_at, zone);
    OptOutView {
        in_time: (opt_out.source != "import").then_some(opt_out.created_at <= due_at),
        id: opt_out.id,
        peer: opt_out.peer,
        number_id: opt_out.number_id,
        source: opt_out.source,
        via: opt_out.via,
        asked_at,
        created_at: opt_out.created_at,
        due_at,
        note: opt_out.note,
        recorded_by: opt_out.recorded_by.map(|id| names.staff(id)),
        cleared_at: opt_out.cleared_at,
        cleared_by: opt_out.cleared_by.map(|id| names.staff(id)),
        clear_note: opt_out.clear_note,
    }
}
