//! Calendar dates and how to write them, without a clock.

use crate::LocalTime;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A date of the Gregorian calendar; always one that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// `None` where there is no such day. Years are 1 to 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        ((1..=9999).contains(&year) && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }

    /// Parses `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        if year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// The year, 1 to 9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// `YYYY-MM-DD`.
    pub fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Days since 0000-03-01; only differences mean something.
    fn days(self) -> i32 {
        // Years start in March, so that the leap day is the last of its year.
        let (year, month) = if self.month > 2 {
            (i32::from(self.year), i32::from(self.month) - 3)
        } else {
            (i32::from(self.year) - 1, i32::from(self.month) + 9)
        };
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + i32::from(self.day)
    }

    /// Days from `earlier` to `self`.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.days() - earlier.days()
    }
}

/// `Monday 8:00 AM`; a week or more after `today`, the date is added: `Monday, March 16, 8:00 AM`.
pub fn spoken(at: &LocalTime, today: &LocalTime) -> String {
    let mut letters = at.weekday.chars();
    let weekday: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let far = match (Date::parse(&at.date), Date::parse(&today.date)) {
        (Some(date), Some(today)) if date.days_since(today) > 6 => Some(date),
        _ => None,
    };
    match far {
        Some(date) => {
            let month = MONTHS[usize::from(date.month) - 1];
            format!("{weekday}, {month} {}, {}", date.day, twelve_hours(at.minute))
        }
        None => format!("{weekday} {}", twelve_hours(at.minute)),
    }
}

/// `8:00 AM` from minutes since midnight.
fn twelve_hours(minute: u16) -> String {
    let (hour, minute) = (minute / 60 % 24, minute % 60);
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    format!("{hour}:{minute:02} {half}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::local;

    #[test]
    fn only_days_that_exist() {
        let cases = [
            (2024, 2, 29, true),
            (2023, 2, 29, false),
            (1900, 2, 29, false),
            (2000, 2, 29, true),
            (1985, 4, 31, false),
            (1985, 12, 31, true),
            (1985, 13, 1, false),
            (1985, 0, 1, false),
            (1985, 1, 0, false),
            (0, 1, 1, false),
        ];
        for (y, m, d, exists) in cases {
            assert_eq!(Date::new(y, m, d).is_some(), exists, "{y}-{m}-{d}");
        }
        assert_eq!(Date::parse("1985-03-04").unwrap().iso(), "1985-03-04");
        assert_eq!(Date::parse("1985-3-4"), None);
        assert_eq!(Date::parse("1985-03-04T00"), None);
    }

    #[test]
    fn differences_count_leap_days() {
        let days = |a: &str, b: &str| Date::parse(b).unwrap().days_since(Date::parse(a).unwrap());
        assert_eq!(days("2024-02-28", "2024-03-01"), 2);
        assert_eq!(days("2023-02-28", "2023-03-01"), 1);
        assert_eq!(days("1970-01-01", "2026-03-04"), 20_516);
        assert_eq!(days("2025-12-31", "2026-01-01"), 1);
    }

    #[test]
    fn moments_are_spoken() {
        let today = local("2026-03-06", "friday", 1200);
        let cases = [
            (local("2026-03-09", "monday", 480), "Monday 8:00 AM"),
            (local("2026-03-07", "saturday", 0), "Saturday 12:00 AM"),
            (local("2026-03-07", "saturday", 725), "Saturday 12:05 PM"),
            (local("2026-03-12", "thursday", 1439), "Thursday 11:59 PM"),
            (local("2026-03-13", "friday", 480), "Friday, March 13, 8:00 AM"),
        ];
        for (at, text) in cases {
            assert_eq!(spoken(&at, &today), text);
        }
    }
}
