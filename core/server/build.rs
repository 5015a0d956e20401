//! Finds what is embedded in the binary: the default policies and the built Hub.

use std::{env, path::PathBuf};

const POLICIES: [&str; 4] = ["identity", "routing", "replies", "shortcuts"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let folder = env::var_os("ANTEROOM_GUESTS").map_or_else(|| root.join("target/guests"), PathBuf::from);
    println!("cargo::rerun-if-env-changed=ANTEROOM_GUESTS");
    for policy in POLICIES {
        let path = folder.join(format!("{policy}.wasm"));
        println!("cargo::rerun-if-changed={}", path.display());
        if !path.is_file() {
            println!(
                "cargo::error=the default policy {} is not built yet: run `make plugins`",
                path.display()
            );
        }
    }
    println!("cargo::rustc-env=ANTEROOM_GUESTS_DIR={}", folder.display());

    // What it holds is looked at by rust-embed; here only that there is one.
    let page = root.join("hub/dist/index.html");
    println!("cargo::rerun-if-changed={}", page.display());
    if !page.is_file() {
        println!("cargo::error=the Hub is not built yet: run `make hub`");
    }
}
