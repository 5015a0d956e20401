//! Lists on their way, and what became of each row.

use std::time::Duration;

use anteroom_model::{
    ids::{PatientId, RosterRunId, RosterSourceId, StaffId},
    roster::RowProblem,
    states::Role,
    time::Timestamp,
};
use anteroom_store::{
    NewRosterRun, ReportPart, ReportRow, RosterOrigin, RosterOutcome, RosterPhase, RosterRun, RunProblem,
};
use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::READERS;
use crate::{
    app::App,
    auth::Caller,
    hub::{
        messages::{idempotency_key, misused_key},
        paging::{Page, PageQuery},
    },
    problem::Problem,
    roster::intake::{Arrived, Ending, Intake, IntakeError},
};

/// How long a file may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(30);
/// A sender that is silent for so long has gone.
const SILENCE: Duration = Duration::from_mins(1);
/// Parts of a report looked through for one page.
const PARTS: u32 = 50;

/// Why a run ended without being done.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterProblemView {
    /// A stable word.
    code: String,
    expected: String,
    found: String,
    fix: String,
}

impl From<RunProblem> for RosterProblemView {
    fn from(RunProblem { code, expected, found, fix }: RunProblem) -> Self {
        Self { code, expected, found, fix }
    }
}

/// A list on its way into the directory.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterRunView {
    id: RosterRunId,
    source_id: RosterSourceId,
    /// `upload`, `sftp` or `terminal`.
    origin: &'static str,
    file_name: Option<String>,
    bytes: i64,
    /// Nothing is applied: only the report is made.
    dry_run: bool,
    /// `receiving`, `waiting`, `running`, `done`, `refused`, `failed` or `cancelled`.
    state: &'static str,
    /// `receiving`, `checking`, `applying`, `missing` or `ended`.
    phase: &'static str,
    /// Rows; 0 until they are counted.
    total: i64,
    /// Rows that are behind it.
    done: i64,
    created: i64,
    changed: i64,
    same: i64,
    refused: i64,
    /// Patients who are not in it any more.
    missing: i64,
    rows_per_second: Option<f64>,
    /// Why it ended without being done.
    problem: Option<RosterProblemView>,
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

fn view(run: RosterRun, now: Timestamp) -> RosterRunView {
    let took = run.started_at.map(|started| run.ended_at.unwrap_or(now).since(started).as_secs_f64());
    let done = f64::from(i32::try_from(run.done).unwrap_or(i32::MAX));
    RosterRunView {
        id: run.id,
        source_id: run.source_id,
        origin: run.origin.as_str(),
        file_name: run.file_name,
        bytes: run.bytes,
        dry_run: run.dry_run,
        state: run.state.as_str(),
        phase: run.phase.as_str(),
        total: run.total,
        done: run.done,
        created: run.tally.created,
        changed: run.tally.changed,
        same: run.tally.same,
        refused: run.tally.refused,
        missing: run.tally.missing,
        rows_per_second: took.filter(|took| *took > 0.0).map(|took| (done / took).round()),
        problem: run.problem.map(RosterProblemView::from),
        created_by: run.created_by,
        created_at: run.created_at,
        started_at: run.started_at,
        ended_at: run.ended_at,
    }
}

/// What is wanted with a file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::hub) struct Wanted {
    /// Only make the report.
    #[serde(default)]
    dry_run: bool,
    /// Take it although it is what was imported last.
    #[serde(default)]
    force: bool,
}

/// Sends a list. The body is the file, as it is. It is read behind the answer: follow the run at `Location`, or the
/// events `roster.progress` and `roster.ended`. For admins; audited.
///
/// A file that ends before its `Content-Length`, or whose connection breaks, leaves nothing. `File-Name` may give
/// the file's name; it must not stand in the address.
#[utoipa::path(post, path = "/api/v1/roster-sources/{id}/runs", tag = "rosters",
    params(("id" = RosterSourceId, Path), Wanted, ("Idempotency-Key" = Option<String>, Header),
        ("File-Name" = Option<String>, Header)),
    request_body(content = Vec<u8>, content_type = "text/csv"),
    responses((status = 202, body = RosterRunView, headers(("Location" = String))), (status = 403), (status = 404),
        (status = 409, description = "`same-file`: it is what was imported last, by the run `run_id`; or the source is switched off"),
        (status = 413, description = "Larger than the source's limit")))]
