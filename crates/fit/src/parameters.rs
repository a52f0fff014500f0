//! Parameters of a model: three named tensors, and where they start.

use crate::Settings;
use crate::dale::Dale;
use crate::wiring::Wiring;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_drive::Encoder;
use refire_kernels::Real;
use refire_neuron::{EscapeNoise, Logistic, Memoryless, UnitDynamics};
use refire_random::{Purpose, Stream};

/// Everything that is fitted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters<T> {
    /// `[source][lag][target]`, current per spike; sparse couplings `[source][lag][synapse of the source]`,
    /// low-rank ones `[source][component]`, then `[component][lag][target]`.
    pub couplings: Vec<T>,
    /// `[unit]`, current.
    pub bias: Vec<T>,
    /// Weights of the drive's encoder, current.
    pub drive: Vec<T>,
}

/// Names of the tensors, in the order of [`Parameters::tensors`].
pub const TENSORS: [&str; 3] = ["couplings", "bias", "drive"];

impl<T: Real> Parameters<T> {
    /// Zeros of the given lengths.
    pub fn zeros(couplings: usize, bias: usize, drive: usize) -> Self {
        Self {
            couplings: vec![T::zero(); couplings],
            bias: vec![T::zero(); bias],
            drive: vec![T::zero(); drive],
        }
    }

    /// The tensors in a fixed order.
    pub fn tensors(&self) -> [&Vec<T>; 3] {
        [&self.couplings, &self.bias, &self.drive]
    }

    /// The tensors in a fixed order.
    pub fn tensors_mut(&mut self) -> [&mut Vec<T>; 3] {
        [&mut self.couplings, &mut self.bias, &mut self.drive]
    }

    /// Whether every number is finite.
    pub fn are_finite(&self) -> bool {
        self.tensors().into_iter().flatten().all(|x| x.is_finite())
    }

    /// Where a fit starts: biases from the log-odds of each unit's mean rate (hidden units: of the
    /// mean over observed ones), couplings a truncated normal of a tenth of the published standard
    /// deviation `1/sqrt(in-degree * lags)` (or the settings' share of it), all `drive` weights zero. Under
    /// Dale's law couplings take the sign of their source, and biases make up for the mean input that
    /// comes of it.
    pub fn initial(settings: &Settings, probability: &[f64], drive: usize) -> Self {
        let (observed, units) = (probability.len(), probability.len() + settings.hidden);
        let mean = probability.iter().sum::<f64>() / observed.max(1) as f64;
        let dynamics = Memoryless::new(settings.theta);
        let bias = (0..units)
            .map(|i| {
                let p = probability.get(i).copied().unwrap_or(mean);
                T::of(dynamics.current(Logistic.potential(p)))
            })
            .collect();
        let (wiring, lags) = (Wiring::of(settings), settings.lags);
        let count = wiring.parameters(units, lags).unwrap_or(0);
        let published = |in_degree: usize| 1.0 / ((in_degree * lags).max(1) as f64).sqrt();
        let in_degrees = wiring.in_degrees(lags);
        let sd = |at: usize| {
            let in_degree = in_degrees.as_ref().and_then(|d| d.get(at));
            let in_degree = in_degree.map_or(units, |&d| d as usize);
            wiring.sd_of_parameters(settings.initial_scale * published(in_degree))
        };
        let mut normal = truncated_normal(settings.seed, 0);
        let mut start = Self {
            couplings: (0..count).map(|at| T::of(sd(at) * normal())).collect(),
            bias,
            drive: vec![T::zero(); drive],
        };
        if let Some(dale) = Dale::of(settings, observed) {
            dale.turn(&mut start.couplings);
            let input = dale.summed_inputs(&start.couplings);
            for (bias, input) in start.bias.iter_mut().zip(input) {
                *bias -= T::of(mean * input);
            }
        }
        start
    }

    /// [`Self::initial`] with the drive weights that the encoder starts from.
    pub fn start(settings: &Settings, probability: &[f64], encoder: &dyn Encoder<T>) -> Self {
        Self {
            drive: encoder.start(&mut truncated_normal(settings.seed, 1)),
            ..Self::initial(settings, probability, 0)
        }
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
