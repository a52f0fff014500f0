//! The training loop: one step at a time, judged on validation trials.

mod near_optimum;
mod validation;

use crate::batch::{Pool, check_parts};
use crate::checkpoint::FitOf;
use crate::priors::PriorsOf;
use crate::setup::DriveOf;
use crate::signs::Dale;
use crate::size::check_size;
use crate::start::start;
use crate::trials::{
    bins_per_condition, check_conditions, check_pieces, least_bins, leave_out_short,
};
use crate::tuning::tune;
use crate::{
    Checkpoint, ConvexReport, Evaluator, FitError, History, Model, ObjectiveKind, Optimiser,
    Specification, StepReport, Terms, Training, convex, wiring,
};
use refire_convex::Curvature;
use refire_core::Recorded;
use refire_engine::{Losses, Parameters, Streams, TENSORS, Wiring};
use refire_optim::cosine;
use refire_recording::{Recording, Split};
use std::ops::Range;
use validation::Validation;

/// Iterations between two looks at the validation trials.
pub const VALIDATE_EVERY: usize = 20;

/// A fit in progress.
pub struct Trainer<'a> {
    recording: &'a Recording,
    spec: Specification,
    wiring: Wiring,
    split: Split,
    training: Training,
    drive: DriveOf,
    bins_per_condition: Vec<usize>,
    pool: Pool<'a>,
    objective: Evaluator<f32>,
    validation: Option<Validation>,
    left_out: Vec<String>,
    scored: f64,
    dale: Option<Dale>,
    /// Of the likelihood, for natural steps.
    curvature: Option<Curvature<f32>>,
    /// Drive weights that have a prior.
    under_prior: Range<usize>,
    gradient: Parameters<f32>,
    state: Checkpoint,
}

impl<'a> Trainer<'a> {
    /// Splits the recording, measures the training trials and sets the parameters to their start.
    ///
    /// # Errors
    /// [`FitError`] where specification and recording do not allow a fit.
    pub fn new(recording: &'a Recording, spec: &Specification) -> Result<Self, FitError> {
        spec.check()?;
        let split = spec.held_out.draw(recording, spec.seed)?;
        check_conditions(recording, spec, &split)?;
        Self::with_split(recording, spec, split)
    }

