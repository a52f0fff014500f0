//! An evaluation that keeps the state of a pass at every S-th bin, in place of every bin.

use crate::engine::{FittedNetwork, Losses, PassBuffers, WeightedTerm, evaluate_terms};
use crate::{FitError, Settings};
use refire_bptt::{Gradient, SweepState, sweep_window};
use refire_kernels::Real;
use refire_loss::{LossError, Sample};
use refire_random::Uniforms;
use refire_sim::{Mode, PassInput, PassState, SimError, run_window};
use std::ops::Range;

/// States and adjoints between windows, kept between iterations.
///
/// ```text
/// forward:  for w = 0 ..      keep the state before w; run w
/// reverse:  for w = last .. 0  run w again from that state; terms of w; sweep w
/// ```
///
/// `T` bins in windows of `S` take `S` rows of every array of a pass and `T/S` states of `lags` rows:
/// least for `S` near the root of `lags T`. The keyed uniforms make the second run the first again,
/// bit for bit.
#[derive(Default)]
pub(crate) struct Windows<T> {
    before: Vec<PassState<T>>,
    state: PassState<T>,
    behind: SweepState<T>,
}

/// Network, mode, input and uniforms of a pass.
type Pass<'a, T, R> = (&'a FittedNetwork<'a, T>, Mode, &'a PassInput<'a, T>, &'a R);

impl<T: Real> Windows<T> {
    /// Adds the terms of one pass to `losses` and, where it is given, to `gradient`.
    ///
    /// # Errors
    /// [`FitError::Setting`] where a term cannot be had window by window.
    pub(crate) fn evaluate(
        &mut self,
        settings: &Settings,
        pass: Pass<'_, T, impl Uniforms<T>>,
        terms: &mut [WeightedTerm<T>],
        buffers: &mut PassBuffers<T>,
        losses: &mut Losses,
        gradient: Option<&mut Gradient<T>>,
    ) -> Result<(), FitError> {
        let (size, (network, mode, input, _)) = (settings.checkpoint_bins, pass);
        let in_use = |t: &&mut WeightedTerm<T>| t.term.pass() == mode && t.weight > 0.0;
        if let Some(other) = terms
            .iter_mut()
            .filter(in_use)
            .find(|t| !t.term.is_mean_of_bins())
        {
            return Err(FitError::Setting {
                name: "checkpoint-bins",
                allowed: "0 with a term that is no mean over bins",
                found: format!("{size} with {}", other.term.name()),
            });
        }
        let end = input.layout.max_bins();
        let windows = end.div_ceil(size);
        let bins = |w: usize| w * size..end.min((w + 1) * size);
        let Some(gradient) = gradient else {
            for w in 0..windows {
                self.run(&pass, bins(w), buffers)?;
                measure(settings, &pass, bins(w), terms, buffers, losses)?;
            }
            return Ok(());
        };
        self.before.resize_with(windows, PassState::default);
        for w in 0..windows {
            self.before[w].copy_from(&self.state);
            self.run(&pass, bins(w), buffers)?;
        }
        self.behind.clear();
        for w in (0..windows).rev() {
            // The last one has just been run.
            if w + 1 < windows {
                self.state.copy_from(&self.before[w]);
                self.run(&pass, bins(w), buffers)?;
            }
            measure(settings, &pass, bins(w), terms, buffers, losses)?;
            sweep_window(
                network,
                mode,
                (&input.layout.window(bins(w)), w * size),
                &buffers.trajectory,
                settings.pseudo_derivative(),
                &mut buffers.cotangents,
                &mut self.behind,
                gradient,
            );
        }
        Ok(())
    }

    fn run(
        &mut self,
        &(network, mode, input, uniforms): &Pass<'_, T, impl Uniforms<T>>,
        bins: Range<usize>,
        buffers: &mut PassBuffers<T>,
    ) -> Result<(), SimError> {
        let (state, out) = (&mut self.state, &mut buffers.trajectory);
        run_window(network, mode, input, uniforms, bins, state, out)
    }
}

