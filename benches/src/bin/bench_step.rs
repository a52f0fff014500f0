//! Times one training iteration, simulation or likelihood gradient on a synthetic recording and
//! prints one line of JSON: refire's side of `cargo xtask bench`.

use clap::{Parser, ValueEnum};
use refire::fit::{Form, ObjectiveKind};
use refire::sim::Trajectory;
use refire_bench::{Fit, RATE, Shape, activity, recording};
use std::error::Error;
use std::time::Instant;

/// Calls before the timed ones.
const WARM_UP: usize = 3;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// A whole training iteration: batch, both passes, all terms, gradient, clipping, Adam.
    Step,
    /// A free-running pass alone.
    Sim,
    /// A training iteration of the likelihood alone.
    Mle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Terms {
    /// The published terms and the triangle gradient.
    Published,
    /// The corrected terms and the escape gradient.
    Corrected,
}

#[derive(Parser)]
#[command(about = "Time one call on a synthetic recording of about 0.1 spikes per bin")]
struct Options {
    /// Observed units.
    #[arg(long, default_value_t = 69)]
    units: usize,
    /// Hidden units.
    #[arg(long, default_value_t = 0)]
    hidden: usize,
    /// Synapses onto each unit; 0 couples all to all.
    #[arg(long, default_value_t = 0)]
    in_degree: usize,
    /// Ordered pairs of units of the corrected noise covariance; 0 takes all.
    #[arg(long, default_value_t = 0)]
    noise_pairs: usize,
    /// Bins per trial.
    #[arg(long, default_value_t = 641)]
    bins: usize,
    /// Trials per batch.
    #[arg(long, default_value_t = 20)]
    trials: usize,
    /// Lags of couplings and noise covariance.
    #[arg(long, default_value_t = 9)]
    lags: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Spikes per bin that the units of the recording are around.
    #[arg(long, default_value_t = RATE, value_parser = rate)]
    rate: f64,
    #[arg(long, value_enum, default_value = "step")]
    what: What,
    /// Timed calls.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    #[arg(long, value_enum, default_value = "published")]
    form: Terms,
    /// Leave the same-bin couplings of the corrected form out.
    #[arg(long)]
    no_same_bin: bool,
    /// Leave the noise covariance out.
    #[arg(long)]
    no_noise_covariance: bool,
    /// Training iterations before the first timed call.
    #[arg(long, default_value_t = 30)]
    train: usize,
    /// Print JSON (the only format there is).
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if rate > 0.0 && rate <= 0.5 {
        Ok(rate)
    } else {
        Err(format!(
            "expected a rate above 0 and at most 0.5, found {rate}"
        ))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()?;
    let shape = Shape {
        units: options.units,
        hidden: options.hidden,
        in_degree: options.in_degree,
        bins: options.bins,
        trials: options.trials,
        lags: options.lags,
        rate: options.rate,
    };
    let form = match options.form {
        Terms::Published => Form::Published,
        Terms::Corrected => Form::Corrected,
    };
    let objective = match options.what {
        What::Mle => ObjectiveKind::Mle,
        What::Step | What::Sim => ObjectiveKind::MleAndSampleAndMeasure,
    };
    let (recording, stimulus) = recording(&shape)?;
    let mut spec = shape.spec(objective, form);
    spec.network.same_bin &= !options.no_same_bin;
    if let Some(corrected) = spec.objective.corrected_mut() {
        corrected.noise.pairs = Some(options.noise_pairs).filter(|&pairs| pairs > 0);
    }
    if let (Some(statistics), true) = (spec.objective.statistics_mut(), options.no_noise_covariance)
    {
        statistics.set_weights([None, Some(0.0), None]);
    }
    let mut fit = Fit::new(&recording, &stimulus, spec)?;
    for _ in 0..options.train {
        fit.step()?;
    }

    let mut trajectory = Trajectory::default();
    let mut milliseconds = Vec::new();
    let (batch, network) = (fit.batch()?, fit.network()?);
    let mut cpu_before = None;
    for call in 0..WARM_UP + options.iterations as usize {
        if call == WARM_UP {
            cpu_before = cpu_time();
        }
        let start = Instant::now();
        match options.what {
            What::Step | What::Mle => {
                fit.step()?;
            }
            What::Sim => fit.free_run(&batch, &network, call as u32, &mut trajectory)?,
        }
        if call >= WARM_UP {
            milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let cpu = cpu_before
        .zip(cpu_time())
        .map(|(before, after)| (after - before) / f64::from(options.iterations));
    milliseconds.sort_by(f64::total_cmp);

    fit.free_run(&fit.batch()?, &fit.network()?, 0, &mut trajectory)?;
    let (rate, inside) = activity(&trajectory, options.units + options.hidden);
    let rounded = |value: f64, digits: i32| {
        let scale = 10f64.powi(digits);
        (value * scale).round() / scale
    };
    let line = serde_json::json!({
        "tool": "refire",
        "what": format!("{:?}", options.what).to_lowercase(),
        "form": format!("{:?}", options.form).to_lowercase(),
        "noise_covariance": !options.no_noise_covariance,
        "n": options.units,
        "hidden": options.hidden,
        "in_degree": options.in_degree,
        "t": options.bins,
        "batch": options.trials,
        "lags": options.lags,
        "threads": options.threads,
        "median_ms": rounded(milliseconds[milliseconds.len() / 2], 2),
        "min_ms": rounded(milliseconds[0], 2),
        "max_ms": rounded(milliseconds[milliseconds.len() - 1], 2),
        "cpu_ms_per_call": cpu.map(|ms| rounded(ms, 1)),
        "peak_rss_mb": refire_bench::memory::peak().map(|mb| rounded(mb, 0)),
        "rate_free": rounded(rate, 4),
        "frac_psi_nonzero": rounded(inside, 4),
    });
    println!("{line}");
    Ok(())
}

/// Processor time of all threads of this process so far in milliseconds, where the system tells: on
/// a busy machine it says more than wall time does.
fn cpu_time() -> Option<f64> {
    const TICK_MS: f64 = 10.0; // Linux shows times in hundredths of a second.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold spaces; user and system time are fields 12 and 13 behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) * TICK_MS)
}
