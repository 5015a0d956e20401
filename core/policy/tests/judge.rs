//! What uploads go through, with the compiler in a process of its own: each hostile one is refused by name,
//! and this process neither grows nor waits for it.

#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test at once")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anteroom_model::hooks::Hook;
use anteroom_policy::{Compiler, HostConfig, Limits, Outcome, PolicyHost, Refusal, Step};
use support::{
    asking, config, guest, identity,
    uploads::{self, BOMB_CPU_SECONDS, BOMB_MEMORY_BYTES, Upload},
};

/// What this process may grow by while it judges.
const GROWTH: u64 = 64 * 1024 * 1024;
/// For all uploads together: some 10 s when the machine does nothing else.
const TIME: Duration = Duration::from_mins(10);

/// One test at a time: they look at this process's memory and children.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compiler() -> Compiler {
    Compiler {
        cpu_seconds: BOMB_CPU_SECONDS,
        memory_bytes: BOMB_MEMORY_BYTES,
        ..Compiler::new(env!("CARGO_BIN_EXE_anteroom-policy-compiler"), &[])
    }
}

fn host(compiler: Compiler) -> Arc<PolicyHost> {
    PolicyHost::new(HostConfig { compiler: Some(compiler), ..config() }).unwrap()
}

fn shell(script: &str) -> Compiler {
    Compiler::new("/bin/sh", &["-c", script])
}

fn quiet() -> Vec<u8> {
    guest("identity-policy", "", "(i32.const 1024)")
}

fn upload(name: &str) -> Upload {
    uploads::hostile().into_iter().find(|upload| upload.name == name).unwrap()
}

fn judge(host: &PolicyHost, bytes: &[u8]) -> (Vec<Step>, Result<(), Refusal>) {
    let mut steps = vec![];
    let judged = host.judge(bytes, &mut |step| steps.push(step));
    (steps, judged.map(drop))
}

fn refused(host: &PolicyHost, bytes: &[u8]) -> Refusal {
    judge(host, bytes).1.unwrap_err()
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Processes of this one that have not been reaped, with their command lines.
fn children() -> Vec<(u32, String)> {
    let parent = |stat: &str| stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let process = entry.ok()?.file_name().to_str()?.parse::<u32>().ok()?;
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        (parent(&stat)? == std::process::id()).then_some(())?;
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
        Some((process, line.replace('\0', " ")))
    });
    processes.collect()
}

#[test]
fn every_hostile_upload_is_refused_by_its_reason() {
    let _alone = alone();
    let uploads = uploads::hostile();
    assert!(uploads.len() >= 30);
    let host = host(compiler());
    judge(&host, &quiet()).1.unwrap();
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, started) = (status("VmRSS"), Instant::now());
    let mut wrong = vec![];
    let mut codes = BTreeSet::new();
    for Upload { name, bytes, code } in &uploads {
        let began = Instant::now();
        let (steps, judged) = judge(&host, bytes);
        let took = began.elapsed();
        println!("{took:>10.1?} {:>9} {name}: {judged:?}", bytes.len());
        let Err(refusal) = judged else {
            wrong.push(format!("{name}: accepted, expected {code}"));
            continue;
        };
        if refusal.code != *code {
            wrong.push(format!("{name}: expected {code}: {refusal}"));
        }
        let Refusal { expected, found, fix, .. } = &refusal;
        assert!(
            [expected, found, fix].into_iter().all(|text| !text.trim().is_empty()),
            "{name}: {refusal:?}"
        );
        assert!(refusal.is_authors(), "{name}: {refusal}");
        assert!(Step::ALL.starts_with(&steps), "{name}: {steps:?}");
        codes.insert(refusal.code);
    }
    let (grown, took) = (status("VmHWM").saturating_sub(before), started.elapsed());
    println!("{} uploads in {took:.1?}; this process grew by {} MiB", uploads.len(), grown >> 20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What no component can bring about by itself: a host that fails, a policy that is not deterministic, a
    // compiler's bug, and what is sent along with it.
    let missing: Vec<_> = Refusal::CODES.into_iter().filter(|code| !codes.contains(*code)).collect();
    assert_eq!(missing, ["bad_signature", "compile", "not_deterministic", "settings", "host"]);
    assert!(grown < GROWTH, "grew by {grown} bytes");
    assert!(took < TIME, "took {took:?}");
    assert!(children().is_empty());
}

#[test]
fn what_only_looks_hostile_is_accepted() {
    let _alone = alone();
    let host = host(compiler());
    for Upload { name, bytes, .. } in uploads::harmless() {
        let (steps, judged) = judge(&host, &bytes);
        judged.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(steps, Step::ALL, "{name}");
    }
}

#[test]
fn the_default_policies_pass_and_know_their_cost() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let with = |compiler| {
        let cache_dir = Some(directory.path().to_owned());
        PolicyHost::new(HostConfig { compiler, cache_dir, ..config() }).unwrap()
    };
    let (child, cached) = (with(Some(compiler())), with(Some(shell("exit 1"))));
    for hook in Hook::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/guests/{hook}.wasm"));
        let bytes = fs::read(path).expect("run `make plugins`");
        let policy = child.judge(&bytes, &mut |_| {}).unwrap_or_else(|refusal| panic!("{hook}: {refusal}"));
        let [probe] = policy.probe.clone().unwrap().try_into().unwrap();
        println!("{probe:?}");
        assert_eq!(probe.hook, hook);
        assert!(probe.turns >= 5 && probe.fuel > 0 && probe.fuel < Limits::default().fuel);
        assert!(probe.memory_peak > 0 && probe.memory_peak < Limits::default().memory_bytes as u64);
        // Compiled once: another host with the same cache starts no compiler.
        assert!(cached.load(&bytes).unwrap().probe.is_none());
        assert_eq!(child.signed_form(policy.digest), cached.signed_form(policy.digest));
    }
}

