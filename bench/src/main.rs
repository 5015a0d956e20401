//! `make bench`: what a text costs, beside what the machine could do at best. All in one run, so that the
//! ratios compare like with like; `bench/README.md` says how to read it.

mod bare;
mod ceiling;
mod delivery;
mod directory;
mod load;
mod machine;
mod organizations;
mod policy;
mod server;
mod stats;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anteroom_test_support::postgres::{Cluster, Database, Settings};
use clap::Parser;

/// The server under load is this very program, started again: it must allocate as the product does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Benchmarks: durable inbound messages over HTTP, the same rows straight into the database, policy calls.
#[derive(Debug, Parser)]
struct Args {
    /// What to measure; everything unless told otherwise.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Load, Part::Ceiling, Part::Postgres, Part::Policy, Part::Organizations])]
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
    /// Organizations with a policy of their own.
    #[arg(long, default_value_t = 1_000)]
    organizations: usize,
    /// Patients of each directory.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000])]
    patients: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Texts a second into SQLite.
    Load,
    /// The same rows straight into SQLite.
    Ceiling,
    /// Both on PostgreSQL, with one, two and three nodes.
    Postgres,
    /// Policy calls beside bare Wasmtime.
    Policy,
    /// Many organizations with policies of their own.
    Organizations,
    /// Matches and searches in a small and a large patient directory; only where it is named.
    Directory,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|command| server::COMMANDS.contains(&&*command)) {
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
    let mut aims = Vec::new();
    let mut alone = Vec::new();
    if wanted(Part::Load) {
        alone = load_rows(args)?;
        if let Some(most) = alone.last() {
            let at = format!("{} connections", most.connections);
            aims.push((format!("messages/s, {at}"), "≥ 12,000", most.per_second()));
            aims.push((format!("p99 ms, {at}"), "< 10", stats::millis(most.times.percentile(99))));
        }
    }
    if wanted(Part::Ceiling) {
        let share = ceiling::print(&args.dir, None, Duration::from_secs(args.seconds.div_ceil(2)), &alone)?;
        aims.extend(share.map(|share| ("share of the ceiling, groups of 32".to_owned(), "≥ 0.50", share)));
    }
    if wanted(Part::Postgres) {
        aims.extend(on_postgres(args)?);
    }
    if wanted(Part::Policy) {
        let worst = policy::print()?;
        aims.push(("policy call / bare, the worst".to_owned(), "≤ 1.30", worst));
    }
    if wanted(Part::Organizations) {
        let share = organizations::print(&args.dir, args.organizations)?;
        aims.push(("decisions/s, own policies / shared".to_owned(), "≥ 0.80", share));
    }
    if wanted(Part::Directory) {
        let worst = directory::print(&args.dir, &args.patients)?;
        aims.extend(worst.map(|worst| ("p99 ms, look-ups in the directory".to_owned(), "< 50", worst)));
    }
    println!("\nAims{:>46} {:>11}", "aim", "here");
    for (what, aim, here) in aims {
        println!("  {what:<35} {aim:>12} {here:>11.2}");
    }
    Ok(())
}

/// What is aimed at: what, how much, and what it was here.
type Aim = (String, &'static str, f64);

/// The same on PostgreSQL, on this machine too: its processes share the cores with the nodes.
fn on_postgres(args: &Args) -> Result<Vec<Aim>, Failure> {
    // At home on a small server of its own.
    let settings = Settings { within: Some(args.dir.canonicalize()?), ..Settings::default() }
        .with("shared_buffers", "512MB")
        .with("max_wal_size", "4GB");
    let cluster = Cluster::start_with(&settings);
    println!("\nThe same on PostgreSQL, whose processes are among the others ({} s a row)\n", args.seconds);
    println!("  {:<20} {}", "nodes do", load::Row::HEAD);
    let connections = args.connections.iter().copied().max().unwrap_or(1);
    let measured = Duration::from_secs(args.seconds);
    let (mut alone, mut sizes) = (Vec::new(), Vec::new());
    for (nodes, connections, pipeline) in [
        (1, 1, false),
        (1, connections, false),
        (2, connections, false),
        (3, connections, false),
        (1, connections, true),
        (2, connections, true),
        (3, connections, true),
    ] {
        let database = cluster.fresh_database();
        let target = load::Target::Postgres { database: &database, nodes };
        let before = written(&database)?;
        let row = load::row(&args.dir, load::Plan { connections, measured, pipeline }, target)?;
        let does = if pipeline { "ingress + pipeline" } else { "ingress" };
        println!("  {:<20} {row}", format!("{nodes}: {does}"));
        let of = |what: &str| Ok::<i64, Failure>(database.sql(&format!("SELECT {what}")).trim().parse()?);
        let texts = of("count(*) FROM messages WHERE direction = 'inbound'")?.max(1);
        let kept = of("pg_database_size(current_database())")?;
        sizes.push(format!(
            "{nodes}: {does}: {} bytes of log, {} bytes kept",
            (written(&database)? - before) / texts,
            kept / texts
        ));
        if nodes == 1 && !pipeline {
            alone.push(row);
        }
    }
    println!("\n  For each text, on disk (an empty database of 10 MB among it):");
    for line in sizes {
        println!("    {line}");
    }
    let mut aims = Vec::new();
    if let Some(most) = alone.last() {
        let at = format!("PostgreSQL, {} connections", most.connections);
        aims.push((format!("messages/s, {at}"), "≥ 8,000", most.per_second()));
    }
    let share =
        ceiling::print(&args.dir, Some(&cluster), Duration::from_secs(args.seconds.div_ceil(2)), &alone)?;
    aims.extend(share.map(|share| ("share of PostgreSQL's ceiling".to_owned(), "-", share)));
    Ok(aims)
}

/// Bytes that the cluster has written to its log until now.
fn written(database: &Database) -> Result<i64, Failure> {
    Ok(database.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").trim().parse()?)
}

/// Ingress with and without the pipeline beside it; the rows without, in the order of their connections.
fn load_rows(args: &Args) -> Result<Vec<load::Row>, Failure> {
    println!(
        "\nDurable signed inbound messages: a Twilio webhook in, HTTP 200 out after the commit ({} s a row)\n",
        args.seconds
    );
    println!("  {:<20} {}", "server does", load::Row::HEAD);
    let mut connections = args.connections.clone();
    connections.sort_unstable();
    let mut alone = Vec::new();
    for pipeline in [false, true] {
        for &connections in &connections {
            let plan = load::Plan { connections, measured: Duration::from_secs(args.seconds), pipeline };
            let row = load::row(&args.dir, plan, load::Target::Sqlite)?;
            println!("  {:<20} {row}", if pipeline { "ingress + pipeline" } else { "ingress alone" });
            if !pipeline {
                alone.push(row);
            }
        }
    }
    println!(
        "\n  µs: CPU time per message, of the server and of the load generator, which share this machine's cores;\n  \
         others: share of all cores that neither of them used. After each row the server is killed (SIGKILL)\n  \
         and the rows counted: what was acknowledged is there."
    );
    Ok(alone)
}
