//! Maximum likelihood by Newton's method: the optimum that a gradient descent is held against.

use crate::network::shape;
use crate::{OracleError, TinyNetwork};
use nalgebra::{DMatrix, DVector};
use refire_core::{TrialArray, TrialLayout};
use std::collections::BTreeMap;

/// Gradient norm per observation at which a unit counts as solved.
const TOLERANCE: f64 = 1e-10;

/// Most Newton steps.
const MAX_STEPS: usize = 60;

/// The fit of one target unit. Coefficients are `[lag][source]` in the units of the potential, then the
/// intercept.
#[derive(Clone, Debug)]
pub struct UnitFit {
    /// `[lag][source]`, then the intercept, in units of the potential.
    pub coefficients: DVector<f64>,
    /// Fisher information at the coefficients, `[coefficient][coefficient]`: the inverse of their covariance.
    pub information: DMatrix<f64>,
    /// Norm of the gradient per observation.
    pub gradient_norm: f64,
    /// Newton steps made.
    pub steps: usize,
}

/// A maximum-likelihood fit of couplings and biases.
#[derive(Clone, Debug)]
pub struct Mle {
    /// Fits of the target units, `[target]`.
    pub units: Vec<UnitFit>,
    lags: usize,
    theta: f64,
}

/// Fits couplings and biases of a fully observed network without drive to recorded spikes
/// (`[trial][bin][unit]`), each target unit to its optimum: the likelihood is convex and separates by
/// target. The bins before a trial are silent. Observations with the same history are counted together,
/// which is exact.
///
/// # Errors
/// [`OracleError::NotConverged`] where the data are separable, so that no optimum exists.
pub fn maximum_likelihood(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    lags: usize,
    theta: f64,
) -> Result<Mle, OracleError> {
    let n = spikes.units();
    if n * lags > 64 {
        return Err(shape(
            "units times lags of a Newton fit, at most",
            64,
            n * lags,
        ));
    }
    // History as bits [lag][source]: number of bins and spikes of every unit in them.
    let mut histories = BTreeMap::<u64, (f64, Vec<f64>)>::new();
    for k in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(k) {
            let mut history = 0u64;
            for d in 1..=lags.min(t) {
                for (i, &z) in spikes.row(k, t - d).iter().enumerate() {
                    history |= u64::from(z) << ((d - 1) * n + i);
                }
            }
            let entry = histories
                .entry(history)
                .or_insert_with(|| (0.0, vec![0.0; n]));
            entry.0 += 1.0;
            for (sum, &z) in entry.1.iter_mut().zip(spikes.row(k, t)) {
                *sum += f64::from(z);
            }
        }
    }
    let features = n * lags + 1;
    let rows: Vec<(DVector<f64>, f64, &Vec<f64>)> = histories
        .iter()
        .map(|(history, (count, fired))| {
            let feature = |at: usize| {
                if at + 1 == features {
                    1.0
                } else {
                    f64::from((history >> at & 1) as u8)
                }
            };
            (
                DVector::from_fn(features, |at, _| feature(at)),
                *count,
                fired,
            )
        })
        .collect();
    let units = (0..n).map(|j| fit_unit(j, &rows, features));
    Ok(Mle {
        units: units.collect::<Result<_, _>>()?,
        lags,
        theta,
    })
}

/// Negative log-likelihood, its gradient and Fisher information.
fn likelihood(
    unit: usize,
    rows: &[(DVector<f64>, f64, &Vec<f64>)],
    beta: &DVector<f64>,
) -> (f64, DVector<f64>, DMatrix<f64>) {
    let features = beta.len();
    let mut value = 0.0;
    let mut gradient = DVector::zeros(features);
    let mut information = DMatrix::zeros(features, features);
    for (x, count, fired) in rows {
        let v = beta.dot(x);
        let p = 1.0 / (1.0 + (-v).exp());
        // softplus without overflow
        let log_normaliser = v.max(0.0) + (-v.abs()).exp().ln_1p();
        value += count * log_normaliser - fired[unit] * v;
        gradient.axpy(count * p - fired[unit], x, 1.0);
        information.ger(count * p * (1.0 - p), x, x, 1.0);
    }
    (value, gradient, information)
}

