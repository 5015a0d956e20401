//! People's names: folding for comparison, and random readable ones for placeholders.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The form in which names are compared: letters only, lower case, without accents, spaces or hyphens.
///
/// `"O'Neill-Núñez"` and `"oneill nunez"` fold to the same text.
pub fn fold(name: &str) -> String {
    name.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

const COLOURS: [&str; 32] = [
    "Amber", "Ash", "Azure", "Birch", "Bronze", "Cedar", "Cherry", "Clay", "Cobalt", "Copper", "Coral",
    "Cream", "Fern", "Flint", "Ginger", "Golden", "Hazel", "Indigo", "Ivory", "Jade", "Lilac", "Maple",
    "Marble", "Olive", "Pearl", "Plum", "Ruby", "Sage", "Silver", "Slate", "Teal", "Walnut",
];

const ANIMALS: [&str; 64] = [
    "Badger", "Beaver", "Bison", "Bobcat", "Condor", "Cougar", "Coyote", "Crane", "Curlew", "Dolphin",
    "Dove", "Eagle", "Egret", "Elk", "Falcon", "Ferret", "Finch", "Fox", "Gannet", "Gecko", "Goose",
    "Grouse", "Gull", "Hare", "Hawk", "Heron", "Ibex", "Ibis", "Jackal", "Jay", "Kestrel", "Kite", "Lark",
    "Lemur", "Linnet", "Lynx", "Marten", "Merlin", "Mink", "Moose", "Newt", "Oriole", "Osprey", "Otter",
    "Owl", "Panda", "Pelican", "Plover", "Puffin", "Puma", "Quail", "Raven", "Robin", "Salmon", "Seal",
    "Stork", "Swan", "Swift", "Tern", "Thrush", "Trout", "Turtle", "Wren", "Yak",
];

/// A placeholder's name, such as `Guest Amber Heron`, chosen by `number`. The 2,048 plain names may be
/// taken; from the second `attempt` on, a number from 2 is added so that a free one is found.
pub fn placeholder(number: u64, attempt: u32) -> String {
    let pick = |list: &'static [&'static str], number: u64| {
        list[usize::try_from(number % list.len() as u64).unwrap_or(0)]
    };
    let name = format!("Guest {} {}", pick(&COLOURS, number), pick(&ANIMALS, number / 32));
    if attempt == 0 {
        name
    } else {
        format!("{name} {}", 2 + (number / 2_048) % 10_u64.pow(attempt.min(9) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_people_type_alike() {
        for (a, b) in [("O'Neill-Núñez", "oneill nunez"), ("SMITH", "smith"), ("Jean Luc", "Jean-Luc")] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("Smith"), fold("Smyth"));
    }

    #[test]
    fn placeholders_are_readable_and_many() {
        let names: std::collections::BTreeSet<_> = (0..2_048).map(|n| placeholder(n, 0)).collect();
        assert_eq!(names.len(), 2_048);
        assert_eq!(placeholder(32 * 25, 0), "Guest Amber Heron");
        assert!(placeholder(u64::MAX, 1).starts_with("Guest "));
    }
}
