//! Spikes of the bins before a window.

use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};

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
