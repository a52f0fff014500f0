//! Times a free-running pass along given synapses, and unless `--forward` the reverse sweep behind it, and
//! prints one line of JSON: how time grows with the number of synapses in `cargo xtask bench --growth`, and how
//! large a network can be run.

use clap::Parser;
use rayon::prelude::*;
use refire::bptt::{Gradient, Sweep, sweep};
use refire::core::{TrialArray, TrialLayout};
use refire::neuron::SpikeGradient;
use refire::random::{KeyedUniforms, Purpose, Stream};
use refire::sim::{
    Adjoints, Connectivity, Mode, Network, Pass, SparseCoupling, THRESHOLD, Trajectory, Window, run,
};
use std::error::Error;
use std::time::Instant;

#[derive(Parser)]
#[command(about = "Time a free run and its reverse sweep along given synapses")]
struct Options {
    #[arg(long, default_value_t = 1000)]
    units: usize,
    /// Synapses onto every unit.
    #[arg(long, default_value_t = 100)]
    in_degree: usize,
    #[arg(long, default_value_t = 100)]
    bins: usize,
    #[arg(long, default_value_t = 10)]
    trials: usize,
    #[arg(long, default_value_t = 9)]
    lags: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Spikes per bin of a unit without synapses.
    #[arg(long, default_value_t = 0.1)]
    rate: f32,
    /// The free run alone, without adjoints and gradients.
    #[arg(long)]
    forward: bool,
    /// Calls before the timed ones.
    #[arg(long, default_value_t = 2)]
    warm_up: u32,
    /// Timed calls.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()?;
    let (units, lags) = (options.units, options.lags);
    let stream = Stream::new(1, Purpose::Synthetic);
    let connectivity = Connectivity::fixed_in_degree(units, options.in_degree, stream)?;
    // Currents of one size whatever the number of synapses, and so one rate.
    let scale = 0.1 / ((options.in_degree * lags) as f64).sqrt();
    let mut weights = vec![0.0; connectivity.synapses() * lags];
    let blocks = weights.par_chunks_mut(4096).enumerate();
    blocks.for_each(|(block, weights)| {
        for (at, w) in weights.iter_mut().enumerate() {
            let uniform = stream.uniform(1, block as u32, at as u32);
            *w = (scale * (uniform - 0.5)) as f32;
        }
    });
    let log_odds = (options.rate / (1.0 - options.rate)).ln();
    let bias = vec![THRESHOLD as f32 * (1.0 + log_odds); units];
    let coupling = SparseCoupling::new(&weights, &connectivity, units, lags)?;
    let network = Network::new(coupling, &bias);
    let layout = TrialLayout::uniform(options.trials, options.bins, 0)?;
    let drive = TrialArray::zeros(1, options.bins, 0, units);
    let pass = Pass::free_running(&layout, &drive);
    let keys: Vec<u32> = (0..options.trials as u32).collect();
    let mut trajectory = Trajectory::default();
    let mut adjoints = Adjoints::default();
    let mut gradient = match options.forward {
        true => Gradient::default(),
        false => Gradient::zeros(&network, 1, options.bins),
    };
    let mut milliseconds = Vec::new();
    for call in 0..options.warm_up + options.iterations {
        if !options.forward {
            adjoints.reset(&layout, lags, units);
            for trial in 0..options.trials {
                for t in 0..options.bins {
                    adjoints.potential.row_mut(trial, t).fill(1e-3);
                }
            }
        }
        let start = Instant::now();
        let uniforms = KeyedUniforms::new(Stream::new(1, Purpose::Simulate), call, &keys);
        run(&network, &pass, &uniforms, &mut trajectory)?;
        if !options.forward {
            let of = Sweep {
                mode: Mode::FreeRunning,
                window: Window::whole(&layout, &trajectory),
                spike_gradient: SpikeGradient::Triangle,
            };
            sweep(&network, &of, &mut adjoints, &mut gradient);
        }
        if call >= options.warm_up {
            milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    let cells = (units * options.bins * options.trials) as f64;
    let line = serde_json::json!({
        "tool": "refire",
        "what": if options.forward { "sparse, free run" } else { "sparse, free run and sweep" },
        "n": units,
        "synapses": connectivity.synapses(),
        "t": options.bins,
        "batch": options.trials,
        "lags": lags,
        "threads": options.threads,
        "median_ms": milliseconds[milliseconds.len() / 2],
        "peak_rss_mb": refire_bench::memory::peak(),
        "rate_free": trajectory.by_source.len() as f64 / cells,
    });
    println!("{line}");
    Ok(())
}