/// `ANTEROOM_JUDGE=path cargo test … judge_a_file -- --ignored --nocapture`: what a component costs to judge.
#[test]
#[ignore = "needs a file"]
fn judge_a_file() {
    let bytes = fs::read(std::env::var("ANTEROOM_JUDGE").unwrap()).unwrap();
    let host = host(Compiler { cpu_seconds: 120, memory_bytes: 2 << 30, ..compiler() });
    let (mut steps, started) = (vec![], Instant::now());
    let judged = host.judge(&bytes, &mut |step| steps.push((step, started.elapsed())));
    println!("{} bytes, {:?}, {steps:?}", bytes.len(), started.elapsed());
    println!("this process: {} MiB", status("VmHWM") >> 20);
    println!("{:?}", judged.map(|policy| policy.probe.clone()));
}

#[test]
fn what_a_child_compiled_runs_as_what_was_compiled_here() {
    let _alone = alone();
    let [there, here] = [host(compiler()), PolicyHost::new(config()).unwrap()];
    let run = |host: &PolicyHost| {
        let mut record = host.call_blocking(&host.load(&quiet()).unwrap(), asking(identity("hello")));
        record.micros = 0;
        record
    };
    assert_eq!(run(&there), run(&here));
    assert_eq!(run(&there).outcome, Outcome::NoOpinion);
}

#[test]
fn a_compiler_that_is_killed_is_the_hosts_fault_and_the_next_one_works() {
    let _alone = alone();
    let host = host(Compiler { cpu_seconds: 60, ..compiler() });
    let bomb = upload("thousands of functions");
    let killer = thread::spawn(|| {
        loop {
            if let Some((process, line)) = children().first()
                && line.contains("anteroom-policy-compiler")
            {
                thread::sleep(Duration::from_millis(100));
                return Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    let refusal = refused(&host, &bomb.bytes);
    assert!(killer.join().unwrap().success());
    assert_eq!(refusal.code, "host", "{refusal}");
    assert!(!refusal.is_authors() && refusal.found.contains("signal: 9"), "{refusal}");
    judge(&host, &quiet()).1.unwrap();
    assert!(children().is_empty());
}

#[test]
fn a_compiler_that_hangs_is_killed_when_its_time_is_up() {
    let _alone = alone();
    for script in ["exec sleep 60", "exec >&-; exec sleep 60", "cat >/dev/null; exec sleep 60"] {
        let started = Instant::now();
        let host = host(Compiler { wall: Duration::from_millis(300), ..shell(script) });
        let refusal = refused(&host, &quiet());
        assert_eq!(refusal.code, "host", "{script}: {refusal}");
        let is_late = refusal.found.contains("in time") || refusal.found.contains("doesn't end");
        assert!(is_late, "{script}: {refusal}");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    assert!(children().is_empty());
}

#[test]
fn a_compiler_that_can_not_work_is_the_hosts_fault() {
    let _alone = alone();
    for (compiler, found) in [
        (Compiler::new("/nowhere/compiler", &[]), "No such file"),
        (shell("exit 3"), "exit status: 3"),
        (shell("echo hello"), "no such tag"),
        // The first frame is of a compiler of another build.
        (shell("printf 'e\\001\\000\\000\\000\\000\\000\\000\\000x'"), "another build"),
        (shell("printf 'c\\377\\377\\377\\377\\377\\377\\377'"), "exit status: 0"),
        (shell("kill -SEGV $$"), "signal: 11"),
        (Compiler { memory_bytes: 1024 * 1024, ..compiler() }, "ended by itself"),
    ] {
        let refusal = refused(&host(compiler), &quiet());
        assert_eq!(refusal.code, "host", "{refusal}");
        assert!(refusal.found.contains(found), "{found}: {refusal}");
    }
    assert!(children().is_empty());
}

#[test]
fn two_compile_at_once_of_which_one_upload() {
    let _alone = alone();
    let host = host(shell("sleep 0.3; exit 1"));
    // Most children at once, and how long the last one took.
    let most = |uploads: usize, loads: usize| {
        let started = Instant::now();
        thread::scope(|scope| {
            let upload = || refused(&host, &quiet()).code;
            let load = || host.load(&quiet()).unwrap_err().code;
            let mut tasks: Vec<_> = (0..uploads).map(|_| scope.spawn(upload)).collect();
            tasks.extend((0..loads).map(|_| scope.spawn(load)));
            let mut most = 0;
            while !tasks.iter().all(thread::ScopedJoinHandle::is_finished) {
                most = most.max(children().len());
                thread::sleep(Duration::from_millis(5));
            }
            (most, started.elapsed())
        })
    };
    let (uploads, took) = most(3, 0);
    assert_eq!(uploads, 1);
    assert!(took >= Duration::from_millis(900));
    assert_eq!(most(0, 4).0, 2);
    assert_eq!(most(2, 1).0, 2);
}
