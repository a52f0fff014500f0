//! Times every pass and every loss term on its own, then whole training iterations, on a synthetic
//! recording of about 0.1 spikes per bin: where the time of an iteration goes.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run should stop"
)]

mod common;

use common::{Fit, Shape, activity, recording};
use criterion::{BatchSize, Criterion};
use refire::bptt::{Gradient, sweep};
use refire::core::TrialArray;
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

const SHAPE: Shape = Shape {
    units: 69,
    hidden: 0,
    bins: 641,
    trials: 20,
    lags: 9,
};

/// Iterations that bring the free-running rate to where it stays.
const TRAINED: usize = 30;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args();
    let (recording, stimulus) = recording(&SHAPE).expect("a synthetic recording");
    passes(&mut criterion, &recording, &stimulus);
    for form in [Form::Published, Form::Corrected] {
        let mut fit = trained(&recording, &stimulus, form);
        let name = format!("iteration {form:?}").to_lowercase();
        criterion.bench_function(&format!("{name}/{SHAPE}"), |b| {
            b.iter(|| fit.step().expect("an iteration"));
        });
    }
    criterion.final_summary();
}

fn trained<'a>(recording: &'a Recording, stimulus: &TrialArray<f64>, form: Form) -> Fit<'a> {
    let settings = SHAPE.settings(Objective::MleAndSampleAndMeasure, form);
    let mut fit = Fit::new(recording, stimulus, settings).expect("a fit");
    for _ in 0..TRAINED {
        fit.step().expect("an iteration");
    }
    fit
}

fn passes(criterion: &mut Criterion, recording: &Recording, stimulus: &TrialArray<f64>) {
    let fit = trained(recording, stimulus, Form::Published);
    let batch = fit.batch().expect("a batch");
    let padded = fit.network().expect("a network");
    let network = padded.network().expect("a network");
    let stream = Stream::new(1, Purpose::Simulate);
    let mut trajectories = [Trajectory::default(), Trajectory::default()];
    let [free, clamped] = &mut trajectories;

    let uniforms = KeyedUniforms::new(stream, 0, &batch.free_keys);
    fit.free_run(&batch, &padded, 0, free).expect("a free run");
    let (rate, _) = activity(free, SHAPE.units);
    let shape = format!("{SHAPE},rate={rate:.2}");
    criterion.bench_function(&format!("free_run/{shape}"), |b| {
        b.iter(|| fit.free_run(&batch, &padded, 0, free).expect("a free run"));
    });
    let input = PassInput {
        layout: &batch.recorded_layout,
        recorded: Some(&batch.recorded),
        before: None,
        drive: padded.drive(),
    };
    criterion.bench_function(&format!("clamped/{shape}"), |b| {
        b.iter(|| run(&network, Mode::Clamped, &input, &uniforms, clamped).expect("a pass"));
    });
    let mut draws = vec![0.0f32; SHAPE.units];
    criterion.bench_function(&format!("uniforms/{SHAPE}"), |b| {
        b.iter(|| {
            dispatch(
                #[inline(always)]
                || {
                    for slot in 0..SHAPE.trials {
                        for t in 0..SHAPE.bins {
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
    let data = Arc::new(DataStatistics::new(&spikes, &layout, SHAPE.lags));
    let (units, lags) = (SHAPE.units, SHAPE.lags);
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
        criterion.bench_function(&format!("{name}/{shape}"), |b| {
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
    let mut gradient = Gradient::zeros(&network, 1, SHAPE.bins);
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
        criterion.bench_function(&format!("{name}/{shape}"), |b| {
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
