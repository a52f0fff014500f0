//! The whole state of a fit between two iterations, and its file.

use crate::frame::{self, F32Bytes, Synapses};
use crate::moved_by::{Held, MovedBy};
use crate::wiring;
use crate::{ConvexReport, FitError, FlatSettings, History, Piece, Specification};
use refire_engine::{Parameters, Wiring};
use serde::{Deserialize, Serialize};
use std::path::Path;

const FORMAT: &str = "refire-checkpoint";
const VERSION: u32 = 4;

/// Tensors that a file holds; those of version 2 and before know no same-bin couplings.
const TENSORS_HELD: usize = refire_engine::TENSORS.len();
const TENSORS_BEFORE: usize = 3;

/// Which fit a state is of.
#[derive(Clone, Debug)]
pub struct FitOf {
    /// The specification.
    pub spec: Specification,
    /// Which couplings it has; sparse ones with their synapses.
    pub wiring: Wiring,
    /// Bin width of the recording, seconds.
    pub bin_width: f64,
    /// Hash of the recording.
    pub recording_hash: String,
}

/// State of a fit: going on from it gives what a fit without a stop gives, byte for byte.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Which fit it is of.
    pub fit: FitOf,
    pub(crate) iteration: usize,
    pub(crate) parameters: Parameters<f32>,
    pub(crate) moved_by: MovedBy,
    pub(crate) best: Parameters<f32>,
    pub(crate) best_loss: f64,
    pub(crate) best_iteration: usize,
    pub(crate) history: History,
    pub(crate) convex: Option<ConvexReport>,
}

impl Checkpoint {
    pub(crate) fn start(
        fit: FitOf,
        parameters: Parameters<f32>,
        history: History,
    ) -> Result<Self, FitError> {
        Ok(Self {
            iteration: 0,
            moved_by: MovedBy::start(fit.spec.optimiser, &parameters),
            fit,
            best: parameters.clone(),
            parameters,
            best_loss: f64::INFINITY,
            best_iteration: 0,
            history,
            convex: None,
        })
    }

