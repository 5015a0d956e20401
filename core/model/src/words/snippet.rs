//! The part of a text that a list of results shows.

use std::ops::Range;

/// Characters shown.
const LENGTH: usize = 240;
/// Of these, what stands before the first mark.
const BEFORE: usize = 60;

/// Part of a text, with marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// Marked ranges of it, in characters (Unicode scalar values), in order.
    pub marks: Vec<(usize, usize)>,
    /// Something stands before it.
    pub cut_before: bool,
    /// Something stands after it.
    pub cut_after: bool,
}

/// Cuts out of `text` what stands around the first of `marks`, given in bytes.
pub fn snippet(text: &str, marks: &[Range<usize>]) -> Snippet {
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let length = bounds.len() - 1;
    let place = |byte: usize| bounds.partition_point(|at| *at < byte);
    let first = marks.first().map_or(0, |mark| place(mark.start));
    let mut start = 0;
    if length > LENGTH {
        start = first.saturating_sub(BEFORE).min(length - LENGTH);
        if start > 0 {
            // At the beginning of a word, if one begins before the mark.
            let ahead = &text[bounds[start]..bounds[first.max(start)]];
            let space = ahead
                .find(char::is_whitespace)
                .and_then(|at| ahead[at..].find(|c: char| !c.is_whitespace()).map(|more| at + more));
            start = space.map_or(start, |at| place(bounds[start] + at));
        }
    }
    let mut end = (start + LENGTH).min(length);
    if end < length {
        let shown = &text[bounds[start]..bounds[end]];
        let space = shown.rfind(char::is_whitespace).map(|at| place(bounds[start] + at));
        end = space.filter(|at| *at > first.max(start + LENGTH / 2)).unwrap_or(end);
    }
    let marks = marks
        .iter()
        .map(|mark| (place(mark.start).max(start), place(mark.end).min(end)))
        .filter(|(from, to)| from < to)
        .map(|(from, to)| (from - start, to - start))
        .collect();
    Snippet {
        text: text[bounds[start]..bounds[end]].to_owned(),
        marks,
        cut_before: start > 0,
        cut_after: end < length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Query;

    fn of(query: &str, text: &str) -> Snippet {
        snippet(text, &Query::parse(query).unwrap().find(text).unwrap())
    }

    fn marked(snippet: &Snippet) -> Vec<String> {
        let of = |(from, to): &(usize, usize)| snippet.text.chars().skip(*from).take(to - from).collect();
        snippet.marks.iter().map(of).collect()
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        let snippet = of("mañana", "🙂 Señora, ¿mañana?");
        assert_eq!(snippet.text, "🙂 Señora, ¿mañana?");
        assert_eq!(snippet.marks, [(11, 17)]);
        assert!(!snippet.cut_before && !snippet.cut_after);
    }

    #[test]
    fn of_a_long_text_what_stands_around_the_first_mark() {
        let text = format!("{}knee {}knee end", "word ".repeat(100), "more ".repeat(100));
        let snippet = of("knee", &text);
        assert!(snippet.cut_before && snippet.cut_after);
        assert!(snippet.text.starts_with("word ") && snippet.text.ends_with("more"), "{:?}", snippet.text);
        assert!(snippet.text.chars().count() <= LENGTH);
        assert_eq!(marked(&snippet), ["knee"]);
        let last = of("end", &text);
        assert!(last.cut_before && !last.cut_after);
        assert!(last.text.ends_with("knee end"));
        let first = of("word", &text);
        assert!(!first.cut_before && first.cut_after);
    }

    proptest::proptest! {
        #[test]
        fn the_first_mark_is_in_sight(before in "\\PC{0,400}", after in "\\PC{0,400}") {
            let text = format!("{before} zebra {after}");
            let snippet = of("zebra", &text);
            proptest::prop_assert!(marked(&snippet).iter().any(|mark| mark.to_lowercase().starts_with("zebra")));
            proptest::prop_assert!(text.contains(&snippet.text));
        }
    }
}
