//! Texters who write for somebody else: "it's Ana's mom", "this is for my son Luis", "soy la mamá de Ana".
//!
//! Who is asked for is the patient. The texter's own name is never taken for the patient's.

use anteroom_sdk::text::words;

/// What a texter who writes for somebody else says of the patient.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ForAnother {
    /// The words that name the patient, as typed; empty where the patient is not named.
    pub(crate) name: String,
    /// Where they begin (bytes): a date of birth before it may be the texter's own.
    pub(crate) at: usize,
}

/// Words for relatives and care-givers, folded.
const RELATIVES: &str = " mom mum mommy mother dad father daddy parent parents wife husband spouse son daughter kid \
    child baby grandma grandmother grandpa grandfather grandson granddaughter guardian caregiver carer caretaker \
    aunt uncle niece nephew sister brother stepmom stepdad stepson stepdaughter partner girlfriend boyfriend \
    mama madre papa padre esposa esposo marido mujer hijo hija nino nina bebe abuela abuelo nieto nieta tia tio \
    sobrino sobrina hermana hermano tutor tutora cuidador cuidadora novia novio hijito hijita mami papi ";

/// Relatives that are also people's names: they need more around them.
const ALSO_NAMES: &str = " nina tia papa baby kid tutor mami papi child son mama parent ";

/// Said before a relative of the texter's.
const MINE: [&str; 6] = ["my", "our", "mi", "nuestro", "nuestra", "mis"];

/// Said before "my son" by somebody who writes for him.
const FOR: [&str; 16] = [
    "for",
    "para",
    "of",
    "de",
    "is",
    "its",
    "es",
    "this",
    "about",
    "sobre",
    "behalf",
    "por",
    "patient",
    "paciente",
    "regarding",
    "with",
];

/// Said before a relative by somebody who is that relative.
const AM: [&str; 14] =
    ["the", "her", "his", "their", "su", "la", "el", "una", "un", "a", "soy", "im", "am", "is"];

/// Of those, what makes "mama" a mother and no name.
const THEIR: [&str; 7] = ["la", "el", "su", "the", "a", "her", "his"];

/// No part of a name; they end it.
const ENDS: &str = " is was are and y has have needs need who she he they it that this the es esta tiene necesita que \
    born dob date on nacio nacida nacido el la birthday cumple con with from in my mi i im am here aqui please thanks \
    gracias thank you said says gave told asked wants soy me llamo yo su her his their a an of for para de not no \
    name nombre patient paciente ";

struct Word<'a> {
    typed: &'a str,
    at: usize,
    key: String,
    /// Punctuation stands before it.
    apart: bool,
}

impl Word<'_> {
    fn is_in(&self, list: &str) -> bool {
        list.contains(&format!(" {} ", self.key))
    }

    /// `son`, and `son's`.
    fn is_relative(&self) -> bool {
        self.is_in(RELATIVES) || self.owner().is_some_and(|owner| is_relative(&owner))
    }

    /// `Ana` of `Ana's`.
    fn owner(&self) -> Option<String> {
        let typed = self.typed.replace('\u{2019}', "'");
        let owner = typed.strip_suffix("'s").or_else(|| typed.strip_suffix("'S"));
        owner.or_else(|| typed.strip_suffix('\'').filter(|owner| owner.ends_with(['s', 'S']))).map(Into::into)
    }
}

fn is_relative(word: &str) -> bool {
    RELATIVES.contains(&format!(" {} ", words(word).concat()))
}

/// Whether the texter says that somebody else is the patient, and whom they name.
pub(crate) fn find(text: &str) -> Option<ForAnother> {
    let list = scan(text);
    // Beyond it somebody tells a story.
    let list = &list[..list.len().min(40)];
    (0..list.len()).find_map(|at| at_relative(list, at).or_else(|| on_behalf(list, at)))
}

fn scan(text: &str) -> Vec<Word<'_>> {
    let is_letter =
        |c: char| c.is_alphabetic() || matches!(c, '\'' | '\u{2019}' | '-' | '\u{301}' | '\u{303}');
    let (mut list, mut apart, mut rest, mut at) = (Vec::new(), true, text, 0);
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
        if end == 0 {
            apart |= !(c == ' ' || c == '\t');
            rest = &rest[c.len_utf8()..];
            at += c.len_utf8();
            continue;
        }
        let typed = &rest[..end];
        let key = words(typed).concat();
        if !key.is_empty() {
            list.push(Word { typed, at, key, apart });
            apart = false;
        }
        (rest, at) = (&rest[end..], at + end);
    }
    list
}

