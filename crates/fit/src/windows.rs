//! An evaluation that keeps the state of a pass at every S-th bin, in place of every bin.

use crate::engine::{FittedNetwork, Losses, WeightedTerm};
use crate::pass::{PassBuffers, evaluate_terms};
use crate::{FitError, Settings};
use refire_bptt::{Gradient, SweepState, sweep_window};
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_loss::{LossError, LossTerm, Sample, WindowedTerm};
use refire_random::Uniforms;
use refire_sim::{Mode, PassInput, PassState, SimError, Trajectory, run_window};
use std::ops::Range;

/// States and adjoints between windows, kept between iterations.
///
/// ```text
/// forward:  for w = 0 ..       keep the state before w; run w; statistics take it in
/// reverse:  for w = last .. 0  run w again from that state; cotangents of w; sweep w
/// ```
///
/// `T` bins in windows of `S` take `S` rows of every array of a pass and `T/S` states of `lags` rows:
/// least for `S` near the root of `lags T`. The keyed uniforms make the second run the first again,
/// bit for bit. A mean over bins has its value and cotangents in the reverse sweep, where the forward pass
/// is not for statistics ([`refire_loss::WindowedTerm`]).
#[derive(Default)]
pub(crate) struct Windows<T> {
    before: Vec<PassState<T>>,
    state: PassState<T>,
    behind: SweepState<T>,
}

/// Network, mode, input and uniforms of a pass.
type Running<'a, T, R> = (&'a FittedNetwork<'a, T>, Mode, &'a PassInput<'a, T>, &'a R);

