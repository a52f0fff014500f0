//! Noise-covariance term.

use crate::covariance::{Lagged, centre, fill_signal, unbiased};
use crate::spikes_before::SpikesBefore;
use crate::{DataStatistics, LossError, LossTerm};
use plan::Plan;
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout, for_each_fired};
use refire_kernels::{MatrixMut, MatrixRef, Real, add_rows, dispatch, matmul};
use refire_sim::{AdjointSink, LaggedSums, Window};
use std::sync::Arc;

mod plan;

const NAME: &str = "nc";

/// Mean square error of the noise covariance at lags `0..L`, in units of noise correlation, lag-0
/// diagonal left out.
///
/// ```text
/// C[d,i,j] = sum_c r_c sum_t K_t/(K_t-1) sum_k (p_i[k,t] - mean)(z_j[k,t-d] - mean) / N_d
/// N_d      = sum_c r_c sum_t K_t          r_c = recorded / simulated trials of condition c
/// E        = (C_data - C_model) / (s_i s_j)
/// L        = mean over entries of E^2, or, of P parts of the trials, of
///            sum_{a != b} E_a E_b / (P (P-1))
///
/// G[d,i,j] = dL/dC_a / N_d = -2 sum_{b != a} E_b / (P (P-1) s_i s_j M N_d)     M entries
///            (P = 1: -2 E / (s_i s_j M N_d))
/// dL/dp    = centred over trials of w sum_{d,j} G[d,i,j] z_j[k,t-d],    w = r_c K_t/(K_t-1)
/// dL/dz_j[k,s] = sum_{d,i} G[d,i,j] w (p_i[k,s+d] - mean)
/// ```
///
/// What crosses from window to window, with `'` for weighted deviations from the mean over trials, which
/// a window has by itself as it has all trials:
///
/// ```text
/// M[j,d,i]     = sum over windows of  sum_{t in window} sum_k p'_i[k,t] z_j[k,t-d]   z: lags-1 bins before
/// dL/dp[k,t,i] = centred over trials of w sum_{d,j} G[d,i,j] z_j[k,t-d]              z: the same
/// dL/dz_j[k,s] = sum_{d,i} G[d,i,j] p'_i[k,s+d]                                      p': lags-1 bins behind
/// ```
///
/// Exact in expectation since `E[z_i(t) | past] = p_i(t)`; probabilities on both sides, as
/// published, are not at lags from 1 on.
///
/// With same-bin couplings `p_i(t)` is that given the spikes before `i` in its bin too, and of the entries of lag 0 only
/// those in which `i` is behind `j` are exact; the others are the same covariances. Lag 0 then has parameters of its
/// own, one per pair, and is a mean of its own:
///
/// ```text
/// E[z_i(t) | past, z_j(t) of all j before i] = p_i(t)
/// L = mean over entries of later lags of E^2  +  mean over pairs i > j at lag 0 of E^2
/// ```
#[derive(Clone, Debug)]
pub struct NoiseCovariance<T> {
    data: Arc<DataStatistics>,
    parts: usize,
    /// Weight in the mean of the entries `i = j`, those `i != j` having 1.
    diagonal: f64,
    /// Whether units act on those behind them in the same bin.
    same_bin: bool,
    plan: Plan,
    with_adjoints: bool,
    /// Bins of the pass.
    bins: usize,
    /// Weighted deviations of the window at `held`: its bin `t` lies in row `t + margin`.
    centred: TrialArray<T>,
    held: Option<usize>,
    margin: usize,
    d_centred: TrialArray<T>,
    /// `M` of every part, then `weight * G`: `[source][lag][target]`.
    sums: Vec<Vec<T>>,
    lagged: LaggedSums<T>,
    spikes: SpikesBefore,
    by_source: SpikeIndex,
    /// Deviations of the bins behind the window to come, `[trial][bin][unit]`.
    behind: TrialArray<T>,
    value: f64,
}

