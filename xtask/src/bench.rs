//! `cargo xtask bench`: refire's timings and, beside them in one interleaved run, those of the same
//! arithmetic in JAX, PyTorch and NumPy. Only ratios of one run on one machine mean anything.
//! With `--growth`, how refire's time grows with the sizes of the work; with `--roofline`, its stages
//! beside what the machine allows.

mod cases;
mod growth;
mod reading;
mod runner;
mod stamp;
mod table;
mod variant;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use self::cases::What;
use self::reading::Outcome;
use self::runner::Runner;
use self::stamp::Stamp;
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
    /// Time only networks of this many units, hidden ones among them.
    #[arg(long, value_name = "N")]
    units: Option<u32>,
    /// Tiny sizes, to see that every program starts; the figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Time refire's training step over units, bins, trials and rate, and sparse couplings over synapses.
    #[arg(long, conflicts_with_all = ["peers", "what", "large", "units"])]
    growth: bool,
    /// Draw the growth to this SVG file [default: docs/figures/growth.svg, and nothing with --quick].
    #[arg(long, requires = "growth", value_name = "FILE")]
    figure: Option<PathBuf>,
    /// Time the stages of one training step on one thread beside the limits of the machine.
    #[arg(long, conflicts_with_all = ["peers", "what", "large", "units", "growth", "json"])]
    roofline: bool,
}

/// Times every case and prints the table.
pub fn run(options: &Options) -> Result<()> {
    if options.growth {
        return run_growth(options);
    }
    if options.roofline {
        return run_roofline(options);
    }
    let stamp = Stamp::now(options.rounds);
    let copies = std::env::temp_dir().join(format!("refire-bench-{}", std::process::id()));
    let measured = measure(options, &stamp, &copies);
    // Left behind by an interrupted run, in a folder for what may be lost.
    let _ = std::fs::remove_dir_all(&copies);
    let rows = measured?;
    println!("{}", table::markdown(&rows, &stamp));
    let unmeasured = rows
        .iter()
        .filter(|row| row.case.what != What::Fit && row.refire_failed())
        .count();
    ensure!(unmeasured == 0, "refire failed in {unmeasured} rows");
    Ok(())
}

/// Times a training step over every size, prints the exponents and draws the figure.
fn run_growth(options: &Options) -> Result<()> {
    let programs = programs(&["bench_step", "bench_sparse"])?;
    let stamp = Stamp::now(options.rounds);
    let keep = |curves: &[growth::Curve]| match &options.json {
        Some(path) => write(path, &growth::json(curves, &stamp)),
        None => Ok(()),
    };
    let curves = growth::measure(&programs, options.rounds, options.quick, keep)?;
    println!("{}", growth::markdown(&curves, &stamp));
    let drawn = match &options.figure {
        Some(path) => Some(path.clone()),
        None if options.quick => None,
        None => Some(workspace::root()?.join("docs/figures/growth.svg")),
    };
    if let Some(path) = drawn {
        replace(&path, &growth::figure::svg(&curves)?)?;
    }
    let failed = curves.iter().filter(|curve| curve.failed()).count();
    ensure!(
        failed == 0,
        "refire failed along {failed} of {} sizes",
        curves.len()
    );
    Ok(())
}

/// Prints the stages of a step beside the limits of the machine.
fn run_roofline(options: &Options) -> Result<()> {
    let name = format!("bench_stages{}", std::env::consts::EXE_SUFFIX);
    let mut stages = Command::new(programs(&["bench_stages"])?.join(name));
    if options.quick {
        stages.args(["--units", "12", "--bins", "40", "--trials", "4"]);
        stages.args(["--iterations", "2", "--train", "1"]);
    }
    println!("{}", Stamp::now(1).line());
    let status = stages.status().context("cannot start bench_stages")?;
    ensure!(status.success(), "bench_stages failed");
    Ok(())
}

fn measure(options: &Options, stamp: &Stamp, copies: &Path) -> Result<Vec<Row>> {
    let runners = runners(options, copies)?;
    let mut rows = Vec::new();
    let mut cases = cases::select(&options.what, options.large, options.quick);
    if let Some(units) = options.units {
        cases.retain(|case| case.units + case.hidden == units);
        ensure!(!cases.is_empty(), "no work has {units} units: try --large");
    }
    for case in cases {
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
            write(path, &table::json(&rows, stamp))?;
        }
    }
    Ok(rows)
}

fn write(path: &Path, value: &serde_json::Value) -> Result<()> {
    replace(path, &(serde_json::to_string_pretty(value)? + "\n"))
}

/// Replaces the file whole: an interrupted run keeps the rows it has.
fn replace(path: &Path, text: &str) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, text).with_context(|| part.display().to_string())?;
    std::fs::rename(&part, path).with_context(|| path.display().to_string())
}

/// Builds programs for timing; the folder they are in.
fn programs(names: &[&str]) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--release", "--package", "refire-bench"];
    arguments.extend(names.iter().flat_map(|&name| ["--bin", name]));
    let status = workspace::cargo(&arguments)?
        .status()
        .context("cannot start cargo build")?;
    ensure!(status.success(), "cargo build of the programs failed");
    let target = workspace::metadata()?["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")?;
    Ok(target.join("release"))
}

/// refire, built once, and the peers if they were asked for.
fn runners(options: &Options, copies: &Path) -> Result<Vec<Runner>> {
    let built = programs(&["bench_step", "convex_fit"])?;
    let mut runners = Vec::from(Runner::refire(&built, copies));
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
