//! Facilities and their hours: a week with split shifts, and the days that differ from it.

use anteroom_model::{
    hooks::{Hours, LocalTime},
    hours::{InvalidHours, OpeningHours, Schedule},
    ids::{FacilityId, StaffId},
    states::Role,
};
use anteroom_store::{Actor, Facility, NewEvent, Org};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        changes::if_match,
        fields::{NamedThing, in_use, name, named_by, taken, unchanged},
        paging::Page,
    },
    problem::Problem,
};

/// Days that differ: more than a decade of holidays.
const MOST_HOLIDAYS: usize = 400;
/// Spans of one day.
const MOST_SHIFTS: usize = 12;
const TAKEN: &str = "There is a facility of that name already.";

/// A location with its hours.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FacilityView {
    id: FacilityId,
    name: String,
    /// IANA name.
    time_zone: String,
    hours: OpeningHours,
    open_now: bool,
    /// How that is just now, and when it changes.
    now: HoursNow,
    /// Hooks whose policies' settings name it: they go by the name.
    named_by: Vec<String>,
    /// For `If-Match`.
    version: i64,
}

/// What hours come to at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoursNow {
    open: bool,
    /// This moment on the facility's wall clock.
    local: WallClock,
    /// What makes today differ from the week, if it does.
    holiday: Option<String>,
    /// When it opens; null while it is open, and where it doesn't within 30 days.
    opens: Option<WallClock>,
    /// When it closes; null while it is closed.
    closes: Option<WallClock>,
}

/// A moment on a wall clock.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WallClock {
    /// `YYYY-MM-DD`.
    date: String,
    /// `monday` … `sunday`.
    weekday: String,
    /// `HH:MM`.
    time: String,
}

impl From<LocalTime> for WallClock {
    fn from(local: LocalTime) -> Self {
        let time = format!("{:02}:{:02}", local.minute / 60, local.minute % 60);
        Self { date: local.date, weekday: local.weekday, time }
    }
}

impl From<Hours> for HoursNow {
    fn from(hours: Hours) -> Self {
        Self {
            open: hours.open,
            local: hours.local.into(),
            holiday: hours.holiday,
            opens: hours.opens.map(WallClock::from),
            closes: hours.closes.map(WallClock::from),
        }
    }
}

fn view(app: &App, entry: &Entry, facility: &Facility, schedule: &Schedule) -> FacilityView {
    let now = schedule.at(app.store.now());
    FacilityView {
        id: facility.id,
        name: facility.name.clone(),
        time_zone: facility.time_zone.clone(),
        hours: facility.hours.clone(),
        open_now: now.open,
        now: now.into(),
        named_by: named_by(entry, NamedThing::Facility, &facility.name),
        version: facility.version,
    }
}

/// All facilities, by name.
#[utoipa::path(get, path = "/api/v1/facilities", tag = "organization",
    responses((status = 200, body = Page<FacilityView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<FacilityView>>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let items = entry.facilities.iter().map(|(facility, schedule)| view(&app, &entry, facility, schedule));
    Ok(Json(Page::all(items.collect())))
}

async fn shown(app: &App, caller: &Caller, id: FacilityId) -> Result<FacilityView, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let (facility, schedule) = entry.facility(id).ok_or_else(unknown)?;
    Ok(view(app, &entry, facility, schedule))
}

fn unknown() -> Problem {
    Problem::not_found("facility")
}

/// A facility to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFacility {
    /// 1 to 100 characters; routing settings name it so.
    name: String,
    /// IANA name, such as `America/Chicago`.
    time_zone: String,
    hours: OpeningHours,
}

/// Adds a facility. For admins; audited.
#[utoipa::path(post, path = "/api/v1/facilities", tag = "organization", request_body = NewFacility,
    responses((status = 201, body = FacilityView), (status = 403),
        (status = 409, description = "There is one of that name"),
        (status = 422, description = "`field` says what is wrong: `time_zone`, or the weekday or date whose hours are")))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewFacility>,
) -> Result<(StatusCode, Json<FacilityView>), Problem> {
    caller.require(&[Role::Admin])?;
    let name = name("name", &new.name)?;
    let hours = tidy(&new.time_zone, new.hours)?;
    let (by, audit) = (caller.staff, caller.clone());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let added = org.insert_facility(&name, &new.time_zone, &hours).await;
                let id = added.map_err(|error| taken(error, "name", TAKEN))?;
                org.insert_audit(&audit.audit("facility.created", Some(id.0))).await?;
                tell(&org, "facility.created", id, by);
                Ok::<_, Problem>(id)
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok((StatusCode::CREATED, Json(shown(&app, &caller, id).await?)))
}

/// What can change of a facility; absent: as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FacilityChange {
    /// 1 to 100 characters.
    name: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// All of them: the whole week and all days that differ.
    hours: Option<OpeningHours>,
}

