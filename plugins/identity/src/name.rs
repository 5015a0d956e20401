//! Names as people type them.

use anteroom_sdk::text::words;

use crate::surnames;

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
const BEFORE: &[&str] = &[
    "my name is",
    "my names",
    "my name",
    "the name is",
    "name is",
    "names",
    "full name",
    "name",
    "i am",
    "im",
    "this is",
    "it is",
    "its",
    "patient name is",
    "patient name",
    "patients name is",
    "patients name",
    "patient is",
    "the patient is",
    "patient",
    "hi",
    "hello",
    "hey",
    "sure",
    "yes",
    "yeah",
    "yep",
    "ok",
    "okay",
    "of course",
    "good morning",
    "good afternoon",
    "good evening",
    "sorry",
    "thanks",
    "thank you",
    "here you go",
    "me llamo",
    "mi nombre completo es",
    "mi nombre es",
    "mi nombre",
    "nombre completo",
    "nombre",
    "nombre del paciente",
    "el paciente es",
    "la paciente es",
    "el nombre es",
    "su nombre es",
    "se llama",
    "paciente",
    "soy",
    "yo soy",
    "hola",
    "buenos dias",
    "buenas tardes",
    "buenas noches",
    "buenas",
    "si",
    "claro",
    "claro que si",
    "perdon",
    "disculpe",
    "gracias",
    "con gusto",
    "es",
    "and",
    "y",
    "dob",
    "date of birth",
    "birthday",
    "born",
    "on",
    "naci",
    "fecha de nacimiento",
    "a nombre de",
    "under",
    "call me",
    "texter",
    "yo me llamo",
];

/// Said after a name, or around a date that has been cut out.
const AFTER: &[&str] = &[
    "date of birth",
    "date birth",
    "birth date",
    "birthdate",
    "birthday",
    "dob",
    "bday",
    "db",
    "born",
    "was",
    "is",
    "my",
    "and",
    "on",
    "in",
    "thanks",
    "thank you",
    "ty",
    "thx",
    "please",
    "here",
    "sir",
    "maam",
    "fecha de nacimiento",
    "fecha nacimiento",
    "fecha de nac",
    "fecha nac",
    "fecha",
    "f nac",
    "nacimiento",
    "mi",
    "es",
    "y",
    "nacido",
    "nacida",
    "naci",
    "nacio",
    "en",
    "del",
    "de",
    "el",
    "gracias",
    "por favor",
    "cumpleanos",
    "cumplo anos",
    "a sus ordenes",
    "age",
    "years old",
    "year old",
    "yo",
    "edad",
    "anos",
    "tengo",
    "im",
    "i am",
    "am",
    "i",
    "the",
    "phone",
    "cell",
    "tel",
    "mrn",
    "he",
    "she",
    "her",
    "his",
    "su",
    "date",
    "mi cumpleanos",
    "para servirle",
    "again",
    "speaking",
];

const TITLES: [&str; 13] =
    ["mr", "mrs", "ms", "miss", "mx", "dr", "sr", "sra", "srta", "senor", "senora", "don", "dona"];
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
    patient call calling text texting number name birthday birth date dob help hello yes yeah yep nope okay sorry nothing \
    never later skip cancel private privacy personal information question questions wrong person someone somebody \
    sure pain sick hurts fever emergency today tomorrow yesterday send get give make just only still and or but \
    if it its receta cita citas medicina clinica farmacia seguro dolor fiebre ayuda que quien cual cuando donde como \
    porque por para con pero esto eso esta estan nada nadie necesito quiero quisiera puedo puede tengo tiene hola \
    buenos buenas gracias usted ustedes mensaje numero telefono pregunta llamar no? senorita ya muy mucho entiendo \
    idea rather prefer business guess joke working came come back soon wait hang minute second moment whats \
    old years anos language english spanish espanol ingles bleeding chest breathe car driving busy lol haha duele \
    duelen pecho cabeza estomago siento prefiero quieren dejen deje stop asking leave alone ";

/// Also names (An Do, My Le, Sam New): one beside another word is fine, two make a sentence.
const SELDOM: &str = " a i im me my mine you we he she us no not new on in at to of do so can am be ok hi hey \
    any all see go out up ";

/// Words of the longest answer that is looked through; beyond it somebody tells a story.
const LONGEST: usize = 25;

/// Reads a name from what is left of an answer once a date has been cut out of it.
///
/// `None` for questions, sentences, and words with digits in them.
pub(crate) fn find(text: &str) -> Option<Name> {
    if text.contains(['?', '\u{bf}']) || text.split_whitespace().nth(LONGEST).is_some() {
        return None;
    }
    if let Some(name) = labelled(text) {
        return Some(name);
    }
    let numberless = without_numbers(text);
    let mut parts: Vec<Vec<&str>> = Vec::new();
    for part in numberless.split([',', ';']) {
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

/// Phone numbers, house numbers and the like are no part of a name; digits inside a word spoil it.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| {
        word.chars().any(|c| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_punctuation())
    };
    let words = text.split_inclusive(char::is_whitespace);
    words
        .map(|word| {
            let bare = word.trim_end();
            if !is_number(bare) {
                return word;
            }
            // The comma or the line's end after it still parts what stands beside.
            if bare.ends_with([',', ';']) { ", " } else { " " }
        })
        .collect()
}

/// `First name: John, last name: Smith`, `Nombre: José Apellido: Núñez`, in either order.
fn labelled(text: &str) -> Option<Name> {
    let marked = text.replace([':', '='], " : ");
    let spaced = marked.replace([',', ';', '\n', '\r'], " ");
    let all: Vec<&str> = spaced.split_whitespace().collect();
    let at = |at: usize| all.get(at).map(|word| if *word == ":" { ":".to_owned() } else { key(word) });
    let label = |words: [&str; 3]| {
        let [english, spanish, plural] = words;
        (0..all.len()).find_map(|from| {
            let word = at(from)?;
            let next = at(from + 1).unwrap_or_default();
            let long = word == english && next == "name";
            let short = (word == english || word == spanish || word == plural) && next == ":";
            (long || short).then(|| {
                let after = from + 1 + usize::from(long);
                (from, after + usize::from(at(after).is_some_and(|word| word == ":")))
            })
        })
    };
    let (first_label, first_at) = label(["first", "nombre", "nombres"])?;
    let (last_label, last_at) = label(["last", "apellido", "apellidos"])?;
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
    // Two family names: "Maria Garcia Lopez" is a Garcia Lopez.
    if from > 0 && surnames::is_one(&key(rest[from - 1])) {
        from -= 1;
    }
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
