//! The score function: what a loss owes to the spikes that were drawn, without differentiating it.

use rayon::prelude::*;
use refire_kernels::{Real, dispatch};
use refire_neuron::{EscapeNoise, UnitDynamics};
use refire_sim::{Adjoints, Coupling, Mode, Network, Window};

/// Adds the score of the sampled spikes, weighted with one reward per slot, to `dL/dv`. A
/// [`crate::sweep`] with [`refire_neuron::SpikeGradient::Score`] then takes it to the parameters.
///
/// ```text
/// d E[L] = E[ dL at fixed spikes + sum_k R_k d ln P(z_k) ]       R_k = L - b_k,  b_k free of z_k
/// ln P(z_k)    = sum_{t,j sampled} ln P(z[k,t,j] | v[k,t,j])
/// dL/dv[k,t,j] -= R_k d(-ln P(z | v))/dv                         (j sampled in bin t)
/// ```
///
/// Sampled are, from the layout's first bin to the end of the trial, the live units that are not
/// fed back recorded spikes: all of them in a free-running pass, the hidden ones in a teacher-forced pass.
///
/// Network, layout and trajectory are those of one [`refire_sim::run`], `rewards` has a number per
/// slot.
pub fn add_score<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    window: &Window<'_, T>,
    rewards: &[f64],
    adjoints: &mut Adjoints<T>,
) where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let Window {
        layout, trajectory, ..
    } = *window;
    let sampled = match mode {
        Mode::TeacherForced => network.observed..network.live,
        Mode::FreeRunning => 0..network.live,
    };
    let potential = adjoints.both().0;
    let (units, len) = (potential.units(), potential.trial_len().max(1));
    potential
        .as_mut_slice()
        .par_chunks_mut(len)
        .zip(rewards)
        .enumerate()
        .for_each(|(k, (adjoints, &reward))| {
            dispatch(
                #[inline(always)]
                || {
                    let reward = T::new(reward);
                    for t in layout.first_bin()..layout.bins(k) {
                        let v = &trajectory.potential.row(k, t)[sampled.clone()];
                        let p = &trajectory.probability.row(k, t)[sampled.clone()];
                        let z = &trajectory.spikes.row(k, t)[sampled.clone()];
                        let rows = adjoints[t * units..][sampled.clone()].iter_mut().zip(v);
                        for ((c, &v), (&p, &z)) in rows.zip(p.iter().zip(z)) {
                            *c -= reward * network.escape.surprise_slope(v, p, z != 0);
                        }
                    }
                },
            );
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gradient, Sweep, sweep};
    use refire_core::{TrialArray, TrialLayout};
    use refire_neuron::{Logistic, Memoryless, SpikeGradient};
    use refire_random::{KeyedUniforms, Purpose, Stream};
    use refire_sim::{AnyCoupling, DenseCoupling, Pass, SameBin, Trajectory, UnitOrder, run};

    /// Two observed units, one hidden one and one that fills up rows.
    const UNITS: usize = 4;
    const OBSERVED: usize = 2;
    const LIVE: usize = 3;
    const LAGS: usize = 2;
    const BINS: usize = 5;
    const REWARDS: [f64; 4] = [0.7, -1.1, 0.0, 2.3];

    const ORDER: UnitOrder = UnitOrder {
        observed: OBSERVED,
        live: LIVE,
    };

    /// Couplings, bias, same-bin couplings and drive one after the other.
    fn parameters() -> Vec<f64> {
        let count = UNITS * LAGS * UNITS + UNITS + UNITS * UNITS + 2 * BINS * UNITS;
        let mut all: Vec<f64> = (0..count)
            .map(|i| 0.6 * (1.7 * i as f64 + 0.3).sin())
            .collect();
        let within = &mut all[UNITS * LAGS * UNITS + UNITS..][..UNITS * UNITS];
        ORDER.clear_others(within, UNITS);
        all
    }

    fn pass(
        parameters: &[f64],
        observed: usize,
        mode: Mode,
        layout: &TrialLayout,
        recorded: &TrialArray<u8>,
        then: impl FnOnce(
            &Network<'_, f64, DenseCoupling<'_, f64>, Logistic, Memoryless<f64>>,
            &Trajectory<f64>,
        ),
    ) {
        let (couplings, rest) = parameters.split_at(UNITS * LAGS * UNITS);
        let (bias, rest) = rest.split_at(UNITS);
        let (within, drive) = rest.split_at(UNITS * UNITS);
        let of_bin = DenseCoupling::new(within, UNITS, 1).unwrap();
        // The order of the network, also where all of its units are fed back.
        let of_bin = SameBin::new(AnyCoupling::Dense(of_bin), ORDER).unwrap();
        let network = Network::new(DenseCoupling::new(couplings, UNITS, LAGS).unwrap(), bias)
            .with_observed(observed)
            .with_live(LIVE)
            .with_same_bin(of_bin);
        let drive = TrialArray::from_vec(drive.to_vec(), 2, BINS, UNITS).unwrap();
        let input = Pass {
            mode,
            ..Pass::teacher_forced(layout, recorded, &drive)
        };
        let uniforms = KeyedUniforms::new(Stream::new(5, Purpose::FreeRunning), 0, &[0, 1, 2, 3]);
        let mut trajectory = Trajectory::default();
        run(&network, &input, &uniforms, &mut trajectory).unwrap();
        then(&network, &trajectory);
    }

    /// `sum_k R_k ln P(z_k | v(parameters))` of given spikes: every live unit is fed them back.
    fn rewarded_log_probability(
        parameters: &[f64],
        mode: Mode,
        layout: &TrialLayout,
        spikes: &TrialArray<u8>,
    ) -> f64 {
        let first = if mode == Mode::TeacherForced {
            OBSERVED
        } else {
            0
        };
        let mut sum = 0.0;
        pass(
            parameters,
            LIVE,
            Mode::TeacherForced,
            layout,
            spikes,
            |_, found| {
                for (k, reward) in REWARDS.iter().enumerate() {
                    for t in layout.first_bin()..layout.bins(k) {
                        for j in first..LIVE {
                            let spiked = spikes.row(k, t)[j] != 0;
                            sum -= reward * Logistic.surprise(found.potential.row(k, t)[j], spiked);
                        }
                    }
                }
            },
        );
        sum
    }

    #[test]
    fn the_score_is_the_derivative_of_the_log_probability_of_the_spikes() {
        let layout = TrialLayout::new(vec![0, 1, 0, 1], vec![5, 3, 4, 5], 1).unwrap();
        let mut recorded = TrialArray::<u8>::zeros(4, BINS, 0, OBSERVED);
        for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
            *z = u8::from(at % 3 == 1);
        }
        let parameters = parameters();
        for mode in [Mode::TeacherForced, Mode::FreeRunning] {
            let mut gradient = Vec::new();
            let mut spikes = TrialArray::<u8>::zeros(4, BINS, 0, LIVE);
            pass(
                &parameters,
                OBSERVED,
                mode,
                &layout,
                &recorded,
                |network, found| {
                    let window = Window::whole(&layout, found);
                    let mut adjoints = Adjoints::default();
                    adjoints.reset(&layout, LAGS, UNITS);
                    add_score(network, mode, &window, &REWARDS, &mut adjoints);
                    let mut pulled = Gradient::zeros(network, 2, BINS);
                    let of = Sweep {
                        mode,
                        window,
                        spike_gradient: SpikeGradient::Score,
                    };
                    sweep(network, &of, &mut adjoints, &mut pulled);
                    gradient.extend_from_slice(&pulled.couplings);
                    gradient.extend_from_slice(&pulled.bias);
                    gradient.extend_from_slice(&pulled.same_bin);
                    gradient.extend(pulled.drive.to_vec());
                    for (k, t) in (0..4).flat_map(|k| (0..BINS).map(move |t| (k, t))) {
                        let row = &found.spikes.row(k, t)[..LIVE];
                        spikes.row_mut(k, t).copy_from_slice(row);
                    }
                },
            );
            let h = 1e-5;
            let mut largest = 0.0f64;
            for (at, &found) in gradient.iter().enumerate() {
                let of_bin = at.wrapping_sub(UNITS * LAGS * UNITS + UNITS);
                if of_bin < UNITS * UNITS && !ORDER.is_before(of_bin / UNITS, of_bin % UNITS) {
                    assert_eq!(found, 0.0);
                    continue;
                }
                let at_step = |step: f64| {
                    let mut moved = parameters.clone();
                    moved[at] += step;
                    rewarded_log_probability(&moved, mode, &layout, &spikes)
                };
                let expected = (at_step(h) - at_step(-h)) / (2.0 * h);
                assert!(
                    (found - expected).abs() < 1e-7,
                    "{mode:?}, parameter {at}: {found}, not {expected}"
                );
                largest = largest.max(expected.abs());
            }
            assert!(largest > 1.0, "{mode:?}: nothing was sampled");
        }
    }
}
