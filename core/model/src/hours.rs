//! Opening hours of a facility: split shifts, holidays, time zones and daylight saving.

mod open_time;

use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{
    hooks::{Hours, LocalTime},
    time::Timestamp,
};

/// How far ahead the next opening is looked for.
const DAYS_AHEAD: u16 = 30;

/// A weekly schedule with exceptions, in the facility's own time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct OpeningHours {
    /// Shifts by weekday; a weekday that is absent is closed.
    #[serde(default)]
    pub weekly: Vec<DayShifts>,
    /// Days that differ from the weekly schedule.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

impl OpeningHours {
    /// Open at every hour of every day.
    pub fn always() -> Self {
        let all_day = Shift { from: "00:00".to_owned(), until: "24:00".to_owned() };
        let weekly = WEEKDAYS
            .map(|(_, day)| DayShifts { day: day.to_owned(), shifts: vec![all_day.clone()] })
            .to_vec();
        Self { weekly, holidays: Vec::new() }
    }

    /// Brings them into the order of the calendar, days in lower case, without days that are closed anyway; an
    /// error where they don't hold together in that time zone, or a day stands there twice.
    pub fn tidy(&mut self, time_zone: &str) -> Result<(), InvalidHours> {
        Schedule::new(time_zone, self)?;
        for day in &mut self.weekly {
            day.day.make_ascii_lowercase();
        }
        self.weekly.sort_by_key(|day| parse_weekday(&day.day).map(Weekday::to_monday_zero_offset));
        self.holidays.sort_by(|a, b| a.date.cmp(&b.date));
        let weekdays = self.weekly.windows(2).find(|two| two[0].day == two[1].day).map(|two| &two[0].day);
        let dates = self.holidays.windows(2).find(|two| two[0].date == two[1].date).map(|two| &two[0].date);
        if let Some(twice) = weekdays.or(dates) {
            return Err(InvalidHours::Twice(twice.clone()));
        }
        self.weekly.retain(|day| !day.shifts.is_empty());
        Ok(())
    }
}

/// The shifts of a weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct DayShifts {
    /// `monday` … `sunday`.
    pub day: String,
    /// In order, not overlapping; two for a lunch break.
    pub shifts: Vec<Shift>,
}

