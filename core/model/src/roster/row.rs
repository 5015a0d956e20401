//! One row of a list: validated, or refused column by column.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{DateProblem, RosterField, RosterSettings, read_date};
use crate::{ids::FacilityId, names, phone::Address, states::PhoneKind};

/// A phone of a row.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterPhone {
    /// Its kind.
    pub kind: PhoneKind,
    /// E.164.
    pub number: String,
}

/// What a row says of a patient. A field that no column holds, or an empty one, is `None`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RosterRow {
    /// What the source knows the patient by.
    pub external_id: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Between the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Family name.
    pub last_name: String,
    /// What they like to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Each number once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<RosterPhone>,
    /// Where they are seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facility_id: Option<FacilityId>,
}

impl fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RosterRow(…)")
    }
}

impl fmt::Debug for RosterPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RosterPhone({})", self.kind.as_str())
    }
}

impl RosterRow {
    /// Names of the fields in which `other` differs, in the words of the API.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("first_name", self.first_name == other.first_name),
            ("middle_name", self.middle_name == other.middle_name),
            ("last_name", self.last_name == other.last_name),
            ("preferred_name", self.preferred_name == other.preferred_name),
            ("date_of_birth", self.date_of_birth == other.date_of_birth),
            ("language", self.language == other.language),
            ("phones", self.phones == other.phones),
            ("facility", self.facility_id == other.facility_id),
        ];
        pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

/// Every word that [`RosterRow::differences`] uses.
pub fn roster_field_names() -> Vec<&'static str> {
    let other = RosterRow {
        first_name: "a".into(),
        middle_name: Some("a".into()),
        last_name: "a".into(),
        preferred_name: Some("a".into()),
        date_of_birth: Some("a".into()),
        language: Some("a".into()),
        phones: vec![RosterPhone { kind: PhoneKind::Home, number: "a".into() }],
        facility_id: Some(FacilityId::GREATEST),
        external_id: String::new(),
    };
    RosterRow::default().differences(&other)
}

/// What is wrong with one field of a row. Says nothing of what the field holds but its shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct RowProblem {
    /// The column's heading, or its place (`#3`); empty where it is about the whole row.
    pub column: String,
    /// A stable word, listed in docs/roster.md.
    pub code: Cow<'static, str>,
    /// What would do.
    pub expected: String,
    /// The shape of what is there: every digit is a 9, every letter an a.
    pub found: String,
    /// What to do.
    pub fix: String,
}

/// How rows are read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The source's.
    pub settings: &'a RosterSettings,
    /// Facilities by their folded names, and the source's own words for them folded.
    pub facilities: BTreeMap<String, FacilityId>,
    /// Nobody is born after it.
    pub today: Date,
}

/// Longest name and id, in characters.
const LONGEST: usize = 100;
const LONGEST_ID: usize = 64;

