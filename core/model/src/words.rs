//! The words of texts and notes, and what a search for some of them means.
//!
//! A word is a run of letters and digits, compared without case and accents: `"Año"` is `ano`. An apostrophe
//! belongs to its word (`don't` is `dont`); a hyphen divides (`follow-up` is `follow`, `up`, and `followup`
//! besides). Scripts that write no spaces (Chinese, Japanese, Thai; Korean, whose particles cling to their words)
//! are taken letter by letter, and found by any part.

use std::{collections::BTreeSet, ops::Range};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub use self::query::{Query, QueryProblem, Wanted};
pub use self::snippet::{Snippet, snippet};

mod query;
mod snippet;

/// Letters of a word that decide where it is kept: a beginning that is looked for needs as many.
pub const BEGINNING: usize = 3;
/// Letters of a word that are kept.
pub const LONGEST_WORD: usize = 40;
/// Different words of one text that are kept.
const MOST_WORDS: usize = 1_000;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    /// As it is compared.
    folded: String,
    /// Where it stands, in bytes.
    at: Range<usize>,
    /// A letter of a script without spaces, next to what stands before it.
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Divided from others.
    Spaced,
    /// Parts of a compound, as one word: it covers them.
    Compound,
    /// One letter of a script that writes no spaces.
    Letter,
}

/// The form in which words are compared.
fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase).nfc().collect()
}

/// Marks that people leave out when they type. Vowel signs of Indian scripts are none of them.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Scripts whose words nothing divides.
const fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{323af}')
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '‘' | '＇')
}

const fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '–' | '\u{ad}')
}

/// The words of `text`, in its order; a compound stands before its parts.
fn words_of(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    // Of the compound that is being read: where its parts begin in `words`.
    let mut parts_from = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let kind = if is_unspaced(first) { Kind::Letter } else { Kind::Spaced };
        let mut end = start + first.len_utf8();
        while let Some((at, c)) = rest.peek().copied() {
            let next = at + c.len_utf8();
            let goes_on = is_combining_mark(c)
                || kind == Kind::Spaced
                    && (c.is_alphanumeric() && !is_unspaced(c)
                        || is_apostrophe(c) && text[next..].starts_with(|c: char| c.is_alphanumeric()));
            if !goes_on {
                break;
            }
            end = next;
            rest.next();
        }
        let letters: String = text[start..end].chars().filter(|c| !is_apostrophe(*c)).collect();
        let folded = fold(&letters);
        if folded.is_empty() {
            continue;
        }
        if kind == Kind::Letter || !joins(words.last(), &text[..start]) {
            close_compound(&mut words, parts_from);
            parts_from = words.len();
        }
        words.push(Word { folded, at: start..end, kind });
    }
    close_compound(&mut words, parts_from);
    words
}

/// Whether nothing but a hyphen stands between the last word and what comes.
fn joins(last: Option<&Word>, before: &str) -> bool {
    last.filter(|last| last.kind == Kind::Spaced).is_some_and(|last| {
        let mut between = before[last.at.end..].chars();
        between.next().is_some_and(is_hyphen) && between.next().is_none()
    })
}

fn close_compound(words: &mut Vec<Word>, from: usize) {
    if let [first, _, ..] = &words[from..]
        && first.kind == Kind::Spaced
    {
        let parts = &words[from..];
        let at = first.at.start..parts.last().map_or(first.at.end, |last| last.at.end);
        let folded = parts.iter().map(|part| part.folded.as_str()).collect();
        words.insert(from, Word { folded, at, kind: Kind::Compound });
    }
}

/// Whether a word is kept: one Latin letter or digit alone is found nowhere, and narrows a search only.
fn is_kept(word: &str) -> bool {
    word.chars().nth(1).is_some()
}

/// What a text is found by: its words, cut to [`LONGEST_WORD`] letters, and of scripts without spaces each letter and
/// each two neighbours.
pub fn kept(text: &str) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    let words = words_of(text);
    for (at, word) in words.iter().enumerate() {
        if kept.len() >= MOST_WORDS {
            break;
        }
        if word.kind == Kind::Letter {
            kept.insert(word.folded.clone());
            if let Some(next) = words.get(at + 1).filter(|next| are_neighbours(word, next)) {
                kept.insert(format!("{}{}", word.folded, next.folded));
            }
        } else if is_kept(&word.folded) {
            kept.insert(beginning(&word.folded, LONGEST_WORD).to_owned());
        }
    }
    kept
}

fn are_neighbours(one: &Word, next: &Word) -> bool {
    one.kind == Kind::Letter && next.kind == Kind::Letter && one.at.end == next.at.start
}

/// The first `length` letters of a word.
pub fn beginning(word: &str, length: usize) -> &str {
    word.char_indices().nth(length).map_or(word, |(end, _)| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        words_of(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_what_people_would_type() {
        for (text, expected) in [
            ("My KNEE hurts!", &["my", "knee", "hurts"][..]),
            ("¿Mañana a las 3? ¡Sí, señora!", &["manana", "a", "las", "3", "si", "senora"]),
            ("Don’t, don't; O'Neill's 'quoted'", &["dont", "dont", "oneills", "quoted"]),
            ("a follow-up visit", &["a", "followup", "follow", "up", "visit"]),
            ("x-ray – or pre-op-test", &["xray", "x", "ray", "or", "preoptest", "pre", "op", "test"]),
            ("call 555-0101 at 10:30, 20mg", &["call", "5550101", "555", "0101", "at", "10", "30", "20mg"]),
            ("ﬁle １２", &["file", "12"]),
            ("Straße ÉCOLE naïve", &["straße", "ecole", "naive"]),
            ("see https://example.com/a_b", &["see", "https", "example", "com", "a", "b"]),
            ("我的膝盖痛 knee", &["我", "的", "膝", "盖", "痛", "knee"]),
            ("병원에서", &["병", "원", "에", "서"]),
            ("هَلْ العِيادة", &["هل", "العيادة"]),
            ("क्लिनिक कब", &["क्लिनिक", "कब"]),
            ("  … 🙂 -- ", &[]),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_kept_is_what_can_be_found() {
        let kept = |text| kept(text).into_iter().collect::<Vec<_>>();
        assert_eq!(kept("a 5 to knee knee"), ["knee", "to"]);
        assert_eq!(kept("膝盖痛"), ["痛", "盖", "盖痛", "膝", "膝盖"]);
        assert_eq!(kept("膝 盖"), ["盖", "膝"], "no neighbours");
        let long = "x".repeat(100);
        assert_eq!(kept(&long), ["x".repeat(LONGEST_WORD)]);
        let many = (0..5_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(kept(&many).len(), MOST_WORDS);
    }

    proptest::proptest! {
        #[test]
        fn words_stand_where_they_say(text in "\\PC{0,120}") {
            let mut reached = 0;
            for word in words_of(&text) {
                proptest::prop_assert!(text.get(word.at.clone()).is_some());
                if word.kind != Kind::Compound {
                    proptest::prop_assert!(word.at.start >= reached);
                    reached = word.at.end;
                }
            }
        }
    }
}
