//! Where the time of a training step goes, and how far each stage is from what the machine allows: the
//! stages of a step in the published form on one thread, beside limits measured in the same run.
//!
//! ```text
//! allowed = max(flops / product rate, streamed bytes / stream rate + near bytes / near rate)
//! ```
//!
//! A multiply-add is two flops; the integer arithmetic of random numbers counts for none. Streamed are
//! the arrays `[trial][bin][unit]`, as often as a stage has to go through them; near bytes the couplings
//! of every spike, or the adjoints that their gradient adds up, at the rate of the first-level cache.

mod limits;

use clap::Parser;
use limits::Limits;
use refire::bptt::{Gradient, Sweep, sweep};
use refire::fit::{Form, ObjectiveKind};
use refire::loss::{Likelihood, LossTerm};
use refire::neuron::{Logistic, SpikeGradient};
use refire::optim::{Adam, clip_norm};
use refire::published::{BatchTrials, PublishedNoiseCovariance, PublishedPsth};
use refire::random::{KeyedUniforms, Purpose, Stream};
use refire::sim::{Adjoints, Mode, Pass, SlopesOf, Trajectory, Window, run};
use refire_bench::{Fit, RATE, Shape, activity, recording};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

/// Flops of a spike probability: a polynomial for the exponential, a division, what is around them.
const ESCAPE: f64 = 20.0;

#[derive(Parser)]
#[command(about = "Time each stage of a training step beside what the machine allows")]
struct Options {
    /// Observed units.
    #[arg(long, default_value_t = 69)]
    units: usize,
    /// Bins per trial.
    #[arg(long, default_value_t = 641)]
    bins: usize,
    /// Trials per batch.
    #[arg(long, default_value_t = 20)]
    trials: usize,
    /// Lags of couplings and noise covariance.
    #[arg(long, default_value_t = 9)]
    lags: usize,
    /// Timed calls of each stage.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    /// Training iterations before the first timed call.
    #[arg(long, default_value_t = 30)]
    train: usize,
}

type Failed = Box<dyn Error>;

/// Seconds of one call.
fn timed<R, E>(call: impl FnOnce() -> Result<R, E>) -> Result<f64, Failed>
where
    Failed: From<E>,
{
    let start = Instant::now();
    black_box(call()?);
    Ok(start.elapsed().as_secs_f64())
}

/// Least work of a stage.
struct Work {
    flops: f64,
    streamed: f64,
    near: f64,
}

fn work(flops: f64, streamed: f64, near: f64) -> Work {
    Work {
        flops,
        streamed,
        near,
    }
}

/// The stages that were timed: name, seconds of the fastest call, least work.
struct Stages {
    calls: u32,
    rows: Vec<(&'static str, f64, Work)>,
}

impl Stages {
    /// Times a stage that tells how many seconds a call of it took; the fastest counts, as it does for the
    /// limits.
    fn add(
        &mut self,
        name: &'static str,
        work: Work,
        mut call: impl FnMut() -> Result<f64, Failed>,
    ) -> Result<(), Failed> {
        call()?;
        let mut fastest = f64::INFINITY;
        for _ in 0..self.calls {
            fastest = fastest.min(call()?);
        }
        self.rows.push((name, fastest, work));
        Ok(())
    }
}

fn main() -> Result<(), Failed> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()?;
    let shape = Shape {
        units: options.units,
        hidden: 0,
        in_degree: 0,
        bins: options.bins,
        trials: options.trials,
        lags: options.lags,
        rate: RATE,
    };
    let (recording, stimulus) = recording(&shape)?;
    let spec = shape.spec(ObjectiveKind::MleAndSampleAndMeasure, Form::Published);
    let mut fit = Fit::new(&recording, &stimulus, spec)?;
    for _ in 0..options.train {
        fit.step()?;
    }
    let limits = Limits::measure(shape.units * shape.bins * shape.trials);
    let mut stages = Stages {
        calls: options.iterations,
        rows: Vec::new(),
    };
    passes_and_terms(&mut stages, &shape, &fit)?;
    optimiser(&mut stages, &fit)?;
    stages.add("whole step", work(0.0, 0.0, 0.0), || timed(|| fit.step()))?;
    println!("{shape}, one thread");
    print(&limits, &stages.rows);
    Ok(())
}

