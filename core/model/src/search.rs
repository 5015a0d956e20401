//! What staff type to find a patient, taken apart: names, dates of birth, phone numbers, ids.

use jiff::civil::Date;

use crate::names;

/// Letters of a name that a search by its beginning looks up; longer beginnings are compared afterwards.
pub const LONGEST_PREFIX: usize = 5;
/// Digits of a phone number's end that are looked up; longer ends are compared afterwards.
pub const TAIL: usize = 4;
/// Ways in which one text is understood at most.
const READINGS: usize = 8;
/// Characters of a search that are looked at.
const LONGEST: usize = 200;
/// Things that one text says at most.
const TERMS: usize = 8;

/// One thing that a search says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// A word of a name, folded, or what it begins with.
    Name(String),
    /// A date of birth, `YYYY-MM-DD`.
    Born(String),
    /// What a phone number ends with: at least four digits.
    Phone(String),
    /// An id of another system, folded.
    Id(String),
}

/// The ways in which `text` can be understood, likeliest first; within one, all terms must agree. Empty where
/// it says nothing that can be looked up.
///
/// `"smith 3/4/1985"` is a name and a day, read month first and day first. Digits alone are an id, the end of
/// a phone number, or a date without separators.
pub fn readings(text: &str) -> Vec<Vec<Term>> {
    let text: String = text.chars().take(LONGEST).collect::<String>().to_lowercase();
    let tokens: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|t| !t.is_empty()).collect();
    let mut readings = vec![Vec::new()];
    for alternatives in terms(&tokens).into_iter().take(TERMS) {
        readings = readings
            .iter()
            .flat_map(|reading: &Vec<Term>| {
                alternatives.iter().map(|term| {
                    let mut longer = reading.clone();
                    longer.push(term.clone());
                    longer
                })
            })
            .take(READINGS)
            .collect();
    }
    readings.retain(|reading| reading.iter().any(can_be_looked_up));
    readings
}

/// One Latin letter alone narrows a search and can't begin one.
fn can_be_looked_up(term: &Term) -> bool {
    !matches!(term, Term::Name(word) if word.len() < 2)
}

/// Each thing said, with the ways to understand it.
fn terms(tokens: &[&str]) -> Vec<Vec<Term>> {
    let mut terms = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (taken, alternatives) = next(&tokens[at..]);
        at += taken;
        if !alternatives.is_empty() {
            terms.push(alternatives);
        }
    }
    terms
}

fn next(tokens: &[&str]) -> (usize, Vec<Term>) {
    if let Some((taken, dates)) = spelled_date(tokens) {
        return (taken, born(dates));
    }
    let token = tokens[0];
    let dates = numeric_dates(token);
    if !dates.is_empty() {
        return (1, born(dates));
    }
    if is_phone_like(token) {
        return phone_or_id(tokens);
    }
    let folded = names::fold(token);
    if folded.is_empty() {
        return (1, Vec::new());
    }
    if folded.chars().any(|c| c.is_ascii_digit()) {
        let id = folded.strip_prefix("mrn").filter(|rest| !rest.is_empty()).unwrap_or(&folded);
        return (1, vec![Term::Id(id.to_owned()), Term::Name(folded.clone())]);
    }
    let announces = matches!(folded.as_str(), "mrn" | "dob" | "born" | "phone" | "tel" | "id");
    let number_follows = tokens.get(1).is_some_and(|next| next.chars().any(|c| c.is_ascii_digit()));
    if announces && number_follows {
        return (1, Vec::new());
    }
    (1, vec![Term::Name(folded)])
}

