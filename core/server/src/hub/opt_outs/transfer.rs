//! Lists of opt-outs: out for the clinic's other systems, in from the one it had before.

use anteroom_model::{
    ids::{NumberId, OptOutId},
    phone::Address,
    states::{RevocationVia, Role},
    time::Timestamp,
};
use anteroom_store::{Actor, NewOptOut, Org, StoreError};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures::{FutureExt, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::{OptOutView, view};
use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{spreadsheet::plain, views::Names},
    opt_outs,
    problem::Problem,
};

/// Largest list taken, in bytes.
pub(in crate::hub) const LARGEST: usize = 8 << 20;
/// Rows recorded in one transaction.
const BATCH: usize = 200;
/// Rows exported at once.
const PAGE: u32 = 500;
/// Problems named in the answer.
const NAMED: usize = 100;

/// A line of an exported list; an import reads the first four columns.
#[derive(Serialize)]
struct Line<'a> {
    phone: &'a str,
    number: &'a str,
    asked_at: String,
    note: &'a str,
    source: &'a str,
    via: &'a str,
    recorded_at: String,
    due_at: String,
    in_time: Option<bool>,
    recorded_by: &'a str,
    cleared_at: String,
    cleared_by: &'a str,
    clear_note: &'a str,
}

/// All opt-outs with what shows that each was honoured in time, as CSV, newest first; those that were taken back,
/// too. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/opt-outs/export", tag = "opt-outs",
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403)))]
pub(in crate::hub) async fn export(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    caller.require(&[Role::Admin, Role::Auditor])?;
    caller.audit_read(&app, "opt_outs.exported", caller.staff.0).await?;
    let pages = stream::try_unfold(Some((OptOutId::GREATEST, true)), move |position| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let Some((before, is_first)) = position else { return Ok(None) };
            page(&app, &caller, before, is_first).await.inspect_err(|error| {
                tracing::error!(%error, "an export of opt-outs broke off");
            })
        }
    });
    let name = "attachment; filename=\"opt-outs.csv\"";
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// Where an export is: before which, and whether nothing was written yet.
type Position = Option<(OptOutId, bool)>;

async fn page(
    app: &App,
    caller: &Caller,
    before: OptOutId,
    is_first: bool,
) -> Result<Option<(Bytes, Position)>, std::io::Error> {
    let entry = app.directory.get(caller.organization).await.map_err(std::io::Error::other)?;
    let mut org = app.store.read(caller.organization).await.map_err(std::io::Error::other)?;
    let list = org.opt_outs(before, PAGE).await.map_err(std::io::Error::other)?;
    let names = Names::read(&mut org).await.map_err(|_| std::io::Error::other("staff could not be read"))?;
    let full = list.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next = list.last().filter(|_| full).map(|last| (last.id, false));
    let mut writer = csv::WriterBuilder::new().has_headers(is_first).from_writer(Vec::new());
    for opt_out in list {
        line(&mut writer, &view(opt_out, &names, entry.time_zone()), &entry)?;
    }
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(Some((bytes.into(), next)))
}

fn line(writer: &mut csv::Writer<Vec<u8>>, view: &OptOutView, entry: &Entry) -> Result<(), std::io::Error> {
    let number = view.number_id.and_then(|id| entry.numbers.get(&id)).map_or("", |number| &number.address);
    let by = |who: &Option<crate::hub::views::Named<_>>| {
        who.as_ref().map_or(String::new(), |who| who.name.clone())
    };
    let (recorded_by, cleared_by) = (by(&view.recorded_by), by(&view.cleared_by));
    writer.serialize(Line {
        phone: &view.peer,
        number,
        asked_at: view.asked_at.to_string(),
        note: &plain(view.note.as_deref().unwrap_or_default()),
        source: &view.source,
        via: view.via.map_or("", RevocationVia::as_str),
        recorded_at: view.created_at.to_string(),
        due_at: view.due_at.to_string(),
        in_time: view.in_time,
        recorded_by: &plain(&recorded_by),
        cleared_at: view.cleared_at.map(|at| at.to_string()).unwrap_or_default(),
        cleared_by: &plain(&cleared_by),
        clear_note: &plain(view.clear_note.as_deref().unwrap_or_default()),
    })?;
    Ok(())
}

/// The columns of a list that are read; a row may end before the last of them.
const COLUMNS: [&str; 4] = ["phone", "number", "asked_at", "note"];

/// A row of a list to be imported.
struct Row<'a> {
    phone: &'a str,
    /// Of the clinic's; empty: all of them.
    number: &'a str,
    /// RFC 3339, or a date; empty: now.
    asked_at: &'a str,
    note: &'a str,
}

/// What became of a list.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct ImportedOptOuts {
    /// Rows that were read.
    rows: usize,
    /// Opt-outs that are new.
    recorded: usize,
    /// Opt-outs that stood already.
    known: usize,
    /// Rows that were not taken.
    refused: usize,
    /// Of these the first hundred.
    problems: Vec<OptOutRowProblem>,
}

/// Why a row was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct OptOutRowProblem {
    /// From 1; the heading is line 1.
    line: u64,
    /// What is wrong, without the row's content.
    problem: &'static str,
}

