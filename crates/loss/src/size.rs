//! How much a noise covariance holds.

use crate::units_for_pairs;

/// What the memory of a [`crate::NoiseCovariance`] depends on.
#[derive(Clone, Copy, Debug)]
pub struct NoiseSize {
    /// Units that are measured.
    pub units: usize,
    /// Lags, lag 0 counted.
    pub lags: usize,
    /// Parts of the free-running trials.
    pub parts: usize,
    /// Conditions.
    pub conditions: usize,
    /// Simulated bins of all trials together whose deviations are held.
    pub batch_bins: f64,
    /// Recorded bins of all trials together whose deviations are held.
    pub recorded_bins: f64,
}

impl NoiseSize {
    /// Numbers of four bytes: slopes of every part and, in double precision, the target and the products of every
    /// condition, of training and of validation trials; deviations of a batch, their adjoints, and the deviations
    /// of the recorded trials in double precision.
    pub fn numbers(&self) -> f64 {
        let blocks = self.parts as f64 + 2.0 * 2.0 * (1.0 + self.conditions as f64);
        let deviations = 2.0 * self.batch_bins + 2.0 * self.recorded_bins;
        let units = self.units as f64;
        blocks * self.lags as f64 * units * units + deviations * units
    }
}

/// What the memory of a [`crate::SampledNoiseCovariance`] depends on.
#[derive(Clone, Copy, Debug)]
pub struct SampledSize {
    /// The same with all units of the population.
    pub of: NoiseSize,
    /// Pairs in a sample.
    pub pairs: usize,
    /// Recorded spikes.
    pub recorded_spikes: f64,
    /// Recorded bins of all trials together.
    pub all_recorded_bins: f64,
}

impl SampledSize {
    /// Numbers of four bytes. A sample of units has its own copy of the pass (probabilities, adjoints,
    /// spikes as bytes) and of their recorded spikes, and an index of all recorded spikes.
    pub fn numbers(&self) -> f64 {
        let units = units_for_pairs(self.pairs).min(self.of.units);
        let copies = 4.25 * self.of.batch_bins + 0.25 * self.all_recorded_bins;
        let own = NoiseSize { units, ..self.of };
        own.numbers() + copies * units as f64 + 3.0 * self.recorded_spikes
    }
}