/// `Jane, 3/4/85` becomes `Aaaa, 9/9/99`: enough to find a mistake, and nobody's data.
pub fn shape(text: &str) -> String {
    let mut shape: String = text
        .chars()
        .take(24)
        .map(|c| match c {
            c if c.is_numeric() => '9',
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_control() => '·',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect();
    if text.chars().count() > 24 {
        shape.push('…');
    }
    if shape.is_empty() { "nothing".to_owned() } else { shape }
}

/// An external id as it is compared: without what spreadsheets are told so that they keep leading zeros
/// (`="00123"`).
pub fn read_id(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

/// Reads a row; `field` gives the text of a column and the column's name, where the source has one for it.
/// Gives the row with warnings, or all that is wrong with it.
pub fn read_row<'t>(
    reading: &Reading<'_>,
    field: impl Fn(RosterField) -> Option<(&'t str, &'t str)>,
) -> Result<(RosterRow, Vec<RowProblem>), Vec<RowProblem>> {
    let mut read = Read { problems: Vec::new(), warnings: Vec::new() };
    let mut text = |of: RosterField| field(of).map(|(text, column)| (text.trim(), column));
    let row = RosterRow {
        external_id: read.external_id(text(RosterField::ExternalId)),
        first_name: read.name(text(RosterField::FirstName)).unwrap_or_default(),
        middle_name: read.name(text(RosterField::MiddleName)),
        last_name: read.last_name(text(RosterField::LastName)),
        preferred_name: read.name(text(RosterField::PreferredName)),
        date_of_birth: read.date(text(RosterField::DateOfBirth), reading),
        language: read.language(text(RosterField::Language)),
        phones: read.phones(&mut text, reading.settings.skip_bad_phones),
        facility_id: read.facility(text(RosterField::Facility), reading),
    };
    if read.problems.is_empty() { Ok((row, read.warnings)) } else { Err(read.problems) }
}

type Cell<'t> = Option<(&'t str, &'t str)>;

struct Read {
    problems: Vec<RowProblem>,
    warnings: Vec<RowProblem>,
}

fn problem(column: &str, code: &'static str, expected: &str, found: &str, fix: &str) -> RowProblem {
    RowProblem {
        column: column.to_owned(),
        code: code.into(),
        expected: expected.to_owned(),
        found: shape(found),
        fix: fix.to_owned(),
    }
}

impl Read {
    fn wrong(&mut self, column: &str, code: &'static str, expected: &str, found: &str, fix: &str) {
        self.problems.push(problem(column, code, expected, found, fix));
    }

    fn external_id(&mut self, cell: Cell<'_>) -> String {
        let (text, column) = cell.unwrap_or_default();
        let text = read_id(text);
        if text.is_empty() {
            self.wrong(column, "id_missing", "an id", text, "give every row the patient's id");
        } else if text.chars().count() > LONGEST_ID
            || text.contains(char::is_control)
            || names::fold(text).is_empty()
        {
            let expected = "letters or digits, 64 at most, on one line";
            self.wrong(column, "id_unusable", expected, text, "export the id as it is in the system");
        } else if is_rounded(text) {
            let fix = "a spreadsheet has rounded the id: export it as text";
            self.wrong(column, "id_rounded", "all digits of the id", text, fix);
        }
        text.to_owned()
    }

    fn name(&mut self, cell: Cell<'_>) -> Option<String> {
        let (text, column) = cell?;
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return None;
        }
        if name.contains('\u{fffd}') {
            let fix = "the file's letters were damaged before it came here: export it as UTF-8";
            self.wrong(column, "name_damaged", "letters", &name, fix);
        } else if name.chars().count() > LONGEST || name.contains(char::is_control) {
            self.wrong(column, "name_unusable", "100 characters at most", &name, "shorten the name");
        } else if names::fold(&name).is_empty() || !name.contains(char::is_alphabetic) {
            self.wrong(column, "name_unusable", "a name with letters", &name, "check the column mapping");
        }
        Some(name)
    }

    fn last_name(&mut self, cell: Cell<'_>) -> String {
        let before = self.problems.len();
        let name = self.name(cell).unwrap_or_default();
        if name.is_empty() && self.problems.len() == before {
            let column = cell.map_or("", |(_, column)| column);
            self.wrong(column, "name_missing", "a last name", "", "give every row a last name");
        }
        name
    }

    fn date(&mut self, cell: Cell<'_>, reading: &Reading<'_>) -> Option<String> {
        let (text, column) = cell.filter(|(text, _)| !text.is_empty())?;
        let order = reading.settings.date_order;
        match read_date(text, order, reading.today) {
            Ok(date) => return Some(date.to_string()),
            Err(DateProblem::NotADate) => {
                let fix = "correct the date, or set date_order to the order of this file";
                self.wrong(column, "date_unreadable", order.example(), text, fix);
            }
            Err(DateProblem::TwoDigitYear) => {
                let fix = "export dates with four digits of the year: the century can't be guessed";
                self.wrong(column, "date_two_digit_year", order.example(), text, fix);
            }
            Err(DateProblem::Unlikely) => {
                let fix = "correct the date, or set date_order to the order of this file";
                self.wrong(column, "date_unlikely", "a date from 1880 until today", text, fix);
            }
        }
        None
    }

    fn language(&mut self, cell: Cell<'_>) -> Option<String> {
        let (text, column) = cell.filter(|(text, _)| !text.is_empty())?;
        let read = language(text);
        if read.is_none() {
            let fix = "use a code such as en or es, or leave the field empty";
            self.wrong(column, "language_unknown", "en, es, pt-BR, English, Spanish, …", text, fix);
        }
        read
    }

    fn phones<'t>(
        &mut self,
        text: &mut impl FnMut(RosterField) -> Cell<'t>,
        skip_bad: bool,
    ) -> Vec<RosterPhone> {
        let mut phones: Vec<RosterPhone> = Vec::new();
        for (field, kind) in [
            (RosterField::MobilePhone, PhoneKind::Mobile),
            (RosterField::HomePhone, PhoneKind::Home),
            (RosterField::WorkPhone, PhoneKind::Work),
        ] {
            let Some((text, column)) = text(field).filter(|(text, _)| !text.is_empty()) else { continue };
            match Address::parse_lenient(text) {
                Ok(address) if !address.is_short_code() => {
                    let number = address.as_str().to_owned();
                    if phones.iter().all(|phone| phone.number != number) {
                        phones.push(RosterPhone { kind, number });
                    }
                }
                _ => {
                    let expected = "+15125550100 or (512) 555-0100";
                    let fix = "correct the number, or empty the field";
                    let problem = problem(column, "phone_unreadable", expected, text, fix);
                    if skip_bad { self.warnings.push(problem) } else { self.problems.push(problem) }
                }
            }
        }
        phones
    }

    fn facility(&mut self, cell: Cell<'_>, reading: &Reading<'_>) -> Option<FacilityId> {
        let Some((text, column)) = cell.filter(|(text, _)| !text.is_empty()) else {
            return reading.settings.default_facility;
        };
        let found = reading.facilities.get(&names::fold(text)).copied();
        if found.is_none() {
            let expected = "the name of a facility";
            let fix = "add the facility, or say in facilities what this word means";
            self.wrong(column, "facility_unknown", expected, text, fix);
        }
        found
    }
}

