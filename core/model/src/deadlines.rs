//! The time there is to honour a revocation: ten business days (47 CFR 64.1200(a)(10)).

use std::time::Duration;

use jiff::{ToSpan, civil::Weekday, tz::TimeZone};

use crate::time::Timestamp;

/// Business days within which a revocation must be honoured, however it was made.
pub const REVOCATION_DAYS: u32 = 10;

/// The moment `days` business days after `moment`, at the same time of day. Every weekday counts, also a federal
/// holiday: so the deadline is never later than the law's. `zone` is an IANA name; one that is none counts as UTC.
pub fn business_days_after(moment: Timestamp, days: u32, zone: &str) -> Timestamp {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let mut at = moment.to_jiff().to_zoned(zone);
    let mut left = days;
    while left > 0 {
        let Ok(next) = at.checked_add(1.day()) else { break };
        at = next;
        if !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
            left -= 1;
        }
    }
    Timestamp::from_micros(at.timestamp().as_microsecond())
}

/// When a revocation made at `asked` must be honoured at the latest.
pub fn revocation_due(asked: Timestamp, zone: &str) -> Timestamp {
    business_days_after(asked, REVOCATION_DAYS, zone)
}

/// How long before `due` people are reminded: two days.
pub const REMINDER: Duration = Duration::from_hours(48);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn weekends_do_not_count() {
        for (asked, due) in [
            // Monday to Monday a fortnight later.
            ("2026-11-23T10:00:00Z", "2026-12-07T10:00:00Z"),
            // Friday, Saturday and Sunday end on a Friday.
            ("2026-11-20T10:00:00Z", "2026-12-04T10:00:00Z"),
            ("2026-11-21T10:00:00Z", "2026-12-04T10:00:00Z"),
            ("2026-11-22T10:00:00Z", "2026-12-04T10:00:00Z"),
        ] {
            assert_eq!(revocation_due(at(asked), "UTC"), at(due), "{asked}");
        }
    }

    #[test]
    fn the_day_is_the_clinics() {
        // Sunday evening in Honolulu is Monday in UTC.
        let sunday = at("2026-11-23T05:00:00Z");
        assert_eq!(business_days_after(sunday, 1, "UTC"), at("2026-11-24T05:00:00Z"));
        assert_eq!(business_days_after(sunday, 1, "Pacific/Honolulu"), at("2026-11-24T05:00:00Z"));
        assert_eq!(business_days_after(sunday, 1, "nowhere"), at("2026-11-24T05:00:00Z"));
        let friday = at("2026-11-28T05:00:00Z");
        assert_eq!(business_days_after(friday, 1, "UTC"), at("2026-11-30T05:00:00Z"));
        assert_eq!(business_days_after(friday, 1, "Pacific/Honolulu"), at("2026-12-01T05:00:00Z"));
    }
}