    /// Iterations done.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    pub(crate) fn keep_as_best(&mut self, loss: f64) {
        self.best.clone_from(&self.parameters);
        self.best_loss = loss;
        self.best_iteration = self.iteration;
    }

    pub(crate) fn check_same_fit(&self, other: &Self) -> Result<(), FitError> {
        let differs = |what: &str, expected: String, found: String| {
            Err(FitError::Resume {
                what: what.to_string(),
                expected,
                found,
            })
        };
        let (fit, own) = (&self.fit, &other.fit);
        // First what changes the recording that is seen.
        if fit.spec.trials.piece != own.spec.trials.piece {
            let text = |piece: Option<Piece>| {
                piece.map_or("0".to_string(), |piece| format!("{} s", piece.seconds))
            };
            let (expected, found) = (text(fit.spec.trials.piece), text(own.spec.trials.piece));
            return differs("setting trial-length", expected, found);
        }
        if fit.recording_hash != own.recording_hash {
            let (expected, found) = (fit.recording_hash.clone(), own.recording_hash.clone());
            return differs("the recording's hash", expected, found);
        }
        let name = FlatSettings::from(&fit.spec).first_difference(&FlatSettings::from(&own.spec));
        if let Some((name, expected, found)) = name {
            return differs(&format!("setting {name}"), expected, found);
        }
        if fit.wiring != own.wiring {
            let count = |wiring: &Wiring| match wiring.synapses() {
                Some(synapses) => format!("one of {} synapses", synapses.synapses()),
                None => "none".to_string(),
            };
            return differs("setting mask", count(&fit.wiring), count(&own.wiring));
        }
        if self.history.terms != other.history.terms
            || self.history.validation_terms != other.history.validation_terms
        {
            let terms =
                |h: &History| [h.terms.join(", "), h.validation_terms.join(", ")].join("; ");
            return differs("the terms", terms(&self.history), terms(&other.history));
        }
        for (mine, theirs) in self
            .parameters
            .tensors()
            .iter()
            .zip(other.parameters.tensors())
        {
            if mine.len() != theirs.len() {
                return differs("a tensor", mine.len().to_string(), theirs.len().to_string());
            }
        }
        Ok(())
    }

    /// Writes the checkpoint to a temporary name and renames it.
    ///
    /// # Errors
    /// [`FitError::File`].
    pub fn write(&self, path: &Path) -> Result<(), FitError> {
        let tensors = |p: &Parameters<f32>| p.tensors().map(|t| F32Bytes::new(t)).to_vec();
        let moments = self.moved_by.held();
        let body = Body {
            settings: FlatSettings::from(&self.fit.spec),
            bin_width_s: self.fit.bin_width,
            recording_hash: self.fit.recording_hash.clone(),
            iteration: self.iteration,
            synapses: Synapses::new(&self.fit.wiring),
            parameters: tensors(&self.parameters),
            first_moments: moments.first.map(F32Bytes::new).to_vec(),
            second_moments: moments.second.map(F32Bytes::new).to_vec(),
            steps: vec![moments.steps; TENSORS_HELD],
            usual_lengths: moments.usual.to_vec(),
            best: tensors(&self.best),
            best_loss: self.best_loss,
            best_iteration: self.best_iteration,
            history: self.history.clone(),
            convex: self.convex.clone(),
        };
        frame::write(path, FORMAT, VERSION, &body)
    }

    /// Whether there is a checkpoint at a path, a damaged one perhaps.
    pub fn is_at(path: &Path) -> bool {
        frame::is_of(path, FORMAT)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`FitError::File`] where it is missing, damaged or from a newer refire.
    pub fn read(path: &Path) -> Result<Self, FitError> {
        let body: Body = frame::read(path, FORMAT, VERSION)?;
        let damaged = || {
            frame::error(
                path,
                "damaged refire-checkpoint file: a tensor is cut short",
            )
        };
        let not_finite = || {
            frame::error(
                path,
                "damaged refire-checkpoint file: numbers that are not finite",
            )
        };
        if !body.has_all_tensors() {
            return Err(damaged());
        }
        if let Some(fault) = body.contradiction() {
            let reason = format!("damaged refire-checkpoint file: {fault}");
            return Err(frame::error(path, reason));
        }
        let tensors = |held: &[F32Bytes]| -> Result<Parameters<f32>, FitError> {
            let mut parameters = Parameters::default();
            for (into, held) in parameters.tensors_mut().into_iter().zip(held) {
                *into = held.values().ok_or_else(damaged)?;
            }
            Ok(parameters)
        };
        let synapses = match &body.synapses {
            Some(synapses) => Some(synapses.connectivity().ok_or_else(damaged)?),
            None => None,
        };
        let spec = body.settings.specification(synapses.as_ref())?;
        let parameters = tensors(&body.parameters)?;
        let best = tensors(&body.best)?;
        let mut first_moments: [Vec<f32>; TENSORS_HELD] = Default::default();
        let mut second_moments: [Vec<f32>; TENSORS_HELD] = Default::default();
        for i in 0..body.steps.len() {
            let first = body.first_moments[i].values().ok_or_else(damaged)?;
            let second = body.second_moments[i].values().ok_or_else(damaged)?;
            if first.len() != parameters.tensors()[i].len()
                || best.tensors()[i].len() != parameters.tensors()[i].len()
            {
                return Err(damaged());
            }
            let finite = |moments: &[f32]| moments.iter().all(|m| m.is_finite());
            if !finite(&first) || !finite(&second) {
                return Err(not_finite());
            }
            (first_moments[i], second_moments[i]) = (first, second);
        }
        let held = Held {
            first: first_moments,
            second: second_moments,
            steps: body.iteration as u64,
            usual: body.usual_lengths,
        };
        let moved_by = MovedBy::from_held(spec.optimiser, held, &parameters).ok_or_else(damaged)?;
        if !parameters.are_finite() || !best.are_finite() {
            return Err(not_finite());
        }
        Ok(Self {
            fit: FitOf {
                wiring: wiring::from_file(&spec, synapses),
                spec,
                bin_width: body.bin_width_s,
                recording_hash: body.recording_hash,
            },
            iteration: body.iteration,
            parameters,
            moved_by,
            best,
            best_loss: body.best_loss,
            best_iteration: body.best_iteration,
            history: body.history,
            convex: body.convex,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    settings: FlatSettings,
    bin_width_s: f64,
    recording_hash: String,
    iteration: usize,
    #[serde(default)]
    synapses: Option<Synapses>,
    parameters: Vec<F32Bytes>,
    first_moments: Vec<F32Bytes>,
    second_moments: Vec<F32Bytes>,
    steps: Vec<u64>,
    /// Of natural steps.
    #[serde(default)]
    usual_lengths: Vec<f64>,
    best: Vec<F32Bytes>,
    best_loss: f64,
    best_iteration: usize,
    history: History,
    #[serde(default)]
    convex: Option<ConvexReport>,
}

impl Body {
    /// Whether there is everything of every tensor.
    fn has_all_tensors(&self) -> bool {
        let count = self.steps.len();
        let others = [
            &self.parameters,
            &self.first_moments,
            &self.second_moments,
            &self.best,
        ];
        (count == TENSORS_HELD || count == TENSORS_BEFORE)
            && others.iter().all(|tensors| tensors.len() == count)
    }

    /// What cannot be so, if anything.
    fn contradiction(&self) -> Option<&'static str> {
        let history = &self.history;
        if !history.is_consistent() {
            return Some("losses do not agree");
        }
        let rows = history.training.iter().chain(&history.validation);
        let mut losses = rows.flatten().chain(&history.validation_total);
        if !losses.all(|loss| loss.is_finite()) {
            return Some("losses that are not finite");
        }
        if self
            .steps
            .iter()
            .any(|&steps| steps != self.iteration as u64)
        {
            return Some("steps are not those of its iterations");
        }
        let judged = &history.validated_at;
        if !judged.is_sorted() || judged.last().is_some_and(|&last| last > self.iteration) {
            return Some("judgements are not at its iterations");
        }
        let judgements = history.validation_total.iter().zip(judged);
        let best = judgements.min_by(|a, b| a.0.total_cmp(b.0));
        let kept = match best {
            Some((&loss, &at)) => (self.best_loss, self.best_iteration) == (loss, at),
            None => !self.best_loss.is_finite() && self.best_iteration <= self.iteration,
        };
        (!kept).then_some("the best loss is none of its losses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Couplings, ObjectiveKind, Specification, Synapses as SynapsesOf, Trainer, fixture,
    };
    use refire_recording::Recording;

    /// The state of a fit after one step, and its file bent.
    fn checkpoint(change: impl FnOnce(&mut Specification)) -> Checkpoint {
        let recording = fixture::recording();
        let mut spec = fixture::specification(&recording, ObjectiveKind::default());
        change(&mut spec);
        let mut trainer = Trainer::new(&recording, &spec).unwrap();
        trainer.step().unwrap();
        trainer.checkpoint().clone()
    }

    #[test]
    fn another_fit_is_refused_by_what_differs() {
        let own = checkpoint(|_| ());
        let refused = |other: &Checkpoint| own.check_same_fit(other).unwrap_err().to_string();
        assert!(own.check_same_fit(&own.clone()).is_ok());
        let seed = refused(&checkpoint(|spec| spec.seed = 77));
        assert!(
            seed.contains("setting seed") && seed.contains("77"),
            "{seed}"
        );
        let mut other = own.clone();
        other.fit.spec.trials.piece = Some(Piece {
            seconds: 0.04,
            ongoing: false,
        });
        let length = refused(&other);
        assert!(
            length.contains("setting trial-length") && length.contains("0.04 s"),
            "{length}"
        );
        let mut parts = fixture::parts(10);
        parts.spikes.row_mut(0, 0)[0] ^= 1;
        let changed = Recording::new(parts).unwrap();
        let spec = fixture::specification(&changed, ObjectiveKind::default());
        let trainer = Trainer::new(&changed, &spec).unwrap();
        assert!(refused(trainer.checkpoint()).contains("the recording's hash"));
        for validation in [false, true] {
            let mut other = own.clone();
            let history = &mut other.history;
            let terms = [&mut history.terms, &mut history.validation_terms];
            terms[usize::from(validation)].push("another".to_string());
            assert!(refused(&other).contains("the terms"));
        }
        let mut other = own.clone();
        other.parameters.bias.pop();
        assert!(refused(&other).contains("a tensor"));
    }

    #[test]
    fn another_mask_is_refused() {
        let with = |mask: [bool; 9]| {
            checkpoint(|spec| {
                let synapses = refire_sim::Connectivity::from_mask(&mask, 3).unwrap();
                spec.network.couplings =
                    Couplings::Sparse(SynapsesOf::Given(std::sync::Arc::new(synapses)));
            })
        };
        let mut fewer = [true; 9];
        fewer[3] = false;
        let (own, other) = (with([true; 9]), with(fewer));
        let error = own.check_same_fit(&other).unwrap_err().to_string();
        assert!(
            error.contains("one of 9 synapses") && error.contains("one of 8"),
            "{error}"
        );
    }

    #[test]
    fn damaged_states_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.refire");
        let own = checkpoint(|_| ());
        let refused = |change: &dyn Fn(&mut Body)| {
            own.write(&path).unwrap();
            let mut body: Body = frame::read(&path, FORMAT, VERSION).unwrap();
            change(&mut body);
            frame::write(&path, FORMAT, VERSION, &body).unwrap();
            Checkpoint::read(&path)
                .err()
                .map_or(String::new(), |e| e.to_string())
        };
        assert_eq!(refused(&|_| ()), "");
        let losses = "losses do not agree";
        assert!(refused(&|b| b.history.training.push(vec![])).contains(losses));
        assert!(refused(&|b| b.history.validation[0].push(0.5)).contains(losses));
        assert!(refused(&|b| b.history.validated_at.push(1)).contains(losses));
        let finite_losses = "losses that are not finite";
        assert!(refused(&|b| b.history.training[0][1] = f64::NAN).contains(finite_losses));
        assert!(refused(&|b| b.history.validation[0][0] = f64::INFINITY).contains(finite_losses));
        assert!(refused(&|b| b.history.validation_total[0] = f64::NAN).contains(finite_losses));
        for iteration in [0, 2, usize::MAX] {
            let error = refused(&|b| b.iteration = iteration);
            assert!(
                error.contains("steps are not those of its iterations"),
                "{error}"
            );
        }
        assert!(refused(&|b| b.history.validated_at[0] = 2).contains("judgements are not"));
        for best in [f64::NAN, f64::INFINITY, -1.0] {
            let error = refused(&|b| b.best_loss = best);
            assert!(
                error.contains("the best loss is none of its losses"),
                "{error}"
            );
        }
        assert!(refused(&|b| b.best_iteration = 100_000).contains("the best loss"));
        assert!(refused(&|b| b.history.validation_total.push(1.0)).contains(losses));
        let fewer = |b: &F32Bytes| F32Bytes::new(&b.values().unwrap()[1..]);
        let short = "a tensor is cut short";
        assert!(refused(&|b| b.best[1] = fewer(&b.best[1])).contains(short));
        let moments = |b: &mut Body| {
            b.first_moments[1] = fewer(&b.first_moments[1]);
            b.second_moments[1] = fewer(&b.second_moments[1]);
        };
        assert!(refused(&moments).contains(short));
        assert!(refused(&|b| b.second_moments[1] = fewer(&b.second_moments[1])).contains(short));
        let with_nan = |b: &F32Bytes| {
            let mut values = b.values().unwrap();
            values[0] = f32::NAN;
            F32Bytes::new(&values)
        };
        let finite = "not finite";
        assert!(refused(&|b| b.best[1] = with_nan(&b.best[1])).contains(finite));
        assert!(refused(&|b| b.parameters[1] = with_nan(&b.parameters[1])).contains(finite));
        let first = |b: &mut Body| b.first_moments[1] = with_nan(&b.first_moments[1]);
        assert!(refused(&first).contains(finite));
        let second = |b: &mut Body| b.second_moments[1] = with_nan(&b.second_moments[1]);
        assert!(refused(&second).contains(finite));
    }
}
