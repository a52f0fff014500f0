//! The noise covariance of a pass that is held window by window.

use super::{NoiseCovariance, Plan};
use crate::covariance::add_lagged_products;
use crate::windows::SpikesBefore;
use crate::{LossError, Sample, WindowedTerm};
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_neuron::EscapeNoise;
use refire_sim::Cotangents;

/// What crosses from window to window, with `'` for weighted deviations from the mean over trials, which
/// a window has by itself as it has all trials:
///
/// ```text
/// M[j,d,i]     = sum over windows of  sum_{t in window} sum_k p'_i[k,t] z_j[k,t-d]   z: lags-1 bins before
/// dL/dp[k,t,i] = centred over trials of w sum_{d,j} G[d,i,j] z_j[k,t-d]              z: the same
/// dL/dz_j[k,s] = sum_{d,i} G[d,i,j] p'_i[k,s+d]                                      p': lags-1 bins behind
/// ```
#[derive(Clone, Debug, Default)]
pub(super) struct AcrossWindows<T> {
    plan: Plan,
    replayed: bool,
    spikes: SpikesBefore,
    by_source: SpikeIndex,
    /// Deviations of the bins behind the window to come, `[trial][bin][unit]`.
    behind: TrialArray<T>,
}

impl<T: Real, E: EscapeNoise<T> + Send> WindowedTerm<T> for NoiseCovariance<T, E> {
    fn begin(&mut self, whole: &TrialLayout, replayed: bool) -> Result<(), LossError> {
        let (trials, n) = (whole.trials(), self.data.total_sd.len());
        let reach = self.data.lags.saturating_sub(1);
        self.across.plan = self.plan(whole)?;
        self.across.replayed = replayed;
        self.across.spikes.start(trials, reach, n);
        self.across.behind.reset(trials, reach, 0, n);
        self.clear_sums();
        Ok(())
    }

    fn measure(&mut self, window: &Sample<'_, T>, _start: usize) {
        let mut across = std::mem::take(&mut self.across);
        let (layout, spikes) = (window.layout, &window.trajectory.spikes);
        if across.replayed {
            across.spikes.keep();
        }
        let reach = across.spikes.rows().bins();
        self.set_deviations(&across.plan, window, reach);
        across.spikes.index(layout, spikes, &mut across.by_source);
        add_lagged_products(
            &across.by_source,
            &self.centred,
            0,
            0,
            self.data.lags,
            &across.plan.part_of_slot,
            (&mut self.lagged, &mut self.sums),
        );
        across.spikes.go_on(layout, spikes);
        self.across = across;
    }

    fn finish(&mut self, weight: f64) -> Result<f64, LossError> {
        let across = std::mem::take(&mut self.across);
        let value = self.value_and_slopes(&across.plan, weight);
        self.across = across;
        value
    }

    fn add_cotangents(
        &mut self,
        window: &Sample<'_, T>,
        _start: usize,
        cotangents: &mut Cotangents<T>,
    ) {
        let mut across = std::mem::take(&mut self.across);
        across.spikes.go_back();
        self.set_deviations(&across.plan, window, 0);
        // The padding of a trial becomes the bins behind it: where it has ended before, zeros.
        let (n, reach) = (self.centred.units(), across.behind.bins());
        let end = self.centred.bins() * n;
        for k in 0..window.layout.trials() {
            let trial = self.centred.trial_mut(k);
            trial[end..].copy_from_slice(across.behind.trial(k));
            let first = &trial[..reach * n];
            across.behind.trial_mut(k).copy_from_slice(first);
        }
        self.add_spike_cotangents(window, &across.plan.parts, cotangents);
        let before = Some(across.spikes.rows());
        self.add_probability_cotangents(window, &across.plan, before, cotangents);
        self.across = across;
    }
}
