//! The start of a fit near the optimum of the likelihood.

use super::Trainer;
use crate::FitError;
use crate::start::with_observed;
use refire_engine::{Losses, Parameters};

impl Trainer<'_> {
    /// Starts from whichever of these optima of the observed units has the lowest loss on validation trials, free runs and
    /// all: one that explodes has a high one. It is the best so far, and its losses those of iteration 0. Where nothing
    /// judges, the last is taken; where there is none, or none with a finite loss, the start stays as it was.
    pub(super) fn start_near(&mut self, optima: &[Parameters<f32>]) -> Result<(), FitError> {
        let drawn = self.state.parameters.clone();
        let mut best: Option<(Losses, Parameters<f32>)> = None;
        for optimum in optima {
            let mut start = with_observed(drawn.clone(), optimum, &self.spec.network);
            if let Some(dale) = &self.dale {
                dale.hold(&mut start);
            }
            let Some(validation) = &mut self.validation else {
                self.state.parameters = start;
                continue;
            };
            let losses = validation.judge(&start)?;
            let least = best.as_ref().map_or(f64::INFINITY, |(best, _)| best.total);
            if losses.total < least {
                best = Some((losses, start));
            }
        }
        if let Some((losses, start)) = best {
            self.state.parameters = start;
            self.state.keep_as_best(losses.total);
            self.state.history.judged(0, losses);
        }
        Ok(())
    }
}