pub(in crate::hub) async fn send(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let source = app.store.read(caller.organization).await?.roster_source(id).await?;
    let source = source.ok_or_else(|| Problem::not_found("roster source"))?;
    if !source.enabled {
        let detail = "This source is switched off.";
        return Err(Problem::new(StatusCode::CONFLICT, "switched-off", "The source is switched off", detail));
    }
    let new = NewRosterRun {
        source_id: id,
        origin: RosterOrigin::Upload,
        file_name: file_name(&headers),
        settings: source.settings,
        dry_run: wanted.dry_run,
        created_by: Some(caller.staff),
    };
    let mut intake = Intake::begin(&app.store, caller.organization, new).await?;
    let arriving = tokio::time::timeout(ARRIVAL, receive(&mut intake, body)).await;
    let arrived = match arriving.unwrap_or_else(|_| Err(slow())) {
        Ok(()) => {
            let ending = Ending {
                force: wanted.force,
                idempotency_key: key.map(|key| (caller.staff, key)),
                audit: Some(caller.audit("roster.sent", None)),
                file: None,
            };
            intake.end(ending).await.map_err(refused)?
        }
        Err(problem) => {
            intake.discard().await?;
            return Err(problem);
        }
    };
    let run = match arrived {
        Arrived::Run(run) | Arrived::Again(run) => run,
        Arrived::Same(run) => {
            let detail = "This file is what was imported last. Send it with force=true to import it again.";
            let title = "The same file was imported";
            return Err(Problem::new(StatusCode::CONFLICT, "same-file", title, detail)
                .with("run_id", run.to_string()));
        }
    };
    let view = find(&app, &caller, run).await?;
    let location = [(header::LOCATION, format!("/api/v1/roster-runs/{run}"))];
    Ok((StatusCode::ACCEPTED, location, Json(view)).into_response())
}

fn file_name(headers: &HeaderMap) -> Option<String> {
    let name = headers.get("file-name")?.to_str().ok()?.trim();
    (!name.is_empty() && name.len() <= 255).then(|| name.to_owned())
}

fn slow() -> Problem {
    let detail = "The file took too long to arrive.";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "slow", "Too slow", detail)
}

fn refused(error: IntakeError) -> Problem {
    match error {
        IntakeError::Store(error) => error.into(),
        IntakeError::TooLarge(most) => {
            let detail = format!("The source takes files of {most} bytes at most (limits.bytes).");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
        }
        IntakeError::MisusedKey => misused_key(),
    }
}

async fn receive(intake: &mut Intake, body: Body) -> Result<(), Problem> {
    let mut stream = body.into_data_stream();
    loop {
        let chunk = tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| slow())?;
        let Some(chunk) = chunk else { return Ok(()) };
        let chunk = chunk.map_err(|_| {
            let detail = "The connection ended before the file did. Nothing of it was kept.";
            Problem::new(StatusCode::BAD_REQUEST, "malformed", "Malformed request", detail)
        })?;
        intake.push(&chunk).await.map_err(refused)?;
    }
}

async fn find(app: &App, caller: &Caller, id: RosterRunId) -> Result<RosterRunView, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let run = org.roster_run(id).await?.ok_or_else(|| Problem::not_found("roster run"))?;
    Ok(view(run, org.now()))
}

/// Runs of a source, newest first. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/roster-sources/{id}/runs", tag = "rosters",
    params(("id" = RosterSourceId, Path), PageQuery),
    responses((status = 200, body = Page<RosterRunView>), (status = 403), (status = 404)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RosterRunView>>, Problem> {
    caller.require(&READERS)?;
    let before = page.position()?.unwrap_or(RosterRunId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))?;
    let runs = org.roster_runs(id, before, page.limit()).await?;
    let (last, now) = (runs.last().map(|run| run.id), org.now());
    Ok(Json(Page::cut(runs.into_iter().map(|run| view(run, now)).collect(), page.limit(), last)))
}

/// How far a run is. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/roster-runs/{id}", tag = "rosters", params(("id" = RosterRunId, Path)),
    responses((status = 200, body = RosterRunView), (status = 403), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterRunId>,
) -> Result<Json<RosterRunView>, Problem> {
    caller.require(&READERS)?;
    Ok(Json(find(&app, &caller, id).await?))
}

