//! The start of a fit near the optimum of the likelihood.

use super::Trainer;
use crate::convex::{parameters, problem};
use crate::start::with_observed;
use crate::{FitError, Optimiser};
use refire_convex::{Limits, Ridge, Solution, Solver};
use refire_core::Recorded;
use refire_engine::{Losses, Parameters};

/// Ridges of the couplings of the optima that a fit may start from, as multiples of that of their priors: an optimum whose
/// free runs explode is a bad start, and with couplings held to a tenth of the priors none does.
const RIDGES: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];

/// So many optima in a row that serve worse than the best end the search.
const PATIENCE: usize = 2;

impl Trainer<'_> {
    /// Starts from whichever optimum of the observed units has the lowest loss on validation trials, free runs and all: one
    /// that explodes has a high one. They are tried from the one under the priors on (near `known`, where that is given) to
    /// those under stronger, Gaussian ones. The best is the best so far of the fit, and its losses those of iteration 0. Where nothing
    /// judges, the last is taken; where none has a finite loss, the start stays as it was.
    ///
    /// Natural steps get the curvature of the likelihood.
    pub(super) fn start_near(&mut self, known: Option<&Solution<f32>>) -> Result<(), FitError> {
        let first_bin = self.spec.first_bin();
        let (spikes, layout) = self.recording.select(&self.split.train, first_bin)?;
        let (bins, units) = (&self.bins_per_condition, self.recording.n_units());
        let features = self.drive.features.as_ref();
        let encoder = self.drive.spec.build(bins, first_bin, units, features)?;
        let recorded = Recorded {
            spikes: &spikes,
            layout: &layout,
        };
        let mut solver = Solver::new(problem(&self.spec, encoder.as_ref(), recorded))?;
        let own = self.spec.priors.ridge();
        let ridge = |times: f64| match times {
            1.0 => own,
            times => Ridge {
                couplings: times * own.couplings,
                same_bin: times * own.same_bin,
                drive: own.drive,
                tails: None,
            },
        };
        let drawn = self.state.parameters.clone();
        let mut best: Option<(Losses, Parameters<f32>)> = None;
        let (mut last, mut worse) = (known.cloned(), 0);
        for times in RIDGES {
            let solution = solver.solve(ridge(times), Limits::ROUGH, last.as_ref())?;
            let optimum = parameters(solution.clone());
            last = Some(solution);
            let mut start = with_observed(drawn.clone(), &optimum, &self.spec.network);
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
                worse = 0;
            } else if best.is_some() {
                worse += 1;
                if worse == PATIENCE {
                    break;
                }
            }
        }
        if let Some((losses, start)) = best {
            self.state.parameters = start;
            self.state.keep_as_best(losses.total);
            self.state.history.judged(0, losses);
        }
        if matches!(self.spec.optimiser, Optimiser::Natural(_)) {
            self.curvature = Some(solver.curvature(own));
        }
        Ok(())
    }
}
