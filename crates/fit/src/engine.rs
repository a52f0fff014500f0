//! One evaluation of the objective: passes, terms, reverse sweeps, encoder, priors.

use crate::batch::Batch;
use crate::padded::PaddedNetwork;
use crate::score::Rewards;
use crate::windows::Windows;
use crate::wiring::Wiring;
use crate::{FitError, Parameters, Settings};
use refire_bptt::{Gradient, add_score, sweep};
use refire_core::{TrialArray, TrialLayout};
use refire_drive::Encoder;
use refire_kernels::Real;
use refire_loss::{LossError, LossTerm, Sample};
use refire_neuron::{Logistic, Memoryless, SpikeGradient};
use refire_random::{KeyedUniforms, Stream};
use refire_sim::{AnyCoupling, Cotangents, Mode, Network, PassInput, Trajectory, run};

/// The network the command line fits: couplings of some kind, logistic escape noise, memoryless units.
pub type FittedNetwork<'a, T> = Network<'a, T, AnyCoupling<'a, T>, Logistic, Memoryless<T>>;

/// What a network has besides its tensors.
#[derive(Clone, Debug)]
pub(crate) struct NetworkShape {
    pub observed: usize,
    pub live: usize,
    pub lags: usize,
    pub wiring: Wiring,
    theta: f64,
}

impl NetworkShape {
    /// `observed` units and the settings' hidden ones.
    pub(crate) fn new(settings: &Settings, observed: usize) -> Self {
        Self {
            observed,
            live: observed + settings.hidden,
            lags: settings.lags,
            wiring: Wiring::of(settings),
            theta: settings.theta,
        }
    }

    /// Borrows tensors with rows of `units`.
    ///
    /// # Errors
    /// As [`Wiring::coupling`].
    pub(crate) fn network<'a, T: Real>(
        &'a self,
        units: usize,
        couplings: &'a [T],
        bias: &'a [T],
    ) -> Result<FittedNetwork<'a, T>, FitError> {
        Ok(Network {
            coupling: self.wiring.coupling(couplings, units, self.lags)?,
            escape: Logistic,
            dynamics: Memoryless::new(T::of(self.theta)),
            bias,
            observed: self.observed,
            live: self.live,
        })
    }
}

/// A loss term with its weight in the objective.
pub struct WeightedTerm<T> {
    /// The term.
    pub term: Box<dyn LossTerm<T>>,
    /// Its weight.
    pub weight: f64,
}

/// Random streams of the two passes.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    /// Hidden units of the clamped pass.
    pub clamped: Stream,
    /// Free-running pass.
    pub free: Stream,
    /// Position in both: the iteration, or 0 for fixed random numbers.
    pub iteration: u32,
}

/// Value of the objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// Unweighted value of each term, in the order of the terms.
    pub terms: Vec<f64>,
    /// Weighted sum, priors not included.
    pub total: f64,
}

impl Losses {
    fn zeros(terms: usize) -> Self {
        Self {
            terms: vec![0.0; terms],
            total: 0.0,
        }
    }
}

/// Buffers of one pass, kept between iterations.
#[derive(Default)]
pub(crate) struct PassBuffers<T> {
    pub trajectory: Trajectory<T>,
    pub cotangents: Cotangents<T>,
}

/// Evaluates an objective and its gradient, with all buffers kept between calls.
pub struct Engine<T> {
    settings: Settings,
    encoder: Box<dyn Encoder<T>>,
    terms: Vec<WeightedTerm<T>>,
    drive: TrialArray<T>,
    padded: PaddedNetwork<T>,
    clamped: PassBuffers<T>,
    free: PassBuffers<T>,
    rewards: Rewards<T>,
    windows: Windows<T>,
    gradient: Gradient<T>,
}

impl<T: Real> Engine<T> {
    /// An engine for the given terms; those of zero weight are not evaluated.
    pub fn new(
        settings: &Settings,
        observed: usize,
        encoder: Box<dyn Encoder<T>>,
        terms: Vec<WeightedTerm<T>>,
    ) -> Self {
        Self {
            settings: settings.clone(),
            encoder,
            terms,
            drive: TrialArray::default(),
            padded: PaddedNetwork::new(settings, observed),
            clamped: PassBuffers::default(),
            free: PassBuffers::default(),
            rewards: Rewards::default(),
            windows: Windows::default(),
            gradient: Gradient::default(),
        }
    }

