#![doc = include_str!("../README.md")]

mod philox;

use philox::{philox4x32, philox4x32_wide};
use refire_kernels::Real;

/// What a draw is for: draws of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Purpose {
    /// Hidden units of the teacher-forced pass in training.
    TeacherForced = 1,
    /// Every unit of the free-running pass in training.
    FreeRunning = 2,
    /// Hidden units of the teacher-forced pass on validation trials.
    ValidationTeacherForced = 3,
    /// The free-running pass judged on validation trials.
    ValidationFree = 4,
    /// Which recorded trial a free-running trial takes its history from.
    History = 5,
    /// Which trials a batch holds.
    Batch = 6,
    /// Couplings before the first iteration.
    Initial = 7,
    /// Trials simulated from a fitted model.
    Simulate = 8,
    /// Free runs judged for stability.
    Stability = 9,
    /// Free-running trials of an evaluation.
    Evaluate = 10,
    /// Hidden units of the teacher-forced pass in an evaluation.
    EvaluateTeacherForced = 11,
    /// Draws inside statistics (time rescaling, matched subsets).
    Statistics = 12,
    /// Synthetic networks and their recordings.
    Synthetic = 13,
    /// Units whose pairs the noise-covariance term measures in an iteration.
    NoisePairs = 14,
    /// Which synapses exist.
    Connectivity = 15,
    /// Spikes of a bin that a probability given the past alone is averaged over.
    PastOnly = 16,
    /// Free runs between trials in a row.
    StabilityRest = 17,
}

/// A keyed family of draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream of a seed and a purpose.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        // SplitMix64 (Steele, Lea & Flood 2014) spreads neighbouring seeds over the key space.
        let mut x = seed
            ^ (u64::from(purpose as u32))
                .wrapping_mul(0xD1B5_4A32_D192_ED03)
                .rotate_left(32);
        x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        Self {
            key: [x as u32, (x >> 32) as u32],
        }
    }

    /// Four independent 32-bit words at a position.
    #[inline(always)]
    pub fn words(&self, iteration: u32, trial: u32, bin: u32, block: u32) -> [u32; 4] {
        philox4x32([block, bin, trial, iteration], self.key)
    }

    /// One uniform in [0, 1) at a position.
    pub fn uniform(&self, iteration: u32, trial: u32, bin: u32) -> f64 {
        unit_interval(self.words(iteration, trial, bin, 0)[0])
    }

    /// A whole number in `0..bound` at a position (0 where `bound` is 0).
    pub fn below(&self, bound: usize, iteration: u32, trial: u32, bin: u32) -> usize {
        let [low, high, ..] = self.words(iteration, trial, bin, 0);
        let word = u64::from(low) | (u64::from(high) << 32);
        ((u128::from(word) * bound as u128) >> 64) as usize
    }
}

/// 24 bits, exact in both `f32` and `f64`: the two precisions see the same uniforms.
#[inline(always)]
fn unit_interval<T: Real>(word: u32) -> T {
    // A whole number below 2^24 is one of either kind.
    T::from_u32(word >> 8).unwrap_or_default() * T::new(1.0 / 16_777_216.0)
}

/// Where a pass takes its uniforms from; a unit fires where its probability exceeds its uniform.
pub trait Uniforms<T>: Sync {
    /// The uniforms of units `first_unit..first_unit + out.len()` in one bin of one slot.
    fn fill(&self, slot: usize, bin: usize, first_unit: usize, out: &mut [T]);
}

/// Uniforms of a [`Stream`] in one iteration; slot `k` draws as trial `trials[k]`.
#[derive(Clone, Copy, Debug)]
pub struct KeyedUniforms<'a> {
    stream: Stream,
    iteration: u32,
    trials: &'a [u32],
}

impl<'a> KeyedUniforms<'a> {
    /// Recorded trials are keyed by their index in the recording, free-running ones by their slot.
    pub fn new(stream: Stream, iteration: u32, trials: &'a [u32]) -> Self {
        Self {
            stream,
            iteration,
            trials,
        }
    }
}

