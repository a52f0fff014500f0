//! The estimators on every spike path at once, without sampling: each path is a trial of one batch, with
//! uniforms that force it, and the sweep's adjoints are weighted with its probability.

use super::estimators::ESTIMATORS;
use anyhow::Result;
use refire_bptt::{Gradient, Sweep, add_score, sweep};
use refire_core::{TrialArray, TrialLayout};
use refire_neuron::{Logistic, SpikeGradient};
use refire_sim::{Adjoints, GivenUniforms, Mode, Pass, Trajectory, Window, run as run_pass};
use refire_testkit::{Paths, Strengths, TinyNetwork, TinyShape, gradient_of};

/// A random network of two units over five bins, 1024 spike paths; couplings have standard deviation `strength`,
/// biases are `bias`, in units of the potential.
pub fn two_units(strength: f64, bias: f64, seed: u64) -> TinyNetwork {
    TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 2,
            lags: 1,
            bins: 5,
        },
        Strengths {
            couplings: strength,
            bias,
            drive: 0.0,
        },
        1,
        seed,
    )
}

/// Which part of the gradient is looked at, of the expected sum of probabilities.
#[derive(Clone, Copy, PartialEq)]
pub enum Part {
    /// All parameters; loss over both units.
    Whole,
    /// Parameters of unit 0, which reach the loss, on unit 1 alone, only through its spikes.
    ThroughSpikes,
}

impl Part {
    fn counts(self, unit: usize) -> bool {
        self == Self::Whole || unit == 1
    }

    /// Indices of the parameters looked at.
    fn parameters(self, network: &TinyNetwork) -> Vec<usize> {
        let targets = (0..network.parameters().len()).map(|at| target(network, at));
        let chosen = targets.enumerate();
        let chosen = chosen.filter(|&(_, target)| self == Self::Whole || target == 0);
        chosen.map(|(at, _)| at).collect()
    }
}

/// The same-bin coupling that a parameter is, by its place among all couplings `[source][target]`.
fn same_bin(network: &TinyNetwork, parameter: usize) -> Option<usize> {
    let before = network.couplings.len() + network.units;
    network.free_same_bin().nth(parameter.checked_sub(before)?)
}

/// The unit whose current a parameter is part of.
fn target(network: &TinyNetwork, parameter: usize) -> usize {
    same_bin(network, parameter).unwrap_or(parameter) % network.units
}

/// Mean over all paths of the gradient of one trial, and the trace of its covariance.
struct Moments {
    mean: Vec<f64>,
    variance: f64,
}

/// The estimator on every path of a network at once. The baseline of the score function is the expected
/// loss, as which the mean over many other trials counts.
fn moments(
    network: &TinyNetwork,
    paths: &Paths,
    part: Part,
    spike_gradient: SpikeGradient,
) -> Result<Moments> {
    let (n, bins, lags) = (network.units, network.bins, network.lags);
    let count = paths.len();
    let layout = TrialLayout::uniform(count, bins, 0)?;
    // A spike where the uniform is 0, none where it is 1.
    let uniforms: Vec<f64> = paths
        .iter()
        .flat_map(|path| path.spikes.iter().map(|&z| 1.0 - f64::from(z)))
        .collect();
    let uniforms = TrialArray::from_vec(uniforms, count, bins, n).unwrap_or_default();
    let drive = network.drive_array()?;
    let pass = Pass::free_running(&layout, &drive);
    let engine = network.network(Logistic)?;
    let mut trajectory = Trajectory::default();
    let (mode, given) = (Mode::FreeRunning, GivenUniforms(&uniforms));
    run_pass(&engine, &pass, &given, &mut trajectory)?;
    let window = Window::whole(&layout, &trajectory);
    let mut adjoints = Adjoints::default();
    adjoints.reset(&layout, lags, n);
    let mut losses = Vec::with_capacity(count);
    for k in 0..count {
        let mut loss = 0.0;
        for t in 0..bins {
            for j in (0..n).filter(|&j| part.counts(j)) {
                let p = trajectory.probability.row(k, t)[j];
                loss += p;
                adjoints.potential.row_mut(k, t)[j] = p * (1.0 - p);
            }
        }
        losses.push(loss);
    }
    if spike_gradient == SpikeGradient::Score {
        let weighted = paths
            .iter()
            .zip(&losses)
            .map(|(path, l)| path.probability * l);
        let baseline: f64 = weighted.sum();
        let rewards: Vec<f64> = losses.iter().map(|loss| loss - baseline).collect();
        add_score(&engine, mode, &window, &rewards, &mut adjoints);
    }
    let mut gradient = Gradient::zeros(&engine, 1, bins);
    let of = Sweep {
        mode,
        window,
        spike_gradient,
    };
    sweep(&engine, &of, &mut adjoints, &mut gradient);
    // The sweep leaves lambda per path: the gradient of each path by itself, as
    // dW[i,d,j] = sum_t z[t-d,i] lambda[t,j] and dS[i,j] = sum_t z[t,i] lambda[t,j].
    let chosen = part.parameters(network);
    let (mut mean, mut square) = (vec![0.0; chosen.len()], 0.0);
    for (k, path) in paths.iter().enumerate() {
        let lambda = adjoints.potential.trial(k);
        for (mean, &at) in mean.iter_mut().zip(&chosen) {
            let j = target(network, at);
            let mut slope = 0.0;
            if let Some(place) = same_bin(network, at) {
                for t in 0..bins {
                    slope += f64::from(path.spikes[t * n + place / n]) * lambda[t * n + j];
                }
            } else if at < network.couplings.len() {
                let (i, d) = (at / (lags * n), at / n % lags + 1);
                for t in d..bins {
                    slope += f64::from(path.spikes[(t - d) * n + i]) * lambda[t * n + j];
                }
            } else {
                slope = (0..bins).map(|t| lambda[t * n + j]).sum();
            }
            *mean += path.probability * slope;
            square += path.probability * slope * slope;
        }
    }
    let variance = square - mean.iter().map(|m| m * m).sum::<f64>();
    Ok(Moments { mean, variance })
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

/// What is found of one estimator on one network.
#[derive(Clone, Copy, Default)]
pub struct Found {
    /// Bias of the gradient, and relative to the norm of the exact one.
    pub bias: f64,
    pub relative_bias: f64,
    /// Standard deviation of one trial, relative to the norm of the exact gradient.
    pub relative_sd: f64,
}

/// The [`Found`] of each estimator.
pub type Figures = Vec<Found>;

/// Every estimator on one network.
pub fn figures_of(network: &TinyNetwork, part: Part) -> Result<Figures> {
    let loss = |parameters: &[f64]| {
        let paths = Paths::free(&network.with_parameters(parameters)?, 0, &[])?;
        anyhow::Ok(paths.expect(|path| {
            let counted = path.p.iter().enumerate();
            let counted = counted.filter(|(at, _)| part.counts(at % network.units));
            counted.map(|(_, p)| p).sum()
        }))
    };
    let exact = gradient_of(&network.parameters(), loss)?;
    let exact: Vec<f64> = part
        .parameters(network)
        .into_iter()
        .map(|at| exact[at])
        .collect();
    let size = norm(exact.iter().copied());
    let paths = Paths::free(network, 0, &[])?;
    ESTIMATORS
        .iter()
        .map(|&(_, estimator)| {
            let found = moments(network, &paths, part, estimator)?;
            let bias = norm(found.mean.iter().zip(&exact).map(|(a, b)| a - b));
            Ok(Found {
                bias,
                relative_bias: bias / size,
                relative_sd: found.variance.max(0.0).sqrt() / size,
            })
        })
        .collect()
}
