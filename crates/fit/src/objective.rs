//! From a specification and training trials to the terms of the objective.

use crate::{Corrected, FitError, Published, Specification, Statistics};
use refire_core::{Recorded, TrialArray, TrialLayout};
use refire_engine::WeightedTerm;
use refire_kernels::Real;
use refire_loss::{
    DataStatistics, HiddenRate, Likelihood, NoiseCovariance, PairSample, Psth,
    SampledNoiseCovariance,
};
use refire_neuron::Logistic;
use refire_published::{
    BatchTrials, PublishedHiddenRate, PublishedNoiseCovariance, PublishedPsth, PublishedWeights,
    Transformable,
};
use refire_random::{Purpose, Stream};
use std::sync::Arc;

/// The terms of a fit.
pub struct Terms<T: Real> {
    /// Terms with their weights.
    pub terms: Vec<WeightedTerm<T>>,
    /// Terms that the trials cannot measure (a noise covariance without two trials of one condition), with the
    /// reason.
    pub left_out: Vec<String>,
    /// Where terms that compare with the recorded trials of the batch find them, where there are such terms.
    pub batch: Option<BatchTrials>,
}

impl<T: Transformable> Terms<T> {
    /// The terms of a specification, against the statistics of recorded trials.
    pub fn new(spec: &Specification, recorded: Recorded<'_>) -> Self {
        let mut terms = Self {
            terms: Vec::new(),
            left_out: Vec::new(),
            batch: None,
        };
        if let Some(weight) = spec.objective.likelihood() {
            let term = Likelihood::new(Logistic, recorded.spikes.units());
            terms.terms.push(WeightedTerm::new(term, weight));
        }
        let total_sd = || DataStatistics::without_pairs(recorded.spikes, recorded.layout);
        match spec.objective.statistics() {
            None => {}
            Some(Statistics::Corrected(corrected)) => {
                terms.add_corrected(spec, corrected, recorded);
            }
            Some(Statistics::Published(published)) => {
                let missing = Missing::new(spec, recorded, total_sd().total_sd());
                terms.add_published(spec, published, recorded, missing);
            }
        }
        terms
    }

    /// The terms, of which at least one must count.
    ///
    /// # Errors
    /// [`FitError::NothingToFit`] where none does.
    pub(crate) fn that_count(self) -> Result<Self, FitError> {
        if self.count() {
            return Ok(self);
        }
        let reasons = self.left_out.join("; ");
        Err(FitError::NothingToFit { reasons })
    }

    /// Whether any term counts for the objective.
    pub(crate) fn count(&self) -> bool {
        self.terms.iter().any(WeightedTerm::is_in_use)
    }

    fn add(&mut self, term: WeightedTerm<T>, missing: Option<String>) {
        match missing {
            None => self.terms.push(term),
            Some(reason) => self.left_out.push(reason),
        }
    }

    fn add_corrected(&mut self, spec: &Specification, of: &Corrected, recorded: Recorded<'_>) {
        let Recorded { spikes, layout } = recorded;
        let (lags, window, noise) = (spec.noise_lags(), spec.checkpoint_bins, of.noise);
        // Whatever holds a number per pair of units is left to the term that needs it.
        let data = Arc::new(match noise.pairs {
            None => DataStatistics::by_windows(spikes, layout, lags, window),
            Some(_) => DataStatistics::without_pairs(spikes, layout),
        });
        let missing = Missing::new(spec, recorded, data.total_sd());
        self.add(
            WeightedTerm::new(Psth::new(Arc::clone(&data)), of.psth),
            missing.psth,
        );
        let term = match noise.pairs {
            None => {
                let term = NoiseCovariance::new(data, noise.parts);
                WeightedTerm::new(term.with_same_bin(spec.network.same_bin), noise.weight())
            }
            Some(pairs) => {
                let sample = PairSample {
                    lags,
                    parts: noise.parts,
                    pairs,
                    same_bin: spec.network.same_bin,
                    window,
                    stream: Stream::new(spec.seed, Purpose::NoisePairs),
                };
                let term = SampledNoiseCovariance::new(recorded, sample);
                WeightedTerm::new(term, noise.weight())
            }
        };
        self.add(term, missing.noise);
        let observed = spikes.units();
        if spec.network.hidden > 0 {
            let hidden = observed..observed + spec.network.hidden;
            let term = HiddenRate::new(hidden, mean_rate(spikes, layout));
            self.add(WeightedTerm::new(term, of.hidden_rate), None);
        }
    }

