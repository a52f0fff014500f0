//! How exact the times of a file are, and bins of them.

/// Rounding allowed at a bin edge, in bins: the source's times are rounded too.
pub(crate) const EDGE: f64 = 1e-6;

/// How far the length of a trial may be from that of most of them, in bins, if that is a whole number: a clock has
/// stopped it a sample early or late.
pub(crate) const JITTER: f64 = 0.1;

/// Largest step of a clock, in bins, that is taken for its rounding.
const LARGEST_STEP: f64 = 1e-3;

/// Largest step of a clock, as a share of a trial, by which a time may be outside it.
const SMALL_TICK: f64 = 1e-5;

/// How exact some times are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// As a share of a time: that of its type.
    relative: f64,
    /// Step that all times are whole multiples of, in seconds; 0 where there is none.
    step: f64,
}

impl Clock {
    /// The clock of times whose type rounds by a share `relative`.
    ///
    /// What is left of two large numbers that were subtracted is a multiple of the last place of these: the seconds
    /// of a computer's clock (1.7e9), as f64, leave steps of 2^-22 s.
    pub fn of(times: &[f64], relative: f64) -> Self {
        let steps = times.iter().filter(|&&t| t != 0.0).map(|t| last_place(*t));
        let step = steps.fold(f64::INFINITY, f64::min);
        Self {
            relative,
            step: if step.is_finite() { step } else { 0.0 },
        }
    }

    /// The same clock in another unit of time, of which a second has so many.
    pub fn per_second(self, count: f64) -> Self {
        Self {
            step: self.step / count,
            ..self
        }
    }

    /// How far the time may be from the true one, in its own unit, for a time that need only lie in its trial.
    pub fn rounding(&self, time: f64) -> f64 {
        self.relative * time.abs()
    }

    /// Its step in a trial of such a length, which a time may be outside by; 0 where that is no small part of it.
    pub fn tick(&self, duration: f64) -> f64 {
        let small = self.step <= SMALL_TICK * duration;
        if small { self.step } else { 0.0 }
    }

    /// Its step in bins; 0 where a bin has a whole number of them: such a clock is exact at its edges.
    fn steps(&self, width: f64) -> f64 {
        let per_bin = width / self.step;
        let exact = (per_bin - per_bin.round()).abs() <= EDGE * per_bin;
        if exact { 0.0 } else { self.step / width }
    }

    /// The same where it is too large to be taken for rounding, and smaller than half a bin.
    pub fn coarse_steps(&self, width: f64) -> Option<f64> {
        Some(self.steps(width)).filter(|&steps| steps > LARGEST_STEP && steps < 0.5)
    }

    /// How far the time may be from the true one, in bins of `width` seconds.
    pub fn uncertainty(&self, time: f64, width: f64) -> f64 {
        let steps = self.steps(width);
        let step = if steps <= LARGEST_STEP { steps } else { 0.0 };
        EDGE.max(self.rounding(time) / width).max(step)
    }

    /// How near to an edge a time is taken for the edge, in bins. Where nobody knows the bin, it is the one that the
    /// time says.
    pub fn tolerance(&self, time: f64, width: f64) -> f64 {
        let uncertainty = self.uncertainty(time, width);
        if uncertainty < 0.5 { uncertainty } else { EDGE }
    }
}

/// Place of the last binary digit of a number that is not zero.
fn last_place(x: f64) -> f64 {
    let bits = x.to_bits();
    let (exponent, digits) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let (exponent, digits) = match exponent {
        0 => (1, digits),
        _ => (exponent, digits | (1 << 52)),
    };
    let place = exponent as i32 - 1075 + digits.trailing_zeros() as i32;
    2f64.powi(place)
}

/// Bins of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Length {
    /// Their number: the last may be partial.
    pub bins: f64,
    /// Length of the trial in bins.
    pub exact: f64,
}

/// How long a trial is, in bins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub exact: f64,
    /// How exactly that is known.
    pub tolerance: f64,
}