    /// [`Self::new`] with a split that is given; [`crate::HeldOut`] is not used. A checkpoint does
    /// not hold the split: resume with the same one.
    ///
    /// # Errors
    /// As [`Self::new`], and [`FitError::Split`] where the split is not one of the recording.
    pub fn with_split(
        recording: &'a Recording,
        spec: &Specification,
        mut split: Split,
    ) -> Result<Self, FitError> {
        spec.check()?;
        split.check(recording.n_trials())?;
        let first_bin = spec.first_bin();
        check_pieces(recording, spec)?;
        let least = least_bins(spec);
        let too_short = leave_out_short(recording, &mut split, least)?;
        check_size(recording, spec)?;
        let observed = recording.n_units();
        let units = observed + spec.network.hidden;
        let wiring = wiring::resolve(spec, units)?;
        spec.network.check_observed_signs(observed)?;
        let training = Training::new(recording, &split.train, first_bin)?;
        let bins_per_condition = bins_per_condition(recording, least);
        let mut resolved = spec.clone();
        let known = tune(recording, &mut resolved, &split, &bins_per_condition)?;
        let spec = &resolved;
        let drive = DriveOf::new(spec.drive, recording, &bins_per_condition)?;
        let features = drive.features.as_ref();
        let encoder = || (drive.spec).build(&bins_per_condition, first_bin, units, features);

        let pool = Pool::new(recording, &split.train, first_bin);
        if spec
            .objective
            .corrected()
            .is_some_and(|c| c.noise.parts > 1)
        {
            check_parts(spec, &pool.draw(spec.seed, 0, spec.batch)?)?;
        }
        let (spikes, layout) = recording.select(&split.train, first_bin)?;
        let recorded = Recorded {
            spikes: &spikes,
            layout: &layout,
        };
        let terms = Terms::new(spec, recorded).that_count()?;
        let mut left_out = terms.left_out.clone();
        left_out.extend(too_short);
        let scored = (layout.scored_bins() * observed) as f64;
        let first_encoder = encoder()?;
        let start = start(spec, &wiring, &training.baseline, first_encoder.as_ref());
        let under_prior = first_encoder.under_prior();
        let shape = || wiring::shape(spec, &wiring, observed);
        let objective = Evaluator::new(spec, shape(), first_encoder, terms);
        let validation = if split.validation.is_empty() {
            None
        } else {
            let (spikes, layout) = recording.select(&split.validation, first_bin)?;
            let recorded = Recorded {
                spikes: &spikes,
                layout: &layout,
            };
            let terms = Terms::new(spec, recorded);
            left_out.extend(
                terms
                    .left_out
                    .iter()
                    .map(|why| format!("validation: {why}")),
            );
            let batch =
                Pool::new(recording, &split.validation, first_bin).whole(spec.batch.free_bins)?;
            // Nothing to judge by: the last parameters count, as without validation trials.
            let judges = terms.count();
            check_parts(spec, &batch)?;
            let objective = Evaluator::new(spec, shape(), encoder()?, terms);
            judges.then(|| Validation::new(spec, objective, batch))
        };
        let names = |objective: &Evaluator<f32>| {
            let names = objective.term_names();
            names.iter().map(ToString::to_string).collect()
        };
        let history = History {
            terms: names(&objective),
            validation_terms: validation
                .as_ref()
                .map_or_else(Vec::new, |v| names(v.objective())),
            ..History::default()
        };
        let fit = FitOf {
            spec: spec.clone(),
            wiring: wiring.clone(),
            bin_width: recording.bin_width(),
            recording_hash: recording.hash(),
        };
        let state = Checkpoint::start(fit, start, history)?;
        let mut trainer = Self {
            recording,
            spec: spec.clone(),
            split,
            training,
            drive,
            bins_per_condition,
            pool,
            objective,
            validation,
            left_out,
            scored,
            dale: Dale::new(spec, &wiring, observed),
            wiring,
            curvature: None,
            under_prior,
            gradient: Parameters::default(),
            state,
        };
        if trainer.spec.optimiser.seeks_optimum() {
            trainer.start_near(known.as_ref())?;
        }
        Ok(trainer)
    }

    /// Takes other parameters as the start of a fit that has not begun, such as
    /// [`crate::start_as_copies`]. The files of the fit do not tell where it started.
    ///
    /// # Errors
    /// [`FitError::Resume`] where a tensor has another length, a number is not finite, or a step was done.
    pub fn start_from(&mut self, start: Parameters<f32>) -> Result<(), FitError> {
        let refuse = |what: &str, expected: String, found: String| {
            Err(FitError::Resume {
                what: what.to_string(),
                expected,
                found,
            })
        };
        if self.state.iteration > 0 || self.state.convex.is_some() {
            let done = self.state.iteration.to_string();
            return refuse("the number of steps before a start", "0".into(), done);
        }
        let pairs = (self.state.parameters.tensors().into_iter()).zip(start.tensors());
        for ((mine, given), name) in pairs.zip(TENSORS) {
            if mine.len() != given.len() {
                let (expected, found) = (mine.len().to_string(), given.len().to_string());
                return refuse(
                    &format!("the length of the start's {name}"),
                    expected,
                    found,
                );
            }
        }
        if !start.are_finite() {
            return refuse(
                "every number of the start",
                "finite".into(),
                "one that is not".into(),
            );
        }
        self.state.parameters = start;
        self.state.keep_as_best(f64::INFINITY);
        self.state.history.forget_judgements();
        Ok(())
    }

