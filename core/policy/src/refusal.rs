//! Why an upload was refused, said so that its author can put it right.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::cut;

/// Longest text of a refusal, in bytes.
const TEXT_BYTES: usize = 1024;

/// An upload that can't be a policy. Shown to the author as it is: it holds nothing but the component's own
/// names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Refusal {
    /// A stable word: `too_large`, `not_a_component`, `invalid`, `import`, `no_hook`, `signature`,
    /// `manifest`, `compile`, `compiled_too_large`, `instantiate` or `host`.
    pub code: String,
    /// Where in the component: an import's or export's name, a section, or empty for the whole.
    pub path: String,
    /// What would be accepted.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do about it, with the exact flag where there is one.
    pub fix: String,
}

impl Refusal {
    pub(crate) fn new(
        code: &str,
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        // Names in a component can be as long as the component.
        let short = |text: String| cut(&text, TEXT_BYTES).into_owned();
        Self {
            code: code.to_owned(),
            path: short(path.into()),
            expected: short(expected.into()),
            found: short(found.into()),
            fix: short(fix.into()),
        }
    }

    /// Ours to put right, not the author's.
    pub(crate) fn host(found: impl Into<String>) -> Self {
        Self::new("host", "", "a working policy host", found, "Tell whoever runs this Anteroom.")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, path, expected, found, fix } = self;
        write!(f, "{code}")?;
        if !path.is_empty() {
            write!(f, " at {path}")?;
        }
        write!(f, ": expected {expected}, found {found}. {fix}")
    }
}
