//! The encoder against loops that follow the definition, finite differences, and itself on more threads.

use super::*;
use crate::encoder::tests::numbers;
use crate::{DriveError, DriveSpec, Standardise};
use proptest::prelude::*;

/// An image `[y][x]` by its value at any place, zero outside.
struct Image {
    side: [usize; 2],
    values: Vec<f64>,
}

impl Image {
    fn at(&self, y: isize, x: isize) -> f64 {
        let inside = |i: isize, side: usize| i >= 0 && (i as usize) < side;
        if inside(y, self.side[0]) && inside(x, self.side[1]) {
            self.values[y as usize * self.side[1] + x as usize]
        } else {
            0.0
        }
    }
}

/// A layer by its definition: convolution, rectification, pooling, one number at a time.
fn layer(channels: &[Image], weights: &[f64], biases: &[f64], size: usize) -> Vec<Image> {
    let [height, width] = channels[0].side;
    let (taps, half) = (size * size, (size / 2) as isize);
    let factor = (2.0 / (channels.len() * taps) as f64).sqrt();
    let per_filter = weights.chunks_exact(channels.len() * taps);
    let filters = per_filter.zip(biases);
    let pad = |side: usize| ((side.div_ceil(2) - 1) * 2 + 3).saturating_sub(side) as isize / 2;
    filters
        .map(|(filter, bias)| {
            let convolved = |y: isize, x: isize| {
                let mut sum = 0.0;
                for (c, channel) in channels.iter().enumerate() {
                    for dy in 0..size as isize {
                        for dx in 0..size as isize {
                            let w = filter[c * taps + (dy * size as isize + dx) as usize];
                            sum += w * channel.at(y + dy - half, x + dx - half);
                        }
                    }
                }
                (bias + factor * sum).max(0.0)
            };
            let side = [height.div_ceil(2), width.div_ceil(2)];
            let mut values = Vec::new();
            for y in 0..side[0] as isize {
                for x in 0..side[1] as isize {
                    let mut most = 0.0f64;
                    for wy in 2 * y - pad(height)..2 * y - pad(height) + 3 {
                        for wx in 2 * x - pad(width)..2 * x - pad(width) + 3 {
                            let inside = |i: isize, n: usize| (0..n as isize).contains(&i);
                            if inside(wy, height) && inside(wx, width) {
                                most = most.max(convolved(wy, wx));
                            }
                        }
                    }
                    values.push(most);
                }
            }
            Image { side, values }
        })
        .collect()
}

/// The drive of all units at one bin of a stimulus, by the definition.
fn naive(
    shape: &MovieShape,
    grey: Grey,
    movie: &TrialArray<f64>,
    (stimulus, bin): (usize, usize),
    weights: &[f64],
    units: usize,
) -> Vec<f64> {
    let side = [shape.height, shape.width];
    let frames: Vec<Image> = (0..shape.frames)
        .map(|i| {
            let frame = (bin + i + 1).checked_sub(shape.frames);
            let values = match frame {
                Some(frame) => {
                    let row = movie.row(stimulus, frame).iter();
                    row.map(|x| (x - grey.mean) / grey.scale).collect()
                }
                None => vec![0.0; shape.pixels()],
            };
            Image { side, values }
        })
        .collect();
    let taps = shape.filter_size * shape.filter_size;
    let [first, second] = shape.filters;
    let (w1, rest) = weights.split_at(first * shape.frames * taps);
    let (b1, rest) = rest.split_at(first);
    let (w2, rest) = rest.split_at(second * first * taps);
    let (b2, readout) = rest.split_at(second);
    let hidden = layer(&frames, w1, b1, shape.filter_size);
    let hidden = layer(&hidden, w2, b2, shape.filter_size);
    let features: Vec<f64> = hidden.into_iter().flat_map(|image| image.values).collect();
    assert_eq!(features.len(), shape.features());
    let factor = 1.0 / (features.len() as f64).sqrt();
    let rows = readout.chunks_exact(units).zip(&features);
    let mut drive = vec![0.0; units];
    rows.for_each(|(row, f)| (drive.iter_mut().zip(row)).for_each(|(x, w)| *x += factor * f * w));
    drive
}