fn born(dates: Vec<String>) -> Vec<Term> {
    dates.into_iter().map(Term::Born).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits and what people write between those of a phone number.
fn is_phone_like(token: &str) -> bool {
    token.chars().any(|c| c.is_ascii_digit())
        && token.chars().all(|c| c.is_ascii_digit() || matches!(c, '(' | ')' | '-' | '.' | '+' | '/'))
}

/// What a phone number ends with, where `text` says nothing else: its digits.
pub fn phone_end(text: &str) -> Option<String> {
    let is_one = text.split_whitespace().next().is_some() && text.split_whitespace().all(is_phone_like);
    Some(digits(text)).filter(|digits| is_one && (TAIL..=15).contains(&digits.len()))
}

/// `(512) 555-0101` comes as two tokens.
fn phone_or_id(tokens: &[&str]) -> (usize, Vec<Term>) {
    let mut number = digits(tokens[0]);
    let mut taken = 1;
    for token in &tokens[1..] {
        let more = digits(token);
        if !is_phone_like(token) || !numeric_dates(token).is_empty() || number.len() + more.len() > 15 {
            break;
        }
        number.push_str(&more);
        taken += 1;
    }
    // `3 4 1985`
    if let [day, month, year, ..] = tokens
        && taken >= 3
    {
        let dates = numeric_dates(&format!("{day}/{month}/{year}"));
        if !dates.is_empty() {
            return (3, born(dates));
        }
    }
    let mut alternatives = Vec::new();
    if number.len() >= 7 {
        alternatives.push(Term::Phone(number.clone()));
        alternatives.push(Term::Id(number.clone()));
    } else {
        alternatives.push(Term::Id(number.clone()));
        if number.len() >= TAIL {
            alternatives.push(Term::Phone(number.clone()));
        }
        if taken == 1 {
            // Of a placeholder: `Guest Amber Heron 27`.
            alternatives.push(Term::Name(number.clone()));
        }
    }
    if number.len() == 8 && taken == 1 {
        let part = |range: std::ops::Range<usize>| number.get(range).unwrap_or_default();
        let mut dates = date(part(0..4), part(4..6), part(6..8));
        dates.extend(either_order(part(0..2), part(2..4), part(4..8)));
        alternatives.extend(born(dates));
    }
    (taken, alternatives)
}

/// `1985-03-04`, `3/4/85`, `4.3.1985`: every day that it can be.
fn numeric_dates(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split(['/', '.', '-']).collect();
    let [first, second, third] = parts.as_slice() else { return Vec::new() };
    if [first, second, third].iter().any(|part| part.is_empty() || digits(part) != **part) {
        return Vec::new();
    }
    match (first.len(), second.len(), third.len()) {
        (4, 1..=2, 1..=2) => date(first, second, third),
        (1..=2, 1..=2, 4) => either_order(first, second, third),
        (1..=2, 1..=2, 2) => {
            let mut dates = either_order(first, second, &format!("19{third}"));
            dates.extend(either_order(first, second, &format!("20{third}")));
            dates
        }
        _ => Vec::new(),
    }
}

/// Month first, then day first.
fn either_order(first: &str, second: &str, year: &str) -> Vec<String> {
    let mut dates = date(year, first, second);
    dates.extend(
        date(year, second, first).into_iter().filter(|other| !dates.contains(other)).collect::<Vec<_>>(),
    );
    dates
}

fn date(year: &str, month: &str, day: &str) -> Vec<String> {
    let parsed = year.parse().ok().zip(month.parse().ok()).zip(day.parse().ok());
    let date = parsed.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    date.filter(|date| date.year() >= 1880).map(|date| date.to_string()).into_iter().collect()
}

/// `march 4 1985`, `4th of march, 1985`, `4 de marzo de 1985`.
fn spelled_date(tokens: &[&str]) -> Option<(usize, Vec<String>)> {
    let (mut month, mut day, mut year) = (None, None, None);
    for (at, token) in tokens.iter().enumerate().take(5) {
        let ordinal = token.trim_end_matches(['.', '-']);
        let ordinal =
            ["st", "nd", "rd", "th"].iter().find_map(|end| ordinal.strip_suffix(end)).unwrap_or(ordinal);
        let is_number = !ordinal.is_empty() && digits(ordinal) == ordinal;
        if let Some(number) = month_number(token).filter(|_| month.is_none()) {
            month = Some(number);
        } else if is_number && ordinal.len() <= 2 && day.is_none() {
            day = Some(ordinal);
        } else if is_number && ordinal.len() == 4 && year.is_none() {
            year = Some(ordinal);
        } else if !(at > 0 && matches!(*token, "de" | "of" | "del" | "the")) {
            return None;
        }
        if let (Some(month), Some(day), Some(year)) = (month, day, year) {
            let dates = date(year, &month.to_string(), day);
            return (!dates.is_empty()).then_some((at + 1, dates));
        }
    }
    None
}

/// English and Spanish, whole or cut to three letters or more.
fn month_number(word: &str) -> Option<usize> {
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
    let word = names::fold(word);
    let fits = |month: &str| word.len() >= 3 && month.starts_with(&word);
    MONTHS.iter().position(|(english, spanish)| fits(english) || fits(spanish)).map(|at| at + 1)
}

/// The words that a name is found by, folded: its parts, and all of it as one.
pub fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| c.is_whitespace() || matches!(c, '-' | '‐' | '–' | ',' | '/'));
    let mut words: Vec<String> = parts.map(names::fold).filter(|word| !word.is_empty()).collect();
    if words.len() > 1 {
        words.push(words.concat());
    }
    words
}

