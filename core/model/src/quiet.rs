//! Quiet hours: when automatic replies stay silent.

use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    hours::{minute_of, parse_minute},
    time::Timestamp,
};

/// A span of each day, in the time zone of the number's facility; past midnight where `until` is not after `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`; the first minute that is not quiet any more.
    pub until: String,
    /// What becomes of a reply.
    pub replies: QuietReplies,
}

/// What becomes of an automatic reply in quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum QuietReplies {
    /// It is not sent.
    Skip,
    /// It is sent when they end, unless staff have answered by then.
    Defer,
}

/// What is wrong with quiet hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// Not a time of day.
    #[error("`{0}` is not a time of day: HH:MM, from 00:00 to 23:59")]
    Time(String),
    /// No span at all.
    #[error("quiet hours that end when they begin are none")]
    Empty,
}

impl QuietHours {
    /// Whether they can be kept.
    ///
    /// # Errors
    ///
    /// A time that is none, or a span without length.
    pub fn check(&self) -> Result<(), InvalidQuietHours> {
        let minute = |text: &str| {
            parse_minute(text)
                .filter(|minute| *minute < 24 * 60)
                .ok_or_else(|| InvalidQuietHours::Time(text.into()))
        };
        if minute(&self.from)? == minute(&self.until)? { Err(InvalidQuietHours::Empty) } else { Ok(()) }
    }

    /// When the quiet hours that `now` lies in end; `None`: it lies in none. `zone` is an IANA name.
    pub fn end(&self, now: Timestamp, zone: &str) -> Option<Timestamp> {
        let (from, until) = (parse_minute(&self.from)?, parse_minute(&self.until)?);
        let zone = TimeZone::get(zone).ok()?;
        let local = now.to_jiff().to_zoned(zone.clone());
        let minute = minute_of(local.time());
        let quiet =
            if from < until { (from..until).contains(&minute) } else { minute >= from || minute < until };
        if !quiet {
            return None;
        }
        let day = if minute < until { local.date() } else { local.date().tomorrow().ok()? };
        let hour = i8::try_from(until / 60).ok()?;
        let end = day.to_datetime(Time::new(hour, i8::try_from(until % 60).ok()?, 0, 0).ok()?);
        let end = end.to_zoned(zone).ok()?.timestamp().as_microsecond();
        Some(Timestamp::from_micros(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn night(from: &str, until: &str) -> QuietHours {
        QuietHours { from: from.into(), until: until.into(), replies: QuietReplies::Skip }
    }

    #[test]
    fn end_in_the_morning_of_the_clinics_zone() {
        let hours = night("21:00", "08:00");
        let end = |now| hours.end(at(now), "America/Chicago").map(|end| end.to_string());
        // 21:00 in Chicago is 03:00 UTC in winter; its clocks go forward on 14 March 2027.
        assert_eq!(end("2026-11-24T02:59:59Z"), None);
        assert_eq!(end("2026-11-24T03:00:00Z").as_deref(), Some("2026-11-24T14:00:00.000000Z"));
        assert_eq!(end("2026-11-24T13:59:59Z").as_deref(), Some("2026-11-24T14:00:00.000000Z"));
        assert_eq!(end("2026-11-24T14:00:00Z"), None);
        assert_eq!(end("2027-03-14T05:00:00Z").as_deref(), Some("2027-03-14T13:00:00.000000Z"));
    }

    #[test]
    fn may_lie_within_a_day() {
        let hours = night("12:00", "13:30");
        assert_eq!(hours.end(at("2026-11-24T11:59:00Z"), "UTC"), None);
        assert_eq!(hours.end(at("2026-11-24T12:00:00Z"), "UTC"), Some(at("2026-11-24T13:30:00Z")));
        assert_eq!(hours.end(at("2026-11-24T13:30:00Z"), "UTC"), None);
    }

    #[test]
    fn what_is_none_is_named() {
        assert_eq!(night("21:00", "08:00").check(), Ok(()));
        assert_eq!(night("21:00", "21:00").check(), Err(InvalidQuietHours::Empty));
        for wrong in ["24:00", "9", "21:60", "", "noon"] {
            assert_eq!(night(wrong, "08:00").check(), Err(InvalidQuietHours::Time(wrong.into())));
        }
    }
}
