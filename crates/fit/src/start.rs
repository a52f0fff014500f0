//! Where a fit starts.

use crate::Specification;
use crate::signs::Dale;
use crate::specification::NetworkSpec;
use crate::wiring::shape;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_drive::Encoder;
use refire_engine::{Parameters, Wiring};
use refire_kernels::Real;
use refire_neuron::{EscapeNoise, Logistic, Memoryless, UnitDynamics};
use refire_random::{Purpose, Stream};

/// Where a fit starts: biases from the log-odds of each unit's mean rate, `probability` in spikes per bin (hidden units:
/// of the mean over observed ones), couplings a truncated normal of a tenth of the published standard
/// deviation `1/sqrt(in-degree * lags)` (or the specification's share of it), all `drive` weights zero. Under
/// Dale's law couplings take the sign of their source, and biases make up for the mean input that
/// comes of it. Same-bin couplings start at zero.
pub fn initial<T: Real>(
    spec: &Specification,
    wiring: &Wiring,
    probability: &[f64],
    drive: usize,
) -> Parameters<T> {
    let (observed, units) = (probability.len(), probability.len() + spec.network.hidden);
    let mean = probability.iter().sum::<f64>() / observed.max(1) as f64;
    let dynamics = Memoryless::new(spec.network.dynamics.theta());
    let bias = (0..units)
        .map(|i| {
            let p = probability.get(i).copied().unwrap_or(mean);
            T::new(dynamics.current(Logistic.potential(p)))
        })
        .collect();
    let lags = spec.network.lags;
    let count = wiring.parameters(units, lags).unwrap_or(0);
    let published = |in_degree: usize| 1.0 / ((in_degree * lags).max(1) as f64).sqrt();
    let in_degrees = wiring.in_degrees(lags);
    let scale = spec.optimiser.initial_scale();
    let sd = |at: usize| {
        let in_degree = in_degrees.as_ref().and_then(|d| d.get(at));
        let in_degree = in_degree.map_or(units, |&d| d as usize);
        wiring.sd_of_parameters(scale * published(in_degree))
    };
    let mut normal = truncated_normal(spec.seed, 0);
    let mut start = Parameters {
        couplings: (0..count).map(|at| T::new(sd(at) * normal())).collect(),
        bias,
        drive: vec![T::zero(); drive],
        same_bin: {
            let shape = shape(spec, wiring, observed);
            vec![T::zero(); shape.same_bin_parameters().unwrap_or(0)]
        },
    };
    if let Some(dale) = Dale::new(spec, wiring, observed) {
        dale.turn(&mut start.couplings);
        let input = dale.summed_inputs(&start.couplings);
        for (bias, input) in start.bias.iter_mut().zip(input) {
            *bias -= T::new(mean * input);
        }
    }
    start
}

/// [`initial`] with the drive weights that the encoder starts from.
pub(crate) fn start<T: Real>(
    spec: &Specification,
    wiring: &Wiring,
    probability: &[f64],
    encoder: &dyn Encoder<T>,
) -> Parameters<T> {
    Parameters {
        drive: encoder.start(&mut truncated_normal(spec.seed, 1)),
        ..initial(spec, wiring, probability, 0)
    }
}

/// A start whose observed units have the parameters of a network without others, with dense couplings.
pub(crate) fn with_observed(
    mut start: Parameters<f32>,
    observed: &Parameters<f32>,
    network: &NetworkSpec,
) -> Parameters<f32> {
    let units = observed.bias.len();
    let all = units + network.hidden;
    copy_rows(&mut start.bias, all, &observed.bias, units);
    copy_rows(&mut start.drive, all, &observed.drive, units);
    let lags = network.lags;
    let sources = start.couplings.chunks_exact_mut((lags * all).max(1));
    for (own, given) in sources.zip(observed.couplings.chunks_exact((lags * units).max(1))) {
        copy_rows(own, all, given, units);
    }
    copy_rows(&mut start.same_bin, all, &observed.same_bin, units);
    start
}

