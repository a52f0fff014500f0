//! Whether a free-running network stays in the range of the recording.

use crate::Interval;
use refire_core::{TrialArray, TrialLayout};
use serde::{Deserialize, Serialize};

/// Standard deviations above the mean count of training trials that a trial may have whatever their largest is: with
/// few spikes in few trials, twice the largest is within chance.
const TRIAL_SD: f64 = 8.0;

/// Standard deviations that the spikes of a whole run may differ from those of training trials.
const RUN_SD: f64 = 5.0;

/// Chance below which a trial without a spike is out of range where the training has none.
const SILENCE: f64 = 1e-4;

/// Share of runs below which a network is stable.
const FEW: f64 = 0.01;

/// Spikes of the whole population in the scored bins of each trial of `spikes`
/// (`[trial][bin][unit]`).
pub fn trial_counts(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<u32> {
    (0..layout.trials())
        .map(|slot| {
            let bins = layout.bins(slot) - layout.first_bin();
            let scored = spikes.block(slot, layout.first_bin(), bins);
            scored.iter().map(|&z| u32::from(z != 0)).sum()
        })
        .collect()
}

/// A trial of a free run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Dense index of its condition.
    pub condition: usize,
    /// Scored bins.
    pub bins: usize,
    /// Spikes of the observed population in them.
    pub count: u32,
}

/// What the training trials of a condition have, all units together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionRange {
    /// Largest number of spikes per scored bin of any trial.
    pub most: f64,
    /// Mean number per scored bin; none where it is not known (model files before version 4).
    pub mean: Option<f64>,
    /// Whether a trial had no spike.
    pub silent: bool,
}

/// Population spike counts that the training trials allow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StabilityRange {
    /// By dense condition index; `None` where a condition has no training trials: [`Self::all`] then stands for it.
    pub conditions: Vec<Option<ConditionRange>>,
    /// All training trials.
    pub all: ConditionRange,
    /// Variance over mean of counts of trials of one condition, 1 at least.
    pub dispersion: f64,
    /// Spikes of all training trials.
    pub spikes: u64,
}

/// Counts of trials with their scored bins.
struct Counts(Vec<(u32, usize)>);

impl Counts {
    fn range(&self) -> ConditionRange {
        let sums = self.0.iter().fold((0.0, 0.0), |(spikes, bins), &(n, b)| {
            (spikes + f64::from(n), bins + b as f64)
        });
        let most = self.0.iter().filter(|&&(_, bins)| bins > 0);
        let most = most.map(|&(n, bins)| f64::from(n) / bins as f64);
        ConditionRange {
            most: most.fold(0.0, f64::max),
            mean: Some(if sums.1 > 0.0 { sums.0 / sums.1 } else { 0.0 }),
            silent: self.0.iter().any(|&(n, _)| n == 0),
        }
    }

    /// Squared deviations from the mean over the mean, and degrees of freedom.
    fn dispersion(&self) -> (f64, f64) {
        let mean = self.range().mean.unwrap_or(0.0);
        let expected = self
            .0
            .iter()
            .map(|&(n, bins)| (f64::from(n), mean * bins as f64));
        let sum = expected
            .filter(|(_, m)| *m > 0.0)
            .map(|(n, m)| (n - m).powi(2) / m)
            .sum();
        match mean > 0.0 {
            true => (sum, self.0.len() as f64 - 1.0),
            false => (0.0, 0.0),
        }
    }
}

