//! What somebody looks for in texts.

use std::{fmt, ops::Range};

use super::{BEGINNING, Kind, LONGEST_WORD, Word, are_neighbours, beginning, is_kept, words_of};

/// Characters of a search.
const LONGEST: usize = 200;
/// Words of a search.
const MOST_WORDS: usize = 12;

/// A search for words. All of them must be in one text: as a whole, or as what a word of it begins with, from three
/// letters on. What was hyphenated is found in one word or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

/// Why a text can't be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryProblem {
    /// Nothing in it can be found.
    NothingToFind,
    /// It is too long.
    TooLong,
    /// It has too many words.
    TooManyWords,
}

impl fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToFind => f.write_str("text needs a word of at least two letters or digits."),
            Self::TooLong => write!(f, "text has more than {LONGEST} characters."),
            Self::TooManyWords => write!(f, "text has more than {MOST_WORDS} words."),
        }
    }
}

/// One thing that must be there, in one of two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    all: Vec<Part>,
    /// The parts of a compound in one word.
    joined: Option<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A whole word: it is too short to be a beginning.
    Whole(String),
    /// What a word begins with.
    Beginning(String),
    /// Letters of a script without spaces, next to each other.
    Run(Vec<String>),
}

/// What the index is asked for: words that are kept ([`super::kept`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This word.
    Word(String),
    /// Any word that begins so.
    Beginning(String),
}

impl Wanted {
    /// The letters looked for.
    pub fn letters(&self) -> &str {
        match self {
            Self::Word(word) | Self::Beginning(word) => word,
        }
    }

    /// Whether a kept word is looked for.
    pub fn is(&self, kept: &str) -> bool {
        match self {
            Self::Word(word) => kept == word,
            Self::Beginning(word) => kept.starts_with(word.as_str()),
        }
    }
}

impl Query {
    /// Takes apart what somebody typed.
    pub fn parse(text: &str) -> Result<Self, QueryProblem> {
        if text.chars().count() > LONGEST {
            return Err(QueryProblem::TooLong);
        }
        let words = words_of(text);
        let mut terms = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let (taken, term) = match word.kind {
                Kind::Compound => compound(&words[at..]),
                Kind::Letter => run(&words[at..]),
                Kind::Spaced => (1, Term { all: vec![Part::of(&word.folded)], joined: None }),
            };
            at += taken;
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        if terms.len() > MOST_WORDS {
            return Err(QueryProblem::TooManyWords);
        }
        let query = Self { terms };
        if query.wanted().all(|ways| ways.iter().any(Vec::is_empty)) {
            return Err(QueryProblem::NothingToFind);
        }
        Ok(query)
    }

    /// For each thing looked for, the ways to find it; in each way, all that the index must have of a text. A way
    /// without anything says nothing: each text may fit.
    pub fn wanted(&self) -> impl Iterator<Item = Vec<Vec<Wanted>>> {
        self.terms.iter().map(|term| {
            let all = term.all.iter().flat_map(Part::wanted).collect();
            let joined = term.joined.iter().map(|part| part.wanted().collect());
            std::iter::once(all).chain(joined).collect()
        })
    }

    /// Where `text` has what is looked for, in bytes, in order and apart from each other; `None`: not all of it is
    /// there.
    pub fn find(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let words = words_of(text);
        let mut found = Vec::new();
        for term in &self.terms {
            found.extend(term.find(&words)?);
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        Some(apart)
    }
}

/// A compound and its parts.
fn compound(words: &[Word]) -> (usize, Term) {
    let end = words[0].at.end;
    let parts = words[1..].iter().take_while(|part| part.at.end <= end);
    let all: Vec<_> = parts.map(|part| Part::of(&part.folded)).collect();
    (1 + all.len(), Term { all, joined: Some(Part::of(&words[0].folded)) })
}

/// Letters of a script without spaces.
fn run(words: &[Word]) -> (usize, Term) {
    let more = words.windows(2).take_while(|pair| are_neighbours(&pair[0], &pair[1])).count();
    let letters = words[..=more].iter().map(|word| word.folded.clone()).collect();
    (1 + more, Term { all: vec![Part::Run(letters)], joined: None })
}

impl Term {
    fn find(&self, words: &[Word]) -> Option<Vec<Range<usize>>> {
        let all = || -> Option<Vec<Range<usize>>> {
            let mut found = Vec::new();
            for part in &self.all {
                let there = part.find(words);
                if there.is_empty() {
                    return None;
                }
                found.extend(there);
            }
            Some(found)
        };
        let joined = self.joined.as_ref().map(|part| part.find(words)).unwrap_or_default();
        match all() {
            Some(mut found) => {
                found.extend(joined);
                Some(found)
            }
            None => Some(joined).filter(|joined| !joined.is_empty()),
        }
    }
}

impl Part {
    fn of(word: &str) -> Self {
        if word.chars().count() < BEGINNING { Self::Whole(word.into()) } else { Self::Beginning(word.into()) }
    }

    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        match self {
            Self::Whole(word) if !is_kept(word) => Vec::new(),
            Self::Whole(word) => vec![Wanted::Word(word.clone())],
            Self::Beginning(word) => vec![Wanted::Beginning(beginning(word, LONGEST_WORD).to_owned())],
            Self::Run(letters) if letters.len() == 1 => vec![Wanted::Word(letters[0].clone())],
            Self::Run(letters) => letters.windows(2).map(|pair| Wanted::Word(pair.concat())).collect(),
        }
        .into_iter()
    }