/// Bins of trials, given how long each is in bins and how exactly that is known. A partial last bin counts. Where
/// half of the trials or more are as long as a whole number of bins but for [`JITTER`], these have that number.
pub(crate) fn lengths(trials: &[Measured]) -> Vec<Length> {
    let mut sorted: Vec<f64> = trials.iter().map(|trial| trial.exact).collect();
    sorted.sort_by(f64::total_cmp);
    let nominal = sorted
        .get(sorted.len() / 2)
        .map_or(0.0, |middle| middle.round());
    let near = |exact: f64| (exact - nominal).abs() < JITTER && nominal >= 1.0;
    let most = 2 * sorted.iter().filter(|&&exact| near(exact)).count() >= sorted.len();
    let length = |trial: &Measured| {
        let Measured { exact, tolerance } = *trial;
        let bins = if most && near(exact) {
            nominal
        } else {
            (exact - tolerance).ceil().max(1.0)
        };
        // What differs from whole bins by rounding is whole bins.
        let whole = (exact - bins).abs() <= tolerance;
        Length {
            bins,
            exact: if whole { bins } else { exact },
        }
    };
    trials.iter().map(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_is_the_largest_power_of_two_that_divides() {
        for (x, place) in [(1.0, 1.0), (6.0, 2.0), (0.75, 0.25), (-40.0, 8.0)] {
            assert_eq!(last_place(x), place, "{x}");
        }
        assert_eq!(last_place(1.0 + f64::EPSILON), f64::EPSILON);
        assert_eq!(last_place(f64::from_bits(3)), f64::from_bits(1));
    }

    #[test]
    fn a_clock_of_large_numbers_leaves_its_step() {
        let origin = 1.7e9 + 0.123;
        let times: Vec<f64> = (0..100)
            .map(|k| origin + 1e-3 * f64::from(k) - origin)
            .collect();
        let clock = Clock::of(&times, f64::EPSILON);
        let step = 2f64.powi(-22);
        assert_eq!(clock.tolerance(0.05, 1e-3), step / 1e-3);
        // Too coarse for such bins; a whole number of steps per bin.
        assert_eq!(clock.tolerance(0.05, 1e-5), EDGE);
        let ticks: Vec<f64> = (0..100).map(f64::from).collect();
        let samples = Clock::of(&ticks, 0.0).per_second(30_000.0);
        assert_eq!(samples.tolerance(1.0, 1.0), EDGE);
        // 3000.3 samples in a bin, or 30,000 but for rounding.
        let found = samples.tolerance(1.0, 0.100_01) * 3000.3;
        assert!((found - 1.0).abs() < 1e-9, "{found}");
        assert_eq!(samples.tolerance(1.0, 30_000.02 / 30_000.0), EDGE);
        // Decimal numbers have no step.
        let decimal: Vec<f64> = (0..100).map(|k| f64::from(k) * 1e-3).collect();
        assert_eq!(
            Clock::of(&decimal, f64::EPSILON).tolerance(0.05, 1e-3),
            EDGE
        );
        assert_eq!(Clock::of(&[], 0.0).tolerance(1.0, 0.01), EDGE);
        // f32: a unit in the last place; half a bin of 1 ms after more than an hour.
        let single = Clock::of(&decimal, f64::from(f32::EPSILON));
        let found = single.tolerance(2.0, 1e-3);
        assert!((found - 2000.0 * 1.2e-7).abs() < 1e-5, "{found}");
        assert_eq!(single.tolerance(10_000.0, 1e-3), EDGE);
        assert!(single.uncertainty(10_000.0, 1e-3) > 1.0);
    }

    fn of(exact: &[f64], tolerance: f64) -> Vec<(f64, f64)> {
        let measured = |&exact: &f64| Measured { exact, tolerance };
        let trials: Vec<Measured> = exact.iter().map(measured).collect();
        let found = lengths(&trials);
        found
            .iter()
            .map(|length| (length.bins, length.exact))
            .collect()
    }

    #[test]
    fn partial_last_bins_count_and_rounding_makes_none() {
        assert_eq!(of(&[1.25], EDGE), [(2.0, 1.25)]);
        assert_eq!(of(&[110.000_002, 3.5], 1e-5), [(110.0, 110.0), (4.0, 3.5)]);
        assert_eq!(of(&[109.999_998], 1e-5), [(110.0, 110.0)]);
        assert_eq!(of(&[0.01], EDGE), [(1.0, 0.01)]);
        // Trials of all lengths keep their rests, however short.
        let rests = [(4.0, 3.05), (8.0, 7.4), (13.0, 12.01)];
        assert_eq!(of(&[3.05, 7.4, 12.01], EDGE), rests);
    }

    #[test]
    fn lengths_that_jitter_by_a_sample_are_one() {
        let found = of(&[100.003, 99.997, 100.0, 60.003, 100.2], EDGE);
        let bins: Vec<f64> = found.iter().map(|f| f.0).collect();
        assert_eq!(bins, [100.0, 100.0, 100.0, 61.0, 101.0]);
        assert_eq!(found[0].1, 100.003);
        // Half of the trials are enough, as long as one in the middle, which lies anywhere in the file.
        for others in [[1.5, 2.5, 3.5].as_slice(), &[10.5, 20.5]] {
            let found = of(&[others, &[100.0, 100.003, 99.997]].concat(), EDGE);
            let bins: Vec<f64> = found.iter().map(|f| f.0).collect();
            let own = others.iter().map(|x| x + 0.5);
            assert_eq!(bins, own.chain([100.0; 3]).collect::<Vec<f64>>());
        }
    }
}
