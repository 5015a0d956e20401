//! C: zig compiles the policy, the bindings of its world and a small library in place of libc's.

use std::{fs, path::Path, process::Command};

use anteroom_componentize::{c_bindings, embed_world, wrap};
use rust_embed::RustEmbed;

use super::{
    at,
    tool::{find, read, run},
};
use crate::cli::{Failure, policy::project::Project};

/// What a policy in C has instead of a libc.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/templates/c-runtime"]
struct Runtime;

pub(super) fn component(project: &Project) -> Result<Vec<u8>, Failure> {
    let mut zig = zig(&project.folder)?;
    let (wit, world) = project.world()?;
    let generated = project.build_folder().join("c");
    fs::create_dir_all(&generated).map_err(|error| at(&generated, error))?;
    let mut sources = Vec::new();
    let runtime =
        Runtime::iter().filter_map(|name| Some((name.to_string(), Runtime::get(&name)?.data.into_owned())));
    for (name, contents) in runtime.chain(c_bindings(&wit, &world)?) {
        let path = generated.join(&name);
        fs::write(&path, contents).map_err(|error| at(&path, error))?;
        sources.extend(is_source(&path).then_some(path));
    }
    for file in fs::read_dir(&project.folder)? {
        let path = file?.path();
        sources.extend(is_source(&path).then_some(path));
    }
    sources.sort();
    let made = project.build_folder().join("policy.wasm.made");
    run(zig
        .args([
            "cc",
            "--target=wasm32-freestanding",
            "-Os",
            "-std=c17",
            "-Wall",
            "-nostdlib",
            "-ffreestanding",
        ])
        // zig's own stack would be 16 MiB: half of a policy's memory.
        .args(["-Wl,--no-entry", "-Wl,-z,stack-size=65536", "-Wl,--strip-all", "-I"])
        .arg(&generated)
        .args(&sources)
        .arg("-o")
        .arg(&made)
        .current_dir(&project.folder))?;
    Ok(wrap(&embed_world(&read(&made)?, &wit, &world)?)?)
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "c")
}

/// zig itself, or that of `PyPI`.
fn zig(folder: &Path) -> Result<Command, Failure> {
    if let Some(zig) = ["zig", "python-zig"].iter().find_map(|name| find(folder, name)) {
        return Ok(Command::new(zig));
    }
    Err("zig is missing: in the policy's folder, run `python3 -m venv .venv` and \
         `.venv/bin/pip install -r requirements.txt`"
        .into())
}
