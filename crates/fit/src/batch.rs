//! Which trials an iteration sees: a pure function of seed and iteration.

use crate::{BatchSize, FitError, Specification};
use refire_core::{RecordedTrials, TrialArray, TrialLayout};
use refire_engine::Batch;
use refire_random::{Purpose, Stream};
use refire_recording::Recording;
use std::sync::Arc;

/// Free-running trials of each condition in a batch: two halves of two, the least that the
/// corrected statistics can use.
pub const MIN_FREE_TRIALS: usize = 4;

/// Trials of a recording, by condition, that batches are drawn from.
#[derive(Clone, Debug)]
pub struct Pool<'a> {
    recording: &'a Recording,
    first_bin: usize,
    /// Trials of each condition (dense index); may be empty.
    by_condition: Vec<Vec<usize>>,
}

impl<'a> Pool<'a> {
    /// A pool of the given trials; the bins of each before `first_bin` are history.
    pub fn new(recording: &'a Recording, trials: &[usize], first_bin: usize) -> Self {
        let mut by_condition = vec![Vec::new(); recording.n_conditions()];
        for &trial in trials {
            by_condition[recording.conditions()[trial]].push(trial);
        }
        Self {
            recording,
            first_bin,
            by_condition,
        }
    }

    /// Conditions with at least one trial.
    pub fn conditions(&self) -> Vec<usize> {
        (0..self.by_condition.len())
            .filter(|&c| !self.by_condition[c].is_empty())
            .collect()
    }

    /// All trials of the pool as one batch. Each starts the same number of free-running slots, as
    /// many as it takes to hold `free_bins` bins (and at least [`MIN_FREE_TRIALS`] per condition).
    ///
    /// # Errors
    /// [`FitError`] where a trial has no bin after the history.
    pub fn whole(&self, free_bins: usize) -> Result<Batch, FitError> {
        let recorded: Vec<usize> = self.by_condition.iter().flatten().copied().collect();
        let times = free_bins.div_ceil(self.scored_bins(&recorded).max(1));
        let mut free = Vec::new();
        for trials in self.by_condition.iter().filter(|t| !t.is_empty()) {
            let count = (times * trials.len()).max(MIN_FREE_TRIALS);
            free.extend((0..count).map(|i| trials[i % trials.len()]));
        }
        self.assemble(&recorded, &free)
    }

    /// The batch of an iteration: about `size` recorded trials spread over the conditions in
    /// proportion to their trials, and free-running ones in the same proportion: as many, but at
    /// least [`MIN_FREE_TRIALS`] of each condition and so many that they hold `free_bins` bins;
    /// where `size` does not allow that for all conditions, a share of the conditions in turn, one
    /// with two trials (which a noise covariance needs) among them where there is one. Trials of a
    /// condition are visited in a new random order per epoch.
    ///
    /// # Errors
    /// [`FitError`] where a trial has no bin after the history.
    pub fn draw(&self, seed: u64, iteration: usize, size: BatchSize) -> Result<Batch, FitError> {
        let BatchSize {
            trials: size,
            free_bins,
            recorded_bins,
        } = size;
        let recorded_bins = recorded_bins.unwrap_or(0);
        let conditions = self.conditions();
        let at_once = (size / MIN_FREE_TRIALS).clamp(1, conditions.len().max(1));
        let mut chosen: Vec<usize> = (0..at_once)
            .map(|i| {
                let at = (iteration as u64) * at_once as u64 + i as u64;
                conditions[in_turn(seed, u32::MAX, conditions.len(), at)]
            })
            .collect();
        let repeated = |c: &usize| self.by_condition[*c].len() > 1;
        if !chosen.iter().any(repeated) {
            let with_two: Vec<usize> = conditions.iter().copied().filter(repeated).collect();
            if !with_two.is_empty() {
                let at = in_turn(seed, u32::MAX - 1, with_two.len(), iteration as u64);
                chosen.push(with_two[at]);
            }
        }
        chosen.sort_unstable();
        chosen.dedup();
        let total: usize = chosen.iter().map(|&c| self.by_condition[c].len()).sum();
        let bins = chosen
            .iter()
            .map(|&c| self.scored_bins(&self.by_condition[c]));
        let bins: usize = bins.sum();
        let free_size = size.max((free_bins * total).div_ceil(bins.max(1)));
        let history = Stream::new(seed, Purpose::History);
        let (mut recorded, mut free) = (Vec::new(), Vec::new());
        let mut record = |c: usize, share: usize| {
            let trials = &self.by_condition[c];
            let quota = share.clamp(1, trials.len());
            if quota == trials.len() {
                return recorded.extend(trials);
            }
            for i in 0..quota {
                let at = (iteration as u64) * quota as u64 + i as u64;
                recorded.push(trials[in_turn(seed, c as u32, trials.len(), at)]);
            }
        };
        if recorded_bins > 0 {
            let bins_of = |&c: &usize| self.scored_bins(&self.by_condition[c]);
            let all: usize = conditions.iter().map(bins_of).sum();
            // Of each condition the same share of its trials.
            let trials: usize = self.by_condition.iter().map(Vec::len).sum();
            let share = recorded_bins as f64 / all.max(1) as f64;
            let share = share.max(size as f64 / trials.max(1) as f64);
            for &c in &conditions {
                let trials = self.by_condition[c].len() as f64;
                record(c, (share * trials).ceil() as usize);
            }
        }
        for &c in &chosen {
            let trials = &self.by_condition[c];
            if recorded_bins == 0 {
                record(c, (size * trials.len()).div_ceil(total.max(1)));
            }
            let free_share = (free_size * trials.len()).div_ceil(total.max(1));
            for _ in 0..free_share.max(MIN_FREE_TRIALS) {
                let slot = free.len() as u32;
                free.push(trials[history.below(trials.len(), iteration as u32, slot, 0)]);
            }
        }
        self.assemble(&recorded, &free)
    }

