//! JavaScript: componentize-qjs puts `policy.js` and the `QuickJS` engine into one component.

use std::process::Command;

use super::tool::{find, read, run};
use crate::cli::{Failure, policy::project::Project};

pub(super) fn component(project: &Project) -> Result<Vec<u8>, Failure> {
    let tool = find(&project.folder, "componentize-qjs").ok_or(
        "componentize-qjs is missing: with Node.js 20 or later installed, run `npm install` in the policy's folder",
    )?;
    let (wit, world) = project.world()?;
    let made = project.build_folder().join("policy.wasm.made");
    run(Command::new(tool)
        .args(["--sync", "--stub-wasi", "--opt-size", "--minify", "--js", "policy.js", "--wit"])
        .arg(wit)
        .args(["--world", &world, "--output"])
        .arg(&made)
        .current_dir(&project.folder))?;
    read(&made)
}