/// An opt-out of a list.
struct Wanted {
    peer: Address,
    scope: Option<NumberId>,
    asked_at: Option<Timestamp>,
    note: Option<String>,
}

/// Takes a list: CSV with a heading and the columns `phone` and, where known, `number` (of the clinic; empty: all),
/// `asked_at` and `note`; other columns are ignored, so that an export is taken as it is. Up to 8 MiB. A row that
/// can't be read is reported and the others are taken; taking a list twice changes nothing. For admins.
#[utoipa::path(post, path = "/api/v1/opt-outs/import", tag = "opt-outs",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportedOptOuts), (status = 403), (status = 413), (status = 422)))]
pub(in crate::hub) async fn import(
    State(app): State<App>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<ImportedOptOuts>, Problem> {
    caller.require(&[Role::Admin])?;
    let entry = app.directory.get(caller.organization).await?;
    let (mut report, wanted) = read(&body, &entry, app.store.now())?;
    let mut wanted = wanted.into_iter().peekable();
    while wanted.peek().is_some() {
        let batch: Vec<Wanted> = wanted.by_ref().take(BATCH).collect();
        let (by, rows) = (caller.clone(), batch.len());
        let batch = std::sync::Arc::new(batch);
        let recorded: Result<usize, StoreError> = app
            .store
            .write(caller.organization, move |mut org| {
                async move {
                    let mut recorded = 0;
                    for row in batch.iter() {
                        recorded += usize::from(row.record(&mut org, &by).await?);
                    }
                    org.insert_audit(&by.audit("opt_outs.imported", None)).await?;
                    Ok(recorded)
                }
                .boxed()
            })
            .await;
        let recorded = recorded?;
        report.recorded += recorded;
        report.known += rows - recorded;
    }
    Ok(Json(report))
}

impl Wanted {
    async fn record(&self, org: &mut Org<'_>, by: &Caller) -> Result<bool, StoreError> {
        let new = NewOptOut {
            peer: self.peer.as_str(),
            scope: self.scope,
            source: "import",
            asked_at: self.asked_at,
            via: Some(RevocationVia::List),
            note: self.note.as_deref(),
            recorded_by: Some(by.staff),
        };
        Ok(opt_outs::record(org, &new, None, Actor::Staff(by.staff)).await?.is_some())
    }
}

/// Reads the rows of a list; those that can't be are in the report.
fn read(bytes: &[u8], entry: &Entry, now: Timestamp) -> Result<(ImportedOptOuts, Vec<Wanted>), Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let heading = reader.headers().cloned().unwrap_or_default();
    let places = COLUMNS.map(|column| heading.iter().position(|name| name == column));
    if places[0].is_none() {
        return Err(Problem::invalid(
            "The list is CSV whose first line names its columns; one of them is `phone`.",
        ));
    }
    let (mut report, mut wanted) = (ImportedOptOuts::default(), Vec::new());
    for record in reader.records() {
        report.rows += 1;
        let (line, read) = match &record {
            Ok(record) => {
                let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
                let [phone, number, asked_at, note] = places.map(cell);
                (record.position(), Row { phone, number, asked_at, note }.check(entry, now))
            }
            Err(error) => (error.position(), Err("can't be read as CSV in UTF-8")),
        };
        match read {
            Ok(row) => wanted.push(row),
            Err(problem) => {
                report.refused += 1;
                if report.problems.len() < NAMED {
                    let line = line.map_or(0, csv::Position::line);
                    report.problems.push(OptOutRowProblem { line, problem });
                }
            }
        }
    }
    Ok((report, wanted))
}

impl Row<'_> {
    fn check(self, entry: &Entry, now: Timestamp) -> Result<Wanted, &'static str> {
        let peer = Address::parse_lenient(self.phone).map_err(|_| "phone is not a phone number")?;
        let scope = if self.number.is_empty() {
            None
        } else {
            let number = Address::parse_lenient(self.number).map_err(|_| "number is not a phone number")?;
            let id = entry.addresses.get(number.as_str()).ok_or("number is none of the clinic's")?;
            Some(*id)
        };
        let asked_at = match self.asked_at {
            "" => None,
            text => Some(moment(text, entry.time_zone()).ok_or("asked_at is neither a date nor a moment")?),
        };
        if asked_at.is_some_and(|asked| asked > now) {
            return Err("asked_at lies in the future");
        }
        if super::record::check_note(Some(self.note)).is_err() {
            return Err("note is longer than 1,000 characters");
        }
        Ok(Wanted { peer, scope, asked_at, note: (!self.note.is_empty()).then(|| self.note.to_owned()) })
    }
}

/// RFC 3339, or a date: its first moment in the clinic's zone.
fn moment(text: &str, zone: &str) -> Option<Timestamp> {
    let at = match text.parse::<jiff::Timestamp>() {
        Ok(at) => at,
        Err(_) => text.parse::<jiff::civil::Date>().ok()?.in_tz(zone).ok()?.timestamp(),
    };
    Some(Timestamp::from_micros(at.as_microsecond()))
}
