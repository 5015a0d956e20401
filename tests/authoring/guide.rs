//! docs/policies/guide.md does what it says: its commands are run, in order.

use std::{fmt::Write, fs};

use anteroom_test_support::Launch;

use crate::{Bench, bench::root};

/// A fenced block of commands.
struct Block {
    line: usize,
    /// What stands behind `sh`: `server` where an Anteroom is needed, `rust` where Rust's target is fetched.
    about: String,
    commands: String,
}

fn blocks() -> Vec<Block> {
    let guide = fs::read_to_string(root().join("docs/policies/guide.md")).expect("the guide");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in guide.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.commands.push_str(line);
                block.commands.push('\n');
            }
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                if words.next() == Some("sh") {
                    let about = words.next().unwrap_or_default().to_owned();
                    open = Some(Block { line: index + 2, about, commands: String::new() });
                }
            }
            (None, None) => {}
        }
    }
    assert!(blocks.len() > 8, "the guide's commands weren't found");
    blocks
}

fn script(blocks: impl Iterator<Item = Block>) -> String {
    // Where the target comes from elsewhere (scripts/guest-toolchain.sh), rustup has nothing to add.
    let mut script =
        "rustup() { [[ -n ${CARGO_UNSTABLE_BUILD_STD-} ]] || command rustup \"$@\"; }\n".to_owned();
    for block in blocks {
        write!(script, "step='guide.md, line {}'\n{}", block.line, block.commands).expect("a text");
    }
    script
}

/// Everything that needs no server.
#[test]
fn a_newcomer_gets_to_a_tested_policy() {
    let offline = blocks().into_iter().filter(|block| block.about != "server");
    let said = Bench::new().script(&script(offline)).ok();
    assert!(said.contains("refused: not_a_component"), "{said}");
    assert_eq!(said.matches("all passed").count(), 5, "{said}");
}

/// The JavaScript part, up to the text that the policy routes.
#[tokio::test]
async fn a_newcomer_gets_to_an_active_policy() {
    let server = Launch::new(env!("CARGO_BIN_EXE_anteroom")).demo(None).await;
    let demo = format!("export DEMO={}\n", server.dir().display());
    let upto = |block: &Block| !block.commands.starts_with("cd ..") && block.about != "rust";
    let script = demo + &script(blocks().into_iter().take_while(upto));
    let ran = tokio::task::spawn_blocking(move || Bench::new().script(&script)).await.expect("the script");
    ran.ok();
}
