//! What is saved of a source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DateOrder;
use crate::ids::FacilityId;

/// A field of a patient that a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum RosterField {
    /// What the source knows the patient by: the same in every file. Required.
    ExternalId,
    /// Given name.
    FirstName,
    /// Between the two.
    MiddleName,
    /// Family name. Required.
    LastName,
    /// What they like to be called.
    PreferredName,
    /// In the source's [`DateOrder`].
    DateOfBirth,
    /// BCP 47 (`es`), or the English name of a common language.
    Language,
    /// A phone of their own that takes texts.
    MobilePhone,
    /// At home.
    HomePhone,
    /// At work.
    WorkPhone,
    /// Name of a facility, or a word of `facilities`.
    Facility,
}

impl RosterField {
    /// Every field, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::ExternalId,
        Self::FirstName,
        Self::MiddleName,
        Self::LastName,
        Self::PreferredName,
        Self::DateOfBirth,
        Self::Language,
        Self::MobilePhone,
        Self::HomePhone,
        Self::WorkPhone,
        Self::Facility,
    ];

    /// The word used in settings and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::FirstName => "first_name",
            Self::MiddleName => "middle_name",
            Self::LastName => "last_name",
            Self::PreferredName => "preferred_name",
            Self::DateOfBirth => "date_of_birth",
            Self::Language => "language",
            Self::MobilePhone => "mobile_phone",
            Self::HomePhone => "home_phone",
            Self::WorkPhone => "work_phone",
            Self::Facility => "facility",
        }
    }
}

/// How the bytes of a file are letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Encoding {
    /// UTF-8 or UTF-16 where the file says so or is valid UTF-8; else Windows-1252.
    #[default]
    Auto,
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// What Windows programs of western languages write.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What stands between two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum Delimiter {
    /// Whichever the first line has most of.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Delimiter {
    /// The byte; `None` for [`Self::Auto`].
    pub const fn byte(self) -> Option<u8> {
        match self {
            Self::Auto => None,
            Self::Comma => Some(b','),
            Self::Semicolon => Some(b';'),
            Self::Tab => Some(b'\t'),
            Self::Pipe => Some(b'|'),
        }
    }
}

/// What becomes of patients that were in an earlier file and are not in this one. Nobody is ever deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum MissingRows {
    /// Nothing: files hold a part of the patients.
    #[default]
    Ignore,
    /// They are marked as no longer on the roster, until they come back.
    MarkInactive,
}

/// What keeps a wrong file from doing harm. Percentages count only from ten rows on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct RosterLimits {
    /// Rows of a file at most.
    pub rows: u32,
    /// Bytes of a file at most.
    pub bytes: u64,
    /// Nothing is applied where more than so many percent of the rows can't be used; 100 switches it off.
    pub refused_percent: u8,
    /// Nothing is applied where more than so many percent of the patients known from this source would change.
    pub changed_percent: u8,
    /// Nothing is applied where more than so many percent of them would be missing.
    pub missing_percent: u8,
}

impl Default for RosterLimits {
    fn default() -> Self {
        Self {
            rows: 250_000,
            bytes: 64 * 1024 * 1024,
            refused_percent: 20,
            changed_percent: 50,
            missing_percent: 10,
        }
    }
}

impl RosterLimits {
    /// Largest `rows` that can be set.
    pub const MOST_ROWS: u32 = 2_000_000;
    /// Largest `bytes` that can be set: a file is read into memory.
    pub const MOST_BYTES: u64 = 256 * 1024 * 1024;
}

/// What becomes of a file in the folder once it was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub enum AfterImport {
    /// It stays.
    #[default]
    Keep,
    /// It is moved to this folder of the same server, which must be there.
    MoveTo(String),
}

