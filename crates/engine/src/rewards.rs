//! Rewards of the score function: how much of the objective each trial's spikes are answerable for.

use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_loss::LossError;
use refire_sim::{Trajectory, Window};

/// Leave-one-out baselines, with their buffers kept between iterations.
///
/// ```text
/// R_k = L - b_k        b_k = L with trial k replaced by a copy of another trial m of its condition
/// ```
///
/// `b_k` does not depend on the spikes of trial `k`, so it changes no expectation. What it takes away
/// is what the other trials do to `L`: `R_k` is of order `1/K` of it. Where trial `k` is the only one
/// of its condition, `b_k = 0`.
#[derive(Default)]
pub(crate) struct Rewards<T> {
    /// The pass with one trial replaced.
    trajectory: Trajectory<T>,
    rewards: Vec<f64>,
}

impl<T: Real> Rewards<T> {
    /// The reward of each slot, given the weighted `total` of a pass and `evaluate`, which finds it for
    /// another pass. `keys` are those of the pass's uniforms, `stride` is how many places in its
    /// condition a trial has to the next one of the same part ([`replacement`]).
    ///
    /// Slots of one key hold the same sample of hidden spikes: they are replaced together, and the
    /// first of them takes the reward.
    pub(crate) fn measure(
        &mut self,
        window: &Window<'_, T>,
        keys: &[u32],
        stride: usize,
        total: f64,
        mut evaluate: impl FnMut(&Window<'_, T>) -> Result<f64, LossError>,
    ) -> &[f64] {
        let (layout, trajectory) = (window.layout, window.trajectory);
        self.trajectory.copy_from(trajectory);
        self.rewards.clear();
        self.rewards.resize(layout.trials(), 0.0);
        let mut slots = Vec::new();
        for k in 0..layout.trials() {
            slots.clear();
            slots.extend((0..layout.trials()).filter(|&other| keys[other] == keys[k]));
            if slots.first() != Some(&k) {
                continue;
            }
            // Another length of trial k may leave a term nothing to measure, whatever its spikes.
            let baseline = replacement(layout, keys, k, stride).and_then(|other| {
                let replaced = with_length_of(layout, &slots, other);
                for &slot in &slots {
                    self.trajectory.copy_trial(slot, trajectory, other);
                }
                let layout = replaced.as_ref().unwrap_or(layout);
                let baseline = evaluate(&Window::whole(layout, &self.trajectory)).ok();
                for &slot in &slots {
                    self.trajectory.copy_trial(slot, trajectory, slot);
                }
                baseline
            });
            self.rewards[k] = total - baseline.unwrap_or(0.0);
        }
        &self.rewards
    }
}

/// The trial to put in the place of trial `k`: of its condition and, where there is one, of its length.
/// Among those the first that is a multiple of `stride` places on (cyclic), as terms deal trials to
/// parts in turn and a trial of the same part changes less; then of 2 places, then any.
fn replacement(layout: &TrialLayout, keys: &[u32], k: usize, stride: usize) -> Option<usize> {
    let condition = layout.condition(k);
    let group = layout.groups().iter().find(|g| g.condition == condition)?;
    let count = group.slots.len();
    let place = group.slots.iter().position(|&slot| slot == k)?;
    let places = [stride % count, 2, 1].into_iter().flat_map(|step| {
        let turns = 1..count;
        turns.map(move |turn| (place + turn * step) % count)
    });
    let mut others = places
        .map(|place| group.slots[place])
        .filter(|&other| keys[other] != keys[k]);
    let first = others.clone().next();
    others
        .find(|&other| layout.bins(other) == layout.bins(k))
        .or(first)
}

/// The layout in which `slots` are as long as `other`; `None` where they are.
fn with_length_of(layout: &TrialLayout, slots: &[usize], other: usize) -> Option<TrialLayout> {
    if slots.iter().all(|&k| layout.bins(k) == layout.bins(other)) {
        return None;
    }
    let trials = 0..layout.trials();
    let conditions = trials.clone().map(|k| layout.condition(k)).collect();
    let bins = trials.map(|k| {
        let same = if slots.contains(&k) { other } else { k };
        layout.bins(same)
    });
    TrialLayout::new(conditions, bins.collect(), layout.first_bin()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [u32; 7] = [0, 1, 2, 3, 4, 5, 6];

    #[test]
    fn the_replacement_is_of_the_same_part_and_length_where_there_is_one() {
        let layout = TrialLayout::new(vec![0; 7], vec![4, 4, 4, 4, 3, 4, 3], 0).unwrap();
        let found = |stride| [0, 1, 2, 4].map(|k| replacement(&layout, &KEYS, k, stride));
        // From 0: 2, 4, 6, 1, ...; from 4: 6 is as short.
        assert_eq!(found(2), [Some(2), Some(3), Some(1), Some(6)]);
        // From 0: 4 is shorter, then 8 % 7 = 1.
        assert_eq!(found(4), [Some(1), Some(5), Some(3), Some(6)]);
        // A stride that comes back to the trial itself: 2 places on.
        assert_eq!(found(7), found(2));
        let pair = TrialLayout::new(vec![3, 1, 3], vec![4, 4, 2], 0).unwrap();
        let found = [0, 1, 2].map(|k| replacement(&pair, &KEYS[..3], k, 2));
        assert_eq!(found, [Some(2), None, Some(0)]);
        // Slots of one key are one trial.
        assert_eq!(replacement(&pair, &[9, 8, 9], 0, 2), None);
    }

    fn trajectory(trials: usize) -> Trajectory<f64> {
        let mut trajectory = Trajectory::default();
        trajectory.potential.reset(trials, 4, 1, 1);
        trajectory.probability.reset(trials, 4, 0, 1);
        trajectory.spikes.reset(trials, 4, 0, 1);
        trajectory.by_source.trials_mut(trials);
        for k in 0..trials {
            trajectory.potential.trial_mut(k).fill((1 << k) as f64);
        }
        trajectory
    }

    /// A total that tells which trials, of which lengths, it was made of.
    #[test]
    fn a_reward_is_the_total_less_that_with_the_trial_replaced() {
        let layout = TrialLayout::new(vec![0, 0, 1, 0, 0], vec![4, 4, 4, 4, 3], 0).unwrap();
        let pass = trajectory(5);
        let window = Window::whole(&layout, &pass);
        let total = |window: &Window<'_, f64>| -> f64 {
            let of = |k| window.trajectory.potential.row(k, 0)[0] * window.layout.bins(k) as f64;
            (0..5).map(of).sum()
        };
        let mut rewards = Rewards::default();
        for _ in 0..2 {
            let found = rewards.measure(&window, &KEYS[..5], 2, total(&window), |replaced| {
                Ok(total(replaced))
            });
            let expected = [
                4.0 * (1.0 - 8.0),
                // Trial 4, two places on, is shorter.
                4.0 * (2.0 - 8.0),
                total(&window),
                4.0 * (8.0 - 1.0),
                3.0 * 16.0 - 4.0 * 2.0,
            ];
            assert_eq!(found, expected);
        }
        let twins = rewards.measure(&window, &[0, 1, 2, 0, 4], 2, total(&window), |replaced| {
            Ok(total(replaced))
        });
        assert_eq!(twins[0], 4.0 * (1.0 + 8.0 - 2.0 - 2.0));
        assert_eq!(twins[3], 0.0);
        let term = "psth";
        let without = rewards.measure(&window, &KEYS[..5], 2, 7.0, |_| {
            Err(LossError::NoRecordedTrials { term })
        });
        assert_eq!(without, [7.0; 5]);
    }
}
