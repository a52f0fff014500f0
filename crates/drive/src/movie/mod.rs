//! Drive by a movie through two convolutional layers.

mod convolve;
mod parts;
mod pool;
mod shape;
#[cfg(test)]
mod tests;

pub use shape::MovieShape;

use crate::encoder::{check_adjoint, prepare};
use crate::features::valid_bins;
use crate::{DriveError, Encoder, Kept};
use convolve::{by_tap, reversed};
use parts::{Activity, FRAMES, Layers, Packed, Part, Scratch};
use rayon::prelude::*;
use refire_core::TrialArray;
use refire_kernels::{MatrixMut, MatrixRef, Real, add_assign, matmul};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Features whose read-out gradient is one piece of work.
const FEATURES: usize = 64;

/// The published encoder of a movie (Bellec, Wang et al., NeurIPS 2021): two layers of convolution (SAME
/// padding), rectification and max-pooling (3 x 3, step 2, SAME padding), and a linear read-out.
///
/// ```text
/// m[s] = (movie[s] - mean) / scale                       one mean and scale for all pixels; 0 for s < 0
/// h1[t][o] = pool(relu(b1[o] + g1 sum_{d < D} w1[o][D-1-d] * m[t - d]))
/// h2[t][o] = pool(relu(b2[o] + g2 sum_c w2[o][c] * h1[t][c]))
/// x[c][t][j] = g3 sum_f h2[t][f] r[f][j]
/// ```
///
/// A bin sees the frames up to its own; before the movie starts the screen is grey (the movie's mean), as it is
/// around the picture. The factors `g1`, `g2` (`sqrt(2 / inputs of a filter)`, He et al. 2015) and `g3`
/// (`1 / sqrt(features)`) make weights of order 1 and a step of the optimiser mean the same for filters of any size.
///
/// Weights are laid out `w1[filter][frame, the oldest first][y][x]`, `b1[filter]`, `w2[filter][channel][y][x]`,
/// `b2[filter]`, `r[feature][unit]`, features `[filter][y][x]`. A movie shared by all conditions is
/// convolved once.
#[derive(Clone, Debug)]
pub struct MovieDrive<T> {
    shape: MovieShape,
    layers: Layers,
    /// Planes, the frames of a stimulus behind as many grey ones as a filter sees before the first.
    movie: Vec<T>,
    parts: Vec<Part>,
    /// First frame of each stimulus, counted over all.
    first_frame: Vec<usize>,
    bins: usize,
    bins_per_condition: Vec<usize>,
    units: usize,
}

/// What a forward pass leaves for the adjoint, and memory that both use again.
#[derive(Debug, Default)]
pub(crate) struct MovieKept<T> {
    packed: Packed<T>,
    activities: Vec<Activity<T>>,
    d_drive: Vec<T>,
    /// As many as there were threads at work at a time; what they hold is overwritten.
    scratch: Mutex<Vec<Scratch<T>>>,
}

/// What is taken from pixels, and what they are then divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grey {
    /// Mean, in the unit of the pixels.
    pub mean: f64,
    /// Standard deviation, in the unit of the pixels.
    pub scale: f64,
}

/// Mean and standard deviation over all pixels of the valid bins; 1 in place of a standard deviation of 0.
///
/// # Errors
/// As [`crate::Standardise::fit`].
pub(crate) fn grey(frames: &TrialArray<f64>, valid: &[usize]) -> Result<Grey, DriveError> {
    let per_pixel = crate::Standardise::fit(frames, valid)?;
    let count = per_pixel.mean.len().max(1) as f64;
    let mean = per_pixel.mean.iter().sum::<f64>() / count;
    let bins = valid.iter().sum::<usize>().max(1) as f64;
    let mut square = 0.0;
    for (stimulus, &valid) in valid.iter().enumerate() {
        for bin in 0..valid {
            let row = frames.row(stimulus, bin).iter();
            square += row.map(|x| (x - mean).powi(2)).sum::<f64>();
        }
    }
    let scale = (square / (bins * count)).sqrt();
    let scale = if scale > 0.0 { scale } else { 1.0 };
    Ok(Grey { mean, scale })
}

