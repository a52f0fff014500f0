//! One evaluation of the objective: passes, terms, reverse sweeps, encoder.

use crate::pass::{Given, PassTerms};
use crate::{
    Batch, EngineError, EngineOptions, Losses, NetworkShape, PaddedNetwork, Parameters, Streams,
    WeightedTerm,
};
use refire_bptt::Gradient;
use refire_core::TrialArray;
use refire_drive::{Encoder, Kept};
use refire_kernels::Real;
use refire_sim::{Coupling, Mode};

/// Most numbers of a gradient of which there may be two, for the passes to be evaluated side by side.
const MOST_OF_TWO: usize = 1 << 20;

/// Evaluates an objective and its gradient, with all buffers kept between calls.
pub struct Engine<T: Real> {
    options: EngineOptions,
    encoder: Box<dyn Encoder<T>>,
    kept: Kept,
    drive: TrialArray<T>,
    padded: PaddedNetwork<T>,
    teacher_forced: PassTerms<T>,
    free: PassTerms<T>,
    /// Of each term, the pass it measures and its place there.
    places: Vec<(Mode, usize)>,
    gradient: Gradient<T>,
    gradient_of_free: Gradient<T>,
}

impl<T: Real> Engine<T> {
    /// An engine for the given terms; those of zero weight are not evaluated.
    pub fn new(
        shape: NetworkShape,
        options: EngineOptions,
        encoder: Box<dyn Encoder<T>>,
        terms: Vec<WeightedTerm<T>>,
    ) -> Self {
        let mut engine = Self {
            options,
            encoder,
            kept: Kept::default(),
            drive: TrialArray::default(),
            padded: PaddedNetwork::new(shape),
            teacher_forced: PassTerms::new(Mode::TeacherForced),
            free: PassTerms::new(Mode::FreeRunning),
            places: Vec::new(),
            gradient: Gradient::default(),
            gradient_of_free: Gradient::default(),
        };
        for term in terms {
            let mode = term.term.mode();
            let pass = match mode {
                Mode::TeacherForced => &mut engine.teacher_forced,
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
            Mode::TeacherForced => &self.teacher_forced.terms[at],
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
    /// [`EngineError`] where a term has no value on this batch, or a value or gradient is not finite.
    pub fn evaluate(
        &mut self,
        parameters: &Parameters<T>,
        batch: &Batch,
        streams: Streams,
        gradient: Option<&mut Parameters<T>>,
    ) -> Result<Losses, EngineError> {
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
    ) -> Result<Losses, EngineError> {
        self.encoder
            .forward_keeping(&parameters.drive, &mut self.drive, &mut self.kept);
        self.padded.load(parameters, &self.drive)?;
        let (forced, free) = self.evaluate_passes(batch, streams, gradient.is_some())?;
        let losses = Losses {
            terms: (self.places.iter())
                .map(|&(mode, at)| match mode {
                    Mode::TeacherForced => forced.terms[at],
                    Mode::FreeRunning => free.terms[at],
                })
                .collect(),
            total: forced.total + free.total,
        };
        if let Some(gradient) = gradient {
            // The drive is not needed any more: its rows take the gradient.
            (self.padded).strip(&self.gradient, gradient, &mut self.drive)?;
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

    /// Both passes, of teacher-forced and of free-running trials. They have nothing to do with one another until
    /// their gradients are added, so threads that one leaves idle help with the other; a large gradient, of which
    /// there is only one, they take in turn.
    fn evaluate_passes(
        &mut self,
        batch: &Batch,
        streams: Streams,
        with_gradient: bool,
    ) -> Result<(Losses, Losses), EngineError> {
        let drive = self.padded.drive();
        let network = self.padded.network()?;
        let (forced, free) = (&mut self.teacher_forced, &mut self.free);
        let (first, second) = (&mut self.gradient, &mut self.gradient_of_free);
        let numbers = network.coupling.parameter_count() + drive.as_slice().len();
        let both = forced.is_needed() && free.is_needed();
        let two = both && with_gradient && numbers <= MOST_OF_TWO;
        if with_gradient {
            let (conditions, bins) = (drive.trials(), drive.bins());
            first.reset(&network, conditions, bins);
            if two {
                second.reset(&network, conditions, bins);
            }
        }
        let given = Given {
            network: &network,
            drive,
            batch,
            streams,
            options: self.options,
        };
        if with_gradient && !two {
            let forced = forced.evaluate(given, Some(&mut *first))?;
            return Ok((forced, free.evaluate(given, Some(first))?));
        }
        let (forced, free) = rayon::join(
            || forced.evaluate(given, two.then_some(&mut *first)),
            || free.evaluate(given, two.then_some(&mut *second)),
        );
        let losses = (forced?, free?);
        if two {
            first.add(second);
        }
        Ok(losses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wiring;
    use refire_core::{RecordedTrials, TrialLayout};
    use refire_drive::NoDrive;
    use refire_loss::{AdjointSink, LossError, LossTerm, Window};

    /// Its value is the iteration last drawn for; a draw without an evaluation is held against it.
    #[derive(Default)]
    struct Drawn {
        iteration: Option<u32>,
        value: f64,
    }

    impl LossTerm<f64> for Drawn {
        fn name(&self) -> &'static str {
            "drawn"
        }

        fn draw(&mut self, iteration: u32) {
            assert_eq!(self.iteration.replace(iteration), None);
        }

        fn sampled(&self) -> Option<String> {
            Some("one draw".to_string())
        }

        fn begin(&mut self, _: &TrialLayout, _: bool) -> Result<(), LossError> {
            Ok(())
        }

        fn measure(&mut self, _: &Window<'_, f64>) {}

        fn finish(&mut self, _: f64) -> Result<(), LossError> {
            self.value = f64::from(self.iteration.take().unwrap());
            Ok(())
        }

        fn add_adjoints(&mut self, _: &Window<'_, f64>, _: &mut AdjointSink<'_, f64>) {}

        fn value(&self) -> f64 {
            self.value
        }
    }

    #[test]
    fn terms_in_use_draw_for_the_iteration_before_they_are_evaluated() {
        let shape = NetworkShape {
            observed: 2,
            hidden: 0,
            lags: 1,
            wiring: Wiring::Dense,
            same_bin: None,
            theta: 0.4,
        };
        let terms = [2.0, 0.0].map(|weight| WeightedTerm::new(Drawn::default(), weight));
        let drive = Box::new(NoDrive::new(1, 3, 2));
        let options = EngineOptions::default();
        let mut engine = Engine::new(shape, options, drive, terms.into());
        let layout = TrialLayout::uniform(2, 3, 0).unwrap();
        let recorded = RecordedTrials::new(TrialArray::zeros(2, 3, 0, 2), layout.clone());
        let batch = Batch::new(recorded, layout);
        let parameters = Parameters::zeros(4, 2, 0);
        assert_eq!(engine.sampled(), ["one draw"]);
        for iteration in [0, 7, 8, 7] {
            let streams = Streams::new(1, iteration);
            let found = engine.evaluate(&parameters, &batch, streams, None).unwrap();
            assert_eq!(found.terms, [f64::from(iteration), 0.0]);
            assert_eq!(found.total, 2.0 * f64::from(iteration));
        }
    }
}
