//! The server under load: a process of its own, with a fresh database.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::Failure;

/// First argument that makes this program the server.
pub(crate) const COMMAND: &str = "demo";

/// Compiling the default policies for a fresh database takes most of it.
const START: Duration = Duration::from_mins(1);

/// Killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Has ended by itself, or ends now.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    process: Process,
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) twilio: Account,
}

#[derive(Deserialize)]
struct Demo {
    base_url: String,
    carrier_accounts: Vec<Account>,
}

/// A carrier account, as `demo.json` has it.
#[derive(Clone, Deserialize)]
pub(crate) struct Account {
    pub(crate) carrier: String,
    pub(crate) id: String,
    pub(crate) public_url: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) credentials: Credentials,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    pub(crate) account_sid: String,
    #[serde(default)]
    pub(crate) auth_token: String,
}

impl Server {
    /// Starts one that does `roles`, and waits until it answers.
    pub(crate) fn start(dir: &Path, roles: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(dir)?;
        let log = folder.path().join("log");
        let child = Command::new(std::env::current_exe()?)
            .args([COMMAND, "--port", "0", "--log-format", "json", "--roles", roles, "--dir"])
            .arg(folder.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut process = Process(child);
        let started = Instant::now();
        loop {
            if let Some((address, twilio)) = ready(folder.path()) {
                return Ok(Self { process, folder, address, twilio });
            }
            let ended = process.0.try_wait()?;
            if ended.is_some() || started.elapsed() > START {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the server did not start ({ended:?}): {said}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// CPU time used until now, by all its threads. In steps of a clock tick.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        cpu_of(&self.process.0.id().to_string())
    }

    /// The sum of a counter over its labels that hold `label`; 0 while it isn't there.
    pub(crate) fn counter(&self, name: &str, label: &str) -> Result<usize, Failure> {
        let text = get(self.address, "/metrics")?;
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum())
    }

    /// Kills it where it stands; its database stays until this is dropped.
    pub(crate) fn kill(&mut self) -> Result<PathBuf, Failure> {
        self.process.0.kill()?;
        self.process.0.wait()?;
        Ok(self.folder.path().join("anteroom.db"))
    }
}

/// Where it serves and its Twilio account, once it does.
fn ready(folder: &Path) -> Option<(SocketAddr, Account)> {
    let demo: Demo = serde_json::from_slice(&fs::read(folder.join("demo.json")).ok()?).ok()?;
    let address = demo.base_url.strip_prefix("http://")?.parse().ok()?;
    get(address, "/readyz").ok()?.contains(" 200 ").then_some(())?;
    Some((address, demo.carrier_accounts.into_iter().find(|account| account.carrier == "twilio")?))
}

/// The whole answer, head and body.
fn get(address: SocketAddr, path: &str) -> Result<String, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// CPU time of a process (`self` for this one): fields 14 and 15 of `proc_pid_stat(5)`, after the name, which
/// ends with the last parenthesis.
pub(crate) fn cpu_of(process: &str) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    Ok(ticks(stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2)))
}

/// CPU time that all processes used, of all cores: user, nice and system of `proc_stat(5)`.
pub(crate) fn busy() -> Result<Duration, Failure> {
    let stat = fs::read_to_string("/proc/stat")?;
    Ok(ticks(stat.split_whitespace().skip(1).take(3)))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Duration {
    /// Per second, on every Linux that matters: what `getconf CLK_TCK` says.
    const TICKS: u64 = 100;
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}
