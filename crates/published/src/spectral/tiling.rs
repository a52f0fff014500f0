//! A signal and the tiles that it is cut into.

use refire_core::TrialArray;
use std::ops::Range;

/// The signal whose products are wanted: what the scored bins of each trial differ from the mean of its own
/// condition, zero behind its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deviations<'a, T> {
    /// `[trial][bin][unit or more]`, from bin 0 on.
    pub rows: &'a TrialArray<T>,
    /// Per condition, `[bin][unit]`, from bin 0 on; as long as any of its trials.
    pub means: &'a [Vec<T>],
    /// Place of each trial's condition among these.
    pub conditions: &'a [usize],
    /// End of each trial.
    pub ends: &'a [usize],
    /// Whether the last scored bin is followed by the first.
    pub wrap: bool,
}

impl<'a, T> Deviations<'a, T> {
    pub fn mean(&self, trial: usize) -> &'a [T] {
        &self.means[self.conditions[trial]]
    }
}

/// Where the tiles of a signal lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiling {
    pub units: usize,
    /// First scored bin.
    pub first: usize,
    /// Scored bins.
    pub bins: usize,
    /// Tiles of a trial.
    pub tiles: usize,
    /// Trials of a group.
    pub group: usize,
    /// Whether the last scored bin is followed by the first.
    pub wrap: bool,
}

impl Tiling {
    /// Scored bins of a tile.
    pub fn bins(&self, tile: usize) -> Range<usize> {
        tile * self.bins / self.tiles..(tile + 1) * self.bins / self.tiles
    }
}
