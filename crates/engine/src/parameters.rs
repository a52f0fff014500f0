//! Parameters of a network: three named tensors.

use refire_kernels::Real;

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

    /// Couplings, bias, drive weights: the order of [`TENSORS`].
    pub fn tensors(&self) -> [&Vec<T>; 3] {
        [&self.couplings, &self.bias, &self.drive]
    }

    /// Couplings, bias, drive weights: the order of [`TENSORS`].
    pub fn tensors_mut(&mut self) -> [&mut Vec<T>; 3] {
        [&mut self.couplings, &mut self.bias, &mut self.drive]
    }

    /// Whether every number is finite.
    pub fn are_finite(&self) -> bool {
        self.tensors().into_iter().flatten().all(|x| x.is_finite())
    }
}
