//! What was shown or played, as features over time.

use crate::clock::EDGE;
use crate::{BinWidth, BinWidthError, RecordingError};

/// Stimulus features over time, from the start of the trial: one course for all trials, or one per
/// condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Stimulus {
    features: usize,
    values: Vec<f64>,
    conditions: usize,
    per_condition: bool,
    dt: BinWidth,
}

impl Stimulus {
    /// A stimulus with `values` laid out `[condition][sample][feature]`, one sample every `dt`;
    /// `conditions` is `None` where one course serves all conditions.
    ///
    /// # Errors
    /// [`RecordingError::Shape`] where the values do not divide into at least one whole sample per
    /// condition, [`RecordingError::Value`] for a value that is not finite.
    pub fn new(
        values: Vec<f64>,
        conditions: Option<usize>,
        features: usize,
        dt: BinWidth,
    ) -> Result<Self, RecordingError> {
        let per_condition = conditions.is_some();
        let conditions = conditions.unwrap_or(1);
        let whole = conditions
            .checked_mul(features)
            .is_some_and(|n| n > 0 && !values.is_empty() && values.len().is_multiple_of(n));
        if !whole {
            return Err(RecordingError::shape(
                "stimulus",
                &[values.len()],
                format!("whole samples of {features} features for {conditions} conditions"),
            ));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let samples = values.len() / (conditions * features);
            let (sample, feature) = (at / features, at % features);
            let index = if per_condition {
                format!("{}, {}, {feature}", sample / samples, sample % samples)
            } else {
                format!("{sample}, {feature}")
            };
            return Err(RecordingError::value(
                format!("stimulus[{index}]"),
                values[at],
                "a finite number",
            ));
        }
        Ok(Self {
            features,
            values,
            conditions,
            per_condition,
            dt,
        })
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Number of courses: that of the conditions, or 1 where one serves all.
    pub fn courses(&self) -> usize {
        self.conditions
    }

    /// Whether every condition has its own course.
    pub fn per_condition(&self) -> bool {
        self.per_condition
    }

    /// Number of samples of a course.
    pub fn samples(&self) -> usize {
        self.values.len() / (self.conditions * self.features)
    }

    /// Time between samples; a sample holds from its own time to the next.
    pub fn dt(&self) -> BinWidth {
        self.dt
    }

    /// The values, `[condition or 1][sample][feature]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The course of a condition, `[sample][feature]`.
    ///
    /// # Panics
    /// Where the stimulus is per condition and has no such condition.
    pub fn course(&self, condition: usize) -> &[f64] {
        let len = self.samples() * self.features;
        let at = if self.per_condition {
            condition * len
        } else {
            0
        };
        &self.values[at..at + len]
    }

    /// The same with the courses in another order: the one of condition `c` is now that of `courses[c]`.
    pub(crate) fn in_order(self, courses: &[usize]) -> Self {
        if !self.per_condition {
            return self;
        }
        let values = courses.iter().flat_map(|&c| self.course(c).to_vec());
        Self {
            values: values.collect(),
            ..self
        }
    }

    /// Samples that some bin of `n_bins` overlaps; at least 1.
    pub(crate) fn samples_within(&self, bin_width: BinWidth, n_bins: usize) -> usize {
        let samples = (n_bins as f64 * self.per_bin(bin_width) - EDGE).ceil() as usize;
        samples.clamp(1, self.samples())
    }

    /// The same where the file counts time in another unit, of which a second has so many.
    pub(crate) fn per_second(self, count: f64) -> Result<Self, BinWidthError> {
        Ok(Self {
            dt: BinWidth::from_seconds(self.dt.seconds() / count)?,
            ..self
        })
    }

    /// Whole bins that it lasts; at least 1.
    pub fn bins(&self, bin_width: BinWidth) -> usize {
        let covered = self.samples() as f64 / self.per_bin(bin_width);
        ((covered + EDGE).floor() as usize).max(1)
    }

    /// How many of `n_bins` bins lie behind the end of the stimulus; a part of a bin counts.
    pub fn bins_missing(&self, bin_width: BinWidth, n_bins: usize) -> f64 {
        let covered = self.samples() as f64 / self.per_bin(bin_width);
        let missing = n_bins as f64 - covered;
        if missing <= EDGE { 0.0 } else { missing }
    }

    /// Samples per bin: a whole number where it is one up to the rounding of the steps, and of their type.
    fn per_bin(&self, bin_width: BinWidth) -> f64 {
        let ratio = bin_width.seconds() / self.dt.seconds();
        let near = |x: f64| (x - x.round()).abs() <= f64::from(2.0 * f32::EPSILON) * x;
        if near(ratio) {
            ratio.round()
        } else if near(1.0 / ratio) {
            1.0 / (1.0 / ratio).round()
        } else {
            ratio
        }
    }

    /// The stimulus in `n_bins` bins of another width.
    ///
    /// A bin takes the mean of the samples it overlaps, weighted by their share of it (so a longer
    /// sample is held, and equal widths change nothing). A bin that begins before the stimulus
    /// ends takes the mean of the part that there is. One that begins behind its end, of which there may be fewer
    /// than two, takes its last values.
    ///
    /// # Errors
    /// [`RecordingError::ShortStimulus`] where two bins or more are missing.
    pub fn resample(&self, bin_width: BinWidth, n_bins: usize) -> Result<Self, RecordingError> {
        let samples = self.samples();
        let per_bin = self.per_bin(bin_width);
        let missing = self.bins_missing(bin_width, n_bins);
        if missing >= 2.0 {
            return Err(RecordingError::ShortStimulus {
                seconds: samples as f64 * self.dt.seconds(),
                expected: n_bins as f64 * bin_width.seconds(),
            });
        }
        let mut values = Vec::with_capacity(self.conditions * n_bins * self.features);
        for course in 0..self.conditions {
            let course = self.course(course);
            for bin in 0..n_bins {
                let from = snapped(bin as f64 * per_bin);
                let from = if from < samples as f64 {
                    from
                } else {
                    (samples - 1) as f64
                };
                let to = snapped((bin + 1) as f64 * per_bin).min(samples as f64);
                mean(course, self.features, from, to, &mut values);
            }
        }
        Ok(Self {
            values,
            dt: bin_width,
            ..*self
        })
    }
}

/// Bin edges that fall on a sample up to rounding do fall on it.
fn snapped(sample: f64) -> f64 {
    let nearest = sample.round();
    if (sample - nearest).abs() <= 1e-6 {
        nearest
    } else {
        sample
    }
}

/// Appends the mean of the samples from `from` to `to` (in samples, fractions count).
fn mean(course: &[f64], features: usize, from: f64, to: f64, out: &mut Vec<f64>) {
    let start = out.len();
    out.resize(start + features, 0.0);
    let first = from.floor() as usize;
    // A bin may be shorter than what a sample is snapped by.
    let end = (to.ceil() as usize).max(first + 1);
    let sum = &mut out[start..];
    if end == first + 1 {
        // One sample: exactly its value.
        sum.copy_from_slice(&course[first * features..end * features]);
        return;
    }
    for (sample, values) in course
        .chunks_exact(features)
        .enumerate()
        .take(end)
        .skip(first)
    {
        let weight = (to.min((sample + 1) as f64) - from.max(sample as f64)) / (to - from);
        for (s, v) in sum.iter_mut().zip(values) {
            *s += weight * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(seconds: f64) -> BinWidth {
        BinWidth::from_seconds(seconds).unwrap()
    }

    fn one(values: &[f64], dt: f64) -> Stimulus {
        Stimulus::new(values.to_vec(), None, 1, width(dt)).unwrap()
    }

    #[test]
    fn shorter_samples_are_averaged_longer_ones_held_and_the_last_one_goes_on() {
        let s = one(&[1.0, 3.0, 5.0, 6.0, 9.0], 0.01);
        let in_bins = |dt: f64, bins| s.resample(width(dt), bins).unwrap();
        assert_eq!(in_bins(0.02, 4).values(), &[2.0, 5.5, 9.0, 9.0]);
        let held = in_bins(0.005, 11);
        assert_eq!(held.values()[..4], [1.0, 1.0, 3.0, 3.0]);
        assert_eq!(held.values()[9..], [9.0, 9.0]);
        // 15 ms: bin 1 is half of sample 1 and all of sample 2.
        let mixed = in_bins(0.015, 2);
        assert!((mixed.values()[0] - (1.0 + 0.5 * 3.0) / 1.5).abs() < 1e-12);
        assert!((mixed.values()[1] - (0.5 * 3.0 + 5.0) / 1.5).abs() < 1e-12);
        assert_eq!(mixed.dt(), width(0.015));
        // 30 ms, a third of a sample each: bin 4 is the second.
        let longer = one(&[1.0, 3.0], 0.03).resample(width(0.01), 6).unwrap();
        assert_eq!(longer.values(), &[1.0, 1.0, 1.0, 3.0, 3.0, 3.0]);
        assert_eq!(
            (
                s.bins(width(0.01)),
                s.bins(width(0.02)),
                longer.bins(width(0.03))
            ),
            (5, 2, 2)
        );
    }

    #[test]
    fn edges_of_bins_fall_on_samples_up_to_rounding() {
        assert_eq!(snapped(5.000_000_5), 5.0);
        assert_eq!(snapped(4.999_999_5), 5.0);
        assert_eq!(snapped(5.000_002), 5.000_002);
    }

    #[test]
    fn a_sample_of_any_length_is_held() {
        let s = one(&[4.0], 1e9);
        let bins = s.resample(width(0.01), 50).unwrap();
        assert!(bins.values().iter().all(|&x| x == 4.0));
        assert_eq!(one(&[4.0], 1e30).bins(width(0.01)), usize::MAX);
    }

    #[test]
    fn a_stimulus_that_two_bins_outlast_is_refused() {
        let s = one(&[1.0, 3.0, 5.0, 6.0, 9.0], 0.01);
        assert_eq!(s.bins_missing(width(0.02), 4), 1.5);
        assert_eq!(s.bins_missing(width(0.01), 5), 0.0);
        let error = s.resample(width(0.01), 7).unwrap_err().to_string();
        assert_eq!(
            error,
            "stimulus of 0.05 s, trials of up to 0.07 s: expected one that lasts as long as they do"
        );
    }

    #[test]
    fn the_same_width_changes_nothing_however_it_rounds() {
        let values: Vec<f64> = (0..70_000).map(|k| (k as f64).sin()).collect();
        for dt in [0.01, 0.001, 0.02, 1.0 / 30.0, 0.0007] {
            // As f32 holds it.
            for stored in [dt, f64::from(dt as f32)] {
                let same = one(&values, stored).resample(width(dt), 70_000);
                assert_eq!(same.unwrap().values(), values, "{stored}");
            }
        }
    }

    #[test]
    fn conditions_and_features_keep_their_places() {
        // [condition][sample][feature], 2 x 2 x 2
        let values = vec![1.0, 10.0, 3.0, 30.0, 5.0, 50.0, 7.0, 70.0];
        let s = Stimulus::new(values, Some(2), 2, width(0.01)).unwrap();
        assert_eq!(s.course(1), &[5.0, 50.0, 7.0, 70.0]);
        let r = s.resample(width(0.02), 1).unwrap();
        assert_eq!(r.values(), &[2.0, 20.0, 6.0, 60.0]);
        assert_eq!((r.courses(), r.samples(), r.features()), (2, 1, 2));
        let held = s.resample(width(0.005), 4).unwrap();
        assert_eq!(held.course(1)[2..], [5.0, 50.0, 7.0, 70.0, 7.0, 70.0]);
        let shared = one(&[4.0], 0.01);
        assert_eq!(shared.course(5), &[4.0]);
    }

    #[test]
    fn refuses_partial_samples_and_values_that_are_not_finite() {
        let dt = width(0.01);
        assert!(Stimulus::new(vec![1.0; 5], None, 2, dt).is_err());
        assert!(Stimulus::new(vec![1.0; 6], Some(4), 1, dt).is_err());
        assert!(Stimulus::new(vec![], None, 1, dt).is_err());
        assert!(Stimulus::new(vec![1.0], None, 0, dt).is_err());
        assert!(Stimulus::new(vec![1.0], Some(0), 1, dt).is_err());
        let mut values = vec![0.0; 12];
        values[9] = f64::NAN;
        let error = Stimulus::new(values, Some(2), 2, dt)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "stimulus[1, 1, 1] is NaN; expected a finite number");
    }
}