    fn add_published(
        &mut self,
        spec: &Specification,
        of: &Published,
        recorded: Recorded<'_>,
        missing: Missing,
    ) {
        let observed = recorded.spikes.units();
        let batch = self.batch.insert(BatchTrials::default()).clone();
        let psth = PublishedPsth::new(observed, batch.clone());
        self.add(WeightedTerm::new(psth, of.psth), missing.psth);
        let noise = PublishedNoiseCovariance::new(observed, spec.noise_lags(), true, batch);
        self.add(WeightedTerm::new(noise, of.noise), missing.noise);
        if spec.network.hidden > 0 {
            let hidden = observed..observed + spec.network.hidden;
            let target = PublishedWeights::default().hidden_target;
            let term = PublishedHiddenRate::new(hidden, target);
            self.add(WeightedTerm::new(term, of.hidden_rate), None);
        }
    }
}

/// Why statistics cannot be measured, where they cannot.
struct Missing {
    psth: Option<String>,
    noise: Option<String>,
}

impl Missing {
    fn new(spec: &Specification, recorded: Recorded<'_>, total_sd: &[f64]) -> Self {
        let spiking = total_sd.iter().filter(|&&sd| sd > 0.0).count();
        let reach = lags_in_reach(recorded.layout);
        // A unit by itself has no lag 0.
        let alone = spiking == 1 && spec.noise_lags().min(reach) == 1;
        let silent = recorded.spikes.as_slice().iter().all(|&z| z == 0);
        let still = match silent {
            true => "no unit spikes",
            false => "the activity of no unit varies",
        };
        Self {
            psth: (spiking == 0).then(|| format!("psth: {still}")),
            noise: (reach == 0 || spiking == 0 || alone).then(|| {
                "nc: no pair of units whose activity varies has two trials of one condition"
                    .to_string()
            }),
        }
    }
}

/// Lags, lag 0 included, that two trials of one condition are long enough for; 0 where no condition
/// has two.
fn lags_in_reach(layout: &TrialLayout) -> usize {
    let of_group = layout.groups().iter().filter_map(|group| {
        let mut bins: Vec<usize> = group.slots.iter().map(|&k| layout.bins(k)).collect();
        bins.sort_unstable();
        bins.iter().rev().nth(1).copied()
    });
    let second_longest = of_group.max().unwrap_or(0);
    second_longest.saturating_sub(layout.first_bin())
}

/// Mean over observed units, spikes per bin; at least half a spike in all, so that a target exists
/// for a silent recording.
fn mean_rate(spikes: &TrialArray<u8>, layout: &TrialLayout) -> f64 {
    let mut count = 0u64;
    for slot in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(slot) {
            count += spikes
                .row(slot, t)
                .iter()
                .map(|&z| u64::from(z))
                .sum::<u64>();
        }
    }
    let bins = (layout.scored_bins() * spikes.units()).max(1) as f64;
    (count as f64).max(0.5) / bins.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, ObjectiveKind, fixture};

    #[test]
    fn rates_are_means_over_scored_bins_and_units() {
        // Two units; bin 0 is history, the second trial a bin shorter: 5 bins, 3 spikes.
        let layout = TrialLayout::new(vec![0, 0], vec![4, 3], 1).unwrap();
        let z = vec![1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1];
        let spikes = TrialArray::from_vec(z, 2, 4, 2).unwrap();
        assert_eq!(mean_rate(&spikes, &layout), 0.3);
        assert_eq!(mean_rate(&TrialArray::zeros(2, 4, 0, 2), &layout), 0.05);
    }

    #[test]
    fn lags_reach_as_far_as_two_trials_of_a_condition_do() {
        let of = |conditions: Vec<usize>, bins: Vec<usize>| {
            lags_in_reach(&TrialLayout::new(conditions, bins, 2).unwrap())
        };
        assert_eq!(of(vec![0, 0, 0, 1], vec![9, 3, 7, 9]), 5);
        assert_eq!(of(vec![0, 1], vec![9, 9]), 0);
    }

    #[test]
    fn hidden_units_have_a_rate_where_there_are_some() {
        let recording = fixture::recording();
        let (spikes, layout) = recording.select(&[0, 1, 2, 3, 4], 2).unwrap();
        let recorded = Recorded {
            spikes: &spikes,
            layout: &layout,
        };
        for form in [Form::Corrected, Form::Published] {
            for (hidden, terms) in [(0, 3), (2, 4)] {
                let kind = ObjectiveKind::MleAndSampleAndMeasure;
                let mut spec = Specification::with_form(&recording, kind, form);
                (spec.network.lags, spec.network.hidden) = (2, hidden);
                let found = Terms::<f32>::new(&spec, recorded);
                assert_eq!((found.terms.len(), found.left_out.len()), (terms, 0));
                assert!(found.count());
                // Terms of weight 0 do not count.
                *spec.objective.likelihood_mut().unwrap() = 0.0;
                let statistics = spec.objective.statistics_mut().unwrap();
                statistics.set_weights([Some(0.0); 3]);
                assert!(!Terms::<f32>::new(&spec, recorded).count());
            }
        }
    }
}
