//! STOP, START and HELP: what a text means before any policy sees it.
//!
//! [`classify`] knows the carriers' keywords, where the whole text is the keyword.
//! [`plain_language_revocation`] knows clear revocations in other words, which count just as much
//! (47 CFR 64.1200(a)(10)).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

mod revocation;

pub use revocation::plain_language_revocation;

/// What a keyword asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// No more texts. Answered once, at once, and honoured whoever sends it.
    Stop,
    /// Texts again.
    Start,
    /// Texts again, if the sender had opted out; from anybody else it is an ordinary answer.
    Yes,
    /// Who is this, and how do I stop it? Answered whoever sends it.
    Help,
}

/// The union of the carriers' keywords, folded: lower-case letters only.
const KEYWORDS: &[(Keyword, &[&str])] = &[
    (
        Keyword::Stop,
        &[
            "stop",
            "stopall",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "optout",
            "remove",
            "td",
            "arret",
        ],
    ),
    (Keyword::Start, &["start", "unstop"]),
    (Keyword::Yes, &["yes"]),
    (Keyword::Help, &["help", "info"]),
];

/// Letters of the longest keyword; a text with more is none.
const LONGEST: usize = 11;

/// The keyword that `text` is, if it is one as a whole.
///
/// Case, spaces, punctuation, accents, emoji and invisible characters don't matter: `Stop!`, `OPT-OUT`,
/// `arrêt` and `stop all` count, `please stop by` doesn't.
pub fn classify(text: &str) -> Option<Keyword> {
    let word: String = fold(text).filter(|c| c.is_alphanumeric()).take(LONGEST + 1).collect();
    KEYWORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(keyword, _)| *keyword)
}

/// Lower case without accents, compatibility forms (full-width letters, ligatures) and invisible characters.
fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(char::to_lowercase)
}

/// Characters that show nothing and that phones and paste buffers add: soft hyphen, joiners, direction
/// marks, variation selectors, byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_keyword_counts() {
        let stop = [
            "STOP",
            "STOPALL",
            "STOP ALL",
            "UNSUBSCRIBE",
            "CANCEL",
            "END",
            "QUIT",
            "REVOKE",
            "OPTOUT",
            "OPT-OUT",
            "OPT OUT",
            "REMOVE",
            "TD",
            "ARRET",
        ];
        for (keyword, texts) in [
            (Keyword::Stop, &stop[..]),
            (Keyword::Start, &["START", "UNSTOP"]),
            (Keyword::Yes, &["YES"]),
            (Keyword::Help, &["HELP", "INFO"]),
        ] {
            for text in texts {
                for dressed in [
                    (*text).to_owned(),
                    text.to_lowercase(),
                    format!(" \n{text} \u{a0}"),
                    format!("\"{text}.\"!!"),
                ] {
                    assert_eq!(classify(&dressed), Some(keyword), "{dressed:?}");
                }
            }
        }
    }

    #[test]
    fn dressing_does_not_matter() {
        for text in [
            "Stop!",
            "  stop.",
            "«STOP»",
            "s\u{200b}top",
            "\u{feff}STOP",
            "S.T.O.P.",
            "ＳＴＯＰ",
            "Arrêt",
            "ARRÊT",
            "arre\u{302}t",
            "stóp",
            "STOP 🛑",
            "STOP\u{fe0f}",
            "st\u{ad}op",
            "\u{202a}STOP\u{202c}",
            "opt‑out",
            "(stop)",
        ] {
            assert_eq!(classify(text), Some(Keyword::Stop), "{text:?}");
        }
    }

    #[test]
    fn only_the_whole_text_counts() {
        for text in [
            "",
            " ",
            "!",
            "please stop by",
            "stop by at 3",
            "non-stop",
            "stopped",
            "yes please",
            "yes, Tuesday",
            "help me",
            "the end",
            "the pain won't stop",
            "start taking it when?",
            "cancel my appointment",
            "information",
            "no",
            "y",
            "quit smoking",
            "removed",
            "tdap",
            "st0p",
            "сто́п",
            "I need help",
            "stop\nJohn Smith",
            "unsubscribed",
        ] {
            assert_eq!(classify(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_keyword_is_measured() {
        let longest = KEYWORDS.iter().flat_map(|(_, words)| words.iter()).map(|word| word.len()).max();
        assert_eq!(longest, Some(LONGEST));
    }

    proptest! {
        #[test]
        fn never_panics_and_more_letters_are_no_keyword(text in ".{0,40}") {
            let _ = classify(&text);
            let _ = plain_language_revocation(&text);
            prop_assert_eq!(classify(&format!("{text}abc stopstopstop")), None);
        }

        #[test]
        fn punctuation_never_changes_the_answer(marks in "[ .,!?\"'()*\u{200b}\u{fe0f}-]{0,8}", at in 0usize..=4) {
            let text = format!("{}{marks}{}", &"STOP"[..at], &"STOP"[at..]);
            prop_assert_eq!(classify(&text), Some(Keyword::Stop));
        }
    }
}
