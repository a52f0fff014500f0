//! Which trials a fit may see.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Why trials cannot be split.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share of trials is out of range.
    #[error("{quantity} is {found}; expected at least 0 and below 1")]
    Fraction {
        /// Which share.
        quantity: &'static str,
        /// The share given.
        found: f64,
    },
    /// Stretches of trials that cannot be had.
    #[error("{found} segments of {trials} trials; expected 1 to {}, so that each has 3 trials", trials / 3)]
    Segments {
        /// Segments asked for.
        found: usize,
        /// Trials of the recording.
        trials: usize,
    },
    /// A given split names a trial that the recording does not have.
    #[error("split: trial {found}; expected one below {trials}, the trials of the recording")]
    NoSuchTrial {
        /// Index of the trial, from 0.
        found: usize,
        /// Trials of the recording.
        trials: usize,
    },
    /// A given split names a trial twice.
    #[error("split: trial {found} appears twice; expected each at most once")]
    Twice {
        /// Index of the trial, from 0.
        found: usize,
    },
    /// A given split trains on nothing.
    #[error("split: 0 training trials; expected at least 1")]
    NoTraining,
}

/// Trials for training, validation and test: indices into the recording, ascending, no trial in
/// two lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Seed of the draw; 0 for a split that was given.
    pub seed: u64,
    /// Trials the parameters are fitted to.
    pub train: Vec<usize>,
    /// Trials that decide when to stop.
    pub validation: Vec<usize>,
    /// Trials for the evaluation only.
    pub test: Vec<usize>,
}

impl Split {
    /// A split that is given, trial by trial; the lists come out ascending.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn given(
        mut train: Vec<usize>,
        mut validation: Vec<usize>,
        mut test: Vec<usize>,
        trials: usize,
    ) -> Result<Self, SplitError> {
        train.sort_unstable();
        validation.sort_unstable();
        test.sort_unstable();
        let split = Self {
            seed: 0,
            train,
            validation,
            test,
        };
        split.check(trials)?;
        Ok(split)
    }

    /// Whether a recording of so many trials can be split so.
    ///
    /// # Errors
    /// [`SplitError::NoTraining`], [`SplitError::NoSuchTrial`], [`SplitError::Twice`].
    pub fn check(&self, trials: usize) -> Result<(), SplitError> {
        if self.train.is_empty() {
            return Err(SplitError::NoTraining);
        }
        let mut all = [&self.train[..], &self.validation, &self.test].concat();
        all.sort_unstable();
        if let Some(&found) = all.last().filter(|&&trial| trial >= trials) {
            return Err(SplitError::NoSuchTrial { found, trials });
        }
        match all.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(SplitError::Twice { found: pair[0] }),
            None => Ok(()),
        }
    }

    /// Draws a split, condition by condition, from the condition of each trial.
    ///
    /// Of the K trials of a condition, `test_fraction * K` (rounded, and at least one where there
    /// are two) go to the test; of the rest likewise `validation_fraction` (at least one where
    /// there are three) to validation. A fraction of 0 takes none, and at least one trial of each
    /// condition is left for training. The draw depends on nothing but its arguments.
    ///
    /// # Errors
    /// [`SplitError::Fraction`] for a fraction outside [0, 1).
    pub fn draw(
        conditions: &[usize],
        test_fraction: f64,
        validation_fraction: f64,
        seed: u64,
    ) -> Result<Self, SplitError> {
        check_fractions(test_fraction, validation_fraction)?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut split = Self::empty(seed);
        // Trials by condition, then index.
        let mut order: Vec<usize> = (0..conditions.len()).collect();
        order.sort_by_key(|&trial| conditions[trial]);
        for group in order.chunk_by_mut(|&a, &b| conditions[a] == conditions[b]) {
            shuffle(group, &mut rng);
            let (test, rest) = group.split_at(share(test_fraction, group.len(), 2));
            let (validation, train) = rest.split_at(share(validation_fraction, rest.len(), 3));
            split.test.extend_from_slice(test);
            split.validation.extend_from_slice(validation);
            split.train.extend_from_slice(train);
        }
        split.train.sort_unstable();
        split.validation.sort_unstable();
        split.test.sort_unstable();
        Ok(split)
    }

    /// Draws stretches of neighbouring trials, as those that a long trial was cut into: what is held out is then far
    /// from most of what is fitted, as drifts and slow states are not where every other trial is held out.
    ///
    /// The trials, in order, are divided into `segments` parts of about the same length. Of each, one stretch of
    /// `test_fraction` of its trials goes to the test, and `validation_fraction` of the others, right behind it, to
    /// validation, as many as [`Self::draw`] takes of a condition. The draw depends on nothing but its arguments.
    ///
    /// # Errors
    /// [`SplitError::Fraction`]; [`SplitError::Segments`] for none, or for parts of fewer than three trials.
    pub fn draw_segments(
        trials: usize,
        segments: usize,
        test_fraction: f64,
        validation_fraction: f64,
        seed: u64,
    ) -> Result<Self, SplitError> {
        check_fractions(test_fraction, validation_fraction)?;
        if segments == 0 || segments > trials / 3 {
            let found = segments;
            return Err(SplitError::Segments { found, trials });
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut split = Self::empty(seed);
        let border = |part: usize| (part as u128 * trials as u128 / segments as u128) as usize;
        for part in 0..segments {
            let (start, end) = (border(part), border(part + 1));
            let test = share(test_fraction, end - start, 2);
            let validation = share(validation_fraction, end - start - test, 3);
            let from = start + below(end - start - test - validation + 1, &mut rng);
            let behind = from + test;
            split.test.extend(from..behind);
            split.validation.extend(behind..behind + validation);
            split.train.extend(start..from);
            split.train.extend(behind + validation..end);
        }
        Ok(split)
    }

    fn empty(seed: u64) -> Self {
        Self {
            seed,
            train: Vec::new(),
            validation: Vec::new(),
            test: Vec::new(),
        }
    }
}

