//! Terms measured window by window, for passes too long to be held.

use crate::{LossError, Sample};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_sim::Cotangents;

/// A term of which no more than one window of a pass need be held at a time. Statistics of the whole
/// pass have no cotangent before all of it has been seen, so that windows are visited twice:
///
/// ```text
/// begin
/// measure          every window, in ascending order         sums over bins
/// finish                                                    sums -> value, and the slopes of the sums
/// add_cotangents   every window again, in descending order  slopes -> dL/dv, dL/dz
/// ```
///
/// Value and cotangents are those of [`crate::LossTerm::evaluate`] on the whole pass, up to rounding.
/// Windows are those of [`TrialLayout::window`]; together they have every bin, and a bin has the
/// rows of all its trials. The order is the caller's to keep.
pub trait WindowedTerm<T: Real> {
    /// Starts on a pass with the layout `whole`; `replayed` where [`Self::add_cotangents`] will follow.
    ///
    /// # Errors
    /// [`LossError`] where the batch does not allow the statistic.
    fn begin(&mut self, whole: &TrialLayout, replayed: bool) -> Result<(), LossError>;

    /// Takes in the bins from `start` on.
    fn measure(&mut self, window: &Sample<'_, T>, start: usize);

    /// The unweighted value, when all windows have been measured; cotangents will be those of `weight`
    /// times it.
    ///
    /// # Errors
    /// [`LossError`] where the batch does not allow the statistic.
    fn finish(&mut self, weight: f64) -> Result<f64, LossError>;

    /// Adds the cotangents of the bins from `start` on; `window` is what [`Self::measure`] was given.
    fn add_cotangents(
        &mut self,
        window: &Sample<'_, T>,
        start: usize,
        cotangents: &mut Cotangents<T>,
    );
}

/// Spikes of the bins before a window, as far back as a lag reaches, `[trial][bin][unit]`. Bins that
/// carry no statistic, history and those before bin 0, hold none.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpikesBefore {
    rows: TrialArray<u8>,
    /// Those before every window so far, one after the other.
    kept: Vec<u8>,
}

impl SpikesBefore {
    /// Those of `bins` bins before bin 0: none.
    pub(crate) fn start(&mut self, trials: usize, bins: usize, units: usize) {
        self.rows.reset(trials, bins, 0, units);
        self.kept.clear();
    }

    pub(crate) fn rows(&self) -> &TrialArray<u8> {
        &self.rows
    }

    /// Keeps the rows, for [`Self::go_back`].
    pub(crate) fn keep(&mut self) {
        self.kept.extend_from_slice(self.rows.as_slice());
    }

    /// Goes back to the rows last kept.
    pub(crate) fn go_back(&mut self) {
        let from = self.kept.len().saturating_sub(self.rows.as_slice().len());
        let rows = self.rows.as_mut_slice().iter_mut();
        rows.zip(self.kept.drain(from..))
            .for_each(|(z, kept)| *z = kept);
    }

    /// Goes on behind a window with these spikes, whose rows may have more units.
    pub(crate) fn go_on(&mut self, layout: &TrialLayout, spikes: &TrialArray<u8>) {
        let (before, units, bins) = (self.rows.bins(), self.rows.units(), layout.max_bins());
        let stay = before.saturating_sub(bins);
        let len = self.rows.trial_len().max(1);
        let trials = self.rows.as_mut_slice().par_chunks_mut(len).enumerate();
        trials.for_each(|(k, rows)| {
            rows.copy_within((before - stay) * units.., 0);
            let scored = layout.first_bin()..layout.bins(k);
            for row in stay..before {
                let (t, row) = (bins + row - before, &mut rows[row * units..][..units]);
                if scored.contains(&t) {
                    row.copy_from_slice(&spikes.row(k, t)[..units]);
                } else {
                    row.fill(0);
                }
            }
        });
    }

    /// Indexes them, and behind them the scored bins of the window itself: bin `t` of the window is
    /// `t` plus the rows before it.
    pub(crate) fn index(
        &self,
        layout: &TrialLayout,
        spikes: &TrialArray<u8>,
        index: &mut SpikeIndex,
    ) {
        let (before, units) = (self.rows.bins(), self.rows.units());
        let trials = index.trials_mut(layout.trials()).par_iter_mut().enumerate();
        trials.for_each(|(k, own)| {
            let scored = layout.first_bin()..layout.bins(k);
            let here = scored.map(|t| (before + t, &spikes.row(k, t)[..units]));
            let rows = (0..before).map(|t| (t, self.rows.row(k, t))).chain(here);
            own.build(rows, units);
        });
    }
}
