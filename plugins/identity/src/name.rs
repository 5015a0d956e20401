//! Names as people type them.

use anteroom_sdk::text::words;

/// What an answer says of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// First and last name; `as_last` is what to take where only a last name was asked for ("de la Cruz").
    Full { first: String, last: String, as_last: String },
    /// A lone word, which may be either.
    Word(String),
}

impl Name {
    /// First and last name told apart by the texter.
    fn apart(first: &[&str], last: &[&str]) -> Self {
        let last = written(last);
        Self::Full { first: written(first), as_last: last.clone(), last }
    }
}

/// Said before a name.
const BEFORE: [&str; 28] = [
    "my name is",
    "my names",
    "my name",
    "the name is",
    "name is",
    "full name",
    "name",
    "i am",
    "im",
    "this is",
    "it is",
    "its",
    "patient name",
    "patient",
    "hi",
    "hello",
    "hey",
    "sure",
    "yes",
    "ok",
    "okay",
    "good morning",
    "good afternoon",
    "me llamo",
    "mi nombre es",
    "soy",
    "hola",
    "and",
];

/// Said after a name, or around a date that has been cut out.
const AFTER: [&str; 24] = [
    "date of birth",
    "birth date",
    "birthdate",
    "birthday",
    "dob",
    "bday",
    "born",
    "was",
    "is",
    "my",
    "and",
    "on",
    "thanks",
    "thank you",
    "please",
    "here",
    "fecha de nacimiento",
    "mi",
    "es",
    "y",
    "nacido",
    "nacida",
    "el",
    "gracias",
];

const TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "mx", "dr", "sr", "sra"];
const SUFFIXES: [&str; 8] = ["jr", "sr", "ii", "iii", "iv", "md", "phd", "rn"];

/// Words that a last name may begin with.
const PARTICLES: [&str; 19] = [
    "de", "del", "della", "der", "den", "di", "da", "das", "dos", "du", "van", "von", "ten", "ter", "bin",
    "ibn", "al", "el", "st",
];

/// No part of a name: one of them, and the answer is a sentence.
const NEVER: &str = " the is are was were what why who when where how which please thanks thank need needs want \
    wants would could should have has had does didnt dont doesnt cant wont isnt know your yours our they them this \
    that these there for with about because already told said gave refill refills prescription prescriptions \
    appointment appointments medicine medication doctor nurse clinic pharmacy insurance bill billing results test \
    patient call text texting number name birthday birth date dob help hello yes yeah yep nope okay sorry nothing \
    never later skip cancel private privacy personal information question questions wrong person someone somebody \
    sure pain sick hurts fever emergency today tomorrow yesterday send get give make just only still and or but \
    if it its ";

/// Also names (An Do, My Le, Sam New): one beside another word is fine, two make a sentence.
const SELDOM: &str = " a i im me my mine you we he she us no not new on in at to of do so can am be ok hi hey \
    any all see go out up ";

/// Words of the longest answer that is looked through; beyond it somebody tells a story.
const LONGEST: usize = 25;

/// Reads a name from what is left of an answer once a date has been cut out of it.
///
/// `None` for questions, sentences, and words with digits in them.
pub(crate) fn find(text: &str) -> Option<Name> {
    if text.contains('?') || text.split_whitespace().nth(LONGEST).is_some() {
        return None;
    }
    if let Some(name) = labelled(text) {
        return Some(name);
    }
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for part in text.split([',', ';']) {
        let part = name_words(part)?;
        if !part.is_empty() {
            parts.push(part);
        }
    }
    let all: Vec<String> = parts.iter().flatten().map(|word| key(word)).collect();
    let counted = |list: &str| all.iter().filter(|word| list.contains(&format!(" {word} "))).count();
    let seldom = counted(SELDOM);
    if counted(NEVER) > 0 || seldom > 1 || seldom == all.len() || all.len() > 6 {
        return None;
    }
    match parts.as_slice() {
        [one] => from_words(one),
        // "Smith, John A."
        [last, first] => Some(Name::apart(&first[..1], last)),
        _ => None,
    }
}

