//! Policies that mean harm, in the real server: each ends as its own fault within its limits, the text reaches
//! a person, and the neighbours notice nothing.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]

mod guests;
mod neighbours;
#[expect(dead_code, unused_imports, reason = "the flow tests use the rest")]
#[path = "../flow/support/mod.rs"]
mod support;

use std::{env, fs, path::PathBuf};

/// A guest of `tests/guests`, as built.
fn guest(name: &str) -> &'static [u8] {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let folder = env::var_os("ANTEROOM_GUESTS").map_or(built, PathBuf::from);
    let path = folder.join("test").join(name).with_extension("wasm");
    match fs::read(&path) {
        Ok(bytes) => bytes.leak(),
        Err(error) => panic!("{}: {error}: run `make plugins`", path.display()),
    }
}
