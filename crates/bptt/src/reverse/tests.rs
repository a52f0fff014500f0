//! Windows of a pass and of its sweep against the whole.

use super::*;
use refire_neuron::{Logistic, Memoryless, Past};
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_sim::{DenseCoupling, PassInput, PassState, run, run_window};

const UNITS: usize = 4;
const OBSERVED: usize = 2;
const LIVE: usize = 3;
const BINS: usize = 11;
const LAGS: usize = 3;

/// `v[t] = u[t] + 0.6 v[t-1] - 0.9 z[t-1]`.
struct Leaky;

impl UnitDynamics<f64> for Leaky {
    const HAS_MEMORY: bool = true;

    fn integrate(&self, row: &mut [f64], past: Option<Past<'_, f64>>) {
        let Some(past) = past else { return };
        for (u, (&v, &z)) in row.iter_mut().zip(past.potential.iter().zip(past.spikes)) {
            *u += 0.6 * v - 0.9 * f64::from(z);
        }
    }

    fn pull_back(&self, row: &mut [f64], carry: &mut [f64]) {
        for (row, carry) in row.iter_mut().zip(carry) {
            *row += *carry;
            *carry = 0.6 * *row;
        }
    }

    fn spike_adjoint(&self, carry: f64) -> f64 {
        -0.9 / 0.6 * carry
    }

    fn current(&self, potential: f64) -> f64 {
        potential
    }
}

fn wave(at: usize) -> f64 {
    (1.7 * at as f64 + 0.3).sin()
}

fn waves(count: usize, scale: f64) -> Vec<f64> {
    (0..count).map(|at| scale * wave(at)).collect()
}

/// `dL/dv` and `dL/dz` of an arbitrary loss, at the scored bins of the live units.
fn cotangents(whole: &TrialLayout, bins: Range<usize>) -> Cotangents<f64> {
    let (layout, mut out) = (whole.window(bins.clone()), Cotangents::default());
    out.reset(&layout, LAGS, UNITS);
    for k in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(k) {
            for j in 0..LIVE {
                let at = (k * BINS + bins.start + t) * UNITS + j;
                out.potential.row_mut(k, t)[j] = wave(7 * at);
                out.spikes_mut().row_mut(k, t)[j] = wave(11 * at);
            }
        }
    }
    out
}

fn windows_make_the_whole(dynamics: impl UnitDynamics<f64>, mode: Mode, first_bin: usize) {
    // More trials than one block of the sweep, of unequal lengths and two conditions.
    let lengths: Vec<usize> = (0..18).map(|k| BINS - (5 * k) % 7).collect();
    let conditions = (0..18).map(|k| k % 2).collect();
    let layout = TrialLayout::new(conditions, lengths, first_bin).unwrap();
    let couplings = waves(UNITS * LAGS * UNITS, 1.5);
    let bias = waves(UNITS, 0.4);
    let network = Network {
        coupling: DenseCoupling::new(&couplings, UNITS, LAGS).unwrap(),
        escape: Logistic,
        dynamics,
        bias: &bias,
        observed: OBSERVED,
        live: LIVE,
    };
    let drive = TrialArray::from_vec(waves(2 * BINS * UNITS, 0.5), 2, BINS, UNITS).unwrap();
    let mut recorded = TrialArray::<u8>::zeros(18, BINS, 0, OBSERVED);
    for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at % 5 < 2);
    }
    let input = PassInput {
        layout: &layout,
        recorded: Some(&recorded),
        before: None,
        drive: &drive,
    };
    let keys: Vec<u32> = (0..18).collect();
    let uniforms = KeyedUniforms::new(Stream::new(5, Purpose::FreeRunning), 3, &keys);
    let mut whole = Trajectory::default();
    run(&network, mode, &input, &uniforms, &mut whole).unwrap();
    let mut expected = Gradient::zeros(&network, 2, BINS);
    let mut lambda = cotangents(&layout, 0..BINS);
    let escape = SpikeGradient::Escape;
    sweep(
        &network,
        mode,
        &layout,
        &whole,
        escape,
        &mut lambda,
        &mut expected,
    );
    assert!(expected.couplings.iter().any(|g| g.abs() > 1.0));

    for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 4] {
        let starts: Vec<usize> = (0..BINS).step_by(size).collect();
        let (mut state, mut kept) = (PassState::default(), Vec::new());
        let mut out = Trajectory::default();
        for &start in &starts {
            kept.push(state.clone());
            let bins = start..start + size;
            run_window(
                &network, mode, &input, &uniforms, bins, &mut state, &mut out,
            )
            .unwrap();
        }
        let mut gradient = Gradient::zeros(&network, 2, BINS);
        let mut behind = SweepState::default();
        for (&start, mut state) in starts.iter().zip(kept).rev() {
            let bins = start..BINS.min(start + size);
            let within = layout.window(bins.clone());
            run_window(
                &network,
                mode,
                &input,
                &uniforms,
                bins.clone(),
                &mut state,
                &mut out,
            )
            .unwrap();
            for (k, t) in (0..18).flat_map(|k| (0..bins.len()).map(move |t| (k, t))) {
                let at = start + t;
                assert_eq!(out.potential.row(k, t), whole.potential.row(k, at));
                assert_eq!(out.probability.row(k, t), whole.probability.row(k, at));
                assert_eq!(out.spikes.row(k, t), whole.spikes.row(k, at));
            }
            let mut here = cotangents(&layout, bins.clone());
            sweep_window(
                &network,
                mode,
                (&within, start),
                &out,
                escape,
                &mut here,
                &mut behind,
                &mut gradient,
            );
            for (k, t) in (0..18).flat_map(|k| (0..bins.len()).map(move |t| (k, t))) {
                assert_eq!(here.potential.row(k, t), lambda.potential.row(k, start + t));
            }
        }
        let of = |g: &Gradient<f64>| {
            let drive = g.drive.to_vec();
            [&g.couplings[..], &g.bias, &drive].concat()
        };
        for (found, expected) in of(&gradient).iter().zip(of(&expected)) {
            let off = (found - expected).abs() / (1.0 + expected.abs());
            assert!(off < 1e-12, "windows of {size}: {found}, not {expected}");
        }
    }
}

#[test]
fn windows_make_the_whole_pass_and_the_whole_sweep() {
    for mode in [Mode::Clamped, Mode::FreeRunning] {
        for first_bin in [0, LAGS] {
            windows_make_the_whole(Memoryless::new(0.4), mode, first_bin);
            windows_make_the_whole(Leaky, mode, first_bin);
        }
    }
}

#[test]
fn a_window_behind_the_start_needs_the_state_before_it() {
    let layout = TrialLayout::uniform(2, 6, 0).unwrap();
    let network = Network {
        coupling: DenseCoupling::new(&[0.5], 1, 1).unwrap(),
        escape: Logistic,
        dynamics: Memoryless::new(0.4),
        bias: &[0.1],
        observed: 1,
        live: 1,
    };
    let drive = TrialArray::zeros(1, 6, 0, 1);
    let input = PassInput {
        layout: &layout,
        recorded: None,
        before: None,
        drive: &drive,
    };
    let uniforms = KeyedUniforms::new(Stream::new(5, Purpose::FreeRunning), 3, &[0, 1]);
    let (mut state, mut out) = (PassState::default(), Trajectory::default());
    let mode = Mode::FreeRunning;
    let found = run_window(
        &network,
        mode,
        &input,
        &uniforms,
        2..4,
        &mut state,
        &mut out,
    );
    assert!(
        found
            .unwrap_err()
            .to_string()
            .contains("currents of the bins before")
    );
}
