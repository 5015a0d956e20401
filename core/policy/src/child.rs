//! The process that inspects and compiles one component and ends. Whatever that takes, it takes from itself.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    process::ExitCode,
    thread,
};

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};

use crate::{
    Refusal, Step,
    compile::{broken, memory},
    engine::{compatibility, compiling_engine},
    inspect::inspect,
    wire::{self, Tag},
};

/// Address space beyond the memory: the program itself, its libraries, stacks, and what allocators reserve
/// and never touch.
const RESERVED_BYTES: u64 = 1024 * 1024 * 1024;
/// For deep nesting; the compiler's passes recurse.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Behind patients' texts, and yet a third of what they get.
const NICENESS: i32 = 5;

/// What `compile-policy` does: reads a component from standard input, and writes what it found, and the
/// compiled form or a refusal, to standard output. `arguments` are those after the command: the most memory,
/// in bytes, and CPU time, in seconds. For [`Compiler`](crate::Compiler) only, which starts it.
pub fn compile_policy(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match limited(arguments).and_then(|()| on_a_large_stack(work)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Read by the host that started this, for its log.
            drop(writeln!(io::stderr(), "can't compile a policy: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Limits this process, before it has read anything.
fn limited(arguments: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    let mut numbers = arguments.into_iter().map(|argument| argument.to_str()?.parse::<u64>().ok());
    let (Some(Some(memory)), Some(Some(seconds)), None) = (numbers.next(), numbers.next(), numbers.next())
    else {
        return Err(io::Error::other("compile-policy takes bytes of memory and seconds of CPU time"));
    };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    nice(NICENESS)?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        // What is open stays so; nothing more can be.
        (Resource::Nofile, 0),
        (Resource::Data, memory),
        (Resource::As, memory.saturating_add(RESERVED_BYTES)),
    ] {
        // Whoever started the host may have limited it further, and nobody can raise that.
        let most = Some(getrlimit(resource).maximum.map_or(most, |hard| hard.min(most)));
        setrlimit(resource, Rlimit { current: most, maximum: most })?;
    }
    // The first tells it apart (SIGXCPU) from being killed by others.
    let hard = getrlimit(Resource::Cpu).maximum.unwrap_or(u64::MAX);
    let [seconds, last] = [seconds, seconds.saturating_add(2)].map(|seconds| Some(seconds.min(hard)));
    setrlimit(Resource::Cpu, Rlimit { current: seconds, maximum: last })?;
    Ok(())
}

fn on_a_large_stack(work: fn() -> io::Result<()>) -> io::Result<()> {
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(work)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("panicked")))
}

fn work() -> io::Result<()> {
    let engine = compiling_engine().map_err(|error| io::Error::other(format!("{error:#}")))?;
    let mut to = io::stdout().lock();
    wire::write(&mut to, Tag::Compatibility, compatibility(&engine).as_bytes())?;
    let mut bytes = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut bytes) {
        return match error.kind() {
            io::ErrorKind::OutOfMemory => refuse(&mut to, &memory()),
            _ => Err(error),
        };
    }
    let mut said = Ok(());
    let mut tell = |step: Step| {
        let written = wire::write(&mut to, Tag::Step, step.as_str().as_bytes());
        if said.is_ok() {
            said = written;
        }
    };
    let inspected = inspect(&bytes, &mut tell);
    if inspected.is_ok() {
        tell(Step::Compile);
    }
    said?;
    match inspected {
        Ok(inspected) => wire::write(&mut to, Tag::Inspected, &serde_json::to_vec(&inspected)?)?,
        Err(refusal) => return refuse(&mut to, &refusal),
    }
    match engine.precompile_component(&bytes) {
        Ok(form) => wire::write(&mut to, Tag::Form, &form),
        Err(error) if error.is::<wasmtime::OutOfMemory>() => refuse(&mut to, &memory()),
        Err(error) => refuse(&mut to, &broken(format!("{error:#}"))),
    }
}

fn refuse(to: &mut dyn Write, refusal: &Refusal) -> io::Result<()> {
    wire::write(to, Tag::Refusal, &serde_json::to_vec(refusal)?)
}
