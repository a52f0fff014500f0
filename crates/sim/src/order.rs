//! The order in which units of a bin act on each other.

use refire_kernels::Real;
use std::ops::Range;

/// The order in which the units of a bin are drawn: hidden units first, so that they can be common input within a
/// bin, then observed ones, each by their index.
///
/// ```
/// use refire_sim::UnitOrder;
///
/// let order = UnitOrder { observed: 2, live: 3 }; // units 0 and 1 observed, unit 2 hidden
/// assert_eq!(order.units().collect::<Vec<_>>(), [2, 0, 1]);
/// assert!(order.is_before(2, 0) && order.is_before(0, 1) && !order.is_before(1, 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitOrder {
    /// Observed units: the first ones.
    pub observed: usize,
    /// Observed and hidden units.
    pub live: usize,
}

impl UnitOrder {
    /// All units, in order.
    pub fn units(self) -> impl DoubleEndedIterator<Item = usize> {
        (self.observed..self.live).chain(0..self.observed)
    }

    /// Whether a spike of unit `first` acts on unit `second` in the same bin, as far as the order goes.
    pub fn is_before(self, first: usize, second: usize) -> bool {
        let behind = self.behind(first);
        first < self.live
            && second < self.live
            && behind.iter().any(|range| range.contains(&second))
    }

    /// The units behind one.
    #[inline(always)]
    pub fn behind(self, unit: usize) -> [Range<usize>; 2] {
        if unit < self.observed {
            [unit + 1..self.observed, 0..0]
        } else {
            [unit + 1..self.live.max(unit + 1), 0..self.observed]
        }
    }

    /// Sets to zero all numbers `[source][target]`, in rows of `units`, whose target is not behind their source.
    pub fn clear_others<T: Real>(self, numbers: &mut [T], units: usize) {
        for (source, row) in numbers.chunks_exact_mut(units.max(1)).enumerate() {
            let [first, second] = if source < self.live {
                self.behind(source)
            } else {
                [0..0, 0..0]
            };
            // In ascending order: those of a hidden unit start with the observed ones.
            let [low, high] = if second.is_empty() {
                [0..0, first]
            } else {
                [second, first]
            };
            row[..low.start].fill(T::zero());
            row[low.end..high.start.max(low.end)].fill(T::zero());
            row[high.end.max(low.end)..].fill(T::zero());
        }
    }
}
