//! The server under load: a process of its own, with a fresh database.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::Failure;

/// First arguments that make this program the server.
pub(crate) const COMMANDS: [&str; 3] = ["demo", "serve", "compile-policy"];

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
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Account {
    pub(crate) carrier: String,
    pub(crate) id: String,
    pub(crate) public_url: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) credentials: Credentials,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    pub(crate) account_sid: String,
    #[serde(default)]
    pub(crate) auth_token: String,
}

impl Server {
    /// Starts one that does `roles`, and waits until it answers; on the database of that URL, or one of its own.
    pub(crate) fn start(dir: &Path, roles: &str, database: Option<&str>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(dir)?;
        let mut command = program(folder.path())?;
        command.args(["demo", "--port", "0", "--log-format", "json", "--roles", roles, "--dir"]);
        command.arg(folder.path()).args(database.iter().flat_map(|url| ["--database-url", url]));
        let mut process = Process(command.spawn()?);
        let (address, twilio) = wait(&mut process, folder.path(), || ready(folder.path()))?;
        Ok(Self { process, folder, address, twilio })
    }

    /// Starts a further node on the database of `self`, which has that URL, and with its compiled policies, so
    /// that it works from the first second.
    pub(crate) fn further(&self, dir: &Path, roles: &str, database: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(dir)?;
        fs::create_dir(folder.path().join("compiled"))?;
        for form in fs::read_dir(self.folder.path().join("compiled"))? {
            let form = form?;
            fs::copy(form.path(), folder.path().join("compiled").join(form.file_name()))?;
        }
        // Free now, and hardly anybody else's in a moment.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = program(folder.path())?;
        command.args([
            "serve",
            "--listen",
            &address.to_string(),
            "--roles",
            roles,
            "--database-url",
            database,
        ]);
        command.arg("--data-dir").arg(folder.path());
        command.arg("--master-key").arg(self.folder.path().join("master.key"));
        let mut process = Process(command.spawn()?);
        wait(&mut process, folder.path(), || is_ready(address).then_some(()))?;
        Ok(Self { process, folder, address, twilio: self.twilio.clone() })
    }

    /// Starts one on the database and the compiled policies of `folder`, which stays when this is dropped. So many
    /// MiB of compiled code stay in its memory.
    pub(crate) fn serve(dir: &Path, folder: &Path, roles: &str, policy_memory: u64) -> Result<Self, Failure> {
        let own = tempfile::tempdir_in(dir)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = program(own.path())?;
        command.args(["serve", "--listen", &address.to_string(), "--roles", roles]);
        command.args(["--policy-memory-mib", &policy_memory.to_string(), "--data-dir"]).arg(folder);
        let mut process = Process(command.spawn()?);
        wait(&mut process, own.path(), || is_ready(address).then_some(()))?;
        Ok(Self { process, folder: own, address, twilio: Account::default() })
    }

    /// An address of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Memory that it has in use, in bytes: `VmRSS` of `proc_pid_status(5)`.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
        Ok(kib * 1024)
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

/// This program as a server that logs to `folder`.
fn program(folder: &Path) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(fs::File::create(folder.join("log"))?);
    Ok(command)
}

/// Waits until `ready` gives something.
fn wait<T>(process: &mut Process, folder: &Path, ready: impl Fn() -> Option<T>) -> Result<T, Failure> {
    let started = Instant::now();
    loop {
        if let Some(ready) = ready() {
            return Ok(ready);
        }
        let ended = process.0.try_wait()?;
        if ended.is_some() || started.elapsed() > START {
            let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(format!("the server did not start ({ended:?}): {said}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_ready(address: SocketAddr) -> bool {
    get(address, "/readyz").is_ok_and(|answer| answer.contains(" 200 "))
}

/// Where it serves and its Twilio account, once it does.
fn ready(folder: &Path) -> Option<(SocketAddr, Account)> {
    let demo: Demo = serde_json::from_slice(&fs::read(folder.join("demo.json")).ok()?).ok()?;
    let address = demo.base_url.strip_prefix("http://")?.parse().ok()?;
    is_ready(address).then_some(())?;
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
