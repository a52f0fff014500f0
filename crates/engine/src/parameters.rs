//! Parameters of a network: named tensors.

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
    /// Same-bin couplings `[source][target]`, current per spike, 0 where the target is not behind the source; sparse
    /// ones `[source][synapse onto a unit behind]`; none where there are no such couplings.
    pub same_bin: Vec<T>,
}

/// Names of the tensors, in the order of [`Parameters::tensors`].
pub const TENSORS: [&str; 4] = ["couplings", "bias", "drive", "same-bin couplings"];

impl<T: Real> Parameters<T> {
    /// Zeros of the given lengths, without same-bin couplings.
    pub fn zeros(couplings: usize, bias: usize, drive: usize) -> Self {
        Self {
            couplings: vec![T::zero(); couplings],
            bias: vec![T::zero(); bias],
            drive: vec![T::zero(); drive],
            same_bin: Vec::new(),
        }
    }

    /// All of them, in the order of [`TENSORS`].
    pub fn tensors(&self) -> [&Vec<T>; 4] {
        [&self.couplings, &self.bias, &self.drive, &self.same_bin]
    }

    /// All of them, in the order of [`TENSORS`].
    pub fn tensors_mut(&mut self) -> [&mut Vec<T>; 4] {
        let Self {
            couplings,
            bias,
            drive,
            same_bin,
        } = self;
        [couplings, bias, drive, same_bin]
    }

    /// Whether every number is finite.
    pub fn are_finite(&self) -> bool {
        self.tensors().into_iter().flatten().all(|x| x.is_finite())
    }
}
