//! A server's folder and processes.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{
    Settings,
    database::Sql,
    guard::Guard,
    programs::{self, User},
};

/// How long a start or a stop may take, recovery after a crash included.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Server {
    postmaster: Option<Child>,
    guard: Option<Guard>,
    home: TempDir,
    data: PathBuf,
    port: u16,
    user: Option<User>,
    parameters: Vec<(String, String)>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(10).collect();
            let tail: Vec<_> = tail.into_iter().rev().map(|line| format!("    {line}\n")).collect();
            drop(std::io::Write::write_all(&mut std::io::stderr(), tail.concat().as_bytes()));
        }
        if let Some(postmaster) = &mut self.postmaster {
            signal_all(&self.data, Signal::CONT);
            if matches!(postmaster.try_wait(), Ok(None)) {
                // `immediate`, as with pg_ctl: no time is spent on what is thrown away.
                signal(Pid::from_child(postmaster), Signal::QUIT);
                within(Duration::from_secs(5), || matches!(postmaster.try_wait(), Ok(Some(_))));
            }
            self.kill();
        }
        // Removes the folder, if only because nothing else would where this is not reached.
        drop(self.guard.take());
    }
}

impl Server {
    /// A folder and a port, nothing in or on them yet.
    pub(super) fn new(settings: &Settings) -> Self {
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("anteroom-postgres-");
        let home = match &settings.within {
            Some(within) => folder.tempdir_in(within),
            None => folder.tempdir(),
        };
        let home = home.expect("a folder");
        let path = home.path().canonicalize().expect("a folder");
        let (data, user) = (path.join("data"), programs::other_user());
        if let Some(User { uid, gid }) = user {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("root may");
        }
        // The server's user must be able to write what root's test has made.
        let log = File::create(path.join("log")).expect("a log file");
        log.set_permissions(fs::Permissions::from_mode(0o666)).expect("a log file");
        let guard = Some(Guard::over(&data, &path));
        let parameters = settings.all();
        Self { postmaster: None, guard, home, data, port: free_port(), user, parameters }
    }

    /// An empty cluster, as `initdb` makes it.
    pub(super) fn initialize(&self) {
        let mut initdb = programs::as_server("initdb", self.user, self.home.path());
        initdb.args(["--username=anteroom", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--no-sync", "--no-instructions", "--pgdata"]).arg(&self.data);
        programs::run(&mut initdb);
    }

    /// What another server has, which must be stopped.
    pub(super) fn copy(&self, other: &Self) {
        assert!(other.postmaster.is_none(), "it runs");
        // With its owner and its rights, on which PostgreSQL insists.
        programs::run(Command::new("cp").arg("--archive").args([&other.data, &self.data]));
    }

    /// What the server on `port` has, streamed, and set up to go on following it as `name`.
    pub(super) fn follow(&self, port: u16, name: &str) {
        let mut backup = programs::as_server("pg_basebackup", self.user, self.home.path());
        backup.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]);
        let from = format!("host=127.0.0.1 port={port} user=anteroom application_name={name}");
        backup.args(["--dbname", &from, "--pgdata"]).arg(&self.data);
        programs::run(&mut backup);
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn sql(&self) -> Sql {
        Sql::new(self.port)
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Runs it and waits until it takes connections.
    pub(super) fn start(&mut self) {
        assert!(self.postmaster.is_none(), "it runs already");
        let log = || File::options().append(true).open(self.log()).expect("the log");
        let mut postgres = programs::as_server("postgres", self.user, self.home.path());
        postgres.arg("-D").arg(&self.data).arg("-k").arg(self.home.path());
        postgres.args(["-p", &self.port.to_string()]);
        for (name, value) in &self.parameters {
            postgres.args(["-c", &format!("{name}={value}")]);
        }
        // ^C in a terminal is for the test, which then ends it.
        postgres.stdout(log()).stderr(Stdio::from(log())).process_group(0);
        let mut postmaster = postgres.spawn().expect("PostgreSQL");
        let mut ended = None;
        let ready = within(PATIENCE, || {
            ended = postmaster.try_wait().expect("a child of ours");
            ended.is_some() || self.sql().run("postgres", "SELECT").is_ok()
        });
        self.postmaster = Some(postmaster);
        let log = || fs::read_to_string(self.log()).unwrap_or_default();
        assert!(ended.is_none(), "PostgreSQL ended while starting: {}", log());
        assert!(ready, "PostgreSQL is not ready within {PATIENCE:?}: {}", log());
    }

    /// Whether it ran and has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        let ended =
            self.postmaster.as_mut().is_some_and(|it| it.try_wait().expect("a child of ours").is_some());
        if ended {
            self.kill();
        }
        ended
    }

    /// `fast`, as with `pg_ctl`.
    pub(super) fn stop(&mut self) {
        self.thaw();
        let postmaster = self.postmaster.as_mut().expect("it runs");
        signal(Pid::from_child(postmaster), Signal::INT);
        let ended = within(PATIENCE, || postmaster.try_wait().expect("a child of ours").is_some());
        assert!(ended, "PostgreSQL did not stop within {PATIENCE:?}");
        self.kill();
    }

    pub(super) fn crash(&mut self) {
        assert!(self.postmaster.is_some(), "it doesn't run");
        self.kill();
    }

    /// Ends all its processes and waits for that.
    fn kill(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let gone = within(PATIENCE, || {
            // The postmaster first: nobody is to start another.
            drop(postmaster.kill());
            signal_all(&self.data, Signal::KILL);
            let ended = matches!(postmaster.try_wait(), Ok(Some(_)));
            ended && processes(&self.data).is_empty()
        });
        // A second panic while the first unwinds would end the test without its words.
        assert!(gone || thread::panicking(), "PostgreSQL survived SIGKILL in {}", self.data.display());
    }

    pub(super) fn freeze(&self) {
        // The postmaster first: it then starts no more of them.
        signal(Pid::from_child(self.postmaster.as_ref().expect("it runs")), Signal::STOP);
        let frozen = within(PATIENCE, || {
            let awake: Vec<_> = processes(&self.data).into_iter().filter(|pid| !is_stopped(*pid)).collect();
            for pid in &awake {
                signal(*pid, Signal::STOP);
            }
            awake.is_empty()
        });
        assert!(frozen, "PostgreSQL did not freeze");
    }

    pub(super) fn thaw(&self) {
        signal_all(&self.data, Signal::CONT);
    }
}

/// Below those that the kernel gives to outgoing connections, so that a server finds its port free when it
/// comes back; each process begins elsewhere.
fn free_port() -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(COUNT / 50)).expect("small") * 50;
    let port = || FIRST + (own + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
    let free = (0..COUNT).map(|_| port()).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("a free port")
}

fn signal(pid: Pid, signal: Signal) {
    // An error says that it has ended meanwhile.
    kill_process(pid, signal).ok();
}

fn signal_all(data: &Path, which: Signal) {
    for pid in processes(data) {
        signal(pid, which);
    }
}

/// A server's processes. Each is in a group of its own, and some may have lost their parent; but all work in
/// the data folder.
fn processes(data: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let at_home = |pid: &Pid| {
        let folder = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
        folder.is_ok_and(|folder| folder == data)
    };
    pids.filter(at_home).collect()
}

fn is_stopped(pid: Pid) -> bool {
    // "pid (name) state …"; one that is gone doesn't run either.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 'Z', 'X']))
}

/// Asks again until the answer is yes, at most so long; the last answer.
pub(super) fn within(patience: Duration, mut ask: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if ask() {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