fn check_fractions(test: f64, validation: f64) -> Result<(), SplitError> {
    for (quantity, found) in [("test fraction", test), ("validation fraction", validation)] {
        if !(0.0..1.0).contains(&found) {
            return Err(SplitError::Fraction { quantity, found });
        }
    }
    Ok(())
}

/// A whole number below a bound.
fn below(bound: usize, rng: &mut Xoshiro256PlusPlus) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

/// How many of `trials` a fraction takes: at least one from `enough` trials on, never all.
fn share(fraction: f64, trials: usize, enough: usize) -> usize {
    if fraction == 0.0 {
        return 0;
    }
    let least = usize::from(trials >= enough);
    let taken = (fraction * trials as f64).round() as usize;
    taken.max(least).min(trials.saturating_sub(1))
}

/// Fisher-Yates; written out so that a split stays the same over versions of a library.
fn shuffle(trials: &mut [usize], rng: &mut Xoshiro256PlusPlus) {
    for last in (1..trials.len()).rev() {
        trials.swap(last, below(last + 1, rng));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_given_split_is_checked() {
        let split = Split::given(vec![4, 0], vec![1], vec![3], 5).unwrap();
        assert_eq!((split.seed, split.train), (0, vec![0, 4]));
        let given = |train: &[usize], test: &[usize]| {
            Split::given(train.to_vec(), Vec::new(), test.to_vec(), 5).err()
        };
        assert_eq!(given(&[], &[1]), Some(SplitError::NoTraining));
        assert_eq!(given(&[1, 2], &[2]), Some(SplitError::Twice { found: 2 }));
        let none = SplitError::NoSuchTrial {
            found: 5,
            trials: 5,
        };
        assert_eq!(given(&[1, 5], &[2]), Some(none));
    }

    #[test]
    fn segments_are_stretches_apart() {
        let split = Split::draw_segments(100, 4, 0.25, 0.1, 3).unwrap();
        assert_eq!(split.check(100), Ok(()));
        assert_eq!((split.test.len(), split.validation.len()), (24, 8));
        assert_eq!(split.train.len(), 68);
        let stretches = |trials: &[usize]| trials.chunk_by(|a, b| a + 1 == *b).count();
        assert_eq!(
            (stretches(&split.test), stretches(&split.validation)),
            (4, 4)
        );
        for part in 0..4 {
            let inside = |&&trial: &&usize| trial / 25 == part;
            assert_eq!(split.test.iter().filter(inside).count(), 6);
        }
        assert_ne!(split, Split::draw_segments(100, 4, 0.25, 0.1, 4).unwrap());
        for segments in [0, 4] {
            let (found, trials) = (segments, 11);
            let error = SplitError::Segments { found, trials };
            let drawn = Split::draw_segments(trials, segments, 0.25, 0.1, 1);
            assert_eq!(drawn, Err(error));
        }
        assert!(Split::draw_segments(9, 3, 1.0, 0.1, 1).is_err());
        assert!(Split::draw_segments(9, 3, 0.25, 0.1, 1).is_ok());
        // Of 30 trials 6 for the test and 2 behind it: every place from the first trial to the last.
        let first = |seed| Split::draw_segments(30, 1, 0.2, 0.1, seed).unwrap();
        let mut places = [false; 30];
        for split in (0..1000).map(first) {
            assert_eq!((split.test.len(), split.validation.len()), (6, 2));
            places[split.test[0]] = true;
        }
        assert!(places[..23].iter().all(|&p| p) && places[23..].iter().all(|&p| !p));
    }

    #[test]
    fn shares_round_and_leave_a_training_trial() {
        // (fraction, trials, enough) -> taken
        for (fraction, trials, enough, taken) in [
            (0.25, 30, 2, 8),
            (0.25, 201, 2, 50),
            (0.1, 2, 2, 1),
            (0.1, 1, 2, 0),
            (0.9, 1, 2, 0),
            (0.99, 10, 2, 9),
            (0.1, 3, 3, 1),
            (0.1, 2, 3, 0),
            (0.5, 2, 3, 1),
            (0.0, 100, 2, 0),
            (0.5, 0, 2, 0),
        ] {
            assert_eq!(
                share(fraction, trials, enough),
                taken,
                "{fraction} of {trials}"
            );
        }
    }

    #[test]
    fn every_condition_is_split_by_itself() {
        // Condition 0: 8 trials, 1: 4 trials, 2: one trial, interleaved.
        let conditions = [0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 0, 1, 0];
        let split = Split::draw(&conditions, 0.25, 0.34, 3).unwrap();
        let of = |list: &[usize], c| list.iter().filter(|&&t| conditions[t] == c).count();
        let counts = |c| {
            [
                of(&split.train, c),
                of(&split.validation, c),
                of(&split.test, c),
            ]
        };
        assert_eq!(counts(0), [4, 2, 2]);
        assert_eq!(counts(1), [2, 1, 1]);
        assert_eq!(counts(2), [1, 0, 0]);
    }

    #[test]
    fn the_seed_decides_and_the_text_form_keeps_it() {
        let conditions = vec![0; 40];
        let split = Split::draw(&conditions, 0.25, 0.1, 7).unwrap();
        assert_eq!(split, Split::draw(&conditions, 0.25, 0.1, 7).unwrap());
        assert_ne!(
            split.test,
            Split::draw(&conditions, 0.25, 0.1, 8).unwrap().test
        );
        let text = serde_json::to_string(&split).unwrap();
        assert_eq!(serde_json::from_str::<Split>(&text).unwrap(), split);
    }

    #[test]
    fn each_trial_is_tested_equally_often() {
        let mut tested = [0u32; 10];
        for seed in 0..4000 {
            let split = Split::draw(&[0; 10], 0.3, 0.0, seed).unwrap();
            split.test.iter().for_each(|&t| tested[t] += 1);
        }
        // 1200 expected, standard deviation 29.
        assert!(tested.iter().all(|n| n.abs_diff(1200) < 130), "{tested:?}");
    }

    #[test]
    fn refuses_fractions_out_of_range() {
        for bad in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Split::draw(&[0, 0], bad, 0.0, 0).is_err());
            assert!(Split::draw(&[0, 0], 0.0, bad, 0).is_err());
        }
    }

    proptest! {
        #[test]
        fn the_lists_are_ascending_and_share_out_all_trials(
            conditions in prop::collection::vec(0usize..5, 0..60),
            test in 0.0..0.999f64,
            validation in 0.0..0.999f64,
            seed in any::<u64>(),
        ) {
            let s = Split::draw(&conditions, test, validation, seed).unwrap();
            for list in [&s.train, &s.validation, &s.test] {
                prop_assert!(list.windows(2).all(|w| w[0] < w[1]));
            }
            let mut all = [s.train.clone(), s.validation, s.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..conditions.len()).collect::<Vec<_>>());
            for c in &conditions {
                prop_assert!(s.train.iter().any(|&t| conditions[t] == *c));
            }
        }
    }
}