    fn find(&self, words: &[Word]) -> Vec<Range<usize>> {
        let whole = |word: &&Word| word.kind != Kind::Letter;
        match self {
            Self::Whole(wanted) => words
                .iter()
                .filter(whole)
                .filter(|word| word.folded == *wanted)
                .map(|word| word.at.clone())
                .collect(),
            Self::Beginning(wanted) => words
                .iter()
                .filter(whole)
                .filter(|word| word.folded.starts_with(wanted.as_str()))
                .map(|word| word.at.clone())
                .collect(),
            Self::Run(letters) => words
                .windows(letters.len())
                .filter(|run| {
                    run.windows(2).all(|pair| are_neighbours(&pair[0], &pair[1]))
                        && run
                            .iter()
                            .zip(letters)
                            .all(|(word, letter)| word.kind == Kind::Letter && word.folded == *letter)
                })
                .map(|run| run[0].at.start..run[run.len() - 1].at.end)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::kept;

    /// What is marked, or `None`.
    fn marked(query: &str, text: &str) -> Option<Vec<String>> {
        let ranges = Query::parse(query).unwrap().find(text)?;
        Some(ranges.into_iter().map(|range| text[range].to_owned()).collect())
    }

    #[test]
    fn all_words_must_be_there() {
        for (query, text, expected) in [
            ("knee", "My KNEE hurts", Some(&["KNEE"][..])),
            ("refill lisin", "Refills: Lisinopril", Some(&["Refills", "Lisinopril"])),
            ("refill lisin", "Refill please", None),
            ("manana", "¡Hasta mañana!", Some(&["mañana"])),
            ("MAÑANA", "hasta manana", Some(&["manana"])),
            ("no", "not now, no", Some(&["no"])),
            ("ne", "knee", None),
            ("nee", "knee", None),
            (
                "follow-up",
                "a follow up, a follow-up, a followup",
                Some(&["follow", "up", "follow-up", "followup"]),
            ),
            ("follow-up", "followup", Some(&["followup"])),
            ("followup", "my follow-up", Some(&["follow-up"])),
            ("follow-up", "follow me", None),
            ("e-mail", "my email", Some(&["email"])),
            ("x-ray", "an x ray", Some(&["x", "ray"])),
            ("ray x", "an ex ray", None),
            ("555-0101", "call 555-0101", Some(&["555-0101"])),
            ("5550101", "call 555-0101", Some(&["555-0101"])),
            ("0101", "call 555-0101", Some(&["0101"])),
            ("o'neill", "Dr. O’Neill", Some(&["O’Neill"])),
            ("dont", "don't", Some(&["don't"])),
            ("膝盖", "我的膝盖痛", Some(&["膝盖"])),
            ("膝盖痛", "我的膝盖痛", Some(&["膝盖痛"])),
            ("膝痛", "我的膝盖痛", None),
            ("痛", "膝盖痛 knee", Some(&["痛"])),
            ("병원", "병원에서", Some(&["병원"])),
            ("ไข้", "เป็นไข้สูง", Some(&["ไข้"])),
        ] {
            let expected = expected.map(|marks| marks.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(marked(query, text), expected, "{query:?} in {text:?}");
        }
    }

    #[test]
    fn what_cant_be_looked_for_is_said() {
        for text in ["", "  ", "?!", "a", "5", "x y"] {
            assert_eq!(Query::parse(text), Err(QueryProblem::NothingToFind), "{text:?}");
        }
        assert_eq!(Query::parse(&"x".repeat(LONGEST + 1)), Err(QueryProblem::TooLong));
        let many = (0..=MOST_WORDS).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Query::parse(&many), Err(QueryProblem::TooManyWords));
        assert!(Query::parse(&"word ".repeat(MOST_WORDS + 1)).is_ok(), "the same word again is no other");
        for text in ["no", "a knee", "x-ray", "痛", "42"] {
            assert!(Query::parse(text).is_ok(), "{text:?}");
        }
    }

    proptest::proptest! {
        /// The index must never miss what is there.
        #[test]
        fn what_a_text_has_is_kept(text in "[a-cA-Cáñ1 '\\-膝盖ไข้가나]{0,40}", query in "[a-cáñ1 '\\-膝盖ไข้가나]{1,8}") {
            let Ok(query) = Query::parse(&query) else { return Ok(()) };
            if query.find(&text).is_some() {
                let kept = kept(&text);
                for ways in query.wanted() {
                    let fits = |way: &Vec<Wanted>| way.iter().all(|wanted| kept.iter().any(|word| wanted.is(word)));
                    proptest::prop_assert!(ways.iter().any(fits));
                }
            }
        }

        #[test]
        fn marks_are_apart_and_in_order(text in "\\PC{0,80}", query in "\\PC{1,12}") {
            let Ok(query) = Query::parse(&query) else { return Ok(()) };
            let mut reached = 0;
            for range in query.find(&text).unwrap_or_default() {
                proptest::prop_assert!(range.start >= reached && text.get(range.clone()).is_some());
                reached = range.end;
            }
        }
    }
}
