//! Whether a free-running network stays in the range of the recording.

use refire_core::{TrialArray, TrialLayout};
use serde::{Deserialize, Serialize};

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

/// Population spike counts per presentation that the training trials allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StabilityRange {
    /// Largest count of any training trial; up to twice as many are in range.
    pub max_count: u32,
    /// By dense condition index: whether a presentation without a spike is in range, that is
    /// whether a training trial of the condition had none. A condition without training trials is
    /// judged by the training trials of all conditions.
    pub zero_allowed: Vec<bool>,
}

impl StabilityRange {
    /// The range of training trials `[trial][bin][unit]`, observed units only.
    pub fn from_training(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Self {
        let counts = trial_counts(spikes, layout);
        let n_conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
        let mut zero_allowed = vec![counts.contains(&0); n_conditions];
        for group in layout.groups() {
            zero_allowed[group.condition] = group.slots.iter().any(|&k| counts[k] == 0);
        }
        Self {
            max_count: counts.into_iter().max().unwrap_or(0),
            zero_allowed,
        }
    }

    /// Whether a presentation of `condition` with `count` spikes of the observed population lies
    /// outside the range: more than twice the largest training count, or none where the training
    /// trials always had some.
    pub fn leaves(&self, condition: usize, count: u32) -> bool {
        if count == 0 {
            !self.allows_zero(condition)
        } else {
            u64::from(count) > 2 * u64::from(self.max_count)
        }
    }

    /// Outcome of a run of consecutive presentations `(condition, count)`.
    pub fn outcome(&self, presentations: impl IntoIterator<Item = (usize, u32)>) -> RunOutcome {
        RunOutcome {
            left_at: presentations
                .into_iter()
                .position(|(condition, count)| self.leaves(condition, count)),
        }
    }

    fn allows_zero(&self, condition: usize) -> bool {
        self.zero_allowed
            .get(condition)
            .copied()
            .unwrap_or_else(|| self.zero_allowed.contains(&true))
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
    /// At most 1 % of the runs leave the range.
    Stable,
    /// More than 1 %, at most 50 %.
    Fragile,
    /// More than 50 %.
    Divergent,
}

/// What the free runs of a network did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stability {
    /// Stable, fragile or divergent, by the share of runs that leave.
    pub verdict: Verdict,
    /// Share of runs that leave the range, 0 to 1.
    pub divergent_share: f64,
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
        let divergent_share = left as f64 / runs.len() as f64;
        // In whole runs: shares of exactly 1 % and 50 % fall on the milder side.
        let verdict = if 100 * left <= runs.len() {
            Verdict::Stable
        } else if 2 * left <= runs.len() {
            Verdict::Fragile
        } else {
            Verdict::Divergent
        };
        (!runs.is_empty()).then_some(Self {
            verdict,
            divergent_share,
            runs: runs.len(),
            left_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> StabilityRange {
        // Trials of conditions 0, 0, 2 with 3, 0 and 2 scored spikes; bin 0 is history and the
        // last trial has 2 bins.
        let layout = TrialLayout::new(vec![0, 0, 2], vec![3, 3, 2], 1).unwrap();
        let z = vec![1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
        let z = TrialArray::from_vec(z, 3, 3, 2).unwrap();
        assert_eq!(trial_counts(&z, &layout), [3, 0, 2]);
        StabilityRange::from_training(&z, &layout)
    }

    #[test]
    fn twice_the_largest_or_an_unseen_silence_leaves() {
        let range = range();
        assert_eq!(range.max_count, 3);
        // Condition 1 has no training trial: condition 0's silent trial speaks for it.
        assert_eq!(range.zero_allowed, [true, true, false]);
        assert!(!range.leaves(0, 6));
        assert!(range.leaves(0, 7));
        assert!(!range.leaves(0, 0));
        assert!(range.leaves(2, 0));
        assert!(!range.leaves(2, 1));
        assert!(!range.leaves(9, 0));
        let widest = StabilityRange {
            max_count: u32::MAX,
            zero_allowed: vec![],
        };
        assert!(!widest.leaves(0, u32::MAX));
        assert!(widest.leaves(0, 0));
    }

    #[test]
    fn a_run_leaves_at_its_first_presentation_outside() {
        let range = range();
        assert_eq!(range.outcome([(0, 6), (2, 0), (0, 7)]).left_at, Some(1));
        assert_eq!(range.outcome([(0, 0), (2, 3)]).left_at, None);
        assert_eq!(range.outcome([]).left_at, None);
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
        assert_eq!(judge(2, 200).verdict, Verdict::Stable);
        assert_eq!(judge(3, 200).verdict, Verdict::Fragile);
        assert_eq!(judge(100, 200).verdict, Verdict::Fragile);
        let worst = judge(101, 200);
        assert_eq!(worst.verdict, Verdict::Divergent);
        assert_eq!(worst.divergent_share, 0.505);
        assert_eq!(worst.left_at, [34, 34, 33]);
        assert!(judge(0, 200).left_at.is_empty());
        assert_eq!(Stability::judge(&[]), None);
    }

    #[test]
    fn serialises_in_lowercase_and_round_trips() {
        assert_eq!(
            serde_json::to_string(&Verdict::Fragile).unwrap(),
            "\"fragile\""
        );
        let range = range();
        let text = serde_json::to_string(&range).unwrap();
        assert_eq!(
            serde_json::from_str::<StabilityRange>(&text).unwrap(),
            range
        );
    }
}
