//! Compiling in a process of its own, which can be limited and killed: what a component does to the compiler
//! it does there.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Condvar, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Refusal, Step,
    inspect::Inspected,
    wire::{self, Frame, Tag},
};

/// Compilations at once: each takes a core and up to its memory.
const AT_ONCE: usize = 2;
/// Of them, uploads: what was accepted and is needed for a patient's text must not wait for a bomb.
const UPLOADS: usize = 1;
/// What is read of a child's last words, in bytes.
const STDERR_BYTES: u64 = 16 * 1024;
/// How long a child may take to end after it has closed its output.
const ENDING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// How components are compiled outside of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// A program that calls [`compile_policy`](crate::compile_policy), of the same build as this one.
    pub program: PathBuf,
    /// Its arguments, which the limits follow.
    pub args: Vec<OsString>,
    /// Time on the wall for one component. Over it, but within its CPU time, the machine is to blame.
    pub wall: Duration,
    /// Memory of one compilation, in bytes.
    pub memory_bytes: u64,
    /// CPU time of one compilation, in seconds.
    pub cpu_seconds: u64,
}

impl Compiler {
    /// `program` called with `args`, within 60 s of CPU time, 5 minutes on the wall and 1 GiB: of Python's
    /// interpreter, twice what it takes.
    pub fn new(program: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            wall: Duration::from_mins(5),
            memory_bytes: 1024 * 1024 * 1024,
            cpu_seconds: 60,
        }
    }

    /// This very program, called with `compile-policy`.
    pub fn this_program() -> io::Result<Self> {
        // Not the path, where a newer version may lie by now; this one is of the same build for certain.
        let this = PathBuf::from("/proc/self/exe");
        let program = if this.exists() { this } else { std::env::current_exe()? };
        Ok(Self::new(program, &["compile-policy"]))
    }
}

/// A compiled form, as our own compiler wrote it.
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a compiler makes of a component.
pub(crate) type Answer = Result<(Inspected, Form), Refusal>;

/// Starts compilers, a few at once.
pub(crate) struct Compilers {
    compiler: Compiler,
    compatibility: String,
    running: Mutex<Turns>,
    ended: Condvar,
}

/// Turns taken.
#[derive(Default)]
struct Turns {
    all: usize,
    uploads: usize,
}

/// A turn to compile; given back when dropped.
struct Turn<'a> {
    compilers: &'a Compilers,
    is_upload: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut turns = self.compilers.running.lock().unwrap_or_else(PoisonError::into_inner);
        turns.all -= 1;
        turns.uploads -= usize::from(self.is_upload);
        self.compilers.ended.notify_all();
    }
}