fn small(height: usize, width: usize) -> MovieShape {
    MovieShape {
        height,
        width,
        frames: 2,
        filters: [3, 5],
        filter_size: 3,
    }
}

fn movie_of(shape: &MovieShape, stimuli: usize, bins: usize, seed: u64) -> TrialArray<f64> {
    let values = numbers(stimuli * bins * shape.pixels(), seed);
    TrialArray::from_vec(values, stimuli, bins, shape.pixels()).unwrap()
}

const GREY: Grey = Grey {
    mean: 0.1,
    scale: 0.7,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn forward_is_the_definition(
        (height, width) in (1usize..14, 1usize..14),
        frames in 1usize..4,
        filters in (1usize..10, 1usize..10),
        half in 0usize..4,
        (shared, seed) in (any::<bool>(), 0u64..1000),
    ) {
        let shape = MovieShape {
            height,
            width,
            frames,
            filters: [filters.0, filters.1],
            filter_size: 2 * half + 1,
        };
        let (units, lengths) = (2, [3, 5]);
        let movie = movie_of(&shape, if shared { 1 } else { 2 }, 5, seed);
        let encoder = MovieDrive::<f64>::new(shape, GREY, &movie, &lengths, units).unwrap();
        let weights = numbers(encoder.parameters(), seed + 1);
        let mut drive = TrialArray::default();
        encoder.forward(&weights, &mut drive);
        prop_assert_eq!((drive.trials(), drive.bins(), drive.units()), (2, 5, 2));
        for (c, &length) in lengths.iter().enumerate() {
            for t in 0..5 {
                let at = (if shared { 0 } else { c }, t);
                let expected = match t < length {
                    true => naive(&shape, GREY, &movie, at, &weights, units),
                    false => vec![0.0; units],
                };
                for (found, expected) in drive.row(c, t).iter().zip(&expected) {
                    prop_assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()));
                }
            }
        }
    }
}

/// `sum of (drive * d)`, and its gradient.
fn value_and_gradient(
    encoder: &MovieDrive<f64>,
    weights: &[f64],
    d_drive: &TrialArray<f64>,
    lengths: &[usize],
) -> (f64, Vec<f64>) {
    let (mut drive, mut kept) = (TrialArray::default(), Kept::default());
    encoder.forward_keeping(weights, &mut drive, &mut kept);
    let mut value = 0.0;
    for (c, &length) in lengths.iter().enumerate() {
        for t in 0..length {
            let pairs = drive.row(c, t).iter().zip(d_drive.row(c, t));
            value += pairs.map(|(x, d)| x * d).sum::<f64>();
        }
    }
    let mut gradient = vec![0.0; weights.len()];
    encoder.pull_back(weights, &mut kept, d_drive, &mut gradient);
    (value, gradient)
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    // More bins than a part has, and more than one piece of the read-out's gradient.
    for (shape, stimuli, lengths) in [
        (small(9, 9), 1, vec![4, 3]),
        (small(9, 8), 2, vec![FRAMES + 10, 5]),
        (
            MovieShape {
                filters: [2, 9],
                filter_size: 5,
                ..small(11, 12)
            },
            1,
            vec![3],
        ),
    ] {
        let units = 3;
        let bins = *lengths.iter().max().unwrap();
        let movie = movie_of(&shape, stimuli, bins, 3);
        let encoder = MovieDrive::<f64>::new(shape, GREY, &movie, &lengths, units).unwrap();
        let mut weights = numbers(encoder.parameters(), 4);
        let d = numbers(lengths.len() * bins * units, 5);
        let d_drive = TrialArray::from_vec(d, lengths.len(), bins, units).unwrap();
        let (_, gradient) = value_and_gradient(&encoder, &weights, &d_drive, &lengths);
        let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        assert!(largest > 0.1);
        let layout = &encoder.layers.weights;
        let every = 1 + weights.len() / 150;
        let mut chosen: Vec<usize> = (0..weights.len()).step_by(every).collect();
        chosen.extend(layout.biases(0));
        chosen.extend(layout.biases(1));
        for at in chosen {
            let (step, weight) = (1e-6, weights[at]);
            let mut value_at = |x: f64| {
                weights[at] = x;
                value_and_gradient(&encoder, &weights, &d_drive, &lengths).0
            };
            let slope = (value_at(weight + step) - value_at(weight - step)) / (2.0 * step);
            weights[at] = weight;
            let error = (slope - gradient[at]).abs();
            assert!(
                error < 1e-6 * (1.0 + largest),
                "{at}: {slope} is not {}",
                gradient[at]
            );
        }
    }
}

