//! How fast: to the first reply by a person, to closing; and what nobody answered.

use std::collections::{BTreeMap, HashMap};

use anteroom_model::{ids::OrganizationId, time::Timestamp};
use anteroom_store::SpanTimes;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ActivityReport, Figures, Form, GroupBy, HourOfWeek, answer, counted,
    scope::{ReportQuery, Scope},
};
use crate::{app::App, auth::Caller, problem::Problem};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// How fast, of the times that conversations were opened.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::hub) struct ResponseTimes {
    /// Times that a conversation was opened, again or for the first time.
    openings: i64,
    /// Of these, with a first reply by a person.
    answered: i64,
    /// Closed without one.
    unanswered: i64,
    /// Still open without one.
    waiting: i64,
    /// Closed.
    closed: i64,
    /// From the patient's text to the first reply, in seconds: half took no longer.
    reply_median: Option<i64>,
    /// Nine of ten took no longer.
    reply_p90: Option<i64>,
    /// The same, within opening hours only.
    reply_open_median: Option<i64>,
    /// The same, within opening hours only.
    reply_open_p90: Option<i64>,
    /// From opening to closing, in seconds: half took no longer.
    close_median: Option<i64>,
    /// Nine of ten took no longer.
    close_p90: Option<i64>,
    /// The same, within opening hours only.
    close_open_median: Option<i64>,
    /// The same, within opening hours only.
    close_open_p90: Option<i64>,
}

impl Figures for ResponseTimes {
    const COLUMNS: &'static [&'static str] = &[
        "openings",
        "answered",
        "unanswered",
        "waiting",
        "closed",
        "reply_median_seconds",
        "reply_p90_seconds",
        "reply_open_median_seconds",
        "reply_open_p90_seconds",
        "close_median_seconds",
        "close_p90_seconds",
        "close_open_median_seconds",
        "close_open_p90_seconds",
    ];

    fn cells(&self) -> Vec<Option<i64>> {
        let counts = [self.openings, self.answered, self.unanswered, self.waiting, self.closed];
        let times = [
            self.reply_median,
            self.reply_p90,
            self.reply_open_median,
            self.reply_open_p90,
            self.close_median,
            self.close_p90,
            self.close_open_median,
            self.close_open_p90,
        ];
        counts.map(Some).into_iter().chain(times).collect()
    }
}

/// Times of some spans, before their middle is found.
#[derive(Debug, Default)]
struct Times {
    figures: ResponseTimes,
    reply: Vec<i64>,
    reply_open: Vec<i64>,
    close: Vec<i64>,
    close_open: Vec<i64>,
}

impl Times {
    /// How the span was answered.
    fn add_reply(&mut self, span: &SpanTimes) {
        self.figures.openings += 1;
        if let (Some(reply), Some(open)) = (span.reply_micros, span.reply_open_micros) {
            self.figures.answered += 1;
            self.reply.push(reply);
            self.reply_open.push(open);
        } else if span.waited {
            *(if span.closed { &mut self.figures.unanswered } else { &mut self.figures.waiting }) += 1;
        }
    }

    /// How it was closed.
    fn add_close(&mut self, span: &SpanTimes) {
        if let (Some(close), Some(open)) = (span.close_micros, span.close_open_micros) {
            self.figures.closed += 1;
            self.close.push(close);
            self.close_open.push(open);
        }
    }

    fn figures(mut self) -> ResponseTimes {
        let figures = &mut self.figures;
        for (times, median, p90) in [
            (&mut self.reply, &mut figures.reply_median, &mut figures.reply_p90),
            (&mut self.reply_open, &mut figures.reply_open_median, &mut figures.reply_open_p90),
            (&mut self.close, &mut figures.close_median, &mut figures.close_p90),
            (&mut self.close_open, &mut figures.close_open_median, &mut figures.close_open_p90),
        ] {
            (*median, *p90) = (percentile(times, 50), percentile(times, 90));
        }
        self.figures
    }
}

/// The smallest of the times that so many per cent of them do not exceed, in whole seconds.
fn percentile(times: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (times.len() * percent).div_ceil(100).checked_sub(1)?;
    let (_, found, _) = times.select_nth_unstable(rank);
    Some(*found / SECOND)
}

