//! The convolutional layers over some frames, and their adjoint.

use super::convolve::{Convolution, FilterGradient};
use super::pool::Pooling;
use super::shape::{MovieShape, Plane, Weights};
use refire_kernels::Real;
use std::ops::Range;

/// Frames of a part: large enough to share the filters, small enough that a movie makes work for many
/// threads. Results depend on it by rounding, so it is the same whatever the threads.
pub(super) const FRAMES: usize = 24;

/// Frames whose planes stay in the second-level cache while filter gradients are summed over them.
const TOGETHER: usize = 8;

/// Neighbouring frames of one stimulus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Its first frame, counted over all stimuli.
    pub frame: usize,
    pub frames: usize,
    /// Where the oldest frame that its first one sees starts in the movie.
    pub start: usize,
}

/// What the layers made of a part, kept for the adjoint, and what its adjoint is.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity<T> {
    /// Planes of the first layer, pooled: `[frame][filter]`, zero in margins.
    pooled: Vec<T>,
    /// Where the maxima of each layer were, `[frame][filter][y][x]`.
    places: [Vec<u16>; 2],
    /// What the read-out sees, `[frame][feature]`.
    pub features: Vec<T>,
    pub d_features: Vec<T>,
    /// Gradient of the filters and biases of both layers.
    pub gradient: Vec<T>,
    /// Drive of the part's frames, `[frame][unit]`.
    pub drive: Vec<T>,
}

/// Memory for the work on a part that nobody needs afterwards.
#[derive(Debug, Default)]
pub(super) struct Scratch<T> {
    convolution: Vec<T>,
    columns: Vec<(T, u16)>,
    d_planes: [Vec<T>; 2],
}

/// Weights in the order in which the layers read them.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed<T> {
    pub filters: [Vec<T>; 2],
    pub biases: [Vec<T>; 2],
    /// Filters of the second layer for its adjoint.
    pub reversed: Vec<T>,
}

/// Both layers at fixed sizes.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub planes: [Plane; 2],
    pooling: [Pooling; 2],
    /// Channels each layer reads.
    pub channels: [usize; 2],
    pub filters: [usize; 2],
    pub weights: Weights,
    pub features: usize,
}

impl Layers {
    pub fn new(shape: &MovieShape) -> Self {
        let planes = shape.planes();
        Self {
            planes,
            pooling: planes.map(Pooling::new),
            channels: [shape.frames, shape.filters[0]],
            filters: shape.filters,
            weights: Weights::new(shape),
            features: shape.features(),
        }
    }

    /// Pooled values of a filter of each layer.
    fn pooled(&self, layer: usize) -> usize {
        self.pooling[layer].height * self.pooling[layer].width
    }

    /// Numbers of the planes that the second layer reads of a frame.
    fn second_input(&self) -> usize {
        self.filters[0] * self.planes[1].len
    }

    /// Features of a part, times `scale`; `movie` holds planes.
    pub fn forward<T: Real>(
        &self,
        movie: &[T],
        part: Part,
        packed: &Packed<T>,
        scale: T,
        activity: &mut Activity<T>,
        scratch: &mut Scratch<T>,
    ) {
        let frames = part.frames;
        activity
            .pooled
            .resize(frames * self.second_input(), T::zero());
        for layer in 0..2 {
            let len = frames * self.filters[layer] * self.pooled(layer);
            activity.places[layer].resize(len, 0);
        }
        activity.features.resize(frames * self.features, T::zero());
        scratch.columns.resize(self.planes[0].width, (T::zero(), 0));
        for frame in 0..frames {
            let input = self.input(movie, part, frame..frame + 1);
            self.convolve(0, input, packed, &mut scratch.convolution);
            let pooled = range(frame, self.second_input());
            let pooled = &mut activity.pooled[pooled];
            let places = &mut activity.places[0][range(frame, self.filters[0] * self.pooled(0))];
            let rows = scratch.convolution.chunks_exact(self.planes[0].positions);
            let rows = rows.zip(places.chunks_exact_mut(self.pooled(0)));
            let targets = pooled.chunks_exact_mut(self.planes[1].len);
            let next = self.planes[1];
            for (((row, places), target), &bias) in rows.zip(targets).zip(&packed.biases[0]) {
                self.pooling[0].forward(row, bias, &mut scratch.columns, places, |y, x, value| {
                    target[next.origin + y * next.stride + x] = value;
                });
            }
            self.convolve(1, pooled, packed, &mut scratch.convolution);
            let places = &mut activity.places[1][range(frame, self.filters[1] * self.pooled(1))];
            let rows = scratch.convolution.chunks_exact(self.planes[1].positions);
            let rows = rows.zip(places.chunks_exact_mut(self.pooled(1)));
            let features = &mut activity.features[range(frame, self.features)];
            let targets = features.chunks_exact_mut(self.pooled(1));
            let width = self.pooling[1].width;
            for (((row, places), target), &bias) in rows.zip(targets).zip(&packed.biases[1]) {
                self.pooling[1].forward(row, bias, &mut scratch.columns, places, |y, x, value| {
                    target[y * width + x] = scale * value;
                });
            }
        }
    }