    /// Goes on from a checkpoint of the same specification and recording. Its number of iterations may be another:
    /// the learning rate then falls to 0 at that one, from what its cosine says for the iteration of the checkpoint
    /// on. With fewer iterations than are done, the fit is over.
    ///
    /// # Errors
    /// [`FitError::Resume`] where it belongs to another fit.
    pub fn resume(&mut self, mut checkpoint: Checkpoint) -> Result<(), FitError> {
        if let (Some(own), Some(other)) = (
            self.spec.optimiser.steps_mut(),
            checkpoint.fit.spec.optimiser.steps_mut(),
        ) {
            // Those that are done were made.
            own.iterations = own.iterations.max(checkpoint.iteration);
            other.iterations = own.iterations;
            self.state.fit.spec.optimiser = self.spec.optimiser;
        }
        checkpoint.check_same_fit(&self.state)?;
        self.state = checkpoint;
        if self.finished() {
            self.stop()?;
        }
        Ok(())
    }

    /// Ends the fit where it is: the parameters of now are judged as those of the last iteration would be. The
    /// fit cannot go on as one that was not stopped; write its checkpoint before.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] where the validation loss is not finite.
    pub fn stop(&mut self) -> Result<(), FitError> {
        let judged = self.state.history.validated_at.last() == Some(&self.state.iteration);
        if self.state.iteration > 0 && !judged {
            self.validate(true)?;
        }
        Ok(())
    }

    /// Whether all iterations are done.
    pub fn finished(&self) -> bool {
        !self.is_to_be_solved() && self.state.iteration >= self.spec.iterations()
    }