fn at_relative(list: &[Word<'_>], at: usize) -> Option<ForAnother> {
    let word = &list[at];
    if !word.is_relative() {
        return None;
    }
    let before = at.checked_sub(1).map(|before| &list[before]);
    // "Ana's mom": whose mother she is.
    if let Some(owner) = before.and_then(Word::owner).filter(|owner| !is_relative(owner))
        && !word.apart
    {
        return Some(owned(list, at - 1, &owner));
    }
    // "the mother of Ana", "mamá de Ana".
    if let Some(next) = list.get(at + 1)
        && ["of", "de", "del", "to"].contains(&next.key.as_str())
    {
        let named = named(list, at + 2);
        if !named.name.is_empty() || before.is_some_and(|before| AM.contains(&before.key.as_str())) {
            return Some(named);
        }
    }
    // "my son Luis", "for my son", "Luis Ruiz, my son".
    if before.is_some_and(|before| MINE.contains(&before.key.as_str())) {
        let mut from = at + 1;
        while list.get(from).is_some_and(|word| word.is_in(" name nombre is es se llama called named s ")) {
            from += 1;
        }
        let named = named(list, from);
        if !named.name.is_empty() {
            return Some(named);
        }
        let start = at == 1;
        if at > 2 && at + 1 == list.len() && list[at - 1].apart {
            let name: Vec<_> = list[..at - 1].iter().take_while(|word| !word.is_in(ENDS)).collect();
            if name.len() == at - 1 && (2..=4).contains(&name.len()) {
                let name = name.iter().map(|word| word.typed).collect::<Vec<_>>().join(" ");
                return Some(ForAnother { name, at: 0 });
            }
        }
        let cue = at > 1 && FOR.contains(&list[at - 2].key.as_str());
        return (start || cue).then(|| nobody(word));
    }
    // "I'm her mom", "soy la mamá", "mom".
    let is_said = before.is_some_and(|before| AM.contains(&before.key.as_str()));
    let alone = list.len() == 1;
    (!word.is_in(ALSO_NAMES) && (is_said || alone)
        || word.is_in(" mama papa parent ")
            && before.is_some_and(|before| THEIR.contains(&before.key.as_str())))
    .then(|| nobody(word))
}

/// "on behalf of Ana Ruiz", "de parte de Ana", "I'm texting for Ana".
fn on_behalf(list: &[Word<'_>], at: usize) -> Option<ForAnother> {
    let next = |step: usize| list.get(at + step).map_or("", |word| word.key.as_str());
    let from = match (list[at].key.as_str(), next(1)) {
        ("behalf", "of")
        | ("parte", "de")
        | (
            "texting" | "calling" | "writing" | "asking" | "messaging" | "escribo" | "llamo" | "hablo",
            "for" | "por" | "para",
        ) => at + 2,
        _ => return None,
    };
    let named = named(list, from);
    (!named.name.is_empty()).then_some(named)
}

fn nobody(word: &Word<'_>) -> ForAnother {
    ForAnother { name: String::new(), at: word.at }
}

/// The name that ends with an owner: "Ana Ruiz's".
fn owned(list: &[Word<'_>], end: usize, possessor: &str) -> ForAnother {
    let mut from = end;
    while from > 0 && end - from < 3 && !list[from].apart {
        let word = &list[from - 1];
        if word.is_in(ENDS) || word.is_in(" hi hello hola its hey this yes si ") || word.is_relative() {
            break;
        }
        from -= 1;
    }
    let name: Vec<&str> = list[from..end].iter().map(|word| word.typed).chain([possessor]).collect();
    ForAnother { name: name.join(" "), at: list[from].at }
}

/// The name that begins at `from`, after "my" and a relative again ("the mother of my son Luis").
fn named(list: &[Word<'_>], mut from: usize) -> ForAnother {
    let mut mine = false;
    while let Some(word) = list.get(from) {
        let own = MINE.contains(&word.key.as_str());
        if !(own || word.is_in(RELATIVES) && (mine || !word.is_in(ALSO_NAMES))) {
            break;
        }
        mine = own;
        from += 1;
    }
    let particle = |word: &Word<'_>| word.is_in(" de la del ");
    let name: Vec<&Word<'_>> = list[from.min(list.len())..]
        .iter()
        .enumerate()
        .take_while(|(place, word)| {
            (*place == 0 || !word.apart) && (!word.is_in(ENDS) || *place > 0 && particle(word))
        })
        .map(|(_, word)| word)
        .take(5)
        .collect();
    let at = name.first().or(list.last().as_ref()).map_or(0, |word| word.at);
    // A sentence, not a name.
    if name
        .iter()
        .any(|word| word.is_in(" appointment refill cita receta medicine fever sick enfermo enferma "))
    {
        return ForAnother { name: String::new(), at };
    }
    ForAnother { name: name.iter().map(|word| word.typed).collect::<Vec<_>>().join(" "), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_is_named_and_not_the_texter() {
        let cases = [
            ("it's Ana's mom", Some("Ana")),
            ("Its Ana Ruiz\u{2019}s mother", Some("Ana Ruiz")),
            ("This is Maria, Luis Garcia's mom", Some("Luis Garcia")),
            ("this is for my son Luis", Some("Luis")),
            ("my daughter Ana Ruiz", Some("Ana Ruiz")),
            ("I'm Rosa Ruiz, texting for my son Luis Ruiz", Some("Luis Ruiz")),
            ("mother of Luis Garcia", Some("Luis Garcia")),
            ("Maria Lopez (mom of Luis)", Some("Luis")),
            ("soy la mamá de Ana", Some("Ana")),
            ("para mi hijo Luis de la Cruz", Some("Luis de la Cruz")),
            ("mi hija se llama Ana Ruiz", Some("Ana Ruiz")),
            ("Luis Garcia, my son", Some("Luis Garcia")),
            ("I'm her mom", Some("")),
            ("soy su mamá", Some("")),
            ("it's for my husband", Some("")),
            ("on behalf of John Smith", Some("John Smith")),
            ("mom", Some("")),
            ("John Smith", None),
            ("Tia Jones", None),
            ("Soy Nina Ruiz", None),
            ("John Smith, my wife gave me this number", None),
            ("I'm John Smith", None),
            ("", None),
        ];
        for (text, name) in cases {
            assert_eq!(find(text).map(|found| found.name).as_deref(), name, "{text}");
        }
    }
}
