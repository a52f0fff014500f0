//! The training loop: one Adam step at a time, judged on validation trials.

use crate::batch::{Batch, Pool};
use crate::dale::Dale;
use crate::engine::{Engine, Losses, Streams};
use crate::size::check_size;
use crate::wiring::Wiring;
use crate::{
    Checkpoint, ConvexReport, DriveKind, FitError, Form, Model, Objective, Optimizer, Parameters,
    Settings, TENSORS, Training, convex, objective,
};
use refire_core::TrialArray;
use refire_drive::DriveSpec;
use refire_optim::{Adam, AdamSettings, Schedule, clip_norm};
use refire_random::{Purpose, Stream};
use refire_recording::{BinWidth, Recording, Split};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Iterations between two looks at the validation trials.
pub const VALIDATE_EVERY: usize = 20;

/// Limit of the gradient norm of each tensor (published).
const CLIP: f64 = 1.0;

/// Losses over iterations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Names of the terms.
    pub terms: Vec<String>,
    /// Unweighted training values `[iteration][term]`.
    pub training: Vec<Vec<f64>>,
    /// Names of the terms that the validation trials can measure.
    pub validation_terms: Vec<String>,
    /// Iterations (counted from 1) at which validation trials were judged.
    pub validated_at: Vec<usize>,
    /// Unweighted validation values `[judgement][validation term]`.
    pub validation: Vec<Vec<f64>>,
    /// Weighted validation sums.
    pub validation_total: Vec<f64>,
}

impl History {
    /// Whether every row has a value for each term, as long as it was not damaged in a file.
    pub(crate) fn is_consistent(&self) -> bool {
        let full =
            |rows: &[Vec<f64>], terms: &[String]| rows.iter().all(|r| r.len() == terms.len());
        full(&self.training, &self.terms)
            && full(&self.validation, &self.validation_terms)
            && self.validation.len() == self.validated_at.len()
            && self.validation.len() == self.validation_total.len()
    }
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Iterations done, this one included.
    pub iteration: usize,
    /// Training losses of this iteration.
    pub losses: Losses,
    /// Weighted validation loss, where it was judged.
    pub validation: Option<f64>,
    /// Iteration of the best parameters so far.
    pub best_iteration: usize,
}

/// A fit in progress.
pub struct Trainer<'a> {
    recording: &'a Recording,
    settings: Settings,
    split: Split,
    training: Training,
    drive: DriveSpec,
    features: Option<TrialArray<f64>>,
    bins_per_condition: Vec<usize>,
    pool: Pool<'a>,
    engine: Engine<f32>,
    validation: Option<(Engine<f32>, Batch)>,
    left_out: Vec<String>,
    scored: f64,
    dale: Option<Dale>,
    /// Drive weights that have a prior.
    under_prior: Range<usize>,
    gradient: Parameters<f32>,
    state: Checkpoint,
}

impl<'a> Trainer<'a> {
    /// Splits the recording, measures the training trials and sets the parameters to their start.
    ///
    /// # Errors
    /// [`FitError`] where settings and recording do not allow a fit.
    pub fn new(recording: &'a Recording, settings: &Settings) -> Result<Self, FitError> {
        settings.check()?;
        let split = Split::draw(
            recording.conditions(),
            settings.test_fraction,
            settings.validation_fraction,
            settings.seed,
        )?;
        Self::with_split(recording, settings, split)
    }

