//! Finding words in what people type, whatever the capitals, accents and apostrophes.

use serde::Deserialize;

/// Lower case without accents: `Renouvèlement` and `RENOUVELEMENT` become the same. Latin (with Vietnamese) and
/// Greek letters lose their accents, combining marks go, typographic apostrophes become plain.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'æ' | 'Æ' | 'ǽ' | 'Ǽ' | 'ǣ' | 'Ǣ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ǯ' | 'Ǯ' => folded.push('ʒ'),
            'ſ' | 'ẛ' => folded.push('s'),
            '\u{300}'..='\u{36f}' => {}
            '\u{2018}' | '\u{2019}' | '\u{2bc}' => folded.push('\''),
            _ => match plain_letter(c) {
                Some(letter) => folded.push(letter),
                None => folded.extend(c.to_lowercase()),
            },
        }
    }
    folded
}

/// Plain letters from U+00C0 on, a dot where there is none. A table of its own: the general one for all of
/// Unicode would be half of a component.
const LATIN: &[u8; 0x190] = b"\
    aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yaaaaaaccccccccddddeeeeeeeeeegggg\
    gggghhhhiiiiiiiiii..jjkk.llllllllllnnnnnn.nnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzz.\
    b......................i........oo.............uu....zz......................aaiioouuuuuuuuuu.aa\
    aa....ggkkoooo..j...gg..nnaa..ooaaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............\
    ...b............";

/// The same from U+1E00 on.
const LATIN_ADDITIONAL: &[u8; 0x100] = b"\
    aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr\
    ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee\
    eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

fn plain_letter(c: char) -> Option<char> {
    let code = u32::from(c) as usize;
    let listed = match code {
        0xc0..0x250 => LATIN[code - 0xc0],
        0x1e00..0x1f00 => LATIN_ADDITIONAL[code - 0x1e00],
        _ => b'.',
    };
    if listed != b'.' {
        return Some(char::from(listed));
    }
    Some(match c {
        'Ά' | 'ά' => 'α',
        'Έ' | 'έ' => 'ε',
        'Ή' | 'ή' => 'η',
        'Ί' | 'ί' | 'Ϊ' | 'ϊ' | 'ΐ' => 'ι',
        'Ό' | 'ό' => 'ο',
        'Ύ' | 'ύ' | 'Ϋ' | 'ϋ' | 'ΰ' => 'υ',
        'Ώ' | 'ώ' => 'ω',
        _ => return None,
    })
}

/// The folded words of a text. Apostrophes don't split (`can’t` is `cant`); a letter of a script that writes
/// without spaces is a word of its own, so that keywords in it are found inside a sentence.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in fold(text).chars() {
        if is_unspaced(c) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            words.push(c.to_string());
        } else if c.is_alphanumeric() {
            word.push(c);
        } else if c != '\'' && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Thai, Lao, Myanmar, Khmer, kana and Han.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Words and phrases to look for, as an admin wrote them.
