//! The curvature of the likelihood as a measure of steps.

use crate::objective::Shape;
use crate::precondition::Preconditioner;
use crate::rows::Rows;
use refire_kernels::Real;

/// A gradient, or a direction, by the tensors of a network.
#[derive(Clone, Copy, Debug)]
pub struct Tensors<S> {
    /// Couplings `[source][lag][target]`.
    pub couplings: S,
    /// Same-bin couplings `[source][target]`; empty without.
    pub same_bin: S,
    /// Drive weights `[weight][unit]`.
    pub drive: S,
    /// Biases `[unit]`.
    pub bias: S,
}

/// The mean curvature `M` of the likelihood of all scored bins and its priors, from [`crate::Solver::curvature`]: the Gram
/// matrix of the spikes of the past and the drive, which all units share, by each unit's variance, and the ridge.
///
/// A step along `M^-1 gradient` goes as far in every direction as it changes the likelihood, whatever the units of the
/// parameters and however they depend on each other (natural gradient: Amari, Neural Computation 10:251, 1998).
pub struct Curvature<T> {
    pub(crate) shape: Shape,
    pub(crate) theta: f64,
    /// Scored (trial, bin, unit).
    pub(crate) scored: f64,
    pub(crate) preconditioner: Preconditioner<T>,
}

impl<T: Real> Curvature<T> {
    /// Scored (trial, bin, unit): what makes nats of all of them of a loss per one.
    pub fn scored(&self) -> f64 {
        self.scored
    }

    /// `direction = M^-1 gradient`, for the gradient of a loss per (trial, bin, unit) and parameters in units of the
    /// current. It is 0 for same-bin couplings onto a unit that is not behind its source.
    ///
    /// # Panics
    /// If a tensor has another length than the network of the curvature has.
    pub fn inverse_times(&self, gradient: Tensors<&[T]>, direction: Tensors<&mut [T]>) {
        let (shape, units) = (self.shape, self.shape.units);
        let scale = T::new(self.theta * self.scored);
        let mut loss = Rows::zeros(shape.rows(), shape.width());
        self.visit(|row, tensor, at| {
            let from = tensor.of(&gradient);
            let to = &mut loss.row_mut(row)[..units];
            for (to, &g) in to.iter_mut().zip(&from[at * units..][..units]) {
                *to = g * scale;
            }
        });
        shape.clear_fixed(&mut loss);
        let mut found = Rows::zeros(shape.rows(), shape.width());
        self.preconditioner
            .apply(&loss, &vec![true; units], &mut found);
        let theta = T::new(self.theta);
        let mut direction = direction;
        self.visit(|row, tensor, at| {
            let to = &mut tensor.of_mut(&mut direction)[at * units..][..units];
            for (to, &d) in to.iter_mut().zip(found.row(row)) {
                *to = d * theta;
            }
        });
    }

    /// Every row of the matrix, with its tensor and its place there.
    fn visit(&self, mut what: impl FnMut(usize, Tensor, usize)) {
        for (at, row) in self.shape.coupling_rows().enumerate() {
            what(row, Tensor::Couplings, at);
        }
        for (source, row) in self.shape.same_bin_rows().enumerate() {
            what(row, Tensor::SameBin, source);
        }
        for (weight, row) in self.shape.drive_rows().enumerate() {
            what(row, Tensor::Drive, weight);
        }
        what(self.shape.intercept(), Tensor::Bias, 0);
    }
}

#[derive(Clone, Copy)]
enum Tensor {
    Couplings,
    SameBin,
    Drive,
    Bias,
}