    /// Bins behind the history, of these trials together.
    fn scored_bins(&self, trials: &[usize]) -> usize {
        let of = |&trial: &usize| self.recording.bins()[trial] - self.first_bin;
        trials.iter().map(of).sum()
    }

    fn assemble(&self, recorded: &[usize], free: &[usize]) -> Result<Batch, FitError> {
        let (spikes, layout) = self.recording.select(recorded, self.first_bin)?;
        let (histories, free_layout) = start_from(self.recording, free, self.first_bin)?;
        Ok(Batch {
            recorded: Arc::new(RecordedTrials {
                spikes,
                layout,
                keys: recorded.iter().map(|&k| k as u32).collect(),
            }),
            histories,
            free_layout,
            free_keys: (0..free.len() as u32).collect(),
        })
    }
}

/// Histories and layout of free-running slots that start from the given recorded trials.
fn start_from(
    recording: &Recording,
    trials: &[usize],
    first_bin: usize,
) -> Result<(TrialArray<u8>, TrialLayout), FitError> {
    let mut histories = TrialArray::zeros(trials.len(), first_bin, 0, recording.n_units());
    for (slot, &trial) in trials.iter().enumerate() {
        histories
            .trial_mut(slot)
            .copy_from_slice(recording.spikes().block(trial, 0, first_bin));
    }
    let conditions = trials.iter().map(|&k| recording.conditions()[k]).collect();
    let bins = trials.iter().map(|&k| recording.bins()[k]).collect();
    let layout = TrialLayout::new(conditions, bins, first_bin)
        .map_err(refire_recording::RecordingError::from)?;
    Ok((histories, layout))
}

/// Whether the free-running trials of some condition make as many parts of two trials as are asked for.
pub(crate) fn check_parts(spec: &Specification, batch: &Batch) -> Result<(), FitError> {
    let groups = batch.free_layout.groups().iter();
    let most = groups.map(|group| group.slots.len()).max().unwrap_or(0) / 2;
    let parts = spec.objective.corrected().map_or(0, |c| c.noise.parts);
    if parts <= most {
        return Ok(());
    }
    let allowed = "at most half the free-running trials of a condition (see free-bins)";
    let found = format!("{parts} for {} trials", 2 * most);
    Err(FitError::setting("noise-parts", allowed, found))
}

