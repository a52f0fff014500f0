//! One pass of an evaluation: the forward run, its terms, the reverse sweep, all bins at once or some at a time.

use crate::rewards::Rewards;
use crate::{Batch, EngineError, FittedNetwork, Losses, Streams, WeightedTerm};
use refire_bptt::{Gradient, Sweep, SweepState, add_score, sweep_window};
use refire_core::TrialArray;
use refire_kernels::Real;
use refire_loss::LossError;
use refire_neuron::SpikeGradient;
use refire_random::KeyedUniforms;
use refire_sim::{
    Adjoints, Coupling, Mode, Pass, PassState, SlopesOf, Trajectory, Window, run_window,
};
use std::ops::Range;

/// How passes are evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineOptions {
    /// What stands in for the derivative of a sampled spike.
    pub spike_gradient: SpikeGradient,
    /// Bins of a window, where a pass is not held whole: those before the last window are run again in the
    /// reverse sweep.
    pub window: Option<usize>,
    /// For [`SpikeGradient::Score`]: how many places in its condition a trial has to the next one of the same part.
    pub reward_stride: usize,
}

impl Default for EngineOptions {
    /// The escape derivative, passes held whole.
    fn default() -> Self {
        Self {
            spike_gradient: SpikeGradient::Escape,
            window: None,
            reward_stride: 2,
        }
    }
}

/// What a pass is evaluated on.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a, T> {
    pub network: &'a FittedNetwork<'a, T>,
    /// `[condition][bin][unit]`, current.
    pub drive: &'a TrialArray<T>,
    pub batch: &'a Batch,
    pub streams: Streams,
    pub options: EngineOptions,
}

/// A pass with the terms that measure it, and all its buffers.
///
/// ```text
/// forward:  for w = 0 ..       keep the state before w; run w; terms measure it
/// reverse:  for w = last .. 0  run w again from that state (the last one has just been); adjoints; sweep w
/// ```
///
/// `T` bins in windows of `S` take `S` rows of every array of a pass and `T/S` states of `lags` rows:
/// least for `S` near the root of `lags T`. The keyed uniforms make the second run the first again,
/// bit for bit.
pub(crate) struct PassTerms<T: Real> {
    mode: Mode,
    pub terms: Vec<WeightedTerm<T>>,
    trajectory: Trajectory<T>,
    adjoints: Adjoints<T>,
    rewards: Rewards<T>,
    /// States before windows, and the present one.
    before: Vec<PassState<T>>,
    state: PassState<T>,
    behind: SweepState<T>,
}

