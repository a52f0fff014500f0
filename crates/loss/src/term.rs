//! The contract of a loss term.

use crate::LossError;
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_sim::{AdjointSink, Mode, Window};

/// A term of the objective: a number made of the probabilities and spikes of a pass, and its adjoints.
///
/// A pass may be too long to be held. It then comes window by window, twice, as statistics of the whole have no
/// adjoint before all of it has been seen; a pass that is held is a single window:
///
/// ```text
/// begin
/// measure        every window, in ascending order            sums over bins
/// finish                                                     sums -> value and slopes of the sums
/// add_adjoints   every window again, in descending order     slopes -> dL/dp, dL/dz (a likelihood: dL/dv)
/// value
/// ```
///
/// Windows are those of [`TrialLayout::window`]; together they have every bin, and a bin has the rows of all its
/// trials. The window measured last is the first to be asked for adjoints. Bins before the first scored one and
/// beyond the end of a trial are no part of any term. The order is the caller's to keep; [`LossTerm::evaluate`]
/// keeps it for a single window.
pub trait LossTerm<T: Real>: Send {
    /// Short name, as in settings and results.
    fn name(&self) -> &'static str;

    /// The pass that the term measures.
    fn mode(&self) -> Mode {
        Mode::FreeRunning
    }

    /// Draws what the term leaves to chance, a pure function of the iteration; comes before the
    /// evaluations of an iteration, whose passes do not depend on it.
    fn draw(&mut self, _iteration: u32) {}

    /// What the term measures in an iteration, where that is a random sample; `None` where it is
    /// everything.
    fn sampled(&self) -> Option<String> {
        None
    }

    /// Whether the term needs all bins of a pass in one window.
    fn needs_all_bins(&self) -> bool {
        false
    }

    /// Starts on a pass with the layout `whole`; `with_adjoints` where [`Self::add_adjoints`] will follow.
    ///
    /// # Errors
    /// [`LossError`] where the batch does not allow the term: never a silent zero.
    fn begin(&mut self, whole: &TrialLayout, with_adjoints: bool) -> Result<(), LossError>;

    /// Takes in the bins of a window.
    fn measure(&mut self, window: &Window<'_, T>);

    /// All windows have been measured; adjoints will be those of `weight` times the value.
    ///
    /// # Errors
    /// [`LossError`] where the batch does not allow the term.
    fn finish(&mut self, weight: f64) -> Result<(), LossError>;

    /// Adds the adjoints of the bins of a window, as it was measured.
    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>);

    /// The unweighted value, when all is done.
    fn value(&self) -> f64;

    /// The unweighted value on a pass of one window; adds the adjoints of `weight` times it where there is a sink.
    ///
    /// # Errors
    /// As [`Self::begin`] and [`Self::finish`].
    fn evaluate(
        &mut self,
        window: &Window<'_, T>,
        weight: f64,
        sink: Option<&mut AdjointSink<'_, T>>,
    ) -> Result<f64, LossError> {
        self.begin(window.layout, sink.is_some())?;
        self.measure(window);
        self.finish(weight)?;
        if let Some(sink) = sink {
            self.add_adjoints(window, sink);
        }
        Ok(self.value())
    }
}
