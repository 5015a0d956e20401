//! Dates of birth as people type them.

use std::ops::Range;

use anteroom_sdk::date::Date;
use anteroom_sdk::text::{fold, words};

use crate::numbers;
use crate::settings::DateOrder;

/// Nobody older has been recorded (122 years); beyond it, somebody mistyped.
const OLDEST: u16 = 130;

/// English and Spanish. At least three letters of one are enough.
const MONTHS: [(&str, &str); 12] = [
    ("january", "enero"),
    ("february", "febrero"),
    ("march", "marzo"),
    ("april", "abril"),
    ("may", "mayo"),
    ("june", "junio"),
    ("july", "julio"),
    ("august", "agosto"),
    ("september", "septiembre"),
    ("october", "octubre"),
    ("november", "noviembre"),
    ("december", "diciembre"),
];

/// Said of a date that is a birthday.
const LABELS: [&str; 12] = [
    "dob",
    "born",
    "birth",
    "birthday",
    "birthdate",
    "bday",
    "naci",
    "nacio",
    "nacimiento",
    "cumpleanos",
    "nacida",
    "nacido",
];

/// Said of a date that is none.
const OTHER_DATES: [&str; 16] = [
    "appointment",
    "appt",
    "appts",
    "schedule",
    "reschedule",
    "visit",
    "surgery",
    "refill",
    "available",
    "availability",
    "cita",
    "citas",
    "visita",
    "cirugia",
    "consulta",
    "vacuna",
];

/// Finds a date of birth and where it stands (byte range). Eight digits in a row (`03041985`) are one anywhere,
/// six only where `compact` admits them or the text calls them a birthday.
///
/// The order of day and month is `order`'s; where that gives no date, the other one is meant (`25/12/1985`).
/// `None` for a date that the text says is another one: "can I come on 3/4?", "my appointment is 3/4/26".
pub(crate) fn find(text: &str, order: DateOrder, today: Date, compact: bool) -> Option<(Date, Range<usize>)> {
    let said = words(text);
    let labelled = said.iter().any(|word| LABELS.contains(&word.as_str()));
    let asks = text.contains('?') && said.iter().filter(|word| is_letters(word)).count() > 3;
    if !labelled && (asks || said.iter().any(|word| OTHER_DATES.contains(&word.as_str()))) {
        return None;
    }
    let compact = compact || labelled;
    let tokens = spell_out(&scan(text));
    let reader = Reader { order, today };
    // Three numbers first: "April 12/10/85" is somebody named April.
    let numbers = (0..tokens.len()).find_map(|at| reader.three_numbers(&tokens, at));
    let named = || (0..tokens.len()).find_map(|at| reader.named_month(&tokens, at));
    let row = || tokens.iter().find_map(|token| reader.digits_in_a_row(token, compact));
    numbers.or_else(named).or_else(row)
}

fn is_letters(word: &str) -> bool {
    word.chars().all(char::is_alphabetic)
}

/// Numbers said in words become numbers in digits.
fn spell_out(tokens: &[Token]) -> Vec<Token> {
    let mut spelt = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        // Words in a row; a hyphen may stand inside a number ("twenty-first").
        let run: Vec<(usize, &str)> = (at..tokens.len())
            .take_while(|&at| matches!(tokens[at].kind, TokenKind::Word(_) | TokenKind::Separator))
            .filter_map(|at| match &tokens[at].kind {
                TokenKind::Word(word) => Some((at, word.as_str())),
                _ => None,
            })
            .take(8)
            .collect();
        let said: Vec<&str> = run.iter().map(|(_, word)| *word).collect();
        if let (TokenKind::Word(_), Some(spelled)) = (&tokens[at].kind, numbers::read(&said)) {
            let last = run[spelled.words - 1].0;
            let range = tokens[at].range.start..tokens[last].range.end;
            spelt.push(Token { kind: TokenKind::Number(spelled.value.to_string()), range });
            at = last + 1;
        } else {
            spelt.push(tokens[at].clone());
            at += 1;
        }
    }
    spelt
}

#[derive(Clone)]
struct Token {
    kind: TokenKind,
    range: Range<usize>,
}

#[derive(Clone)]
enum TokenKind {
    /// ASCII digits; an ordinal's ending (`4th`) is swallowed.
    Number(String),
    /// Letters, folded.
    Word(String),
    /// What may stand between the parts of a date.
    Separator,
    /// Anything else.
    Other,
}