/// `First name: John, last name: Smith`, in either order.
fn labelled(text: &str) -> Option<Name> {
    let spaced = text.replace([',', ';', ':', '\n', '\r', '='], " ");
    let all: Vec<&str> = spaced.split_whitespace().collect();
    let label = |word: &str| {
        all.windows(2).position(|pair| key(pair[0]) == word && key(pair[1]) == "name").map(|at| (at, at + 2))
    };
    let (first_label, first_at) = label("first")?;
    let (last_label, last_at) = label("last")?;
    let until = |from: usize, other: usize| if other > from { other } else { all.len() };
    let first = all[first_at..until(first_at, last_label)].join(" ");
    let last = all[last_at..until(last_at, first_label)].join(" ");
    let (first, last) = (name_words(&first)?, name_words(&last)?);
    (!first.is_empty() && !last.is_empty()).then(|| Name::apart(&first[..1], &last))
}

fn from_words(list: &[&str]) -> Option<Name> {
    let [first, rest @ ..] = list else { return None };
    if rest.is_empty() {
        return Some(Name::Word(written(&[first])));
    }
    // The last word, and the particles that lead up to it: "Ana Maria de la Cruz" is a de la Cruz.
    let mut from = rest.len() - 1;
    while from > 0 && is_particle(rest, from - 1) {
        from -= 1;
    }
    Some(Name::Full { first: written(&[first]), last: written(&rest[from..]), as_last: written(list) })
}

fn is_particle(list: &[&str], at: usize) -> bool {
    let word = key(list[at]);
    let after_de = at > 0 && key(list[at - 1]) == "de";
    PARTICLES.contains(&word.as_str()) || (after_de && matches!(word.as_str(), "la" | "las" | "los"))
}

/// The words of a part that may be a name, without greetings, labels, titles and suffixes. `None` where a word
/// has digits in it.
fn name_words(part: &str) -> Option<Vec<&str>> {
    let mut list: Vec<&str> = part
        .split(|c| !(is_name_char(c) || c.is_numeric()))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    while let Some(count) = BEFORE.iter().find_map(|phrase| leads(&list, phrase)) {
        list.drain(..count);
    }
    while let Some(count) = AFTER.iter().find_map(|phrase| trails(&list, phrase)) {
        list.truncate(list.len() - count);
    }
    while list.first().is_some_and(|word| TITLES.contains(&key(word).as_str())) {
        list.remove(0);
    }
    while list.last().is_some_and(|word| SUFFIXES.contains(&key(word).as_str())) {
        list.pop();
    }
    list.iter().all(|word| word.chars().all(is_name_char)).then_some(list)
}

/// Letters of any script with their marks, and what stands inside names.
fn is_name_char(c: char) -> bool {
    c.is_alphabetic()
        || matches!(c, '\'' | '\u{2019}' | '-' | '\u{2010}' | '.')
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{200c}' | '\u{200d}')
}

/// Folded, without what stands inside names: `D.O.B.` is `dob`, `I’m` is `im`.
fn key(word: &str) -> String {
    words(word).concat()
}

/// How many words of `list` are `phrase`, if it begins with it.
fn leads(list: &[&str], phrase: &str) -> Option<usize> {
    let count = phrase.split(' ').count();
    let same = list.len() >= count && phrase.split(' ').zip(list).all(|(a, b)| a == key(b));
    same.then_some(count)
}

/// How many words of `list` are `phrase`, if it ends with it.
fn trails(list: &[&str], phrase: &str) -> Option<usize> {
    let from = list.len().checked_sub(phrase.split(' ').count())?;
    leads(&list[from..], phrase)
}