/// The first `length` letters of a folded word.
pub fn prefix(word: &str, length: usize) -> &str {
    word.char_indices().nth(length).map_or(word, |(end, _)| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let term = |term: &Term| match term {
            Term::Name(word) => format!("name {word}"),
            Term::Born(date) => format!("born {date}"),
            Term::Phone(digits) => format!("phone {digits}"),
            Term::Id(id) => format!("id {id}"),
        };
        readings(text).iter().map(|reading| reading.iter().map(term).collect::<Vec<_>>().join(", ")).collect()
    }

    #[test]
    fn what_staff_type() {
        for (text, expected) in [
            ("smith", &["name smith"][..]),
            ("Smith, John", &["name smith, name john"]),
            ("O'Neill-Núñez", &["name oneillnunez"]),
            ("smith 3/4/1985", &["name smith, born 1985-03-04", "name smith, born 1985-04-03"]),
            ("1985-03-04", &["born 1985-03-04"]),
            ("31.12.1985", &["born 1985-12-31"]),
            ("12/31/85", &["born 1985-12-31", "born 2085-12-31"]),
            ("March 4th, 1985", &["born 1985-03-04"]),
            ("4 de marzo de 1985", &["born 1985-03-04"]),
            ("3 4 1985", &["born 1985-03-04", "born 1985-04-03"]),
            ("april", &["name april"]),
            ("May Jones", &["name may, name jones"]),
            ("(512) 555-0101", &["phone 5125550101", "id 5125550101"]),
            ("+1 512.555.0101", &["phone 15125550101", "id 15125550101"]),
            ("0101", &["id 0101", "phone 0101", "name 0101"]),
            ("cohen 0105", &["name cohen, id 0105", "name cohen, phone 0105", "name cohen, name 0105"]),
            (
                "guest teal otter 27",
                &["name guest, name teal, name otter, id 27", "name guest, name teal, name otter, name 27"],
            ),
            ("12", &["id 12", "name 12"]),
            ("MRN: A-1042", &["id a1042", "name a1042"]),
            ("mrn 1042", &["id 1042", "phone 1042", "name 1042"]),
            ("19850304", &["phone 19850304", "id 19850304", "born 1985-03-04"]),
            ("j smith", &["name j, name smith"]),
            ("j", &[]),
            ("  ", &[]),
            ("99/99/9999", &["phone 99999999", "id 99999999"]),
            ("李 小龍", &["name 李, name 小龍"]),
        ] {
            assert_eq!(shown(text), expected.to_vec(), "{text:?}");
        }
    }

    #[test]
    fn what_a_phone_number_ends_with() {
        for (text, expected) in [
            ("0101", Some("0101")),
            (" (512) 555-0101 ", Some("5125550101")),
            ("+1 512.555.0101", Some("15125550101")),
            ("101", None),
            ("", None),
            ("555 knee", None),
            ("1234567890123456", None),
        ] {
            assert_eq!(phone_end(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_found_by_their_parts() {
        assert_eq!(words("O'Neill-Núñez"), ["oneill", "nunez", "oneillnunez"]);
        assert_eq!(words("de la Cruz"), ["de", "la", "cruz", "delacruz"]);
        assert_eq!(words(" - "), Vec::<String>::new());
        assert_eq!((prefix("núñez", 2), prefix("li", 5)), ("nú", "li"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in ".{0,300}") {
            let readings = readings(&text);
            proptest::prop_assert!(readings.len() <= READINGS);
            proptest::prop_assert!(readings.iter().all(|reading| reading.len() <= TERMS));
        }
    }
}
