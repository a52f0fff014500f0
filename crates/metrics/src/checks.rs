//! What to look at in a recording before a fit: rates that drift, units that look like one neuron sorted twice.

use crate::rates::{rates, unit_counts};
use refire_core::{TrialArray, TrialLayout, for_each_fired};

/// Least spikes of a unit in both parts for it to be said to drift, and of either unit of a pair.
const ENOUGH: u64 = 20;

/// Standard errors of a Poisson count by which the rate of a unit has to differ.
const STANDARD_ERRORS: f64 = 4.0;

/// Share of the spikes of the rarer unit in bins of the other one from which on a pair looks like one neuron.
const SHARED: f64 = 0.5;

/// How many times as large as by chance that share has to be.
const ABOVE_CHANCE: f64 = 5.0;

/// Rates in the first and in the last third of the trials of each condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Mean rate over units in the first third, Hz.
    pub first_hz: f64,
    /// Mean rate over units in the last third, Hz.
    pub last_hz: f64,
    /// Units whose rate is less than two thirds or more than one and a half of what it was, by more than four
    /// standard errors of a Poisson count (by chance about one unit in sixteen thousand).
    pub units: Vec<usize>,
}

/// Compares the first third of the trials of each condition with the last, as trials of one condition may stand
/// together; of all trials where no condition has three. `None` for fewer than six trials. `bin_seconds` is the bin
/// width.
pub fn drift(spikes: &TrialArray<u8>, layout: &TrialLayout, bin_seconds: f64) -> Option<Drift> {
    let mut groups: Vec<Vec<usize>> = layout.groups().iter().map(|g| g.slots.clone()).collect();
    if groups.iter().all(|slots| slots.len() < 3) {
        groups = vec![(0..layout.trials()).collect()];
    }
    let thirds = groups.iter().map(|slots| (slots, slots.len() / 3));
    let first: Vec<usize> = thirds
        .clone()
        .flat_map(|(slots, n)| slots[..n].to_vec())
        .collect();
    let last: Vec<usize> = thirds
        .flat_map(|(slots, n)| slots[slots.len() - n..].to_vec())
        .collect();
    if first.len() < 2 {
        return None;
    }
    let part = |trials: &[usize]| -> Option<(Vec<f64>, f64, f64)> {
        let mut own = TrialArray::zeros(trials.len(), spikes.bins(), 0, spikes.units());
        for (slot, &trial) in trials.iter().enumerate() {
            let block = spikes.block(trial, 0, spikes.bins());
            own.trial_mut(slot).copy_from_slice(block);
        }
        let bins = trials.iter().map(|&k| layout.bins(k)).collect();
        let lengths = trials.iter().map(|&k| layout.length(k)).collect();
        let layout = TrialLayout::new(vec![0; trials.len()], bins, layout.first_bin()).ok()?;
        let layout = layout.with_lengths(lengths).ok()?;
        let found = rates(&own, &layout, bin_seconds);
        let seconds = layout.scored_length() * bin_seconds;
        Some((found.hz, found.mean.value()?, seconds))
    };
    let (first, first_hz, first_seconds) = part(&first)?;
    let (last, last_hz, last_seconds) = part(&last)?;
    let drifts = |(a, b): (&f64, &f64)| {
        let spikes = a * first_seconds + b * last_seconds;
        let error = (a / first_seconds + b / last_seconds).sqrt();
        let ratio = b / a;
        spikes >= 2.0 * ENOUGH as f64
            && !(2.0 / 3.0..=1.5).contains(&ratio)
            && (a - b).abs() > STANDARD_ERRORS * error
    };
    let units = first.iter().zip(&last).map(drifts).enumerate();
    Some(Drift {
        first_hz,
        last_hz,
        units: units
            .filter(|(_, drifts)| *drifts)
            .map(|(unit, _)| unit)
            .collect(),
    })
}

/// Two units that spike in the same bins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duplicate {
    /// The units, the lower one first.
    pub units: (usize, usize),
    /// Share of the spikes of the rarer one that fall into bins of the other.
    pub shared: f64,
}

/// Most units whose pairs are looked at.
const MOST_UNITS: usize = 4096;

