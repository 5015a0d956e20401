//! What the figures were measured on.

use std::{
    fs,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Failure,
    stats::{Times, millis},
};

/// Bytes of one write to the disk's probe: about a commit of a few messages.
const PROBE: usize = 16 * 1024;
/// Above this load, somebody else is at work here.
const QUIET: f64 = 0.7;

pub(crate) fn print(dir: &Path) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism()?;
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("Machine: {cores} cores, {}, Linux {}", model.map_or("?", |(_, name)| name), kernel.trim());
    let flushes = fdatasync(dir)?;
    println!(
        "Disk:    write + fdatasync of 16 KiB: p50 {:.2} ms, p99 {:.2} ms, in {}",
        millis(flushes.percentile(50)),
        millis(flushes.percentile(99)),
        fs::canonicalize(dir)?.display()
    );
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let busy: f64 = load.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    let remark = if busy > QUIET { " (others were at work here: see their share below)" } else { "" };
    println!("Load:    {busy:.2} over the last minute before the start{remark}");
    if cfg!(debug_assertions) {
        println!("Build:   DEBUG: these figures say nothing; run `make bench`");
    }
    Ok(())
}

fn fdatasync(dir: &Path) -> Result<Times, Failure> {
    let mut file = tempfile::tempfile_in(dir)?;
    let bytes = vec![0xa5; PROBE];
    let mut times = Vec::new();
    let started = Instant::now();
    while times.len() < 400 && started.elapsed() < Duration::from_secs(3) {
        let began = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    Ok(Times::new(times))
}