fn scan(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        let belongs: fn(char) -> bool = match c {
            c if c.is_ascii_digit() => |c| c.is_ascii_digit(),
            c if c.is_alphabetic() => char::is_alphabetic,
            _ => |_| false,
        };
        chars.next();
        let mut end = start + c.len_utf8();
        while let Some(&(at, next)) = chars.peek().filter(|(_, next)| belongs(*next)) {
            end = at + next.len_utf8();
            chars.next();
        }
        if c.is_whitespace() {
            continue;
        }
        let kind = match c {
            c if c.is_ascii_digit() => TokenKind::Number(text[start..end].to_owned()),
            c if c.is_alphabetic() => TokenKind::Word(fold(&text[start..end])),
            '/' | '\\' | '-' | '.' | ',' | '\'' | '\u{2019}' | '\u{2010}'..='\u{2015}' => {
                TokenKind::Separator
            }
            _ => TokenKind::Other,
        };
        // "4th", "1ro": the ending touches its number.
        if let (TokenKind::Word(word), Some(Token { kind: TokenKind::Number(_), range })) =
            (&kind, tokens.last_mut())
            && range.end == start
            && ["st", "nd", "rd", "th", "ro", "er", "do"].contains(&word.as_str())
        {
            range.end = end;
            continue;
        }
        tokens.push(Token { kind, range: start..end });
    }
    tokens
}

struct Reader {
    order: DateOrder,
    today: Date,
}

impl Reader {
    /// `3/4/85`, `4.3.1985`, `1985-03-04`, `3 4 1985`.
    fn three_numbers(&self, tokens: &[Token], at: usize) -> Option<(Date, Range<usize>)> {
        let (a, first) = number(tokens, at)?;
        let (b, second) = number(tokens, skip_separator(tokens, at + 1))?;
        let (c, last) = number(tokens, skip_separator(tokens, second + 1))?;
        let date = match (a.len(), b.len(), c.len()) {
            (4, 1..=2, 1..=2) => self.date(a, b, c),
            (2, 1..=2, 1..=2) if self.order == DateOrder::Ymd => self.date(a, b, c),
            (1..=2, 1..=2, 2 | 4) => self.day_and_month(a, b, c).or_else(|| {
                // "85/03/04": the first can only be a year.
                let year_first = a.len() == 2 && a > "31" && c.len() == 2;
                year_first.then(|| self.date(a, b, c)).flatten()
            }),
            _ => None,
        }?;
        Some((date, tokens[first].range.start..tokens[last].range.end))
    }

    /// `March 4th 1985`, `Mar 4, '85`, `4 March 1985`, `4th of March, 1985`, `4 de marzo de 1985`.
    fn named_month(&self, tokens: &[Token], at: usize) -> Option<(Date, Range<usize>)> {
        let (month, day, day_at) = if let Some(month) = month_at(tokens, at) {
            let (day, day_at) = number(tokens, skip_joint(tokens, at + 1))?;
            (month, day, day_at)
        } else {
            let (day, day_at) = number(tokens, at)?;
            let month_place = skip_joint(tokens, day_at + 1);
            (month_at(tokens, month_place)?, day, month_place)
        };
        let (year, last) = number(tokens, skip_joint(tokens, day_at + 1))?;
        // "1985 March 4".
        let (day, year) = if day.len() == 4 && year.len() <= 2 { (year, day) } else { (day, year) };
        if day.len() > 2 || !matches!(year.len(), 2 | 4) {
            return None;
        }
        let date = self.date(year, &month.to_string(), day)?;
        Some((date, tokens[at].range.start..tokens[last].range.end))
    }

    /// `03041985`, `030485`, `19850304`.
    fn digits_in_a_row(&self, token: &Token, compact: bool) -> Option<(Date, Range<usize>)> {
        let TokenKind::Number(digits) = &token.kind else { return None };
        let year_first = || {
            let split = digits.len() - 4;
            self.date(&digits[..split], &digits[split..split + 2], &digits[split + 2..])
        };
        let year_last = || self.day_and_month(&digits[..2], &digits[2..4], &digits[4..]);
        let date = match (digits.len(), self.order) {
            (8, DateOrder::Ymd) => year_first().or_else(year_last),
            (8, _) => year_last().or_else(year_first),
            (6, DateOrder::Ymd) if compact => year_first(),
            (6, _) if compact => year_last(),
            _ => None,
        }?;
        Some((date, token.range.clone()))
    }

