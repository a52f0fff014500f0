//! Parameters as the engine wants them: rows of units filled up to whole SIMD registers.

use crate::wiring::Rows;
use crate::{EngineError, FittedNetwork, NetworkShape, NetworkTensors, Parameters};
use refire_bptt::Gradient;
use refire_core::{AlignedVec, TrialArray, aligned_vec};
use refire_kernels::{LANES, Real};

/// A copy of parameters and drive in which every row of units starts on a cache line, or half of
/// one. Costs little (the couplings are copied once per pass over thousands of bins) and makes every
/// row operation of the engine run on whole, aligned registers.
#[derive(Clone, Debug)]
pub struct PaddedNetwork<T> {
    couplings: AlignedVec<T>,
    same_bin: AlignedVec<T>,
    bias: Vec<T>,
    drive: TrialArray<T>,
    shape: NetworkShape,
}

/// Row length for `units`: whole registers, or half ones where that would add more than a fifth.
fn padded(units: usize) -> usize {
    let wide = units.next_multiple_of(LANES);
    if 5 * wide <= 6 * units {
        wide
    } else {
        units.next_multiple_of(LANES / 2)
    }
}

impl<T: Real> PaddedNetwork<T> {
    /// A network of which nothing is loaded yet.
    pub fn new(shape: NetworkShape) -> Self {
        Self {
            couplings: aligned_vec(),
            same_bin: aligned_vec(),
            bias: Vec::new(),
            drive: TrialArray::default(),
            shape,
        }
    }

    /// What the network has besides its tensors.
    pub fn shape(&self) -> &NetworkShape {
        &self.shape
    }

    /// Copies couplings, biases and `drive` (`[condition][bin][unit]`).
    ///
    /// # Errors
    /// [`EngineError::Sim`] where a tensor has the wrong length.
    pub fn load(
        &mut self,
        parameters: &Parameters<T>,
        drive: &TrialArray<T>,
    ) -> Result<(), EngineError> {
        let (live, lags, units) = (self.shape.units(), self.shape.lags, self.units());
        let (wiring, couplings) = (&self.shape.wiring, &mut self.couplings);
        wiring.pad(&parameters.couplings, Rows { live, units }, lags, couplings)?;
        match &self.shape.same_bin {
            Some(wiring) => {
                let same_bin = &mut self.same_bin;
                wiring.pad(&parameters.same_bin, Rows { live, units }, 1, same_bin)?;
            }
            None => no_same_bin(&parameters.same_bin)?,
        }
        self.bias.resize(units, T::zero());
        self.bias[..parameters.bias.len()].copy_from_slice(&parameters.bias);
        self.drive.reshape(drive.trials(), drive.bins(), 0, units);
        let rows = drive.as_slice().chunks_exact(live.max(1));
        for (row, padded) in rows.zip(self.drive.as_mut_slice().chunks_exact_mut(units.max(1))) {
            padded[..live].copy_from_slice(row);
        }
        Ok(())
    }

    /// Units with those that only fill up rows.
    pub fn units(&self) -> usize {
        padded(self.shape.units())
    }

    /// The drive, `[condition][bin][unit]`, current.
    pub fn drive(&self) -> &TrialArray<T> {
        &self.drive
    }

    /// The gradient without what fills up rows; that of the drive goes to `drive`.
    pub(crate) fn strip(
        &self,
        gradient: &Gradient<T>,
        into: &mut Parameters<T>,
        drive: &mut TrialArray<T>,
    ) -> Result<(), EngineError> {
        let (live, lags, units) = (self.shape.units(), self.shape.lags, self.units());
        let (wiring, couplings) = (&self.shape.wiring, &mut into.couplings);
        wiring.strip(&gradient.couplings, Rows { live, units }, lags, couplings)?;
        into.same_bin.clear();
        if let Some(wiring) = &self.shape.same_bin {
            let same_bin = &mut into.same_bin;
            wiring.strip(&gradient.same_bin, Rows { live, units }, 1, same_bin)?;
        }
        into.bias.clear();
        into.bias.extend_from_slice(&gradient.bias[..live]);
        let rows = gradient.drive.as_slice().chunks_exact(units.max(1));
        for (row, padded) in drive.as_mut_slice().chunks_exact_mut(live.max(1)).zip(rows) {
            row.copy_from_slice(&padded[..live]);
        }
        Ok(())
    }

    /// The network of what was loaded.
    ///
    /// # Errors
    /// [`EngineError::Sim`] where nothing was.
    pub fn network(&self) -> Result<FittedNetwork<'_, T>, EngineError> {
        let tensors = NetworkTensors {
            couplings: &self.couplings,
            same_bin: &self.same_bin,
            bias: &self.bias,
        };
        self.shape.network(self.units(), tensors)
    }
}

/// Refuses couplings that a network without them would leave out.
fn no_same_bin<T>(found: &[T]) -> Result<(), EngineError> {
    if found.is_empty() {
        return Ok(());
    }
    Err(EngineError::Couplings {
        expected: "no same-bin couplings",
        found: "some",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wiring;

    #[test]
    fn rows_grow_by_little() {
        let expected = [
            (1, 8),
            (8, 8),
            (9, 16),
            (17, 24),
            (49, 56),
            (69, 80),
            (80, 80),
        ];
        for (units, row) in expected {
            assert_eq!(padded(units), row, "{units} units");
        }
    }

    #[test]
    fn stripping_undoes_loading() -> Result<(), EngineError> {
        let shape = NetworkShape {
            observed: 2,
            hidden: 1,
            lags: 2,
            wiring: Wiring::Dense,
            same_bin: Some(Wiring::Dense),
            theta: 0.4,
        };
        let numbers = |count: usize| (1..=count).map(|x| x as f64).collect::<Vec<_>>();
        let parameters = Parameters {
            couplings: numbers(3 * 2 * 3),
            bias: numbers(3),
            drive: Vec::new(),
            same_bin: vec![0.0, 7.0, 0.0, 0.0, 0.0, 0.0, 8.0, 9.0, 0.0],
        };
        let drive = TrialArray::from_vec(numbers(2 * 4 * 3), 2, 4, 3).unwrap_or_default();
        let mut network = PaddedNetwork::new(shape);
        network.load(&parameters, &drive)?;
        assert_eq!(network.units(), 8);
        let mut gradient = Gradient::default();
        gradient.couplings.clone_from(&network.couplings);
        gradient.same_bin.clone_from(&network.same_bin);
        gradient.bias.clone_from(&network.bias);
        gradient.drive.clone_from(&network.drive);
        let mut found = Parameters {
            couplings: vec![9.0],
            ..Parameters::default()
        };
        let mut stripped = TrialArray::zeros(2, 4, 0, 3);
        network.strip(&gradient, &mut found, &mut stripped)?;
        assert_eq!(found, parameters);
        assert_eq!(stripped, drive);
        Ok(())
    }
}
