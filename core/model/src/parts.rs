//! Long texts that a carrier hands on in pieces.

use serde::{Deserialize, Serialize};

/// Which piece of a longer text a message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPart {
    /// The same for all pieces of one text; may come again with a later text.
    pub reference: String,
    /// From 1 to `count`.
    pub number: u8,
    /// How many there are, at least 2.
    pub count: u8,
}

/// Stands where a piece never came.
pub const MISSING: &str = "[…]";

/// The pieces of one text, whatever order they came in.
#[derive(Clone, Debug)]
pub struct Joining {
    reference: String,
    bodies: Vec<Option<String>>,
}

/// What a further piece is to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// One that was missing; it is taken.
    Taken,
    /// One that is there, with the same words: a repetition.
    Repeated,
    /// Of another text.
    Other,
}

impl Joining {
    /// Begins with any piece.
    pub fn begin(part: &TextPart, body: &str) -> Self {
        let mut joining =
            Self { reference: part.reference.clone(), bodies: vec![None; usize::from(part.count.max(1))] };
        joining.add(part, body);
        joining
    }

    /// Adds a piece if it is one of this text.
    pub fn add(&mut self, part: &TextPart, body: &str) -> Fit {
        if part.reference != self.reference || usize::from(part.count) != self.bodies.len() {
            return Fit::Other;
        }
        match usize::from(part.number).checked_sub(1).and_then(|at| self.bodies.get_mut(at)) {
            Some(place @ None) => {
                *place = Some(body.to_owned());
                Fit::Taken
            }
            Some(Some(known)) if known == body => Fit::Repeated,
            // A number that the text doesn't have, or the reference of a later text.
            None | Some(Some(_)) => Fit::Other,
        }
    }

    /// Whether no piece is missing.
    pub fn is_whole(&self) -> bool {
        self.bodies.iter().all(Option::is_some)
    }

    /// The text, with [`MISSING`] in place of each run of pieces that never came.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut gap = false;
        for body in &self.bodies {
            match body {
                Some(body) => text.push_str(body),
                None if !gap => text.push_str(MISSING),
                None => {}
            }
            gap = body.is_none();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(reference: &str, number: u8, count: u8) -> TextPart {
        TextPart { reference: reference.into(), number, count }
    }

    #[test]
    fn what_never_came_is_marked() {
        let mut joining = Joining::begin(&part("7", 4, 5), "four");
        assert_eq!(joining.add(&part("7", 1, 5), "one "), Fit::Taken);
        assert_eq!(joining.text(), "one […]four[…]");
        assert!(!joining.is_whole());
    }

    #[test]
    fn another_texts_pieces_are_left() {
        let mut joining = Joining::begin(&part("7", 1, 2), "one");
        for (other, body) in
            [(part("8", 2, 2), "x"), (part("7", 2, 3), "x"), (part("7", 3, 2), "x"), (part("7", 1, 2), "uno")]
        {
            assert_eq!(joining.add(&other, body), Fit::Other, "{other:?}");
        }
        assert_eq!(joining.add(&part("7", 1, 2), "one"), Fit::Repeated);
        assert_eq!(joining.add(&part("7", 0, 2), "none"), Fit::Other);
    }

    proptest! {
        /// Shuffled and repeated, the pieces make the same text.
        #[test]
        fn order_and_repetition_do_not_matter(
            bodies in proptest::collection::vec("[a-z ]{1,5}", 2..8),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let count = u8::try_from(bodies.len()).unwrap();
            let mut numbers: Vec<usize> = order.iter().map(|at| at.index(bodies.len())).collect();
            numbers.extend((0..bodies.len()).rev());
            let piece = |at: usize| part("r", u8::try_from(at + 1).unwrap(), count);
            let mut joining = Joining::begin(&piece(numbers[0]), &bodies[numbers[0]]);
            for at in &numbers[1..] {
                prop_assert_ne!(joining.add(&piece(*at), &bodies[*at]), Fit::Other);
            }
            prop_assert!(joining.is_whole());
            prop_assert_eq!(joining.text(), bodies.concat());
        }
    }
}
