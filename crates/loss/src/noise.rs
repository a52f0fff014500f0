//! Noise-covariance term, corrected form.

use crate::covariance::{add_lagged_products, centre, fill_signal, trial_bins, unbiased};
use crate::trials::{Part, add_through_escape, parts};
use crate::{DataStatistics, LossError, LossTerm, Sample, WindowedTerm};
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout, for_each_fired};
use refire_kernels::{MatrixMut, MatrixRef, Real, add_rows, dispatch, matmul};
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, LaggedSums, Mode};
use std::sync::Arc;
use windows::AcrossWindows;

mod windows;

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
/// Exact in expectation since `E[z_i(t) | past] = p_i(t)`; probabilities on both sides, as
/// published, are not at lags from 1 on.
#[derive(Clone, Debug)]
pub struct NoiseCovariance<T, E> {
    escape: E,
    data: Arc<DataStatistics>,
    parts: usize,
    /// Weight in the mean of the entries `i = j`, those `i != j` having 1.
    diagonal: f64,
    centred: TrialArray<T>,
    d_centred: TrialArray<T>,
    sums: Vec<Vec<T>>,
    lagged: LaggedSums<T>,
    across: AcrossWindows<T>,
}

/// Which trials of a pass are measured, and what their sums are divided by.
#[derive(Clone, Debug, Default)]
struct Plan {
    conditions: Vec<usize>,
    /// Parts with `r_c`.
    parts: Vec<(Part, f64)>,
    part_of_slot: Vec<usize>,
    used: Vec<bool>,
    /// `N_d` of every part; 0 where a lag cannot be measured.
    norm: Vec<Vec<f64>>,
}