impl<T: Real> PassTerms<T> {
    /// Nothing measured yet.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            terms: Vec::new(),
            trajectory: Trajectory::default(),
            adjoints: Adjoints::default(),
            rewards: Rewards::default(),
            before: Vec::new(),
            state: PassState::default(),
            behind: SweepState::default(),
        }
    }

    /// Whether any term is in use: else the pass need not be run.
    pub(crate) fn is_needed(&self) -> bool {
        self.terms.iter().any(WeightedTerm::is_in_use)
    }

    /// Values of the terms; their gradient is added to `gradient` where that is given.
    ///
    /// # Errors
    /// [`EngineError`] where a term has no value.
    pub(crate) fn evaluate(
        &mut self,
        given: Given<'_, T>,
        gradient: Option<&mut Gradient<T>>,
    ) -> Result<Losses, EngineError> {
        if !self.is_needed() {
            return Ok(Losses::zeros(self.terms.len()));
        }
        let (batch, streams) = (given.batch, given.streams);
        let (layout, recorded, keys, stream) = match self.mode {
            Mode::TeacherForced => (
                &batch.recorded.layout,
                &batch.recorded.spikes,
                &batch.recorded.keys,
                streams.teacher_forced,
            ),
            Mode::FreeRunning => (
                &batch.free_layout,
                &batch.histories,
                &batch.free_keys,
                streams.free,
            ),
        };
        let pass = Pass {
            mode: self.mode,
            layout,
            recorded: Some(recorded),
            before: None,
            drive: given.drive,
        };
        let uniforms = KeyedUniforms::new(stream, streams.iteration, keys);
        for WeightedTerm { term, .. } in in_use(&mut self.terms) {
            term.draw(streams.iteration);
            if let (Some(window), true) = (given.options.window, term.needs_all_bins()) {
                let term = term.name();
                return Err(EngineError::NeedsAllBins { term, window });
            }
            term.begin(layout, gradient.is_some())?;
        }
        let end = layout.max_bins();
        let size = given.options.window.unwrap_or(end).max(1);
        let windows = end.div_ceil(size);
        let bins = |w: usize| w * size..end.min((w + 1) * size);
        self.before.resize_with(windows, PassState::default);
        for w in 0..windows {
            if w > 0 && gradient.is_some() {
                self.before[w].copy_from(&self.state);
            }
            self.run(given.network, &pass, &uniforms, bins(w))?;
            let (rows, start) = (layout.window(bins(w)), w * size);
            let window = Window {
                layout: &rows,
                start,
                trajectory: &self.trajectory,
            };
            in_use(&mut self.terms).for_each(|t| t.term.measure(&window));
        }
        for WeightedTerm { term, weight } in in_use(&mut self.terms) {
            term.finish(*weight)?;
        }
        let Some(gradient) = gradient else {
            return Ok(values(&self.terms));
        };
        let mut losses = None;
        self.behind.clear();
        for w in (0..windows).rev() {
            // The last one has just been run.
            if w + 1 < windows {
                if w > 0 {
                    self.state.copy_from(&self.before[w]);
                }
                self.run(given.network, &pass, &uniforms, bins(w))?;
            }
            let rows = layout.window(bins(w));
            let window = Window {
                layout: &rows,
                start: w * size,
                trajectory: &self.trajectory,
            };
            let coupling = &given.network.coupling;
            (self.adjoints).reset(&rows, coupling.lags(), coupling.units());
            let escape = &given.network.escape;
            let slopes = SlopesOf { window, escape };
            let mut sink = self.adjoints.sink(&slopes);
            in_use(&mut self.terms).for_each(|t| t.term.add_adjoints(&window, &mut sink));
            if w == 0 {
                losses = Some(values(&self.terms));
            }
            if let (Some(losses), true) = (&losses, self.has_score(&given)) {
                let (stride, terms) = (given.options.reward_stride, &mut self.terms);
                let value = |window: &Window<'_, T>| value_of(terms, window);
                let rewards = (self.rewards).measure(&window, keys, stride, losses.total, value);
                let adjoints = &mut self.adjoints;
                add_score(given.network, self.mode, &window, rewards, adjoints);
            }
            let sweep = Sweep {
                mode: self.mode,
                window,
                spike_gradient: given.options.spike_gradient,
            };
            let (adjoints, behind) = (&mut self.adjoints, &mut self.behind);
            sweep_window(given.network, &sweep, adjoints, behind, gradient);
        }
        Ok(losses.unwrap_or_else(|| Losses::zeros(self.terms.len())))
    }

    fn run(
        &mut self,
        network: &FittedNetwork<'_, T>,
        pass: &Pass<'_, T>,
        uniforms: &KeyedUniforms<'_>,
        bins: Range<usize>,
    ) -> Result<(), EngineError> {
        let (state, out) = (&mut self.state, &mut self.trajectory);
        Ok(run_window(network, pass, uniforms, bins, state, out)?)
    }

    /// Whether spikes are sampled that the score function has to answer for.
    fn has_score(&self, given: &Given<'_, T>) -> bool {
        let network = given.network;
        let sampled = self.mode == Mode::FreeRunning || network.observed < network.live;
        sampled && given.options.spike_gradient == SpikeGradient::Score
    }
}

fn in_use<T: Real>(terms: &mut [WeightedTerm<T>]) -> impl Iterator<Item = &mut WeightedTerm<T>> {
    terms.iter_mut().filter(|t| t.is_in_use())
}

/// What the terms have come to.
fn values<T: Real>(terms: &[WeightedTerm<T>]) -> Losses {
    let mut losses = Losses::zeros(terms.len());
    for (into, WeightedTerm { term, weight }) in losses.terms.iter_mut().zip(terms) {
        if *weight > 0.0 {
            *into = term.value();
            losses.total += *weight * *into;
        }
    }
    losses
}

/// Weighted sum of the terms on another pass.
fn value_of<T: Real>(
    terms: &mut [WeightedTerm<T>],
    window: &Window<'_, T>,
) -> Result<f64, LossError> {
    let mut total = 0.0;
    for WeightedTerm { term, weight } in in_use(terms) {
        total += *weight * term.evaluate(window, *weight, None)?;
    }
    Ok(total)
}
