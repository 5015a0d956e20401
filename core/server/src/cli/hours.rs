//! Opening hours as they are typed: `monday-friday 08:00-12:00,13:00-17:00`, `2026-12-24 Christmas Eve 08:00-12:00`.

use anteroom_model::hours::{DayShifts, Holiday, OpeningHours, Shift};

use crate::cli::Failure;

static WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The hours that `open` (weekdays with spans) and `holidays` (dates with names, perhaps spans) tell.
pub(super) fn read(open: &[String], holidays: &[String], time_zone: &str) -> Result<OpeningHours, Failure> {
    let mut hours = OpeningHours::default();
    for text in open {
        let (days, spans) = text.split_once(' ').ok_or("say days and spans: monday-friday 08:00-17:00")?;
        let shifts = shifts(spans)?;
        hours.weekly.extend(
            weekdays(days)?.iter().map(|day| DayShifts { day: (*day).to_owned(), shifts: shifts.clone() }),
        );
    }
    for text in holidays {
        hours.holidays.push(holiday(text)?);
    }
    hours.tidy(time_zone)?;
    Ok(hours)
}

/// `monday`, or `monday-friday`.
fn weekdays(text: &str) -> Result<&'static [&'static str], Failure> {
    let place = |name: &str| {
        let found = WEEK.iter().position(|day| day.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Failure::from(format!("`{name}` is no weekday")))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (place(first)?, place(last)?);
    WEEK.get(first..=last).ok_or_else(|| format!("`{text}`: a week begins on monday").into())
}

/// `08:00-12:00,13:00-17:00`.
fn shifts(text: &str) -> Result<Vec<Shift>, Failure> {
    let spans = text.split(',').map(|span| {
        let (from, until) =
            span.trim().split_once('-').ok_or_else(|| format!("`{span}` is no span such as 08:00-12:00"))?;
        Ok(Shift { from: from.to_owned(), until: until.to_owned() })
    });
    spans.collect()
}

/// A date and a name; spans at the end, where it is not closed all day.
fn holiday(text: &str) -> Result<Holiday, Failure> {
    let (date, rest) = text.split_once(' ').ok_or("say a date and a name: 2026-12-25 Christmas Day")?;
    let (name, open) = match rest.rsplit_once(' ') {
        Some((name, last)) if last.contains(':') => (name, shifts(last)?),
        _ => (rest, Vec::new()),
    };
    Ok(Holiday { date: date.to_owned(), name: name.trim().to_owned(), shifts: open })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(open: &[&str], holidays: &[&str]) -> Result<OpeningHours, Failure> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        read(&owned(open), &owned(holidays), "America/Chicago")
    }

    #[test]
    fn as_people_type_them() {
        let hours = typed(
            &["monday-friday 08:00-12:00,13:00-17:00", "saturday 09:00-12:00"],
            &["2026-12-25 Christmas Day", "2026-12-24 Christmas Eve 08:00-12:00"],
        )
        .unwrap();
        assert_eq!(hours.weekly.len(), 6);
        assert_eq!(hours.weekly[0].shifts.len(), 2);
        assert_eq!(hours.weekly[5].day, "saturday");
        let days: Vec<_> = hours.holidays.iter().map(|day| (&*day.name, day.shifts.len())).collect();
        assert_eq!(days, [("Christmas Eve", 1), ("Christmas Day", 0)]);
    }

    #[test]
    fn mistakes_are_named() {
        for (open, holiday) in [
            ("monday", "2026-12-25 Christmas"),
            ("mondey 08:00-12:00", "2026-12-25 Christmas"),
            ("friday-monday 08:00-12:00", "2026-12-25 Christmas"),
            ("monday 08:00", "2026-12-25 Christmas"),
            ("monday 12:00-08:00", "2026-12-25 Christmas"),
            ("monday 08:00-12:00", "2026-12-25"),
            ("monday 08:00-12:00", "25.12. Christmas"),
        ] {
            assert!(typed(&[open], &[holiday]).is_err(), "{open}, {holiday}");
        }
    }
}