impl<T: Real> Windows<T> {
    /// Adds the terms of one pass to `losses` and, where it is given, to `gradient`.
    ///
    /// # Errors
    /// [`FitError::Setting`] where a term cannot be had window by window, [`FitError::Loss`] where it has
    /// no value.
    pub(crate) fn evaluate(
        &mut self,
        settings: &Settings,
        pass: Running<'_, T, impl Uniforms<T>>,
        terms: &mut [WeightedTerm<T>],
        buffers: &mut PassBuffers<T>,
        losses: &mut Losses,
        gradient: Option<&mut Gradient<T>>,
    ) -> Result<(), FitError> {
        let (size, (network, mode, input, _)) = (settings.checkpoint_bins, pass);
        begin(terms, &pass, size, gradient.is_some())?;
        let end = input.layout.max_bins();
        let windows = end.div_ceil(size);
        let bins = |w: usize| w * size..end.min((w + 1) * size);
        let Some(gradient) = gradient else {
            for w in 0..windows {
                self.run(&pass, bins(w), buffers)?;
                measure(&pass, bins(w), terms, buffers);
                add_means(settings, &pass, bins(w), terms, buffers, losses)?;
            }
            return finish(terms, losses);
        };
        self.before.resize_with(windows, PassState::default);
        for w in 0..windows {
            self.before[w].copy_from(&self.state);
            self.run(&pass, bins(w), buffers)?;
            measure(&pass, bins(w), terms, buffers);
        }
        finish(terms, losses)?;
        self.behind.clear();
        for w in (0..windows).rev() {
            // The last one has just been run.
            if w + 1 < windows {
                self.state.copy_from(&self.before[w]);
                self.run(&pass, bins(w), buffers)?;
            }
            add_means(settings, &pass, bins(w), terms, buffers, losses)?;
            add_cotangents(&pass, bins(w), terms, buffers);
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
        &(network, mode, input, uniforms): &Running<'_, T, impl Uniforms<T>>,
        bins: Range<usize>,
        buffers: &mut PassBuffers<T>,
    ) -> Result<(), SimError> {
        let (state, out) = (&mut self.state, &mut buffers.trajectory);
        run_window(network, mode, input, uniforms, bins, state, out)
    }
}

/// The statistics in use, each with its place among the terms and its weight.
fn statistics<T: Real>(
    terms: &mut [WeightedTerm<T>],
) -> impl Iterator<Item = (usize, f64, &mut dyn WindowedTerm<T>)> {
    let in_use = terms.iter_mut().enumerate();
    let in_use = in_use.filter(|(_, t)| t.weight > 0.0);
    in_use.filter_map(|(at, t)| Some((at, t.weight, t.term.windowed()?)))
}

/// Starts the statistics of a pass.
fn begin<T: Real>(
    terms: &mut [WeightedTerm<T>],
    &(_, _, input, _): &Running<'_, T, impl Uniforms<T>>,
    size: usize,
    replayed: bool,
) -> Result<(), FitError> {
    let whole_only = terms.iter_mut().find_map(|t| {
        let by_windows = t.term.is_mean_of_bins() || t.term.windowed().is_some();
        (t.weight > 0.0 && !by_windows).then(|| t.term.name())
    });
    if let Some(name) = whole_only {
        return Err(FitError::Setting {
            name: "checkpoint-bins",
            allowed: "0 with a term that needs all bins at once",
            found: format!("{size} with {name}"),
        });
    }
    for (_, _, term) in statistics(terms) {
        term.begin(input.layout, replayed)?;
    }
    Ok(())
}

/// The statistics take in one window.
fn measure<T: Real>(
    &(_, _, input, _): &Running<'_, T, impl Uniforms<T>>,
    bins: Range<usize>,
    terms: &mut [WeightedTerm<T>],
    buffers: &PassBuffers<T>,
) {
    let layout = input.layout.window(bins.clone());
    let sample = window_of(&layout, &buffers.trajectory);
    for (_, _, term) in statistics(terms) {
        term.measure(&sample, bins.start);
    }
}

/// Adds the statistics to `losses`.
fn finish<T: Real>(terms: &mut [WeightedTerm<T>], losses: &mut Losses) -> Result<(), FitError> {
    for (at, weight, term) in statistics(terms) {
        let value = term.finish(weight)?;
        losses.terms[at] += value;
        losses.total += weight * value;
    }
    Ok(())
}

/// The cotangents of the statistics in one window, on top of those of [`add_means`].
fn add_cotangents<T: Real>(
    &(_, _, input, _): &Running<'_, T, impl Uniforms<T>>,
    bins: Range<usize>,
    terms: &mut [WeightedTerm<T>],
    buffers: &mut PassBuffers<T>,
) {
    let layout = input.layout.window(bins.clone());
    let (trajectory, cotangents) = (&buffers.trajectory, &mut buffers.cotangents);
    let sample = window_of(&layout, trajectory);
    for (_, _, term) in statistics(terms) {
        term.add_cotangents(&sample, bins.start, cotangents);
    }
}

/// The means over bins in one window, each by the window's share of the scored bins; the cotangents of other
/// windows are forgotten.
fn add_means<T: Real>(
    settings: &Settings,
    &(network, _, input, _): &Running<'_, T, impl Uniforms<T>>,
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
    let sample = window_of(&layout, &buffers.trajectory);
    let means = |term: &dyn LossTerm<T>| term.is_mean_of_bins();
    let cotangents = &mut buffers.cotangents;
    evaluate_terms(terms, means, (&sample, share), cotangents, losses)?;
    Ok(())
}

/// A window as a loss sees it.
fn window_of<'a, T>(layout: &'a TrialLayout, trajectory: &'a Trajectory<T>) -> Sample<'a, T> {
    Sample {
        layout,
        trajectory,
        // A term that compares with the trials of the batch would need those of the window.
        recorded: None,
        recorded_keys: &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Streams};
    use crate::{Batch, Form, Objective, Parameters};
    use refire_core::TrialArray;
    use refire_drive::NoDrive;
    use refire_loss::{
        DataStatistics, HiddenRate, Likelihood, NoiseCovariance, Psth, PublishedHiddenRate,
        SampledNoiseCovariance,
    };
    use refire_neuron::{Logistic, SpikeGradient};
    use refire_random::{Purpose, Stream};
    use std::sync::Arc;

    const BINS: usize = 13;
    const LAGS: usize = 3;
    const OBSERVED: usize = 3;
    const UNITS: usize = OBSERVED + 2;

    /// Recorded trials of two conditions and unequal lengths, and twice as many free-running ones.
    fn batch(first_bin: usize) -> Batch {
        let (conditions, lengths) = (vec![0, 1, 0, 1, 0, 1], vec![13, 9, 12, 6, 13, 4]);
        let recorded_layout = TrialLayout::new(conditions, lengths, first_bin).unwrap();
        let mut recorded = TrialArray::<u8>::zeros(6, BINS, 0, OBSERVED);
        for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
            *z = u8::from(at * at % 7 < 3 && at % 5 < 3);
        }
        let conditions = (0..12).map(|k| k / 2 % 2).collect();
        let lengths = vec![13, 12, 9, 4, 13, 7, 13, 6, 4, 11, 12, 13];
        Batch {
            recorded,
            recorded_layout,
            recorded_keys: (0..6).collect(),
            histories: TrialArray::zeros(12, first_bin, 0, OBSERVED),
            free_layout: TrialLayout::new(conditions, lengths, first_bin).unwrap(),
            free_keys: (0..12).collect(),
        }
    }