/// A span of opening. `until` is exclusive; `24:00` is midnight at the end of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Shift {
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`.
    pub until: String,
}

/// A day that differs from the weekly schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Holiday {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Shown to patients by the default replies.
    pub name: String,
    /// Shifts of that day; none for closed.
    #[serde(default)]
    pub shifts: Vec<Shift>,
}

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHours {
    /// Not an IANA time zone.
    #[error("`{0}` is not a time zone; use an IANA name such as America/Chicago")]
    TimeZone(String),
    /// Not a weekday.
    #[error("`{0}` is not a weekday; use monday to sunday")]
    Day(String),
    /// Not a date.
    #[error("`{0}` is not a date; use YYYY-MM-DD")]
    Date(String),
    /// Not a time, or a shift that ends before it begins, or shifts that overlap.
    #[error("the shift {0} on {1} is not a span of one day after the shift before it; use HH:MM to HH:MM")]
    Shift(String, String),
    /// A weekday or a date that stands there twice.
    #[error("{0} stands there twice")]
    Twice(String),
}

/// A schedule whose texts have been read.
#[derive(Clone, Debug)]
pub struct Schedule {
    zone: TimeZone,
    zone_name: String,
    weekly: [Vec<Span>; 7],
    holidays: Vec<(Date, String, Vec<Span>)>,
}

/// Minutes since local midnight, `until` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: u16,
    until: u16,
}

impl Schedule {
    /// Reads `hours` as kept by a facility in `time_zone` (an IANA name).
    pub fn new(time_zone: &str, hours: &OpeningHours) -> Result<Self, InvalidHours> {
        let zone = TimeZone::get(time_zone).map_err(|_| InvalidHours::TimeZone(time_zone.to_owned()))?;
        let mut weekly: [Vec<Span>; 7] = Default::default();
        for day in &hours.weekly {
            let weekday = parse_weekday(&day.day).ok_or_else(|| InvalidHours::Day(day.day.clone()))?;
            weekly[usize::from(weekday.to_monday_zero_offset().unsigned_abs())] =
                parse_shifts(&day.shifts, &day.day)?;
        }
        let mut holidays = Vec::new();
        for holiday in &hours.holidays {
            let date: Date = holiday.date.parse().map_err(|_| InvalidHours::Date(holiday.date.clone()))?;
            holidays.push((date, holiday.name.clone(), parse_shifts(&holiday.shifts, &holiday.date)?));
        }
        Ok(Self { zone, zone_name: time_zone.to_owned(), weekly, holidays })
    }

    /// The hours as a policy sees them at `now`.
    pub fn at(&self, now: Timestamp) -> Hours {
        let local = now.to_jiff().to_zoned(self.zone.clone());
        let today = local.date();
        let minute = minute_of(local.time());
        let (holiday, spans) = self.day(today);
        let current = spans.iter().find(|span| (span.from..span.until).contains(&minute));
        Hours {
            open: current.is_some(),
            time_zone: self.zone_name.clone(),
            local: local_time(today, minute),
            holiday: holiday.map(str::to_owned),
            opens: if current.is_some() { None } else { self.next_opening(today, minute) },
            closes: current.map(|span| self.closing(today, *span)),
        }
    }

    fn next_opening(&self, today: Date, minute: u16) -> Option<LocalTime> {
        let mut date = today;
        for day in 0..=DAYS_AHEAD {
            let (_, spans) = self.day(date);
            if let Some(span) = spans.iter().find(|span| day > 0 || span.from > minute) {
                return Some(local_time(date, span.from));
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The end of `span`, followed past midnight for as long as the next day opens at 00:00; where that
    /// never ends within the days looked ahead, the last midnight looked at.
    fn closing(&self, mut date: Date, mut span: Span) -> LocalTime {
        for _ in 0..DAYS_AHEAD {
            if span.until < 24 * 60 {
                break;
            }
            let Ok(tomorrow) = date.tomorrow() else { break };
            date = tomorrow;
            span = match self.day(date).1.first() {
                Some(next) if next.from == 0 => *next,
                _ => return local_time(date, 0),
            };
        }
        local_time(date, span.until % (24 * 60))
    }

    fn day(&self, date: Date) -> (Option<&str>, &[Span]) {
        if let Some((_, name, spans)) = self.holidays.iter().find(|(day, ..)| *day == date) {
            return (Some(name), spans);
        }
        let offset = date.weekday().to_monday_zero_offset().unsigned_abs();
        (None, &self.weekly[usize::from(offset)])
    }
}

pub(crate) fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

fn local_time(date: Date, minute: u16) -> LocalTime {
    LocalTime { date: date.to_string(), weekday: weekday_name(date.weekday()).to_owned(), minute }
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

fn parse_weekday(text: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(_, name)| text.eq_ignore_ascii_case(name)).map(|(day, _)| *day)
}

fn weekday_name(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(known, _)| *known == day).map_or("monday", |(_, name)| name)
}

fn parse_shifts(shifts: &[Shift], day: &str) -> Result<Vec<Span>, InvalidHours> {
    let mut spans: Vec<Span> = Vec::with_capacity(shifts.len());
    for shift in shifts {
        let wrong = || InvalidHours::Shift(format!("{}–{}", shift.from, shift.until), day.to_owned());
        let from = parse_minute(&shift.from).ok_or_else(wrong)?;
        let until = parse_minute(&shift.until).ok_or_else(wrong)?;
        if from >= until || spans.last().is_some_and(|before| before.until > from) {
            return Err(wrong());
        }
        spans.push(Span { from, until });
    }
    Ok(spans)
}

pub(crate) fn parse_minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 24 * 60).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clinic() -> Schedule {
        let shifts = |spans: &[(&str, &str)]| {
            spans
                .iter()
                .map(|(from, until)| Shift { from: (*from).to_owned(), until: (*until).to_owned() })
                .collect::<Vec<_>>()
        };
        let weekly = ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|day| DayShifts {
                day: day.to_owned(),
                shifts: shifts(&[("08:00", "12:00"), ("13:00", "17:00")]),
            })
            .to_vec();
        let holidays =
            vec![Holiday { date: "2026-11-26".into(), name: "Thanksgiving".into(), shifts: vec![] }];
        Schedule::new("America/Chicago", &OpeningHours { weekly, holidays }).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn split_shifts_weekends_and_holidays() {
        // (moment in UTC, open, next opening or closing). Chicago is UTC-6 in November.
        for (moment, open, next) in [
            ("2026-11-23T14:00:00Z", true, "2026-11-23 720"), // Monday 08:00, until noon
            ("2026-11-23T18:30:00Z", false, "2026-11-23 780"), // lunch, opens 13:00
            ("2026-11-23T22:59:00Z", true, "2026-11-23 1020"), // 16:59
            ("2026-11-23T23:00:00Z", false, "2026-11-24 480"), // 17:00, opens Tuesday
            ("2026-11-21T16:00:00Z", false, "2026-11-23 480"), // Saturday
            ("2026-11-26T16:00:00Z", false, "2026-11-27 480"), // Thanksgiving
        ] {
            let hours = clinic().at(at(moment));
            assert_eq!(hours.open, open, "{moment}");
            let shown = hours.opens.or(hours.closes).map(|t| format!("{} {}", t.date, t.minute));
            assert_eq!(shown.as_deref(), Some(next), "{moment}");
        }
        assert_eq!(clinic().at(at("2026-11-26T16:00:00Z")).holiday.as_deref(), Some("Thanksgiving"));
    }

    #[test]
    fn follows_daylight_saving() {
        // 13:30 UTC is 08:30 in Chicago's summer and 07:30 in its winter.
        assert!(clinic().at(at("2026-07-06T13:30:00Z")).open);
        assert!(!clinic().at(at("2026-12-07T13:30:00Z")).open);
    }

    #[test]
    fn past_midnight_and_always_open() {
        let every_day = |from: &str, until: &str| OpeningHours {
            weekly: WEEKDAYS
                .iter()
                .map(|(_, day)| DayShifts {
                    day: (*day).to_owned(),
                    shifts: vec![Shift { from: from.to_owned(), until: until.to_owned() }],
                })
                .collect(),
            holidays: vec![],
        };
        let always = Schedule::new("UTC", &every_day("00:00", "24:00")).unwrap();
        assert!(always.at(at("2026-11-23T23:59:59Z")).open);
        let evening = Schedule::new("UTC", &every_day("18:00", "24:00")).unwrap();
        let closes = evening.at(at("2026-11-23T20:00:00Z")).closes.unwrap();
        assert_eq!((closes.date.as_str(), closes.minute), ("2026-11-24", 0));
    }

    #[test]
    fn mistakes_are_named() {
        let hours = |from: &str, until: &str| OpeningHours {
            weekly: vec![DayShifts {
                day: "monday".into(),
                shifts: vec![Shift { from: from.into(), until: until.into() }],
            }],
            holidays: vec![],
        };
        assert!(matches!(
            Schedule::new("Mars/Base", &hours("08:00", "09:00")),
            Err(InvalidHours::TimeZone(_))
        ));
        assert!(matches!(Schedule::new("UTC", &hours("09:00", "08:00")), Err(InvalidHours::Shift(..))));
        assert!(matches!(Schedule::new("UTC", &hours("08:75", "09:00")), Err(InvalidHours::Shift(..))));
    }

    #[test]
    fn tidied_they_stand_in_the_order_of_the_calendar() {
        let day = |day: &str, shifts: &[(&str, &str)]| DayShifts {
            day: day.to_owned(),
            shifts: shifts
                .iter()
                .map(|(from, until)| Shift { from: (*from).into(), until: (*until).into() })
                .collect(),
        };
        let holiday = |date: &str| Holiday { date: date.into(), name: "Holiday".into(), shifts: vec![] };
        let mut hours = OpeningHours {
            weekly: vec![
                day("Friday", &[("08:00", "12:00")]),
                day("sunday", &[]),
                day("monday", &[("09:00", "10:00")]),
            ],
            holidays: vec![holiday("2026-12-25"), holiday("2026-11-26")],
        };
        hours.tidy("America/Chicago").unwrap();
        assert_eq!(hours.weekly.iter().map(|day| &*day.day).collect::<Vec<_>>(), ["monday", "friday"]);
        assert_eq!(
            hours.holidays.iter().map(|day| &*day.date).collect::<Vec<_>>(),
            ["2026-11-26", "2026-12-25"]
        );
        hours.holidays.push(holiday("2026-12-25"));
        assert_eq!(hours.tidy("America/Chicago"), Err(InvalidHours::Twice("2026-12-25".into())));
        hours.holidays.clear();
        hours.weekly.push(day("MONDAY", &[]));
        assert_eq!(hours.tidy("America/Chicago"), Err(InvalidHours::Twice("monday".into())));
        assert!(matches!(hours.tidy("Mars/Base"), Err(InvalidHours::TimeZone(_))));
    }

    #[test]
    fn a_span_over_the_hour_that_is_left_out_or_comes_twice() {
        let night = |from: &str, until: &str| {
            let shifts = vec![Shift { from: from.into(), until: until.into() }];
            let weekly = vec![DayShifts { day: "sunday".into(), shifts }];
            Schedule::new("America/Chicago", &OpeningHours { weekly, holidays: vec![] }).unwrap()
        };
        // March 8, 2026, 02:00 is left out: 01:59 CST is followed by 03:00 CDT.
        let spring = night("01:00", "03:00");
        assert!(spring.at(at("2026-03-08T07:59:00Z")).open);
        assert!(!spring.at(at("2026-03-08T08:00:00Z")).open);
        // November 1, 2026, 01:00 to 02:00 comes twice, and counts twice.
        let autumn = night("01:00", "02:00");
        for moment in ["2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z"] {
            assert!(autumn.at(at(moment)).open, "{moment}");
        }
        assert!(!autumn.at(at("2026-11-01T08:00:00Z")).open);
    }
}
