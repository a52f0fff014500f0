//! The bins of a pass that have been run: what a loss measures and a sweep goes back over.

use crate::Trajectory;
use refire_core::TrialLayout;

/// Bins of a pass, all of them or some in a row, as they were run.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a, T> {
    /// Condition and length of each trial, counted from the first bin of the window
    /// ([`TrialLayout::window`]).
    pub layout: &'a TrialLayout,
    /// Bin of the pass that is the first of the window.
    pub start: usize,
    /// What the pass left behind in these bins; row `r` is bin `start + r`.
    pub trajectory: &'a Trajectory<T>,
}

impl<'a, T> Window<'a, T> {
    /// All bins of a pass.
    pub fn whole(layout: &'a TrialLayout, trajectory: &'a Trajectory<T>) -> Self {
        Self {
            layout,
            start: 0,
            trajectory,
        }
    }
}
