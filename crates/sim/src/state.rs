//! What a pass leaves to the bins behind it: all it takes to go on, or to run them once more.

use crate::SimError;
use refire_core::TrialArray;
use refire_kernels::Real;

/// State of a pass between two bins.
///
/// Kept at every `S`-th bin it makes a checkpoint: `lags` rows per trial in place of the `S` rows of
/// each array of a trajectory (and one more of potentials and spikes for dynamics with memory).
#[derive(Clone, Debug, Default)]
pub struct PassState<T> {
    /// Currents that the spikes so far add to the bins to come, `[trial][lag][unit]`.
    currents: TrialArray<T>,
    /// The last bin, `[trial][1][unit]`; no row for dynamics without memory.
    potential: TrialArray<T>,
    spikes: TrialArray<u8>,
}

/// The state of one trial.
pub(crate) struct TrialState<'a, T> {
    pub currents: &'a mut [T],
    pub potential: &'a mut [T],
    pub spikes: &'a mut [u8],
}

impl<T: Real> PassState<T> {
    /// Takes the state of `other`, keeping allocations.
    pub fn copy_from(&mut self, other: &Self) {
        copy(&mut self.currents, &other.currents);
        copy(&mut self.potential, &other.potential);
        copy(&mut self.spikes, &other.spikes);
    }

    /// The state before bin 0 where `at_start`, else a check of what it holds.
    pub(crate) fn prepare(
        &mut self,
        at_start: bool,
        has_memory: bool,
        [trials, lags, units]: [usize; 3],
    ) -> Result<(), SimError> {
        let last = usize::from(has_memory);
        if at_start {
            self.currents.reset(trials, lags, 0, units);
            self.potential.reset(trials, last, 0, units);
            self.spikes.reset(trials, last, 0, units);
        }
        let found = [
            (
                "currents of the bins before",
                trials * lags * units,
                self.currents.as_slice().len(),
            ),
            (
                "potentials of the bin before",
                trials * last * units,
                self.potential.as_slice().len(),
            ),
        ];
        for (what, expected, found) in found {
            if expected != found {
                return Err(SimError::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// The state of each of `trials`.
    pub(crate) fn of_trials(&mut self, trials: usize) -> Vec<TrialState<'_, T>> {
        let (len, last) = (self.currents.trial_len(), self.potential.trial_len());
        let mut currents = self.currents.as_mut_slice();
        let mut potential = self.potential.as_mut_slice();
        let mut spikes = self.spikes.as_mut_slice();
        let mut states = Vec::with_capacity(trials);
        for _ in 0..trials {
            let (own, others) = currents.split_at_mut(len);
            let (own_potential, other_potentials) = potential.split_at_mut(last);
            let (own_spikes, other_spikes) = spikes.split_at_mut(last);
            states.push(TrialState {
                currents: own,
                potential: own_potential,
                spikes: own_spikes,
            });
            (currents, potential, spikes) = (others, other_potentials, other_spikes);
        }
        states
    }
}

fn copy<X: Copy + Default>(own: &mut TrialArray<X>, other: &TrialArray<X>) {
    own.reshape(other.trials(), other.bins(), other.pad(), other.units());
    own.as_mut_slice().copy_from_slice(other.as_slice());
}
