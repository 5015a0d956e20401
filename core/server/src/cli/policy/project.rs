//! A policy's folder: what it is written in, its manifest, and the interfaces it is built against.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anteroom_componentize::Manifest;
use clap::ValueEnum;
use rust_embed::RustEmbed;

use super::at;
use crate::cli::Failure;

/// The interfaces of this Anteroom.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../wit"]
#[include = "*.wit"]
pub(super) struct Wit;

/// What a policy is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Language {
    /// With cargo.
    Rust,
    /// With componentize-qjs, from npm.
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    /// With componentize-py, from `PyPI`.
    #[value(alias = "py")]
    Python,
    /// With zig, from `PyPI` or installed.
    C,
}

impl Language {
    const ALL: [Self; 4] = [Self::Rust, Self::JavaScript, Self::Python, Self::C];

    /// Folder of its files in `core/server/templates/`.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "js",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    /// The file that tells it.
    const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "policy.js",
            Self::Python => "policy.py",
            Self::C => "policy.c",
        }
    }
}

/// A policy's folder.
pub(super) struct Project {
    pub(super) folder: PathBuf,
    pub(super) language: Language,
    pub(super) manifest: Manifest,
    /// The same, as it was written.
    pub(super) manifest_json: serde_json::Value,
}

impl Project {
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let (manifest, manifest_json) = read_manifest(folder)?;
        let language = Language::ALL.into_iter().find(|language| folder.join(language.mark()).is_file());
        let language = language.ok_or_else(|| {
            let marks = Language::ALL.map(Language::mark).join(", ");
            at(folder, format_args!("no source: none of {marks} is here"))
        })?;
        let folder = fs::canonicalize(folder).map_err(|error| at(folder, error))?;
        Ok(Self { folder, language, manifest, manifest_json })
    }

    /// Where its component goes, and what is made on the way.
    pub(super) fn build_folder(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// The world it is built for, and the folder of the interfaces: the project's own `wit/`, or this
    /// Anteroom's. A policy of several hooks gets a world of its own, written beside a copy of them.
    pub(super) fn world(&self) -> Result<(PathBuf, String), Failure> {
        let own = self.folder.join("wit");
        let hooks = &self.manifest.hooks;
        if let [hook] = hooks.as_slice()
            && own.is_dir()
        {
            return Ok((own, format!("{hook}-policy")));
        }
        let folder = self.build_folder().join("wit");
        write_wit(&folder)?;
        if own.is_dir() {
            for file in fs::read_dir(&own)? {
                let file = file?;
                fs::copy(file.path(), folder.join(file.file_name()))?;
            }
        }
        if let [hook] = hooks.as_slice() {
            return Ok((folder, format!("{hook}-policy")));
        }
        let includes: Vec<_> = hooks.iter().map(|hook| format!("    include {hook}-policy;")).collect();
        let includes = includes.join("\n");
        let world = format!("package anteroom:policy@1.0.0;\n\nworld several-hooks {{\n{includes}\n}}\n");
        fs::write(folder.join("several-hooks.wit"), world)?;
        Ok((folder, "several-hooks".to_owned()))
    }
}

/// Reads and checks the manifest of a policy's folder.
pub(super) fn read_manifest(folder: &Path) -> Result<(Manifest, serde_json::Value), Failure> {
    let path = folder.join("manifest.json");
    let text = fs::read(&path).map_err(|error| {
        at(&path, format_args!("{error}. Is this a policy's folder? `anteroom policy new` makes one"))
    })?;
    let json = serde_json::from_slice(&text).map_err(|error| at(&path, error))?;
    let manifest = Manifest::parse(&json).map_err(|error| at(&path, error))?;
    Ok((manifest, json))
}

/// Where `build` puts a policy's component unless told otherwise.
pub(super) fn component_path(folder: &Path, manifest: &Manifest) -> PathBuf {
    folder.join("build").join(format!("{}.wasm", manifest.name))
}

/// Writes this Anteroom's interfaces into `folder`.
pub(super) fn write_wit(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    for name in Wit::iter() {
        if let Some(file) = Wit::get(&name) {
            let path = folder.join(name.as_ref());
            fs::write(&path, file.data).map_err(|error| at(&path, error))?;
        }
    }
    Ok(())
}
