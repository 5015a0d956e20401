//! A folder to work in, with the binary and the toolchains on the path.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// An author's bench.
pub(crate) struct Bench {
    home: TempDir,
}

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { succeeded: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Its output; it must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(self.succeeded, "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// What it said on both streams; it must have failed.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert!(!self.succeeded, "it succeeded: {}", self.stdout);
        self.stdout + &self.stderr
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut folder = tempfile::Builder::new();
        Self { home: folder.prefix("anteroom-authoring-").tempdir().expect("a folder") }
    }

    /// A path on the bench.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of a project.
    pub(crate) fn write(&self, name: &str, contents: &str) {
        fs::write(self.path(name), contents).expect("a file");
    }

    /// Runs `anteroom policy …` without any toolchain.
    pub(crate) fn policy(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command.arg("policy").args(arguments).current_dir(self.home.path());
        command.output().expect("anteroom").into()
    }

    /// Runs a script of bash with the toolchains and `anteroom` on the path. It ends at the first command that
    /// fails, and names it after `$step`.
    pub(crate) fn script(&self, script: &str) -> Ran {
        let binary = Path::new(env!("CARGO_BIN_EXE_anteroom"));
        let begin = format!(
            "set -euo pipefail\nstep=\nenvironment=$({root}/scripts/guest-env)\neval \"$environment\"\n\
             export PATH={bin}:$PATH\ntrap 'echo \"failed: $step: $BASH_COMMAND\" >&2' ERR\n",
            root = root().display(),
            bin = binary.parent().expect("its folder").display(),
        );
        let mut command = Command::new("bash");
        command.arg("-c").arg(begin + script).current_dir(self.home.path());
        command.output().expect("bash").into()
    }
}