/// Element `at` of an endless visit of `0..count` in a new random order per epoch.
fn in_turn(seed: u64, family: u32, count: usize, at: u64) -> usize {
    let (epoch, place) = ((at / count as u64) as u32, (at % count as u64) as usize);
    let stream = Stream::new(seed, Purpose::Batch);
    let mut order: Vec<usize> = (0..count).collect();
    // Fisher-Yates from the front: element `place` is settled after `place` swaps.
    for i in 0..=place {
        let j = i + stream.below(count - i, epoch, family, i as u32);
        order.swap(i, j);
    }
    order[place]
}

#[cfg(test)]
mod tests {
    use super::{Pool, in_turn};
    use crate::BatchSize;
    use refire_core::{TrialArray, TrialLayout};
    use refire_recording::{BinWidth, Label, Recording, RecordingParts};

    /// Trials told apart by their first two bins, of two conditions and three lengths.
    #[test]
    fn free_trials_start_from_histories_of_their_own_condition_and_length() {
        let trials = 12;
        let mut spikes = TrialArray::<u8>::zeros(trials, 6, 0, 2);
        for k in 0..trials {
            let code = [k & 1, k >> 1 & 1, k >> 2 & 1, k >> 3].map(|bit| bit as u8);
            spikes.trial_mut(k)[..4].copy_from_slice(&code);
        }
        let width = BinWidth::from_seconds(0.01).unwrap();
        let recording = Recording::new(RecordingParts {
            bins: (0..trials).map(|k| 4 + k % 3).collect(),
            labels: (0..trials as i64).map(|k| Label::Number(k % 2)).collect(),
            ..RecordingParts::new(spikes, width)
        })
        .unwrap();
        let size = BatchSize {
            trials: 9,
            free_bins: 200,
            recorded_bins: None,
        };
        let pool = Pool::new(&recording, &[0, 1, 2, 3, 5, 6, 7, 8, 9], 2);
        let mut seen = std::collections::BTreeSet::new();
        for batch in [pool.whole(400), pool.draw(1, 3, size)] {
            let batch = batch.unwrap();
            for slot in 0..batch.free_layout.trials() {
                let bits = batch.histories.trial(slot).iter().enumerate();
                let k: usize = bits.map(|(at, &z)| usize::from(z) << at).sum();
                assert!(pool.by_condition.concat().contains(&k), "trial {k}");
                assert_eq!(batch.free_layout.condition(slot), k % 2);
                assert_eq!(batch.free_layout.bins(slot), 4 + k % 3);
                seen.insert(k);
            }
        }
        assert_eq!(seen.len(), 9, "every trial starts some");
    }

    /// Trials of ten bins, of which two are history; so many of each condition.
    fn of_conditions(counts: &[usize]) -> Recording {
        let labels = counts.iter().enumerate();
        let labels = labels.flat_map(|(c, &n)| vec![Label::Number(c as i64); n]);
        let labels: Vec<Label> = labels.collect();
        let spikes = TrialArray::<u8>::zeros(labels.len(), 10, 0, 1);
        Recording::new(RecordingParts {
            labels,
            ..RecordingParts::new(spikes, BinWidth::from_seconds(0.01).unwrap())
        })
        .unwrap()
    }

    #[test]
    fn batches_have_their_share_of_every_condition_and_as_many_free_bins_as_asked() {
        let recording = of_conditions(&[8, 4]);
        let all: Vec<usize> = (0..12).collect();
        let pool = Pool::new(&recording, &all, 2);
        let counts = |layout: &TrialLayout| {
            let of = |c| {
                (0..layout.trials())
                    .filter(|&k| layout.condition(k) == c)
                    .count()
            };
            [of(0), of(1)]
        };
        let drawn = |trials, free_bins| {
            let size = BatchSize {
                trials,
                free_bins,
                recorded_bins: None,
            };
            let batch = pool.draw(1, 0, size).unwrap();
            (counts(&batch.recorded.layout), counts(&batch.free_layout))
        };
        assert_eq!(drawn(9, 0), ([6, 3], [6, 4]));
        // 160 bins are 20 trials of 8.
        assert_eq!(drawn(9, 160), ([6, 3], [14, 7]));
        assert_eq!(drawn(100, 0), ([8, 4], [67, 34]));
        let recorded = |recorded_bins| {
            let size = BatchSize {
                trials: 4,
                free_bins: 0,
                recorded_bins: Some(recorded_bins),
            };
            let batch = pool.draw(1, 0, size).unwrap();
            (counts(&batch.recorded.layout), counts(&batch.free_layout))
        };
        // Of one condition at a time, but for recorded trials.
        let free = recorded(0).1;
        assert!(free.contains(&0), "{free:?}");
        assert_eq!(recorded(48), ([4, 2], free));
        assert_eq!(recorded(50), ([5, 3], free));
        assert_eq!(recorded(1000), ([8, 4], free));
        // Four trials are 32 bins.
        assert_eq!(recorded(1), ([3, 2], free));
        let whole = |free_bins| {
            let batch = pool.whole(free_bins).unwrap();
            (batch.recorded.layout.trials(), counts(&batch.free_layout))
        };
        assert_eq!(whole(0), (12, [4, 4]));
        assert_eq!(whole(96), (12, [8, 4]));
        assert_eq!(whole(200), (12, [24, 12]));
    }