    /// [`Self::new`] with a split that is given; the fractions of the settings are not used. A checkpoint does
    /// not hold the split: resume with the same one.
    ///
    /// # Errors
    /// As [`Self::new`], and [`FitError::Split`] where the split is not one of the recording.
    pub fn with_split(
        recording: &'a Recording,
        settings: &Settings,
        split: Split,
    ) -> Result<Self, FitError> {
        settings.check()?;
        split.check(recording.n_trials())?;
        let first_bin = settings.first_bin();
        let lags = if settings.objective.has_statistics() {
            settings.lags.max(settings.lags_of_noise())
        } else {
            settings.lags
        };
        for (trial, &bins) in recording.bins().iter().enumerate() {
            if bins <= lags {
                return Err(FitError::TooFewBins { trial, bins, lags });
            }
        }
        check_size(recording, settings)?;
        let settings = &settings
            .clone()
            .with_synapses(recording.n_units() + settings.hidden)?;
        settings.check_observed_signs(recording.n_units())?;
        let training = Training::of(recording, &split.train, first_bin)?;
        let units = recording.n_units() + settings.hidden;
        let mut bins_per_condition = vec![0; recording.n_conditions()];
        for (&c, &bins) in recording.conditions().iter().zip(recording.bins()) {
            bins_per_condition[c] = bins_per_condition[c].max(bins);
        }
        let (drive, features) = drive_of(recording, settings, &bins_per_condition)?;
        let encoder = || drive.build(&bins_per_condition, first_bin, units, features.as_ref());

        let pool = Pool::new(recording, &split.train, first_bin);
        if settings.noise_parts > 1 {
            let (batch, free_bins) = (settings.batch, settings.free_bins);
            check_parts(settings, &pool.draw(settings.seed, 0, batch, free_bins)?)?;
        }
        let (spikes, layout) = recording.select(&split.train, first_bin)?;
        let (terms, mut left_out) = objective::to_fit(settings, &spikes, &layout)?;
        let scored = (layout.scored_bins() * recording.n_units()) as f64;
        let first_encoder = encoder()?;
        let start = Parameters::start(settings, &training.baseline, first_encoder.as_ref());
        let under_prior = first_encoder.under_prior();
        let engine = Engine::new(settings, recording.n_units(), first_encoder, terms);
        let validation = if split.validation.is_empty() {
            None
        } else {
            let (spikes, layout) = recording.select(&split.validation, first_bin)?;
            let (terms, missing) = objective::terms(settings, &spikes, &layout);
            left_out.extend(missing.iter().map(|why| format!("validation: {why}")));
            let batch =
                Pool::new(recording, &split.validation, first_bin).whole(settings.free_bins)?;
            // Nothing to judge by: the last parameters count, as without validation trials.
            let judges = objective::counts(&terms);
            check_parts(settings, &batch)?;
            let engine = Engine::new(settings, recording.n_units(), encoder()?, terms);
            judges.then_some((engine, batch))
        };
        let names = |engine: &Engine<f32>| {
            let names = engine.term_names();
            names.iter().map(ToString::to_string).collect()
        };
        let history = History {
            terms: names(&engine),
            validation_terms: validation.as_ref().map_or_else(Vec::new, |(e, _)| names(e)),
            ..History::default()
        };
        let state = Checkpoint::start(
            settings,
            recording.bin_width(),
            recording.hash(),
            start,
            history,
        )?;
        Ok(Self {
            recording,
            settings: settings.clone(),
            split,
            training,
            drive,
            features,
            bins_per_condition,
            pool,
            engine,
            validation,
            left_out,
            scored,
            dale: Dale::of(settings, recording.n_units()),
            under_prior,
            gradient: Parameters::default(),
            state,
        })
    }