#[test]
fn the_pullback_adds_and_needs_no_clean_memory() {
    let shape = small(9, 9);
    let lengths = [FRAMES + 3];
    let movie = movie_of(&shape, 1, lengths[0], 3);
    let encoder = MovieDrive::<f64>::new(shape, GREY, &movie, &lengths, 2).unwrap();
    let d = numbers(lengths[0] * 2, 5);
    let d_drive = TrialArray::from_vec(d, 1, lengths[0], 2).unwrap();
    let (first, second) = (
        numbers(encoder.parameters(), 4),
        numbers(encoder.parameters(), 9),
    );
    let (_, expected) = value_and_gradient(&encoder, &second, &d_drive, &lengths);
    let (mut drive, mut kept) = (TrialArray::default(), Kept::default());
    let mut gradient = vec![0.0; first.len()];
    encoder.forward_keeping(&first, &mut drive, &mut kept);
    encoder.pull_back(&first, &mut kept, &d_drive, &mut gradient);
    gradient.fill(1.0);
    encoder.forward_keeping(&second, &mut drive, &mut kept);
    encoder.pull_back(&second, &mut kept, &d_drive, &mut gradient);
    for (found, expected) in gradient.iter().zip(&expected) {
        assert!((found - 1.0 - expected).abs() < 1e-12 * (1.0 + expected.abs()));
    }
}

#[test]
fn threads_change_nothing() {
    let shape = MovieShape {
        height: 13,
        width: 11,
        ..MovieShape::default()
    };
    let bins = 4 * FRAMES + 5;
    let movie = movie_of(&shape, 1, bins, 3);
    let encoder = MovieDrive::<f32>::new(shape, GREY, &movie, &[bins, 30], 7).unwrap();
    let single = |values: Vec<f64>| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let weights = single(numbers(encoder.parameters(), 4));
    let d_drive = TrialArray::from_vec(single(numbers(2 * bins * 7, 5)), 2, bins, 7).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let (mut drive, mut kept) = (TrialArray::default(), Kept::default());
            encoder.forward_keeping(&weights, &mut drive, &mut kept);
            let mut gradient = vec![0.0; weights.len()];
            encoder.pull_back(&weights, &mut kept, &d_drive, &mut gradient);
            (drive.to_vec(), gradient)
        })
    };
    let one = run(1);
    assert!(one.0.iter().chain(&one.1).any(|&x| x != 0.0));
    for threads in [2, 5] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn the_published_encoder_has_1568_features() {
    let shape = MovieShape::default();
    assert_eq!(shape.pooled(), [[14, 14], [7, 7]]);
    assert_eq!(shape.features(), 1568);
    let filters = 16 * 490 + 16 + 32 * 784 + 32;
    assert_eq!(shape.parameters(69), filters + 1568 * 69);
}

