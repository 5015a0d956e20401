//! Who waits for an answer now.

use std::collections::BTreeMap;

use anteroom_model::{
    ids::{FacilityId, StaffId, TeamId},
    time::Timestamp,
};
use anteroom_store::WaitingCount;
use axum::{
    Json,
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Form, GroupBy,
    scope::{ReportQuery, Scope},
};
use crate::{
    app::App,
    auth::Caller,
    hub::spreadsheet::{self, plain},
    problem::Problem,
};

/// Open conversations whose patients wait for a person.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct Waiting {
    /// How many.
    waiting: i64,
    /// Since when the one that waits longest does; null: none waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

impl Waiting {
    fn add(&mut self, row: &WaitingCount) {
        self.waiting += row.waiting;
        self.since = Some(self.since.map_or(row.since, |since| since.min(row.since)));
    }
}

/// Those of a facility, a number, a team or a person.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct WaitingGroup {
    /// Null: of none.
    id: Option<Uuid>,
    /// Null: of none.
    name: Option<String>,
    #[serde(flatten)]
    waiting: Waiting,
}

/// Who waits now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct WaitingReport {
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    total: Waiting,
    /// In the queue Unassigned.
    unassigned: Waiting,
    /// With somebody's name on them.
    assigned: Waiting,
    /// By what `group_by` says; teams if it is left out.
    groups: Vec<WaitingGroup>,
}

/// Who waits for an answer now: how many, and since when the longest; by facility, number, team or person. Days don't
/// matter. For leads, admins and auditors; names no patient.
#[utoipa::path(get, path = "/api/v1/reports/waiting", tag = "reports", params(ReportQuery),
    responses((status = 200, body = WaitingReport), (status = 403), (status = 422)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::wanted(&headers)).await
}

/// The same as a table for a spreadsheet.
#[utoipa::path(get, path = "/api/v1/reports/waiting.csv", tag = "reports", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403), (status = 422)))]
pub(in crate::hub) async fn csv(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::Csv).await
}

async fn respond(app: &App, caller: &Caller, query: ReportQuery, form: Form) -> Result<Response, Problem> {
    let mut scope = Scope::read(app, caller, query).await?;
    let by = scope.group_by.filter(|by| by.key().is_some()).unwrap_or(GroupBy::Team);
    scope.group_by = Some(by);
    let mut org = app.store.read(caller.organization).await?;
    let as_of = org.now();
    let rows = org.waiting_now().await?;
    drop(org);
    let mut report = WaitingReport {
        as_of,
        total: Waiting::default(),
        unassigned: Waiting::default(),
        assigned: Waiting::default(),
        groups: Vec::new(),
    };
    let mut groups: BTreeMap<Uuid, Waiting> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_asked_for(row, &scope)) {
        report.total.add(row);
        let queue = if row.assignee_id.is_some() { &mut report.assigned } else { &mut report.unassigned };
        queue.add(row);
        groups.entry(key(row, by)).or_default().add(row);
    }
    report.groups = groups
        .into_iter()
        .map(|(id, waiting)| {
            let name = scope.name(id);
            WaitingGroup { id: (!id.is_nil()).then_some(id), name, waiting }
        })
        .collect();
    report.groups.sort_by(|a, b| (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name)));
    match form {
        Form::Json => Ok(Json(report).into_response()),
        Form::Csv => Ok(spreadsheet::file("waiting", table(&report)?)),
    }
}

fn is_asked_for(row: &WaitingCount, scope: &Scope) -> bool {
    let filter = &scope.filter;
    filter.number_id.is_none_or(|id| row.number_id == id)
        && (filter.facility_id.is_none() || row.facility_id == filter.facility_id)
        && (filter.team_id.is_none() || row.team_id == filter.team_id)
        && (filter.staff_id.is_none() || row.assignee_id == filter.staff_id)
}

fn key(row: &WaitingCount, by: GroupBy) -> Uuid {
    match by {
        GroupBy::Facility => row.facility_id.unwrap_or(FacilityId::LEAST).0,
        GroupBy::Number => row.number_id.0,
        GroupBy::Staff => row.assignee_id.unwrap_or(StaffId::LEAST).0,
        _ => row.team_id.unwrap_or(TeamId::LEAST).0,
    }
}

fn table(report: &WaitingReport) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["name".to_owned(), "waiting".to_owned(), "oldest_since".to_owned()]];
    rows.extend(report.groups.iter().map(|group| {
        let since = group.waiting.since.map(|since| since.to_string()).unwrap_or_default();
        let name = plain(group.name.as_deref().unwrap_or_default());
        [name, group.waiting.waiting.to_string(), since]
    }));
    for row in rows {
        writer.write_record(row).map_err(|error| Problem::internal(&error))?;
    }
    writer.into_inner().map_err(|error| Problem::internal(error.error()))
}
