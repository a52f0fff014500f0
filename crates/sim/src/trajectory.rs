//! What a pass leaves behind.

use refire_core::{SpikeIndex, TrialArray};
use refire_kernels::Real;
use refire_random::Uniforms;

/// Result of a pass over a batch, every array `[trial][bin][unit]`; bins beyond a trial's length
/// are zero.
#[derive(Clone, Debug, Default)]
pub struct Trajectory<T> {
    /// Potential `v`, with as many bins of padding as the network has lags.
    pub potential: TrialArray<T>,
    /// Spike probability `p` per bin.
    pub probability: TrialArray<T>,
    /// Spikes `z`, 0 or 1.
    pub spikes: TrialArray<u8>,
    /// The same spikes by source unit.
    pub by_source: SpikeIndex,
}

impl<T: Real> Trajectory<T> {
    /// Takes shape and values of `other`, keeping allocations.
    pub fn copy_from(&mut self, other: &Self) {
        take_shape(&mut self.potential, &other.potential);
        take_shape(&mut self.probability, &other.probability);
        take_shape(&mut self.spikes, &other.spikes);
        let trials = other.spikes.trials();
        self.by_source.trials_mut(trials);
        for trial in 0..trials {
            self.copy_trial(trial, other, trial);
        }
    }

    /// Copies trial `from` of `other`, a trajectory of the same shape, over trial `to`.
    pub fn copy_trial(&mut self, to: usize, other: &Self, from: usize) {
        let numbers = [
            (&mut self.potential, &other.potential),
            (&mut self.probability, &other.probability),
        ];
        for (own, other) in numbers {
            own.trial_mut(to).copy_from_slice(other.trial(from));
        }
        let spikes = other.spikes.trial(from);
        self.spikes.trial_mut(to).copy_from_slice(spikes);
        let trials = self.by_source.trials_mut(other.by_source.trials().len());
        trials[to].clone_from(&other.by_source.trials()[from]);
    }
}

fn take_shape<X: Copy + Default>(own: &mut TrialArray<X>, other: &TrialArray<X>) {
    own.reshape(other.trials(), other.bins(), other.pad(), other.units());
}

/// Uniforms given as an array `[trial][bin][unit]`, to repeat a run of another program.
#[derive(Clone, Copy, Debug)]
pub struct GivenUniforms<'a, T>(pub &'a TrialArray<T>);

impl<T: Real> Uniforms<T> for GivenUniforms<'_, T> {
    #[inline(always)]
    fn fill(&self, slot: usize, bin: usize, first_unit: usize, out: &mut [T]) {
        out.copy_from_slice(&self.0.row(slot, bin)[first_unit..first_unit + out.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_core::TrialLayout;

    fn counting(trials: usize, bins: usize) -> Trajectory<f64> {
        let mut trajectory = Trajectory::default();
        let layout = TrialLayout::uniform(trials, bins, 0).unwrap();
        trajectory.potential.reset(trials, bins, 2, 3);
        trajectory.probability.reset(trials, bins, 0, 3);
        trajectory.spikes.reset(trials, bins, 0, 3);
        for array in [&mut trajectory.potential, &mut trajectory.probability] {
            let numbers = array.as_mut_slice().iter_mut().enumerate();
            numbers.for_each(|(at, x)| *x = at as f64);
        }
        let spikes = trajectory.spikes.as_mut_slice().iter_mut().enumerate();
        spikes.for_each(|(at, z)| *z = u8::from(at % 5 == 2));
        trajectory.by_source.build(&trajectory.spikes, &layout);
        trajectory
    }

    #[test]
    fn a_copied_trial_is_copied_in_every_array() {
        let original = counting(3, 4);
        let mut copy = counting(5, 2);
        copy.copy_from(&original);
        copy.copy_trial(2, &original, 0);
        for (to, from) in [(0, 0), (1, 1), (2, 0)] {
            assert_eq!(copy.potential.trial(to), original.potential.trial(from));
            assert_eq!(copy.probability.trial(to), original.probability.trial(from));
            assert_eq!(copy.spikes.trial(to), original.spikes.trial(from));
            for unit in 0..3 {
                let found = copy.by_source.trials()[to].bins_of(unit);
                assert_eq!(found, original.by_source.trials()[from].bins_of(unit));
            }
        }
        let lengths = (copy.potential.trials(), copy.by_source.trials().len());
        assert_eq!(lengths, (3, 3));
        assert_ne!(original.spikes.trial(0), original.spikes.trial(2));
    }
}
