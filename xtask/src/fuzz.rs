//! `cargo xtask fuzz`: bytes that a fuzzer makes up, through every reader.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Readers, one target of `fuzz/` each.
const READERS: [&str; 9] = [
    "npz",
    "recording",
    "stimulus",
    "truth",
    "mask",
    "pvc11",
    "model",
    "checkpoint",
    "config",
];

/// Most memory and time of one input: an input that takes more is reported as a crash is.
const LIMITS: [&str; 4] = [
    "-rss_limit_mb=1024",
    "-malloc_limit_mb=512",
    "-timeout=10",
    "-max_len=4096",
];

#[derive(clap::Args)]
pub struct Options {
    /// Minutes of all readers together.
    #[arg(long, default_value_t = 9.0)]
    minutes: f64,
    /// Only this reader; may be repeated.
    #[arg(long, value_parser = READERS)]
    reader: Vec<String>,
}

/// What one reader went through.
struct Count {
    reader: String,
    executions: u64,
    peak_mb: u64,
    passed: bool,
}

/// Runs cargo-fuzz on each reader in turn; fails where an input made one panic, abort, or take too much.
pub fn run(options: &Options) -> Result<()> {
    let readers = match options.reader.as_slice() {
        [] => READERS.map(str::to_owned).to_vec(),
        some => some.to_vec(),
    };
    let seconds = (60.0 * options.minutes / readers.len() as f64).max(1.0);
    let mut counts = Vec::new();
    for reader in readers {
        counts.push(one(reader, seconds as u64)?);
    }
    println!(
        "{:<12} {:>14} {:>12}",
        "reader", "executions", "peak memory"
    );
    for count in &counts {
        let verdict = if count.passed { "" } else { "  FAILED" };
        println!(
            "{:<12} {:>14} {:>9} MB{verdict}",
            count.reader, count.executions, count.peak_mb
        );
    }
    let total: u64 = counts.iter().map(|count| count.executions).sum();
    println!("{:<12} {total:>14}", "all");
    let failed: Vec<_> = counts.iter().filter(|c| !c.passed).collect();
    let names: Vec<&str> = failed.iter().map(|c| c.reader.as_str()).collect();
    ensure!(
        failed.is_empty(),
        "failed: {} (inputs in fuzz/artifacts)",
        names.join(", ")
    );
    Ok(())
}

fn one(reader: String, seconds: u64) -> Result<Count> {
    let root = workspace::root()?;
    let corpus = format!("fuzz/corpus/{reader}");
    std::fs::create_dir_all(root.join(&corpus)).with_context(|| format!("cannot make {corpus}"))?;
    // The readers are safe Rust: an address sanitizer finds nothing there. It, and traced comparisons, take most of the
    // time.
    let fuzz = ["fuzz", "run", "--sanitizer", "none", "--no-trace-compares"];
    let mut running = workspace::cargo(&fuzz)?
        .args(["--release", "--debug-assertions", &reader, &corpus])
        .arg(format!("fuzz/seeds/{reader}"))
        .arg("--")
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg("-print_final_stats=1")
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo fuzz (cargo install cargo-fuzz)")?;
    let mut count = Count {
        reader,
        executions: 0,
        peak_mb: 0,
        passed: false,
    };
    let stderr = running.stderr.take().context("cargo fuzz has no stderr")?;
    for line in BufReader::new(stderr).lines() {
        let line = line.context("cannot read what cargo fuzz says")?;
        eprintln!("{line}");
        let stat = |name: &str| line.strip_prefix(name)?.trim().parse().ok();
        if let Some(executions) = stat("stat::number_of_executed_units:") {
            count.executions = executions;
        }
        if let Some(peak) = stat("stat::peak_rss_mb:") {
            count.peak_mb = peak;
        }
    }
    count.passed = running.wait().context("cargo fuzz was lost")?.success();
    Ok(count)
}
