//! What keeps a wrong file from doing harm.

use anteroom_model::roster::RosterLimits;
use anteroom_store::{RunProblem, Tally};

/// Of fewer rows no share is reckoned: one of three is a third.
const LEAST: i64 = 10;

/// Refuses a file many of whose rows can't be used.
pub(super) fn check_refused(limits: &RosterLimits, rows: usize, refused: usize) -> Result<(), RunProblem> {
    let [rows, refused] = [rows, refused].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let fix = "look at a dry run's report; correct the columns or the file, or raise limits.refused_percent";
    check("too_many_refused", "rows can't be used", limits.refused_percent, refused, rows, fix)
}

/// Refuses a file that would change or miss many of the `known` patients.
pub(super) fn check_changes(limits: &RosterLimits, known: i64, tally: &Tally) -> Result<(), RunProblem> {
    let fix =
        "look at a dry run's report; if the file is right, raise limits.changed_percent and send it again";
    check("too_many_changed", "patients would change", limits.changed_percent, tally.changed, known, fix)?;
    let fix =
        "look at a dry run's report; if the file is right, raise limits.missing_percent and send it again";
    check("too_many_missing", "patients would be missing", limits.missing_percent, tally.missing, known, fix)
}

fn check(code: &str, what: &str, percent: u8, count: i64, of: i64, fix: &str) -> Result<(), RunProblem> {
    if count < LEAST || percent >= 100 || count.saturating_mul(100) <= of.saturating_mul(i64::from(percent)) {
        return Ok(());
    }
    Err(RunProblem {
        code: code.to_owned(),
        expected: format!("{percent} % at most"),
        found: format!("{count} of {of} {what}"),
        fix: fix.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_from_ten_on() {
        let limits = RosterLimits { refused_percent: 20, ..RosterLimits::default() };
        assert!(check_refused(&limits, 9, 9).is_ok());
        assert!(check_refused(&limits, 100, 20).is_ok());
        assert_eq!(check_refused(&limits, 100, 21).unwrap_err().found, "21 of 100 rows can't be used");
        let off = RosterLimits { refused_percent: 100, ..limits };
        assert!(check_refused(&off, 100, 100).is_ok());
        let tally = |changed, missing| Tally { changed, missing, ..Tally::default() };
        assert!(check_changes(&limits, 100, &tally(50, 10)).is_ok());
        assert_eq!(check_changes(&limits, 100, &tally(51, 0)).unwrap_err().code, "too_many_changed");
        assert_eq!(check_changes(&limits, 100, &tally(0, 11)).unwrap_err().code, "too_many_missing");
    }
}