fn passes_and_terms(stages: &mut Stages, shape: &Shape, fit: &Fit<'_>) -> Result<(), Failed> {
    let (units, lags) = (shape.units, shape.lags);
    let [n, t, k, d] = [units, shape.bins, shape.trials, lags].map(|x| x as f64);
    let cells = n * t * k;
    let batch = fit.batch()?;
    let padded = fit.network()?;
    let network = padded.network()?;
    let uniforms = KeyedUniforms::new(Stream::new(1, Purpose::Simulate), 0, &batch.free_keys);

    let of_pass = |spikes: usize, bytes: f64| {
        let blocks = spikes as f64 * d * n;
        let flops = blocks + (ESCAPE + 2.0) * cells;
        work(flops, bytes * cells + 4.0 * t * n, 4.0 * blocks)
    };
    let recorded = &batch.recorded;
    let pass = Pass::teacher_forced(&recorded.layout, &recorded.spikes, padded.drive());
    let mut forced = Trajectory::default();
    run(&network, &pass, &uniforms, &mut forced)?;
    let least = of_pass(forced.by_source.len(), 10.0);
    stages.add("teacher-forced pass", least, || {
        timed(|| run(&network, &pass, &uniforms, &mut forced))
    })?;
    let mut free = Trajectory::default();
    fit.free_run(&batch, &padded, 0, &mut free)?;
    let least = of_pass(free.by_source.len(), 9.0);
    stages.add("free pass", least, || {
        timed(|| fit.free_run(&batch, &padded, 0, &mut free))
    })?;
    let (forced, free) = (&forced, &free);
    let window = |mode| match mode {
        Mode::TeacherForced => Window::whole(&recorded.layout, forced),
        Mode::FreeRunning => Window::whole(&batch.free_layout, free),
    };

    // Potentials, probabilities and adjoints there and back; recorded spikes where they are compared.
    let mut of_forced = Adjoints::default();
    of_forced.reset(&recorded.layout, lags, padded.units());
    let mut of_free = Adjoints::default();
    of_free.reset(&batch.free_layout, lags, padded.units());
    let mut evaluate = |name, mut term: Box<dyn LossTerm<f32>>, work| {
        let (mode, window) = (term.mode(), window(term.mode()));
        let adjoints = match mode {
            Mode::TeacherForced => &mut of_forced,
            Mode::FreeRunning => &mut of_free,
        };
        let escape = &network.escape;
        let slopes = SlopesOf { window, escape };
        term.evaluate(&window, 1.0, Some(&mut adjoints.sink(&slopes)))?;
        let mut scratch = adjoints.clone();
        stages.add(name, work, || {
            timed(|| term.evaluate(&window, 1.0, Some(&mut scratch.sink(&slopes))))
        })
    };
    let place = BatchTrials::new(recorded.clone());
    let term = Box::new(Likelihood::new(Logistic, units));
    let least = work((ESCAPE + 4.0) * cells, 17.0 * cells, 0.0);
    evaluate("likelihood", term, least)?;
    let term = Box::new(PublishedPsth::new(units, place.clone()));
    evaluate("PSTH", term, work(5.0 * cells, 17.0 * cells, 0.0))?;
    let term = Box::new(PublishedNoiseCovariance::new(units, lags, false, place));
    evaluate("noise covariance", term, noise_covariance(shape))?;

    let mut gradient = Gradient::zeros(&network, 1, shape.bins);
    let mut lambda = Adjoints::default();
    // The adjoints there and back, then once more for couplings and drive each.
    let blocks = forced.by_source.len() as f64 * d * n;
    let least = work(blocks + 2.0 * cells, 16.0 * cells, 4.0 * blocks);
    let of = |mode, spike_gradient| Sweep {
        mode,
        window: window(mode),
        spike_gradient,
    };
    let of_recorded = of(Mode::TeacherForced, SpikeGradient::None);
    stages.add("sweep, teacher-forced", least, || {
        lambda.clone_from(&of_forced);
        timed(|| {
            sweep(&network, &of_recorded, &mut lambda, &mut gradient);
            Ok::<_, Failed>(())
        })
    })?;
    // Potentials and probabilities too, and the couplings of every spike gradient that is not zero.
    let gathered = activity(free, units).1 * cells * d * n;
    let blocks = free.by_source.len() as f64 * d * n;
    let flops = blocks + 2.0 * gathered + 5.0 * cells;
    let least = work(flops, 24.0 * cells, 4.0 * (blocks + gathered));
    let of_simulated = of(Mode::FreeRunning, SpikeGradient::Triangle);
    stages.add("sweep, free", least, || {
        lambda.clone_from(&of_free);
        timed(|| {
            sweep(&network, &of_simulated, &mut lambda, &mut gradient);
            Ok::<_, Failed>(())
        })
    })
}

