//! How much there was: texts, conversations opened and closed.

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
    /// How much there was.
    Volume {
        /// Texts of patients that were taken into a conversation.
        texts_in: kinds::IN,
        /// Texts by staff.
        texts_by_staff: kinds::STAFF,
        /// Texts by the clinic's policies.
        texts_automatic: kinds::POLICY,
        /// Answers to STOP, START and HELP.
        texts_by_host: kinds::HOST,
        /// Conversations opened for the first time.
        opened: kinds::OPENED,
        /// Closed conversations opened again.
        reopened: kinds::REOPENED,
        /// Conversations closed.
        closed: kinds::CLOSED,
    }
}

/// How much there was: texts, conversations opened and closed; by person: who wrote, who closed. For leads, admins and auditors; names no patient.
#[utoipa::path(get, path = "/api/v1/reports/volume", tag = "reports", params(ReportQuery),
    responses((status = 200, body = ActivityReport<Volume>), (status = 403), (status = 422)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::wanted(&headers)).await
}

/// The same as a table for a spreadsheet, by what `group_by` says.
#[utoipa::path(get, path = "/api/v1/reports/volume.csv", tag = "reports", params(ReportQuery),
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
    let report = counted::report::<Volume>(app, caller.organization, &scope).await?;
    answer(form, "volume", &scope, report)
}