/// Ends a run that isn't over, where it is: what was applied stays. For admins; audited.
#[utoipa::path(post, path = "/api/v1/roster-runs/{id}/cancel", tag = "rosters",
    params(("id" = RosterRunId, Path)),
    responses((status = 200, body = RosterRunView), (status = 403), (status = 404),
        (status = 409, description = "It is over already")))]
pub(in crate::hub) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterRunId>,
) -> Result<Json<RosterRunView>, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("roster.cancelled", Some(id.0));
    let staff = caller.staff;
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let run = org.roster_run(id).await?.ok_or_else(|| Problem::not_found("roster run"))?;
                if !org.cancel_roster_run(id).await? {
                    let state = if run.phase == RosterPhase::Receiving { "still arriving" } else { "over" };
                    let detail = format!("The run is {state}.");
                    return Err(Problem::new(
                        StatusCode::CONFLICT,
                        "ended",
                        "The run can't be ended",
                        detail,
                    ));
                }
                org.insert_audit(&audit).await?;
                org.tell(anteroom_store::NewEvent {
                    kind: "roster.ended",
                    conversation_id: None,
                    actor: anteroom_store::Actor::Staff(staff),
                    data: serde_json::json!({
                        "source_id": run.source_id, "run_id": id, "state": "cancelled",
                        "done": run.done, "total": run.total,
                    }),
                });
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(Json(find(&app, &caller, id).await?))
}

/// Which rows of a report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::hub) struct Which {
    /// Only those: `created`, `changed`, `same`, `refused` or `missing`.
    #[param(value_type = Option<String>)]
    outcome: Option<RosterOutcome>,
}

/// A row of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterRowView {
    /// Its place among the records of the file, from 1; patients who are missing come behind the last one.
    row: i64,
    /// The line of the file where it begins.
    line: Option<u64>,
    /// `created`, `changed`, `same`, `refused` or `missing`.
    outcome: &'static str,
    /// Whose it is, where they are known.
    patient_id: Option<PatientId>,
    /// Of a change: which fields. `active`: they are back on the list.
    fields: Vec<String>,
    /// Why it is refused, or warnings.
    problems: Vec<RowProblem>,
}

fn row_view(row: ReportRow) -> RosterRowView {
    RosterRowView {
        row: row.row,
        line: row.line,
        outcome: row.outcome.as_str(),
        patient_id: row.patient_id,
        fields: row.fields,
        problems: row.problems,
    }
}

/// What became of each row, in the order of the file: also while the run is under way. For admins and auditors;
/// audited. A page may be short, or empty, and have a `next_cursor` all the same.
#[utoipa::path(get, path = "/api/v1/roster-runs/{id}/report", tag = "rosters",
    params(("id" = RosterRunId, Path), Which, PageQuery),
    responses((status = 200, body = Page<RosterRowView>), (status = 403), (status = 404)))]
pub(in crate::hub) async fn report(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterRunId>,
    Query(Which { outcome }): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RosterRowView>>, Problem> {
    caller.require(&READERS)?;
    let after: i64 = page.position()?.unwrap_or(0);
    let mut org = app.store.read(caller.organization).await?;
    org.roster_run(id).await?.ok_or_else(|| Problem::not_found("roster run"))?;
    let parts = org.roster_report(id, after, PARTS).await?;
    drop(org);
    caller.audit_read(&app, "roster_report.read", id.0).await?;
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let full = parts.len() >= PARTS as usize;
    let mut last = parts.last().map(|part| part.last);
    let mut items = Vec::new();
    'parts: for part in parts {
        for row in whole(part) {
            if row.row <= after || outcome.is_some_and(|wanted| wanted != row.outcome) {
                continue;
            }
            if items.len() == limit {
                last = items.last().map(|row: &RosterRowView| row.row);
                break 'parts;
            }
            items.push(row_view(row));
        }
    }
    let cut = items.len() == limit;
    let next = last.filter(|_| cut || full);
    Ok(Json(Page::up_to(items, next)))
}

/// All rows of a part: those that are not listed were the same as before.
fn whole(part: ReportPart) -> impl Iterator<Item = ReportRow> {
    let mut listed = part.rows.into_iter().peekable();
    (part.first..=part.last).map(move |row| {
        listed.next_if(|listed| listed.row == row).unwrap_or(ReportRow {
            row,
            line: None,
            outcome: RosterOutcome::Same,
            patient_id: None,
            fields: Vec::new(),
            problems: Vec::new(),
        })
    })
}
