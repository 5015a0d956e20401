//! A real OpenSSH server on a port of this machine, with a folder, keys of its own, and nothing of the machine's
//! configuration.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// The server. Ended when dropped.
#[derive(Debug)]
pub struct Sshd {
    home: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The path of `sshd`, installed if it is missing.
fn program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/sshd");
    let output = Command::new(&script).stderr(Stdio::inherit()).output().expect("scripts/sshd runs");
    assert!(
        output.status.success(),
        "scripts/sshd could not find or install OpenSSH's server; run it by hand"
    );
    String::from_utf8_lossy(&output.stdout).trim().into()
}

fn keygen(path: &Path, kind: &str) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-N", "", "-C", "test", "-t", kind, "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen runs").success());
}

impl Sshd {
    /// Starts one with an ed25519 key, an empty folder `inbox` and another one `done`.
    pub async fn start() -> Self {
        let home = tempfile::Builder::new().prefix("anteroom-sshd-").tempdir().expect("a folder");
        for folder in ["files/inbox", "files/done"] {
            fs::create_dir_all(home.path().join(folder)).expect("a folder");
        }
        keygen(&home.path().join("host_ed25519"), "ed25519");
        keygen(&home.path().join("client"), "ed25519");
        let public = fs::read(home.path().join("client.pub")).expect("a key");
        fs::write(home.path().join("authorized_keys"), public).expect("a file");
        let port =
            TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its number").port();
        let mut sshd = Self { home, port, child: None };
        sshd.configure("host_ed25519");
        sshd.run().await;
        sshd
    }

    fn configure(&self, host_key: &str) {
        let home = self.home.path().display();
        let text = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {home}/{host_key}\nPidFile none\n\
             AuthorizedKeysFile {home}/authorized_keys\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPrintMotd no\n\
             LogLevel VERBOSE\nMaxStartups 50\nSubsystem sftp internal-sftp -d {home}/files\n",
            self.port
        );
        fs::write(self.home.path().join("sshd_config"), text).expect("a file");
    }

    /// Starts the process (again).
    pub async fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = fs::OpenOptions::new().create(true).append(true).open(self.home.path().join("log"));
        let child = Command::new(program())
            .args(["-D", "-e", "-f"])
            .arg(self.home.path().join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn();
        self.child = Some(child.expect("sshd starts"));
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("sshd doesn't listen: {}", self.log());
    }

    /// Ends the server and the sessions it has.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Sessions are processes of their own; they end with their connections.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// From now on proves another key, as an impostor would.
    pub async fn change_host_key(&mut self) {
        self.kill();
        keygen(&self.home.path().join("impostor"), "ed25519");
        self.configure("impostor");
        self.run().await;
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The line of its first key, as `known_hosts` has it.
    pub fn host_key(&self) -> String {
        let line = fs::read_to_string(self.home.path().join("host_ed25519.pub")).expect("a key");
        format!("[127.0.0.1]:{} {}", self.port, line.trim())
    }

    /// The private key that may sign in.
    pub fn private_key(&self) -> String {
        fs::read_to_string(self.home.path().join("client")).expect("a key")
    }

    /// Whom to sign in as: whoever runs the test.
    pub fn user() -> String {
        let name = Command::new("id").arg("-un").output().expect("id runs");
        String::from_utf8_lossy(&name.stdout).trim().to_owned()
    }

    /// A path below the folder that it serves.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("files").join(name)
    }

    /// Names of the files in one of its folders.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}