/// Changes a facility, for the texts to come. For admins; audited. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/facilities/{id}", tag = "organization", request_body = FacilityChange,
    params(("id" = FacilityId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = FacilityView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`; or there is another one of that name"),
        (status = 422, description = "`field` says what is wrong")))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<FacilityId>,
    headers: HeaderMap,
    Json(wanted): Json<FacilityChange>,
) -> Result<Json<FacilityView>, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let new_name = wanted.name.as_deref().map(|text| name("name", text)).transpose()?;
    let (by, audit) = (caller.staff, caller.audit("facility.changed", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut facility = org.facility(id).await?.ok_or_else(unknown)?;
                unchanged(expected, facility.version, "facility")?;
                if let Some(name) = new_name {
                    facility.name = name;
                }
                facility.time_zone = wanted.time_zone.unwrap_or(facility.time_zone);
                facility.hours = tidy(&facility.time_zone, wanted.hours.unwrap_or(facility.hours))?;
                let stored = org.update_facility(&facility).await;
                if !stored.map_err(|error| taken(error, "name", TAKEN))? {
                    return Err(Problem::changed("facility", facility.version));
                }
                org.insert_audit(&audit).await?;
                tell(&org, "facility.changed", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(shown(&app, &caller, id).await?))
}

/// Takes a facility away that nothing belongs to: no number, no conversation, no policy's settings. For admins;
/// audited.
#[utoipa::path(delete, path = "/api/v1/facilities/{id}", tag = "organization", params(("id" = FacilityId, Path)),
    responses((status = 204), (status = 403), (status = 404),
        (status = 409, description = "Something belongs to it: `detail` says what")))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<FacilityId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let entry = app.directory.get(caller.organization).await?;
    let (by, audit) = (caller.staff, caller.audit("facility.deleted", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let facility = org.facility(id).await?.ok_or_else(unknown)?;
                let numbers = org.numbers().await?;
                if let Some(number) = numbers.iter().find(|number| number.facility_id == Some(id)) {
                    return Err(in_use(format!(
                        "The number {} belongs to it. Give that another one.",
                        number.label
                    )));
                }
                if let Some(hook) = named_by(&entry, NamedThing::Facility, &facility.name).first() {
                    return Err(in_use(format!(
                        "The settings of the policy for {hook} name it. Change those first."
                    )));
                }
                if org.facility_has_conversations(id).await? {
                    return Err(in_use("Conversations belong to it, so it stays, for what was said there."));
                }
                org.delete_facility(id).await?;
                org.insert_audit(&audit).await?;
                tell(&org, "facility.deleted", id, by);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(StatusCode::NO_CONTENT)
}

/// Hours that nobody has stored yet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoursToTry {
    /// IANA name.
    time_zone: String,
    hours: OpeningHours,
}

/// What hours would come to now; nothing is stored.
#[utoipa::path(post, path = "/api/v1/facilities/hours/preview", tag = "organization", request_body = HoursToTry,
    responses((status = 200, body = HoursNow), (status = 422, description = "`field` says what is wrong")))]
pub(super) async fn preview(
    State(app): State<App>,
    _caller: Caller,
    Json(HoursToTry { time_zone, hours }): Json<HoursToTry>,
) -> Result<Json<HoursNow>, Problem> {
    let hours = tidy(&time_zone, hours)?;
    let schedule = Schedule::new(&time_zone, &hours).map_err(|error| wrong(&error))?;
    Ok(Json(schedule.at(app.store.now()).into()))
}

/// The hours in the order of the calendar, if they hold together.
fn tidy(time_zone: &str, mut hours: OpeningHours) -> Result<OpeningHours, Problem> {
    hours.tidy(time_zone).map_err(|error| wrong(&error))?;
    if hours.holidays.len() > MOST_HOLIDAYS {
        return Err(Problem::field("holidays", "There are 400 days at most that differ from the week."));
    }
    let days = hours.weekly.iter().map(|day| (&day.day, &day.shifts));
    let dates = hours.holidays.iter().map(|day| (&day.date, &day.shifts));
    if let Some((day, _)) = days.chain(dates).find(|(_, shifts)| shifts.len() > MOST_SHIFTS) {
        return Err(Problem::field(day, "A day has twelve spans at most."));
    }
    for holiday in &mut hours.holidays {
        holiday.name = name("name", &holiday.name)
            .map_err(|_| Problem::field(&holiday.date, "A holiday has a name of 1 to 100 characters."))?;
    }
    Ok(hours)
}

/// The field is the weekday or the date where it is one of them.
fn wrong(error: &InvalidHours) -> Problem {
    let field: &str = match error {
        InvalidHours::TimeZone(_) => "time_zone",
        InvalidHours::Day(_) => "hours",
        InvalidHours::Date(_) => "holidays",
        InvalidHours::Shift(_, day) | InvalidHours::Twice(day) => day,
    };
    Problem::field(field, format!("{error}."))
}

fn tell(org: &Org<'_>, kind: &'static str, id: FacilityId, by: StaffId) {
    let data = json!({ "facility_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by), data });
}
