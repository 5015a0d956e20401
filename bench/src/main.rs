//! `make bench`: what a text costs, beside what the machine could do at best. All in one run, so that the
//! ratios compare like with like; `bench/README.md` says how to read it.

mod bare;
mod ceiling;
mod delivery;
mod load;
mod machine;
mod policy;
mod server;
mod stats;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

/// The server under load is this very program, started again: it must allocate as the product does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Benchmarks: durable inbound messages over HTTP, the same rows straight into SQLite, policy calls.
#[derive(Debug, Parser)]
struct Args {
    /// What to measure; everything unless told otherwise.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Load, Part::Ceiling, Part::Policy])]
    only: Vec<Part>,
    /// Seconds measured for each row of load, after two to warm up.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Where databases are made (and removed): on the disk that is to be measured.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
    /// Connections of each row of load.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32])]
    connections: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Load,
    Ceiling,
    Policy,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(server::COMMAND) {
        return anteroom::cli::main();
    }
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anteroom-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.dir)?;
    machine::print(&args.dir)?;
    let wanted = |part| args.only.contains(&part);
    let mut best = None;
    if wanted(Part::Load) {
        best = load_rows(args)?;
    }
    if wanted(Part::Ceiling) {
        ceiling::print(&args.dir, Duration::from_secs(args.seconds.div_ceil(2)), best)?;
    }
    if wanted(Part::Policy) {
        policy::print()?;
    }
    Ok(())
}

/// Messages a second of ingress alone at the most connections.
fn load_rows(args: &Args) -> Result<Option<f64>, Failure> {
    println!(
        "\nDurable signed inbound messages: a Twilio webhook in, HTTP 200 out after the commit ({} s a row)\n",
        args.seconds
    );
    println!(
        "  {:<20} {:>11} {:>11} {:>8} {:>8} {:>8} {:>13} {:>13} {:>13}",
        "server does",
        "connections",
        "messages/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "server µs",
        "load µs",
        "processed/s"
    );
    let mut best = None;
    for (name, roles) in [("ingress alone", "ingress"), ("ingress + pipeline", "ingress,pipeline")] {
        for &connections in &args.connections {
            let plan = load::Plan { connections, measured: Duration::from_secs(args.seconds) };
            let row = load::row(&args.dir, roles, plan)?;
            println!("  {name:<20} {row}");
            if roles == "ingress" && Some(&connections) == args.connections.iter().max() {
                best = Some(row.per_second());
            }
        }
    }
    println!(
        "\n  µs: CPU time per message, of the server and of the load generator, which share this machine's cores.\n  \
         After each row the server is killed (SIGKILL) and the database counted: all that was acknowledged is there."
    );
    Ok(best)
}
