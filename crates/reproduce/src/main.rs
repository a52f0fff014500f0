//! The command behind `cargo xtask reproduce`.

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use refire_reproduce::{Cache, Plan, Progress, Size, planned, reproduce, write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Steps of the progress bar per planned second.
const STEPS: f64 = 10.0;

/// Reproduce the claims of Bellec, Wang et al. 2021: every figure, an interval and a verdict per claim.
///
/// Writes reproduction.html, claims.json, summary.md, and SVG files and a CSV file per figure. Finished work is kept in
/// OUT/cache: stopped anywhere, the same command goes on where it was, and a second one is instant.
#[derive(Parser)]
#[command(
    name = "cargo xtask reproduce",
    bin_name = "cargo xtask reproduce",
    after_help = "Examples:\n  cargo xtask reproduce --quick\n  cargo xtask reproduce --figure toy \
                  --figure hidden --seeds 3\n  cargo xtask reproduce --data ~/recordings"
)]
struct Options {
    /// Every figure at reduced size: under five minutes on two cores.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// The paper's sizes throughout and more seeds: a night on two cores.
    #[arg(long)]
    full: bool,
    /// Only this figure; may be given several times: stability, statistics, consistency, toy, hidden,
    /// estimators.
    #[arg(long, value_name = "NAME")]
    figure: Vec<String>,
    /// Seeds per case, 2 or more, in place of those each figure has at this size.
    #[arg(long, value_name = "N")]
    seeds: Option<usize>,
    /// Folder for the results; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "target/reproduce")]
    out: PathBuf,
    /// Folder with real recordings (npz files), for the figures on stability and statistics.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder with the published recording (CRCNS pvc-11) as the published notebook prepares it: the
    /// figure on statistics then has it too, with a convolutional encoder of the movie.
    #[arg(long, value_name = "DIR")]
    published: Option<PathBuf>,
    /// Threads; the results do not depend on it. Default: all cores.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Take finished units of equal settings from earlier builds of the program, too: the page says how
    /// many.
    #[arg(long)]
    other_builds: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let plan = plan(options)?;
    let (units, seconds) = planned(&plan)?;
    let mut cache = Cache::open(&options.out.join("cache"))?;
    if options.other_builds {
        cache = cache.with_other_builds()?;
    }
    let threads = options.threads.unwrap_or_else(rayon::current_num_threads);
    let style =
        ProgressStyle::with_template("{elapsed_precise} {bar:30} {percent} %, {eta} left  {msg}")?;
    let bar = ProgressBar::new((STEPS * seconds) as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_secs(1));
    let start = Instant::now();
    let found = reproduce(&plan, &cache, threads, &|progress| match progress {
        Progress::Begun { figure, label } => bar.set_message(format!("{figure}: {label}")),
        Progress::Finished { planned, cached } => {
            let steps = (STEPS * planned) as u64;
            if cached {
                bar.set_length(bar.length().unwrap_or(steps).saturating_sub(steps));
            } else {
                bar.inc(steps);
            }
        }
    })?;
    bar.finish_and_clear();
    let page = write(&options.out, &plan, &cache, &found)?;
    print!("{}", found.table());
    println!(
        "{units} work items, {} this time; {}",
        HumanDuration(start.elapsed()),
        page.display()
    );
    Ok(())
}

fn plan(options: &Options) -> Result<Plan> {
    let size = match (options.quick, options.full) {
        (true, _) => Size::Quick,
        (_, true) => Size::Full,
        _ => Size::Standard,
    };
    let mut plan = Plan {
        seeds: options.seeds,
        figures: options.figure.clone(),
        published: options.published.clone(),
        ..Plan::new(size)
    };
    if let Some(folder) = &options.data {
        plan = plan.with_recordings_in(folder).context("--data")?;
    }
    Ok(plan)
}
