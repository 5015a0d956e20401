//! Numbers in words, as voice dictation writes them: `march fourth nineteen eighty five`,
//! `cuatro de marzo de mil novecientos ochenta y cinco`.

/// A number and how many words it took.
pub(crate) struct Spelled {
    pub(crate) value: u16,
    pub(crate) words: usize,
}

/// 1 to 19 in English and Spanish.
const SMALL: [(u16, &[&str]); 19] = [
    (1, &["one", "first", "uno", "un", "primero", "primer"]),
    (2, &["two", "second", "dos"]),
    (3, &["three", "third", "tres"]),
    (4, &["four", "fourth", "cuatro"]),
    (5, &["five", "fifth", "cinco"]),
    (6, &["six", "sixth", "seis"]),
    (7, &["seven", "seventh", "siete"]),
    (8, &["eight", "eighth", "ocho"]),
    (9, &["nine", "ninth", "nueve"]),
    (10, &["ten", "tenth", "diez"]),
    (11, &["eleven", "eleventh", "once"]),
    (12, &["twelve", "twelfth", "doce"]),
    (13, &["thirteen", "thirteenth", "trece"]),
    (14, &["fourteen", "fourteenth", "catorce"]),
    (15, &["fifteen", "fifteenth", "quince"]),
    (16, &["sixteen", "sixteenth", "dieciseis"]),
    (17, &["seventeen", "seventeenth", "diecisiete"]),
    (18, &["eighteen", "eighteenth", "dieciocho"]),
    (19, &["nineteen", "nineteenth", "diecinueve"]),
];

const TENS: [(u16, &[&str]); 8] = [
    (20, &["twenty", "twentieth", "veinte"]),
    (30, &["thirty", "thirtieth", "treinta"]),
    (40, &["forty", "fourty", "cuarenta"]),
    (50, &["fifty", "cincuenta"]),
    (60, &["sixty", "sesenta"]),
    (70, &["seventy", "setenta"]),
    (80, &["eighty", "ochenta"]),
    (90, &["ninety", "noventa"]),
];

const TWENTIES: [(u16, &[&str]); 9] = [
    (21, &["veintiuno", "veintiun"]),
    (22, &["veintidos"]),
    (23, &["veintitres"]),
    (24, &["veinticuatro"]),
    (25, &["veinticinco"]),
    (26, &["veintiseis"]),
    (27, &["veintisiete"]),
    (28, &["veintiocho"]),
    (29, &["veintinueve"]),
];

fn listed(list: &[(u16, &[&str])], word: &str) -> Option<u16> {
    list.iter().find(|(_, spellings)| spellings.contains(&word)).map(|(value, _)| *value)
}

/// Reads the number that `list` (folded words) begins with.
pub(crate) fn read(list: &[&str]) -> Option<Spelled> {
    year(list).or_else(|| below_a_hundred(list))
}

/// A year said in full.
fn year(list: &[&str]) -> Option<Spelled> {
    let (century, taken) = match list {
        ["two", "thousand", ..] | ["dos", "mil", ..] => (2_000, 2),
        ["mil", "novecientos", ..] => (1_900, 2),
        ["nineteen", ..] => (1_900, 1),
        ["twenty", ..] => (2_000, 1),
        _ => return None,
    };
    let spoken_in_halves = taken == 1;
    let joint = usize::from(!spoken_in_halves && matches!(list.get(taken), Some(&"and" | &"y")));
    let rest = &list[taken + joint..];
    let oh = usize::from(spoken_in_halves && matches!(rest.first(), Some(&"oh" | &"o")));
    match below_a_hundred(&rest[oh..]) {
        // "twenty one" is no year, "twenty oh one" and "twenty twelve" are.
        Some(Spelled { value, .. }) if spoken_in_halves && (value < 10) != (oh == 1) => None,
        Some(Spelled { value, words }) => {
            Some(Spelled { value: century + value, words: taken + joint + oh + words })
        }
        None if spoken_in_halves => None,
        None => Some(Spelled { value: century, words: taken }),
    }
}

fn below_a_hundred(list: &[&str]) -> Option<Spelled> {
    let first = list.first()?;
    if let Some(value) = listed(&SMALL, first).or_else(|| listed(&TWENTIES, first)) {
        return Some(Spelled { value, words: 1 });
    }
    let tens = listed(&TENS, first)?;
    let joint = usize::from(list.get(1) == Some(&"y"));
    match list.get(1 + joint).and_then(|word| listed(&SMALL[..9], word)) {
        Some(unit) => Some(Spelled { value: tens + unit, words: 2 + joint }),
        None => Some(Spelled { value: tens, words: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_said() {
        for (text, value, words) in [
            ("nineteen eighty five", 1985, 3),
            ("nineteen oh five", 1905, 3),
            ("two thousand and one", 2001, 4),
            ("two thousand", 2000, 2),
            ("twenty twelve", 2012, 2),
            ("twenty oh one", 2001, 3),
            ("twenty first nineteen", 21, 2),
            ("fourth nineteen", 4, 1),
            ("mil novecientos ochenta y cinco", 1985, 5),
            ("dos mil diez", 2010, 3),
            ("ochenta y cinco", 85, 3),
            ("veintiuno de", 21, 1),
            ("nineteen", 19, 1),
        ] {
            let list: Vec<_> = text.split(' ').collect();
            let spelled = read(&list).unwrap();
            assert_eq!((spelled.value, spelled.words), (value, words), "{text}");
        }
        assert!(read(&["march"]).is_none() && read(&[]).is_none());
    }
}