fn fit_unit(
    unit: usize,
    rows: &[(DVector<f64>, f64, &Vec<f64>)],
    features: usize,
) -> Result<UnitFit, OracleError> {
    let observations: f64 = rows.iter().map(|row| row.1).sum();
    let mut beta = DVector::zeros(features);
    let (mut value, mut gradient, mut information) = likelihood(unit, rows, &beta);
    for steps in 0..=MAX_STEPS {
        let gradient_norm = gradient.norm() / observations.max(1.0);
        if gradient_norm < TOLERANCE {
            return Ok(UnitFit {
                coefficients: beta,
                information,
                gradient_norm,
                steps,
            });
        }
        let failure = OracleError::NotConverged {
            unit,
            norm: gradient_norm,
            iterations: steps,
        };
        let step = match information.clone().cholesky() {
            Some(factor) if steps < MAX_STEPS => factor.solve(&gradient),
            _ => return Err(failure),
        };
        // Halve the step until the likelihood does not get worse (beyond rounding).
        let mut length = 1.0;
        loop {
            let tried = &beta - length * &step;
            let found = likelihood(unit, rows, &tried);
            if found.0 <= value + 1e-12 * value.abs() {
                beta = tried;
                (value, gradient, information) = found;
                break;
            }
            length /= 2.0;
            if length < 1e-6 {
                return Err(failure);
            }
        }
    }
    Err(OracleError::NotConverged {
        unit,
        norm: f64::INFINITY,
        iterations: MAX_STEPS,
    })
}

impl Mle {
    /// Couplings `[source][lag][target]` and biases `[unit]`, currents, in the order of
    /// [`TinyNetwork::parameters`].
    pub fn parameters(&self) -> Vec<f64> {
        let n = self.units.len();
        let mut out = vec![0.0; n * self.lags * n + n];
        for (j, fit) in self.units.iter().enumerate() {
            for d in 0..self.lags {
                for i in 0..n {
                    out[(i * self.lags + d) * n + j] = self.theta * fit.coefficients[d * n + i];
                }
            }
            // v = (b + ... - theta) / theta
            let intercept = fit.coefficients[n * self.lags];
            out[n * self.lags * n + j] = self.theta * (1.0 + intercept);
        }
        out
    }
}

impl UnitFit {
    /// Wald statistic of true coefficients of unit `unit`: chi-square with as many degrees of freedom as
    /// there are coefficients, for many observations.
    pub fn wald(&self, network: &TinyNetwork, unit: usize) -> f64 {
        let off = &self.coefficients - coefficients(network, unit);
        (&self.information * &off).dot(&off)
    }
}

/// The coefficients of a unit of a network, in the order of [`UnitFit::coefficients`].
pub(crate) fn coefficients(network: &TinyNetwork, unit: usize) -> DVector<f64> {
    let (n, lags, theta) = (network.units, network.lags, network.theta);
    DVector::from_fn(n * lags + 1, |at, _| {
        if at == n * lags {
            network.bias[unit] / theta - 1.0
        } else {
            network.couplings[(at % n * lags + at / n) * n + unit] / theta
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Strengths, TinyShape};

    #[test]
    fn a_unit_by_itself_is_fitted_by_its_log_odds() {
        // Four trials of one bin: no history, three spikes of four.
        let spikes = TrialArray::from_vec(vec![1u8, 1, 0, 1], 4, 1, 1).unwrap();
        let layout = TrialLayout::uniform(4, 1, 0).unwrap();
        let error = maximum_likelihood(&spikes, &layout, 1, 0.4).unwrap_err();
        // The coupling is never seen: no unique optimum.
        assert!(matches!(error, OracleError::NotConverged { unit: 0, .. }));
        let spikes = TrialArray::from_vec(vec![1, 1, 0, 0, 1, 0, 0, 1, 1, 1], 2, 5, 1).unwrap();
        let layout = TrialLayout::uniform(2, 5, 0).unwrap();
        let fit = maximum_likelihood(&spikes, &layout, 1, 0.4).unwrap();
        // After a spike 3 of 4 bins fire, after silence (or the start) 3 of 6.
        let [coupling, bias] = fit.parameters()[..] else {
            unreachable!()
        };
        assert!((coupling - 0.4 * 3f64.ln()).abs() < 1e-9, "{coupling}");
        assert!((bias - 0.4).abs() < 1e-9, "{bias}");
    }

    #[test]
    fn the_truth_is_near_and_the_gradient_vanishes() {
        let network = TinyNetwork::draw(
            TinyShape {
                observed: 2,
                units: 2,
                lags: 2,
                bins: 100,
            },
            Strengths {
                couplings: 0.8,
                bias: -1.0,
                drive: 0.0,
            },
            1,
            2,
        );
        let simulated = network.simulate(200, &[], 1, 0).unwrap();
        let spikes = simulated.observed(2);
        let fit = maximum_likelihood(&spikes, &simulated.layout, 2, 0.4).unwrap();
        for (j, unit) in fit.units.iter().enumerate() {
            assert!(unit.gradient_norm < TOLERANCE && unit.steps < 12);
            // 5 degrees of freedom: above 30 with probability 1.5e-5, with a fixed seed never twice.
            assert!(unit.wald(&network, j) < 30.0);
        }
        let off = fit.parameters();
        let worst = off
            .iter()
            .zip(network.parameters())
            .map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f64::max) < 0.1);
    }
}