    /// From `activity.d_features`, the adjoint of what [`Self::forward`] gave, to `activity.gradient`
    /// (overwritten), in units of the packed weights.
    pub fn pull_back<T: Real>(
        &self,
        movie: &[T],
        part: Part,
        packed: &Packed<T>,
        scale: T,
        activity: &mut Activity<T>,
        scratch: &mut Scratch<T>,
    ) {
        let Activity {
            pooled,
            places,
            d_features,
            gradient,
            ..
        } = activity;
        gradient.clear();
        gradient.resize(self.weights.readout_start, T::zero());
        for first in (0..part.frames).step_by(TOGETHER) {
            let frames = first..part.frames.min(first + TOGETHER);
            let of = |each: usize| frames.start * each..frames.end * each;
            for (layer, d_planes) in scratch.d_planes.iter_mut().enumerate() {
                d_planes.clear();
                let len = frames.len() * self.filters[layer] * self.planes[layer].len;
                d_planes.resize(len, T::zero());
            }
            let [d_first, d_second] = &mut scratch.d_planes;

            let d_features = d_features[of(self.features)].iter().map(|&d| scale * d);
            let places_of = &places[1][of(self.filters[1] * self.pooled(1))];
            self.unpool(1, places_of, d_features, d_second, gradient);
            let input = &pooled[of(self.second_input())];
            self.filter_gradient(1, input, self.second_input(), d_second, gradient);

            let each = self.filters[1] * self.planes[1].len;
            let places_of = places[0].chunks_exact(self.filters[0] * self.pooled(0));
            let d_first = d_first.chunks_exact_mut(self.filters[0] * self.planes[0].len);
            for ((d_second, places), d_first) in (d_second
                .chunks_exact(each)
                .zip(places_of.skip(frames.start)))
            .zip(d_first)
            {
                let out = &mut scratch.convolution;
                out.resize(self.filters[0] * self.planes[1].positions, T::zero());
                T::with_vectors(Convolution {
                    plane: self.planes[1],
                    input: d_second,
                    weights: &packed.reversed,
                    filters: self.filters[0],
                    out,
                });
                let plane = self.planes[1];
                let d_pooled = out.chunks_exact(plane.positions).flat_map(|d| {
                    let rows = d.chunks(plane.stride).take(plane.height);
                    rows.flat_map(|row| row[..plane.width].iter().copied())
                });
                self.unpool(0, places, d_pooled, d_first, gradient);
            }
            let input = self.input(movie, part, frames);
            let d_first = &scratch.d_planes[0];
            self.filter_gradient(0, input, self.planes[0].len, d_first, gradient);
        }
    }

    /// The planes of the movie that some frames of a part see.
    fn input<'a, T>(&self, movie: &'a [T], part: Part, frames: Range<usize>) -> &'a [T] {
        let plane = self.planes[0].len;
        let start = part.start + frames.start * plane;
        &movie[start..start + (frames.len() + self.channels[0] - 1) * plane]
    }

    fn convolve<T: Real>(&self, layer: usize, input: &[T], packed: &Packed<T>, out: &mut Vec<T>) {
        out.resize(
            self.filters[layer] * self.planes[layer].positions,
            T::zero(),
        );
        T::with_vectors(Convolution {
            plane: self.planes[layer],
            input,
            weights: &packed.filters[layer],
            filters: self.filters[layer],
            out,
        });
    }

    /// Adjoints of pooled values to the planes of their convolutions, and those of the biases.
    fn unpool<T: Real>(
        &self,
        layer: usize,
        places: &[u16],
        mut adjoints: impl Iterator<Item = T>,
        d_planes: &mut [T],
        gradient: &mut [T],
    ) {
        let each = self.pooled(layer);
        let d_planes = d_planes.chunks_exact_mut(self.planes[layer].len);
        let d_biases = &mut gradient[self.weights.biases(layer)];
        for (at, (places, d_plane)) in places.chunks_exact(each).zip(d_planes).enumerate() {
            let adjoints = adjoints.by_ref().take(each);
            let sum = self.pooling[layer].pull_back(places, adjoints, d_plane);
            d_biases[at % self.filters[layer]] += sum;
        }
    }

    fn filter_gradient<T: Real>(
        &self,
        layer: usize,
        input: &[T],
        frame_step: usize,
        d_out: &[T],
        gradient: &mut [T],
    ) {
        T::with_vectors(FilterGradient {
            plane: self.planes[layer],
            channels: self.channels[layer],
            input,
            frame_step,
            d_out,
            filters: self.filters[layer],
            d_weights: &mut gradient[self.weights.filters(layer)],
        });
    }
}

/// The `at`-th of pieces of `len`.
fn range(at: usize, len: usize) -> Range<usize> {
    at * len..(at + 1) * len
}
