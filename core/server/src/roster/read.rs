//! A file of bytes becomes rows: letters, records, columns. All of it before the first row is applied, so that a
//! file that is broken somewhere changes nothing.

use std::collections::BTreeMap;

use anteroom_model::{
    names,
    roster::{
        Delimiter, Encoding, Reading, RosterField, RosterSettings, RowProblem, read_id, read_row, shape,
    },
};
use anteroom_store::{NewRow, RunProblem};
use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The rows of a file.
#[derive(Clone, Debug)]
pub struct Roster {
    /// In the order of the file.
    pub rows: Vec<NewRow>,
    /// Rows that can't be used.
    pub refused: usize,
}

/// What of a file says that it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Whoever sent it said how long it is.
    Any,
    /// Nobody did: the last row must end with its line.
    Newline,
}

fn problem(code: &str, expected: &str, found: impl Into<String>, fix: &str) -> RunProblem {
    let [code, expected, fix] = [code, expected, fix].map(str::to_owned);
    RunProblem { code, expected, found: found.into(), fix }
}

/// Whether a file whose length nobody has said may still be growing: its last byte ends no line.
pub fn ends_with_newline(last: &[u8]) -> bool {
    // The last letter of UTF-16 (little endian) has a zero behind it.
    matches!(last, [.., b'\n' | b'\r'] | [.., b'\n' | b'\r', 0])
}

/// Reads a file.
pub fn read(bytes: &[u8], reading: &Reading<'_>, ending: Ending) -> Result<Roster, RunProblem> {
    let settings = reading.settings;
    if bytes.is_empty() {
        return Err(problem("empty", "a list of patients", "no bytes", "export the list again"));
    }
    let text = letters(bytes, settings.encoding)?;
    let delimiter = settings.delimiter.byte().unwrap_or_else(|| guess_delimiter(&text));
    complete(&text, delimiter, ending)?;
    let mut records = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut next = |record: &mut StringRecord| {
        records.read_record(record).map_err(|_| {
            problem("unreadable", "rows of fields", "something else", "export the list as CSV again")
        })
    };
    let columns = if settings.has_header {
        if !next(&mut record)? {
            return Err(problem("empty", "headings and rows", "no rows", "export the list again"));
        }
        Columns::of_headings(settings, &record)?
    } else {
        Columns::by_place(settings)
    };
    let most = usize::try_from(settings.limits.rows).unwrap_or(usize::MAX);
    let mut seen = BTreeMap::new();
    let mut roster = Roster { rows: Vec::new(), refused: 0 };
    while next(&mut record)? {
        if roster.rows.len() == most {
            let fix = "raise limits.rows of the source, if the list is meant to be so long";
            return Err(problem("too_many_rows", &format!("{most} rows at most"), "more", fix));
        }
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let mut read = columns.check_width(&record).and_then(|()| {
            read_row(reading, |field| {
                let (at, name) = columns.places.get(&field)?;
                Some((record.get(*at).unwrap_or_default(), name.as_str()))
            })
        });
        if let Ok((row, _)) = &read
            && let Some(first) = seen.insert(names::fold(&row.external_id), line)
        {
            // The first one counts; the next one of these is compared with it too.
            seen.insert(names::fold(&row.external_id), first);
            read = Err(vec![RowProblem {
                column: columns.name(RosterField::ExternalId),
                code: "id_twice".into(),
                expected: "each id once".into(),
                found: format!("the id of line {first}"),
                fix: "leave one row for each patient".into(),
            }]);
        }
        let id = columns.places.get(&RosterField::ExternalId).and_then(|(at, _)| record.get(*at));
        let id = id.map(read_id).filter(|id| !id.is_empty()).map(str::to_owned);
        roster.refused += usize::from(read.is_err());
        let row = i64::try_from(roster.rows.len() + 1).unwrap_or(i64::MAX);
        roster.rows.push(NewRow { row, line, id, read });
    }
    if roster.rows.is_empty() {
        return Err(problem("empty", "rows", "headings alone", "export the list again"));
    }
    Ok(roster)
}

/// The text of a file, without a byte order mark.
fn letters(bytes: &[u8], encoding: Encoding) -> Result<String, RunProblem> {
    let damaged = |expected: &str, fix: &str| problem("encoding", expected, "other bytes", fix);
    let marked = encoding_rs::Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let text = match (encoding, marked) {
        (_, Some(marked)) if marked == UTF_16LE || marked == UTF_16BE => {
            let (text, _, wrong) = marked.decode(bytes);
            if wrong {
                return Err(damaged("UTF-16", "export the list as UTF-8"));
            }
            text
        }
        (Encoding::Utf8 | Encoding::Auto, _) if std::str::from_utf8(bytes).is_ok() => UTF_8.decode(bytes).0,
        (Encoding::Utf8, _) | (_, Some(_)) => {
            let fix = "export the list as UTF-8, or set encoding to windows-1252";
            return Err(damaged("UTF-8", fix));
        }
        (Encoding::Windows1252 | Encoding::Auto, None) => {
            // Five bytes have no letter in it: a file that has them is of another encoding.
            if bytes.iter().any(|byte| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)) {
                return Err(damaged("UTF-8 or Windows-1252", "export the list as UTF-8"));
            }
            WINDOWS_1252.decode_without_bom_handling(bytes).0
        }
    };
    if text.contains('\0') {
        let fix = "export the list as CSV: this is no text (a spreadsheet or an archive, perhaps)";
        return Err(problem("not_text", "text", "zero bytes", fix));
    }
    Ok(text.into_owned())
}