    #[test]
    fn iterations_visit_conditions_and_trials_in_turn() {
        let recording = of_conditions(&[8, 4, 6, 2]);
        let all: Vec<usize> = (0..20).collect();
        let pool = Pool::new(&recording, &all, 2);
        let visited = |trials, iterations: usize| {
            let size = BatchSize {
                trials,
                free_bins: 0,
                recorded_bins: None,
            };
            let draws = (0..iterations).map(|i| pool.draw(3, i, size).unwrap());
            let (mut conditions, mut keys) = (Vec::new(), Vec::new());
            for batch in draws {
                let groups = batch.recorded.layout.groups().iter();
                conditions.extend(groups.filter(|g| !g.slots.is_empty()).map(|g| g.condition));
                keys.extend(batch.recorded.keys.clone());
            }
            conditions.sort_unstable();
            keys.sort_unstable();
            (conditions, keys)
        };
        // One and two at once.
        assert_eq!(visited(4, 4).0, [0, 1, 2, 3]);
        assert_eq!(visited(8, 2).0, [0, 1, 2, 3]);
        let one = of_conditions(&[8]);
        let pool = Pool::new(&one, &[0, 1, 2, 3, 4, 5, 6, 7], 2);
        let size = BatchSize {
            trials: 4,
            free_bins: 0,
            recorded_bins: None,
        };
        let mut keys: Vec<u32> = (0..2)
            .flat_map(|i| pool.draw(3, i, size).unwrap().recorded.keys.clone())
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, (0..8).collect::<Vec<u32>>());
    }

    #[test]
    fn a_condition_of_one_trial_is_not_alone_where_another_has_two() {
        let recording = of_conditions(&[1, 8, 1, 5]);
        let all: Vec<usize> = (0..15).collect();
        let pool = Pool::new(&recording, &all, 2);
        let size = BatchSize {
            trials: 4,
            free_bins: 0,
            recorded_bins: None,
        };
        let mut beside = std::collections::BTreeSet::new();
        for iteration in 0..40 {
            let batch = pool.draw(1, iteration, size).unwrap();
            let groups = batch.free_layout.groups().iter();
            let found: Vec<usize> = groups
                .filter(|g| !g.slots.is_empty())
                .map(|g| g.condition)
                .collect();
            match found[..] {
                [one] => assert!(one == 1 || one == 3, "{one}"),
                [0, with] | [with, 2] => {
                    assert!(with == 1 || with == 3);
                    beside.insert(with);
                }
                [with, 3] | [with, 1] => {
                    assert!(with == 0 || with == 2, "{found:?}");
                    beside.insert(found[1]);
                }
                _ => panic!("{found:?}"),
            }
        }
        assert_eq!(beside.len(), 2, "each of them in turn");
        // Where no condition has two, one of one trial it is.
        let recording = of_conditions(&[1, 1]);
        let alone = Pool::new(&recording, &[0, 1], 2).draw(1, 0, size).unwrap();
        assert_eq!(alone.recorded.layout.trials(), 1);
    }

    #[test]
    fn every_epoch_visits_every_trial_once_in_a_new_order() {
        let epoch =
            |e: u64| -> Vec<usize> { (0..30).map(|i| in_turn(1, 0, 30, e * 30 + i)).collect() };
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        for mut visit in [first, second] {
            visit.sort_unstable();
            assert_eq!(visit, (0..30).collect::<Vec<_>>());
        }
    }
}
