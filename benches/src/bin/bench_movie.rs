//! Times training iterations with the movie drive at the published sizes, and the same without drive, in turn
//! in one process; prints one line of JSON. Beside it: `torch_step.py --mode cnn`.

use clap::Parser;
use refire::drive::MovieShape;
use refire::fit::{Drive, Facts, Form, HeldOut, ObjectiveKind, Specification, Steps, Trainer};
use refire::neuron::SpikeGradient;
use refire::synth::{MovieNetwork, MovieSettings, recording};
use std::error::Error;
use std::time::Instant;

/// Iterations of each fit before the timed ones.
const WARM_UP: usize = 5;

/// Recorded trials that batches are drawn from.
const RECORDED: usize = 80;

#[derive(Parser)]
#[command(about = "Time training iterations with the movie drive and without drive")]
struct Options {
    /// Units, all observed.
    #[arg(long, default_value_t = 69)]
    units: usize,
    /// Bins per trial, each with a frame of its own.
    #[arg(long, default_value_t = 641)]
    bins: usize,
    /// Trials per batch.
    #[arg(long, default_value_t = 20)]
    trials: usize,
    /// Lags of couplings and noise covariance.
    #[arg(long, default_value_t = 9)]
    lags: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Timed iterations of each fit.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    /// The corrected terms and the escape gradient in place of the published ones.
    #[arg(long)]
    corrected: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()?;
    let network = MovieNetwork::draw(&MovieSettings {
        shape: MovieShape::default(),
        bins: options.bins,
        units: options.units,
        lags: options.lags,
        rate: 0.08,
        drive_sd: 0.7,
        coupling_sd: 0.5,
        seed: 1,
    })?;
    let recording = recording(&network.show(1)?, RECORDED, 1)?;
    let (form, spike_gradient) = match options.corrected {
        false => (Form::Published, SpikeGradient::Triangle),
        true => (Form::Corrected, Steps::default().spike_gradient),
    };
    let adam = Steps {
        iterations: WARM_UP + options.iterations as usize,
        learning_rate: Some(1e-3),
        spike_gradient,
    };
    let spec = |drive| {
        let kind = ObjectiveKind::default();
        let mut spec = Specification::with_form(Facts::default(), kind, form).with_adam(adam);
        spec.network.lags = options.lags;
        spec.drive = drive;
        spec.batch.trials = options.trials;
        spec.batch.free_bins = 0;
        spec.held_out = HeldOut {
            test: 0.0,
            validation: 0.0,
            ..spec.held_out
        };
        spec
    };
    let mut with_movie = Trainer::new(&recording, &spec(Drive::Movie(MovieShape::default())))?;
    let mut without = Trainer::new(&recording, &spec(Drive::None))?;
    let (mut movie_ms, mut none_ms) = (Vec::new(), Vec::new());
    for call in 0..WARM_UP + options.iterations as usize {
        for (trainer, milliseconds) in [
            (&mut with_movie, &mut movie_ms),
            (&mut without, &mut none_ms),
        ] {
            let start = Instant::now();
            trainer.step()?;
            if call >= WARM_UP {
                milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let figures = |mut ms: Vec<f64>| {
        ms.sort_by(f64::total_cmp);
        let tenths = |x: f64| (x * 10.0).round() / 10.0;
        serde_json::json!({"median_ms": tenths(ms[ms.len() / 2]), "min_ms": tenths(ms[0])})
    };
    let rate = recording.total_spikes() as f64 / (RECORDED * options.bins * options.units) as f64;
    let line = serde_json::json!({
        "tool": "refire",
        "what": "step",
        "mode": "cnn",
        "form": if options.corrected { "corrected" } else { "published" },
        "n": options.units,
        "t": options.bins,
        "batch": options.trials,
        "lags": options.lags,
        "threads": options.threads,
        "rate": (rate * 1e4).round() / 1e4,
        "movie": figures(movie_ms),
        "no_drive": figures(none_ms),
    });
    println!("{line}");
    Ok(())
}
