//! Times maximum likelihood to convergence on spikes and stimulus features from two npy files and prints one
//! line of JSON: refire's side of `cargo xtask bench` for that.

use clap::Parser;
use refire::convex::{Limits, Problem, Ridge, solve};
use refire::core::{TrialArray, TrialLayout};
use refire::drive::FeatureDrive;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Parser)]
#[command(about = "Fit couplings, features and intercepts of all units by maximum likelihood")]
struct Options {
    /// Spikes `[trial][bin][unit]`, 0 or 1, as bytes; the bins before the lags' end carry no loss.
    spikes: PathBuf,
    /// Stimulus features `[bin][feature]`, 64-bit numbers.
    features: PathBuf,
    #[arg(long, default_value_t = 9)]
    lags: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Gradient norm of a unit per observation.
    #[arg(long, default_value_t = 1e-6)]
    tolerance: f64,
    #[arg(long, default_value_t = 0.0)]
    ridge: f64,
    /// Fits, each from the start.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
}

fn npy<T: npyz::Deserialize>(path: &Path) -> Result<(Vec<T>, Vec<usize>), Box<dyn Error>> {
    let file = npyz::NpyFile::new(std::fs::File::open(path)?)?;
    if file.order() != npyz::Order::C {
        return Err(format!("{}: expected C order", path.display()).into());
    }
    let shape = file.shape().iter().map(|&n| n as usize).collect();
    Ok((file.into_vec()?, shape))
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()?;
    let (spikes, shape) = npy::<u8>(&options.spikes)?;
    let [trials, bins, units] = shape[..] else {
        return Err("spikes: expected three dimensions".into());
    };
    let spikes = TrialArray::from_vec(spikes, trials, bins, units).ok_or("spikes cut short")?;
    let (features, shape) = npy::<f64>(&options.features)?;
    let [feature_bins, count] = shape[..] else {
        return Err("features: expected two dimensions".into());
    };
    let features =
        TrialArray::from_vec(features, 1, feature_bins, count).ok_or("features cut short")?;
    let layout = TrialLayout::uniform(trials, bins, options.lags)?;
    let encoder = FeatureDrive::<f32>::new(&features, &[bins], 1, units)?;
    let problem = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: options.lags,
        same_bin: false,
        theta: 0.4,
    };
    let ridge = Ridge {
        couplings: options.ridge,
        same_bin: options.ridge,
        drive: options.ridge,
        tails: None,
    };
    let limits = Limits {
        gradient_norm: options.tolerance,
        ..Limits::default()
    };
    let mut seconds = Vec::new();
    let mut solution = None;
    for _ in 0..options.repeat.max(1) {
        let start = Instant::now();
        solution = Some(solve(problem, ridge, limits, None)?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let Some(solution) = solution else {
        return Ok(());
    };
    let largest = solution.units.iter().map(|u| u.gradient_norm);
    let statuses: std::collections::BTreeSet<String> = solution
        .units
        .iter()
        .map(|u| format!("{:?}", u.status))
        .collect();
    let line = serde_json::json!({
        "tool": "refire",
        "what": "fit",
        "n": units,
        "t": bins - options.lags,
        "trials": trials,
        "lags": options.lags,
        "threads": options.threads,
        "peak_rss_mb": refire_bench::memory::peak(),
        "fit_s": seconds,
        "fit_median_s": seconds[seconds.len() / 2],
        "log_lik": -solution.nats(),
        "iterations": solution.units.iter().map(|u| u.iterations).max(),
        "evaluations": solution.evaluations,
        "gradient_norm": largest.fold(0.0, f64::max),
        "statuses": statuses,
    });
    println!("{line}");
    Ok(())
}
