//! What became of what is automatic: replies, who is texting, opt-outs; and of texts that did not get there.

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    ActivityReport, Form, answer, counted,
    figures::counts,
    scope::{ReportQuery, Scope},
};
use crate::{app::App, auth::Caller, problem::Problem, reports::kinds};

counts! {
    /// What became of what is automatic.
    Outcomes {
        /// Texts by the clinic's policies.
        automatic_replies: kinds::POLICY,
        /// Times that replies were held back since two machines seemed to talk.
        held_by_loop: "replies.loop",
        /// Times that quiet hours kept a reply back.
        held_by_quiet_hours: "replies.quiet",
        /// Policies that failed.
        policy_faults: "policy.fault",
        /// Texts that went to staff without asking the policies, since something kept failing.
        policies_skipped: "policy.skipped",
        /// Texts that failed, or of which nobody can tell.
        texts_failed: kinds::FAILED,
        /// Patients who opted out.
        opted_out: "opt_out.recorded",
        /// Opt-outs taken back.
        opted_in_again: "opt_out.cleared",
        /// Texts that read like an opt-out in plain words.
        opt_outs_suggested: "opt_out.suggested",
        /// Of these, dismissed by staff.
        opt_outs_dismissed: "opt_out.dismissed",
        /// Texters known by their phone alone.
        linked_by_phone: "identity.linked",
        /// Texters whose answers matched one patient.
        matched: "identity.matched",
        /// Texters whose answers matched nobody, or not one.
        unmatched: "identity.unmatched",
        /// Questions that were given up.
        gave_up: "identity.gave_up",
        /// Questions that nobody answered.
        timed_out: "identity.timed_out",
        /// Phones or numbers locked after too many tries.
        locked: "identity.locked",
        /// Texters verified by staff.
        verified_by_staff: "identity.verified",
        /// Patients added by staff from a conversation.
        added_by_staff: "identity.created",
    }
}

/// What became of what is automatic: replies sent and held back, faults, who is texting, opt-outs; and texts that did not get there. For leads, admins and auditors; names no patient.
#[utoipa::path(get, path = "/api/v1/reports/outcomes", tag = "reports", params(ReportQuery),
    responses((status = 200, body = ActivityReport<Outcomes>), (status = 403), (status = 422)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::wanted(&headers)).await
}

/// The same as a table for a spreadsheet, by what `group_by` says.
#[utoipa::path(get, path = "/api/v1/reports/outcomes.csv", tag = "reports", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403), (status = 422)))]
pub(in crate::hub) async fn csv(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::Csv).await
}

async fn respond(app: &App, caller: &Caller, query: ReportQuery, form: Form) -> Result<Response, Problem> {
    let scope = Scope::read(app, caller, query).await?;
    let report = counted::report::<Outcomes>(app, caller.organization, &scope).await?;
    answer(form, "outcomes", &scope, report)
}
