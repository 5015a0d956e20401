//! Lists of patients that come from a clinic's own system: how one is read, and what a row of it says.
//!
//! [`RosterSettings`] is what an administrator saves once per source; [`read_row`] makes a [`RosterRow`] of the
//! texts of one record, or says per column what is wrong with it, without repeating what it found.

mod dates;
mod row;
mod settings;

pub use dates::{DateOrder, DateProblem, read_date};
pub use row::{Reading, RosterPhone, RosterRow, RowProblem, read_id, read_row, roster_field_names, shape};
pub use settings::{
    AfterImport, Delimiter, Encoding, MissingRows, RosterField, RosterLimits, RosterSettings,
    SettingsProblem, SftpSettings, matches_pattern,
};