impl KeyedUniforms<'_> {
    /// Uniforms from unit `unit` on, of as many as `N` counters have words for; returns how many.
    #[inline(always)]
    fn some<T: Real, const N: usize>(
        &self,
        trial: u32,
        bin: usize,
        unit: usize,
        out: &mut [T],
    ) -> usize {
        let block = unit / 4;
        let at_once = philox4x32_wide(
            [
                std::array::from_fn(|i| (block + i) as u32),
                [bin as u32; N],
                [trial; N],
                [self.iteration; N],
            ],
            self.stream.key,
        );
        let words: [[u32; 4]; N] = std::array::from_fn(|i| at_once.map(|of_word| of_word[i]));
        let words = &words.as_flattened()[unit - 4 * block..];
        for (u, &w) in out.iter_mut().zip(words) {
            *u = unit_interval(w);
        }
        words.len().min(out.len())
    }
}

impl<T: Real> Uniforms<T> for KeyedUniforms<'_> {
    #[inline(always)]
    fn fill(&self, slot: usize, bin: usize, first_unit: usize, out: &mut [T]) {
        let trial = self.trials[slot];
        let (mut unit, mut rest) = (first_unit, out);
        while !rest.is_empty() {
            // A counter gives four units their words; several counters at once vectorise, and several
            // registers of them hide how long a multiplication takes.
            let done = match rest.len() {
                65.. => self.some::<T, 24>(trial, bin, unit, rest),
                33.. => self.some::<T, 16>(trial, bin, unit, rest),
                _ => self.some::<T, 8>(trial, bin, unit, rest),
            };
            unit += done;
            rest = &mut rest[done..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn uniforms_are_uniform_and_uncorrelated_across_every_index() {
        // 2^18 draws; |mean - 1/2| and lag correlations within 5 standard errors: each of the
        // seven checks raises a false alarm with probability 6e-7, with fixed seeds never twice.
        let stream = Stream::new(1, Purpose::Simulate);
        let n = 1 << 18;
        let draws: Vec<f64> = (0..n as u32)
            .map(|i| stream.uniform(i & 7, (i >> 3) & 63, i >> 9))
            .collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let se = (1.0 / 12.0 / f64::from(n)).sqrt();
        assert!((mean - 0.5).abs() < 5.0 * se, "mean {mean}");
        for lag in [1usize, 2, 8, 512, 513] {
            let r = draws
                .iter()
                .zip(&draws[lag..])
                .map(|(a, b)| (a - 0.5) * (b - 0.5) * 12.0)
                .sum::<f64>()
                / (n as usize - lag) as f64;
            assert!(r.abs() < 5.0 / f64::from(n).sqrt(), "lag {lag}: {r}");
        }
        let other = Stream::new(2, Purpose::Simulate);
        let r = (0..n as u32)
            .map(|i| (stream.uniform(0, 0, i) - 0.5) * (other.uniform(0, 0, i) - 0.5) * 12.0)
            .sum::<f64>()
            / f64::from(n);
        assert!(r.abs() < 5.0 / f64::from(n).sqrt(), "seeds: {r}");
    }

    proptest! {
        #[test]
        fn a_draw_does_not_depend_on_its_neighbours(first in 0usize..70, len in 0usize..70) {
            let u = KeyedUniforms::new(Stream::new(5, Purpose::TeacherForced), 2, &[11]);
            let mut all = [0.0f64; 140];
            let mut some = vec![0.0f64; len];
            u.fill(0, 3, 0, &mut all);
            u.fill(0, 3, first, &mut some);
            prop_assert_eq!(&all[first..first + len], &some[..]);
        }

        #[test]
        fn below_stays_below(bound in 1usize..1000, trial: u32) {
            prop_assert!(Stream::new(1, Purpose::Batch).below(bound, 0, trial, 0) < bound);
        }
    }
}
