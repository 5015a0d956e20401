//! What a report is about: which days, of what, grouped by what; and whose days these are.

use std::{collections::HashMap, sync::Arc};

use anteroom_model::{
    ids::{FacilityId, NumberId, StaffId, TeamId},
    states::Role,
    time::Timestamp,
};
use anteroom_store::ReportFilter;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ActivityReport, ReportProgress, Stretch, figures::Figures};
use crate::{app::App, auth::Caller, directory::Entry, problem::Problem, reports};

/// Days of a report where none are named.
const DAYS: i64 = 30;
/// Days of a report at most.
const MOST_DAYS: i64 = 400;
/// Batches of events drawn before a report is answered.
const BATCHES: usize = 10;

/// Who reads reports.
pub(super) const READERS: [Role; 3] = [Role::Lead, Role::Admin, Role::Auditor];

/// Which report.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::hub) struct ReportQuery {
    /// The first day (`YYYY-MM-DD`, in the clinic's zone); 30 days up to `to` if it is left out.
    from: Option<String>,
    /// The last day, inclusive; today if it is left out.
    to: Option<String>,
    #[param(inline)]
    /// What rows of the table are: `groups` of the answer, or the rows of a CSV. `day` if it is left out.
    group_by: Option<GroupBy>,
    /// Only of this facility; its zone counts then.
    #[param(value_type = Option<FacilityId>)]
    facility_id: Option<FacilityId>,
    /// Only of this number; the zone of its facility counts then.
    #[param(value_type = Option<NumberId>)]
    number_id: Option<NumberId>,
    /// Only of this team.
    #[param(value_type = Option<TeamId>)]
    team_id: Option<TeamId>,
    /// Only what this person did.
    #[param(value_type = Option<StaffId>)]
    staff_id: Option<StaffId>,
}

/// What the rows of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::hub) enum GroupBy {
    /// Days.
    Day,
    /// Weeks, from Monday.
    Week,
    /// Hours of the week.
    Hour,
    /// Facilities.
    Facility,
    /// Numbers.
    Number,
    /// Teams.
    Team,
    /// People.
    Staff,
}

impl GroupBy {
    /// The key that the store groups by.
    pub(super) fn key(self) -> Option<&'static str> {
        match self {
            Self::Day | Self::Week | Self::Hour => None,
            Self::Facility => Some("facility"),
            Self::Number => Some("number"),
            Self::Team => Some("team"),
            Self::Staff => Some("staff"),
        }
    }
}

/// A question that has been read.
pub(super) struct Scope {
    from: Date,
    to: Date,
    zone: TimeZone,
    zone_name: String,
    as_of: Timestamp,
    progress: ReportProgress,
    entry: Arc<Entry>,
    staff: HashMap<StaffId, String>,
    pub(super) filter: ReportFilter,
    pub(super) group_by: Option<GroupBy>,
}

impl Scope {
    /// Reads the question of a caller who may ask it, brings the figures up to date, and records the reading.
    pub(super) async fn read(app: &App, caller: &Caller, query: ReportQuery) -> Result<Self, Problem> {
        caller.require(&READERS)?;
        let entry = app.directory.get(caller.organization).await?;
        let zone_name = zone_of(&entry, &query);
        let zone = TimeZone::get(&zone_name).map_err(|error| Problem::internal(&error))?;
        let as_of = app.store.now();
        let (from, to) = days(&query, as_of.to_jiff().to_zoned(zone.clone()).date())?;
        let progress = reports::catch_up(app, caller.organization, BATCHES).await?;
        let names = app.store.read(caller.organization).await?.staff().await?;
        let filter = ReportFilter {
            since: midnight(from, &zone)?,
            until: midnight(to.tomorrow().map_err(|_| too_far())?, &zone)?,
            number_id: query.number_id,
            facility_id: query.facility_id,
            team_id: query.team_id,
            staff_id: query.staff_id,
        };
        let by_person = query.group_by == Some(GroupBy::Staff) || query.staff_id.is_some();
        let action = if by_person { "report.by_person_read" } else { "report.read" };
        caller.audit_read(app, action, caller.staff.0).await?;
        Ok(Self {
            from,
            to,
            zone,
            zone_name,
            as_of,
            progress: ReportProgress {
                complete: progress.drawn >= progress.of,
                drawn: progress.drawn,
                of: progress.of,
            },
            entry,
            staff: names.into_iter().map(|staff| (staff.id, staff.name)).collect(),
            filter,
            group_by: query.group_by,
        })
    }

