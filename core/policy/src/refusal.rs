//! Why an upload was refused, said so that its author can put it right.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::cut;

/// Longest text of a refusal, in bytes.
const TEXT_BYTES: usize = 1024;

/// An upload that can't be a policy. Shown to the author as it is: it holds nothing but the component's own
/// names, and what the policy said to made-up turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// A stable word, one of [`Refusal::CODES`].
    pub code: String,
    /// Where in the component: an import's or export's name, a section, a hook's sample turn, or empty for
    /// the whole.
    pub path: String,
    /// What would be accepted.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What to do about it, with the exact flag where there is one.
    pub fix: String,
}

impl Refusal {
    /// Every code, in the order in which an upload meets them. All but `host` are the author's to put right.
    pub const CODES: [&'static str; 24] = [
        "bad_signature",
        "empty",
        "too_large",
        "core_module",
        "text_format",
        "precompiled",
        "not_a_component",
        "truncated",
        "invalid",
        "feature",
        "import",
        "no_hook",
        "manifest",
        "compile",
        "compile_memory",
        "compile_time",
        "compiled_too_large",
        "resources",
        "signature",
        "instantiate",
        "probe_fault",
        "not_deterministic",
        "settings",
        "host",
    ];

    /// A refusal with one of [`Self::CODES`]; long texts are cut.
    pub fn new(
        code: &str,
        path: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        debug_assert!(Self::CODES.contains(&code), "{code} is not among the codes");
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
    pub fn host(found: impl Into<String>) -> Self {
        Self::new(
            "host",
            "",
            "a working policy host",
            found,
            "Upload it again; if that doesn't help, tell whoever runs this Anteroom. The component is not to \
             blame.",
        )
    }

    /// More than `most` bytes; `found` says how many, as far as they were read.
    pub fn too_large(most: usize, found: impl Into<String>) -> Self {
        Self::new(
            "too_large",
            "",
            format!("at most {most} bytes"),
            found,
            "Strip it (`wasm-tools strip`), or build for size: Rust `opt-level = \"s\"`, JavaScript \
             `componentize-qjs --opt-size --minify`. An administrator can raise the limit.",
        )
    }

    /// Can the author put it right? Otherwise it is the host's fault, and the same bytes may be accepted
    /// another time.
    pub fn is_authors(&self) -> bool {
        self.code != "host"
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
