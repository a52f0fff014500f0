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
        behind.iter().any(|range| range.contains(&second))
    }

    /// The units behind one, ascending: of a hidden unit the observed ones, then hidden ones. None are behind what only
    /// fills up rows.
    #[inline(always)]
    pub fn behind(self, unit: usize) -> [Range<usize>; 2] {
        let Self { observed, live } = self;
        if unit < observed {
            [unit + 1..observed, observed..observed]
        } else if unit < live {
            [0..observed, unit + 1..live]
        } else {
            [0..0, 0..0]
        }
    }

    /// Sets to zero all numbers `[source][target]`, in rows of `units`, whose target is not behind their source.
    pub fn clear_others<T: Real>(self, numbers: &mut [T], units: usize) {
        for (source, row) in numbers.chunks_exact_mut(units.max(1)).enumerate() {
            let [low, high] = self.behind(source);
            row[..low.start].fill(T::zero());
            row[low.end..high.start].fill(T::zero());
            row[high.end..].fill(T::zero());
        }
    }
}