    /// Takes other parameters as the start of a fit that has not begun, such as
    /// [`Parameters::with_copies`]. The files of the fit do not tell where it started.
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
        self.state.best.clone_from(&self.state.parameters);
        Ok(())
    }

    /// Goes on from a checkpoint of the same settings and recording.
    ///
    /// # Errors
    /// [`FitError::Resume`] where it belongs to another fit.
    pub fn resume(&mut self, checkpoint: Checkpoint) -> Result<(), FitError> {
        checkpoint.check_same_fit(&self.state)?;
        self.state = checkpoint;
        Ok(())
    }

    /// Whether all iterations are done.
    pub fn finished(&self) -> bool {
        let solved = self.state.convex.is_some();
        match (self.settings.optimizer, self.settings.objective) {
            (Optimizer::Lbfgs, Objective::Mle) => solved,
            (Optimizer::Lbfgs, _) => solved && self.state.iteration >= self.settings.iterations,
            (Optimizer::Adam, _) => self.state.iteration >= self.settings.iterations,
        }
    }

    /// State to go on from.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.state
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
        self.engine.sampled()
    }

    /// What the convex fit did, once it is done.
    pub fn convex(&self) -> Option<&ConvexReport> {
        self.state.convex.as_ref()
    }

    /// One step of Adam on one batch. With [`Optimizer::Lbfgs`] the first step solves the likelihood before
    /// that, and an objective that is nothing else is finished then.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] where the loss or the gradient is not finite: the state is then
    /// unchanged.
    pub fn step(&mut self) -> Result<StepReport, FitError> {
        if self.settings.optimizer == Optimizer::Lbfgs && self.state.convex.is_none() {
            let nats = self.solve()?;
            if self.settings.objective == Objective::Mle || self.settings.iterations == 0 {
                return self.judge_solution(nats);
            }
        }
        let (seed, iteration) = (self.settings.seed, self.state.iteration);
        let batch = self.pool.draw(
            seed,
            iteration,
            self.settings.batch,
            self.settings.free_bins,
        )?;
        let streams = Streams {
            clamped: Stream::new(self.settings.seed, Purpose::Clamped),
            free: Stream::new(self.settings.seed, Purpose::FreeRunning),
            iteration: iteration as u32,
        };
        let losses = self.engine.evaluate(
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
        let rate = self.settings.learning_rate
            * Schedule::Cosine {
                floor: 0.0,
                warm_up: 0,
            }
            .at(iteration as u64, self.settings.iterations as u64);
        let tensors = self.state.parameters.tensors_mut().into_iter();
        for ((tensor, gradient), adam) in tensors
            .zip(self.gradient.tensors_mut())
            .zip(&mut self.state.optimiser)
        {
            let _ = clip_norm(gradient, CLIP);
            adam.step(tensor, gradient, rate);
        }
        if let Some(dale) = &self.dale {
            dale.hold(&mut self.state.parameters.couplings);
        }
        self.state.iteration += 1;
        self.state.history.training.push(losses.terms.clone());
        let validation = self.validate()?;
        Ok(StepReport {
            iteration: self.state.iteration,
            losses,
            validation,
            best_iteration: self.state.best_iteration,
        })
    }

    /// Takes the parameters to the optimum of the likelihood; returns its nats per (trial, bin, unit).
    fn solve(&mut self) -> Result<f64, FitError> {
        let first_bin = self.settings.first_bin();
        let training = self.recording.select(&self.split.train, first_bin)?;
        let validation = match self.split.validation.as_slice() {
            [] => None,
            trials => Some(self.recording.select(trials, first_bin)?),
        };
        let (bins, units) = (&self.bins_per_condition, self.recording.n_units());
        let encoder = self
            .drive
            .build(bins, first_bin, units, self.features.as_ref())?;
        let (parameters, report) = convex::maximum_likelihood(
            &self.settings,
            encoder.as_ref(),
            &training,
            validation.as_ref(),
        )?;
        let nats = report.nats;
        self.state.parameters = parameters;
        self.state.convex = Some(report);
        Ok(nats)
    }

    /// Ends a fit at the solution of its likelihood.
    fn judge_solution(&mut self, nats: f64) -> Result<StepReport, FitError> {
        self.state.iteration = self.settings.iterations;
        if self.settings.objective == Objective::Mle {
            self.state.history.training.push(vec![nats]);
        }
        let validation = self.validate()?;
        Ok(StepReport {
            iteration: self.state.iteration,
            losses: Losses {
                terms: vec![nats],
                total: self.settings.weights.mle * nats,
            },
            validation,
            best_iteration: self.state.best_iteration,
        })
    }

    /// The best parameters so far, as a model.
    pub fn model(&self) -> Model {
        Model {
            settings: self.settings.clone(),
            parameters: self.state.best.clone(),
            bin_width: self.recording.bin_width(),
            unit_ids: self.recording.unit_ids().to_vec(),
            condition_labels: self.recording.condition_labels().to_vec(),
            bins_per_condition: self.bins_per_condition.clone(),
            drive: self.drive.clone(),
            features: self.features.clone(),
            training: self.training.clone(),
            split: self.split.clone(),
            recording_hash: self.state.recording_hash.clone(),
            iteration: self.state.best_iteration,
        }
    }

    /// Judges the parameters on validation trials with the same random numbers every time, so that
    /// the judgement is not a new draw each time. Without validation trials the last ones count.
    fn validate(&mut self) -> Result<Option<f64>, FitError> {
        let iteration = self.state.iteration;
        let Some((engine, batch)) = &mut self.validation else {
            if iteration == self.settings.iterations && self.state.parameters.are_finite() {
                self.state.keep_as_best(f64::NAN);
            }
            return Ok(None);
        };
        if !iteration.is_multiple_of(VALIDATE_EVERY) && iteration != self.settings.iterations {
            return Ok(None);
        }
        let streams = Streams {
            clamped: Stream::new(self.settings.seed, Purpose::ValidationClamped),
            free: Stream::new(self.settings.seed, Purpose::ValidationFree),
            iteration: 0,
        };
        let losses = engine.evaluate(&self.state.parameters, batch, streams, None)?;
        let mut of_terms = losses.terms.iter().zip(engine.term_names());
        if let Some((_, term)) = of_terms.find(|(value, _)| !value.is_finite()) {
            return Err(FitError::NotFinite {
                iteration: iteration - 1,
                what: "validation loss",
                term,
            });
        }
        let history = &mut self.state.history;
        history.validated_at.push(iteration);
        history.validation.push(losses.terms);
        history.validation_total.push(losses.total);
        if losses.total < self.state.best_loss {
            self.state.keep_as_best(losses.total);
        }
        Ok(Some(losses.total))
    }

    /// A Gaussian prior on couplings and the drive weights that are meant to have one, relative to the likelihood of all training bins:
    /// `d/dw [w^2 / (2 (theta sd)^2 N)]`, `N` scored (trial, bin, unit). Biases have none. The factors of
    /// low-rank couplings have the one that gives couplings their standard deviation.
    fn add_prior_gradient(&mut self) {
        let (theta, settings) = (self.settings.theta, &self.settings);
        let of_couplings = Wiring::of(settings).sd_of_parameters(theta * settings.coupling_prior);
        let strength = |sd: f64| (1.0 / (sd.powi(2) * self.scored)) as f32;
        let parameters = &self.state.parameters;
        let pairs = [
            (
                self.gradient.couplings.as_mut_slice(),
                parameters.couplings.as_slice(),
                strength(of_couplings),
            ),
            (
                &mut self.gradient.drive[self.under_prior.clone()],
                &parameters.drive[self.under_prior.clone()],
                strength(theta * settings.drive_prior),
            ),
        ];
        for (gradient, values, strength) in pairs {
            for (g, &w) in gradient.iter_mut().zip(values) {
                *g += strength * w;
            }
        }
    }

    fn refuse_non_finite(&self, losses: &Losses, iteration: usize) -> Result<(), FitError> {
        let names = self.engine.term_names();
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

/// Whether the free-running trials of some condition make as many parts of two trials as are asked for.
fn check_parts(settings: &Settings, batch: &Batch) -> Result<(), FitError> {
    let groups = batch.free_layout.groups().iter();
    let most = groups.map(|group| group.slots.len()).max().unwrap_or(0) / 2;
    let unused = settings.form == Form::Published || !settings.objective.has_statistics();
    if settings.noise_parts <= most || unused {
        return Ok(());
    }
    Err(FitError::Setting {
        name: "noise-parts",
        allowed: "at most half the free-running trials of a condition (see free-bins)",
        found: format!("{} for {} trials", settings.noise_parts, 2 * most),
    })
}

/// Adam for each tensor of the parameters.
pub(crate) fn optimisers(parameters: &Parameters<f32>) -> Result<[Adam<f32>; 3], FitError> {
    let adam = |tensor: &Vec<f32>| Adam::new(AdamSettings::default(), tensor.len());
    let [couplings, bias, drive] = parameters.tensors();
    Ok([adam(couplings)?, adam(bias)?, adam(drive)?])
}

fn drive_of(
    recording: &Recording,
    settings: &Settings,
    bins_per_condition: &[usize],
) -> Result<(DriveSpec, Option<TrialArray<f64>>), FitError> {
    match settings.drive {
        DriveKind::None => Ok((DriveSpec::None, None)),
        DriveKind::Condition => {
            let spacing_bins = (settings.drive_spacing / recording.bin_width()).max(2.0);
            let spec = DriveSpec::Condition {
                spacing_bins,
                width_in_spacings: DriveSpec::UNIT_WIDTH,
            };
            Ok((spec, None))
        }
        DriveKind::Features | DriveKind::Movie => {
            let stimulus = recording.stimulus().ok_or(FitError::NoStimulus)?;
            let bins = bins_per_condition.iter().copied().max().unwrap_or(0);
            let width = BinWidth::from_seconds(recording.bin_width())
                .map_err(refire_recording::RecordingError::from)?;
            let per_bin = stimulus.resample(width, bins);
            let courses = per_bin.courses();
            let features =
                TrialArray::from_vec(per_bin.values().to_vec(), courses, bins, per_bin.features())
                    .ok_or(FitError::NoStimulus)?;
            let shared = [bins];
            let valid = if courses == 1 {
                shared.as_slice()
            } else {
                bins_per_condition
            };
            let spec = match settings.drive {
                DriveKind::Movie => DriveSpec::movie(settings.movie, &features, valid)?,
                _ => DriveSpec::Features {
                    lags: settings.stimulus_lags,
                    standardise: refire_drive::Standardise::fit(&features, valid)?,
                },
            };
            Ok((spec, Some(features)))
        }
    }
}