impl Tensor {
    fn of<'a, T>(self, tensors: &Tensors<&'a [T]>) -> &'a [T] {
        match self {
            Self::Couplings => tensors.couplings,
            Self::SameBin => tensors.same_bin,
            Self::Drive => tensors.drive,
            Self::Bias => tensors.bias,
        }
    }

    fn of_mut<'a, T>(self, tensors: &'a mut Tensors<&mut [T]>) -> &'a mut [T] {
        match self {
            Self::Couplings => tensors.couplings,
            Self::SameBin => tensors.same_bin,
            Self::Drive => tensors.drive,
            Self::Bias => tensors.bias,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Objective;
    use crate::testing::{problems, recording};
    use crate::{Ridge, Solver};
    use nalgebra::DVector;

    /// Against the Gram matrix of the definition, at constant rates, for units of equal variance: others differ by a factor.
    #[test]
    fn it_solves_the_mean_hessian_of_each_unit() {
        let recording = recording();
        for problem in problems(&recording) {
            let ridge = Ridge {
                couplings: 2.0,
                same_bin: 1.5,
                drive: 0.7,
                tails: None,
            };
            let curvature = Solver::new(problem).unwrap().curvature(ridge);
            let (units, lags) = (problem.spikes.units(), problem.lags);
            let shape = Objective::new(problem).shape();
            let count = |n: usize| -> Vec<f64> { (0..n).map(|i| (i as f64 * 0.7).sin()).collect() };
            let gradient = [
                count(units * lags * units),
                count(if problem.same_bin { units * units } else { 0 }),
                count(shape.drive * units),
                count(units),
            ];
            let mut found = gradient.clone().map(|g| vec![0.0; g.len()]);
            let [couplings, same_bin, drive, bias] = gradient.each_ref().map(Vec::as_slice);
            let [c, s, d, b] = found.each_mut().map(Vec::as_mut_slice);
            curvature.inverse_times(
                Tensors {
                    couplings,
                    same_bin,
                    drive,
                    bias,
                },
                Tensors {
                    couplings: c,
                    same_bin: s,
                    drive: d,
                    bias: b,
                },
            );
            let mut gram = crate::testing::gram(&problem);
            let bins = problem.layout.scored_bins() as f64;
            let variance: Vec<f64> = (0..units)
                .map(|j| {
                    let mut spikes = 0.0;
                    for k in 0..problem.layout.trials() {
                        for t in problem.layout.first_bin()..problem.layout.bins(k) {
                            spikes += f64::from(problem.spikes.row(k, t)[j]);
                        }
                    }
                    spikes / bins * (1.0 - spikes / bins)
                })
                .collect();
            let mean = variance.iter().sum::<f64>() / units as f64;
            for row in 0..shape.rows() {
                let strength = ridge.of_row(shape, row);
                for column in 0..shape.rows() {
                    gram[(row, column)] *= mean;
                }
                let own = gram[(row, row)];
                gram[(row, row)] = own + strength + 1e-6 * (1.0 + own);
            }
            // The biases' part of the answer, up to the factor of each unit.
            let inverse = gram.try_inverse().unwrap();
            for j in 0..units {
                let mut loss = DVector::<f64>::zeros(shape.rows());
                let theta = problem.theta;
                curvature.visit(|row, tensor, at| {
                    let from = tensor.of(&Tensors {
                        couplings,
                        same_bin,
                        drive,
                        bias,
                    });
                    loss[row] = from[at * units + j] * theta * bins * units as f64;
                });
                for row in 0..shape.rows() {
                    if shape.is_fixed(row, j) {
                        loss[row] = 0.0;
                    }
                }
                let expected = &inverse * loss;
                let bias = shape.intercept();
                let factor = found[3][j] / (theta * expected[bias]);
                assert!(factor > 0.0, "{factor}");
                for source in 0..units {
                    let row = source * (lags + usize::from(problem.same_bin))
                        + usize::from(problem.same_bin);
                    let own = found[0][source * lags * units + j];
                    let expected = factor * theta * expected[row];
                    assert!(
                        (own - expected).abs() < 1e-6 * expected.abs().max(1.0),
                        "{own} {expected}"
                    );
                }
            }
        }
    }
}
