//! Python: componentize-py starts `CPython` with `policy.py` imported, and keeps that moment as a component.

use std::process::Command;

use super::tool::{find, read, run};
use crate::cli::{Failure, policy::project::Project};

pub(super) fn component(project: &Project) -> Result<Vec<u8>, Failure> {
    let tool = find(&project.folder, "componentize-py").ok_or(
        "componentize-py is missing: in the policy's folder, run `python3 -m venv .venv` and \
         `.venv/bin/pip install -r requirements.txt`",
    )?;
    let (wit, world) = project.world()?;
    let made = project.build_folder().join("policy.wasm.made");
    run(Command::new(tool)
        .arg("--quiet")
        .arg("--wit-path")
        .arg(wit)
        .args(["--world", &world, "componentize", "policy", "--stub-wasi", "--output"])
        .arg(&made)
        .current_dir(&project.folder)
        // What is in an environment of the author's would be packed, too.
        .env_remove("VIRTUAL_ENV")
        // Names hash alike in every build.
        .env("PYTHONHASHSEED", "0"))?;
    read(&made)
}