impl StabilityRange {
    /// The range of training trials `[trial][bin][unit]`, observed units only.
    pub fn from_training(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Self {
        let counts = trial_counts(spikes, layout);
        let of = |slots: &mut dyn Iterator<Item = usize>| {
            Counts(
                slots
                    .map(|k| (counts[k], layout.bins(k) - layout.first_bin()))
                    .collect(),
            )
        };
        let all = of(&mut (0..layout.trials()));
        let n_conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
        let mut conditions = vec![None; n_conditions];
        let (mut squares, mut freedom) = (0.0, 0.0);
        for group in layout.groups() {
            let own = of(&mut group.slots.iter().copied());
            conditions[group.condition] = Some(own.range());
            let (sum, degrees) = own.dispersion();
            squares += sum;
            freedom += degrees;
        }
        if freedom == 0.0 {
            // No condition repeats: what conditions differ by counts as well.
            (squares, freedom) = all.dispersion();
        }
        Self {
            conditions,
            all: all.range(),
            dispersion: if freedom > 0.0 {
                (squares / freedom).max(1.0)
            } else {
                1.0
            },
            spikes: counts.iter().map(|&n| u64::from(n)).sum(),
        }
    }

    fn of(&self, condition: usize) -> ConditionRange {
        let own = self.conditions.get(condition).copied().flatten();
        own.unwrap_or(self.all)
    }

    /// Most spikes in range of a trial of `condition` with so many scored bins: twice as many as the training trial of
    /// the condition with the most per bin, or as many as chance explains (eight standard deviations above the mean),
    /// whichever is more.
    pub fn most(&self, condition: usize, bins: usize) -> f64 {
        let own = self.of(condition);
        let mean = own.mean.unwrap_or(0.0) * bins as f64;
        let chance = mean + TRIAL_SD * (self.dispersion * mean).sqrt();
        (2.0 * own.most * bins as f64).max(chance)
    }

    /// Whether a trial lies outside the range: more spikes than [`Self::most`], or none where the training trials of
    /// the condition always had some and chance leaves one in ten thousand silent, or fewer:
    ///
    /// ```text
    /// P(0) = F^(-m / (F - 1))      m = mean count, F = variance over mean (negative binomial; e^-m for F = 1)
    /// ```
    pub fn leaves(&self, trial: Presented) -> bool {
        if trial.count > 0 {
            return f64::from(trial.count) > self.most(trial.condition, trial.bins);
        }
        let own = self.of(trial.condition);
        let expected = own.mean.map(|mean| mean * trial.bins as f64);
        let excess = self.dispersion - 1.0;
        let per_spike = if excess > 1e-6 {
            self.dispersion.ln() / excess
        } else {
            1.0
        };
        !own.silent && expected.is_none_or(|m| (-m * per_spike).exp() < SILENCE)
    }

    /// Whether the trials of a run that stayed in range one by one are not those of the recording as a whole: more
    /// than twice, or fewer than half of the spikes that training trials of their conditions have on average, by more
    /// than five standard deviations of what so many trials, and the mean itself, have by chance.
    pub fn strays(&self, run: &[Presented]) -> bool {
        let (mut expected, mut found) = (0.0, 0.0);
        for trial in run {
            let Some(mean) = self.of(trial.condition).mean else {
                return false;
            };
            expected += mean * trial.bins as f64;
            found += f64::from(trial.count);
        }
        let of_mean = expected / self.spikes.max(1) as f64;
        let sd = (self.dispersion * expected * (1.0 + of_mean)).sqrt();
        let far = (found - expected).abs() > RUN_SD * sd;
        far && (found > 2.0 * expected || found < expected / 2.0)
    }

    /// Outcome of a run: it leaves with its first trial outside the range, or with its last where its trials stray as
    /// a whole.
    pub fn outcome(&self, run: &[Presented]) -> RunOutcome {
        let first = run.iter().position(|trial| self.leaves(*trial));
        let whole = || self.strays(run).then(|| run.len() - 1);
        RunOutcome {
            left_at: first.or_else(whole),
        }
    }

    /// Whether all numbers are such as training trials give.
    pub fn is_sound(&self) -> bool {
        let fine = |range: &ConditionRange| {
            let mean = range.mean.unwrap_or(0.0);
            range.most.is_finite() && range.most >= 0.0 && mean.is_finite() && mean >= 0.0
        };
        let all = self.conditions.iter().flatten().chain([&self.all]);
        self.dispersion.is_finite() && self.dispersion >= 1.0 && all.into_iter().all(fine)
    }
}

/// How one free run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOutcome {
    /// First presentation (from 0) outside the range; `None` for a run that stays.
    pub left_at: Option<usize>,
}

/// Verdict on a network's free runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The share of runs that leave is below 1 %, and so is its interval.
    Stable,
    /// At most 1 % of the runs leave, but so many runs do not tell whether it is more.
    #[serde(rename = "not enough runs")]
    NotEnoughRuns,
    /// More than 1 %, at most 50 %.
    Fragile,
    /// More than 50 %.
    Divergent,
}

/// What the free runs of a network did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stability {
    /// By the share of runs that leave.
    pub verdict: Verdict,
    /// Share of runs that leave the range, 0 to 1.
    pub divergent_share: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// Number of runs judged.
    pub runs: usize,
    /// Entry `i`: number of runs that leave at presentation `i`; as long as needed.
    pub left_at: Vec<usize>,
}