impl<T: Real, E> NoiseCovariance<T, E> {
    /// The term against the statistics of the training trials.
    ///
    /// With `parts` of 1 the value is a square, whose bias is the variance of the estimate: small
    /// batches then teach the model to fluctuate less. With more, every condition's trials are
    /// dealt to that many independent parts and only products of different parts count: unbiased
    /// whatever the number of trials, but noisier and unbounded below.
    pub fn new(escape: E, data: Arc<DataStatistics>, parts: usize) -> Self {
        Self {
            escape,
            data,
            parts: parts.max(1),
            diagonal: 1.0,
            centred: TrialArray::default(),
            d_centred: TrialArray::default(),
            sums: Vec::new(),
            lagged: LaggedSums::default(),
            across: AcrossWindows::default(),
        }
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
    pub(crate) fn of_subset(
        escape: E,
        data: Arc<DataStatistics>,
        parts: usize,
        spiking: usize,
    ) -> Self {
        let diagonal = match (data.total_sd.len(), spiking) {
            (m, spiking) if m < spiking => (m as f64 - 1.0) / (spiking as f64 - 1.0),
            _ => 1.0,
        };
        Self {
            diagonal,
            ..Self::new(escape, data, parts)
        }
    }

    /// Compares with the statistics of another subset of the same size.
    pub(crate) fn set_data(&mut self, data: Arc<DataStatistics>) {
        self.data = data;
    }

    /// The conditions both sides can measure, and their parts.
    fn usable(&self, layout: &TrialLayout) -> (Vec<usize>, Vec<(Part, f64)>) {
        let mut conditions = Vec::new();
        let mut usable = Vec::new();
        for parts in parts(layout, self.parts).chunks_exact(self.parts) {
            let Some(data) = self.data.condition(parts[0].condition) else {
                continue;
            };
            let measured = |part: &Part| trial_bins(layout, &part.slots, 1)[0] > 0.0;
            if data.trial_bins.first().is_none_or(|&n| n == 0.0) || !parts.iter().all(measured) {
                continue;
            }
            conditions.push(parts[0].condition);
            for part in parts {
                let ratio = data.trials as f64 / part.slots.len() as f64;
                usable.push((part.clone(), ratio));
            }
        }
        (conditions, usable)
    }

    fn plan(&self, layout: &TrialLayout) -> Result<Plan, LossError> {
        let (conditions, parts) = self.usable(layout);
        if conditions.is_empty() {
            return Err(self.nothing_to_measure());
        }
        let (trials, lags) = (layout.trials(), self.data.lags);
        let mut plan = Plan {
            conditions,
            parts,
            part_of_slot: vec![0; trials],
            used: vec![false; trials],
            norm: vec![vec![0.0; lags]; self.parts],
        };
        for (part, ratio) in &plan.parts {
            part.slots.iter().for_each(|&k| {
                (plan.part_of_slot[k], plan.used[k]) = (part.part, true);
            });
            let trial_bins = trial_bins(layout, &part.slots, lags);
            for (sum, bins) in plan.norm[part.part].iter_mut().zip(trial_bins) {
                *sum += ratio * bins;
            }
        }
        // A lag that no two recorded trials reach has nothing to be compared with.
        for d in 0..lags {
            let data = plan.conditions.iter();
            let data = data.filter_map(|&c| self.data.condition(c));
            if data.map(|data| data.trial_bins[d]).sum::<f64>() == 0.0 {
                plan.norm.iter_mut().for_each(|norm| norm[d] = 0.0);
            }
        }
        Ok(plan)
    }

    fn nothing_to_measure(&self) -> LossError {
        LossError::NoUsableCondition {
            term: NAME,
            needed: 2 * self.parts,
        }
    }

    /// Takes the weighted deviations of a pass; bin `t` goes to row `t + margin`.
    fn set_deviations(&mut self, plan: &Plan, sample: &Sample<'_, T>, margin: usize) {
        let (layout, n) = (sample.layout, self.data.total_sd.len());
        let (bins, pad) = (layout.max_bins() + margin, self.data.lags.saturating_sub(1));
        self.centred.reshape(layout.trials(), bins, pad, n);
        let p = &sample.trajectory.probability;
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
    }

    fn clear_sums(&mut self) {
        let n = self.data.total_sd.len();
        self.sums.resize_with(self.parts, Vec::new);
        for sums in &mut self.sums {
            sums.clear();
            sums.resize(n * self.data.lags * n, T::zero());
        }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for NoiseCovariance<T, E> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pass(&self) -> Mode {
        Mode::FreeRunning
    }

    fn windowed(&mut self) -> Option<&mut dyn WindowedTerm<T>> {
        Some(self)
    }

    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError> {
        let (layout, lags) = (sample.layout, self.data.lags);
        let plan = self.plan(layout)?;
        self.set_deviations(&plan, sample, 0);
        self.clear_sums();
        add_lagged_products(
            &sample.trajectory.by_source,
            &self.centred,
            0,
            layout.first_bin(),
            lags,
            &plan.part_of_slot,
            (&mut self.lagged, &mut self.sums),
        );
        let value = self.value_and_slopes(&plan, weight)?;
        self.add_spike_cotangents(sample, &plan.parts, cotangents);
        self.add_probability_cotangents(sample, &plan, None, cotangents);
        Ok(value)
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> NoiseCovariance<T, E> {
    /// The value of the term; sums of products become `weight * G`.
    fn value_and_slopes(&mut self, plan: &Plan, weight: f64) -> Result<f64, LossError> {
        let target = self.data.noise_covariance(&plan.conditions);
        let value = self.errors_to_slopes(&target, &plan.norm, weight);
        value.ok_or_else(|| self.nothing_to_measure())
    }

    /// Replaces the sums of products by `weight * G`; returns the value of the term, `None` where
    /// no entry can be measured.
    fn errors_to_slopes(&mut self, target: &[f64], norm: &[Vec<f64>], weight: f64) -> Option<f64> {
        let (sd, lags, n) = (
            &self.data.total_sd,
            self.data.lags,
            self.data.total_sd.len(),
        );
        let parts = self.parts;
        let pairs = (parts * parts.saturating_sub(1)).max(1) as f64;
        let mut errors = vec![0.0; parts];
        let entry = |at: usize| (at / (lags * n), at / n % lags, at % n);
        let counts = |(j, d, i): (usize, usize, usize)| {
            let measured = sd[i] * sd[j] > 0.0 && norm.iter().all(|norm| norm[d] > 0.0);
            measured && !(d == 0 && i == j)
        };
        let diagonal = self.diagonal;
        let (mut pairs_counted, mut units_counted) = (0usize, 0usize);
        for (j, _, i) in (0..n * lags * n).map(entry).filter(|&at| counts(at)) {
            units_counted += usize::from(i == j);
            pairs_counted += usize::from(i != j);
        }
        let entries = pairs_counted as f64 + diagonal * units_counted as f64;
        let mut sum = 0.0;
        for (at, &target) in target.iter().enumerate() {
            let (j, d, i) = entry(at);
            if !counts((j, d, i)) {
                self.sums.iter_mut().for_each(|sums| sums[at] = T::zero());
                continue;
            }
            let (scale, share) = (sd[i] * sd[j], if i == j { diagonal } else { 1.0 });
            for (error, (sums, norm)) in errors.iter_mut().zip(self.sums.iter().zip(norm)) {
                *error = (target - sums[at].f64() / norm[d]) / scale;
            }
            let total: f64 = errors.iter().sum();
            for (&error, (sums, norm)) in errors.iter().zip(self.sums.iter_mut().zip(norm)) {
                let others = if parts == 1 { error } else { total - error };
                sum += share * error * others / pairs;
                let slope = -2.0 * weight * share * others / (pairs * scale * entries);
                sums[at] = T::of(slope / norm[d]);
            }
        }
        (entries > 0.0).then(|| sum / entries)
    }

    /// `dL/dz_j[k,s] += G[j] . centred[k, s..s+L]`: one matrix product per trial.
    fn add_spike_cotangents(
        &self,
        sample: &Sample<'_, T>,
        parts: &[(Part, f64)],
        cotangents: &mut Cotangents<T>,
    ) {
        let (lags, n) = (self.data.lags, self.data.total_sd.len());
        let (layout, units) = (sample.layout, cotangents.potential.units());
        let first = layout.first_bin();
        let mut part_of = vec![None; layout.trials()];
        for (part, _) in parts {
            part.slots
                .iter()
                .for_each(|&k| part_of[k] = Some(part.part));
        }
        let d_spikes = cotangents.spikes_mut();
        let len = d_spikes.trial_len().max(1);
        d_spikes
            .as_mut_slice()
            .par_chunks_mut(len)
            .zip(part_of)
            .enumerate()
            .for_each(|(k, (d_spikes, part))| {
                let Some(part) = part else { return };
                let rows = layout.bins(k) - first;
                if rows == 0 {
                    return;
                }
                let centred = &self.centred.trial(k)[first * n..];
                matmul(
                    MatrixRef::rows(centred, rows, lags * n, n),
                    MatrixRef::rows(&self.sums[part], n, lags * n, lags * n).transposed(),
                    T::one(),
                    MatrixMut::rows(&mut d_spikes[first * units..], rows, n, units),
                );
            });
    }

    /// `dL/dcentred[k, s..s+L] += G[j]` for every spike, those in the rows `before` bin 0 of the sample among
    /// them, then back through the centring and the escape function.
    fn add_probability_cotangents(
        &mut self,
        sample: &Sample<'_, T>,
        plan: &Plan,
        before: Option<&TrialArray<u8>>,
        cotangents: &mut Cotangents<T>,
    ) {
        let (lags, n) = (self.data.lags, self.data.total_sd.len());
        let (layout, trajectory) = (sample.layout, sample.trajectory);
        self.d_centred.reset(
            layout.trials(),
            layout.max_bins(),
            lags.saturating_sub(1),
            n,
        );
        let len = self.d_centred.trial_len().max(1);
        let (sums, block) = (&self.sums, lags * n);
        self.d_centred
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(k, d_centred)| {
                let slopes = &sums[plan.part_of_slot[k]];
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
        for (part, ratio) in &plan.parts {
            let weight = |count| ratio * unbiased(count);
            centre(&mut self.d_centred, 0, layout, &part.slots, weight);
            add_through_escape(
                &self.escape,
                trajectory,
                (layout, &part.slots, layout.max_bins()),
                |k, t| self.d_centred.row(k, t),
                |d| d,
                cotangents,
            );
        }
    }
}