///
/// A keyword is found at word boundaries, singular or plural: `refill` in "2 Refills!", not in "prefilled".
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Keywords(Vec<Keyword>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Keyword {
    written: String,
    words: Vec<String>,
}

impl TryFrom<Vec<String>> for Keywords {
    type Error = String;

    fn try_from(list: Vec<String>) -> Result<Self, Self::Error> {
        let keyword = |written: String| match words(&written) {
            words if words.is_empty() => Err(format!("the keyword {written:?} has no letter or digit")),
            words => Ok(Keyword { written, words }),
        };
        list.into_iter().map(keyword).collect::<Result<_, _>>().map(Self)
    }
}

impl Keywords {
    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first keyword, in the admin's order, that occurs in `text` (see [`words`]), as it was written.
    pub fn find(&self, text: &[String]) -> Option<&str> {
        self.0
            .iter()
            .find(|k| {
                let first = &k.words[0];
                text.windows(k.words.len())
                    .any(|w| same(&w[0], first) && w.iter().zip(&k.words).all(|(a, b)| same(a, b)))
            })
            .map(|k| k.written.as_str())
    }
}

/// Equal but for a plural.
fn same(a: &str, b: &str) -> bool {
    // Nearly all pairs end here: a long text times many keywords is most of a policy's fuel.
    if a.as_bytes().first() != b.as_bytes().first() {
        return false;
    }
    a == b || is_plural(a, b) || is_plural(b, a)
}

fn is_plural(plural: &str, singular: &str) -> bool {
    // Two letters and fewer are seldom nouns: "is" is no plural of "i".
    if singular.len() < 3 {
        return false;
    }
    match plural.strip_prefix(singular) {
        Some("s") => !singular.ends_with('s'),
        Some("es") => ["s", "x", "z", "ch", "sh", "o"].iter().any(|end| singular.ends_with(end)),
        Some(_) => false,
        None => singular.strip_suffix('y').is_some_and(|stem| plural.strip_prefix(stem) == Some("ies")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(keyword: &str, text: &str) -> bool {
        Keywords::try_from(vec![keyword.to_owned()]).unwrap().find(&words(text)).is_some()
    }

    #[test]
    fn keywords_are_found_at_word_boundaries() {
        let cases = [
            ("refill", "Need a REFILL please", true),
            ("refill", "2 refills!", true),
            ("refills", "one refill", true),
            ("refill", "prefilled pen", false),
            ("refill", "refilled", false),
            ("pharmacy", "which pharmacies?", true),
            ("x-ray", "my X ray results", true),
            ("x-ray", "xray", false),
            ("rash", "two rashes", true),
            ("bill", "billing", false),
            ("i", "is", false),
            ("chest pain", "bad chest  pains since noon", true),
            ("chest pain", "chest. No pain", false),
            ("can't breathe", "I can’t breathe", true),
            ("can't breathe", "cant breathe", true),
            ("cita", "Necesito una CÍTA", true),
            ("ordonnance", "mon Ordonnance", true),
            ("niño", "mi nino", true),
            ("łódź", "LODZ", true),
            ("straße", "STRASSE", true),
            ("薬", "薬がほしい", true),
            ("处方", "我要处方药", true),
            ("处药", "我要处方药", false),
            ("πόνος", "ΠΟΝΟΣ", false),
            ("φάρμακο", "ΦΑΡΜΑΚΟ", true),
            ("thuốc", "THUOC", true),
        ];
        for (keyword, text, found) in cases {
            assert_eq!(find(keyword, text), found, "{keyword:?} in {text:?}");
        }
    }

    /// Against the tables of the Unicode standard.
    #[test]
    fn letters_lose_the_accents_that_unicode_gives_them() {
        use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
        for c in ('\u{c0}'..'\u{250}').chain('\u{1e00}'..'\u{1f00}') {
            let lower = c.to_lowercase().next().unwrap();
            let base: String = lower.nfd().filter(|c| !is_combining_mark(*c)).collect();
            if base.len() == 1 && base.bytes().all(|b| b.is_ascii_lowercase()) {
                assert_eq!(fold(&c.to_string()), base, "{c}");
            }
            let decomposed: String = c.nfd().collect();
            assert_eq!(fold(&decomposed), fold(&c.to_string()), "{c}");
        }
        assert_eq!(fold("Đặng Łukasz Øre ÆON Œuvre STRAẞE Iı İ"), "dang lukasz ore aeon oeuvre strasse ii i");
    }

    #[test]
    fn the_first_keyword_in_the_admins_order_is_named_as_written() {
        let keywords = Keywords::try_from(vec!["Lab results".into(), "Pain".into()]).unwrap();
        assert_eq!(keywords.find(&words("pain, and my lab result")), Some("Lab results"));
        assert_eq!(keywords.find(&words("")), None);
    }

    #[test]
    fn a_keyword_without_a_letter_is_refused() {
        let error = Keywords::try_from(vec!["ok".into(), "?!".into()]).unwrap_err();
        assert!(error.contains("?!"), "{error}");
    }
}