impl<T: Real> MovieDrive<T> {
    /// An encoder of `movie` `[condition][bin][pixel]`, one movie for each condition or a single one shared by all,
    /// with pixels `[y][x]`, standardised by `grey`.
    ///
    /// # Errors
    /// [`DriveError::MovieShape`], [`DriveError::MoviePixels`], [`DriveError::MovieScale`] for what cannot be
    /// convolved; [`DriveError::NoConditions`], [`DriveError::NoUnits`], [`DriveError::NoFeatures`],
    /// [`DriveError::TooShort`], [`DriveError::FeatureConditions`], [`DriveError::FeatureBins`] and
    /// [`DriveError::NotFinite`] as for features.
    pub fn new(
        shape: MovieShape,
        grey: Grey,
        movie: &TrialArray<f64>,
        bins_per_condition: &[usize],
        units: usize,
    ) -> Result<Self, DriveError> {
        shape.check()?;
        let valid = valid_bins(movie, bins_per_condition, units)?;
        if movie.units() != shape.pixels() {
            return Err(DriveError::MoviePixels {
                height: shape.height,
                width: shape.width,
                found: movie.units(),
            });
        }
        let Grey { mean, scale } = grey;
        if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
            return Err(DriveError::MovieScale { mean, scale });
        }
        let layers = Layers::new(&shape);
        let plane = layers.planes[0];
        let lead = shape.frames - 1;
        let frames = valid.iter().sum::<usize>();
        let mut planes = vec![T::zero(); (frames + valid.len() * lead) * plane.len];
        let (mut parts, mut first_frame) = (Vec::new(), Vec::new());
        let (mut frame, mut start) = (0, 0);
        for (stimulus, &bins) in valid.iter().enumerate() {
            let of_stimulus = &mut planes[start..start + (lead + bins) * plane.len];
            let frames_of = of_stimulus.chunks_exact_mut(plane.len).skip(lead);
            for (bin, target) in frames_of.enumerate() {
                let rows = movie.row(stimulus, bin).chunks_exact(shape.width);
                for (y, row) in rows.enumerate() {
                    let at = plane.origin + y * plane.stride;
                    let target = target[at..at + shape.width].iter_mut();
                    for (x, (into, &pixel)) in target.zip(row).enumerate() {
                        *into = T::new((pixel - mean) / scale);
                        if !into.is_finite() {
                            return Err(DriveError::NotFinite {
                                condition: stimulus,
                                bin,
                                feature: y * shape.width + x,
                            });
                        }
                    }
                }
            }
            first_frame.push(frame);
            for bin in (0..bins).step_by(FRAMES) {
                parts.push(Part {
                    frame: frame + bin,
                    frames: FRAMES.min(bins - bin),
                    start: start + bin * plane.len,
                });
            }
            frame += bins;
            start += (lead + bins) * plane.len;
        }
        Ok(Self {
            shape,
            layers,
            movie: planes,
            parts,
            first_frame,
            bins: valid.iter().copied().max().unwrap_or(0),
            bins_per_condition: bins_per_condition.to_vec(),
            units,
        })
    }

    /// Sizes of movie and filters.
    pub fn shape(&self) -> &MovieShape {
        &self.shape
    }

    /// The factors on the weights of each layer and of the read-out.
    fn factors(&self) -> [T; 3] {
        let inputs =
            [0, 1].map(|l| (self.layers.channels[l] * self.layers.planes[l].taps()) as f64);
        [
            T::new((2.0 / inputs[0]).sqrt()),
            T::new((2.0 / inputs[1]).sqrt()),
            T::new(1.0 / (self.layers.features as f64).sqrt()),
        ]
    }

    /// The frames that a condition sees, counted over all stimuli.
    fn frames(&self, condition: usize) -> Range<usize> {
        let first = match self.first_frame.as_slice() {
            [shared] => *shared,
            each => each[condition],
        };
        first..first + self.bins_per_condition[condition]
    }

    fn pack(&self, weights: &[T], packed: &mut Packed<T>) {
        let layers = &self.layers;
        let factors = self.factors();
        for layer in 0..2 {
            let filters = &weights[layers.weights.filters(layer)];
            by_tap(filters, layers.filters[layer], &mut packed.filters[layer]);
            let scaled = packed.filters[layer].iter_mut();
            scaled.for_each(|w| *w *= factors[layer]);
            packed.biases[layer].clear();
            let biases = &weights[layers.weights.biases(layer)];
            packed.biases[layer].extend_from_slice(biases);
        }
        let second = &weights[layers.weights.filters(1)];
        let taps = layers.planes[1].taps();
        reversed(second, layers.channels[1], taps, &mut packed.reversed);
        packed.reversed.iter_mut().for_each(|w| *w *= factors[1]);
    }
}

/// Runs `work` with memory that no other thread has.
fn with_scratch<T: Real>(pool: &Mutex<Vec<Scratch<T>>>, work: impl FnOnce(&mut Scratch<T>)) {
    let lock = || pool.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = lock().pop();
    let mut scratch = taken.unwrap_or_default();
    work(&mut scratch);
    lock().push(scratch);
}

impl<T: Real> Encoder<T> for MovieDrive<T> {
    fn conditions(&self) -> usize {
        self.bins_per_condition.len()
    }

    fn bins(&self) -> usize {
        self.bins
    }

    fn units(&self) -> usize {
        self.units
    }

    fn parameters(&self) -> usize {
        self.shape.parameters(self.units)
    }

    // A filter's size is made up for by those behind it, so a prior on the read-out is one on the drive;
    // one on the filters, of which there are more than bins, would only silence them.
    fn under_prior(&self) -> Range<usize> {
        self.layers.weights.readout_start..self.parameters()
    }

