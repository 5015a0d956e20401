//! How carriers cut a text into segments, counted exactly (3GPP TS 23.038 and TS 23.040).

use std::ops::Range;

use serde::Serialize;

/// How a text is coded on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// Seven bits a unit (septet); characters of the extension table take two.
    #[serde(rename = "gsm7")]
    Gsm7,
    /// UTF-16 units; characters beyond the basic plane take two. One character that GSM-7 lacks turns the
    /// whole text into this.
    #[serde(rename = "ucs2")]
    Ucs2,
}

impl Encoding {
    /// Units that fit when the text is a single segment: 160 or 70.
    pub const fn single(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit in each of several segments, beside the 6-octet concatenation header: 153 or 67.
    pub const fn concatenated(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// The encoding a carrier picks for `text`.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// Units that `c` takes. For [`Self::Gsm7`], `c` must be in the alphabet.
    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => septets(c).unwrap_or(1),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    fn measure(self, text: &str) -> usize {
        text.chars().map(|c| self.units(c)).sum()
    }

    /// Units that fit in each segment of a text of `units` units.
    const fn room(self, units: usize) -> usize {
        if units <= self.single() { self.single() } else { self.concatenated() }
    }

    /// The byte ranges of the segments of `text`, which measures `units`.
    fn cut(self, text: &str, units: usize) -> Vec<Range<usize>> {
        let (mut ranges, mut start, mut used) = (Vec::new(), 0, 0);
        for (at, c) in text.char_indices() {
            let wanted = self.units(c);
            if used + wanted > self.room(units) {
                ranges.push(start..at);
                (start, used) = (at, 0);
            }
            used += wanted;
        }
        if start < text.len() {
            ranges.push(start..text.len());
        }
        ranges
    }
}

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segmentation {
    /// How it is coded.
    pub encoding: Encoding,
    /// Septets or UTF-16 units of the whole text, without padding.
    pub units: usize,
    /// Segments that are sent and paid; 0 for an empty text.
    pub segments: usize,
    /// Units still free in the last segment (for an empty text, in the first).
    pub remaining: usize,
}

/// Counts the segments of `text`.
pub fn segments(text: &str) -> Segmentation {
    let encoding = Encoding::of(text);
    let units = encoding.measure(text);
    let ranges = encoding.cut(text, units);
    let used = ranges.last().map_or(0, |last| encoding.measure(&text[last.clone()]));
    let remaining = encoding.room(units) - used;
    Segmentation { encoding, units, segments: ranges.len(), remaining }
}

/// The segments of `text`, in order; joined they are `text` again. No character is cut, so neither an
/// escape pair nor a surrogate pair straddles two of them: the unit before it stays empty instead.
pub fn split(text: &str) -> Vec<&str> {
    let encoding = Encoding::of(text);
    encoding.cut(text, encoding.measure(text)).into_iter().map(|range| &text[range]).collect()
}

/// What one text of a carrier may hold; a longer one goes out as several texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongestText {
    /// Characters.
    pub characters: usize,
    /// Segments.
    pub segments: usize,
}

impl LongestText {
    fn takes(self, text: &str) -> bool {
        text.chars().count() <= self.characters && segments(text).segments <= self.segments
    }
}

/// `text` as texts that a carrier takes, cut at spaces where there are any: joined by single spaces (or nothing,
/// where a word was longer than a text) they are `text` again. Never empty texts, for a text that isn't.
pub fn texts(text: &str, longest: LongestText) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut rest = if longest.takes(text) { text } else { text.trim() };
    while !longest.takes(rest) {
        // Whether a beginning is taken can't change twice while it grows.
        let ends: Vec<usize> = rest.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        let taken = ends.partition_point(|end| longest.takes(&rest[..*end])).max(1);
        let end = ends[taken - 1];
        let at_space = match rest[end..].chars().next() {
            Some(c) if c.is_whitespace() => Some(end),
            _ => rest[..end].rfind(char::is_whitespace),
        };
        let cut = at_space.filter(|at| !rest[..*at].trim().is_empty()).unwrap_or(end);
        texts.push(rest[..cut].trim_end());
        rest = if at_space.is_some() { rest[cut..].trim_start() } else { &rest[cut..] };
    }
    if !rest.is_empty() || texts.is_empty() {
        texts.push(rest);
    }
    texts
}

