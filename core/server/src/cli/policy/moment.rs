//! Wall-clock moments as cases write them: `2026-03-06 20:00`.

use anteroom_model::hooks::LocalTime;
use jiff::civil::{DateTime, Weekday};
use serde::Deserialize;

/// A moment on the facility's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Moment(pub(super) DateTime);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("expected a moment such as \"2026-03-06 20:00\", found \"{text}\"");
        DateTime::strptime("%Y-%m-%d %H:%M", &text).map(Self).map_err(|_| wrong())
    }
}

impl Moment {
    /// As policies see it.
    pub(super) fn local(self) -> LocalTime {
        let weekday = match self.0.weekday() {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        };
        let minute = u16::from(self.0.hour().unsigned_abs()) * 60 + u16::from(self.0.minute().unsigned_abs());
        LocalTime { date: self.0.date().to_string(), weekday: weekday.to_owned(), minute }
    }

    /// In microseconds since 1970; `None` for a time zone that there is not.
    pub(super) fn micros(self, time_zone: &str) -> Option<i64> {
        Some(self.0.in_tz(time_zone).ok()?.timestamp().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_knows_its_weekday_and_its_instant() {
        let moment = Moment::try_from("2026-03-06 20:05".to_owned()).unwrap();
        let local = LocalTime { date: "2026-03-06".into(), weekday: "friday".into(), minute: 1205 };
        assert_eq!(moment.local(), local);
        assert_eq!(moment.micros("America/Chicago"), Some(1_772_849_100_000_000));
        assert_eq!(moment.micros("Mars/Olympus"), None);
        assert!(Moment::try_from("8 pm".to_owned()).unwrap_err().contains("2026-03-06 20:00"));
    }
}
