//! Trying a policy on what was recorded, before it is let at patients' texts.

use std::time::Duration;

use anteroom_model::{
    hooks::Hook,
    ids::{BacktestId, NumberId, PolicyId, StaffId},
    states::BindingMode,
    time::Timestamp,
};
use anteroom_store::{Backtest, BacktestState, Idempotent, NewBacktest, Org, PolicyRow};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    backtest::report::Report,
    hub::{
        messages::{idempotency_key, misused_key},
        paging::{Page, PageQuery},
        policies::{READERS, TRIERS, versions},
    },
    problem::Problem,
};

/// Waiting and running ones of an organization.
const UNFINISHED: i64 = 10;
const LONGEST: u32 = 365;
const DAY: Duration = Duration::from_hours(24);

/// A backtest to be run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The candidate: a version of a policy.
    policy_id: PolicyId,
    /// The hook it would serve.
    #[schema(value_type = String)]
    hook: Hook,
    /// Its settings; by default those it is bound with, else its own defaults.
    settings: Option<Value>,
    /// It is tried on the turns of so many days until now, 1 to 365.
    days: Option<u32>,
    /// Instead of `days`: on the turns from this moment on.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// With `since`: before this moment; now, by default.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only on turns on this number.
    number_id: Option<NumberId>,
}

/// A backtest.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BacktestView {
    id: BacktestId,
    hook: String,
    policy_id: PolicyId,
    /// SHA-256 of the settings it is tried with, hex.
    settings_digest: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    number_id: Option<NumberId>,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    /// Turns to be tried; 0 until they are counted.
    total: i64,
    /// Turns tried.
    done: i64,
    turns_per_second: Option<f64>,
    /// SHA-256 of the report, hex, once it is there: the same for the same candidate on the same turns.
    report_digest: Option<String>,
    /// Why it failed.
    error: Option<String>,
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

fn view(row: Backtest, now: Timestamp) -> BacktestView {
    let took = row.started_at.map(|started| row.ended_at.unwrap_or(now).since(started).as_secs_f64());
    let done = f64::from(i32::try_from(row.done).unwrap_or(i32::MAX));
    BacktestView {
        id: row.id,
        hook: row.hook,
        policy_id: row.policy_id,
        settings_digest: hex::encode(row.settings_digest),
        since: row.since,
        until: row.until,
        number_id: row.number_id,
        state: row.state.as_str(),
        total: row.total,
        done: row.done,
        turns_per_second: took.filter(|took| *took > 0.0).map(|took| (done / took).round()),
        report_digest: row.report_digest.map(hex::encode),
        error: row.error,
        created_by: row.created_by,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
    }
}

