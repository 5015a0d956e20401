//! PostgreSQL's programs, and the user they run as.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// A program of the newest PostgreSQL on this machine.
pub(super) fn path_of(program: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
        let folders = versions.map(|entry| entry.path());
        let complete = |folder: &PathBuf| {
            ["initdb", "postgres", "psql", "pg_basebackup"]
                .iter()
                .all(|it| folder.join("bin").join(it).exists())
        };
        let newest = folders.filter(complete).max_by_key(|folder| version(folder));
        newest.expect("PostgreSQL in /usr/lib/postgresql: install the Debian package postgresql").join("bin")
    };
    FOLDER.get_or_init(newest).join(program)
}

/// A user of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Who the server runs as; `None`: as we do.
pub(super) fn other_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let find = |name: &str| {
        let fields: Vec<_> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).collect();
        let user = fields.iter().find(|fields| fields[0] == name)?;
        Some(User { uid: user.get(2)?.parse().ok()?, gid: user.get(3)?.parse().ok()? })
    };
    let user = ["postgres", "nobody"].into_iter().find_map(find);
    Some(user.expect("a user postgres or nobody, because PostgreSQL refuses to run as root"))
}

/// A program of the server's, as the server's user, with nothing of our environment that concerns PostgreSQL.
pub(super) fn as_server(program: &str, user: Option<User>, folder: &Path) -> Command {
    let mut command = match user {
        Some(User { uid, gid }) => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
            command.arg(path_of(program));
            command
        }
        None => Command::new(path_of(program)),
    };
    clean(&mut command).current_dir(folder);
    command
}

/// A program that connects to a server.
pub(super) fn client(program: &str) -> Command {
    let mut command = Command::new(path_of(program));
    clean(&mut command);
    command
}

fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null())
}

/// Runs it to its end and fails with its words.
pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {} {errors}", output.status);
}