/// Copies rows of `narrow` numbers to the beginnings of rows of `wide`.
fn copy_rows(to: &mut [f32], wide: usize, from: &[f32], narrow: usize) {
    let rows = to.chunks_exact_mut(wide.max(1));
    for (own, given) in rows.zip(from.chunks_exact(narrow.max(1))) {
        own[..narrow].copy_from_slice(given);
    }
}

/// Draws from a normal distribution cut off at two standard deviations, of a tensor's own key.
fn truncated_normal(seed: u64, tensor: u32) -> impl FnMut() -> f64 {
    let key = Stream::new(seed, Purpose::Initial).words(0, tensor, 0, 0);
    let seed = u64::from(key[0]) | (u64::from(key[1]) << 32);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    move || loop {
        let x: f64 = StandardNormal.sample(&mut rng);
        if x.abs() <= 2.0 {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Couplings, Facts, ObjectiveKind, Optimiser, Steps, Synapses, wiring};

    /// A normal distribution cut off at two standard deviations has one of 0.880.
    #[test]
    fn couplings_start_at_a_share_of_one_over_the_root_of_their_number() {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
        spec.network.lags = 4;
        spec.optimiser = Optimiser::Adam {
            initial_scale: Some(0.5),
            steps: Steps::default(),
        };
        let sd = |couplings| {
            let mut spec = spec.clone();
            spec.network.couplings = couplings;
            let wiring = wiring::resolve(&spec, 60).unwrap();
            let start = initial::<f64>(&spec, &wiring, &[0.1; 60], 0).couplings;
            assert!(start.len() >= 60 * 4 * 10);
            let squares: f64 = start.iter().map(|w| w * w).sum();
            (squares / start.len() as f64).sqrt()
        };
        // 2400 or more draws: 5 % are more than three standard errors.
        let about = |found: f64, inputs: f64| {
            let expected = 0.880 * 0.5 / inputs.sqrt();
            assert!(
                (found / expected - 1.0).abs() < 0.05,
                "{found}, expected {expected}"
            );
        };
        about(sd(Couplings::Dense), 240.0);
        about(sd(Couplings::Sparse(Synapses::InDegree(10))), 40.0);
    }

    #[test]
    fn observed_units_take_their_place_among_all() {
        let mut network = Specification::new(Facts::default(), ObjectiveKind::default()).network;
        (network.lags, network.hidden) = (2, 1);
        let count = |from: usize, n: usize| (from..from + n).map(|x| x as f32).collect();
        let start = Parameters {
            couplings: vec![-1.0; 3 * 2 * 3],
            same_bin: vec![-1.0; 9],
            bias: vec![-1.0; 3],
            drive: vec![-1.0; 6],
        };
        let own = Parameters {
            couplings: count(0, 8),
            same_bin: count(20, 4),
            bias: count(30, 2),
            drive: count(40, 4),
        };
        let found = with_observed(start, &own, &network);
        let expected = [
            [0.0, 1.0, -1.0, 2.0, 3.0, -1.0],
            [4.0, 5.0, -1.0, 6.0, 7.0, -1.0],
            [-1.0; 6],
        ];
        assert_eq!(found.couplings, expected.concat());
        let expected = [20.0, 21.0, -1.0, 22.0, 23.0, -1.0, -1.0, -1.0, -1.0];
        assert_eq!(found.same_bin, expected);
        assert_eq!(found.bias, [30.0, 31.0, -1.0]);
        assert_eq!(found.drive, [40.0, 41.0, -1.0, 42.0, 43.0, -1.0]);
    }

    #[test]
    fn biases_start_at_the_rates_of_the_training() {
        let spec = Specification::new(Facts::default(), ObjectiveKind::default());
        let start = initial::<f64>(&spec, &Wiring::Dense, &[0.1, 0.3], 3);
        let theta = spec.network.dynamics.theta();
        for (bias, p) in start.bias.iter().zip([0.1, 0.3f64]) {
            assert!(
                (bias / theta - 1.0 - (p / (1.0 - p)).ln()).abs() < 1e-12,
                "{bias}"
            );
        }
        assert_eq!(start.drive, [0.0; 3]);
    }
}