#[test]
fn a_fit_starts_without_drive_and_with_filters_that_differ() {
    let shape = small(9, 9);
    let movie = movie_of(&shape, 1, 4, 3);
    let encoder = MovieDrive::<f64>::new(shape, GREY, &movie, &[4], 2).unwrap();
    let mut draws = numbers(1000, 1).into_iter();
    let weights = encoder.start(&mut || draws.next().unwrap());
    let mut drive = TrialArray::default();
    encoder.forward(&weights, &mut drive);
    assert!(drive.as_slice().iter().all(|&x| x == 0.0));
    let filters = &weights[..3 * 18];
    assert!(filters.iter().all(|&w| w != 0.0) && filters[..18] != filters[18..36]);
    assert!(encoder.under_prior().all(|at| weights[at] == 0.0));
    // The read-out moves first, and the filters with it.
    let d_drive = TrialArray::from_vec(vec![1.0; 8], 1, 4, 2).unwrap();
    let (_, gradient) = value_and_gradient(&encoder, &weights, &d_drive, &[4]);
    assert!(encoder.under_prior().any(|at| gradient[at] != 0.0));
}

#[test]
fn grey_is_that_of_the_valid_bins_and_refusals_name_what_was_found() {
    let shape = MovieShape {
        height: 1,
        width: 2,
        ..small(1, 2)
    };
    let movie = TrialArray::from_vec(vec![1.0, 3.0, 5.0, 7.0, 99.0, 99.0], 1, 3, 2).unwrap();
    let spec = DriveSpec::movie(shape, &movie, &[2]).unwrap();
    let DriveSpec::Movie { mean, scale, .. } = spec else {
        panic!("{spec:?}");
    };
    assert_eq!(mean, 4.0);
    assert!((scale - 5f64.sqrt()).abs() < 1e-15);

    let new = |shape, movie: &TrialArray<f64>, grey| {
        MovieDrive::<f32>::new(shape, grey, movie, &[2], 1).err()
    };
    assert_eq!(new(shape, &movie, GREY), None);
    let pixels = DriveError::MoviePixels {
        height: 9,
        width: 9,
        found: 2,
    };
    assert_eq!(
        pixels.to_string(),
        "drive: stimulus of 2 features per bin, expected the 81 pixels of a movie of 9 x 9"
    );
    assert_eq!(new(small(9, 9), &movie, GREY), Some(pixels));
    let even = MovieShape {
        filter_size: 4,
        ..shape
    };
    let found = new(even, &movie, GREY).unwrap().to_string();
    assert_eq!(
        found,
        "drive: filter size: expected an odd number of pixels up to 255, found 4"
    );
    for wrong in [
        MovieShape { frames: 0, ..shape },
        MovieShape {
            filters: [1, 0],
            ..shape
        },
        MovieShape {
            height: 4096,
            width: 4096,
            ..shape
        },
    ] {
        assert!(matches!(
            new(wrong, &movie, GREY),
            Some(DriveError::MovieShape { .. })
        ));
    }
    let scale = DriveError::MovieScale {
        mean: 0.0,
        scale: 0.0,
    };
    assert_eq!(
        new(
            shape,
            &movie,
            Grey {
                mean: 0.0,
                scale: 0.0
            }
        ),
        Some(scale)
    );
    let not_finite = TrialArray::from_vec(vec![0.0, 0.0, 0.0, f64::NAN], 1, 2, 2).unwrap();
    let at = DriveError::NotFinite {
        condition: 0,
        bin: 1,
        feature: 1,
    };
    assert_eq!(new(shape, &not_finite, GREY), Some(at));
    let constant = TrialArray::from_vec(vec![2.0; 4], 1, 2, 2).unwrap();
    assert_eq!(
        grey(&constant, &[2]),
        Ok(Grey {
            mean: 2.0,
            scale: 1.0
        })
    );
    let _ = Standardise::fit(&constant, &[2]).unwrap();
}