/// Typographic characters and what stands for them on a keyboard.
const TYPOGRAPHIC: &[(&str, &str)] = &[
    ("‘’‚‛′`´", "'"),
    ("“”„‟″«»", "\""),
    ("‐‑‒–—―−", "-"),
    ("…", "..."),
    ("•", "-"),
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}", " "),
    ("\u{200b}\u{200c}\u{feff}\u{ad}", ""),
];

/// `text` with typographic characters as a keyboard has them, where that makes it fit the GSM 7-bit alphabet or
/// shorter; `None`: there is nothing to gain. One such character makes a text of 160 characters take three
/// segments instead of one.
pub fn plainer(text: &str) -> Option<String> {
    let stands_for = |c: char| TYPOGRAPHIC.iter().find(|(from, _)| from.contains(c)).map(|(_, to)| *to);
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match stands_for(c) {
            Some(instead) => plain.push_str(instead),
            None => plain.push(c),
        }
    }
    let (before, after) = (segments(text), segments(&plain));
    let cheaper = after.segments < before.segments
        || (before.encoding == Encoding::Ucs2 && after.encoding == Encoding::Gsm7);
    (cheaper && !plain.trim().is_empty()).then_some(plain)
}

/// The default alphabet outside ASCII.
const OTHERS: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Septets that `c` takes in the GSM 7-bit default alphabet with its extension table (TS 23.038 6.2.1),
/// or `None` for a character that is in neither.
pub fn septets(c: char) -> Option<usize> {
    match c {
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        '\n' | '\r' | ' '..='Z' | '_' | 'a'..='z' => Some(1),
        _ if OTHERS.contains(c) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(text: &str) -> (Encoding, usize, usize, usize) {
        let s = segments(text);
        (s.encoding, s.units, s.segments, s.remaining)
    }

    #[test]
    fn the_alphabet_is_the_standards() {
        // The default alphabet in code order, without the escape (TS 23.038 6.2.1).
        let basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
        assert_eq!(basic.chars().count(), 127);
        for c in basic.chars() {
            assert_eq!(septets(c), Some(1), "{c:?}");
        }
        let extension = "\u{c}^{}\\[~]|€";
        for c in extension.chars() {
            assert_eq!(septets(c), Some(2), "{c:?}");
        }
        let all = ('\0'..=char::MAX).filter(|c| septets(*c).is_some()).count();
        assert_eq!(all, 127 + 10, "nothing else is in it");
        for c in "ç`á’“”…–\u{1b}\t\0".chars() {
            assert_eq!(septets(c), None, "{c:?}");
        }
    }

    #[test]
    fn gsm7_boundaries() {
        assert_eq!(counted(""), (Encoding::Gsm7, 0, 0, 160));
        assert_eq!(counted("a"), (Encoding::Gsm7, 1, 1, 159));
        assert_eq!(counted(&"a".repeat(160)), (Encoding::Gsm7, 160, 1, 0));
        assert_eq!(counted(&"a".repeat(161)), (Encoding::Gsm7, 161, 2, 145));
        assert_eq!(counted(&"a".repeat(306)), (Encoding::Gsm7, 306, 2, 0));
        assert_eq!(counted(&"a".repeat(307)), (Encoding::Gsm7, 307, 3, 152));
        assert_eq!(counted(&"€".repeat(80)), (Encoding::Gsm7, 160, 1, 0));
    }

    #[test]
    fn an_escape_pair_does_not_straddle() {
        // 152 + a pair would put the escape in the first segment and the character in the second.
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
        assert_eq!(counted(&text), (Encoding::Gsm7, 174, 2, 131));
        let parts = split(&text);
        assert_eq!(parts, ["a".repeat(152), format!("€{}", "b".repeat(20))]);
        // 81 pairs are 162 septets; 76 pairs fill 152 of 153, so 153 pairs need three segments, not two.
        assert_eq!(counted(&"€".repeat(153)).2, 3);
        assert_eq!(counted(&"€".repeat(152)).2, 2);
    }

    #[test]
    fn ucs2_boundaries_and_surrogate_pairs() {
        assert_eq!(counted(&"ç".repeat(70)), (Encoding::Ucs2, 70, 1, 0));
        assert_eq!(counted(&"ç".repeat(71)), (Encoding::Ucs2, 71, 2, 63));
        assert_eq!(counted(&"😀".repeat(35)), (Encoding::Ucs2, 70, 1, 0));
        // 33 pairs fill 66 of 67: the 34th moves on as a whole.
        assert_eq!(counted(&"😀".repeat(36)), (Encoding::Ucs2, 72, 2, 61));
        assert_eq!(split(&"😀".repeat(36)), ["😀".repeat(33), "😀".repeat(3)]);
        // A euro sign is one UTF-16 unit once the text is UCS-2.
        assert_eq!(counted("€ç"), (Encoding::Ucs2, 2, 1, 68));
    }

    #[test]
    fn a_text_too_long_for_the_carrier_is_cut_at_spaces() {
        let longest = LongestText { characters: 10, segments: 1 };
        assert_eq!(texts("", longest), [""]);
        assert_eq!(texts("0123456789", longest), ["0123456789"]);
        assert_eq!(texts("one two three four", longest), ["one two", "three four"]);
        assert_eq!(texts("0123456789 x", longest), ["0123456789", "x"]);
        assert_eq!(texts("0123456789abc", longest), ["0123456789", "abc"]);
        // By segments: an emoji makes 70 units one segment.
        let longest = LongestText { characters: 1_600, segments: 1 };
        let text = format!("{} 👋 {}", "a".repeat(60), "b".repeat(100));
        assert_eq!(texts(&text, longest), [format!("{} 👋", "a".repeat(60)), "b".repeat(100)]);
    }

    #[test]
    fn typographic_characters_have_plain_ones() {
        assert_eq!(plainer("It’s “open” – come in…").as_deref(), Some("It's \"open\" - come in..."));
        // Nothing to gain: already plain, or other characters need UCS-2 all the same.
        assert_eq!(plainer("It's open."), None);
        assert_eq!(plainer("It’s open 👋"), None);
        assert_eq!(plainer("\u{200b}"), None);
        // Fewer segments without becoming GSM-7: an ellipsis never helps there, a removed character does.
        let text = format!("👋{}{}", "a".repeat(68), "\u{200b}");
        assert_eq!(plainer(&text).map(|plain| segments(&plain).segments), Some(1));
    }

    proptest! {
        #[test]
        fn cut_texts_fit_and_lose_no_word(text in "[a-zé€👋 ]{1,400}", characters in 5..200_usize, most in 1..4_usize) {
            let longest = LongestText { characters, segments: most };
            let cut = texts(&text, longest);
            for piece in &cut {
                prop_assert!(longest.takes(piece), "{piece}");
                prop_assert!(cut.len() == 1 || !piece.is_empty());
            }
            let without_spaces = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(without_spaces(&cut.concat()), without_spaces(&text));
        }

        #[test]
        fn split_and_count_agree(text in prop_oneof![
            "[a-z€\\[]{0,700}", "[a-zç😀]{0,300}", "\\PC{0,200}", "[€a]{150,160}", "[😀a]{60,72}",
        ]) {
            let counted = segments(&text);
            let parts = split(&text);
            prop_assert_eq!(parts.concat(), text.clone());
            prop_assert_eq!(parts.len(), counted.segments);

            let room = if parts.len() > 1 { counted.encoding.concatenated() } else { counted.encoding.single() };
            let size = |part: &str| part.chars().map(|c| size_of(counted.encoding, c)).sum::<usize>();
            let sizes: Vec<usize> = parts.iter().map(|part| size(part)).collect();
            prop_assert!(sizes.iter().all(|size| *size <= room && *size > 0));
            prop_assert_eq!(sizes.iter().sum::<usize>(), counted.units);
            prop_assert_eq!(room - sizes.last().copied().unwrap_or(0), counted.remaining);
            // Greedy: a segment is left short by at most the unit that a pair needed.
            for (size, next) in sizes.iter().zip(parts.iter().skip(1)) {
                let first = next.chars().next().map_or(0, |c| size_of(counted.encoding, c));
                prop_assert!(size + first > room);
            }
        }

        #[test]
        fn remaining_is_what_still_fits(text in "[a-z€]{0,400}") {
            let before = segments(&text);
            if before.segments > 0 {
                let full = format!("{text}{}", "a".repeat(before.remaining));
                let after = segments(&full);
                prop_assert_eq!((after.segments, after.remaining), (before.segments, 0));
                let over = segments(&(full + "a"));
                prop_assert!(over.segments > after.segments);
            }
        }
    }

    /// Measured from the list in the standard, not by the code under test.
    fn size_of(encoding: Encoding, c: char) -> usize {
        match encoding {
            Encoding::Gsm7 => 1 + usize::from("\u{c}^{}\\[~]|€".contains(c)),
            Encoding::Ucs2 => c.len_utf16(),
        }
    }
}