/// The terms of one window, each by the window's share of the scored bins.
fn measure<T: Real>(
    settings: &Settings,
    &(network, mode, input, _): &Pass<'_, T, impl Uniforms<T>>,
    bins: Range<usize>,
    terms: &mut [WeightedTerm<T>],
    buffers: &mut PassBuffers<T>,
    losses: &mut Losses,
) -> Result<(), LossError> {
    let layout = input.layout.window(bins);
    let units = refire_sim::Coupling::units(&network.coupling);
    buffers.cotangents.reset(&layout, settings.lags, units);
    if layout.scored_bins() == 0 {
        return Ok(());
    }
    let share = layout.scored_bins() as f64 / input.layout.scored_bins() as f64;
    let sample = Sample {
        layout: &layout,
        trajectory: &buffers.trajectory,
        // A term that compares with the trials of the batch would need those of the window.
        recorded: None,
        recorded_keys: &[],
    };
    let cotangents = &mut buffers.cotangents;
    evaluate_terms(terms, mode, (&sample, share), cotangents, losses)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Streams};
    use crate::{Batch, Objective, Parameters};
    use refire_core::{TrialArray, TrialLayout};
    use refire_drive::NoDrive;
    use refire_loss::{Likelihood, LossTerm, PublishedHiddenRate};
    use refire_neuron::Logistic;
    use refire_random::{Purpose, Stream};

    const BINS: usize = 13;
    const LAGS: usize = 3;

    /// Value without and with a gradient, and the gradient, of two observed and two hidden units.
    fn evaluate<T: Real>(
        checkpoint_bins: usize,
        first_bin: usize,
        term: Box<dyn LossTerm<T>>,
    ) -> Result<([f64; 2], Vec<f64>), FitError> {
        let settings = Settings {
            lags: LAGS,
            hidden: 2,
            objective: Objective::Mle,
            checkpoint_bins,
            ..Settings::default()
        };
        let lengths = vec![13, 9, 12, 5, 13, 4];
        let layout = TrialLayout::new(vec![0, 1, 0, 1, 0, 1], lengths, first_bin).unwrap();
        let mut recorded = TrialArray::<u8>::zeros(6, BINS, 0, 2);
        for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
            *z = u8::from(at % 5 < 2);
        }
        let batch = Batch {
            recorded,
            recorded_layout: layout.clone(),
            recorded_keys: (0..6).collect(),
            histories: TrialArray::zeros(6, first_bin, 0, 2),
            free_layout: layout,
            free_keys: (0..6).collect(),
        };
        let wave = |at: usize| T::of(0.5 * (1.7 * at as f64 + 0.3).sin());
        let parameters = Parameters {
            couplings: (0..4 * LAGS * 4).map(wave).collect(),
            bias: (0..4).map(wave).collect(),
            drive: Vec::new(),
        };
        let streams = Streams {
            clamped: Stream::new(1, Purpose::Clamped),
            free: Stream::new(1, Purpose::FreeRunning),
            iteration: 4,
        };
        let drive = Box::new(NoDrive::new(2, BINS, 4));
        let weighted = vec![WeightedTerm { term, weight: 0.7 }];
        let mut engine = Engine::new(&settings, 2, drive, weighted);
        let mut gradient = Parameters::default();
        let alone = engine.evaluate(&parameters, &batch, streams, None)?;
        let found = engine.evaluate(&parameters, &batch, streams, Some(&mut gradient))?;
        assert!((found.total - 0.7 * found.terms[0]).abs() < 1e-14);
        let numbers = gradient.couplings.iter().chain(&gradient.bias);
        let numbers = numbers.map(|g| g.f64()).collect();
        Ok(([alone.terms[0], found.terms[0]], numbers))
    }

    fn likelihood<T: Real>() -> Box<dyn LossTerm<T>> {
        Box::new(Likelihood::new(Logistic, 2))
    }

    fn windows_make_the_whole<T: Real>(tolerance: f64) {
        for first_bin in [0, LAGS] {
            let ([value, _], gradient) = evaluate::<T>(0, first_bin, likelihood()).unwrap();
            let largest = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
            assert!(largest > 1e-3);
            for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 3] {
                let (values, found) = evaluate::<T>(size, first_bin, likelihood()).unwrap();
                for found in values {
                    assert!((found - value).abs() < tolerance * value, "{size}: {found}");
                }
                for (found, expected) in found.iter().zip(&gradient) {
                    let off = (found - expected).abs();
                    assert!(off < tolerance * largest, "windows of {size}: {found}");
                }
            }
        }
    }

    #[test]
    fn windows_make_the_whole_evaluation() {
        windows_make_the_whole::<f64>(1e-12);
        windows_make_the_whole::<f32>(1e-5);
    }

    #[test]
    fn what_is_no_mean_over_bins_is_refused() {
        let term = || Box::new(PublishedHiddenRate::new(2..4, 0.17));
        assert!(evaluate::<f64>(0, 0, term()).is_ok());
        let refused = evaluate::<f64>(4, 0, term()).unwrap_err().to_string();
        assert!(refused.contains("4 with hidden-rate"), "{refused}");
    }

    #[test]
    fn settings_ask_for_windows_with_the_likelihood_alone() {
        let with = |objective, spike_gradient| Settings {
            checkpoint_bins: 20,
            objective,
            spike_gradient,
            ..Settings::default()
        };
        let escape = refire_neuron::SpikeGradient::Escape;
        assert!(with(Objective::Mle, escape).check().is_ok());
        let score = refire_neuron::SpikeGradient::Score;
        for refused in [
            with(Objective::MleAndSampleAndMeasure, escape),
            with(Objective::SampleAndMeasure, escape),
            with(Objective::Mle, score),
        ] {
            let message = refused.check().unwrap_err().to_string();
            assert!(message.contains("checkpoint-bins"), "{message}");
        }
    }
}