impl<T: Real> NoiseCovariance<T> {
    /// The term against the statistics of the training trials.
    ///
    /// With `parts` of 1 the value is a square, whose bias is the variance of the estimate: small
    /// batches then teach the model to fluctuate less. With more, every condition's trials are
    /// dealt to that many independent parts and only products of different parts count: unbiased
    /// whatever the number of trials, but noisier and unbounded below.
    pub fn new(data: Arc<DataStatistics>, parts: usize) -> Self {
        Self {
            data,
            parts: parts.max(1),
            diagonal: 1.0,
            same_bin: false,
            plan: Plan::default(),
            with_adjoints: false,
            bins: 0,
            centred: TrialArray::default(),
            held: None,
            margin: 0,
            d_centred: TrialArray::default(),
            sums: Vec::new(),
            lagged: LaggedSums::default(),
            spikes: SpikesBefore::default(),
            by_source: SpikeIndex::default(),
            behind: TrialArray::default(),
            value: 0.0,
        }
    }

    /// The term for networks in which units, in the order of their indices, act on those behind them in the same bin.
    pub fn with_same_bin(self, same_bin: bool) -> Self {
        Self { same_bin, ..self }
    }

    /// The term on a random subset of a population's `spiking` units, drawn without replacement and
    /// with equal chances: `data` and trajectory hold the `m` units of the subset alone, and all of
    /// them spike. Its expectation over subsets is the term on the population.
    ///
    /// ```text
    /// weight of an entry i != j: 1          of an entry i = j: (m-1)/(spiking-1)
    /// ```
    ///
    /// These are in the ratio of the inverse chances `m(m-1) / (spiking (spiking-1))` that a pair is
    /// in the subset and `m/spiking` that a unit is (Horvitz & Thompson 1952), and as every subset
    /// has as many entries, their sum is fixed.
    pub(crate) fn of_subset(data: Arc<DataStatistics>, parts: usize, spiking: usize) -> Self {
        let diagonal = match (data.total_sd.len(), spiking) {
            (m, spiking) if m < spiking => (m as f64 - 1.0) / (spiking as f64 - 1.0),
            _ => 1.0,
        };
        Self {
            diagonal,
            ..Self::new(data, parts)
        }
    }

    /// Compares with the statistics of another subset of the same size.
    pub(crate) fn set_data(&mut self, data: Arc<DataStatistics>) {
        self.data = data;
    }

    fn nothing_to_measure(&self) -> LossError {
        LossError::NoUsableCondition {
            term: NAME,
            needed: 2 * self.parts,
        }
    }

    /// Bins that a lag reaches beyond its own.
    fn reach(&self) -> usize {
        self.data.lags.saturating_sub(1)
    }

    /// Takes the weighted deviations of a window; bin `t` goes to row `t + margin`.
    fn set_deviations(&mut self, window: &Window<'_, T>, margin: usize) {
        let (layout, n, plan) = (window.layout, self.data.total_sd.len(), &self.plan);
        let bins = layout.max_bins() + margin;
        let pad = self.data.lags.saturating_sub(1);
        self.centred.reshape(layout.trials(), bins, pad, n);
        let p = &window.trajectory.probability;
        fill_signal(&mut self.centred, layout, margin, n, |k, t, row| {
            if plan.used[k] {
                row.copy_from_slice(&p.row(k, t)[..n]);
            } else {
                row.fill(T::zero());
            }
        });
        for (part, ratio) in &plan.parts {
            let weight = |count| ratio * unbiased(count);
            centre(&mut self.centred, margin, layout, &part.slots, weight);
        }
        (self.held, self.margin) = (Some(window.start), margin);
    }
}