    /// Names of the terms, in order.
    pub fn term_names(&self) -> Vec<&'static str> {
        self.terms.iter().map(|t| t.term.name()).collect()
    }

    /// What terms in use measure on a random sample only.
    pub fn sampled(&self) -> Vec<String> {
        let in_use = self.terms.iter().filter(|t| t.weight > 0.0);
        in_use.filter_map(|t| t.term.sampled()).collect()
    }

    /// Value of the objective, and its gradient where `gradient` is given (overwritten).
    ///
    /// # Errors
    /// [`FitError`] where a term has no value on this batch, or a value or gradient is not finite.
    pub fn evaluate(
        &mut self,
        parameters: &Parameters<T>,
        batch: &Batch,
        streams: Streams,
        gradient: Option<&mut Parameters<T>>,
    ) -> Result<Losses, FitError> {
        // Inside the pool from here on: else every parallel loop below would put this thread to
        // sleep and wake it again.
        rayon::scope(|_| self.evaluate_here(parameters, batch, streams, gradient))
    }

    fn evaluate_here(
        &mut self,
        parameters: &Parameters<T>,
        batch: &Batch,
        streams: Streams,
        mut gradient: Option<&mut Parameters<T>>,
    ) -> Result<Losses, FitError> {
        self.encoder.forward(&parameters.drive, &mut self.drive);
        self.padded.load(parameters, &self.drive)?;
        let (network, units) = (self.padded.network()?, self.padded.units());
        if gradient.is_some() {
            let (conditions, bins) = (self.drive.trials(), self.drive.bins());
            self.gradient.reset(&network, conditions, bins);
        }
        for WeightedTerm { term, weight } in &mut self.terms {
            if *weight > 0.0 {
                term.draw(streams.iteration);
            }
        }
        let mut losses = Losses::zeros(self.terms.len());
        for mode in [Mode::Clamped, Mode::FreeRunning] {
            let needed = self
                .terms
                .iter()
                .any(|t| t.term.pass() == mode && t.weight > 0.0);
            if !needed {
                continue;
            }
            let (buffers, layout, recorded, keys, stream) = match mode {
                Mode::Clamped => (
                    &mut self.clamped,
                    &batch.recorded_layout,
                    &batch.recorded,
                    &batch.recorded_keys,
                    streams.clamped,
                ),
                Mode::FreeRunning => (
                    &mut self.free,
                    &batch.free_layout,
                    &batch.histories,
                    &batch.free_keys,
                    streams.free,
                ),
            };
            let input = PassInput {
                layout,
                recorded: Some(recorded),
                before: None,
                drive: self.padded.drive(),
            };
            let uniforms = KeyedUniforms::new(stream, streams.iteration, keys);
            if self.settings.checkpoint_bins > 0 {
                let gradient = gradient.is_some().then_some(&mut self.gradient);
                self.windows.evaluate(
                    &self.settings,
                    (&network, mode, &input, &uniforms),
                    &mut self.terms,
                    buffers,
                    &mut losses,
                    gradient,
                )?;
                continue;
            }
            run(&network, mode, &input, &uniforms, &mut buffers.trajectory)?;
            buffers.cotangents.reset(layout, self.settings.lags, units);
            let sample = Sample {
                layout,
                trajectory: &buffers.trajectory,
                recorded: Some((&batch.recorded, &batch.recorded_layout)),
                recorded_keys: &batch.recorded_keys,
            };
            let total = evaluate_terms(
                &mut self.terms,
                |term| term.pass() == mode,
                (&sample, 1.0),
                &mut buffers.cotangents,
                &mut losses,
            )?;
            let sampled = mode == Mode::FreeRunning || network.observed < network.live;
            if gradient.is_some() && sampled && self.settings.spike_gradient == SpikeGradient::Score
            {
                let terms = &mut self.terms;
                let rewards = self.rewards.of(
                    &sample,
                    keys,
                    self.settings.noise_parts.saturating_mul(2),
                    total,
                    |sample, cotangents| {
                        let mut losses = Losses::zeros(terms.len());
                        let in_mode = |term: &dyn LossTerm<T>| term.pass() == mode;
                        evaluate_terms(terms, in_mode, (sample, 1.0), cotangents, &mut losses)
                    },
                );
                let trajectory = &buffers.trajectory;
                let cotangents = &mut buffers.cotangents;
                add_score(&network, mode, layout, trajectory, rewards, cotangents);
            }
            if gradient.is_some() {
                pull_back(
                    &network,
                    &self.settings,
                    mode,
                    layout,
                    buffers,
                    &mut self.gradient,
                );
            }
        }
        if let Some(gradient) = gradient.as_mut() {
            // The drive is not needed any more: its rows take the gradient.
            self.padded.strip(
                &self.gradient,
                &mut gradient.couplings,
                &mut gradient.bias,
                &mut self.drive,
            )?;
            gradient.drive.clear();
            gradient.drive.resize(parameters.drive.len(), T::zero());
            self.encoder.pull_back(&self.drive, &mut gradient.drive);
        }
        Ok(losses)
    }
}

