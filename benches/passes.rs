//! Times every pass and every loss term on its own, then whole training iterations, on a synthetic
//! recording of about 0.1 spikes per bin: where the time of an iteration goes.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run should stop"
)]

mod common;

use common::{Fit, RATE, Shape, activity, recording};
use criterion::{BatchSize, Criterion};
use refire::bptt::{Gradient, sweep};
use refire::fit::{Form, Objective};
use refire::kernels::dispatch;
use refire::loss::{
    DataStatistics, Likelihood, LossTerm, NoiseCovariance, Psth, PublishedNoiseCovariance,
    PublishedPsth, Sample,
};
use refire::neuron::{Logistic, SpikeGradient};
use refire::random::{KeyedUniforms, Purpose, Stream, Uniforms};
use refire::recording::Recording;
use refire::sim::{Cotangents, Mode, PassInput, Trajectory, run};
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
            let settings = shape.settings(Objective::MleAndSampleAndMeasure, form);
            let mut fit = Fit::new(&recording, &stimulus, settings).expect("a fit");
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
    let [free, clamped] = &mut trajectories;

    let uniforms = KeyedUniforms::new(stream, 0, &batch.free_keys);
    fit.free_run(&batch, &padded, 0, free).expect("a free run");
    let (rate, _) = activity(free, units);
    let at_rate = format!("{shape},rate={rate:.2}");
    criterion.bench_function(&format!("free_run/{at_rate}"), |b| {
        b.iter(|| fit.free_run(&batch, &padded, 0, free).expect("a free run"));
    });
    let input = PassInput {
        layout: &batch.recorded_layout,
        recorded: Some(&batch.recorded),
        before: None,
        drive: padded.drive(),
    };
    criterion.bench_function(&format!("clamped/{at_rate}"), |b| {
        b.iter(|| run(&network, Mode::Clamped, &input, &uniforms, clamped).expect("a pass"));
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
    let terms: [(&str, Box<dyn LossTerm<f32>>); 5] = [
        ("likelihood", Box::new(Likelihood::new(Logistic, units))),
        (
            "psth published",
            Box::new(PublishedPsth::new(Logistic, units)),
        ),
        (
            "psth corrected",
            Box::new(Psth::new(Logistic, data.clone())),
        ),
        (
            "noise covariance published",
            Box::new(PublishedNoiseCovariance::new(Logistic, units, lags, false)),
        ),
        (
            "noise covariance corrected",
            Box::new(NoiseCovariance::new(
                Logistic,
                data,
                fit.settings.noise_parts,
            )),
        ),
    ];
    let mut cotangents = Cotangents::default();
    for (name, mut term) in terms {
        let (layout, trajectory) = match term.pass() {
            Mode::Clamped => (&batch.recorded_layout, &*clamped),
            Mode::FreeRunning => (&batch.free_layout, &*free),
        };
        let sample = Sample {
            layout,
            trajectory,
            recorded: Some((&batch.recorded, &batch.recorded_layout)),
            recorded_keys: &batch.recorded_keys,
        };
        cotangents.reset(layout, lags, padded.units());
        criterion.bench_function(&format!("{name}/{at_rate}"), |b| {
            b.iter(|| {
                term.evaluate(&sample, 1.0, &mut cotangents)
                    .expect("a value")
            });
        });
    }

    // The cotangents of a likelihood: dense, and of a size that neither grows nor fades.
    let sample = Sample {
        layout: &batch.recorded_layout,
        trajectory: clamped,
        recorded: None,
        recorded_keys: &batch.recorded_keys,
    };
    cotangents.reset(&batch.recorded_layout, lags, padded.units());
    let mut likelihood = Likelihood::new(Logistic, units);
    likelihood
        .evaluate(&sample, 1.0, &mut cotangents)
        .expect("a value");
    let mut gradient = Gradient::zeros(&network, 1, shape.bins);
    for (name, mode, spike_gradient) in [
        ("reverse clamped", Mode::Clamped, SpikeGradient::None),
        (
            "reverse triangle",
            Mode::FreeRunning,
            SpikeGradient::Triangle,
        ),
        ("reverse escape", Mode::FreeRunning, SpikeGradient::Escape),
    ] {
        let (layout, trajectory) = match mode {
            Mode::Clamped => (&batch.recorded_layout, &*clamped),
            Mode::FreeRunning => (&batch.free_layout, &*free),
        };
        criterion.bench_function(&format!("{name}/{at_rate}"), |b| {
            b.iter_batched_ref(
                || cotangents.clone(),
                |cotangents| {
                    sweep(
                        &network,
                        mode,
                        layout,
                        trajectory,
                        spike_gradient,
                        cotangents,
                        &mut gradient,
                    );
                },
                BatchSize::SmallInput,
            );
        });
    }
}
