//! Reports: how much there was to do, how fast it was done, what waits, what became of what is automatic. What each
//! figure counts is in `docs/reports.md`; where the figures come from is in `crate::reports`.

mod counted;
mod figures;
pub(super) mod outcomes;
pub(super) mod response_times;
mod scope;
mod table;
pub(super) mod volume;
pub(super) mod waiting;

use anteroom_model::time::Timestamp;
use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::{
    figures::Figures,
    scope::{GroupBy, Scope},
};
use crate::{hub::spreadsheet, problem::Problem};

/// How far the figures have come: they follow the clinic by a moment, and after an update they are first drawn from
/// all that is kept.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct ReportProgress {
    /// All that has happened is in them.
    complete: bool,
    /// Events that are in them.
    drawn: i64,
    /// Events there are.
    of: i64,
}

/// A report. Its figures are those of all, and the same by stretch of time, by hour of the week, and by what was
/// asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActivityReport<F> {
    /// The first day, in `time_zone`.
    #[schema(value_type = String, format = Date)]
    from: String,
    /// The last day, inclusive.
    #[schema(value_type = String, format = Date)]
    to: String,
    /// Whose days and hours these are (IANA name).
    time_zone: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    progress: ReportProgress,
    total: F,
    /// Days in order, or weeks from Monday where `group_by` is `week`; those in which nothing was, too.
    series: Vec<Stretch<F>>,
    /// Hours of the week in which something was.
    hours: Vec<HourOfWeek<F>>,
    /// By facility, number, team or person, where `group_by` says so.
    groups: Vec<Group<F>>,
}

/// Figures of a day or a week.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stretch<F> {
    /// Its first day.
    #[schema(value_type = String, format = Date)]
    from: String,
    /// Its last day, inclusive.
    #[schema(value_type = String, format = Date)]
    to: String,
    figures: F,
}

/// Figures of an hour of the week, over all weeks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HourOfWeek<F> {
    /// 1 is Monday.
    weekday: i8,
    /// 0 to 23.
    hour: i8,
    figures: F,
}

/// Figures of a facility, a number, a team or a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Group<F> {
    /// Null: of none.
    id: Option<Uuid>,
    /// Null: of none.
    name: Option<String>,
    figures: F,
}

/// How the caller wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

impl Form {
    fn wanted(headers: &HeaderMap) -> Self {
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accepts.contains("text/csv") { Self::Csv } else { Self::Json }
    }
}

/// Answers with a report, or with the table of it that `group_by` asks for.
fn answer<F: Figures + Serialize>(
    form: Form,
    name: &str,
    scope: &Scope,
    report: ActivityReport<F>,
) -> Result<Response, Problem> {
    match form {
        Form::Json => Ok(Json(report).into_response()),
        Form::Csv => {
            let csv = table::of(&report, scope.group_by.unwrap_or(GroupBy::Day))?;
            Ok(spreadsheet::file(&format!("{name} {} to {}", report.from, report.to), csv))
        }
    }
}
