//! `cargo xtask bench`: refire's timings and, beside them in one interleaved run, those of the same
//! arithmetic in JAX, PyTorch and NumPy. Only ratios of one run on one machine mean anything.

mod cases;
mod reading;
mod runner;
mod table;
mod variant;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::cases::What;
use self::reading::Outcome;
use self::runner::Runner;
use self::table::Row;
use crate::workspace;

/// What to time, against what, and how often.
#[derive(clap::Args)]
pub struct Options {
    /// Time the peers (JAX and PyTorch) beside refire.
    #[arg(long)]
    peers: bool,
    /// A Python that has numpy, jax, optax and torch.
    #[arg(long, default_value = "python3", value_name = "PATH")]
    python: PathBuf,
    /// The folder that holds peers/; from the workspace root if relative [default: $REFIRE_SHARED or
    /// ../shared].
    #[arg(long, value_name = "DIR")]
    shared: Option<PathBuf>,
    /// Write every measured line and the summaries to this file, after every row.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Rounds in which refire and each peer are run once, in turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Time only these works.
    #[arg(long, value_delimiter = ',', default_value = "step,sim,mle,fit")]
    what: Vec<What>,
    /// Add the large networks (tens of minutes with --peers).
    #[arg(long)]
    large: bool,
    /// Tiny sizes, to see that every program starts; the figures mean nothing.
    #[arg(long)]
    quick: bool,
}

/// Times every case and prints the table.
pub fn run(options: &Options) -> Result<()> {
    let copies = std::env::temp_dir().join(format!("refire-bench-{}", std::process::id()));
    let measured = measure(options, &copies);
    // Left behind by an interrupted run, in a folder for what may be lost.
    let _ = std::fs::remove_dir_all(&copies);
    let rows = measured?;
    println!("{}", table::markdown(&rows, &machine(), options.rounds));
    let unmeasured = rows
        .iter()
        .filter(|row| row.case.what != What::Fit && row.refire_failed())
        .count();
    ensure!(unmeasured == 0, "refire failed in {unmeasured} rows");
    Ok(())
}

fn measure(options: &Options, copies: &Path) -> Result<Vec<Row>> {
    let runners = runners(options, copies)?;
    let mut rows = Vec::new();
    for case in cases::select(&options.what, options.large, options.quick) {
        if case.what == What::Fit
            && options.peers
            && let Err(why) = runner::export(&options.python, &scripts(options)?, copies, &case)
        {
            eprintln!("{case}: no data of the peers: {why}");
        }
        let rounds = if case.once { 1 } else { options.rounds };
        let mut entries: Vec<_> = runners
            .iter()
            .filter(|runner| runner.does(case.what))
            .map(|runner| (runner, Outcome::default()))
            .collect();
        for round in 1..=rounds {
            for (runner, outcome) in &mut entries {
                if outcome.failure.is_some() {
                    continue;
                }
                eprintln!("{case}, round {round} of {rounds}: {}", runner.name());
                outcome.add(runner.measure(&case));
            }
        }
        let outcomes = entries
            .into_iter()
            .map(|(runner, outcome)| (runner.name(), outcome))
            .collect();
        rows.push(Row { case, outcomes });
        if let Some(path) = &options.json {
            write(path, &table::json(&rows, &machine(), options.rounds))?;
        }
    }
    Ok(rows)
}

/// Writes under another name, then renames: an interrupted run keeps the rows it has.
fn write(path: &Path, value: &serde_json::Value) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let text = serde_json::to_string_pretty(value)? + "\n";
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// refire, built once, and the peers if they were asked for.
fn runners(options: &Options, copies: &Path) -> Result<Vec<Runner>> {
    let status = workspace::cargo(&[
        "build",
        "--release",
        "--example",
        "bench_step",
        "--example",
        "convex_fit",
    ])?
    .status()
    .context("cannot start cargo build")?;
    ensure!(status.success(), "cargo build of the examples failed");
    let target = workspace::metadata()?["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")?;
    let mut runners = Vec::from(Runner::refire(&target.join("release/examples"), copies));
    if options.peers {
        runners.extend(Runner::peers(&options.python, &scripts(options)?, copies));
    }
    Ok(runners)
}

/// Folder of the peers' scripts.
fn scripts(options: &Options) -> Result<PathBuf> {
    let shared = match &options.shared {
        Some(path) => path.clone(),
        None => std::env::var_os("REFIRE_SHARED").map_or("../shared".into(), PathBuf::from),
    };
    Ok(workspace::root()?.join(shared).join("peers"))
}

/// The processor and the cores this process may use.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| reading::cpu_model(&text))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{model}, {cores} cores")
}