    /// State to go on from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.state
    }

    /// Parameters after the last step; those of the model are the best so far.
    pub fn parameters(&self) -> &Parameters<f32> {
        &self.state.parameters
    }

    /// Losses so far.
    pub fn history(&self) -> &History {
        &self.state.history
    }

    /// Terms of the objective that training or validation trials cannot measure, with the reason.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What the objective measures on a random sample in each iteration, and how large it is.
    pub fn sampled(&self) -> Vec<String> {
        self.objective.sampled()
    }

    /// What the convex fit did, once it is done.
    pub fn convex(&self) -> Option<&ConvexReport> {
        self.state.convex.as_ref()
    }

    /// One step on one batch. With [`Optimiser::Lbfgs`] the first step solves the likelihood before
    /// that, and is the last where nothing goes on from there.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] where the loss or the gradient is not finite: the state is then
    /// unchanged.
    pub fn step(&mut self) -> Result<StepReport, FitError> {
        if self.is_to_be_solved() {
            let nats = self.solve()?;
            if self.spec.iterations() == 0 {
                return self.judge_solution(nats);
            }
        }
        let (seed, iteration) = (self.spec.seed, self.state.iteration);
        let batch = self.pool.draw(seed, iteration, self.spec.batch)?;
        let streams = Streams::new(seed, iteration as u32);
        let losses = self.objective.evaluate(
            &self.state.parameters,
            &batch,
            streams,
            Some(&mut self.gradient),
        )?;
        self.refuse_non_finite(&losses, iteration)?;
        if self.validation.is_none() {
            // These have proved finite; what the step makes of them has not yet.
            self.state.keep_as_best(f64::NAN);
        }
        self.add_prior_gradient();
        let rate = self.spec.optimiser.learning_rate()
            * cosine(iteration as u64, self.spec.iterations() as u64);
        let (parameters, curvature) = (&mut self.state.parameters, self.curvature.as_ref());
        self.state
            .moved_by
            .step(parameters, &mut self.gradient, curvature, rate);
        if let Some(dale) = &self.dale {
            dale.hold(&mut self.state.parameters);
        }
        self.state.iteration += 1;
        self.state.history.training.push(losses.terms.clone());
        let validation = self.validate(false)?;
        Ok(StepReport {
            iteration: self.state.iteration,
            losses,
            validation,
            best_iteration: self.state.best_iteration,
        })
    }

    /// Whether the likelihood is to be taken to its optimum first.
    fn is_to_be_solved(&self) -> bool {
        matches!(self.spec.optimiser, Optimiser::Lbfgs { .. }) && self.state.convex.is_none()
    }

    /// Takes the parameters to the optimum of the likelihood; returns its nats per (trial, bin, unit).
    fn solve(&mut self) -> Result<f64, FitError> {
        let first_bin = self.spec.first_bin();
        let training = self.recording.select(&self.split.train, first_bin)?;
        let validation = match self.split.validation.as_slice() {
            [] => None,
            trials => Some(self.recording.select(trials, first_bin)?),
        };
        let (bins, units) = (&self.bins_per_condition, self.recording.n_units());
        let features = self.drive.features.as_ref();
        let encoder = self.drive.spec.build(bins, first_bin, units, features)?;
        let recorded = |(spikes, layout)| Recorded { spikes, layout };
        let (parameters, report) = convex::maximum_likelihood(
            &self.spec,
            encoder.as_ref(),
            recorded((&training.0, &training.1)),
            validation.as_ref().map(|(z, layout)| recorded((z, layout))),
        )?;
        let nats = report.nats;
        self.state.parameters = parameters;
        self.state.convex = Some(report);
        Ok(nats)
    }

    /// Ends a fit at the solution of its likelihood.
    fn judge_solution(&mut self, nats: f64) -> Result<StepReport, FitError> {
        if self.spec.objective.kind() == ObjectiveKind::Mle {
            self.state.history.training.push(vec![nats]);
        }
        let weight = self.spec.objective.likelihood().unwrap_or(1.0);
        let validation = self.validate(true)?;
        Ok(StepReport {
            iteration: self.state.iteration,
            losses: Losses {
                terms: vec![nats],
                total: weight * nats,
            },
            validation,
            best_iteration: self.state.best_iteration,
        })
    }

    /// The best parameters so far, as a model.
    pub fn model(&self) -> Model {
        Model {
            spec: self.spec.clone(),
            wiring: self.wiring.clone(),
            parameters: self.state.best.clone(),
            bin_width: self.recording.bin_width(),
            unit_ids: self.recording.unit_ids().to_vec(),
            condition_labels: self.recording.condition_labels().to_vec(),
            bins_per_condition: self.bins_per_condition.clone(),
            drive: self.drive.spec.clone(),
            features: self.drive.features.clone(),
            training: self.training.clone(),
            split: self.split.clone(),
            recording_hash: self.state.fit.recording_hash.clone(),
            iteration: self.state.best_iteration,
        }
    }

    /// Judges the parameters on validation trials with the same random numbers every time, so that
    /// the judgement is not a new draw each time. Without validation trials the last ones count.
    fn validate(&mut self, last: bool) -> Result<Option<f64>, FitError> {
        let iteration = self.state.iteration;
        let last = last || iteration == self.spec.iterations();
        let Some(validation) = &mut self.validation else {
            if last && self.state.parameters.are_finite() {
                self.state.keep_as_best(f64::NAN);
            }
            return Ok(None);
        };
        if !iteration.is_multiple_of(VALIDATE_EVERY) && !last {
            return Ok(None);
        }
        let losses = validation.judge(&self.state.parameters)?;
        let mut of_terms = losses.terms.iter().zip(validation.objective().term_names());
        if let Some((_, term)) = of_terms.find(|(value, _)| !value.is_finite()) {
            return Err(FitError::NotFinite {
                iteration: iteration.saturating_sub(1),
                what: "validation loss",
                term,
            });
        }
        let total = losses.total;
        self.state.history.judged(iteration, losses);
        if total < self.state.best_loss {
            self.state.keep_as_best(total);
        }
        Ok(Some(total))
    }

    fn add_prior_gradient(&mut self) {
        let of = PriorsOf {
            spec: &self.spec,
            wiring: &self.wiring,
            scored: self.scored,
            drive: self.under_prior.clone(),
        };
        of.add_gradient(&self.state.parameters, &mut self.gradient);
    }

    fn refuse_non_finite(&self, losses: &Losses, iteration: usize) -> Result<(), FitError> {
        let names = self.objective.term_names();
        for (&value, &term) in losses.terms.iter().zip(&names) {
            if !value.is_finite() {
                return Err(FitError::NotFinite {
                    iteration,
                    what: "loss",
                    term,
                });
            }
        }
        for (tensor, &name) in self.gradient.tensors().into_iter().zip(&TENSORS) {
            if tensor.iter().any(|g| !g.is_finite()) {
                return Err(FitError::NotFinite {
                    iteration,
                    what: "gradient",
                    term: name,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
