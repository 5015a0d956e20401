//! The real binary as a child process, in a folder of its own.

mod demo;
mod snapshot;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Api, Reply, TwilioAccount, eventually, http_client};

pub use demo::{Demo, DemoAccount, DemoStaff};
pub use snapshot::Snapshot;

/// How long a start may take: a first one compiles four policies in a debug build.
const START: Duration = Duration::from_mins(1);

/// How to start the binary.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    twilio_api_url: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    within: Option<PathBuf>,
}

impl Launch {
    /// The binary at this path.
    pub fn new(binary: &str) -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        Self { binary: binary.into(), twilio_api_url: None, arguments, environment, within: None }
    }

    /// `--twilio-api-url` of a demo.
    #[must_use]
    pub fn twilio(mut self, url: &str) -> Self {
        self.twilio_api_url = Some(url.to_owned());
        self
    }

    /// An option of the command line with its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// The data folder is made in this one, and not where temporary files belong.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.within = Some(folder.to_owned());
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts `anteroom demo` in a new folder: seeded afresh, or as it was when `snapshot` was taken.
    pub async fn demo(self, snapshot: Option<&Snapshot>) -> Anteroom {
        let mut anteroom = Anteroom::stopped(self, Mode::Demo);
        if let Some(snapshot) = snapshot {
            anteroom.restore(snapshot);
        }
        anteroom.start().await;
        anteroom
    }

    /// Seeds a demo and stops it: for others to begin from.
    pub async fn seed(self) -> Snapshot {
        let mut anteroom = self.demo(None).await;
        let (status, _) = anteroom.stop().await;
        assert!(status.success(), "{status}");
        Snapshot::of(&anteroom)
    }

    /// Prepares `anteroom serve` on a new folder, to be set up with [`Anteroom::admin`] and then started.
    pub fn serve(self) -> Anteroom {
        Anteroom::stopped(self, Mode::Serve)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.to_string_lossy().starts_with("ANTEROOM_")) {
            command.env_remove(name);
        }
        command.env_remove("DATABASE_URL");
        command.env("RUST_LOG", "info").envs(self.environment.iter().cloned());
        command
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Demo,
    Serve,
}

/// A server process, or one between two runs on the same folder. Killed and removed when dropped.
#[derive(Debug)]
pub struct Anteroom {
    launch: Launch,
    mode: Mode,
    home: TempDir,
    /// Where the data folder is, if not in `home`.
    elsewhere: Option<TempDir>,
    child: Option<Child>,
    /// Length of the log when this run began.
    log_start: u64,
    base: String,
    demo: Option<Demo>,
    client: Client,
}

impl Drop for Anteroom {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            for line in tail.into_iter().rev() {
                drop(writeln!(io::stderr(), "    {line}"));
            }
        }
    }
}

impl Anteroom {
    fn stopped(launch: Launch, mode: Mode) -> Self {
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("anteroom-test-");
        let home = folder.tempdir().expect("a folder");
        let elsewhere = launch.within.as_ref().map(|within| folder.tempdir_in(within).expect("a folder"));
        File::create(home.path().join("log")).expect("a log file");
        let (base, client) = (String::new(), http_client());
        let new = Self { launch, mode, home, elsewhere, child: None, log_start: 0, base, demo: None, client };
        fs::create_dir(new.dir()).expect("a folder");
        new
    }

    /// The folder with the database.
    pub fn dir(&self) -> PathBuf {
        self.elsewhere.as_ref().unwrap_or(&self.home).path().join("data")
    }

