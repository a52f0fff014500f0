//! One evaluation of the objective: passes, terms, reverse sweeps, encoder, priors.

use crate::batch::Batch;
use crate::padded::PaddedNetwork;
use crate::pass::Pass;
use crate::wiring::Wiring;
use crate::{FitError, Parameters, Settings};
use refire_bptt::Gradient;
use refire_core::TrialArray;
use refire_drive::{Encoder, Kept};
use refire_kernels::Real;
use refire_loss::LossTerm;
use refire_neuron::{Logistic, Memoryless};
use refire_random::Stream;
use refire_sim::{AnyCoupling, Coupling, Mode, Network};

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
    pub(crate) fn zeros(terms: usize) -> Self {
        Self {
            terms: vec![0.0; terms],
            total: 0.0,
        }
    }
}

/// Most numbers of a gradient of which there may be two, for the passes to be evaluated side by side.
const MOST_OF_TWO: usize = 1 << 20;

/// Evaluates an objective and its gradient, with all buffers kept between calls.
pub struct Engine<T> {
    settings: Settings,
    encoder: Box<dyn Encoder<T>>,
    kept: Kept<T>,
    drive: TrialArray<T>,
    padded: PaddedNetwork<T>,
    clamped: Pass<T>,
    free: Pass<T>,
    /// Of each term, the pass it measures and its place there.
    places: Vec<(Mode, usize)>,
    gradient: Gradient<T>,
    gradient_of_free: Gradient<T>,
}

impl<T: Real> Engine<T> {
    /// An engine for the given terms; those of zero weight are not evaluated.
    pub fn new(
        settings: &Settings,
        observed: usize,
        encoder: Box<dyn Encoder<T>>,
        terms: Vec<WeightedTerm<T>>,
    ) -> Self {
        let mut engine = Self {
            settings: settings.clone(),
            encoder,
            kept: Kept::default(),
            drive: TrialArray::default(),
            padded: PaddedNetwork::new(settings, observed),
            clamped: Pass::new(Mode::Clamped),
            free: Pass::new(Mode::FreeRunning),
            places: Vec::new(),
            gradient: Gradient::default(),
            gradient_of_free: Gradient::default(),
        };
        for term in terms {
            let mode = term.term.pass();
            let pass = match mode {
                Mode::Clamped => &mut engine.clamped,
                Mode::FreeRunning => &mut engine.free,
            };
            engine.places.push((mode, pass.terms.len()));
            pass.terms.push(term);
        }
        engine
    }

    /// The terms, in order.
    fn terms(&self) -> impl Iterator<Item = &WeightedTerm<T>> {
        self.places.iter().map(|&(mode, at)| match mode {
            Mode::Clamped => &self.clamped.terms[at],
            Mode::FreeRunning => &self.free.terms[at],
        })
    }

    /// Names of the terms, in order.
    pub fn term_names(&self) -> Vec<&'static str> {
        self.terms().map(|t| t.term.name()).collect()
    }

    /// What terms in use measure on a random sample only.
    pub fn sampled(&self) -> Vec<String> {
        let in_use = self.terms().filter(|t| t.weight > 0.0);
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
        gradient: Option<&mut Parameters<T>>,
    ) -> Result<Losses, FitError> {
        self.encoder
            .forward_keeping(&parameters.drive, &mut self.drive, &mut self.kept);
        self.padded.load(parameters, &self.drive)?;
        let (clamped, free) = self.evaluate_passes((batch, streams), gradient.is_some())?;
        let losses = Losses {
            terms: (self.places.iter())
                .map(|&(mode, at)| match mode {
                    Mode::Clamped => clamped.terms[at],
                    Mode::FreeRunning => free.terms[at],
                })
                .collect(),
            total: clamped.total + free.total,
        };
        if let Some(gradient) = gradient {
            // The drive is not needed any more: its rows take the gradient.
            self.padded.strip(
                &self.gradient,
                &mut gradient.couplings,
                &mut gradient.bias,
                &mut self.drive,
            )?;
            gradient.drive.clear();
            gradient.drive.resize(parameters.drive.len(), T::zero());
            self.encoder.pull_back(
                &parameters.drive,
                &mut self.kept,
                &self.drive,
                &mut gradient.drive,
            );
        }
        Ok(losses)
    }

    /// Both passes, of clamped and of free-running trials. They have nothing to do with one another until their
    /// gradients are added, so threads that one leaves idle help with the other; a large gradient, of which
    /// there is only one, they take in turn.
    fn evaluate_passes(
        &mut self,
        batch: (&Batch, Streams),
        with_gradient: bool,
    ) -> Result<(Losses, Losses), FitError> {
        let (settings, drive) = (&self.settings, self.padded.drive());
        let network = self.padded.network()?;
        let (clamped, free) = (&mut self.clamped, &mut self.free);
        let (first, second) = (&mut self.gradient, &mut self.gradient_of_free);
        let numbers = network.coupling.parameter_count() + drive.as_slice().len();
        let both = clamped.is_needed() && free.is_needed();
        let two = both && with_gradient && numbers <= MOST_OF_TWO;
        if with_gradient {
            let (conditions, bins) = (drive.trials(), drive.bins());
            first.reset(&network, conditions, bins);
            if two {
                second.reset(&network, conditions, bins);
            }
        }
        let network = (&network, drive);
        if with_gradient && !two {
            let clamped = clamped.evaluate(settings, network, batch, Some(&mut *first))?;
            return Ok((
                clamped,
                free.evaluate(settings, network, batch, Some(first))?,
            ));
        }
        let (clamped, free) = rayon::join(
            || clamped.evaluate(settings, network, batch, two.then_some(&mut *first)),
            || free.evaluate(settings, network, batch, two.then_some(&mut *second)),
        );
        let losses = (clamped?, free?);
        if two {
            first.add(second);
        }
        Ok(losses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_core::TrialLayout;
    use refire_drive::NoDrive;
    use refire_loss::{LossError, Sample};
    use refire_random::Purpose;
    use refire_sim::Cotangents;

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
