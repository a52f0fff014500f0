//! Windows of a pass and of its sweep against the whole.

use super::*;
use refire_neuron::{Memoryless, Past};
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_sim::{
    AnyCoupling, DenseCoupling, Pass, PassState, SameBin, UnitOrder, run, run_window,
};

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

    fn gain(&self) -> f64 {
        1.0
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
fn adjoints(whole: &TrialLayout, bins: Range<usize>) -> Adjoints<f64> {
    let (layout, mut out) = (whole.window(bins.clone()), Adjoints::default());
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
    let coupling = DenseCoupling::new(&couplings, UNITS, LAGS).unwrap();
    let order = UnitOrder {
        observed: OBSERVED,
        live: LIVE,
    };
    let mut within = waves(UNITS * UNITS, 1.2);
    order.clear_others(&mut within, UNITS);
    let of_bin = DenseCoupling::new(&within, UNITS, 1).unwrap();
    let of_bin = SameBin::new(AnyCoupling::Dense(of_bin), order).unwrap();
    let network = Network::new(coupling, &bias)
        .with_dynamics(dynamics)
        .with_observed(OBSERVED)
        .with_live(LIVE)
        .with_same_bin(of_bin);
    let drive = TrialArray::from_vec(waves(2 * BINS * UNITS, 0.5), 2, BINS, UNITS).unwrap();
    let mut recorded = TrialArray::<u8>::zeros(18, BINS, 0, OBSERVED);
    for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at % 5 < 2);
    }
    let input = Pass {
        mode,
        ..Pass::teacher_forced(&layout, &recorded, &drive)
    };
    let keys: Vec<u32> = (0..18).collect();
    let uniforms = KeyedUniforms::new(Stream::new(5, Purpose::FreeRunning), 3, &keys);
    let mut whole = Trajectory::default();
    run(&network, &input, &uniforms, &mut whole).unwrap();
    let mut expected = Gradient::zeros(&network, 2, BINS);
    let mut lambda = adjoints(&layout, 0..BINS);
    let of = Sweep {
        mode,
        window: Window::whole(&layout, &whole),
        spike_gradient: SpikeGradient::Escape,
    };
    sweep(&network, &of, &mut lambda, &mut expected);
    assert!(expected.couplings.iter().any(|g| g.abs() > 1.0));

    for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 4] {
        let starts: Vec<usize> = (0..BINS).step_by(size).collect();
        let (mut state, mut kept) = (PassState::default(), Vec::new());
        let mut out = Trajectory::default();
        for &start in &starts {
            kept.push(state.clone());
            let bins = start..start + size;
            run_window(&network, &input, &uniforms, bins, &mut state, &mut out).unwrap();
        }
        let mut gradient = Gradient::zeros(&network, 2, BINS);
        let mut behind = SweepState::default();
        for (&start, mut state) in starts.iter().zip(kept).rev() {
            let bins = start..BINS.min(start + size);
            let within = layout.window(bins.clone());
            let again = bins.clone();
            run_window(&network, &input, &uniforms, again, &mut state, &mut out).unwrap();
            for (k, t) in (0..18).flat_map(|k| (0..bins.len()).map(move |t| (k, t))) {
                let at = start + t;
                assert_eq!(out.potential.row(k, t), whole.potential.row(k, at));
                assert_eq!(out.probability.row(k, t), whole.probability.row(k, at));
                assert_eq!(out.spikes.row(k, t), whole.spikes.row(k, at));
            }
            let mut here = adjoints(&layout, bins.clone());
            let of = Sweep {
                window: Window {
                    layout: &within,
                    start,
                    trajectory: &out,
                },
                ..of
            };
            sweep_window(&network, &of, &mut here, &mut behind, &mut gradient);
            for (k, t) in (0..18).flat_map(|k| (0..bins.len()).map(move |t| (k, t))) {
                assert_eq!(here.potential.row(k, t), lambda.potential.row(k, start + t));
            }
        }
        let of = |g: &Gradient<f64>| {
            let drive = g.drive.to_vec();
            [&g.couplings[..], &g.same_bin, &g.bias, &drive].concat()
        };
        for (found, expected) in of(&gradient).iter().zip(of(&expected)) {
            let off = (found - expected).abs() / (1.0 + expected.abs());
            assert!(off < 1e-12, "windows of {size}: {found}, not {expected}");
        }
    }
}

#[test]
fn windows_make_the_whole_pass_and_the_whole_sweep() {
    for mode in [Mode::TeacherForced, Mode::FreeRunning] {
        for first_bin in [0, LAGS] {
            windows_make_the_whole(Memoryless::new(0.4), mode, first_bin);
            windows_make_the_whole(Leaky, mode, first_bin);
        }
    }
}

#[test]
fn a_window_behind_the_start_needs_the_state_before_it() {
    let layout = TrialLayout::uniform(2, 6, 0).unwrap();
    let network = Network::new(DenseCoupling::new(&[0.5], 1, 1).unwrap(), &[0.1]);
    let drive = TrialArray::zeros(1, 6, 0, 1);
    let input = Pass::free_running(&layout, &drive);
    let uniforms = KeyedUniforms::new(Stream::new(5, Purpose::FreeRunning), 3, &[0, 1]);
    let (mut state, mut out) = (PassState::default(), Trajectory::default());
    let found = run_window(&network, &input, &uniforms, 2..4, &mut state, &mut out);
    assert!(
        found
            .unwrap_err()
            .to_string()
            .contains("currents of the bins before")
    );
}