    /// Puts the files of `snapshot` into the folder of a stopped server.
    pub fn restore(&self, snapshot: &Snapshot) {
        assert!(self.child.is_none(), "stop it first");
        snapshot.restore(&self.dir());
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Everything that all runs have written to standard output and standard error.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).expect("the log")).into_owned()
    }

    /// Starts the process and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        self.ready().await;
    }

    /// Starts the process without waiting for it.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.log_start = fs::metadata(self.log_path()).expect("the log").len();
        let log = || OpenOptions::new().append(true).open(self.log_path()).expect("the log");
        let mut command = self.launch.command();
        match self.mode {
            Mode::Demo => {
                command.args(["demo", "--port", "0", "--dir"]).arg(self.dir());
                if let Some(url) = &self.launch.twilio_api_url {
                    command.args(["--twilio-api-url", url]);
                }
            }
            Mode::Serve => {
                command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.dir());
            }
        }
        command.args(&self.launch.arguments).stdin(Stdio::null()).stdout(log()).stderr(log());
        self.child = Some(command.spawn().expect("the binary starts"));
    }

    /// Waits until the process that was started is ready.
    pub async fn ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.running().try_wait().expect("a child of ours") {
                panic!("it ended while starting, {status}");
            }
            if self.find_address()
                && let Ok(reply) = Reply::of(self.client.get(self.url("/readyz"))).await
                && reply.status == 200
            {
                return;
            }
            assert!(started.elapsed() < START, "not ready within {START:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn find_address(&mut self) -> bool {
        match self.mode {
            Mode::Demo => {
                let Some(demo) = Demo::read(&self.dir()) else { return false };
                if demo.pid != self.running().id() {
                    return false;
                }
                self.base.clone_from(&demo.base_url);
                self.demo = Some(demo);
            }
            Mode::Serve => {
                let log = fs::read(self.log_path()).expect("the log");
                let run = String::from_utf8_lossy(&log[usize::try_from(self.log_start).expect("short")..]);
                let lines = run.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                let Some(line) = lines.into_iter().find(|line| line["message"] == "serving") else {
                    return false;
                };
                self.base = format!("http://{}", line["address"].as_str().expect("an address"));
            }
        }
        true
    }

    fn running(&mut self) -> &mut Child {
        self.child.as_mut().expect("it runs")
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child of ours");
            child.wait().expect("a child of ours");
        }
    }

    /// SIGTERM, and waits for the end; how the process ended and how long it took.
    pub async fn stop(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.child.take().expect("it runs");
        let started = Instant::now();
        // The standard library can only kill -9, and the shell has this built in.
        let pid = child.id().to_string();
        let signalled = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().expect("a shell");
        assert!(signalled.success(), "{signalled}");
        loop {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                return (status, started.elapsed());
            }
            if started.elapsed() > START {
                self.child = Some(child);
                panic!("it did not stop");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// SIGTERM, then a new run on the same folder.
    pub async fn restart(&mut self) {
        let (status, _) = self.stop().await;
        assert!(status.success(), "{status}");
        self.start().await;
    }

    /// Runs `anteroom admin …` on the folder of a stopped server; what it printed.
    pub fn admin(&self, arguments: &[&str], input: &str) -> String {
        assert!(self.child.is_none(), "stop it first");
        let mut command = self.launch.command();
        command.arg("admin").args(arguments).arg("--data-dir").arg(self.dir());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("a child of ours");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "admin {arguments:?}: {errors}");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// `http://127.0.0.1:…` of this run.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A client for any request.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `demo.json` of this run.
    pub fn demo(&self) -> &Demo {
        self.demo.as_ref().expect("a demo that runs")
    }

    /// The API as the demo's first member of staff with this role, or whose name begins so.
    pub fn api(&self, who: &str) -> Api {
        Api::with_token(&self.client, &self.base, &self.demo().staff(who).token)
    }

    /// The API without credentials.
    pub fn anonymous(&self) -> Api {
        Api::anonymous(&self.client, &self.base)
    }

    /// The demo's Twilio account, from Twilio's side.
    pub fn twilio(&self) -> TwilioAccount {
        self.demo().account("twilio").as_twilio()
    }

    /// `/metrics`.
    pub async fn metrics(&self) -> String {
        Reply::of(self.client.get(self.url("/metrics"))).await.expect("metrics").text
    }

    /// Waits until nothing waits in the pipeline or in the outbox.
    pub async fn idle(&self, patience: Duration) {
        eventually("an empty pipeline and outbox", patience, async || {
            let metrics = self.metrics().await;
            let waiting: Vec<_> =
                metrics.lines().filter(|line| line.starts_with("anteroom_waiting_messages{")).collect();
            assert_eq!(waiting.len(), 2, "{metrics}");
            waiting.iter().all(|line| line.ends_with(" 0")).then_some(())
        })
        .await;
    }

    /// The value of the metric whose line begins so, labels included; 0 where there is no such line.
    pub async fn metric(&self, series: &str) -> f64 {
        let metrics = self.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
