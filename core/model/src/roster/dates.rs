//! Dates of birth as lists have them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Order of day, month and year in a source's dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum DateOrder {
    /// `1985-03-04`
    #[default]
    Ymd,
    /// `3/4/1985` is the fourth of March.
    Mdy,
    /// `4.3.1985` is the fourth of March.
    Dmy,
}

impl DateOrder {
    /// An example for those who have to correct a file.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Ymd => "1985-03-04",
            Self::Mdy => "03/04/1985",
            Self::Dmy => "04.03.1985",
        }
    }
}

/// Why a text is no date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateProblem {
    /// Not three numbers in this order, or a day that isn't in the calendar.
    NotADate,
    /// The century is missing: a roster has people of both.
    TwoDigitYear,
    /// After today, or before 1880.
    Unlikely,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const OLDEST: i16 = 1880;

/// Reads a date of birth in `order`; also `1985-03-04` in any order, a month's English name, eight digits, and
/// with a time of day behind it. `today` is the latest one possible.
pub fn read_date(text: &str, order: DateOrder, today: Date) -> Result<Date, DateProblem> {
    let text = without_time(text.trim());
    let parts: Vec<&str> = text.split(['/', '-', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let compact = |at: [(usize, usize); 3]| at.map(|(from, to)| &text[from..to]);
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let [a, b, c] = match parts[..] {
        [a, b, c] => [a, b, c],
        [_] if digits && text.len() == 8 => match order {
            DateOrder::Ymd => compact([(0, 4), (4, 6), (6, 8)]),
            DateOrder::Mdy | DateOrder::Dmy => compact([(0, 2), (2, 4), (4, 8)]),
        },
        _ => return Err(DateProblem::NotADate),
    };
    let named = |part: &str| {
        let part = part.to_lowercase();
        let at = MONTHS.iter().position(|month| part.len() >= 3 && part.starts_with(month))?;
        part.chars().all(char::is_alphabetic).then(|| i8::try_from(at + 1).unwrap_or(0))
    };
    let (year, month, day) = if let Some(month) = named(b) {
        // 04-Mar-1985, 1985-Mar-04
        if a.len() == 4 { (a, month, c) } else { (c, month, a) }
    } else if let Some(month) = named(a) {
        (c, month, b)
    } else {
        let (year, month, day) = match order {
            _ if a.len() == 4 => (a, b, c),
            DateOrder::Ymd => (a, b, c),
            DateOrder::Mdy => (c, a, b),
            DateOrder::Dmy => (c, b, a),
        };
        (year, number(month)?, day)
    };
    let day = number(day)?;
    match year.len() {
        4 => {}
        2 if year.bytes().all(|b| b.is_ascii_digit()) => return Err(DateProblem::TwoDigitYear),
        _ => return Err(DateProblem::NotADate),
    }
    let year: i16 = year.parse().map_err(|_| DateProblem::NotADate)?;
    let date = Date::new(year, month, day).map_err(|_| DateProblem::NotADate)?;
    if date > today || year < OLDEST { Err(DateProblem::Unlikely) } else { Ok(date) }
}

/// One or two digits.
fn number(text: &str) -> Result<i8, DateProblem> {
    let short = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| short).ok_or(DateProblem::NotADate)
}

/// `1985-03-04 00:00:00` and `1985-03-04T00:00`: what databases export for a date.
fn without_time(text: &str) -> &str {
    let Some(at) = text.find([' ', 'T']).filter(|at| text[at + 1..].contains(':')) else { return text };
    let time = text[at + 1..].trim();
    let clock =
        |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ' ' | 'A' | 'P' | 'M' | 'Z' | '+' | '-');
    if time.starts_with(|c: char| c.is_ascii_digit()) && time.chars().all(clock) { &text[..at] } else { text }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_order_reads_its_own() {
        let today = date(2026, 11, 23);
        let march = date(1985, 3, 4);
        for (text, order) in [
            ("1985-03-04", DateOrder::Ymd),
            ("1985/3/4", DateOrder::Ymd),
            ("19850304", DateOrder::Ymd),
            ("1985-03-04 00:00:00", DateOrder::Ymd),
            ("1985-03-04T00:00:00.000Z", DateOrder::Mdy),
            ("3/4/1985", DateOrder::Mdy),
            ("03041985", DateOrder::Mdy),
            ("3/4/1985 12:00:00 AM", DateOrder::Mdy),
            ("1985-03-04", DateOrder::Mdy),
            ("March 4, 1985", DateOrder::Mdy),
            ("4.3.1985", DateOrder::Dmy),
            ("04-Mar-1985", DateOrder::Dmy),
            ("1985-03-04", DateOrder::Dmy),
            (" 04/03/1985 ", DateOrder::Dmy),
        ] {
            assert_eq!(read_date(text, order, today), Ok(march), "{text:?} {order:?}");
        }
    }

    #[test]
    fn what_is_no_date_says_why() {
        use DateProblem::{NotADate, TwoDigitYear, Unlikely};
        let today = date(2026, 11, 23);
        for (text, order, why) in [
            ("13/4/1985", DateOrder::Mdy, NotADate),
            ("31.2.1985", DateOrder::Dmy, NotADate),
            ("3/4/85", DateOrder::Mdy, TwoDigitYear),
            ("3/4/2085", DateOrder::Mdy, Unlikely),
            ("2026-11-24", DateOrder::Ymd, Unlikely),
            ("1779-01-01", DateOrder::Ymd, Unlikely),
            ("31234", DateOrder::Mdy, NotADate),
            ("unknown", DateOrder::Ymd, NotADate),
            ("1985-03", DateOrder::Ymd, NotADate),
            ("3/4/19855", DateOrder::Mdy, NotADate),
            ("۱۹۸۵-۰۳-۰۴", DateOrder::Ymd, NotADate),
            ("", DateOrder::Ymd, NotADate),
        ] {
            assert_eq!(read_date(text, order, today), Err(why), "{text:?}");
        }
    }
}