/// A folder that is looked into over SFTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct SftpSettings {
    /// Name or address of the server.
    pub host: String,
    /// 22 unless the server's administrator says otherwise.
    #[serde(default = "SftpSettings::port")]
    pub port: u16,
    /// Whom to sign in as.
    pub user: String,
    /// The server's public keys, as a line of `known_hosts` or of a `.pub` file has them. At least one: a server
    /// that proves none of them is not talked to.
    pub host_keys: Vec<String>,
    /// The folder.
    #[serde(default = "SftpSettings::folder")]
    pub folder: String,
    /// Which files of it: `*` stands for any letters, `?` for one.
    #[serde(default = "SftpSettings::pattern")]
    pub pattern: String,
    /// Seconds between two looks; 10 at least.
    #[serde(default = "SftpSettings::every")]
    pub every_seconds: u32,
    /// A file is read when it has had the same size and time of change in two looks so many seconds apart.
    #[serde(default = "SftpSettings::settle")]
    pub settle_seconds: u32,
    /// A file without a line end after its last row is taken for one that is still being written.
    #[serde(default = "SftpSettings::newline")]
    pub final_newline: bool,
    /// What becomes of the file.
    #[serde(default)]
    pub after: AfterImport,
    /// Administrators get a notice when so many looks have failed in a row.
    #[serde(default = "SftpSettings::patience")]
    pub notice_after: u32,
}

impl SftpSettings {
    const fn port() -> u16 {
        22
    }
    fn folder() -> String {
        ".".to_owned()
    }
    fn pattern() -> String {
        "*.csv".to_owned()
    }
    const fn every() -> u32 {
        900
    }
    const fn settle() -> u32 {
        60
    }
    const fn newline() -> bool {
        true
    }
    const fn patience() -> u32 {
        3
    }
}

/// Everything that is saved of a source, but for its name and its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct RosterSettings {
    /// Which column holds which field: its heading, or `#3` for the third column. External id and last name at
    /// least.
    pub columns: BTreeMap<RosterField, String>,
    /// The first line has headings.
    #[serde(default = "RosterSettings::header")]
    pub has_header: bool,
    /// Order of day, month and year.
    #[serde(default)]
    pub date_order: DateOrder,
    /// How the bytes are letters.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands between two fields.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// What kind of id the external ids are: part of what makes them unique.
    #[serde(default = "RosterSettings::id_kind")]
    pub id_kind: String,
    /// The facility of rows that name none.
    #[serde(default)]
    pub default_facility: Option<FacilityId>,
    /// What the facility column's words mean; a facility's own name needs no entry.
    #[serde(default)]
    pub facilities: BTreeMap<String, FacilityId>,
    /// A row with a phone number that can't be one is imported without that number, with a warning; else it is
    /// refused.
    #[serde(default)]
    pub skip_bad_phones: bool,
    /// What becomes of patients that a file doesn't have any more.
    #[serde(default)]
    pub missing: MissingRows,
    /// What keeps a wrong file from doing harm.
    #[serde(default)]
    pub limits: RosterLimits,
    /// Where files are pulled from; without it they are sent by hand.
    #[serde(default)]
    pub sftp: Option<SftpSettings>,
}

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fix}")]
pub struct SettingsProblem {
    /// Where.
    pub path: &'static str,
    /// What would do.
    pub fix: String,
}

impl RosterSettings {
    const fn header() -> bool {
        true
    }
    fn id_kind() -> String {
        "mrn".to_owned()
    }

    /// What of it decides how a file is read: the same file read in another way is another roster.
    #[must_use]
    pub fn reading(&self) -> Self {
        Self { sftp: None, limits: RosterLimits::default(), ..self.clone() }
    }

    /// The first thing that is wrong. Host keys are looked at where they can be parsed.
    pub fn check(&self) -> Result<(), SettingsProblem> {
        let wrong = |path, fix: &str| Err(SettingsProblem { path, fix: fix.to_owned() });
        for required in [RosterField::ExternalId, RosterField::LastName] {
            if !self.columns.contains_key(&required) {
                return wrong("columns", &format!("say which column holds {}", required.as_str()));
            }
        }
        if self.columns.values().any(|column| column.trim().is_empty() || column.len() > 200) {
            return wrong("columns", "a column's heading has 1 to 200 characters");
        }
        if !self.has_header && self.columns.values().any(|column| column_number(column).is_none()) {
            return wrong("columns", "without headings columns are named by their place: #1, #2, …");
        }
        let word = |text: &str| !text.is_empty() && text.len() <= 40 && !text.contains(char::is_whitespace);
        if !word(&self.id_kind) {
            return wrong("id_kind", "a word of 1 to 40 letters, such as mrn");
        }
        let limits = self.limits;
        if limits.rows == 0 || limits.rows > RosterLimits::MOST_ROWS {
            return wrong("limits.rows", &format!("1 to {}", RosterLimits::MOST_ROWS));
        }
        if limits.bytes == 0 || limits.bytes > RosterLimits::MOST_BYTES {
            return wrong("limits.bytes", &format!("1 to {}", RosterLimits::MOST_BYTES));
        }
        if [limits.refused_percent, limits.changed_percent, limits.missing_percent].iter().any(|p| *p > 100) {
            return wrong("limits", "percentages are 0 to 100; 100 switches a limit off");
        }
        self.sftp.as_ref().map_or(Ok(()), SftpSettings::check)
    }
}

