//! Bias, rectification and max-pooling with SAME padding, and where each maximum was.

use super::shape::{Plane, STEP, WINDOW};
use refire_kernels::{Real, dispatch};

/// Place of a maximum that was not positive: nothing passes.
pub(super) const NOWHERE: u16 = u16::MAX;

/// One plane of a convolution to be pooled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pooling {
    plane: Plane,
    /// Pixels the first window starts above and left of the image: half of what windows overhang, rounded
    /// down, as SAME padding has it.
    before: [usize; 2],
    pub height: usize,
    pub width: usize,
}

impl Pooling {
    pub fn new(plane: Plane) -> Self {
        let before = |side: usize| {
            let out = side.div_ceil(STEP);
            ((out - 1) * STEP + WINDOW).saturating_sub(side) / 2
        };
        Self {
            plane,
            before: [before(plane.height), before(plane.width)],
            height: plane.height.div_ceil(STEP),
            width: plane.width.div_ceil(STEP),
        }
    }

    /// First and behind the last pixel of a window.
    fn window(out: usize, before: usize, side: usize) -> (usize, usize) {
        let start = out * STEP;
        (
            start.saturating_sub(before),
            (start + WINDOW - before).min(side),
        )
    }

    /// `max(0, max over the window of (convolution + bias))` with the position of the (first) maximum.
    /// `into(y, x)` says where the value goes; places are `[y][x]`.
    pub fn forward<T: Real>(
        &self,
        convolution: &[T],
        bias: T,
        columns: &mut [(T, u16)],
        places: &mut [u16],
        mut put: impl FnMut(usize, usize, T),
    ) {
        let (stride, width) = (self.plane.stride, self.plane.width);
        let columns = &mut columns[..width];
        for (y, places) in places.chunks_exact_mut(self.width).enumerate() {
            let (top, bottom) = Self::window(y, self.before[0], self.plane.height);
            let row = |y: usize| &convolution[y * stride..y * stride + width];
            dispatch(|| {
                for ((x, best), &value) in columns.iter_mut().enumerate().zip(row(top)) {
                    *best = (value, (top * stride + x) as u16);
                }
                for y in top + 1..bottom {
                    for ((x, best), &value) in columns.iter_mut().enumerate().zip(row(y)) {
                        if value > best.0 {
                            *best = (value, (y * stride + x) as u16);
                        }
                    }
                }
            });
            for (x, place) in places.iter_mut().enumerate() {
                let (left, right) = Self::window(x, self.before[1], width);
                let (mut value, mut at) = columns[left];
                for &(other, there) in &columns[left + 1..right] {
                    if other > value {
                        (value, at) = (other, there);
                    }
                }
                let value = value + bias;
                let passes = value > T::zero();
                *place = if passes { at } else { NOWHERE };
                put(y, x, if passes { value } else { T::zero() });
            }
        }
    }

    /// Adds adjoints to the positions that the maxima came from; returns their sum, the adjoint of the bias.
    pub fn pull_back<T: Real>(
        &self,
        places: &[u16],
        adjoints: impl Iterator<Item = T>,
        d_plane: &mut [T],
    ) -> T {
        let mut sum = T::zero();
        for (&place, adjoint) in places.iter().zip(adjoints) {
            if place != NOWHERE {
                d_plane[self.plane.origin + usize::from(place)] += adjoint;
                sum += adjoint;
            }
        }
        sum
    }
}
