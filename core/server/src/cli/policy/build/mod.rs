//! `anteroom policy build`: from a project to the component that is uploaded.
//!
//! Each language's file runs the toolchain and returns what it made; here the manifest goes into it, as the
//! custom section that the upload reads.

mod c;
mod javascript;
mod python;
mod rust;
mod tool;

use std::{fs, path::Path};

use anteroom_componentize::{Error, attach_manifest, imported_functions};

use super::{
    at,
    project::{Language, Project, component_path},
    say,
};
use crate::cli::Failure;

/// Builds, and says what came of it.
pub(super) fn build(folder: &Path, output: Option<&Path>) -> Result<(), Failure> {
    let project = Project::open(folder)?;
    let work = project.build_folder();
    fs::create_dir_all(&work).map_err(|error| at(&work, error))?;
    let component = match project.language {
        Language::Rust => rust::component(&project),
        Language::JavaScript => javascript::component(&project),
        Language::Python => python::component(&project),
        Language::C => c::component(&project),
    }?;
    let component =
        attach_manifest(component, &project.manifest_json).map_err(|error| explain(&project, error))?;
    let imports = imported_functions(&component)?;
    let output = output.map_or_else(|| component_path(folder, &project.manifest), Path::to_owned);
    if let Some(parent) = output.parent() {
        fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
    }
    // Whoever reads it meanwhile sees the old one or the new one.
    let partial = output.with_extension("wasm.partial");
    fs::write(&partial, &component).map_err(|error| at(&partial, error))?;
    fs::rename(&partial, &output).map_err(|error| at(&output, error))?;
    let short = |import: &String| import.rsplit_once('/').map(|(_, short)| short.replace("@1.0.0#", "."));
    let imports: Vec<String> = imports.iter().filter_map(short).collect();
    let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
    say(&format!("{}: {} bytes, imports {imports}", output.display(), component.len()))
}

/// With the file to look into.
fn explain(project: &Project, error: Error) -> Failure {
    match error {
        Error::Hooks { .. } | Error::Manifest(_) => at(&project.folder.join("manifest.json"), error),
        other => other.into(),
    }
}