    // A read-out of zero, so that a fit starts without drive; filters of their own, so that they differ.
    fn start(&self, normal: &mut dyn FnMut() -> f64) -> Vec<T> {
        let mut weights = vec![T::zero(); self.parameters()];
        for layer in 0..2 {
            let filters = &mut weights[self.layers.weights.filters(layer)];
            filters.iter_mut().for_each(|w| *w = T::new(normal()));
        }
        weights
    }

    fn forward_keeping(&self, weights: &[T], drive: &mut TrialArray<T>, kept: &mut Kept) {
        prepare(self, weights, drive);
        let mut own: Box<MovieKept<T>> = kept.take();
        let MovieKept {
            packed,
            activities,
            scratch,
            ..
        } = &mut *own;
        self.pack(weights, packed);
        let (layers, units, packed) = (&self.layers, self.units, &*packed);
        let readout = &weights[layers.weights.readout_start..];
        let scale = self.factors()[2];
        activities.resize_with(self.parts.len(), Activity::default);
        (activities.par_iter_mut().zip(&self.parts)).for_each(|(activity, &part)| {
            with_scratch(scratch, |scratch| {
                layers.forward(&self.movie, part, packed, scale, activity, scratch);
            });
            activity.drive.resize(part.frames * units, T::zero());
            matmul(
                MatrixRef::rows(
                    &activity.features,
                    part.frames,
                    layers.features,
                    layers.features,
                ),
                MatrixRef::rows(readout, layers.features, units, units),
                T::zero(),
                MatrixMut::rows(&mut activity.drive, part.frames, units, units),
            );
        });
        for condition in 0..self.conditions() {
            let frames = self.frames(condition);
            for (activity, part) in activities.iter().zip(&self.parts) {
                let first = part.frame.max(frames.start);
                let behind = (part.frame + part.frames).min(frames.end);
                if first < behind {
                    let from = (first - part.frame) * units..(behind - part.frame) * units;
                    let to = (first - frames.start) * units..(behind - frames.start) * units;
                    drive.trial_mut(condition)[to].copy_from_slice(&activity.drive[from]);
                }
            }
        }
        kept.keep(own);
    }

    fn pull_back(
        &self,
        weights: &[T],
        kept: &mut Kept,
        d_drive: &TrialArray<T>,
        d_weights: &mut [T],
    ) {
        check_adjoint(self, d_drive, d_weights);
        let mut own: Box<MovieKept<T>> = kept.take();
        let MovieKept {
            packed,
            activities,
            d_drive: d_frames,
            scratch,
        } = &mut *own;
        assert_eq!(
            activities.len(),
            self.parts.len(),
            "parts of the movie that were kept"
        );
        let (layers, units, packed) = (&self.layers, self.units, &*packed);
        let (start, features) = (layers.weights.readout_start, layers.features);
        let readout = &weights[start..];
        let factors = self.factors();
        let frames = self.parts.last().map_or(0, |part| part.frame + part.frames);
        d_frames.clear();
        d_frames.resize(frames * units, T::zero());
        for condition in 0..self.conditions() {
            let frames = self.frames(condition);
            let len = frames.len() * units;
            let into = &mut d_frames[frames.start * units..frames.end * units];
            add_assign(into, &d_drive.trial(condition)[..len]);
        }
        let d_frames = &*d_frames;
        let of_part =
            |part: Part| &d_frames[part.frame * units..(part.frame + part.frames) * units];
        (activities.par_iter_mut().zip(&self.parts)).for_each(|(activity, &part)| {
            activity
                .d_features
                .resize(part.frames * features, T::zero());
            matmul(
                MatrixRef::rows(of_part(part), part.frames, units, units),
                MatrixRef::rows(readout, features, units, units).transposed(),
                T::zero(),
                MatrixMut::rows(&mut activity.d_features, part.frames, features, features),
            );
            with_scratch(scratch, |scratch| {
                layers.pull_back(&self.movie, part, packed, factors[2], activity, scratch);
            });
        });
        let activities = &*activities;
        let (d_filters, d_readout) = d_weights.split_at_mut(start);
        // Each piece of the gradient in the order of parts, whatever the threads.
        for (layer, &of_layer) in factors[..2].iter().enumerate() {
            let [of_filters, of_biases] =
                [layers.weights.filters(layer), layers.weights.biases(layer)];
            for (range, factor) in [(of_filters, of_layer), (of_biases, T::one())] {
                for activity in activities {
                    let part = &activity.gradient[range.clone()];
                    for (sum, &g) in d_filters[range.clone()].iter_mut().zip(part) {
                        *sum += factor * g;
                    }
                }
            }
        }
        let pieces = d_readout.par_chunks_mut(FEATURES * units).enumerate();
        pieces.for_each(|(piece, d_readout)| {
            let (first, count) = (piece * FEATURES, d_readout.len() / units);
            for (activity, &part) in activities.iter().zip(&self.parts) {
                let some = &activity.features[first..];
                matmul(
                    MatrixRef::rows(some, part.frames, count, features).transposed(),
                    MatrixRef::rows(of_part(part), part.frames, units, units),
                    T::one(),
                    MatrixMut::rows(d_readout, count, units, units),
                );
            }
        });
        kept.keep(own);
    }
}