/// How fast: from a patient's text to the first reply by a person, and from opening to closing, median and 90th percentile, by the clock and within opening hours; of the times that conversations were opened in these days. By person: who replied, who closed. For leads, admins and auditors; names no patient.
#[utoipa::path(get, path = "/api/v1/reports/response-times", tag = "reports", params(ReportQuery),
    responses((status = 200, body = ActivityReport<ResponseTimes>), (status = 403), (status = 422)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    respond(&app, &caller, query, Form::wanted(&headers)).await
}

/// The same as a table for a spreadsheet, by what `group_by` says.
#[utoipa::path(get, path = "/api/v1/reports/response-times.csv", tag = "reports", params(ReportQuery),
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
    let report = report(app, caller.organization, &scope).await?;
    answer(form, "response-times", &scope, report)
}

async fn report(
    app: &App,
    organization: OrganizationId,
    scope: &Scope,
) -> Result<ActivityReport<ResponseTimes>, Problem> {
    let by_person = scope.group_by == Some(GroupBy::Staff) || scope.filter.staff_id.is_some();
    let key = if by_person { "staff" } else { scope.group_by.and_then(GroupBy::key).unwrap_or("none") };
    let spans = app.store.read(organization).await?.span_times(&scope.filter, key).await?;
    let mut report = scope.empty();
    let mut all = Times::default();
    let mut series: Vec<Times> = report.series.iter().map(|_| Times::default()).collect();
    let mut hours: BTreeMap<(i8, i8), Times> = BTreeMap::new();
    let mut groups: BTreeMap<Uuid, Times> = BTreeMap::new();
    let mut places: HashMap<i64, (usize, i8, i8)> = HashMap::new();
    for span in &spans {
        let only = scope.filter.staff_id;
        let replies = only.is_none_or(|person| span.replied_by == Some(person));
        let closes = only.is_none_or(|person| span.closed_by == Some(person));
        // Looking up the calendar costs more than all the rest; a day begins with a quarter of an hour.
        let quarter = span.opened_at.micros().div_euclid(900 * SECOND);
        let (stretch, weekday, hour) = *places
            .entry(quarter)
            .or_insert_with(|| scope.at(Timestamp::from_micros(quarter * 900 * SECOND)));
        let stretch = series.get_mut(stretch);
        let mut sums: Vec<&mut Times> = vec![&mut all, hours.entry((weekday, hour)).or_default()];
        sums.extend(stretch);
        for sum in sums {
            if replies {
                sum.add_reply(span);
            }
            if closes {
                sum.add_close(span);
            }
        }
        if scope.group_by.and_then(GroupBy::key).is_none() {
            continue;
        }
        let nobody = Uuid::nil();
        let (who_replied, who_closed) = match span.key {
            Some(key) => (key, key),
            None => (span.replied_by.map_or(nobody, |id| id.0), span.closed_by.map_or(nobody, |id| id.0)),
        };
        if replies {
            groups.entry(who_replied).or_default().add_reply(span);
        }
        if closes {
            groups.entry(who_closed).or_default().add_close(span);
        }
    }
    report.total = all.figures();
    for (stretch, times) in report.series.iter_mut().zip(series) {
        stretch.figures = times.figures();
    }
    let hours = hours.into_iter();
    report.hours = hours
        .map(|((weekday, hour), times)| HourOfWeek { weekday, hour, figures: times.figures() })
        .collect();
    let groups = groups.into_iter().map(|(key, times)| (key, times.figures())).collect();
    report.groups = counted::in_order(scope, groups);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_nine_of_ten_do_not_exceed_them() {
        let seconds = |times: &[i64]| times.iter().map(|time| time * SECOND).collect::<Vec<_>>();
        for (times, median, p90) in [
            (&[][..], None, None),
            (&[7], Some(7), Some(7)),
            (&[9, 1], Some(1), Some(9)),
            (&[3, 1, 2], Some(2), Some(3)),
            (&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], Some(5), Some(9)),
        ] {
            let mut times = seconds(times);
            assert_eq!((percentile(&mut times, 50), percentile(&mut times, 90)), (median, p90), "{times:?}");
        }
    }
}
