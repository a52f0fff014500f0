//! What a pass leaves behind, and the adjoints a loss hands back.

use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
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

/// Adjoints of a loss with respect to a [`Trajectory`], every array `[trial][bin][unit]`.
///
/// This is the whole contract between losses and engine: a loss adds to these two and never sees
/// the network, the engine pulls them back and never sees the loss.
#[derive(Clone, Debug, Default)]
pub struct Cotangents<T> {
    /// `dL/dv` through potentials and probabilities; padded like [`Trajectory::potential`].
    pub potential: TrialArray<T>,
    spikes: TrialArray<T>,
    has_spikes: bool,
}

impl<T: Real> Cotangents<T> {
    /// Takes the shape of a batch, all zero.
    pub fn reset(&mut self, layout: &TrialLayout, lags: usize, units: usize) {
        let (trials, bins) = (layout.trials(), layout.max_bins());
        self.potential.reshape(trials, bins, lags, units);
        clear(&mut self.potential);
        self.spikes.reshape(trials, bins, 0, units);
        self.has_spikes = false;
    }

    /// `dL/dv` and `dL/dz`, to pull back; the second only where a loss has asked for it.
    pub fn both(&mut self) -> (&mut TrialArray<T>, Option<&TrialArray<T>>) {
        let spikes = self.has_spikes.then_some(&self.spikes);
        (&mut self.potential, spikes)
    }

    /// `dL/dz` through spikes, to add to.
    pub fn spikes_mut(&mut self) -> &mut TrialArray<T> {
        if !self.has_spikes {
            clear(&mut self.spikes);
            self.has_spikes = true;
        }
        &mut self.spikes
    }
}

fn clear<T: Real>(array: &mut TrialArray<T>) {
    let len = array.trial_len().max(1);
    let trials = array.as_mut_slice().par_chunks_mut(len);
    trials.for_each(|trial| trial.fill(T::zero()));
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
