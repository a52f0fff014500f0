//! `cargo xtask bench`: refire's timings and, beside them in one interleaved run, those of the same
//! arithmetic in JAX and PyTorch. Only ratios of one run on one machine mean anything.

mod cases;
mod reading;
mod runner;
mod table;

use std::path::PathBuf;

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
    /// Write every measured line and the summaries to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Rounds in which refire and each peer are run once, in turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Time only these works.
    #[arg(long, value_delimiter = ',', default_value = "step,sim,mle")]
    what: Vec<What>,
    /// Add the large networks (tens of minutes with --peers).
    #[arg(long)]
    large: bool,
}

/// Times every case and prints the table.
pub fn run(options: &Options) -> Result<()> {
    let runners = runners(options)?;
    let mut rows = Vec::new();
    for case in cases::select(&options.what, options.large) {
        let mut outcomes = vec![Outcome::default(); runners.len()];
        for round in 1..=options.rounds {
            for (runner, outcome) in runners.iter().zip(&mut outcomes) {
                if outcome.failure.is_some() {
                    continue;
                }
                eprintln!(
                    "{case}, round {round} of {}: {}",
                    options.rounds,
                    runner.name()
                );
                outcome.add(runner.measure(&case));
            }
        }
        let names = runners.iter().map(Runner::name);
        let outcomes = names.zip(outcomes).collect();
        rows.push(Row { case, outcomes });
    }

    println!("{}", table::markdown(&rows, &machine(), options.rounds));
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&table::json(&rows, &machine(), options.rounds))?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let unmeasured = rows.iter().filter(|row| row.refire_failed()).count();
    ensure!(unmeasured == 0, "refire failed in {unmeasured} rows");
    Ok(())
}

/// refire, built once, and the peers if they were asked for.
fn runners(options: &Options) -> Result<Vec<Runner>> {
    let status = workspace::cargo(&["build", "--release", "--example", "bench_step"])?
        .status()
        .context("cannot start cargo build")?;
    ensure!(
        status.success(),
        "cargo build of the example bench_step failed"
    );
    let target = workspace::metadata()?["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target directory")?;
    let example = format!("bench_step{}", std::env::consts::EXE_SUFFIX);
    let mut runners = vec![Runner::refire(
        target.join("release/examples").join(example),
    )];
    if options.peers {
        let shared = match &options.shared {
            Some(path) => path.clone(),
            None => std::env::var_os("REFIRE_SHARED").map_or("../shared".into(), PathBuf::from),
        };
        let scripts = workspace::root()?.join(shared).join("peers");
        runners.extend(Runner::peers(&options.python, &scripts));
    }
    Ok(runners)
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