impl<T: Real> LossTerm<T> for NoiseCovariance<T> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begin(&mut self, whole: &TrialLayout, with_adjoints: bool) -> Result<(), LossError> {
        let (trials, n, reach) = (whole.trials(), self.data.total_sd.len(), self.reach());
        let plan = Plan::new(&self.data, self.parts, whole);
        self.plan = plan.ok_or_else(|| self.nothing_to_measure())?;
        (self.with_adjoints, self.bins) = (with_adjoints, whole.max_bins());
        self.spikes.start(trials, reach, n);
        self.behind.reset(trials, reach, 0, n);
        self.sums.resize_with(self.parts, Vec::new);
        for sums in &mut self.sums {
            sums.clear();
            sums.resize(n * self.data.lags * n, T::zero());
        }
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        let Window {
            layout,
            start,
            trajectory,
        } = *window;
        // Before bin 0 there is nothing.
        let margin = if start == 0 { 0 } else { self.reach() };
        self.set_deviations(window, margin);
        let (by_source, first_bin) = if start == 0 {
            (&trajectory.by_source, layout.first_bin())
        } else {
            if self.with_adjoints {
                self.spikes.keep();
            }
            let index = &mut self.by_source;
            self.spikes.index(layout, &trajectory.spikes, index);
            (&self.by_source, 0)
        };
        let of_window = Lagged {
            by_source,
            signal: &self.centred,
            margin: 0,
            first_bin,
            lags: self.data.lags,
            part_of_trial: &self.plan.part_of_trial,
        };
        of_window.add_products(&mut self.lagged, &mut self.sums);
        if start + layout.max_bins() < self.bins {
            self.spikes.go_on(layout, &trajectory.spikes);
        }
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        let target = self.data.noise_covariance(&self.plan.conditions);
        let value = self.errors_to_slopes(&target, weight);
        self.value = value.ok_or_else(|| self.nothing_to_measure())?;
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        self.go_back_to(window);
        self.add_spike_adjoints(window, sink.spikes());
        self.add_probability_adjoints(window, sink);
    }

    fn value(&self) -> f64 {
        self.value
    }
}

impl<T: Real> NoiseCovariance<T> {
    /// Takes spikes before and deviations of a window again, and those behind it.
    pub(crate) fn go_back_to(&mut self, window: &Window<'_, T>) {
        let start = window.start;
        if start > 0 {
            self.spikes.go_back();
        }
        if self.held != Some(start) {
            self.set_deviations(window, 0);
        }
        // The padding of a trial becomes the bins behind it: where it has ended before, zeros.
        let (n, reach) = (self.centred.units(), self.behind.bins());
        let (from, end) = (self.margin * n, self.centred.bins() * n);
        let is_last = start + window.layout.max_bins() >= self.bins;
        for k in 0..window.layout.trials() {
            let trial = self.centred.trial_mut(k);
            if !is_last {
                trial[end..].copy_from_slice(self.behind.trial(k));
            }
            if start > 0 {
                let first = &trial[from..from + reach * n];
                self.behind.trial_mut(k).copy_from_slice(first);
            }
        }
    }

    /// Replaces the sums of products by `weight * G`; returns the value of the term, `None` where
    /// no entry can be measured.
    fn errors_to_slopes(&mut self, target: &[f64], weight: f64) -> Option<f64> {
        let norm = &self.plan.norm;
        let (sd, lags, n) = (
            &self.data.total_sd,
            self.data.lags,
            self.data.total_sd.len(),
        );
        let (parts, same_bin) = (self.parts, self.same_bin);
        let pairs = (parts * parts.saturating_sub(1)).max(1) as f64;
        let mut errors = vec![0.0; parts];
        let entry = |at: usize| (at / (lags * n), at / n % lags, at % n);
        let counts = |(j, d, i): (usize, usize, usize)| {
            let measured = sd[i] * sd[j] > 0.0 && norm.iter().all(|norm| norm[d] > 0.0);
            let exact = d > 0 || if same_bin { i > j } else { i != j };
            measured && exact
        };
        let diagonal = self.diagonal;
        // With same-bin couplings lag 0 is a mean of its own, the second.
        let mean_of = |d: usize| usize::from(d == 0 && same_bin);
        let share = |(j, _, i): (usize, usize, usize)| if i == j { diagonal } else { 1.0 };
        let mut entries = [0.0; 2];
        for at in (0..n * lags * n).map(entry).filter(|&at| counts(at)) {
            entries[mean_of(at.1)] += share(at);
        }
        let mut sums = [0.0; 2];
        for (at, &target) in target.iter().enumerate() {
            let (j, d, i) = entry(at);
            if !counts((j, d, i)) {
                self.sums.iter_mut().for_each(|sums| sums[at] = T::zero());
                continue;
            }
            let (scale, share) = (sd[i] * sd[j], share((j, d, i)));
            for (error, (sums, norm)) in errors.iter_mut().zip(self.sums.iter().zip(norm)) {
                *error = (target - sums[at].f64() / norm[d]) / scale;
            }
            let total: f64 = errors.iter().sum();
            let (sum, entries) = (&mut sums[mean_of(d)], entries[mean_of(d)]);
            for (&error, (sums, norm)) in errors.iter().zip(self.sums.iter_mut().zip(norm)) {
                let others = if parts == 1 { error } else { total - error };
                *sum += share * error * others / pairs;
                let slope = -2.0 * weight * share * others / (pairs * scale * entries);
                sums[at] = T::new(slope / norm[d]);
            }
        }
        let means = sums
            .iter()
            .zip(entries)
            .filter(|(_, entries)| *entries > 0.0);
        means
            .map(|(sum, entries)| sum / entries)
            .reduce(|a, b| a + b)
    }

