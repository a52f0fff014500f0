//! Small recordings in both forms, written without the crates under test, to be bent in any way.

use crate::npz::raw_npy;
pub use crate::npz::{Fixture, npy};

/// Width of a bin, seconds.
const BIN: f64 = 0.01;

/// A recording to be drawn: units fire in about one bin of five, more in the middle of a trial.
#[derive(Clone)]
pub struct Toy {
    /// Bins of each trial.
    pub bins: Vec<usize>,
    /// Label of each trial; `None` leaves the key out.
    pub conditions: Option<Vec<i32>>,
    pub units: usize,
    /// Units that never spike.
    pub silent: Vec<usize>,
    /// Shape and values.
    pub stimulus: Option<(Vec<u64>, Vec<f64>)>,
}

impl Default for Toy {
    /// Twelve trials of 40 bins of 10 ms in two conditions, three units.
    fn default() -> Self {
        Self {
            bins: vec![40; 12],
            conditions: Some((0..12).map(|k| k % 2).collect()),
            units: 3,
            silent: Vec::new(),
            stimulus: None,
        }
    }
}

impl Toy {
    /// `(trial, bin, unit)` of each spike, in that order.
    fn spikes(&self) -> Vec<(usize, usize, usize)> {
        let mut spikes = Vec::new();
        for (trial, &bins) in self.bins.iter().enumerate() {
            for bin in 0..bins {
                for unit in (0..self.units).filter(|u| !self.silent.contains(u)) {
                    let middle = 4 * bin > bins && 4 * bin < 3 * bins;
                    let limit = if middle { 75 } else { 38 };
                    if hash((trial * 10_000 + bin) * 1_000 + unit) % 256 < limit {
                        spikes.push((trial, bin, unit));
                    }
                }
            }
        }
        spikes
    }

    /// Event form, spikes in the middle of their bins.
    pub fn events(&self) -> Fixture {
        let spikes = self.spikes();
        let n = spikes.len() as u64;
        let times: Vec<f64> = spikes.iter().map(|s| (s.1 as f64 + 0.5) * BIN).collect();
        let trials: Vec<i32> = spikes.iter().map(|s| s.0 as i32).collect();
        let units: Vec<i32> = spikes.iter().map(|s| s.2 as i32).collect();
        let durations: Vec<f64> = self.bins.iter().map(|&b| b as f64 * BIN).collect();
        let k = self.bins.len() as u64;
        let fixture = Fixture::default()
            .set("spike_times", npy(&[n], &times))
            .set("spike_trial", npy(&[n], &trials))
            .set("spike_unit", npy(&[n], &units))
            .set("trial_duration", npy(&[k], &durations))
            .set("n_units", npy(&[], &[self.units as i64]))
            .set("n_trials", npy(&[], &[k as i64]));
        self.common(fixture)
    }

    /// Binned form.
    pub fn binned(&self) -> Fixture {
        let longest = self.bins.iter().copied().max().unwrap();
        let mut counts = vec![0u8; self.bins.len() * longest * self.units];
        for (trial, bin, unit) in self.spikes() {
            counts[(trial * longest + bin) * self.units + unit] = 1;
        }
        let k = self.bins.len() as u64;
        let bins: Vec<i32> = self.bins.iter().map(|&b| b as i32).collect();
        let shape = [k, longest as u64, self.units as u64];
        let fixture = Fixture::default()
            .set("counts", npy(&shape, &counts))
            .set("bin_size", npy(&[], &[BIN]))
            .set("n_bins", npy(&[k], &bins));
        self.common(fixture)
    }

    fn common(&self, mut fixture: Fixture) -> Fixture {
        if let Some(labels) = &self.conditions {
            fixture = fixture.set("condition", npy(&[labels.len() as u64], labels));
        }
        if let Some((shape, values)) = &self.stimulus {
            fixture = fixture
                .set("stimulus", npy(shape, values))
                .set("stimulus_dt", npy(&[], &[BIN]));
        }
        fixture
    }
}

/// A stimulus of two features that vary at random.
pub fn stimulus(shape: &[u64]) -> (Vec<u64>, Vec<f64>) {
    let count: u64 = shape.iter().product();
    let values = (0..count as usize).map(|i| (hash(i) % 1000) as f64 / 500.0 - 1.0);
    (shape.to_vec(), values.collect())
}

/// SplitMix64.
fn hash(at: usize) -> u64 {
    let mut z = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An array whose header says what it likes about the data behind it.
pub fn declared(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n");
    raw_npy(&header, data)
}