    /// A report with every stretch of its time and nothing in it.
    pub(super) fn empty<F: Figures>(&self) -> ActivityReport<F> {
        let mut series: Vec<Stretch<F>> = Vec::new();
        let mut day = self.from;
        while day <= self.to {
            let last = match self.group_by {
                Some(GroupBy::Week) => {
                    let left = 6 - day.weekday().to_monday_zero_offset();
                    day.checked_add(i64::from(left).days()).map_or(self.to, |sunday| sunday.min(self.to))
                }
                _ => day,
            };
            let figures = F::default();
            series.push(Stretch { from: day.to_string(), to: last.to_string(), figures });
            let Ok(next) = last.tomorrow() else { break };
            day = next;
        }
        ActivityReport {
            from: self.from.to_string(),
            to: self.to.to_string(),
            time_zone: self.zone_name.clone(),
            as_of: self.as_of,
            progress: self.progress,
            total: F::default(),
            series,
            hours: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Where a moment belongs: which stretch of the series, which weekday (1: Monday), which hour.
    pub(super) fn at(&self, moment: Timestamp) -> (usize, i8, i8) {
        let local = moment.to_jiff().to_zoned(self.zone.clone());
        let days = |from: Date| (local.date() - from).get_days();
        let stretch = match self.group_by {
            Some(GroupBy::Week) => {
                let into = i32::from(self.from.weekday().to_monday_zero_offset());
                (days(self.from) + into) / 7
            }
            _ => days(self.from),
        };
        (usize::try_from(stretch).unwrap_or(0), local.weekday().to_monday_one_offset(), local.hour())
    }

    /// What people call the number, facility, team or person with that id; `None` for nil.
    pub(super) fn name(&self, id: Uuid) -> Option<String> {
        if id.is_nil() {
            return None;
        }
        let found = match self.group_by? {
            GroupBy::Facility => {
                self.entry.facility(FacilityId(id)).map(|(facility, _)| facility.name.clone())
            }
            GroupBy::Number => self.entry.numbers.get(&NumberId(id)).map(|number| number.label.clone()),
            GroupBy::Team => {
                self.entry.teams.iter().find(|team| team.id == TeamId(id)).map(|team| team.name.clone())
            }
            GroupBy::Staff => self.staff.get(&StaffId(id)).cloned(),
            GroupBy::Day | GroupBy::Week | GroupBy::Hour => None,
        };
        Some(found.unwrap_or_else(|| "Removed since".to_owned()))
    }
}

/// Whose days these are: the facility's that is asked for, or the number's; else the clinic's first.
fn zone_of(entry: &Entry, query: &ReportQuery) -> String {
    let number = query.number_id.and_then(|id| entry.numbers.get(&id));
    let facility = query.facility_id.or_else(|| number.and_then(|number| number.facility_id));
    let found = facility.and_then(|id| entry.facility(id));
    found.map_or(entry.time_zone(), |(facility, _)| &facility.time_zone).to_owned()
}

fn days(query: &ReportQuery, today: Date) -> Result<(Date, Date), Problem> {
    let read = |text: &Option<String>, name: &str| match text {
        None => Ok(None),
        Some(text) => text
            .parse::<Date>()
            .map(Some)
            .map_err(|_| Problem::invalid(format!("{name} is no date; use YYYY-MM-DD."))),
    };
    let to = read(&query.to, "to")?.unwrap_or(today);
    let from = match read(&query.from, "from")? {
        Some(from) => from,
        None => to.checked_sub((DAYS - 1).days()).map_err(|_| too_far())?,
    };
    if from > to {
        return Err(Problem::invalid("from is after to."));
    }
    let length = i64::from((to - from).get_days()) + 1;
    if length > MOST_DAYS {
        return Err(Problem::invalid(format!("{length} days; {MOST_DAYS} is the most.")));
    }
    Ok((from, to))
}

/// The first moment of a day: there are nights in which the clock skips midnight.
fn midnight(day: Date, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let zoned = day.to_zoned(zone.clone()).map_err(|_| too_far())?;
    Ok(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

fn too_far() -> Problem {
    Problem::invalid("The dates are too far from now.")
}