    /// `dL/dz_j[k,s] += G[j] . centred[k, s..s+L]`: one matrix product per trial.
    pub(crate) fn add_spike_adjoints(&self, window: &Window<'_, T>, d_spikes: &mut TrialArray<T>) {
        let (lags, n) = (self.data.lags, self.data.total_sd.len());
        let (layout, units) = (window.layout, d_spikes.units());
        let first = layout.first_bin();
        let len = d_spikes.trial_len().max(1);
        d_spikes
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .filter(|&(k, _)| self.plan.used[k])
            .for_each(|(k, d_spikes)| {
                let rows = layout.bins(k) - first;
                if rows == 0 {
                    return;
                }
                let centred = &self.centred.trial(k)[(first + self.margin) * n..];
                let slopes = &self.sums[self.plan.part_of_trial[k]];
                matmul(
                    MatrixRef::rows(centred, rows, lags * n, n),
                    MatrixRef::rows(slopes, n, lags * n, lags * n).transposed(),
                    T::one(),
                    MatrixMut::rows(&mut d_spikes[first * units..], rows, n, units),
                );
            });
    }

    /// `dL/dcentred[k, s..s+L] += G[j]` for every spike, those in the bins before the window among
    /// them, then back through the centring.
    pub(crate) fn add_probability_adjoints(
        &mut self,
        window: &Window<'_, T>,
        sink: &mut AdjointSink<'_, T>,
    ) {
        let (lags, n) = (self.data.lags, self.data.total_sd.len());
        let (layout, trajectory) = (window.layout, window.trajectory);
        self.d_centred.reset(
            layout.trials(),
            layout.max_bins(),
            lags.saturating_sub(1),
            n,
        );
        let len = self.d_centred.trial_len().max(1);
        let before = (window.start > 0).then_some(self.spikes.rows());
        let (sums, plan, block) = (&self.sums, &self.plan, lags * n);
        self.d_centred
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(k, d_centred)| {
                let slopes = &sums[plan.part_of_trial[k]];
                let mut fired = Vec::with_capacity(n);
                dispatch(
                    #[inline(always)]
                    || {
                        let before = before.map_or(&[][..], |before| before.trial(k));
                        for (row, spikes) in before.chunks_exact(n.max(1)).enumerate() {
                            fired.clear();
                            for_each_fired(spikes, |j| fired.push(j));
                            let len = (row + 1) * n;
                            let ends = fired.iter().map(|&j| &slopes[(j + 1) * block - len..]);
                            add_rows(&mut d_centred[..len], ends.map(|end| &end[..len]));
                        }
                        for t in layout.first_bin()..layout.bins(k) {
                            fired.clear();
                            for_each_fired(&trajectory.spikes.row(k, t)[..n], |j| fired.push(j));
                            let rows = fired.iter().map(|&j| &slopes[j * block..(j + 1) * block]);
                            add_rows(&mut d_centred[t * n..][..block], rows);
                        }
                    },
                );
            });
        for (part, ratio) in &self.plan.parts {
            let weight = |count| ratio * unbiased(count);
            centre(&mut self.d_centred, 0, layout, &part.slots, weight);
            sink.add_probability(&part.slots, n, |k| self.d_centred.trial(k));
        }
    }
}
