//! Validation trials, and how parameters are judged on them.

use crate::{Evaluator, FitError, Specification};
use refire_engine::{Batch, Losses, Parameters, Streams};
use refire_random::{Purpose, Stream};

/// Sets of free runs, each of an iteration's size, that a judgement is a mean over: one is so noisy that the luckiest
/// iteration would be kept.
const SETS: u32 = 4;

/// The objective on validation trials.
pub(super) struct Validation {
    objective: Evaluator<f32>,
    batch: Batch,
    seed: u64,
    sets: u32,
}

impl Validation {
    pub(super) fn new(spec: &Specification, objective: Evaluator<f32>, batch: Batch) -> Self {
        // Recorded trials alone have no noise, without hidden units.
        let draws = spec.objective.statistics().is_some() || spec.network.hidden > 0;
        Self {
            objective,
            batch,
            seed: spec.seed,
            sets: if draws { SETS } else { 1 },
        }
    }

    pub(super) fn objective(&self) -> &Evaluator<f32> {
        &self.objective
    }

    /// Mean losses over sets of free runs, with the same random numbers every time, so that a judgement is not a new
    /// draw each time.
    pub(super) fn judge(&mut self, parameters: &Parameters<f32>) -> Result<Losses, FitError> {
        let mut mean = self.losses_of_set(0, parameters)?;
        for set in 1..self.sets {
            let losses = self.losses_of_set(set, parameters)?;
            mean.total += losses.total;
            let terms = mean.terms.iter_mut().zip(losses.terms);
            terms.for_each(|(sum, term)| *sum += term);
        }
        let sets = f64::from(self.sets);
        mean.total /= sets;
        mean.terms.iter_mut().for_each(|term| *term /= sets);
        Ok(mean)
    }

    fn losses_of_set(
        &mut self,
        set: u32,
        parameters: &Parameters<f32>,
    ) -> Result<Losses, FitError> {
        let streams = Streams {
            teacher_forced: Stream::new(self.seed, Purpose::ValidationTeacherForced),
            free: Stream::new(self.seed, Purpose::ValidationFree),
            iteration: set,
        };
        self.objective
            .evaluate(parameters, &self.batch, streams, None)
    }
}
