//! What people are called: Bill for William, Pepe for José.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

const LIST: &str = include_str!("../data/nicknames.txt");

/// The lines that a name is in.
static LINES: LazyLock<HashMap<&'static str, HashSet<usize>>> = LazyLock::new(|| {
    let mut lines: HashMap<_, HashSet<usize>> = HashMap::new();
    let listed = LIST.lines().filter(|line| !line.starts_with('#')).enumerate();
    for (number, name) in listed.flat_map(|(number, line)| line.split(' ').map(move |name| (number, name))) {
        lines.entry(name).or_default().insert(number);
    }
    lines
});

/// Whether two folded names may be the same person's.
pub fn of_the_same_name(a: &str, b: &str) -> bool {
    match (LINES.get(a), LINES.get(b)) {
        (Some(a), Some(b)) => !a.is_disjoint(b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_folded_and_has_two_names() {
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let names: Vec<_> = line.split(' ').collect();
            assert!(names.len() > 1, "{line}");
            assert!(names.iter().all(|name| crate::names::fold(name) == *name && !name.is_empty()), "{line}");
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{line}");
        }
    }

    #[test]
    fn some_are_known() {
        for (a, b) in [("william", "bill"), ("jose", "pepe"), ("francisco", "pancho"), ("beth", "elizabeth")]
        {
            assert!(of_the_same_name(a, b) && of_the_same_name(b, a), "{a} {b}");
        }
        assert!(!of_the_same_name("patrick", "patricia") && !of_the_same_name("zzz", "bill"));
    }
}