/// Killed and reaped when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Has ended by itself, or ends now.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Compilers {
    pub(crate) fn new(compiler: Compiler, compatibility: String) -> Self {
        Self { compiler, compatibility, running: Mutex::default(), ended: Condvar::new() }
    }

    /// Inspects and compiles, to a form of at most `form_bytes`. Blocks.
    pub(crate) fn compile(
        &self,
        bytes: &[u8],
        form_bytes: usize,
        is_upload: bool,
        on_step: &mut dyn FnMut(Step),
    ) -> Answer {
        let _turn = self.turn(is_upload);
        self.start(bytes, form_bytes, on_step).unwrap_or_else(|error| {
            tracing::error!(%error, "can't run the compiler of policies");
            Err(Refusal::host(format!("a compiler that can't be run: {error}")))
        })
    }

    fn turn(&self, is_upload: bool) -> Turn<'_> {
        let turns = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |turns: &mut Turns| turns.all >= AT_ONCE || (is_upload && turns.uploads >= UPLOADS);
        let mut turns = self.ended.wait_while(turns, is_full).unwrap_or_else(PoisonError::into_inner);
        turns.all += 1;
        turns.uploads += usize::from(is_upload);
        Turn { compilers: self, is_upload }
    }

    fn start(&self, bytes: &[u8], form_bytes: usize, on_step: &mut dyn FnMut(Step)) -> io::Result<Answer> {
        let deadline = Instant::now() + self.compiler.wall;
        let mut child = Running(self.command().spawn()?);
        let pipes = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::other("a child without pipes"));
        };
        let (say, said) = mpsc::channel();
        let spawn = || thread::Builder::new().name("policy-compiler".to_owned());
        thread::scope(|scope| {
            // Dropped, and so killed, before its pipes' threads are waited for.
            let mut child = child;
            spawn().spawn_scoped(scope, move || feed(stdin, bytes))?;
            let words = spawn().spawn_scoped(scope, move || last_words(stderr))?;
            spawn().spawn_scoped(scope, move || listen(stdout, form_bytes, &say))?;
            match self.hear(&said, deadline, form_bytes, on_step) {
                Heard::Answer(answer) => Ok(*answer),
                Heard::Late => Err(io::Error::other("it was not ready in time: the machine is too busy")),
                Heard::Broken(what) => Err(io::Error::other(what)),
                Heard::Ended => {
                    let status = child.ended()?;
                    drop(child);
                    self.verdict(status, &words.join().unwrap_or_default())
                }
            }
        })
    }

    fn command(&self) -> Command {
        let Compiler { program, args, memory_bytes, cpu_seconds, .. } = &self.compiler;
        let mut command = Command::new(program);
        command
            .args(args)
            .args([memory_bytes, cpu_seconds].map(u64::to_string))
            .env_clear()
            // Our allocator reserves a GiB in one go otherwise, of which the limit would see nothing.
            .env("MIMALLOC_ARENA_RESERVE", "32MiB")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Takes what the child says until it has answered.
    fn hear(
        &self,
        said: &Receiver<io::Result<Frame>>,
        deadline: Instant,
        form_bytes: usize,
        on_step: &mut dyn FnMut(Step),
    ) -> Heard {
        let mut inspected = None;
        loop {
            let frame = match said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(frame)) => frame,
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Heard::Ended,
                Ok(Err(error)) => return Heard::Broken(error.to_string()),
                Err(RecvTimeoutError::Timeout) => return Heard::Late,
                Err(RecvTimeoutError::Disconnected) => return Heard::Ended,
            };
            let (tag, bytes) = match frame {
                Frame::Said(tag, bytes) => (tag, bytes),
                Frame::TooLarge(length) => {
                    return Heard::Answer(Box::new(Err(too_large(length, form_bytes))));
                }
            };
            match tag {
                Tag::Compatibility if bytes == self.compatibility.as_bytes() => {}
                Tag::Compatibility => return Heard::Broken("it is of another build".to_owned()),
                Tag::Step => {
                    if let Some(step) = str::from_utf8(&bytes).ok().and_then(Step::parse) {
                        on_step(step);
                    }
                }
                Tag::Inspected => inspected = serde_json::from_slice(&bytes).ok(),
                Tag::Refusal => {
                    let refusal = serde_json::from_slice(&bytes).map_err(|error| error.to_string());
                    return refusal
                        .map_or_else(Heard::Broken, |refusal| Heard::Answer(Box::new(Err(refusal))));
                }
                Tag::Form => {
                    let Some(inspected) = inspected else {
                        return Heard::Broken("it compiled without inspecting".to_owned());
                    };
                    return Heard::Answer(Box::new(Ok((inspected, Form(bytes)))));
                }
            }
        }
    }

    /// Why did it end without an answer?
    fn verdict(&self, status: ExitStatus, words: &str) -> io::Result<Answer> {
        let by = |signal: Signal| status.signal() == Some(signal.as_raw());
        if by(Signal::XCPU) {
            return Ok(Err(self.late()));
        }
        // What Rust's runtime says before it aborts.
        if by(Signal::ABORT) && words.contains("memory allocation of") {
            return Ok(Err(memory()));
        }
        if by(Signal::ABORT) && words.contains("has overflowed its stack") {
            return Ok(Err(broken("code nested deeper than the compiler can follow")));
        }
        Err(io::Error::other(format!("it ended by itself ({status}): {}", words.trim())))
    }

    fn late(&self) -> Refusal {
        Refusal::new(
            "compile_time",
            "",
            format!("a component that compiles within {} s of CPU time", self.compiler.cpu_seconds),
            "one that had not by then",
            "Split huge functions (generated tables and parsers, unrolled loops, over-eager inlining), or \
             leave out what the policy doesn't call.",
        )
    }
}

impl Running {
    /// Waits for its end: what it says is over already.
    fn ended(&mut self) -> io::Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > ENDING {
                return Err(io::Error::other("it doesn't end"));
            }
            thread::sleep(PAUSE);
        }
    }
}

/// What came of listening.
enum Heard {
    Answer(Box<Answer>),
    /// The time was up.
    Late,
    /// It ended, or was ended, before it answered.
    Ended,
    /// It said what it never says.
    Broken(String),
}

fn feed(mut stdin: ChildStdin, bytes: &[u8]) {
    // A child that refuses or dies early reads only a part.
    drop(stdin.write_all(bytes));
}

fn listen(mut stdout: ChildStdout, form_bytes: usize, say: &Sender<io::Result<Frame>>) {
    while let Some(frame) = wire::read(&mut stdout, form_bytes).transpose() {
        let is_last = !matches!(frame, Ok(Frame::Said(..)));
        if say.send(frame).is_err() || is_last {
            return;
        }
    }
}

fn last_words(stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    // What could be read is what there is to say.
    drop(stderr.take(STDERR_BYTES).read_to_end(&mut words));
    String::from_utf8_lossy(&words).into_owned()
}

/// The compiler refuses it.
pub(crate) fn broken(found: impl Into<String>) -> Refusal {
    Refusal::new(
        "compile",
        "",
        "a component that the compiler can translate",
        found,
        "Build with a released toolchain, without post-processing; flatten deeply nested blocks and types.",
    )
}

/// The compiler needs too much for it.
pub(crate) fn memory() -> Refusal {
    Refusal::new(
        "compile_memory",
        "",
        "a component that compiles within the host's memory for it",
        "one that needs more",
        "Split huge functions (generated tables and parsers, unrolled loops), and don't nest components in \
         components.",
    )
}

pub(crate) fn too_large(length: u64, most: usize) -> Refusal {
    Refusal::new(
        "compiled_too_large",
        "",
        format!("at most {most} bytes once compiled"),
        format!("{length} bytes"),
        "Build for size, leave out what the policy doesn't call, and leave no wide gaps between data segments.",
    )
}
