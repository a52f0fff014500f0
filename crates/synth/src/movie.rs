//! A network that sees a movie through two convolutional layers: the truth for fits of a movie drive.

use crate::truth::THETA;
use crate::{GroundTruth, SynthError};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;
use refire_drive::{Encoder, Grey, MovieDrive, MovieShape};
use refire_recording::{BinWidth, Stimulus};
use std::f64::consts::PI;

/// Seconds of a frame and of a bin.
const FRAME: f64 = 0.04;

/// Half widths of the Hann windows that the movie is smoothed with: frames, then pixels.
const SMOOTH: [usize; 3] = [3, 2, 2];

/// What a [`MovieNetwork`] is drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct MovieSettings {
    /// Sizes of movie and filters.
    pub shape: MovieShape,
    /// Bins per trial, each with a frame of its own.
    pub bins: usize,
    /// Units, all observed.
    pub units: usize,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Probability of a spike per bin where drive and couplings do nothing.
    pub rate: f64,
    /// Standard deviation over bins of the drive of each unit, in units of the potential.
    pub drive_sd: f64,
    /// Standard deviation of all couplings onto a unit, in units of the potential: that of one is
    /// `coupling_sd / sqrt(units * lags)`.
    pub coupling_sd: f64,
    /// Seed of the network.
    pub seed: u64,
}

/// A network of known couplings and known convolutional weights; it may be shown any movie.
#[derive(Clone, Debug, PartialEq)]
pub struct MovieNetwork {
    settings: MovieSettings,
    /// Of [`MovieDrive`].
    weights: Vec<f32>,
    couplings: Vec<f32>,
    bias: Vec<f32>,
}

impl MovieNetwork {
    /// Draws filters (He et al. 2015), read-out and couplings from normal distributions, then scales the
    /// read-out so that the movie of the network's own seed drives every unit with the standard deviation
    /// asked for, about the mean that its bias makes up for. A unit has no coupling onto itself.
    ///
    /// # Errors
    /// [`SynthError::Value`] for a number out of range, [`SynthError::Drive`] for sizes that cannot be convolved.
    pub fn draw(settings: &MovieSettings) -> Result<Self, SynthError> {
        let (units, lags) = (settings.units, settings.lags);
        let sds = [
            ("drive_sd", settings.drive_sd),
            ("coupling_sd", settings.coupling_sd),
        ];
        for (quantity, found) in sds {
            if !(found >= 0.0 && found.is_finite()) {
                return Err(SynthError::value(
                    quantity,
                    found,
                    "zero or a positive number",
                ));
            }
        }
        for (quantity, found) in [("units", units), ("lags", lags), ("bins", settings.bins)] {
            if !(1..=100_000).contains(&found) {
                return Err(SynthError::value(quantity, found, "1 to 100000"));
            }
        }
        if !(settings.rate > 0.0 && settings.rate < 1.0) {
            let expected = "a probability between 0 and 1";
            return Err(SynthError::value("rate", settings.rate, expected));
        }
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        let movie = smooth_movie(settings, settings.seed)?;
        let encoder = encoder(settings, &movie)?;
        let mut weights = encoder.start(&mut normal);
        let readout = encoder.under_prior();
        weights[readout.clone()].fill_with(|| normal() as f32);
        let mut raw = TrialArray::default();
        encoder.forward(&weights, &mut raw);
        let log_odds = (settings.rate / (1.0 - settings.rate)).ln();
        let mut bias = vec![0.0; units];
        for (unit, bias) in bias.iter_mut().enumerate() {
            let course = raw.as_slice().iter().skip(unit).step_by(units);
            let course: Vec<f64> = course.map(|&x| f64::from(x)).collect();
            let mean = course.iter().sum::<f64>() / course.len() as f64;
            let square: f64 = course.iter().map(|x| (x - mean).powi(2)).sum();
            let sd = (square / course.len() as f64).sqrt();
            // A unit that the movie does not move stays so.
            let factor = match sd > 0.0 {
                true => THETA * settings.drive_sd / sd,
                false => 0.0,
            };
            let column = weights[readout.clone()]
                .iter_mut()
                .skip(unit)
                .step_by(units);
            column.for_each(|w| *w *= factor as f32);
            *bias = (THETA * (1.0 + log_odds) - factor * mean) as f32;
        }
        let sd = THETA * settings.coupling_sd / ((units * lags) as f64).sqrt();
        let couplings = (0..units * lags * units).map(|at| {
            let (source, target) = (at / (lags * units), at % units);
            let draw = normal();
            if source == target {
                0.0
            } else {
                (sd * draw) as f32
            }
        });
        Ok(Self {
            couplings: couplings.collect(),
            settings: settings.clone(),
            weights,
            bias,
        })
    }

    /// Weights of the convolutional drive, as [`MovieDrive`] lays them out.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The network in front of the smooth random movie of a seed, which the ground truth's stimulus holds:
    /// pixels `[y][x]` of mean 0 and standard deviation 1 over the movie.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub fn show(&self, movie_seed: u64) -> Result<GroundTruth, SynthError> {
        let s = &self.settings;
        let movie = smooth_movie(s, movie_seed)?;
        let mut drive = TrialArray::default();
        encoder(s, &movie)?.forward(&self.weights, &mut drive);
        let bin_width = BinWidth::from_seconds(FRAME)?;
        let pairs = (0..s.units * s.units).map(|at| at / s.units != at % s.units);
        Ok(GroundTruth {
            couplings: self.couplings.clone(),
            lags: s.lags,
            bias: self.bias.clone(),
            drive,
            theta: THETA,
            observed: s.units,
            population: vec![0; s.units],
            mask: pairs.collect(),
            bin_width,
            seed: s.seed,
            stimulus: Some(Stimulus::new(
                movie.to_vec(),
                None,
                s.shape.pixels(),
                bin_width,
            )?),
        })
    }
}