/// Pairs of units that look like one neuron sorted twice: the rarer one has half of its spikes or more in bins of
/// the other, five times as many as by chance. By falling share. `None` where more than 4096 units have 20 spikes.
pub fn duplicates(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Option<Vec<Duplicate>> {
    let counts = unit_counts(spikes, layout);
    let active: Vec<usize> = (0..counts.len())
        .filter(|&unit| counts[unit] >= ENOUGH)
        .collect();
    if active.len() > MOST_UNITS {
        return None;
    }
    let mut place = vec![None; counts.len()];
    active
        .iter()
        .enumerate()
        .for_each(|(at, &unit)| place[unit] = Some(at));
    let units = active.len();
    let mut together = vec![0u32; units * units];
    let mut fired = Vec::new();
    for trial in 0..layout.trials() {
        for bin in layout.first_bin()..layout.bins(trial) {
            fired.clear();
            for_each_fired(spikes.row(trial, bin), |unit| fired.extend(place[unit]));
            for (at, &i) in fired.iter().enumerate() {
                let row = &mut together[i * units..][..units];
                fired[at..].iter().for_each(|&j| row[j] += 1);
            }
        }
    }
    let bins = layout.scored_bins() as f64;
    let count = |unit: usize| u64::from(together[unit * units + unit]);
    let mut found = Vec::new();
    for i in 0..units {
        for j in i + 1..units {
            let (fewer, more) = (count(i).min(count(j)), count(i).max(count(j)));
            let shared = f64::from(together[i * units + j]) / fewer as f64;
            let by_chance = more as f64 / bins;
            if shared >= SHARED && shared >= ABOVE_CHANCE * by_chance {
                found.push(Duplicate {
                    units: (active[i], active[j]),
                    shared,
                });
            }
        }
    }
    found.sort_by(|a, b| b.shared.total_cmp(&a.shared));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn spikes(probability: impl Fn(usize, usize) -> f64) -> (TrialArray<u8>, TrialLayout) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let mut spikes = TrialArray::zeros(30, 100, 0, 4);
        for trial in 0..30 {
            for bin in 0..100 {
                for (unit, z) in spikes.row_mut(trial, bin).iter_mut().enumerate() {
                    *z = u8::from(rng.random_bool(probability(trial, unit)));
                }
            }
        }
        (spikes, TrialLayout::uniform(30, 100, 0).unwrap())
    }

    #[test]
    fn a_unit_whose_rate_falls_drifts_and_steady_ones_do_not() {
        let falls = |trial: usize, unit: usize| match unit {
            2 => 0.2 - 0.006 * trial as f64,
            _ => 0.1,
        };
        let (z, layout) = spikes(falls);
        let found = drift(&z, &layout, 0.01).unwrap();
        assert_eq!(found.units, [2]);
        assert!(found.first_hz > found.last_hz && (found.first_hz - 12.0).abs() < 2.0);
        assert!(drift(&z, &TrialLayout::uniform(5, 100, 0).unwrap(), 0.01).is_none());
        // Conditions that stand together and have rates of their own are no drift.
        let (z, _) = spikes(|trial, _| [0.05, 0.1, 0.2][trial / 10]);
        let conditions = (0..30).map(|trial| trial / 10).collect();
        let layout = TrialLayout::new(conditions, vec![100; 30], 0).unwrap();
        assert!(drift(&z, &layout, 0.01).unwrap().units.is_empty());
    }

    /// One unit in trials of 1024 bins, with so many spikes each.
    fn counted(counts: &[usize], conditions: Vec<usize>) -> Option<Drift> {
        let mut z = TrialArray::zeros(counts.len(), 1024, 0, 1);
        for (trial, &count) in counts.iter().enumerate() {
            (0..count).for_each(|bin| z.row_mut(trial, bin)[0] = 1);
        }
        let layout = TrialLayout::new(conditions, vec![1024; counts.len()], 0).unwrap();
        drift(&z, &layout, 1.0 / 1024.0)
    }

    #[test]
    fn drift_at_its_borders() {
        // Thirds of two trials, 2 s.
        let found = |first: usize, last: usize| {
            let counts = [first, 0, 500, 500, 0, last];
            let drift = counted(&counts, vec![0; 6]).unwrap();
            assert_eq!(
                (drift.first_hz, drift.last_hz),
                (first as f64 / 2.0, last as f64 / 2.0)
            );
            !drift.units.is_empty()
        };
        for (first, last, expected) in [
            // 40 spikes or more.
            (34, 5, false),
            (35, 5, true),
            (5, 35, true),
            // More than four standard errors: 40 spikes of 100.
            (70, 30, false),
            (71, 30, true),
            // Less than two thirds, more than one and a half.
            (600, 400, false),
            (600, 399, true),
            (400, 600, false),
            (400, 601, true),
        ] {
            assert_eq!(found(first, last), expected, "{first} spikes, then {last}");
        }
    }

    #[test]
    fn thirds_are_those_of_conditions_of_three_trials_or_else_of_all() {
        let counts = [100, 100, 100, 300, 300, 300];
        let found = |conditions| counted(&counts, conditions).map(|drift| drift.units);
        assert_eq!(found(vec![0, 0, 0, 1, 1, 1]), Some(vec![]));
        assert_eq!(found(vec![0, 0, 1, 1, 2, 2]), Some(vec![0]));
        assert_eq!(counted(&counts[..5], vec![0; 5]), None);
    }

    #[test]
    fn pairs_of_very_many_units_are_not_looked_at() {
        let z = TrialArray::from_vec(vec![1u8; 20 * 4097], 1, 20, 4097).unwrap();
        assert_eq!(
            duplicates(&z, &TrialLayout::uniform(1, 20, 0).unwrap()),
            None
        );
    }

    #[test]
    fn units_without_spikes_cost_nothing() {
        let spikes = TrialArray::zeros(1, 2, 0, 1_000_000);
        let layout = TrialLayout::uniform(1, 2, 0).unwrap();
        assert_eq!(duplicates(&spikes, &layout), Some(Vec::new()));
    }

    #[test]
    fn a_unit_sorted_twice_is_found_and_fast_ones_are_not() {
        let (mut z, layout) = spikes(|_, unit| [0.6, 0.6, 0.02, 0.02][unit]);
        assert_eq!(duplicates(&z, &layout), Some(Vec::new()));
        // Unit 3 has three of four spikes of unit 2.
        for trial in 0..30 {
            for bin in 0..100 {
                let row = z.row_mut(trial, bin);
                row[3] = u8::from(row[2] == 1 && (trial + bin) % 4 != 0);
            }
        }
        let found = duplicates(&z, &layout).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].units, found[0].shared), ((2, 3), 1.0));
    }
}
