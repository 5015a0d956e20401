//! How much of a time lies within opening hours.

use jiff::{ToSpan, civil::Date};

use super::{Schedule, Span};
use crate::time::Timestamp;

/// Days that are looked at: what waits for longer is counted to its end all the same, as if it were closed then.
const MOST_DAYS: usize = 3_660;

impl Schedule {
    /// Microseconds between two moments in which the facility is open, by the clock on its wall: a shift over the
    /// night on which clocks are put forward is an hour shorter, one over the other night an hour longer.
    pub fn open_micros(&self, from: Timestamp, until: Timestamp) -> i64 {
        if from >= until {
            return 0;
        }
        let mut date = from.to_jiff().to_zoned(self.zone.clone()).date();
        let mut open = 0;
        for _ in 0..MOST_DAYS {
            if self.moment(date, 0) >= until {
                break;
            }
            for Span { from: begins, until: ends } in self.day(date).1 {
                let begins = self.moment(date, *begins).max(from);
                let ends = self.moment(date, *ends).min(until);
                open += (ends.micros() - begins.micros()).max(0);
            }
            let Ok(tomorrow) = date.tomorrow() else { break };
            date = tomorrow;
        }
        open
    }

    /// That minute of a day; one that the clock skips is the moment at which it is put forward by as much.
    fn moment(&self, date: Date, minute: u16) -> Timestamp {
        let local = date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes());
        let zoned = local.and_then(|local| local.to_zoned(self.zone.clone()));
        zoned.map_or(Timestamp::from_micros(i64::MAX), |zoned| {
            Timestamp::from_micros(zoned.timestamp().as_microsecond())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::{DayShifts, Holiday, OpeningHours, Shift};

    const HOUR: i64 = 3_600_000_000;

    fn schedule(shifts: &[(&str, &str)], days: &[&str]) -> Schedule {
        let shifts: Vec<Shift> = shifts
            .iter()
            .map(|(from, until)| Shift { from: (*from).to_owned(), until: (*until).to_owned() })
            .collect();
        let weekly =
            days.iter().map(|day| DayShifts { day: (*day).to_owned(), shifts: shifts.clone() }).collect();
        let holidays =
            vec![Holiday { date: "2026-11-26".into(), name: "Thanksgiving".into(), shifts: vec![] }];
        Schedule::new("America/Chicago", &OpeningHours { weekly, holidays }).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn lunch_nights_weekends_and_holidays_do_not_count() {
        let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let clinic = schedule(&[("08:00", "12:00"), ("13:00", "17:00")], &weekdays);
        for (from, until, hours) in [
            ("2026-11-23T10:00:00-06:00", "2026-11-23T10:30:00-06:00", 0.5), // a Monday morning
            ("2026-11-23T11:30:00-06:00", "2026-11-23T13:30:00-06:00", 1.0), // over lunch
            ("2026-11-23T16:00:00-06:00", "2026-11-24T09:00:00-06:00", 2.0), // overnight
            ("2026-11-20T16:00:00-06:00", "2026-11-23T09:00:00-06:00", 2.0), // over the weekend
            ("2026-11-25T16:00:00-06:00", "2026-11-27T09:00:00-06:00", 2.0), // over Thanksgiving
            ("2026-11-21T16:00:00-06:00", "2026-11-21T19:00:00-06:00", 0.0), // a Saturday
            ("2026-11-23T12:00:00-06:00", "2026-11-23T11:00:00-06:00", 0.0), // backwards
            ("2026-11-16T00:00:00-06:00", "2026-11-23T00:00:00-06:00", 40.0), // a week
        ] {
            #[expect(clippy::cast_possible_truncation, reason = "halves of hours")]
            let expected = (hours * 2.0) as i64 * HOUR / 2;
            assert_eq!(clinic.open_micros(at(from), at(until)), expected, "{from} to {until}");
        }
    }

    #[test]
    fn follows_the_clock_on_the_wall_when_it_is_put_forward_and_back() {
        let days = ["sunday"];
        let nights = schedule(&[("00:00", "06:00")], &days);
        // 8 March 2026: from 02:00 to 03:00. 1 November 2026: from 02:00 back to 01:00.
        let whole = |from, until| nights.open_micros(at(from), at(until)) / HOUR;
        assert_eq!(whole("2026-03-07T12:00:00-06:00", "2026-03-08T12:00:00-05:00"), 5);
        assert_eq!(whole("2026-10-31T12:00:00-05:00", "2026-11-01T12:00:00-06:00"), 7);
        assert_eq!(whole("2026-11-14T12:00:00-06:00", "2026-11-15T12:00:00-06:00"), 6);
    }

    #[test]
    fn until_midnight_is_until_the_next_day() {
        let always = Schedule::new("UTC", &OpeningHours::always()).unwrap();
        let (from, until) = (at("2026-11-23T13:00:00Z"), at("2026-11-25T14:00:00Z"));
        assert_eq!(always.open_micros(from, until), 49 * HOUR);
    }
}
