//! The adjoints a loss hands back.

use crate::Window;
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout};
use refire_kernels::{Real, dispatch};
use refire_neuron::EscapeNoise;

/// Adjoints of a loss with respect to the bins of a [`Window`], every array `[trial][bin][unit]`: what the
/// engine pulls back. A loss adds to them by way of an [`AdjointSink`].
#[derive(Clone, Debug, Default)]
pub struct Adjoints<T> {
    /// `dL/dv` through potentials and probabilities; padded like [`Trajectory::potential`](crate::Trajectory::potential).
    pub potential: TrialArray<T>,
    spikes: TrialArray<T>,
    has_spikes: bool,
}

impl<T: Real> Adjoints<T> {
    /// Takes the shape of a batch, all zero.
    pub fn reset(&mut self, layout: &TrialLayout, lags: usize, units: usize) {
        let (trials, bins) = (layout.trials(), layout.max_bins());
        self.potential.reshape(trials, bins, lags, units);
        clear(&mut self.potential);
        self.spikes.reshape(trials, bins, 0, units);
        self.has_spikes = false;
    }

    /// Where a loss adds its adjoints; `slopes` turns those of probabilities into those of potentials.
    pub fn sink<'a>(&'a mut self, slopes: &'a dyn Slopes<T>) -> AdjointSink<'a, T> {
        AdjointSink {
            adjoints: self,
            slopes,
            which: None,
        }
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

/// `dL/dp` of some bins of one trial, rows `[bin][unit]`.
#[derive(Clone, Copy, Debug)]
pub struct ProbabilityRows<'a, T> {
    /// Slot of the trial in the batch, from 0.
    pub trial: usize,
    /// Bin of the first row, counted from the first bin of the window. Rows that do not count, those of history
    /// and beyond the end of the trial, are left out by the engine.
    pub first_bin: usize,
    /// `dL/dp`, `[bin][unit]`, a row every `width` numbers.
    pub rows: &'a [T],
    /// Numbers from one row to the next.
    pub width: usize,
    /// Units per row, at most `width`.
    pub units: usize,
    /// Which units of the network these are; the first ones unless given.
    pub which: Option<&'a [u32]>,
}

/// The slopes `p' = dp/dv` of a window: what the escape noise makes of `dL/dp`.
pub trait Slopes<T>: Sync {
    /// `dL/dv += p' dL/dp`, `d_potential` being the rows of the trial `[bin][unit]` in rows of `units`.
    fn add(&self, d_probability: ProbabilityRows<'_, T>, d_potential: &mut [T], units: usize);
}

/// Slopes `dp/dv` of an escape noise at the potentials of a window that was run.
#[derive(Clone, Copy, Debug)]
pub struct SlopesOf<'a, T, E> {
    /// Bins that were run, with their potentials and probabilities, `[trial][bin][unit]`.
    pub window: Window<'a, T>,
    /// The escape noise of its units.
    pub escape: &'a E,
}

impl<T: Real, E: EscapeNoise<T>> Slopes<T> for SlopesOf<'_, T, E> {
    fn add(&self, d_probability: ProbabilityRows<'_, T>, d_potential: &mut [T], units: usize) {
        let ProbabilityRows {
            trial,
            first_bin,
            rows,
            width,
            units: own,
            which,
        } = d_probability;
        let Window {
            layout, trajectory, ..
        } = self.window;
        let scored = layout.first_bin().max(first_bin);
        let end = layout
            .bins(trial)
            .min(first_bin + rows.len() / width.max(1));
        dispatch(
            #[inline(always)]
            || {
                for t in scored..end {
                    let v = trajectory.potential.row(trial, t);
                    let p = trajectory.probability.row(trial, t);
                    let d_probability = &rows[(t - first_bin) * width..][..own];
                    let into = &mut d_potential[t * units..][..units];
                    if let Some(which) = which {
                        for (&unit, &d) in which.iter().zip(d_probability) {
                            let unit = unit as usize;
                            into[unit] += d * self.escape.slope(v[unit], p[unit]);
                        }
                        continue;
                    }
                    let rows = into.iter_mut().zip(d_probability).zip(v).zip(p);
                    for (((into, &d), &v), &p) in rows {
                        *into += d * self.escape.slope(v, p);
                    }
                }
            },
        );
    }
}

/// Where a loss adds its adjoints: a statistic `dL/dp` and `dL/dz`, a likelihood `dL/dv`. None of them sees the
/// network: `dL/dp` is multiplied by the slope of the escape noise here.
pub struct AdjointSink<'a, T> {
    adjoints: &'a mut Adjoints<T>,
    slopes: &'a dyn Slopes<T>,
    which: Option<&'a [u32]>,
}

impl<'a, T: Real> AdjointSink<'a, T> {
    /// `dL/dv`, `[trial][bin][unit]`, to add to.
    pub fn potential(&mut self) -> &mut TrialArray<T> {
        &mut self.adjoints.potential
    }

    /// `dL/dz` through spikes, `[trial][bin][unit]`, to add to.
    pub fn spikes(&mut self) -> &mut TrialArray<T> {
        self.adjoints.spikes_mut()
    }

    /// `dL/dv` and what adds `dL/dp` to a trial of it, for a loss that goes through the trials itself.
    pub fn through_slopes(&mut self) -> (&mut TrialArray<T>, &'a dyn Slopes<T>) {
        (&mut self.adjoints.potential, self.slopes)
    }

    /// Adds `dL/dp` of some trials, given in ascending order, in parallel: `rows` has those of a trial from its
    /// first bin on, `[bin][unit]` in rows of `units`.
    pub fn add_probability<'r>(
        &mut self,
        trials: &[usize],
        units: usize,
        rows: impl Fn(usize) -> &'r [T] + Sync,
    ) where
        T: 'r,
    {
        let which = self.which;
        let (potential, slopes) = self.through_slopes();
        let (width, len) = (potential.units(), potential.trial_len().max(1));
        let all = potential.as_mut_slice().par_chunks_mut(len).enumerate();
        all.filter(|(k, _)| trials.binary_search(k).is_ok())
            .for_each(|(trial, into)| {
                let rows = ProbabilityRows {
                    trial,
                    first_bin: 0,
                    rows: rows(trial),
                    width: units,
                    units: units.min(width),
                    which,
                };
                slopes.add(rows, into, width);
            });
    }

    /// The same for a loss that measures some units only: those that [`Self::add_probability`] means from here on.
    pub fn of_units<'b>(&'b mut self, which: &'b [u32]) -> AdjointSink<'b, T> {
        AdjointSink {
            adjoints: self.adjoints,
            slopes: self.slopes,
            which: Some(which),
        }
    }
}
