//! Times every pass and every loss term on its own, then whole training iterations, on a synthetic
//! recording of about 0.1 spikes per bin: where the time of an iteration goes.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run should stop"
)]

use criterion::{BatchSize, Criterion};
use refire::bptt::{Gradient, Sweep, sweep};
use refire::fit::{Form, ObjectiveKind};
use refire::kernels::dispatch;
use refire::loss::{DataStatistics, Likelihood, LossTerm, NoiseCovariance, Psth};
use refire::neuron::{Logistic, SpikeGradient};
use refire::published::{BatchTrials, PublishedNoiseCovariance, PublishedPsth};
use refire::random::{KeyedUniforms, Purpose, Stream, Uniforms};
use refire::recording::Recording;
use refire::sim::{Adjoints, Mode, Pass, SlopesOf, Trajectory, Window, run};
use refire_bench::{Fit, RATE, Shape, activity, recording};
use std::sync::Arc;
use std::time::Duration;

/// The recording of the published fits, and a network whose couplings no second-level cache holds;
/// with each the iterations that bring its free-running rate to where it stays.
const SHAPES: [(Shape, usize); 2] = [(shape(69, 641), 30), (shape(500, 200), 5)];

const fn shape(units: usize, bins: usize) -> Shape {
    Shape {
        units,
        hidden: 0,
        in_degree: 0,
        bins,
        trials: 20,
        lags: 9,
        rate: RATE,
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args();
    for (shape, training) in &SHAPES {
        let (recording, stimulus) = recording(shape).expect("a synthetic recording");
        let trained = |form| {
            let spec = shape.spec(ObjectiveKind::MleAndSampleAndMeasure, form);
            let mut fit = Fit::new(&recording, &stimulus, spec).expect("a fit");
            for _ in 0..*training {
                fit.step().expect("an iteration");
            }
            fit
        };
        let mut fit = trained(Form::Published);
        passes(&mut criterion, shape, &recording, &fit);
        iteration(&mut criterion, "published", shape, &mut fit);
        iteration(
            &mut criterion,
            "corrected",
            shape,
            &mut trained(Form::Corrected),
        );
    }
    criterion.final_summary();
}

fn iteration(criterion: &mut Criterion, form: &str, shape: &Shape, fit: &mut Fit<'_>) {
    criterion.bench_function(&format!("iteration {form}/{shape}"), |b| {
        b.iter(|| fit.step().expect("an iteration"));
    });
}

fn passes(criterion: &mut Criterion, shape: &Shape, recording: &Recording, fit: &Fit<'_>) {
    let (units, lags) = (shape.units, shape.lags);
    let batch = fit.batch().expect("a batch");
    let padded = fit.network().expect("a network");
    let network = padded.network().expect("a network");
    let stream = Stream::new(1, Purpose::Simulate);
    let mut trajectories = [Trajectory::default(), Trajectory::default()];
    let [free, forced] = &mut trajectories;

    let uniforms = KeyedUniforms::new(stream, 0, &batch.free_keys);
    fit.free_run(&batch, &padded, 0, free).expect("a free run");
    let (rate, _) = activity(free, units);
    let at_rate = format!("{shape},rate={rate:.2}");
    criterion.bench_function(&format!("free_run/{at_rate}"), |b| {
        b.iter(|| fit.free_run(&batch, &padded, 0, free).expect("a free run"));
    });
    let given = &batch.recorded;
    let pass = Pass::teacher_forced(&given.layout, &given.spikes, padded.drive());
    criterion.bench_function(&format!("teacher_forced/{at_rate}"), |b| {
        b.iter(|| run(&network, &pass, &uniforms, forced).expect("a pass"));
    });
    let mut draws = vec![0.0f32; shape.units];
    criterion.bench_function(&format!("uniforms/{shape}"), |b| {
        b.iter(|| {
            dispatch(
                #[inline(always)]
                || {
                    for slot in 0..shape.trials {
                        for t in 0..shape.bins {
                            uniforms.fill(slot, t, 0, &mut draws);
                        }
                    }
                },
            );
            draws[0]
        });
    });

    let all: Vec<usize> = (0..recording.n_trials()).collect();
    let (spikes, layout) = recording.select(&all, 0).expect("all trials");
    let data = Arc::new(DataStatistics::new(&spikes, &layout, shape.lags));
    let place = BatchTrials::new(given.clone());
    let of_noise = PublishedNoiseCovariance::new(units, lags, false, place.clone());
    let terms: [(&str, Box<dyn LossTerm<f32>>); 5] = [
        ("likelihood", Box::new(Likelihood::new(Logistic, units))),
        ("psth published", Box::new(PublishedPsth::new(units, place))),
        ("psth corrected", Box::new(Psth::new(data.clone()))),
        ("noise covariance published", Box::new(of_noise)),
        (
            "noise covariance corrected",
            Box::new(NoiseCovariance::new(data, 1)),
        ),
    ];
    let window = |mode| match mode {
        Mode::TeacherForced => Window::whole(&given.layout, &*forced),
        Mode::FreeRunning => Window::whole(&batch.free_layout, &*free),
    };
    let escape = &network.escape;
    let mut adjoints = Adjoints::default();
    for (name, mut term) in terms {
        let window = window(term.mode());
        let slopes = SlopesOf { window, escape };
        adjoints.reset(window.layout, lags, padded.units());
        criterion.bench_function(&format!("{name}/{at_rate}"), |b| {
            b.iter(|| {
                let mut sink = adjoints.sink(&slopes);
                term.evaluate(&window, 1.0, Some(&mut sink))
                    .expect("a value")
            });
        });
    }

    // The adjoints of a likelihood: dense, and of a size that neither grows nor fades.
    let of_recorded = window(Mode::TeacherForced);
    adjoints.reset(of_recorded.layout, lags, padded.units());
    let slopes = SlopesOf {
        window: of_recorded,
        escape,
    };
    Likelihood::new(Logistic, units)
        .evaluate(&of_recorded, 1.0, Some(&mut adjoints.sink(&slopes)))
        .expect("a value");
    let mut gradient = Gradient::zeros(&network, 1, shape.bins);
    for (name, mode, spike_gradient) in [
        (
            "reverse teacher-forced",
            Mode::TeacherForced,
            SpikeGradient::None,
        ),
        (
            "reverse triangle",
            Mode::FreeRunning,
            SpikeGradient::Triangle,
        ),
        ("reverse escape", Mode::FreeRunning, SpikeGradient::Escape),
    ] {
        let of = Sweep {
            mode,
            window: window(mode),
            spike_gradient,
        };
        criterion.bench_function(&format!("{name}/{at_rate}"), |b| {
            b.iter_batched_ref(
                || adjoints.clone(),
                |adjoints| sweep(&network, &of, adjoints, &mut gradient),
                BatchSize::SmallInput,
            );
        });
    }
}
