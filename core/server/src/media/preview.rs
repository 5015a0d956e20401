//! Previews, each made by a process of its own: whatever a picture does to its decoder, it does there. The process
//! limits its memory, CPU time and files before it has read anything, and is killed when its time is up.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
};

use super::{
    kind::Kind,
    picture::{self, Preview, Unusable},
};

/// The command: nobody types it.
const COMMAND: &str = "preview-picture";
/// Pictures that are decoded at once.
const AT_ONCE: usize = 2;
/// Memory of one that is.
const MEMORY: u64 = 1024 * 1024 * 1024;
/// Address space beyond that: the program itself, and what its allocator reserves and never touches.
const RESERVED: u64 = 1024 * 1024 * 1024;
/// CPU time of one, in seconds.
const SECONDS: u64 = 20;
/// Time on the wall of one.
const PATIENCE: Duration = Duration::from_secs(45);
/// Largest preview that is taken from the process.
const LONGEST: u64 = 4 * 1024 * 1024;
/// Behind patients' texts.
const NICENESS: i32 = 5;

/// How the process ends where it has something to say.
const MADE: u8 = 0;
const BROKEN: u8 = 1;
const BOMB: u8 = 2;

/// Starts the processes, a few at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Previews {
    program: PathBuf,
    places: Arc<Semaphore>,
}

impl Previews {
    /// `program` is `anteroom` itself.
    pub fn new(program: PathBuf) -> Self {
        Self { program, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// This very program.
    pub fn this_program() -> io::Result<Self> {
        // Not the path, where a newer version may lie by now.
        let this = PathBuf::from("/proc/self/exe");
        Ok(Self::new(if this.exists() { this } else { std::env::current_exe()? }))
    }

    /// A preview of a picture. The error of the outside is the machine's, and no fault of the picture.
    pub(super) async fn of(&self, kind: Kind, bytes: &[u8]) -> io::Result<Result<Preview, Unusable>> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let mut child = Command::new(&self.program)
            .args([COMMAND, kind.mime()])
            .env_clear()
            // The allocator would reserve a gibibyte at a time, and twice that now and then to align it: more than the
            // process may have.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Ok(said) = tokio::time::timeout(PATIENCE, talk(&mut child, bytes)).await {
            return said;
        }
        // Its time on the wall depends on the machine; so long a one is the picture's doing.
        child.kill().await?;
        Ok(Err(Unusable::Bomb))
    }
}

async fn talk(child: &mut Child, bytes: &[u8]) -> io::Result<Result<Preview, Unusable>> {
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the process has no pipes"));
    };
    let mut said = Vec::new();
    let mut from = from.take(LONGEST);
    let tell = async {
        // One that has seen enough doesn't read to the end.
        drop(to.write_all(bytes).await);
        drop(to);
    };
    let ((), heard) = tokio::join!(tell, from.read_to_end(&mut said));
    heard?;
    let status = child.wait().await?;
    if status.success() {
        return read(&said).ok_or_else(|| io::Error::other("the process said nothing"));
    }
    // Out of its memory or its time: the picture's doing. Anything else is not.
    let limits = [Signal::XCPU, Signal::ABORT, Signal::SEGV, Signal::BUS].map(Signal::as_raw);
    match status.signal() {
        Some(signal) if limits.contains(&signal) => Ok(Err(Unusable::Bomb)),
        _ => Err(io::Error::other(format!("the process ended with {status}"))),
    }
}

fn read(said: &[u8]) -> Option<Result<Preview, Unusable>> {
    match *said {
        [MADE, ref made @ ..] => {
            let (width, made) = made.split_first_chunk()?;
            let (height, jpeg) = made.split_first_chunk()?;
            let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
            Some(Ok(Preview { jpeg: jpeg.to_vec(), width, height }))
        }
        [BROKEN] => Some(Err(Unusable::Broken)),
        [BOMB] => Some(Err(Unusable::Bomb)),
        _ => None,
    }
}

/// Makes a preview if the arguments (without the program's name) say so: what the process does.
pub(crate) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter();
    if arguments.next()? != COMMAND {
        return None;
    }
    let kind = arguments.next().and_then(|word| kind(word.to_str()?));
    Some(match kind.ok_or_else(|| io::Error::other("no kind of picture")).and_then(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn kind(mime: &str) -> Option<Kind> {
    [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::WebP].into_iter().find(|kind| kind.mime() == mime)
}

fn work(kind: Kind) -> io::Result<()> {
    limit()?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let mut to = io::stdout().lock();
    match picture::preview(kind, &bytes) {
        Ok(Preview { jpeg, width, height }) => {
            to.write_all(&[&[MADE], &width.to_be_bytes()[..], &height.to_be_bytes(), &jpeg].concat())
        }
        Err(Unusable::Broken) => to.write_all(&[BROKEN]),
        Err(Unusable::Bomb) => to.write_all(&[BOMB]),
    }
}

/// Limits this process, before it has read anything.
fn limit() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    nice(NICENESS)?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        // What is open stays so; nothing more can be.
        (Resource::Nofile, 0),
        (Resource::Data, MEMORY),
        (Resource::As, MEMORY + RESERVED),
        (Resource::Cpu, SECONDS),
    ] {
        let most = Some(getrlimit(resource).maximum.map_or(most, |hard| hard.min(most)));
        setrlimit(resource, Rlimit { current: most, maximum: most })?;
    }
    Ok(())
}
