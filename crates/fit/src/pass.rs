//! One pass of an evaluation: the forward run, its terms, the reverse sweep.

use crate::engine::{FittedNetwork, Losses, Streams, WeightedTerm};
use crate::score::Rewards;
use crate::windows::Windows;
use crate::{Batch, FitError, Settings};
use refire_bptt::{Gradient, add_score, sweep};
use refire_core::TrialArray;
use refire_kernels::Real;
use refire_loss::{LossError, LossTerm, Sample};
use refire_neuron::SpikeGradient;
use refire_random::KeyedUniforms;
use refire_sim::{Cotangents, Mode, PassInput, Trajectory, run};

/// Buffers of one pass, kept between iterations.
#[derive(Default)]
pub(crate) struct PassBuffers<T> {
    pub trajectory: Trajectory<T>,
    pub cotangents: Cotangents<T>,
}

/// A pass with the terms that measure it, and all its buffers.
pub(crate) struct Pass<T> {
    mode: Mode,
    pub terms: Vec<WeightedTerm<T>>,
    buffers: PassBuffers<T>,
    rewards: Rewards<T>,
    windows: Windows<T>,
}

impl<T: Real> Pass<T> {
    /// Nothing measured yet.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            terms: Vec::new(),
            buffers: PassBuffers::default(),
            rewards: Rewards::default(),
            windows: Windows::default(),
        }
    }

    /// Whether any term is in use: else the pass need not be run.
    pub(crate) fn is_needed(&self) -> bool {
        self.terms.iter().any(|t| t.weight > 0.0)
    }

    /// Values of the terms of a batch; their gradient is added to `gradient` where that is given.
    ///
    /// # Errors
    /// [`FitError`] where a term has no value.
    pub(crate) fn evaluate(
        &mut self,
        settings: &Settings,
        (network, drive): (&FittedNetwork<'_, T>, &TrialArray<T>),
        (batch, streams): (&Batch, Streams),
        gradient: Option<&mut Gradient<T>>,
    ) -> Result<Losses, FitError> {
        let mut losses = Losses::zeros(self.terms.len());
        if !self.is_needed() {
            return Ok(losses);
        }
        for WeightedTerm { term, weight } in &mut self.terms {
            if *weight > 0.0 {
                term.draw(streams.iteration);
            }
        }
        let (mode, buffers, terms) = (self.mode, &mut self.buffers, &mut self.terms);
        let (layout, recorded, keys, stream) = match mode {
            Mode::Clamped => (
                &batch.recorded_layout,
                &batch.recorded,
                &batch.recorded_keys,
                streams.clamped,
            ),
            Mode::FreeRunning => (
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
            drive,
        };
        let uniforms = KeyedUniforms::new(stream, streams.iteration, keys);
        if settings.checkpoint_bins > 0 {
            let pass = (network, mode, &input, &uniforms);
            (self.windows).evaluate(settings, pass, terms, buffers, &mut losses, gradient)?;
            return Ok(losses);
        }
        run(network, mode, &input, &uniforms, &mut buffers.trajectory)?;
        let units = refire_sim::Coupling::units(&network.coupling);
        buffers.cotangents.reset(layout, settings.lags, units);
        let sample = Sample {
            layout,
            trajectory: &buffers.trajectory,
            recorded: Some((&batch.recorded, &batch.recorded_layout)),
            recorded_keys: &batch.recorded_keys,
        };
        let (all, cotangents) = (|_: &dyn LossTerm<T>| true, &mut buffers.cotangents);
        let total = evaluate_terms(terms, all, (&sample, 1.0), cotangents, &mut losses)?;
        let Some(gradient) = gradient else {
            return Ok(losses);
        };
        let sampled = mode == Mode::FreeRunning || network.observed < network.live;
        if sampled && settings.spike_gradient == SpikeGradient::Score {
            let rewards = self.rewards.of(
                &sample,
                keys,
                settings.noise_parts.saturating_mul(2),
                total,
                |sample, cotangents| {
                    let mut losses = Losses::zeros(terms.len());
                    evaluate_terms(terms, all, (sample, 1.0), cotangents, &mut losses)
                },
            );
            let trajectory = &buffers.trajectory;
            add_score(network, mode, layout, trajectory, rewards, cotangents);
        }
        sweep(
            network,
            mode,
            layout,
            &buffers.trajectory,
            settings.pseudo_derivative(),
            cotangents,
            gradient,
        );
        Ok(losses)
    }
}

/// Adds the terms in use that are `wanted` to `losses`, and their cotangents; returns their weighted sum. A
/// sample that is a `share` of the pass, 1 for all of it, counts as that.
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