/// Whichever the first line has most of, outside of quotes.
fn guess_delimiter(text: &str) -> u8 {
    const CANDIDATES: [Delimiter; 4] =
        [Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab, Delimiter::Pipe];
    let mut quoted = false;
    let mut counts = [0_usize; 4];
    let candidates = CANDIDATES.map(|delimiter| delimiter.byte().unwrap_or(b','));
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = candidates.iter().position(|candidate| *candidate == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let at = counts.iter().position(|count| *count == most).unwrap_or(0);
    candidates[at]
}

/// Refuses a file that ends within a quoted field, or, where nobody has said how long it is, within a line.
fn complete(text: &str, delimiter: u8, ending: Ending) -> Result<(), RunProblem> {
    #[derive(PartialEq)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    let mut at = At::FieldStart;
    for byte in text.bytes() {
        let separates = byte == delimiter || byte == b'\n' || byte == b'\r';
        at = match at {
            At::Quoted if byte == b'"' => At::QuoteInQuoted,
            At::QuoteInQuoted | At::FieldStart if byte == b'"' => At::Quoted,
            At::Quoted => At::Quoted,
            _ if separates => At::FieldStart,
            _ => At::Plain,
        };
    }
    if at == At::Quoted {
        let fix = "the file was cut off, or a quotation mark is missing: export the list again";
        return Err(problem("incomplete", "a last row that ends", "the end within a quoted field", fix));
    }
    if ending == Ending::Newline && !text.ends_with(['\n', '\r']) {
        let fix = "let the program that writes it end the last line, or set sftp.final_newline to false";
        return Err(problem("incomplete", "a last row that ends with its line", "the end within a row", fix));
    }
    Ok(())
}

/// Which column holds which field.
struct Columns {
    places: BTreeMap<RosterField, (usize, String)>,
    /// Columns of the heading; `None` where there is none.
    width: Option<usize>,
}

impl Columns {
    fn by_place(settings: &RosterSettings) -> Self {
        let places = settings
            .columns
            .iter()
            .filter_map(|(field, column)| Some((*field, (place(column)?, column.clone()))));
        Self { places: places.collect(), width: None }
    }

    fn of_headings(settings: &RosterSettings, headings: &StringRecord) -> Result<Self, RunProblem> {
        let folded: Vec<String> = headings.iter().map(names::fold).collect();
        let mut places = BTreeMap::new();
        for (field, column) in &settings.columns {
            let at = match place(column) {
                Some(at) if at < headings.len() => Some(at),
                Some(_) => None,
                None => {
                    let wanted = names::fold(column);
                    let mut fitting = (0..folded.len()).filter(|at| folded[*at] == wanted);
                    let at = fitting.next();
                    if fitting.next().is_some() {
                        let fix = "name the column by its place instead, such as #3";
                        return Err(problem("column_twice", column, "two columns of that heading", fix));
                    }
                    at
                }
            };
            let Some(at) = at else {
                let fix = "the source's columns name it: correct them, or export the list with it";
                let found = format!("{} other columns", headings.len());
                return Err(problem("column_missing", &format!("a column {column}"), found, fix));
            };
            places.insert(*field, (at, column.clone()));
        }
        Ok(Self { places, width: Some(headings.len()) })
    }

    fn name(&self, field: RosterField) -> String {
        self.places.get(&field).map(|(_, name)| name.clone()).unwrap_or_default()
    }

    /// A row that has other columns than the headings has slipped: nothing in it can be trusted.
    fn check_width(&self, record: &StringRecord) -> Result<(), Vec<RowProblem>> {
        let width = self.width.unwrap_or_else(|| {
            self.places.values().map(|(at, _)| at + 1).max().unwrap_or(0).max(record.len())
        });
        let extra_is_empty = record.iter().skip(width).all(str::is_empty);
        if record.len() == width || (record.len() > width && extra_is_empty) {
            return Ok(());
        }
        Err(vec![RowProblem {
            column: String::new(),
            code: "columns".into(),
            expected: format!("{width} columns"),
            found: format!("{} columns, the last one {}", record.len(), shape(last(record))),
            fix: "put fields that hold the delimiter or a line end in quotation marks".into(),
        }])
    }
}

fn last(record: &StringRecord) -> &str {
    record.iter().next_back().unwrap_or_default()
}

/// 0 for `#1`.
fn place(column: &str) -> Option<usize> {
    column.trim().strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &serde_json::Value) -> RosterSettings {
        let mut all = serde_json::json!({
            "columns": { "external_id": "MRN", "last_name": "Last Name", "first_name": "First" },
        });
        all.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn read_with(bytes: &[u8], json: &serde_json::Value, ending: Ending) -> Result<Roster, RunProblem> {
        let settings = settings(json);
        let today = jiff::civil::date(2026, 11, 23);
        let reading = Reading { settings: &settings, facilities: BTreeMap::new(), today };
        read(bytes, &reading, ending)
    }

    fn names_of(bytes: &[u8], json: &serde_json::Value) -> Vec<String> {
        let roster = read_with(bytes, json, Ending::Any).unwrap();
        let rows = roster.rows.into_iter().map(|row| row.read.unwrap().0);
        rows.map(|row| format!("{} {} {}", row.external_id, row.first_name, row.last_name)).collect()
    }

    #[test]
    fn encodings_and_delimiters_are_found() {
        let none = || serde_json::json!({});
        let plain = "mrn;First;last name\n7;Zoë;Núñez\n";
        for bytes in [
            plain.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", plain.as_bytes()].concat(),
            encoding_rs::WINDOWS_1252.encode(plain).0.into_owned(),
            [vec![0xff, 0xfe], plain.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            plain.replace(';', ",").into_bytes(),
            plain.replace(';', "\t").replace('\n', "\r\n").into_bytes(),
            plain.replace(';', "|").into_bytes(),
        ] {
            assert_eq!(names_of(&bytes, &none()), ["7 Zoë Núñez"], "{bytes:?}");
        }
        let declared = serde_json::json!({ "encoding": "utf8" });
        let latin = encoding_rs::WINDOWS_1252.encode(plain).0.into_owned();
        assert_eq!(read_with(&latin, &declared, Ending::Any).unwrap_err().code, "encoding");
        assert_eq!(read_with(b"\x81\x8d", &none(), Ending::Any).unwrap_err().code, "encoding");
        assert_eq!(read_with(b"PK\x03\x04\0\0", &none(), Ending::Any).unwrap_err().code, "not_text");
    }

    #[test]
    fn columns_can_be_named_by_their_place() {
        let by_place = serde_json::json!({
            "has_header": false,
            "columns": { "external_id": "#2", "last_name": "#1" },
        });
        assert_eq!(names_of(b"Morales,7\n\n  ,\nCohen,8", &by_place), ["7  Morales", "8  Cohen"]);
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused_whole() {
        let none = || serde_json::json!({});
        let whole = "MRN,First,Last Name\n1,\"Ana \"\"A\"\", b\",Morales\n2,Leah,Cohen\n";
        assert_eq!(read_with(whole.as_bytes(), &none(), Ending::Newline).unwrap().rows.len(), 2);
        for length in "MRN,First,Last Name\n".len() + 1..whole.len() - 1 {
            let cut = &whole.as_bytes()[..length];
            if cut.ends_with(b"\n") {
                continue;
            }
            let refused = read_with(cut, &none(), Ending::Newline).unwrap_err();
            assert_eq!(refused.code, "incomplete", "{length}");
            // Even where its length is known to be right.
            let quoted = !cut.ends_with(b"s") && length > 23 && length < 35;
            if quoted && cut.split(|byte| *byte == b'"').count() % 2 == 0 {
                assert!(read_with(cut, &none(), Ending::Any).is_err(), "{length}");
            }
        }
        assert!(ends_with_newline(b"x\r\n") && ends_with_newline(b"x\n\0") && !ends_with_newline(b"x"));
    }

    #[test]
    fn rows_that_slipped_or_come_twice_are_refused_alone() {
        let file = b"MRN,First,Last Name\n1,Ana,Morales\n2,Leah\n3,A,B,C\n1,Ana,Morales\n4,Li,Po,,\n";
        let roster = read_with(file, &serde_json::json!({}), Ending::Any).unwrap();
        let codes: Vec<_> = roster
            .rows
            .iter()
            .map(|row| (row.line, row.read.as_ref().err().map(|problems| problems[0].code.to_string())))
            .collect();
        let refused = |code: &str| Some(code.to_owned());
        assert_eq!(
            codes,
            [
                (2, None),
                (3, refused("columns")),
                (4, refused("columns")),
                (5, refused("id_twice")),
                (6, None)
            ]
        );
        assert_eq!(roster.refused, 3);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_what_is_missing() {
        let read = |bytes: &[u8]| read_with(bytes, &serde_json::json!({}), Ending::Any).unwrap_err();
        assert_eq!(read(b"").code, "empty");
        assert_eq!(read(b"MRN,First,Last Name\n").code, "empty");
        let missing = read(b"MRN,First,Surname\n1,Ana,Morales\n");
        assert_eq!((&*missing.code, &*missing.expected), ("column_missing", "a column Last Name"));
        assert_eq!(read(b"MRN,First,Last Name,last-name\n1,a,b,c\n").code, "column_twice");
        let few = serde_json::json!({ "limits": { "rows": 1 } });
        let long = b"MRN,First,Last Name\n1,a,b\n2,c,d\n";
        assert_eq!(read_with(long, &few, Ending::Any).unwrap_err().code, "too_many_rows");
    }
}