fn encoder(
    settings: &MovieSettings,
    movie: &TrialArray<f64>,
) -> Result<MovieDrive<f32>, SynthError> {
    let bins = [settings.bins];
    let as_it_is = Grey {
        mean: 0.0,
        scale: 1.0,
    };
    Ok(MovieDrive::new(
        settings.shape,
        as_it_is,
        movie,
        &bins,
        settings.units,
    )?)
}

/// White noise smoothed over frames and pixels, `[1][frame][pixel]`, of mean 0 and standard deviation 1.
fn smooth_movie(settings: &MovieSettings, seed: u64) -> Result<TrialArray<f64>, SynthError> {
    let shape = &settings.shape;
    shape.check()?;
    let sides = [settings.bins, shape.height, shape.width];
    // Another stream than the network's.
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(!seed);
    let count = sides.iter().product();
    let mut values: Vec<f64> = (0..count)
        .map(|_| StandardNormal.sample(&mut generator))
        .collect();
    for (axis, width) in SMOOTH.into_iter().enumerate() {
        let step: usize = sides[axis + 1..].iter().product();
        values = smooth(&values, sides[axis], step, width);
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let sd = (square / count as f64).sqrt().max(f64::MIN_POSITIVE);
    values.iter_mut().for_each(|x| *x = (*x - mean) / sd);
    let held = TrialArray::from_vec(values, 1, settings.bins, shape.pixels());
    held.ok_or_else(|| SynthError::value("pixels of the movie", count, "frames * height * width"))
}

/// Smooths along an axis of `side` places `step` numbers apart with a Hann window, less of it at the ends.
fn smooth(values: &[f64], side: usize, step: usize, width: usize) -> Vec<f64> {
    let window = |d: usize| (0.5 * PI * d as f64 / width as f64).cos().powi(2);
    let at = |at: usize| {
        let place = (at / step) % side;
        let near = place.saturating_sub(width - 1)..(place + width).min(side);
        near.map(|other| window(place.abs_diff(other)) * values[at + other * step - place * step])
            .sum()
    };
    (0..values.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording;

    fn settings() -> MovieSettings {
        MovieSettings {
            shape: MovieShape {
                height: 9,
                width: 8,
                frames: 3,
                filters: [3, 4],
                filter_size: 3,
            },
            bins: 120,
            units: 5,
            lags: 2,
            rate: 0.12,
            drive_sd: 1.0,
            coupling_sd: 0.4,
            seed: 5,
        }
    }

    #[test]
    fn drive_and_rate_are_as_asked_for() {
        let network = MovieNetwork::draw(&settings()).unwrap();
        assert_eq!(network, MovieNetwork::draw(&settings()).unwrap());
        let truth = network.show(5).unwrap();
        truth.check().unwrap();
        for unit in 0..5 {
            let course = (0..120).map(|t| f64::from(truth.drive.row(0, t)[unit]));
            let mean = course.clone().sum::<f64>() / 120.0;
            let variance = course.map(|x| (x - mean).powi(2)).sum::<f64>() / 120.0;
            assert!((variance.sqrt() / THETA - 1.0).abs() < 1e-4);
            let at_mean = (f64::from(truth.bias[unit]) + mean) / THETA - 1.0;
            assert!((1.0 / (1.0 + (-at_mean).exp()) - 0.12).abs() < 1e-4);
        }
        let recording = recording(&truth, 30, 1).unwrap();
        let rate = recording.total_spikes() as f64 / (30 * 120 * 5) as f64;
        // Fluctuations of the potential by about 1 raise a rate that is convex there.
        assert!((0.1..0.25).contains(&rate), "{rate} spikes per bin");
        assert_eq!(recording.stimulus().unwrap().features(), 72);
    }

    #[test]
    fn another_movie_is_another_drive_by_the_same_weights() {
        let network = MovieNetwork::draw(&settings()).unwrap();
        let (one, other) = (network.show(5).unwrap(), network.show(6).unwrap());
        assert_eq!((&one.couplings, &one.bias), (&other.couplings, &other.bias));
        assert_ne!(one.drive, other.drive);
        // Smooth: neighbouring frames are alike, distant ones are not.
        let frames = one.stimulus.as_ref().unwrap().course(0).chunks_exact(72);
        let frames: Vec<&[f64]> = frames.collect();
        let alike = |lag: usize| {
            let pairs = frames.iter().zip(&frames[lag..]);
            let sum: f64 = pairs
                .flat_map(|(a, b)| a.iter().zip(*b))
                .map(|(x, y)| x * y)
                .sum();
            sum / ((120 - lag) * 72) as f64
        };
        assert!((alike(0) - 1.0).abs() < 1e-9);
        assert!(
            alike(1) > 0.5 && alike(30).abs() < 0.2,
            "{} {}",
            alike(1),
            alike(30)
        );
    }

    #[test]
    fn refuses_numbers_out_of_range() {
        let draw = |settings: MovieSettings| MovieNetwork::draw(&settings).unwrap_err().to_string();
        let rate = MovieSettings {
            rate: 1.0,
            ..settings()
        };
        assert_eq!(
            draw(rate),
            "rate is 1; expected a probability between 0 and 1"
        );
        let units = MovieSettings {
            units: 0,
            ..settings()
        };
        assert_eq!(draw(units), "units is 0; expected 1 to 100000");
        let mut even = settings();
        even.shape.filter_size = 2;
        assert!(draw(even).contains("filter size"));
    }
}