/// Tiles to frequencies and back, laid out as in `refire-published`: half of the complex products of all pairs, those
/// across the ends of tiles, then the products with the kernel.
fn noise_covariance(shape: &Shape) -> Work {
    let margin = shape.lags - 1;
    let size = (12 * shape.lags).next_power_of_two().max(16);
    let per_trial = shape.bins.div_ceil(size - 2 * margin);
    let [n, size, margin, tiles] =
        [shape.units, size, margin, shape.trials * per_trial].map(|x| x as f64);
    let cells = n * (shape.bins * shape.trials) as f64;
    let spectra = n * size * tiles;
    let transforms = 2.0 * 2.5 * spectra * size.log2();
    let products = (4.0 + 8.0) * n * spectra / 2.0;
    let across = margin * (margin + 1.0) * n * n * (tiles - shape.trials as f64);
    let flops = transforms + products + across + 7.0 * cells;
    // Spectra there and back twice; probabilities for their mean, their spectra and their slope.
    work(flops, 4.0 * 4.0 * spectra + 20.0 * cells, 0.0)
}

fn optimiser(stages: &mut Stages, fit: &Fit<'_>) -> Result<(), Failed> {
    let mut parameters = fit.parameters.clone();
    let mut all = Vec::new();
    for tensor in parameters.tensors() {
        let adam = Adam::<f32>::new(tensor.len());
        all.push((adam, vec![1e-3; tensor.len()]));
    }
    let count: usize = all.iter().map(|(_, gradient)| gradient.len()).sum();
    // Weight and both moments there and back, the gradient once more for its norm.
    let least = work(14.0 * count as f64, 32.0 * count as f64, 0.0);
    stages.add("clipping and Adam", least, || {
        timed(|| {
            for (tensor, (adam, gradient)) in parameters.tensors_mut().into_iter().zip(&mut all) {
                let _ = clip_norm(gradient, 1.0);
                adam.step(tensor, gradient, 1e-3);
            }
            Ok::<_, Failed>(())
        })
    })
}

fn print(limits: &Limits, rows: &[(&str, f64, Work)]) {
    println!(
        "limits: matrix products {:.0} Gflop/s, streams {:.1} GB/s, near {:.0} GB/s\n",
        limits.products / 1e9,
        limits.stream / 1e9,
        limits.near / 1e9,
    );
    println!("| stage | MB streamed | MB near | Mflop | allowed ms | ms | ms / allowed |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut sum = 0.0;
    for (name, seconds, work) in rows {
        let (allowed, ms) = (1e3 * limits.allowed(work), 1e3 * seconds);
        if allowed == 0.0 {
            println!("| the rest | | | | | {:.2} | |", ms - sum);
            println!("| {name} | | | | | {ms:.2} | |");
            continue;
        }
        let [streamed, near, flops] = [work.streamed, work.near, work.flops].map(|x| x / 1e6);
        print!("| {name} | {streamed:.1} | {near:.1} | {flops:.1} | ");
        println!("{allowed:.2} | {ms:.2} | {:.1} |", ms / allowed);
        sum += ms;
    }
}