/// Adds the terms that are `wanted`, all of one pass, to `losses`, and their cotangents; returns their
/// weighted sum. A sample that is a `share` of the pass, 1 for all of it, counts as that.
pub(crate) fn evaluate_terms<T: Real>(
    terms: &mut [WeightedTerm<T>],
    wanted: impl Fn(&dyn LossTerm<T>) -> bool,
    (sample, share): (&Sample<'_, T>, f64),
    cotangents: &mut Cotangents<T>,
    losses: &mut Losses,
) -> Result<f64, LossError> {
    let mut total = 0.0;
    for (at, WeightedTerm { term, weight }) in terms.iter_mut().enumerate() {
        if *weight > 0.0 && wanted(term.as_ref()) {
            let value = share * term.evaluate(sample, share * *weight, cotangents)?;
            losses.terms[at] += value;
            losses.total += *weight * value;
            total += *weight * value;
        }
    }
    Ok(total)
}

fn pull_back<T: Real>(
    network: &FittedNetwork<'_, T>,
    settings: &Settings,
    mode: Mode,
    layout: &TrialLayout,
    buffers: &mut PassBuffers<T>,
    gradient: &mut Gradient<T>,
) {
    sweep(
        network,
        mode,
        layout,
        &buffers.trajectory,
        settings.pseudo_derivative(),
        &mut buffers.cotangents,
        gradient,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_drive::NoDrive;
    use refire_random::Purpose;

    /// Its value is the iteration last drawn for; a draw without an evaluation is held against it.
    struct Drawn(Option<u32>);

    impl LossTerm<f64> for Drawn {
        fn name(&self) -> &'static str {
            "drawn"
        }

        fn pass(&self) -> Mode {
            Mode::FreeRunning
        }

        fn draw(&mut self, iteration: u32) {
            assert_eq!(self.0.replace(iteration), None);
        }

        fn sampled(&self) -> Option<String> {
            Some("one draw".to_string())
        }

        fn evaluate(
            &mut self,
            _: &Sample<'_, f64>,
            _: f64,
            _: &mut Cotangents<f64>,
        ) -> Result<f64, LossError> {
            Ok(f64::from(self.0.take().unwrap()))
        }
    }

    #[test]
    fn terms_in_use_draw_for_the_iteration_before_they_are_evaluated() {
        let settings = Settings {
            lags: 1,
            ..Settings::default()
        };
        let term = |weight| WeightedTerm {
            term: Box::new(Drawn(None)) as Box<dyn LossTerm<f64>>,
            weight,
        };
        let drive = Box::new(NoDrive::new(1, 3, 2));
        let mut engine = Engine::new(&settings, 2, drive, vec![term(2.0), term(0.0)]);
        let layout = TrialLayout::uniform(2, 3, 0).unwrap();
        let batch = Batch {
            recorded: TrialArray::zeros(2, 3, 0, 2),
            recorded_layout: layout.clone(),
            recorded_keys: vec![0, 1],
            histories: TrialArray::zeros(2, 0, 0, 2),
            free_layout: layout,
            free_keys: vec![0, 1],
        };
        let parameters = Parameters::initial(&settings, &[0.3; 2], 0);
        assert_eq!(engine.sampled(), ["one draw"]);
        for iteration in [0, 7, 8, 7] {
            let streams = Streams {
                clamped: Stream::new(1, Purpose::Clamped),
                free: Stream::new(1, Purpose::FreeRunning),
                iteration,
            };
            let found = engine.evaluate(&parameters, &batch, streams, None).unwrap();
            assert_eq!(found.terms, [f64::from(iteration), 0.0]);
            assert_eq!(found.total, 2.0 * f64::from(iteration));
        }
    }
}