    /// Year last. Where the settings' order gives no date, the other is meant.
    fn day_and_month(&self, a: &str, b: &str, year: &str) -> Option<Date> {
        let (month, day) = if self.order == DateOrder::Dmy { (b, a) } else { (a, b) };
        self.date(year, month, day).or_else(|| self.date(year, day, month))
    }

    /// A date that somebody alive can be born on. Two digits are a year of this century unless that is yet to
    /// come.
    fn date(&self, year: &str, month: &str, day: &str) -> Option<Date> {
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        let written: u16 = year.parse().ok()?;
        let date = if year.len() == 2 {
            let this_century = self.today.year() / 100 * 100;
            Date::new(this_century + written, month, day)
                .filter(|date| *date <= self.today)
                .or_else(|| Date::new(this_century - 100 + written, month, day))
        } else {
            Date::new(written, month, day)
        }?;
        (date <= self.today && date.year() + OLDEST >= self.today.year()).then_some(date)
    }
}

fn number(tokens: &[Token], at: usize) -> Option<(&str, usize)> {
    match &tokens.get(at)?.kind {
        TokenKind::Number(digits) => Some((digits, at)),
        _ => None,
    }
}

/// 1 to 12.
fn month_at(tokens: &[Token], at: usize) -> Option<usize> {
    let TokenKind::Word(word) = &tokens.get(at)?.kind else { return None };
    if word == "setiembre" {
        return Some(9);
    }
    let abbreviates = |month: &str| word.len() >= 3 && month.starts_with(word.as_str());
    let meant = |month: &str| is_typo(word, month);
    MONTHS
        .iter()
        .position(|(en, es)| abbreviates(en) || abbreviates(es))
        .or_else(|| MONTHS.iter().position(|(en, es)| meant(en) || meant(es)))
        .map(|index| index + 1)
}

/// Names that are a letter away from a month.
const NOT_MONTHS: [&str; 4] = ["mario", "marco", "augusto", "maria"];

/// One letter too many, too few, another one, or two that changed places; in a long word two of these.
fn is_typo(word: &str, month: &str) -> bool {
    let (word, month) = (word.as_bytes(), month.as_bytes());
    // Nearly all pairs end here: what is below costs fuel.
    if word.first() != month.first()
        || word.len() < 4
        || month.len() < 5
        || word.len().abs_diff(month.len()) > 2
    {
        return false;
    }
    !NOT_MONTHS.iter().any(|name| name.as_bytes() == word)
        && distance(word, month) <= if month.len() >= 8 { 2 } else { 1 }
}

/// Optimal string alignment.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// A `/`, `-` or the like, typed once or twice.
fn skip_separator(tokens: &[Token], at: usize) -> usize {
    let stands = |at: usize| matches!(tokens.get(at).map(|t| &t.kind), Some(TokenKind::Separator));
    at + usize::from(stands(at)) + usize::from(stands(at) && stands(at + 1))
}

