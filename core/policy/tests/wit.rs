//! The contract in `wit/` doesn't change by accident: components of years ago are built against it.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]

use std::{fmt::Write as _, fs, path::Path};

use sha2::{Digest as _, Sha256};

/// Of `anteroom:policy@1.0.0`, as [`contract`] writes it.
const FROZEN: &str = "58be857ffc6f581b5f971c275e6facd9d498423c2d9ebdab3a93f9d7ced3922b";

/// All files, in the order of their names, without comments and layout: those may change.
fn contract() -> String {
    let mut files: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut contract = String::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        for line in text.lines() {
            let code = line.split("//").next().unwrap_or_default();
            code.split_whitespace().for_each(|word| write!(contract, "{word} ").unwrap());
        }
        contract.push('\n');
    }
    contract
}

#[test]
fn the_contract_is_frozen() {
    let contract = contract();
    let digest = hex::encode(Sha256::digest(&contract));
    assert_eq!(
        digest, FROZEN,
        "\n\nwit/ is not what uploaded components were built against. What to do:\n\
         - Unintended? Take the change back.\n\
         - Another function among the imports (wit/host.wit) is compatible: add it, load a component built \
           before it (target/guests of the last release), and put the new digest here.\n\
         - A new hook is a new file with an interface and a world of its own: compatible; the new digest here.\n\
         - Anything else (a field, a case, a type, a name, an export) breaks every component there is: copy the \
           package to anteroom:policy@2.0.0, and go on serving 1.0.0.\n\
         Comments and layout may change without any of this. The contract as it is now:\n\n{contract}"
    );
}
