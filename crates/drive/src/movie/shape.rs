//! Sizes of the convolutional encoder, and where its planes and weights lie.

use crate::DriveError;
use refire_kernels::LANES;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Window of the max-pooling and the step between windows, pixels (published).
pub(super) const WINDOW: usize = 3;
pub(super) const STEP: usize = 2;

/// Most numbers of a plane: places in one are kept as `u16`, of which the last is "nowhere".
const MOST_IN_PLANE: usize = u16::MAX as usize;

/// Size of the movie and of the two convolutional layers over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MovieShape {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Frames a filter of the first layer sees, the present one counted.
    pub frames: usize,
    /// Filters of the first and of the second layer.
    pub filters: [usize; 2],
    /// Height and width of every filter, pixels; odd.
    pub filter_size: usize,
}

impl Default for MovieShape {
    /// The published encoder: ten frames of 27 x 27 pixels, 16 and 32 filters of 7 x 7.
    fn default() -> Self {
        Self {
            height: 27,
            width: 27,
            frames: 10,
            filters: [16, 32],
            filter_size: 7,
        }
    }
}

impl MovieShape {
    /// Pixels of a frame, which are the features of a bin: `[y][x]`.
    pub fn pixels(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Height and width behind each pooling.
    pub(super) fn pooled(&self) -> [[usize; 2]; 2] {
        let half = |side: usize| side.div_ceil(STEP);
        let first = [half(self.height), half(self.width)];
        [first, first.map(half)]
    }

    /// Features behind the second pooling: what the read-out sees of a bin.
    pub fn features(&self) -> usize {
        let [height, width] = self.pooled()[1];
        self.filters[1].saturating_mul(height.saturating_mul(width))
    }

    /// Number of weights of an encoder for so many units; saturates.
    pub fn parameters(&self, units: usize) -> usize {
        Weights::new(self)
            .readout_start
            .saturating_add(self.features().saturating_mul(units))
    }

    /// Whether an encoder of these sizes can be held.
    ///
    /// # Errors
    /// [`DriveError::MovieShape`] naming the size.
    pub fn check(&self) -> Result<(), DriveError> {
        let wrong = |what, expected, found| {
            Err(DriveError::MovieShape {
                what,
                expected,
                found,
            })
        };
        let counts = [
            ("movie height", self.height),
            ("movie width", self.width),
            ("movie frames", self.frames),
            ("filters of the first layer", self.filters[0]),
            ("filters of the second layer", self.filters[1]),
        ];
        for (what, found) in counts {
            if !(1..=4096).contains(&found) {
                return wrong(what, "1 to 4096", found);
            }
        }
        if self.filter_size.is_multiple_of(2) || self.filter_size > 255 {
            return wrong(
                "filter size",
                "an odd number of pixels up to 255",
                self.filter_size,
            );
        }
        for plane in self.planes() {
            if plane.len > MOST_IN_PLANE {
                return wrong(
                    "pixels of a frame with its margins",
                    "up to 65535",
                    plane.len,
                );
            }
        }
        Ok(())
    }

    /// The planes that each layer reads.
    pub(super) fn planes(&self) -> [Plane; 2] {
        let [[height, width], _] = self.pooled();
        [
            Plane::new(self.height, self.width, self.filter_size),
            Plane::new(height, width, self.filter_size),
        ]
    }
}

/// How an image lies in memory: rows behind one another with a margin of zeros after each, which is the
/// right margin of its row and the left one of the next, and whole rows of zeros above and below. A
/// filter tap is then an offset, the same for all positions, and a convolution reads the plane in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    pub height: usize,
    pub width: usize,
    /// From one row to the next.
    pub stride: usize,
    /// Height and width of a filter.
    pub size: usize,
    /// Positions a convolution is computed at: `y * stride + x`, those in margins for nothing, filled up to
    /// whole registers.
    pub positions: usize,
    /// From position `p` to the pixel there.
    pub origin: usize,
    /// Numbers of the plane.
    pub len: usize,
}

impl Plane {
    fn new(height: usize, width: usize, size: usize) -> Self {
        let margin = size / 2;
        let stride = width + margin;
        let positions = ((height - 1) * stride + width).next_multiple_of(LANES);
        let len = positions + (size - 1) * (stride + 1);
        Self {
            height,
            width,
            stride,
            size,
            positions,
            origin: margin * (stride + 1),
            len: len.next_multiple_of(LANES),
        }
    }

    /// Taps of a filter.
    pub fn taps(&self) -> usize {
        self.size * self.size
    }
}

/// Where the weights lie: `[filter][frame, the oldest first][y][x]` and `[filter]` biases of the first layer,
/// `[filter][channel][y][x]` and `[filter]` biases of the second, `[feature][unit]` of the read-out, with
/// features `[channel][y][x]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    lengths: [usize; 4],
    pub readout_start: usize,
}

impl Weights {
    pub fn new(shape: &MovieShape) -> Self {
        let taps = shape.filter_size.saturating_mul(shape.filter_size);
        let [first, second] = shape.filters;
        let lengths = [
            first.saturating_mul(shape.frames).saturating_mul(taps),
            first,
            second.saturating_mul(first).saturating_mul(taps),
            second,
        ];
        Self {
            lengths,
            readout_start: lengths.iter().fold(0, |sum, &x| sum.saturating_add(x)),
        }
    }

    /// Filters of a layer.
    pub fn filters(&self, layer: usize) -> Range<usize> {
        let start = self.lengths[..2 * layer].iter().sum();
        start..start + self.lengths[2 * layer]
    }

    /// Biases of a layer.
    pub fn biases(&self, layer: usize) -> Range<usize> {
        let start = self.filters(layer).end;
        start..start + self.lengths[2 * layer + 1]
    }
}