    /// Values without and with a gradient, and the gradient, of three observed and two hidden units.
    fn evaluate<T: Real>(
        checkpoint_bins: usize,
        batch: &Batch,
        terms: Vec<Box<dyn LossTerm<T>>>,
    ) -> Result<([Vec<f64>; 2], Vec<f64>), FitError> {
        let settings = Settings {
            lags: LAGS,
            hidden: UNITS - OBSERVED,
            checkpoint_bins,
            ..Settings::default()
        };
        let wave = |at: usize| T::of(0.5 * (1.7 * at as f64 + 0.3).sin());
        let parameters = Parameters {
            couplings: (0..UNITS * LAGS * UNITS).map(wave).collect(),
            bias: (0..UNITS).map(wave).collect(),
            drive: Vec::new(),
        };
        let streams = Streams {
            clamped: Stream::new(1, Purpose::Clamped),
            free: Stream::new(1, Purpose::FreeRunning),
            iteration: 4,
        };
        let drive = Box::new(NoDrive::new(2, BINS, UNITS));
        let weights = (0..).map(|at| 0.7 + f64::from(at));
        let weighted = terms.into_iter().zip(weights.clone());
        let weighted = weighted.map(|(term, weight)| WeightedTerm { term, weight });
        let mut engine = Engine::new(&settings, OBSERVED, drive, weighted.collect());
        let mut gradient = Parameters::default();
        let alone = engine.evaluate(&parameters, batch, streams, None)?;
        let found = engine.evaluate(&parameters, batch, streams, Some(&mut gradient))?;
        let total: f64 = found.terms.iter().zip(weights).map(|(x, w)| x * w).sum();
        assert!((found.total - total).abs() < 1e-12 * total.abs().max(1.0));
        let numbers = gradient.couplings.iter().chain(&gradient.bias);
        let numbers = numbers.map(|g| g.f64()).collect();
        Ok(([alone.terms, found.terms], numbers))
    }

    /// Every kind of term by itself, then all of a fit together.
    fn terms<T: Real>(batch: &Batch, which: usize) -> Vec<Box<dyn LossTerm<T>>> {
        let (spikes, layout) = (&batch.recorded, &batch.recorded_layout);
        let data = || Arc::new(DataStatistics::new(spikes, layout, LAGS));
        let stream = Stream::new(1, Purpose::NoisePairs);
        let recorded = (spikes, layout);
        let mut all: Vec<Box<dyn LossTerm<T>>> = vec![
            Box::new(Likelihood::new(Logistic, OBSERVED)),
            Box::new(Psth::new(Logistic, data())),
            Box::new(NoiseCovariance::new(Logistic, data(), 1)),
            Box::new(HiddenRate::new(Logistic, OBSERVED..UNITS, 0.3)),
            Box::new(NoiseCovariance::new(Logistic, data(), 2)),
            // More lags than the couplings have.
            Box::new(NoiseCovariance::new(
                Logistic,
                Arc::new(DataStatistics::new(spikes, layout, LAGS + 2)),
                1,
            )),
            Box::new(SampledNoiseCovariance::new(
                Logistic, recorded, LAGS, 1, 2, 5, stream,
            )),
        ];
        if which < all.len() {
            return vec![all.swap_remove(which)];
        }
        all
    }

    fn windows_make_the_whole<T: Real>(tolerance: f64) {
        for (first_bin, which) in (0..8).flat_map(|which| [(0, which), (LAGS, which)]) {
            let batch = batch(first_bin);
            let ([values, _], gradient) = evaluate::<T>(0, &batch, terms(&batch, which)).unwrap();
            let largest = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
            assert!(largest > 1e-4, "{which}: {largest}");
            for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 3] {
                let what = format!("terms {which} from {first_bin}, windows of {size}");
                let found = evaluate::<T>(size, &batch, terms(&batch, which)).unwrap();
                for (found, expected) in found.0.iter().flat_map(|found| found.iter().zip(&values))
                {
                    let off = (found - expected).abs();
                    assert!(off < tolerance * expected.abs(), "{what}: {found}");
                }
                for (found, expected) in found.1.iter().zip(&gradient) {
                    let off = (found - expected).abs();
                    assert!(off < tolerance * largest, "{what}: {found}, not {expected}");
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
    fn what_needs_all_bins_at_once_is_refused() {
        let batch = batch(0);
        let term = || -> Vec<Box<dyn LossTerm<f64>>> {
            vec![Box::new(PublishedHiddenRate::new(OBSERVED..UNITS, 0.17))]
        };
        assert!(evaluate(0, &batch, term()).is_ok());
        let refused = evaluate(4, &batch, term()).unwrap_err().to_string();
        assert!(refused.contains("4 with hidden-rate"), "{refused}");
    }

    #[test]
    fn settings_refuse_published_statistics_and_the_score_gradient() {
        let with = |objective, form, spike_gradient| {
            let settings = Settings {
                checkpoint_bins: 20,
                objective,
                form,
                spike_gradient,
                ..Settings::default()
            };
            settings.check().map_err(|refused| refused.to_string())
        };
        let (escape, score) = (SpikeGradient::Escape, SpikeGradient::Score);
        let objectives = [
            Objective::Mle,
            Objective::SampleAndMeasure,
            Objective::MleAndSampleAndMeasure,
        ];
        for objective in objectives {
            assert_eq!(with(objective, Form::Corrected, escape), Ok(()));
            let refused = with(objective, Form::Corrected, score).unwrap_err();
            assert!(refused.contains("checkpoint-bins: expected 0"), "{refused}");
            let published = with(objective, Form::Published, escape);
            if objective.has_statistics() {
                let refused = published.unwrap_err();
                assert!(refused.contains("published statistics"), "{refused}");
            } else {
                assert_eq!(published, Ok(()));
            }
        }
    }
}