impl Stability {
    /// Judges free runs; `None` without any.
    pub fn judge(runs: &[RunOutcome]) -> Option<Self> {
        let mut left_at = Vec::new();
        for at in runs.iter().filter_map(|run| run.left_at) {
            if left_at.len() <= at {
                left_at.resize(at + 1, 0);
            }
            left_at[at] += 1;
        }
        let left: usize = left_at.iter().sum();
        let interval = Interval::of_share(left as f64, runs.len())?;
        // In whole runs: shares of exactly 1 % and 50 % fall on the milder side.
        let verdict = if interval.high < FEW {
            Verdict::Stable
        } else if 100 * left <= runs.len() {
            Verdict::NotEnoughRuns
        } else if 2 * left <= runs.len() {
            Verdict::Fragile
        } else {
            Verdict::Divergent
        };
        Some(Self {
            verdict,
            divergent_share: left as f64 / runs.len() as f64,
            interval,
            runs: runs.len(),
            left_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// Trials of one unit, of whose bins the first is history: (condition, scored bins, spikes).
    fn range(trials: &[(usize, usize, usize)]) -> StabilityRange {
        let conditions = trials.iter().map(|t| t.0).collect();
        let bins: Vec<usize> = trials.iter().map(|t| t.1 + 1).collect();
        let layout = TrialLayout::new(conditions, bins.clone(), 1).unwrap();
        let longest = *bins.iter().max().unwrap();
        let mut z = TrialArray::zeros(trials.len(), longest, 0, 1);
        for (k, &(_, _, count)) in trials.iter().enumerate() {
            // A spike of the history does not count.
            z.trial_mut(k)[..count + 1].fill(1);
        }
        let counts: Vec<u32> = trials.iter().map(|t| t.2 as u32).collect();
        assert_eq!(trial_counts(&z, &layout), counts);
        StabilityRange::from_training(&z, &layout)
    }

    fn presented(condition: usize, bins: usize, count: u32) -> Presented {
        Presented {
            condition,
            bins,
            count,
        }
    }

    #[test]
    fn ranges_are_those_of_conditions() {
        let found = range(&[(0, 100, 20), (0, 50, 16), (2, 100, 0), (2, 100, 4)]);
        let own = found.conditions[0].unwrap();
        assert_eq!((own.most, own.mean, own.silent), (0.32, Some(0.24), false));
        assert_eq!(found.conditions[1], None);
        let own = found.conditions[2].unwrap();
        assert_eq!((own.most, own.mean, own.silent), (0.04, Some(0.02), true));
        assert_eq!((found.all.mean, found.spikes), (Some(40.0 / 350.0), 40));
        // (20 - 24)^2 / 24 + (16 - 12)^2 / 12 + 2 (2 - 2)^2 ... over two degrees of freedom.
        let squares = 16.0 / 24.0 + 16.0 / 12.0 + 4.0 / 2.0 + 4.0 / 2.0;
        assert!((found.dispersion - squares / 2.0).abs() < 1e-12);
        // Without repeats, by all trials: 10 and 30 of 20 expected.
        let single = range(&[(0, 100, 10), (1, 100, 30)]);
        assert!((single.dispersion - 10.0).abs() < 1e-12);
        assert_eq!(range(&[(0, 10, 2)]).dispersion, 1.0);
        assert!(found.is_sound() && single.is_sound());
    }

    #[test]
    fn limits_go_with_condition_and_length() {
        let found = range(&[
            (0, 1000, 400),
            (0, 1000, 404),
            (1, 1000, 100),
            (1, 1000, 102),
        ]);
        assert_eq!(found.most(0, 1000), 808.0);
        assert_eq!(found.most(0, 500), 404.0);
        assert_eq!(found.most(1, 1000), 204.0);
        // A condition without training trials has the range of all.
        assert_eq!(found.most(7, 1000), 808.0);
        assert!(!found.leaves(presented(0, 1000, 808)) && found.leaves(presented(0, 1000, 809)));
        // Few spikes: what chance explains.
        let few = range(&[(0, 100, 4), (0, 100, 4)]);
        assert_eq!(few.most(0, 100), 4.0 + 8.0 * 2.0);
    }

    #[test]
    fn silence_leaves_where_chance_does_not_explain_it() {
        let leaves = |range: &StabilityRange| range.leaves(presented(0, 100, 0));
        // e^-9 is more than one in ten thousand, e^-10 less.
        assert!(!leaves(&range(&[(0, 100, 9), (0, 100, 9)])));
        assert!(leaves(&range(&[(0, 100, 10), (0, 100, 10)])));
        assert!(!leaves(&range(&[(0, 100, 20), (0, 100, 0)])));
        // With a dispersion of 2: 2^-m.
        let mut wide = range(&[(0, 100, 13), (0, 100, 13)]);
        wide.dispersion = 2.0;
        assert!(!leaves(&wide));
        wide.conditions[0].as_mut().unwrap().mean = Some(0.14);
        assert!(leaves(&wide));
        // Where the mean is not known, as of old.
        wide.conditions[0].as_mut().unwrap().mean = None;
        assert!(leaves(&wide));
    }

    #[test]
    fn a_run_at_several_times_the_rate_is_caught_without_crossing_a_line() {
        // Rare bursts of nine times the usual count: no trial of 40 spikes crosses the limit of 180.
        let mut trials = vec![(0, 1000, 10); 19];
        trials.push((0, 1000, 90));
        let range = range(&trials);
        let run = |count| vec![presented(0, 1000, count); 10];
        assert!(run(60).iter().all(|trial| !range.leaves(*trial)));
        assert!(range.strays(&run(60)) && !range.strays(&run(14)));
        assert_eq!(range.outcome(&run(60)).left_at, Some(9));
        assert_eq!(range.outcome(&run(14)).left_at, None);
        let mut early = run(14);
        early[3].count = 181;
        assert_eq!(range.outcome(&early).left_at, Some(3));
        assert_eq!(range.outcome(&[]).left_at, None);
        // As for too few; and an older file does not tell.
        let mut steady = super::tests::range(&vec![(0, 1000, 50); 20]);
        assert!(steady.strays(&run(20)) && !steady.strays(&run(26)));
        steady.conditions[0].as_mut().unwrap().mean = None;
        assert!(!steady.strays(&run(20)));
    }

    #[test]
    fn runs_of_the_source_of_the_training_stay() {
        // Poisson-like counts of few spikes and of many, of few training trials and of many; by the limits of 1e-4 per
        // trial and five standard deviations per run, less than one run in a hundred may leave.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        let mut count = |p: f64| (0..400).filter(|_| rng.random_bool(p)).count();
        for (p, training) in [(0.005, 4), (0.0125, 6), (0.025, 10), (0.1, 4), (0.5, 3)] {
            let trials: Vec<_> = (0..2 * training).map(|k| (k % 2, 400, count(p))).collect();
            let range = range(&trials);
            let outcomes: Vec<RunOutcome> = (0..500)
                .map(|_| {
                    let run: Vec<Presented> = (0..10)
                        .map(|k| presented(k % 2, 400, count(p) as u32))
                        .collect();
                    range.outcome(&run)
                })
                .collect();
            let found = Stability::judge(&outcomes).unwrap();
            assert_eq!(found.verdict, Verdict::Stable, "{p} {training}: {found:?}");
        }
    }

    #[test]
    fn verdicts_at_their_borders() {
        let judge = |left: usize, runs: usize| {
            let outcomes: Vec<RunOutcome> = (0..runs)
                .map(|r| RunOutcome {
                    left_at: (r < left).then_some(r % 3),
                })
                .collect();
            Stability::judge(&outcomes).unwrap()
        };
        // The upper end for none of 380 is just under 1 %.
        assert_eq!(judge(0, 380).verdict, Verdict::NotEnoughRuns);
        assert_eq!(judge(0, 381).verdict, Verdict::Stable);
        assert_eq!(judge(1, 500).verdict, Verdict::NotEnoughRuns);
        assert_eq!(judge(5, 500).verdict, Verdict::NotEnoughRuns);
        assert_eq!(judge(6, 500).verdict, Verdict::Fragile);
        assert_eq!(judge(11, 2000).verdict, Verdict::Stable);
        assert_eq!(judge(100, 200).verdict, Verdict::Fragile);
        let worst = judge(101, 200);
        assert_eq!(worst.verdict, Verdict::Divergent);
        assert_eq!(worst.divergent_share, 0.505);
        assert_eq!(worst.left_at, [34, 34, 33]);
        assert!(judge(0, 200).left_at.is_empty());
        assert_eq!(Stability::judge(&[]), None);
    }

    #[test]
    fn serialises_as_words_and_round_trips() {
        let word = |verdict| serde_json::to_string(&verdict).unwrap();
        assert_eq!(word(Verdict::Fragile), "\"fragile\"");
        assert_eq!(word(Verdict::NotEnoughRuns), "\"not enough runs\"");
        let range = range(&[(0, 10, 3), (2, 10, 0)]);
        let text = serde_json::to_string(&range).unwrap();
        assert_eq!(
            serde_json::from_str::<StabilityRange>(&text).unwrap(),
            range
        );
        for damage in [f64::NAN, f64::INFINITY, -1.0] {
            let mut bad = range.clone();
            bad.all.most = damage;
            assert!(!bad.is_sound());
            let mut bad = range.clone();
            bad.conditions[2].as_mut().unwrap().mean = Some(damage);
            assert!(!bad.is_sound());
            let mut bad = range.clone();
            bad.dispersion = damage;
            assert!(!bad.is_sound());
        }
    }
}