/// Tries a policy on recorded turns. A node begins within seconds; look at `Location` for how far it is. For
/// leads and admins; audited.
///
/// Only decisions with a place in the chain are tried (`seq`), no shadows', and of each turn the one that counted.
#[utoipa::path(post, path = "/api/v1/backtests", tag = "policies", request_body = Wanted,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = BacktestView), (status = 403),
        (status = 409, description = "So many are waiting or running already"), (status = 422)))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    caller.require(&TRIERS)?;
    let key = idempotency_key(&headers)?;
    let (since, until) = window(&wanted, app.store.now())?;
    let policy = policy(&app, &caller, &wanted).await?;
    let author = caller.clone();
    let id: BacktestId = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let id: BacktestId = org.new_id();
                if let Some(key) = &key {
                    let request = serde_json::to_vec(&wanted).map_err(|error| Problem::internal(&error))?;
                    match org.remember_key(author.staff, key, &request, id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Ok(BacktestId(before)),
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                if org.unfinished_backtests().await? >= UNFINISHED {
                    let detail = "Ten backtests are waiting or running. Wait for one, or cancel one.";
                    return Err(Problem::new(StatusCode::CONFLICT, "too-many", "Too many backtests", detail));
                }
                if let Some(number) = wanted.number_id {
                    org.number(number).await?.ok_or_else(|| Problem::invalid("There is no such number."))?;
                }
                let settings = settings(&mut org, &wanted, &policy).await?;
                let new = NewBacktest {
                    hook: wanted.hook.as_str(),
                    policy_id: wanted.policy_id,
                    settings,
                    since,
                    until,
                    number_id: wanted.number_id,
                    created_by: Some(author.staff),
                };
                org.insert_backtest(id, &new).await?;
                org.insert_audit(&author.audit("backtest.created", Some(id.0))).await?;
                Ok(id)
            }
            .boxed()
        })
        .await?;
    let view = find(&app, &caller, id).await?;
    let location = [(header::LOCATION, format!("/api/v1/backtests/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(view)).into_response())
}

fn window(wanted: &Wanted, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let longest = DAY * LONGEST;
    let (since, until) = match (wanted.days, wanted.since) {
        (Some(days @ 1..=LONGEST), None) if wanted.until.is_none() => (now.minus(DAY * days), now),
        (Some(_), None) if wanted.until.is_none() => {
            return Err(Problem::invalid(format!("days is 1 to {LONGEST}.")));
        }
        (None, Some(since)) => (since, wanted.until.unwrap_or(now).min(now)),
        _ => return Err(Problem::invalid("Say either days, or since (and until).")),
    };
    if since >= until || until.since(since) > longest {
        return Err(Problem::invalid(format!("since is before until, by {LONGEST} days at most.")));
    }
    Ok((since, until))
}

/// The candidate, if it can be run and serves the hook.
async fn policy(app: &App, caller: &Caller, wanted: &Wanted) -> Result<PolicyRow, Problem> {
    let row = app.store.read(caller.organization).await?.policy(wanted.policy_id).await?;
    let row = row.ok_or_else(|| Problem::invalid("There is no such policy."))?;
    versions::runnable(app, caller, &row, wanted.hook).await?;
    Ok(row)
}

async fn settings(org: &mut Org<'_>, wanted: &Wanted, policy: &PolicyRow) -> Result<String, Problem> {
    if let Some(settings) = &wanted.settings {
        return Ok(settings.to_string());
    }
    let bound = org.bindings().await?.into_iter().filter(|binding| {
        binding.policy_id == policy.id
            && binding.hook == wanted.hook.as_str()
            && binding.mode == BindingMode::Active
    });
    let own =
        bound.min_by_key(|binding| binding.number_id != wanted.number_id).map(|binding| binding.settings);
    Ok(own.unwrap_or_else(|| policy.manifest.0["default_settings"].to_string()))
}

async fn find(app: &App, caller: &Caller, id: BacktestId) -> Result<BacktestView, Problem> {
    let row = app.store.read(caller.organization).await?.backtest(id).await?;
    Ok(view(row.ok_or_else(|| Problem::not_found("backtest"))?, app.store.now()))
}

/// Backtests, newest first.
#[utoipa::path(get, path = "/api/v1/backtests", tag = "policies", params(PageQuery),
    responses((status = 200, body = Page<BacktestView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BacktestView>>, Problem> {
    let before = page.position()?.unwrap_or(BacktestId::GREATEST);
    let rows = app.store.read(caller.organization).await?.backtests(before, page.limit()).await?;
    let (last, now) = (rows.last().map(|row| row.id), app.store.now());
    let items = rows.into_iter().map(|row| view(row, now)).collect();
    Ok(Json(Page::cut(items, page.limit(), last)))
}

/// How far a backtest is.
#[utoipa::path(get, path = "/api/v1/backtests/{id}", tag = "policies", params(("id" = BacktestId, Path)),
    responses((status = 200, body = BacktestView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BacktestId>,
) -> Result<Json<BacktestView>, Problem> {
    Ok(Json(find(&app, &caller, id).await?))
}

/// What a backtest found. It quotes patients: for leads, admins and auditors; audited. The answer is the same, to
/// the byte, for the same candidate on the same turns; `ETag` is its SHA-256.
#[utoipa::path(get, path = "/api/v1/backtests/{id}/report", tag = "policies", params(("id" = BacktestId, Path)),
    responses((status = 200, body = Report), (status = 403), (status = 404),
        (status = 409, description = "There is no report (yet): `state` says why")))]
pub(super) async fn report(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BacktestId>,
) -> Result<Response, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    let row = org.backtest(id).await?.ok_or_else(|| Problem::not_found("backtest"))?;
    let report = org.backtest_report(id).await?;
    drop(org);
    let (Some(report), BacktestState::Done) = (report, row.state) else {
        let detail = format!("The backtest is {}.", row.state);
        let problem = Problem::new(StatusCode::CONFLICT, "no-report", "There is no report", detail);
        return Err(problem.with("state", row.state.as_str()));
    };
    caller.audit_read(&app, "backtest.read", id.0).await?;
    let tag = format!("\"{}\"", hex::encode(row.report_digest.unwrap_or_default()));
    let headers: [(HeaderName, String); 2] =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, tag)];
    Ok((headers, Bytes::from(report)).into_response())
}

/// Ends a backtest that isn't over. For leads and admins; audited.
#[utoipa::path(post, path = "/api/v1/backtests/{id}/cancel", tag = "policies", params(("id" = BacktestId, Path)),
    responses((status = 200, body = BacktestView), (status = 403), (status = 404),
        (status = 409, description = "It is over already")))]
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BacktestId>,
) -> Result<Json<BacktestView>, Problem> {
    caller.require(&TRIERS)?;
    let audit = caller.audit("backtest.cancelled", Some(id.0));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                if org.cancel_backtest(id).await? {
                    org.insert_audit(&audit).await?;
                    return Ok(());
                }
                let row = org.backtest(id).await?.ok_or_else(|| Problem::not_found("backtest"))?;
                let detail = format!("The backtest is {} already.", row.state);
                Err(Problem::new(StatusCode::CONFLICT, "ended", "The backtest is over", detail))
            }
            .boxed()
        })
        .await?;
    Ok(Json(find(&app, &caller, id).await?))
}