impl SftpSettings {
    fn check(&self) -> Result<(), SettingsProblem> {
        let wrong = |path, fix: &str| Err(SettingsProblem { path, fix: fix.to_owned() });
        let plain = |text: &str| !text.is_empty() && text.len() <= 255 && !text.contains(char::is_control);
        if !plain(&self.host) || self.host.contains(['/', '@', ' ']) || self.port == 0 {
            return wrong("sftp.host", "a server's name or address, without user, port or path");
        }
        if !plain(&self.user) {
            return wrong("sftp.user", "whom to sign in as");
        }
        if self.host_keys.is_empty() || self.host_keys.len() > 10 {
            return wrong(
                "sftp.host_keys",
                "1 to 10 public keys of the server; docs/roster.md says how to get them",
            );
        }
        if !plain(&self.folder) {
            return wrong("sftp.folder", "the folder's path; . is the one after signing in");
        }
        if !plain(&self.pattern) || self.pattern.contains('/') {
            return wrong("sftp.pattern", "a file's name, with * and ? for what differs");
        }
        if !(10..=604_800).contains(&self.every_seconds) {
            return wrong("sftp.every_seconds", "10 to 604800");
        }
        if !(1..=86_400).contains(&self.settle_seconds) {
            return wrong("sftp.settle_seconds", "1 to 86400");
        }
        if self.notice_after == 0 {
            return wrong("sftp.notice_after", "1 or more");
        }
        match &self.after {
            AfterImport::MoveTo(folder) if !plain(folder) || *folder == self.folder => {
                wrong("sftp.after", "another folder than the one that is looked into")
            }
            _ => Ok(()),
        }
    }
}

/// 1 for `#1`.
pub(super) fn column_number(column: &str) -> Option<usize> {
    column.trim().strip_prefix('#')?.parse().ok().filter(|number| *number > 0)
}

/// Whether `name` fits `pattern`, where `*` stands for any letters and `?` for one.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star was, and how much it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star.as_mut() {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*.csv", "roster.csv", true),
            ("*.csv", "roster.csv.part", false),
            ("roster-????.csv", "roster-2026.csv", true),
            ("roster-????.csv", "roster-26.csv", false),
            ("*", "anything", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("", "", true),
            ("**", "", true),
        ] {
            assert_eq!(matches_pattern(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn settings_are_checked() {
        let good = serde_json::json!({ "columns": { "external_id": "MRN", "last_name": "Last" } });
        let settings: RosterSettings = serde_json::from_value(good).unwrap();
        assert_eq!(settings.check(), Ok(()));
        assert_eq!((settings.date_order, settings.limits.missing_percent), (DateOrder::Ymd, 10));
        let mut without = settings.clone();
        without.columns.remove(&RosterField::LastName);
        assert_eq!(without.check().unwrap_err().path, "columns");
        let sftp = |host_keys: &[&str]| {
            serde_json::from_value::<SftpSettings>(serde_json::json!({
                "host": "sftp.example", "user": "clinic", "host_keys": host_keys
            }))
            .unwrap()
        };
        let unknown = RosterSettings { sftp: Some(sftp(&[])), ..settings.clone() };
        assert_eq!(unknown.check().unwrap_err().path, "sftp.host_keys");
        let known = RosterSettings { sftp: Some(sftp(&["ssh-ed25519 AAAA"])), ..settings };
        assert_eq!(known.check(), Ok(()));
        assert!(serde_json::from_str::<RosterSettings>(r#"{"columns":{"nickname":"x"}}"#).is_err());
    }
}
