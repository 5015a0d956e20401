//! Rust: cargo makes a core module for `wasm32-unknown-unknown`, whose sections name its world.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anteroom_componentize::wrap;
use serde::Deserialize;

use super::tool::{find, read};
use crate::cli::{Failure, policy::project::Project};

const TARGET: &str = "wasm32-unknown-unknown";

/// A line of `cargo build --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

pub(super) fn component(project: &Project) -> Result<Vec<u8>, Failure> {
    let cargo =
        find(&project.folder, "cargo").ok_or("Rust is missing: install it as https://rustup.rs says")?;
    // Whoever builds the standard library along says so through cargo's own variable.
    if env::var_os("CARGO_UNSTABLE_BUILD_STD").is_none() && !has_target() {
        return Err(format!(
            "Rust's standard library for WebAssembly is missing: rustup target add {TARGET}"
        )
        .into());
    }
    let manifest = project.folder.join("Cargo.toml");
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--release", "--lib", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(&manifest)
        .current_dir(&project.folder)
        // The host's flags are not the guest's.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cargo can't be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo failed ({}); what it said is above", output.status).into());
    }
    let of_this = |message: &Message| {
        message.reason == "compiler-artifact"
            && message.manifest_path.as_ref().and_then(|path| fs::canonicalize(path).ok()).as_ref()
                == Some(&manifest)
    };
    let messages = output.stdout.split(|&byte| byte == b'\n');
    let module = messages
        .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
        .filter(of_this)
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .ok_or("cargo made no WebAssembly: Cargo.toml needs [lib] crate-type = [\"cdylib\"]")?;
    Ok(wrap(&read(&module)?)?)
}

fn has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(output) = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()
    else {
        return false;
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}
