//! Small recordings in both forms.
#![allow(unused_imports)] // each test file uses its own part

mod npz;

pub use npz::{Fixture, npy, npy_ordered, raw_npy, write};

/// Event form: 3 units, 4 trials of 50, 50, 45 and 52 ms, conditions 4, -1, 4, -1.
pub fn events() -> Fixture {
    Fixture::default()
        .set(
            "spike_times",
            npy::<f64>(&[6], &[0.0, 0.0199999999, 0.02, 0.021, 0.0449, 0.051]),
        )
        .set("spike_trial", npy::<i32>(&[6], &[0, 0, 1, 1, 2, 3]))
        .set("spike_unit", npy::<i32>(&[6], &[0, 0, 2, 2, 1, 2]))
        .set("trial_duration", npy(&[4], &[0.05, 0.05, 0.045, 0.052]))
        .set("n_units", npy::<i64>(&[], &[3]))
        .set("n_trials", npy::<i64>(&[], &[4]))
        .set("condition", npy::<i32>(&[4], &[4, -1, 4, -1]))
}

/// The counts of [`events`] in 10 ms bins: `[trial][bin][unit]`, 4 x 6 x 3.
pub fn event_counts() -> Vec<u8> {
    let mut counts = vec![0; 4 * 6 * 3];
    for (trial, bin, unit, count) in [
        (0, 0, 0, 1),
        (0, 2, 0, 1),
        (1, 2, 2, 2),
        (2, 4, 1, 1),
        (3, 5, 2, 1),
    ] {
        counts[(trial * 6 + bin) * 3 + unit] = count;
    }
    counts
}

/// Binned form of [`events`] in 10 ms bins.
pub fn binned() -> Fixture {
    Fixture::default()
        .set("counts", npy(&[4, 6, 3], &event_counts()))
        .set("bin_size", npy::<f64>(&[], &[0.01]))
        .set("n_bins", npy::<i32>(&[4], &[5, 5, 5, 6]))
        .set("condition", npy::<i32>(&[4], &[4, -1, 4, -1]))
}
