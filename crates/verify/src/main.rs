//! The command behind `cargo xtask verify`.

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use refire_recording::write_atomic;
use refire_verify::{Plan, Size, names, page, run, table};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Steps of the progress bar per claim.
const STEPS: u64 = 1000;

/// Hold every claim about refire's estimators against known truths.
///
/// Prints a table of all checks, writes verify.html, and exits with 1 if a claim fails.
#[derive(Parser)]
#[command(
    name = "cargo xtask verify",
    bin_name = "cargo xtask verify",
    after_help = "Examples:\n  cargo xtask verify --quick\n  cargo xtask verify --claim gradients \
                  --claim score --out /tmp"
)]
struct Options {
    /// Smaller samples: under three minutes on two cores instead of under thirty.
    #[arg(long)]
    quick: bool,
    /// Folder for verify.html; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "target/verify")]
    out: PathBuf,
    /// Seed of every random number. The verdict of the project is that of seed 1.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1 << 32))]
    seed: u64,
    /// Only this claim; may be given several times.
    #[arg(long, value_name = "NAME")]
    claim: Vec<String>,
    /// Threads; the results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    match verify(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every claim holds.
fn verify(options: &Options) -> Result<bool> {
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().context("cannot start threads")?;
    }
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make {}", options.out.display()))?;
    let plan = Plan {
        size: if options.quick {
            Size::Quick
        } else {
            Size::Full
        },
        seed: options.seed,
    };
    let chosen = if options.claim.is_empty() {
        names(plan.size).len()
    } else {
        options.claim.len()
    };
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {msg}")?;
    let bar = ProgressBar::new(STEPS * chosen as u64).with_style(style);
    let start = Instant::now();
    let done = AtomicU64::new(0);
    let claims = run(plan, &options.claim, &|name, share| {
        bar.set_message(name.to_string());
        let before = done.load(Ordering::Relaxed);
        bar.set_position(STEPS * before + (STEPS as f64 * share) as u64);
        if share >= 1.0 {
            done.store(before + 1, Ordering::Relaxed);
        }
    })?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    print!("{}", table(&claims));
    let file = options.out.join("verify.html");
    let html = page(&claims, plan, seconds).to_html()?;
    write_atomic(&file, html.as_bytes()).with_context(|| file.display().to_string())?;
    println!("{seconds:.0} s; {}", file.display());
    let mut checks = claims.iter().flat_map(|claim| &claim.checks);
    Ok(checks.all(|check| check.holds))
}