/// The words as a name is written. Names typed in one case get capitals; others stay as they were typed.
fn written(list: &[&str]) -> String {
    let typed = list.join(" ");
    let one_case = !typed.chars().any(char::is_uppercase) || !typed.chars().any(char::is_lowercase);
    if !one_case || typed.chars().count() < 2 {
        return typed;
    }
    let word = |(at, word): (usize, &&str)| {
        let lower = word.to_lowercase();
        if at + 1 < list.len() && is_particle(list, at) { lower } else { capitals(&lower) }
    };
    list.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
}

/// `o'brien-smith` to `O'Brien-Smith`.
fn capitals(lower: &str) -> String {
    let mut capital = true;
    let mut name = String::with_capacity(lower.len());
    for c in lower.chars() {
        if capital {
            name.extend(c.to_uppercase());
        } else {
            name.push(c);
        }
        capital = matches!(c, '-' | '\u{2010}' | '\'' | '\u{2019}' | '.');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> Option<(String, String)> {
        match find(text) {
            Some(Name::Full { first, last, .. }) => Some((first, last)),
            _ => None,
        }
    }

    #[test]
    fn full_names() {
        let cases = [
            ("John Smith", "John", "Smith"),
            ("john smith", "John", "Smith"),
            ("JOHN SMITH", "John", "Smith"),
            ("  John   A. Smith. ", "John", "Smith"),
            ("Smith, John", "John", "Smith"),
            ("smith, john albert", "John", "Smith"),
            ("Garcia Lopez, Maria", "Maria", "Garcia Lopez"),
            ("John\nSmith", "John", "Smith"),
            ("Smith,\nJohn", "John", "Smith"),
            ("my dob is, and I'm John Smith", "John", "Smith"),
            ("DOB , John Smith", "John", "Smith"),
            ("My name is John Smith", "John", "Smith"),
            ("my name’s John Smith, thanks!", "John", "Smith"),
            ("Hi, I'm John Smith and my date of birth is", "John", "Smith"),
            ("this is John Smith DOB:", "John", "Smith"),
            ("John Smith, D.O.B.", "John", "Smith"),
            ("Name: John Smith", "John", "Smith"),
            ("First name: John\nLast name: Smith", "John", "Smith"),
            ("last name smith first name john", "John", "Smith"),
            ("Mr. John Smith Jr.", "John", "Smith"),
            ("John Smith, Jr.", "John", "Smith"),
            ("Dr Jane O’Neil", "Jane", "O’Neil"),
            ("jane o'neil-smith", "Jane", "O'Neil-Smith"),
            ("maria de la cruz", "Maria", "de la Cruz"),
            ("Ana Maria de la Cruz", "Ana", "de la Cruz"),
            ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
            ("Mary St. John", "Mary", "St John"),
            ("van der Berg, Jan", "Jan", "van der Berg"),
            ("José Núñez 😊", "José", "Núñez"),
            ("me llamo José Núñez", "José", "Núñez"),
            ("Иван Петров", "Иван", "Петров"),
            ("An Do", "An", "Do"),
            ("Sam New", "Sam", "New"),
            ("Will May", "Will", "May"),
            ("McDonald, Ronald", "Ronald", "McDonald"),
        ];
        for (text, first, last) in cases {
            assert_eq!(full(text), Some((first.into(), last.into())), "{text:?}");
        }
    }

    #[test]
    fn lone_words() {
        for (text, word) in [("john", "John"), ("It's John", "John"), ("Smith.", "Smith"), ("张伟", "张伟")]
        {
            assert_eq!(find(text), Some(Name::Word(word.into())), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name() {
        let cases = [
            "",
            "?",
            "😊",
            "hi",
            "yes",
            "why?",
            "John Smith?",
            "who is this",
            "I am a new patient",
            "new patient",
            "I need a refill",
            "refill please",
            "Refills",
            "not sure",
            "no thank you",
            "the doctor told me to text",
            "john smith calling about my bill",
            "12345",
            "John Sm1th",
            "one two three four five six seven",
            "what do you need my name for",
            "Smith, John, Albert, Peter",
            ", , ,",
            "' - .",
        ];
        for text in cases {
            assert_eq!(find(text), None, "{text:?}");
        }
    }
}