/// Separators, "of", "de".
fn skip_joint(tokens: &[Token], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            TokenKind::Separator => at += 1,
            TokenKind::Word(word)
                if matches!(word.as_str(), "of" | "de" | "del" | "the" | "el" | "year" | "ano") =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_on(today: &str, order: DateOrder, text: &str) -> Option<String> {
        find(text, order, Date::parse(today).unwrap(), true).map(|(date, _)| date.iso())
    }

    fn check(order: DateOrder, cases: &[(&str, Option<&str>)]) {
        for (text, date) in cases {
            assert_eq!(find_on("2026-03-04", order, text).as_deref(), *date, "{order:?} {text:?}");
        }
    }

    #[test]
    fn month_first() {
        check(
            DateOrder::Mdy,
            &[
                ("3/4/85", Some("1985-03-04")),
                ("03-04-1985", Some("1985-03-04")),
                ("4.3.1985", Some("1985-04-03")),
                ("3 / 4 / 1985", Some("1985-03-04")),
                ("3 4 1985", Some("1985-03-04")),
                ("3\u{2013}4\u{2013}85", Some("1985-03-04")),
                ("25/12/1985", Some("1985-12-25")),
                ("1985-03-04", Some("1985-03-04")),
                ("1985/3/4", Some("1985-03-04")),
                ("03041985", Some("1985-03-04")),
                ("030485", Some("1985-03-04")),
                ("19850304", Some("1985-03-04")),
                ("25121985", Some("1985-12-25")),
                ("dob: 3/4/85.", Some("1985-03-04")),
            ],
        );
    }

    #[test]
    fn day_first_and_year_first() {
        check(
            DateOrder::Dmy,
            &[
                ("3/4/85", Some("1985-04-03")),
                ("4.3.1985", Some("1985-03-04")),
                ("12/25/1985", Some("1985-12-25")),
                ("1985-03-04", Some("1985-03-04")),
                ("04031985", Some("1985-03-04")),
                ("19850304", Some("1985-03-04")),
            ],
        );
        check(
            DateOrder::Ymd,
            &[
                ("85-3-4", Some("1985-03-04")),
                ("1985 3 4", Some("1985-03-04")),
                ("850304", Some("1985-03-04")),
                ("19850304", Some("1985-03-04")),
                ("3/4/1985", Some("1985-03-04")),
            ],
        );
    }

    #[test]
    fn months_in_words() {
        check(
            DateOrder::Mdy,
            &[
                ("March 4th 1985", Some("1985-03-04")),
                ("march 4, 1985", Some("1985-03-04")),
                ("MAR 4 '85", Some("1985-03-04")),
                ("Mar. 4, 85", Some("1985-03-04")),
                ("4 March 1985", Some("1985-03-04")),
                ("the 4th of March, 1985", Some("1985-03-04")),
                ("04-Mar-1985", Some("1985-03-04")),
                ("Sept 1st 1999", Some("1999-09-01")),
                ("4 de marzo de 1985", Some("1985-03-04")),
                ("1 de enero del 2001", Some("2001-01-01")),
                ("3 setiembre 1970", Some("1970-09-03")),
                ("born Dec4 1985", Some("1985-12-04")),
                ("April 12/10/85", Some("1985-12-10")),
                ("June Smith March 4 1985", Some("1985-03-04")),
            ],
        );
    }

    #[test]
    fn what_is_no_date_of_birth() {
        check(
            DateOrder::Mdy,
            &[
                ("", None),
                ("John Smith", None),
                ("March 4", None),
                ("3/4", None),
                ("1985", None),
                ("2/30/1985", None),
                ("13/13/1985", None),
                ("2/29/1985", None),
                ("2/29/1984", Some("1984-02-29")),
                ("3/5/2026", None),
                ("3/4/2026", Some("2026-03-04")),
                ("3/4/1895", None),
                ("3/4/1896", Some("1896-03-04")),
                ("3/4/985", None),
                ("555-123-4567", None),
                ("+1 800 555 0100", None),
                ("0/0/00", None),
                ("May I come in 10 minutes", None),
                ("99999999999999999999/1/1", None),
                ("٣/٤/١٩٨٥", None),
            ],
        );
    }

    #[test]
    fn two_digits_are_never_in_the_future() {
        let cases = [
            ("3/4/26", "2026-03-04"),
            ("3/5/26", "1926-03-05"),
            ("3/4/27", "1927-03-04"),
            ("12/31/25", "2025-12-31"),
            ("1/1/00", "2000-01-01"),
            ("1/1/99", "1999-01-01"),
        ];
        for (text, date) in cases {
            assert_eq!(find_on("2026-03-04", DateOrder::Mdy, text).as_deref(), Some(date), "{text}");
        }
        assert_eq!(find_on("2030-01-01", DateOrder::Mdy, "3/4/27").as_deref(), Some("2027-03-04"));
    }

    #[test]
    fn the_place_is_exact() {
        let text = "José Ruiz, 4th of March 1985!";
        let (_, place) = find(text, DateOrder::Mdy, Date::parse("2026-03-04").unwrap(), false).unwrap();
        assert_eq!(&text[place], "4th of March 1985");
    }

    #[test]
    fn digits_in_a_row_need_the_question() {
        let today = Date::parse("2026-03-04").unwrap();
        assert!(find("030485", DateOrder::Mdy, today, false).is_none());
        assert!(find("John Smith 03041985", DateOrder::Mdy, today, false).is_some());
        assert!(find("dob 030485", DateOrder::Mdy, today, false).is_some());
    }
}
