//! Command line of [`anteroom_componentize`]: see `anteroom-componentize --help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anteroom_componentize::{componentize, embed_world, imported_functions};
use clap::Parser;

/// Turns a core module into a policy component that carries its manifest.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The manifest: a JSON file.
    #[arg(long)]
    manifest: PathBuf,
    /// Folder of the WIT package, for a module that doesn't say which world it implements.
    #[arg(long, requires = "world")]
    wit: Option<PathBuf>,
    /// The world it implements, for example `routing-policy`.
    #[arg(long, requires = "wit")]
    world: Option<String>,
    /// The core module: `.wasm`, or `.wat` with `--wit` and `--world`.
    input: PathBuf,
    /// Where the component goes.
    output: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("anteroom-componentize: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, String> {
    let manifest = serde_json::from_slice(&read(&args.manifest)?).map_err(|e| at(&args.manifest, e))?;
    let mut module = read(&args.input)?;
    if let (Some(wit), Some(world)) = (&args.wit, &args.world) {
        module = embed_world(&module, wit, world).map_err(|e| at(&args.input, e))?;
    }
    let component = componentize(&module, &manifest).map_err(|e| at(&args.input, e))?;
    let imports = imported_functions(&component).map_err(|e| at(&args.input, e))?;
    fs::write(&args.output, &component).map_err(|e| at(&args.output, e))?;
    let imports: Vec<_> = imports.iter().filter_map(|f| f.rsplit_once('/').map(|(_, short)| short)).collect();
    Ok(format!("{}: {} bytes, imports {imports:?}", args.output.display(), component.len()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| at(path, e))
}

fn at(path: &Path, problem: impl std::fmt::Display) -> String {
    format!("{}: {problem}", path.display())
}
