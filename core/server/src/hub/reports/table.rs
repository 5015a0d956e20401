//! A report as a table for a spreadsheet.

use super::{ActivityReport, Figures, GroupBy};
use crate::{hub::spreadsheet::plain, problem::Problem};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The rows that `group_by` asks for, with a heading.
pub(super) fn of<F: Figures>(report: &ActivityReport<F>, group_by: GroupBy) -> Result<Vec<u8>, Problem> {
    let (heading, rows): (Vec<&str>, Vec<(Vec<String>, &F)>) = match group_by {
        GroupBy::Day | GroupBy::Week => {
            let rows = report.series.iter();
            let cells = |(from, to): (&String, &String)| vec![from.clone(), to.clone()];
            (vec!["from", "to"], rows.map(|row| (cells((&row.from, &row.to)), &row.figures)).collect())
        }
        GroupBy::Hour => {
            let rows = report.hours.iter();
            let weekday = |number: i8| {
                let at = usize::try_from(number - 1).unwrap_or(0);
                WEEKDAYS.get(at).copied().unwrap_or_default().to_owned()
            };
            let cells = rows.map(|row| (vec![weekday(row.weekday), row.hour.to_string()], &row.figures));
            (vec!["weekday", "hour"], cells.collect())
        }
        GroupBy::Facility | GroupBy::Number | GroupBy::Team | GroupBy::Staff => {
            let rows = report.groups.iter();
            let name = |name: &Option<String>| plain(name.as_deref().unwrap_or_default());
            (vec!["name"], rows.map(|row| (vec![name(&row.name)], &row.figures)).collect())
        }
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = write(&mut writer, &heading, &rows);
    written.map_err(|error| Problem::internal(&error))?;
    writer.into_inner().map_err(|error| Problem::internal(error.error()))
}

fn write<F: Figures>(
    writer: &mut csv::Writer<Vec<u8>>,
    heading: &[&str],
    rows: &[(Vec<String>, &F)],
) -> Result<(), csv::Error> {
    writer.write_record(heading.iter().chain(F::COLUMNS))?;
    for (cells, figures) in rows {
        let values = figures.cells().into_iter();
        let values = values.map(|value| value.map(|value| value.to_string()).unwrap_or_default());
        writer.write_record(cells.iter().cloned().chain(values))?;
    }
    Ok(())
}
