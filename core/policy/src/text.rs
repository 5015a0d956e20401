//! Cutting text without cutting a character.

use std::borrow::Cow;

use crate::record::CUT_MARK;

/// `text` within `bytes`, its mark included; unchanged where it fits.
pub(crate) fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let kept = prefix(text, bytes.saturating_sub(CUT_MARK.len()));
    Cow::Owned(format!("{kept}{CUT_MARK}"))
}

/// The longest start of `text` that is whole characters and at most `bytes` long.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters_and_says_so() {
        assert_eq!(cut("short", 5), "short");
        let long = "é".repeat(100);
        let cut = cut(&long, 52);
        assert!(cut.len() <= 52 && cut.ends_with(CUT_MARK));
        assert!(cut.starts_with("éé"));
        assert_eq!(prefix("é", 1), "");
    }
}