/// `1.23457E+11`
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(exponent) && mantissa.split('.').all(digits)
}

fn language(text: &str) -> Option<String> {
    const NAMES: [(&str, &str); 16] = [
        ("english", "en"),
        ("spanish", "es"),
        ("espanol", "es"),
        ("portuguese", "pt"),
        ("french", "fr"),
        ("german", "de"),
        ("chinese", "zh"),
        ("mandarin", "zh"),
        ("cantonese", "yue"),
        ("vietnamese", "vi"),
        ("korean", "ko"),
        ("russian", "ru"),
        ("arabic", "ar"),
        ("tagalog", "tl"),
        ("haitiancreole", "ht"),
        ("hindi", "hi"),
    ];
    let folded = names::fold(text);
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == folded) {
        return Some((*code).to_owned());
    }
    let mut parts = text.split(['-', '_']);
    let main = parts.next()?.to_ascii_lowercase();
    if !(2..=3).contains(&main.len()) || !main.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let mut tag = main;
    for part in parts {
        if !(2..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        tag.push('-');
        if part.len() == 2 { tag.push_str(&part.to_ascii_uppercase()) } else { tag.push_str(part) }
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const COLUMNS: [(RosterField, &str); 8] = [
        (RosterField::ExternalId, "MRN"),
        (RosterField::FirstName, "First"),
        (RosterField::LastName, "Last"),
        (RosterField::DateOfBirth, "DOB"),
        (RosterField::Language, "Lang"),
        (RosterField::MobilePhone, "Cell"),
        (RosterField::HomePhone, "Home"),
        (RosterField::Facility, "Site"),
    ];

    fn read(
        texts: [&str; 8],
        adjust: impl FnOnce(&mut RosterSettings),
    ) -> Result<(RosterRow, Vec<RowProblem>), Vec<RowProblem>> {
        let columns = COLUMNS.map(|(field, column)| (field, column.to_owned())).into();
        let json = serde_json::json!({ "columns": {}, "date_order": "mdy" });
        let mut settings: RosterSettings = serde_json::from_value(json).unwrap();
        settings.columns = columns;
        adjust(&mut settings);
        let facilities = [(names::fold("Riverside Main"), FacilityId(Uuid::from_u128(7)))].into();
        let reading = Reading { settings: &settings, facilities, today: date(2026, 11, 23) };
        read_row(&reading, |field| {
            let at = COLUMNS.iter().position(|(of, _)| *of == field)?;
            Some((texts[at], COLUMNS[at].1))
        })
    }

    const ANA: [&str; 8] = [
        "=\"00042\"",
        " Ana  María ",
        "Núñez",
        "3/4/1985",
        "Spanish",
        "(512) 555-0101",
        "512.555.0101",
        "riverside-main",
    ];

    #[test]
    fn a_good_row_is_read() {
        let (row, warnings) = read(ANA, |_| {}).unwrap();
        assert!(warnings.is_empty());
        let names = (&*row.external_id, &*row.first_name, &*row.last_name);
        assert_eq!(names, ("00042", "Ana María", "Núñez"));
        assert_eq!(row.date_of_birth.as_deref(), Some("1985-03-04"));
        assert_eq!(row.language.as_deref(), Some("es"));
        let phone = RosterPhone { kind: PhoneKind::Mobile, number: "+15125550101".into() };
        assert_eq!(row.phones, [phone], "each number once");
        assert_eq!(row.facility_id, Some(FacilityId(Uuid::from_u128(7))));
        assert_eq!(format!("{row:?}"), "RosterRow(…)");
    }

    #[test]
    fn each_mistake_is_named_by_its_column_and_nothing_is_repeated() {
        let bad = ["1.2E+10", "12", "", "13/13/1985", "klingon", "12345", "none", "Nowhere"];
        let problems = read(bad, |_| {}).unwrap_err();
        let found: Vec<_> = problems.iter().map(|p| (&*p.column, &*p.code, &*p.found)).collect();
        assert_eq!(
            found,
            [
                ("MRN", "id_rounded", "9.9A+99"),
                ("First", "name_unusable", "99"),
                ("Last", "name_missing", "nothing"),
                ("DOB", "date_unreadable", "99/99/9999"),
                ("Lang", "language_unknown", "aaaaaaa"),
                ("Cell", "phone_unreadable", "99999"),
                ("Home", "phone_unreadable", "aaaa"),
                ("Site", "facility_unknown", "Aaaaaaa"),
            ]
        );
    }

    #[test]
    fn a_bad_phone_may_be_left_out() {
        let mut texts = ANA;
        texts[5] = "ask her mother";
        let (row, warnings) = read(texts, |settings| settings.skip_bad_phones = true).unwrap();
        assert_eq!(row.phones[0].kind, PhoneKind::Home);
        assert_eq!(warnings.len(), 1);
        assert!(read(texts, |_| {}).is_err());
    }

    #[test]
    fn differences_are_named() {
        let (row, _) = read(ANA, |_| {}).unwrap();
        let mut other = row.clone();
        assert!(row.differences(&other).is_empty());
        other.phones.clear();
        other.last_name = "Nunez".into();
        assert_eq!(row.differences(&other), ["last_name", "phones"]);
        assert_eq!(roster_field_names().len(), 8);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_quotes_nothing(texts in prop::array::uniform8("[ -~äñ\u{fffd}]{0,30}")) {
            let texts: [&str; 8] = std::array::from_fn(|at| texts[at].as_str());
            if let Err(problems) = read(texts, |_| {}) {
                for problem in problems {
                    prop_assert!(!problem.found.chars().any(|c| c.is_ascii_digit() && c != '9'));
                }
            }
        }
    }
}
